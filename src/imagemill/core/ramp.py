"""A parameter whose range changes from epoch to epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.ranges import Distribution, Floats, Range, as_distribution

__all__ = ["Ramp", "by_epoch", "in_epoch"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ramp:
    """A number, pair or distribution for some epochs; in between, values change in equal steps.

    Parameters
    ----------
    steps : mapping from int to number, pair or Distribution
        For epochs counted from 0: ``Ramp({0: 0, 20: (-30, 30)})`` grows from nothing to +-30 over 20 epochs. Before
        the first epoch it says and after the last it stays what it is there.

    Notes
    -----
    In between, what is drawn lies as far from the value that the same uniform number has in the epoch before to that
    in the epoch behind as the epoch does: of two pairs that is the pair in between. So a sample draws by the same
    uniform numbers in an epoch, whatever the range.

    The epoch is that of the loader, of ``pipe(..., epoch=3)`` or of ``pipe.set_epoch(3)``, and a part of the recipe;
    copies that ``augment`` writes of an image count as epochs. Bounds are checked for all epochs at once.

    Source
    ------
    Tan and Le (2021), "EfficientNetV2: smaller models and faster training", ICML: augmentation whose strength
    grows with the epochs.

    Examples
    --------
    >>> grows = Ramp({0: 0, 20: (-30, 30)})
    >>> grows.at(0), grows.at(5), grows.at(99)
    (Range(low=0, high=0), Range(low=-7.5, high=7.5), Range(low=-30, high=30))
    """

    steps: Mapping[int, Distribution]

    def __post_init__(self) -> None:
        if not isinstance(self.steps, Mapping) or not self.steps:
            raise ParameterError(
                f"expected Ramp to say a range for one epoch at least, such as {{0: 0, 20: (-30, 30)}}, "
                f"got {self.steps!r}"
            )
        object.__setattr__(self, "steps", by_epoch("Ramp", self.steps, _step))

    def __hash__(self) -> int:
        return hash(tuple(self.steps.items()))

    def at(self, epoch: int) -> Distribution:
        """What it is in an epoch."""
        known = list(self.steps)
        later = next((k for k in known if k >= epoch), known[-1])
        earlier = next((k for k in reversed(known) if k <= epoch), known[0])
        a, b = self.steps[earlier], self.steps[later]
        if a == b or not earlier < epoch < later:
            return b if epoch >= later else a
        share = (epoch - earlier) / (later - earlier)
        if isinstance(a, Range) and isinstance(b, Range):
            return Range(*(low + (high - low) * share for low, high in zip(a.bounds, b.bounds, strict=True)))
        return _Between(a, b, share)

    def mapped(self, change: Callable[[Distribution], Distribution]) -> Ramp:
        """The same with what stands in each epoch changed by a function."""
        return Ramp({epoch: change(one) for epoch, one in self.steps.items()})

    def sample(self, u: Floats) -> Floats:  # noqa: ARG002 - as the protocol has it
        """Refused: the epoch is missing. :func:`in_epoch` says what to sample."""
        raise TypeError("expected the epoch of a Ramp to be said before it is sampled; draw with draws(self.parameter)")

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value of any epoch."""
        low, high = zip(*(one.bounds for one in self.steps.values()), strict=True)
        return min(low), max(high)

    @property
    def count(self) -> float:
        """That of the one range it always has; otherwise ``inf``, as there are always further epochs."""
        first, *others = self.steps.values()
        return first.count if all(one == first for one in others) else math.inf

    def __str__(self) -> str:
        return "(" + ", ".join(f"{one} in epoch {epoch}" for epoch, one in self.steps.items()) + ")"


@dataclass(frozen=True, slots=True)
class _Between:
    """What lies between two distributions, quantile by quantile."""

    a: Distribution
    b: Distribution
    share: float

    def sample(self, u: Floats) -> Floats:
        first = self.a.sample(u)
        return first + (self.b.sample(u) - first) * self.share

    @property
    def bounds(self) -> tuple[float, float]:
        low, high = (a + (b - a) * self.share for a, b in zip(self.a.bounds, self.b.bounds, strict=True))
        return low, high

    @property
    def count(self) -> float:
        # Of two that take few values each, more can come together; at most one of each with one of each.
        return self.a.count * self.b.count


def in_epoch(distribution: Distribution, epoch: int) -> Distribution:
    """What a parameter is in an epoch; all but a :class:`Ramp` stay what they are."""
    return distribution.at(epoch) if isinstance(distribution, Ramp) else distribution


def by_epoch(name: str, value: Mapping[Any, Any], read: Callable[[str, Any], T]) -> dict[int, T]:
    """Values for some epochs in their order, each read by a function of its name and itself.

    Raises
    ------
    ParameterError
        Where something else than epochs is named, or one of them twice.
    """
    found: dict[int, T] = {}
    for key, one in value.items():
        # Keys of JSON are text.
        epoch = int(key) if isinstance(key, str) and key.isdecimal() else key
        if isinstance(epoch, bool) or not isinstance(epoch, int | np.integer) or epoch < 0:
            raise ParameterError(f"expected {name} to count epochs from 0 on, in whole numbers, got {key!r}")
        if int(epoch) in found:
            raise ParameterError(f"expected {name} to say each epoch once, got {int(epoch)} twice")
        found[int(epoch)] = read(f"{name} for epoch {epoch}", one)
    return dict(sorted(found.items()))


def _step(name: str, value: Any) -> Distribution:
    found = as_distribution(value, name=name)
    if isinstance(found, Ramp):
        raise ParameterError(
            f"expected {name} to be a number, a pair or a distribution, got another Ramp; say all epochs in one"
        )
    return found
