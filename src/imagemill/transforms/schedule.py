"""A probability that changes from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.ops import Bools
from imagemill.core.ramp import by_epoch
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.transforms.base import number, option
from imagemill.transforms.combine import Sequential

__all__ = ["Schedule"]


def _steps(name: str, value: Any) -> dict[int, float]:
    number_of: Callable[[str, Any], float] = number(low=0, high=1)
    if not isinstance(value, Mapping) or not value:
        raise ParameterError(
            f"expected {name} to say a probability for one epoch at least, such as {{0: 0, 20: 1}}, got {value!r}"
        )
    return by_epoch(name, value, number_of)


@dataclass(frozen=True, slots=True)
class Schedule(Sequential):
    """All of several transforms, in order, with a probability that changes from epoch to epoch.

    Parameters
    ----------
    transforms : list of Transform
    chance : mapping from int to float
        Probability in some epochs, counted from 0, each 0 to 1: ``{0: 0.0, 5: 0.5, 20: 1.0}``. In between it changes
        in equal steps; before the first and after the last it stays what it is there. One coin decides for them all.
    p : float
        What all of these probabilities are multiplied by.

    Notes
    -----
    The epoch is that of the loader, of ``pipe(..., epoch=3)`` or of ``pipe.set_epoch(3)``, and a part of the recipe. A
    sample's coin is another one in each epoch, and the same whatever the chances are. A range that changes from epoch
    to epoch is a :class:`~imagemill.Ramp`: ``im.Rotate(im.Ramp({0: 0, 20: (-30, 30)}))``.

    Targets
    -------
    As its transforms.

    Source
    ------
    Bengio, Louradour, Collobert and Weston (2009), "Curriculum learning", ICML, on easy samples first; Tan and Le
    (2021), "EfficientNetV2: smaller models and faster training", ICML, on augmentation that grows with the epochs.

    Examples
    --------
    >>> import imagemill as im
    >>> pipe = im.Pipeline([Schedule([im.Invert()], {0: 0.0, 10: 1.0})], seed=1)
    >>> black = [np.zeros((1, 1), np.uint8)] * 1000
    >>> [round(float(np.mean(pipe.batch(black, keys=range(1000), epoch=e).image > 0)), 1) for e in (0, 5, 10)]
    [0.0, 0.5, 1.0]
    """

    chance: Read[Mapping[int, float], dict[int, float]] = option(check=_steps)

    def in_epoch(self, epoch: int) -> float:
        """The probability in an epoch."""
        return self.p * float(np.interp(epoch, list(self.chance), list(self.chance.values())))

    def runs_on(self, draws: Draws) -> Bools | None:
        """A coin with the probability of the epoch."""
        coin: Bools = draws.uniform() < self.in_epoch(draws.epoch)
        return coin

    def variants(self) -> float:
        count = Sequential.variants(self)
        return count if self.p < 1 or set(self.chance.values()) == {1.0} else count + 1

    def chances(self) -> None:
        """Other ones in each epoch."""

    def runs(self) -> tuple[int, int]:
        low, high = Sequential.runs(self)
        values = set(self.chance.values())
        return (low if values == {1.0} else 0, high if values != {0.0} else 0)

    def rule(self) -> str:
        told = ", ".join(f"{100 * self.p * value:.3g}% in epoch {epoch}" for epoch, value in self.chance.items())
        return f"all of these run, for {told}" + (", in equal steps between" if len(self.chance) > 1 else "")
