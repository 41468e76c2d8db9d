"""Shares of images and means of scores with their intervals: one, and one beside another of the same images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from imagemill.core.errors import ParameterError
from imagemill.evaluate.statistics.intervals import paired

__all__ = ["Share", "mean_score", "paired_scores", "paired_shares", "wilson"]

Right = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """A share of images or a mean of scores from 0 to 1, or a difference of two, with its interval.

    Parameters
    ----------
    value : float
        0 to 1; a difference is -1 to 1.
    low, high : float
        Ends of the interval.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Plain values."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def wilson(count: int, of: int, level: float = 0.95) -> Share:
    """A share with the interval of Wilson, which holds where nearly all or nearly none are counted.

    Parameters
    ----------
    count, of : int
    level : float, 0 to 1

    Returns
    -------
    Share

    Raises
    ------
    ParameterError
        When nothing was counted, or more than there is.

    Notes
    -----
    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22.

    Examples
    --------
    >>> print(wilson(90, 100))
    0.900 [0.826, 0.945]
    >>> print(wilson(20, 20))
    1.000 [0.839, 1.000]
    """
    if not 0 <= count <= of or of < 1:
        raise ParameterError(f"expected a count of 0 to {of} of 1 or more, got {count}")
    if not 0 < level < 1:
        raise ParameterError(f"expected a level between 0 and 1, such as 0.95, got {level}")
    z, share = float(stats.norm.ppf((1 + level) / 2)), count / of
    middle = share + z * z / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    whole = 1 + z * z / of
    return Share(share, min(max((middle - half) / whole, 0.0), share), max(min((middle + half) / whole, 1.0), share))


def paired_shares(mine: Right, other: Right, *, times: float = 1.0, level: float = 0.95) -> Share:
    """How much larger one share is than another (or than a part of it), both of the same images.

    ``share(mine) - times * share(other)``. The interval is put together from the Wilson intervals of both and the
    correlation between them.

    Parameters
    ----------
    mine, other : bool array ``[n]``
        For each image, whether it counts.
    times : float, 0 to 1
        With 0.95 the result is above 0 where ``mine`` holds 95 % of ``other``.
    level : float, 0 to 1

    Returns
    -------
    Share

    Raises
    ------
    ParameterError
        When the two do not fit.

    Notes
    -----
    Source: Newcombe (1998), "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17, method 10; for multiples Zou and Donner (2008), "Construction of
    confidence limits about effect measures: a general approach", Statistics in Medicine 27.

    Examples
    --------
    >>> import numpy as np
    >>> clean = np.arange(200) < 190
    >>> turned = np.arange(200) < 170  # the same images and 20 more are wrong
    >>> print(paired_shares(turned, clean))
    -0.100 [-0.148, -0.059]
    """
    _check_paired(mine, other, times)
    count = len(mine)
    first, second = wilson(int(mine.sum()), count, level), wilson(int(other.sum()), count, level)
    related = _correlation(mine, other)
    difference = first.value - times * second.value
    down, up = first.value - first.low, first.high - first.value
    down_other, up_other = times * (second.value - second.low), times * (second.high - second.value)
    below = math.sqrt(max(down**2 - 2 * related * down * up_other + up_other**2, 0.0))
    above = math.sqrt(max(up**2 - 2 * related * up * down_other + down_other**2, 0.0))
    return Share(difference, max(difference - below, -1.0), min(difference + above, 1.0))


def mean_score(scores: Floats, level: float = 0.95) -> Share:
    """The mean of scores with Student's t interval over the items, as far as it lies between 0 and 1.

    Parameters
    ----------
    scores : array ``[items]``, 0 to 1
    level : float, 0 to 1

    Returns
    -------
    Share
        From 0 to 1 of one item alone, which says nothing of others.

    Raises
    ------
    ParameterError
        Without an item, or for a level that is none.

    Notes
    -----
    Source: Student (1908), "The probable error of a mean", Biometrika 6.

    Examples
    --------
    >>> print(mean_score(np.array([0.8, 0.9, 0.85, 0.95])))
    0.875 [0.772, 0.978]
    """
    found = paired(scores, level=level)
    return Share(found.mean, max(found.low, 0.0), min(found.high, 1.0))


def paired_scores(mine: Floats, other: Floats, *, times: float = 1.0, level: float = 0.95) -> Share:
    """How much larger one mean is than another (or than a part of it), both over the same items.

    ``mean(mine - times * other)`` with Student's t interval over the items.

    Parameters
    ----------
    mine, other : array ``[items]``, 0 to 1
    times : float, 0 to 1
        With 0.95 the result is above 0 where ``mine`` holds 95 % of ``other``.
    level : float, 0 to 1

    Returns
    -------
    Share

    Raises
    ------
    ParameterError
        When the two do not fit.

    Examples
    --------
    >>> print(paired_scores(np.array([0.7, 0.8, 0.6]), np.array([0.8, 0.9, 0.9])))
    -0.167 [-0.454, 0.120]
    """
    _check_paired(mine, other, times)
    found = paired(mine - times * other, level=level)
    return Share(found.mean, max(found.low, -1.0), min(found.high, 1.0))


def _check_paired(mine: npt.NDArray[np.generic], other: npt.NDArray[np.generic], times: float) -> None:
    if mine.shape != other.shape or mine.ndim != 1:
        raise ParameterError(f"expected two columns over the same images, got {mine.shape} and {other.shape}")
    if not 0 <= times <= 1:
        raise ParameterError(f"expected a multiple from 0 to 1, got {times}")


def _correlation(mine: Right, other: Right) -> float:
    """Phi of the two columns, drawn towards 0 by the continuity correction of Newcombe's method 10."""
    both, neither = float((mine & other).sum()), float((~mine & ~other).sum())
    only, others = float((mine & ~other).sum()), float((~mine & other).sum())
    margins = (both + only) * (others + neither) * (both + others) * (only + neither)
    if margins == 0.0:
        return 0.0
    product, half = both * neither - only * others, len(mine) / 2
    if product > 0:
        product = max(product - half, 0.0)
    return product / math.sqrt(margins)
