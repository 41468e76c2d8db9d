"""What a difference between two arms is worth: intervals, verdicts, and what could have been seen at all.

Arms are trained in pairs: with one seed they share splits, initial weights and the order of batches, so that the
difference of a pair is what the augmentation did, plus chance. Chance has two sources, which answer two questions:

* *On these test images*: only the seeds vary. The interval is Student's t over the differences of the pairs.
* *On new images of this kind*: the test images were drawn as well. The variance of the differences between images is
  added, and the degrees of freedom follow Satterthwaite.

A bootstrap over a handful of seeds is not used: with three to ten seeds its intervals are far too short.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from imagemill.core.errors import ParameterError
from imagemill.core.multiplicity import adjusted

__all__ = ["FEWEST_SEEDS", "Difference", "adjusted", "check_level", "detectable", "paired", "paired_items", "seeds_for"]

FEWEST_SEEDS = 3
"""Below this many pairs no verdict is given: the interval of two is 25 times as wide as the deviation."""

_ROUNDING = 0.5
"""Of a step: the largest deviation of a value that falls on one side of a step or the other."""

Floats = npt.NDArray[np.float64]
Verdict = Literal["helps", "harms", "no difference seen", "too few seeds"]


@dataclass(frozen=True, slots=True)
class Difference:
    """An arm less the arm without augmentation, with its interval.

    Parameters
    ----------
    mean : float
        In the unit of what was measured; accuracies are shares, 0 to 1.
    low, high : float
        Ends of the interval; infinite where one pair says nothing of chance.
    p : float
        Two-sided; 1 where it cannot be known.
    pairs : int
        Seeds that both arms were trained with.
    deviation : float
        Of the differences between pairs.
    freedom : float
        Degrees of freedom of the t distribution.
    level : float
        Of the interval, such as 0.95.
    """

    mean: float
    low: float
    high: float
    p: float
    pairs: int
    deviation: float
    freedom: float
    level: float

    @property
    def verdict(self) -> Verdict:
        """What the interval carries, and no more."""
        if self.pairs < FEWEST_SEEDS:
            return "too few seeds"
        if self.low > 0:
            return "helps"
        if self.high < 0:
            return "harms"
        return "no difference seen"


def paired(differences: Sequence[float] | Floats, *, level: float = 0.95, step: float = 0.0) -> Difference:
    """Student's t interval of the mean of paired differences, one a seed.

    Parameters
    ----------
    differences : array ``[seeds]``
    level : float, 0 to 1
    step : float
        The smallest step that a difference can make, such as ``1 / len(images)``: differences that happen to be equal
        are no surer than their rounding.

    Returns
    -------
    Difference

    Raises
    ------
    ParameterError
        Without a difference, or for a level that is none.

    Notes
    -----
    Source: Student (1908), "The probable error of a mean", Biometrika 6.

    Examples
    --------
    >>> found = paired([0.010, 0.014, 0.012, 0.016, 0.008])
    >>> f"{found.mean:.3f} [{found.low:.4f}, {found.high:.4f}] {found.verdict}"
    '0.012 [0.0081, 0.0159] helps'
    """
    values = _checked(differences, level)
    count, mean = len(values), float(values.mean())
    deviation = max(float(values.std(ddof=1)), step * _ROUNDING) if count > 1 else math.nan
    return _interval(mean, deviation**2 / count, count - 1.0, count, deviation, level)


def paired_items(differences: npt.ArrayLike, *, level: float = 0.95, step: float | None = None) -> Difference:
    """The interval for new images of the same kind: seeds and test images both count as drawn.

    The difference of seed ``s`` on image ``i`` is taken as ``mean + a[s] + b[i] + e[s, i]``. The mean over both has
    the variance ``var(a) / S + var(b) / N + var(e) / (S N)``, whose parts are estimated by the mean squares of the
    two-way layout.

    Parameters
    ----------
    differences : array ``[seeds, images]``
        Score less score: ``correct_arm - correct_none``, -1, 0 or 1 each, or differences of Dice.
    level : float, 0 to 1
    step : float, optional
        As for `paired`; ``1 / images`` when left out.

    Returns
    -------
    Difference
        Never narrower than `paired` of the means of the seeds.

    Raises
    ------
    ParameterError
        When it is no table, or the level is none.

    Notes
    -----
    Source: Satterthwaite (1946), "An approximate distribution of estimates of variance components", Biometrics
    Bulletin 2, for the degrees of freedom; the layout is that of two crossed random factors without repetition.

    Examples
    --------
    >>> import numpy as np
    >>> table = np.zeros((4, 100))
    >>> table[:, :10] = 1  # the same ten images of a hundred are right now, under every seed
    >>> wide, narrow = paired_items(table), paired(table.mean(axis=1))
    >>> f"{wide.low:.3f} {wide.high:.3f}", f"{narrow.low:.3f} {narrow.high:.3f}"
    ('0.040 0.160', '0.100 0.100')
    """
    table = np.asarray(differences, np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ParameterError(f"expected differences [seeds, images] with two images or more, got {table.shape}")
    seeds, items = table.shape
    rows, mean = _checked(table.mean(axis=1), level), float(table.mean())
    if seeds == 1:
        return _interval(mean, math.nan, 0.0, 1, math.nan, level)
    deviation = max(float(rows.std(ddof=1)), (1 / items if step is None else step) * _ROUNDING)
    columns = table.mean(axis=0)
    residual = table - rows[:, None] - columns[None, :] + mean
    # Each as its share of the variance of the mean: by rows, by columns, and what both hold of the rest.
    by_rows = deviation**2 / seeds
    by_columns = float(columns.var(ddof=1)) / items
    rest = float((residual**2).sum()) / ((seeds - 1) * (items - 1)) / (seeds * items)
    extra = max(by_columns - rest, 0.0)
    variance = by_rows + extra
    parts = by_rows**2 / (seeds - 1)
    if extra > 0.0:
        parts += by_columns**2 / (items - 1) + rest**2 / ((seeds - 1) * (items - 1))
    # Without any variance there is nothing to weigh the parts by.
    freedom = variance**2 / parts if parts > 0.0 else seeds - 1.0
    # Where next to nothing is left once the rest is taken off, the approximation goes to 0 degrees and the interval to
    # any length; a sum of variances never has fewer degrees than the part that has fewest.
    freedom = max(freedom, float(min(seeds, items) - 1))
    # More degrees of freedom can take off more than the images add; what is not sure here is not sure anywhere.
    here = _interval(mean, by_rows, seeds - 1.0, seeds, deviation, level)
    anywhere = _interval(mean, variance, freedom, seeds, deviation, level)
    return max(anywhere, here, key=lambda one: one.high)


def detectable(deviation: float, pairs: int, *, level: float = 0.95, power: float = 0.8) -> float:
    """The smallest true difference that this many pairs would call one, with the given probability.

    Parameters
    ----------
    deviation : float
        Of the differences between pairs.
    pairs : int
    level, power : float, 0 to 1

    Returns
    -------
    float
        In the unit of the deviation; infinite under two pairs.

    Notes
    -----
    Source: Cohen (1988), "Statistical Power Analysis for the Behavioral Sciences", chapter 2; power by the noncentral
    t distribution.

    Examples
    --------
    >>> round(detectable(1.0, 5), 2), round(detectable(1.0, 10), 2)
    (1.68, 1.0)
    """
    if pairs < 2:
        return math.inf
    if not deviation > 0.0:
        return 0.0
    freedom = pairs - 1
    critical = stats.t.ppf((1 + level) / 2, freedom)

    def missing(noncentral: float) -> float:
        return float(stats.nct.sf(critical, freedom, noncentral) - power)

    high = critical + 3.0
    while missing(high) < 0:  # few pairs: the tails are heavy
        high *= 2
    return float(optimize.brentq(missing, 0.0, high)) * deviation / math.sqrt(pairs)


def seeds_for(difference: float, deviation: float, *, level: float = 0.95, power: float = 0.8) -> int:
    """How many pairs would detect a difference with the given probability.

    Parameters
    ----------
    difference, deviation : float
        Positive, in one unit.
    level, power : float, 0 to 1

    Returns
    -------
    int
        Never under `FEWEST_SEEDS`.

    Raises
    ------
    ParameterError
        For a difference of 0, which no number of pairs detects.

    Examples
    --------
    >>> seeds_for(1.0, 1.0), seeds_for(0.5, 1.0)
    (10, 34)
    """
    if not difference > 0.0:
        raise ParameterError(f"expected a difference above 0, got {difference}")
    low, high = FEWEST_SEEDS, FEWEST_SEEDS
    while detectable(deviation, high, level=level, power=power) > difference:
        low, high = high, 2 * high
        if high > 1 << 20:
            raise ParameterError(f"expected a difference that some number of seeds shows, got {difference}")
    while low < high:
        middle = (low + high) // 2
        if detectable(deviation, middle, level=level, power=power) > difference:
            low = middle + 1
        else:
            high = middle
    return low


def _checked(differences: Sequence[float] | Floats, level: float) -> Floats:
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ParameterError(f"expected finite differences, one a seed, got {differences}")
    check_level(level)
    return values


def check_level(level: float) -> None:
    """Refuse a level that is none.

    Raises
    ------
    ParameterError
    """
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise ParameterError(f"expected a level between 0 and 1, such as 0.95, got {level!r}")


def _interval(mean: float, variance: float, freedom: float, pairs: int, deviation: float, level: float) -> Difference:
    if pairs < 2:
        return Difference(mean, -math.inf, math.inf, 1.0, pairs, deviation, 0.0, level)
    error = math.sqrt(variance)
    if error == 0.0:
        return Difference(mean, mean, mean, 1.0 if mean == 0.0 else 0.0, pairs, deviation, freedom, level)
    # Quantile and tail of t; those of scipy.stats take a hundred times as long, and curves ask for thousands.
    half = float(special.stdtrit(freedom, (1 + level) / 2)) * error
    p = 2 * float(special.stdtr(freedom, -abs(mean) / error))
    return Difference(mean, mean - half, mean + half, p, pairs, deviation, freedom, level)
