"""Accuracy over the number of training images, read backwards: which number would have given this accuracy.

Between numbers that were measured, the logarithm of the error is interpolated over the logarithm of the number:
straight lines are power laws there, and the interpolation bends where the error levels off. Beyond the largest and
below the smallest number nothing is said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import interpolate, optimize

from imagemill.core.errors import ParameterError
from imagemill.evaluate.statistics.intervals import Difference, paired, paired_items

__all__ = ["LearningCurve", "Lookup", "invert"]

Floats = npt.NDArray[np.float64]
_STEPS = 32
"""Places at which each piece of the curve is tested, before the ends of what is not rejected are refined."""
_FINE = 40
"""Halvings of a step."""


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """A learning curve: mean accuracy at several numbers of training images.

    Parameters
    ----------
    sizes : array ``[k]``
        Numbers of training images, ascending.
    accuracy : array ``[k]``
        Shares of right answers, 0 to 1.
    least : float
        The smallest error that is told from none, such as half an image of the test set: ``0.5 / images``.

    Notes
    -----
    Source: Fritsch and Butland (1984), "A method for constructing local monotone piecewise cubic interpolants", SIAM
    Journal on Scientific and Statistical Computing 5, for the interpolation. On learning curves with a size left out
    it read that size better than straight lines and than a power law with a floor that was fitted to all sizes.

    Examples
    --------
    >>> curve = LearningCurve(np.array([100.0, 400.0]), np.array([0.8, 0.9]), least=0.001)
    >>> round(curve.size(0, 0.0)), round(curve.size(0, 1.0)), round(curve.size(0, 0.585786))  # error 0.1414
    (100, 400, 200)
    """

    sizes: Floats
    accuracy: Floats
    least: float

    def size(self, piece: int, share: float) -> float:
        """The number of images at which accuracy has gone that share of the way from one measured number to the next.

        Parameters
        ----------
        piece : int
            From ``sizes[piece]`` to ``sizes[piece + 1]``.
        share : float, 0 to 1
        """
        ends = float(self.sizes[piece]), float(self.sizes[piece + 1])
        if share <= 0.0 or share >= 1.0:
            return ends[0] if share <= 0.0 else ends[1]
        places, errors = np.log(self.sizes), np.maximum(1.0 - self.accuracy, self.least)
        first, last = errors[piece : piece + 2]
        if math.isclose(first, last, rel_tol=1e-9):  # flat: any number does, so the share is that of the way between
            return math.exp((1 - share) * math.log(ends[0]) + share * math.log(ends[1]))
        between = interpolate.PchipInterpolator(places, np.log(errors))
        sought = math.log(first + share * (last - first))
        found = optimize.brentq(lambda place: float(between(place)) - sought, places[piece], places[piece + 1])
        return float(math.exp(found))

    def sizes_of(self, accuracy: float) -> tuple[float, float]:
        """The smallest and the largest number of images with that accuracy, where the curve is made to rise only.

        0 stands for less than the smallest number that was measured, infinity for more than the largest.

        Notes
        -----
        Source: Ayer, Brunk, Ewing, Reid, Silverman (1955), "An empirical distribution function for sampling with
        incomplete information", Annals of Mathematical Statistics 26, for the curve that rises only.

        Examples
        --------
        >>> curve = LearningCurve(np.array([100.0, 400.0, 800.0]), np.array([0.8, 0.91, 0.89]), least=0.001)
        >>> curve.sizes_of(0.9), curve.sizes_of(0.95), curve.sizes_of(0.7)
        ((400.0, 800.0), (inf, inf), (0.0, 0.0))
        """
        rising = LearningCurve(self.sizes, np.asarray(optimize.isotonic_regression(self.accuracy).x), self.least)
        values = rising.accuracy
        # Pooled values are means, whose last digits are chance.
        same = np.isclose(values, accuracy, rtol=0, atol=1e-12)
        if same.any():
            return float(self.sizes[same][0]), float(self.sizes[same][-1])
        if accuracy < values[0]:
            return 0.0, 0.0
        if accuracy > values[-1]:
            return math.inf, math.inf
        piece = int(np.searchsorted(values, accuracy)) - 1
        found = rising.size(piece, float((accuracy - values[piece]) / (values[piece + 1] - values[piece])))
        return found, found

    def nearest(self, accuracy: float, size: float) -> float:
        """The number of images with that accuracy that is nearest to a given number."""
        low, high = self.sizes_of(accuracy)
        return min(max(size, low), high)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Numbers of images without augmentation that are not rejected as reaching what an arm reaches.

    Parameters
    ----------
    low, high : float
        Ends; 0 where numbers below the smallest that was measured are not rejected, infinity beyond the largest.
    """

    low: float
    high: float


def invert(
    sizes: Sequence[float] | Floats, reference: Floats, arm: Floats, *, level: float = 0.95, step: float = 0.0
) -> Lookup:
    """The interval of the number of images without augmentation that reach what an arm reaches.

    A number is in the interval unless a test rejects it: with ``r[s]`` the reference of seed ``s`` at that number,
    between the two measured ones around it, the differences ``a[s] - r[s]`` are paired, and Student's t says whether
    their mean can be 0. So the interval is as good as t is, whatever the slope of the curve; where the curve is too
    flat to tell, it is long or open, as it should be. A bootstrap over a handful of seeds is far too short.

    Parameters
    ----------
    sizes : array ``[k]``
        Numbers of training images, ascending, two or more.
    reference : array ``[seeds, k]`` or ``[seeds, k, images]``
        Accuracies without augmentation, for the interval on these test images (`paired`); or 1 where each image was
        right and 0 elsewhere, for that on new images of this kind (`paired_items`).
    arm : array ``[seeds]`` or ``[seeds, images]``
        The same of the arm, with the same seeds and test images.
    level : float, 0 to 1
    step : float
        The smallest step that an accuracy can make: ``1 / images``; that of a table of images is known.

    Returns
    -------
    Lookup

    Raises
    ------
    ParameterError
        For arrays that do not fit, or sizes that do not ascend.

    Notes
    -----
    Source: Fieller (1954), "Some problems in interval estimation", Journal of the Royal Statistical Society B 16: the
    interval of a ratio by what a t test does not reject. On each piece of the curve this is that interval.

    Examples
    --------
    >>> reference = np.array([[0.80, 0.90, 0.95], [0.81, 0.91, 0.94], [0.79, 0.90, 0.95]])
    >>> found = invert([100, 400, 1600], reference, np.array([0.91, 0.92, 0.91]), step=0.001)
    >>> round(found.low), round(found.high)
    (459, 904)
    """
    places = np.asarray(sizes, np.float64)
    if places.ndim != 1 or len(places) < 2 or not (np.diff(places) > 0).all() or places[0] <= 0:
        raise ParameterError(f"expected two ascending numbers of images or more, got {sizes}")
    fits = reference.ndim in (2, 3) and arm.shape == (len(reference), *reference.shape[2:])
    if not fits or reference.shape[1] != len(places):
        raise ParameterError(
            f"expected a reference [seeds, {len(places)}] or [seeds, {len(places)}, images] and an arm without the "
            f"second axis, got {reference.shape} and {arm.shape}"
        )
    if len(reference) < 2:
        return Lookup(0.0, math.inf)
    by_image = reference.ndim == 3
    step = 1 / reference.shape[2] if by_image else step
    curve = LearningCurve(places, reference.mean(axis=(0, 2) if by_image else 0), step / 2)

    def difference(place: float) -> Difference:
        """The arm less the reference: the whole part of a place is the piece, the rest how far along it."""
        piece = min(int(place), len(places) - 2)
        share = place - piece
        table = arm - (1 - share) * reference[:, piece] - share * reference[:, piece + 1]
        return paired_items(table, level=level) if by_image else paired(table, level=level, step=step)

    ends = _not_rejected(difference, _places(curve.accuracy, float(arm.mean())))
    if ends is None:
        # All are rejected from one side: had the difference changed its sign, a place without any would be among them.
        above = difference(0.0).mean > 0
        return Lookup(float(places[-1]), math.inf) if above else Lookup(0.0, float(places[0]))

    def size(place: float) -> float:
        piece = min(int(place), len(places) - 2)
        return curve.size(piece, place - piece)

    low, high = ends
    return Lookup(0.0 if low <= 0.0 else size(low), math.inf if high >= len(places) - 1 else size(high))


def _places(accuracy: Floats, sought: float) -> list[float]:
    """Where to test: evenly along each piece, and where the means are equal, so that no short interval is missed."""
    found = list(np.linspace(0, len(accuracy) - 1, _STEPS * (len(accuracy) - 1) + 1))
    for piece, (first, last) in enumerate(pairwise(accuracy)):
        if (first - sought) * (last - sought) < 0:
            found.append(piece + (sought - first) / (last - first))
    return sorted(float(one) for one in found)


def _not_rejected(test: Callable[[float], Difference], places: Sequence[float]) -> tuple[float, float] | None:
    """The first and the last place that a test does not reject, or None."""

    def kept(place: float) -> bool:
        found = test(place)
        return found.low <= 0.0 <= found.high

    inside = [place for place in places if kept(place)]
    if not inside:
        return None
    low, high = inside[0], inside[-1]
    before, after = places.index(low) - 1, places.index(high) + 1
    if before >= 0:
        low = _edge(kept, low, places[before])
    if after < len(places):
        high = _edge(kept, high, places[after])
    return low, high


def _edge(kept: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last place that is kept on the way to one that is not."""
    for _ in range(_FINE):
        middle = (inside + outside) / 2
        if kept(middle):
            inside = middle
        else:
            outside = middle
    return inside
