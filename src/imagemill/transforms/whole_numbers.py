"""Parameters that are whole numbers: holes, pixels of a side. The ends of a pair are as likely as the rest."""

from __future__ import annotations

import math

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats
from imagemill.core.ramp import Ramp
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Choice, Distribution, Range

__all__ = ["draw_whole", "require_whole", "whole_in_epoch"]


def require_whole(shown: str, distribution: Distribution, *, odd: bool = False) -> None:
    """Refuse what could give anything but whole numbers.

    Parameters
    ----------
    shown : str
        The parameter's full name.
    distribution : Distribution
        A number, a pair, a Choice, or a Ramp of numbers and pairs; of a pair all whole numbers from one to the other
        are drawn.
    odd : bool
        Only odd ones, where a pair will not do.

    Raises
    ------
    ParameterError
    """
    kinds = "an odd whole number or a Choice of them" if odd else "a whole number, a pair of them or a Choice of them"
    values: tuple[float, ...] = ()
    if (
        isinstance(distribution, Ramp)
        and not odd
        and all(isinstance(one, Range) for one in distribution.steps.values())
    ):
        values = tuple(end for one in distribution.steps.values() for end in one.bounds)
    elif isinstance(distribution, Choice):
        values = distribution.values
    elif isinstance(distribution, Range) and (not odd or distribution.low == distribution.high):
        values = distribution.bounds
    if not values or any(v != round(v) or (odd and v % 2 == 0) for v in values):
        low = math.floor(distribution.bounds[0])
        example = "Choice([3, 5, 7])" if odd else f"{low}" if len(set(values)) == 1 else f"({low}, {low + 1})"
        raise ParameterError(f"expected {shown} to be {kinds}, got {distribution}; write {example}, for example")


def whole_in_epoch(distribution: Distribution, epoch: int) -> Distribution:
    """What a parameter is in an epoch; between two of a Ramp the ends go from whole number to whole number, halves up.

    Examples
    --------
    >>> whole_in_epoch(Ramp({0: 0, 4: (2, 5)}), 1)
    Range(low=1, high=1)
    """
    if not isinstance(distribution, Ramp):
        return distribution
    return Range(*(math.floor(end + 0.5) for end in distribution.at(epoch).bounds))


def draw_whole(draws: Draws, distribution: Distribution, name: str) -> Floats:
    """A column of whole numbers ``[n]``, shown under a name.

    Examples
    --------
    >>> from imagemill.core.randomness.rng import Generator
    >>> draws = Draws(Generator(1, 0, np.arange(3000, dtype=np.uint64)), 0)
    >>> np.unique(draw_whole(draws, Range(1, 3), "count"), return_counts=True)[0].tolist()
    [1.0, 2.0, 3.0]
    """
    distribution = whole_in_epoch(distribution, draws.epoch)
    values = draws(distribution, name)
    if isinstance(distribution, Range) and distribution.low < distribution.high:
        low, high = distribution.bounds
        # What was drawn lies evenly in low..high: as evenly as the whole numbers in it.
        values = low + np.floor((values - low) / (high - low) * (high - low + 1))
        draws.note(name, values)
    return values
