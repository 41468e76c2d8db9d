"""Whether two populations differ in one number, when they may also hold their classes in other shares.

Ones are thinner than zeros: a wild set with more ones has thinner strokes without any change of the images. With labels
the training images are weighted to the shares that the classes have in the wild set, and chance is found by exchanging
images within classes. Without labels a difference counts only when no shares of the classes could make it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

__all__ = ["Tested", "any_balance", "same_balance", "shift_of_means", "weighted_quantiles"]

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

_EXCEEDED = 20
"""Exchanges that differ as much as what was seen, after which more of them say nothing new."""
_BLOCK = 100
_POINTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """How far two samples are apart, and whether chance does that.

    Parameters
    ----------
    distance : float, 0 to 1
        The largest difference of the two distribution functions (Kolmogorov and Smirnov).
    p : float
    weights : array ``[training images]``
        Of the training images, summing to 1: what their classes are weighted to.
    """

    distance: float
    p: float
    weights: Floats


def same_balance(
    train: Floats, wild: Floats, train_labels: Labels, wild_labels: Labels, *, draws: int = 1999, seed: int = 0
) -> Tested:
    """Compare two samples at the class shares of the second, by exchanging images within classes.

    Parameters
    ----------
    train, wild : array ``[n]``, ``[m]``
    train_labels, wild_labels : array ``[n]``, ``[m]``
        Every class of the second is one of the first.
    draws : int
        Exchanges at most; fewer where chance is plain.
    seed : int

    Returns
    -------
    Tested

    Notes
    -----
    Source: Besag and Clifford (1991), "Sequential Monte Carlo p-values", Biometrika 78(2), for ending early. The
    exchange is exact whatever the distributions and ties.

    Examples
    --------
    >>> values = np.random.default_rng(1).normal(size=300)
    >>> labels = np.zeros(150, np.int64)
    >>> bool(same_balance(values[:150], values[150:], labels, labels).p > 0.05)
    True
    >>> same_balance(values[:150], values[150:] + 1, labels, labels).p
    0.0005
    """
    strata = []
    values, labels = np.concatenate([train, wild]), np.concatenate([train_labels, wild_labels])
    is_wild = np.arange(len(values)) >= len(train)
    order = np.argsort(values, kind="stable")
    last_of_ties = np.append(np.diff(values[order]) > 0, True)
    mine, theirs = np.zeros(len(values)), 1 / len(wild)  # what one image weighs
    for label in np.unique(wild_labels):
        members = np.flatnonzero(labels[order] == label)
        here = int((wild_labels == label).sum())
        mine[members] = here / len(wild) / (len(members) - here)
        strata.append((members, here))
    seen = is_wild[order]

    def distances(wild_at: npt.NDArray[np.bool_]) -> Floats:
        steps = np.where(wild_at, theirs, -mine)
        apart: Floats = np.abs(np.cumsum(steps, axis=-1)[..., last_of_ties]).max(axis=-1)
        return apart

    distance = float(distances(seen))
    generator = np.random.Generator(np.random.Philox(seed))
    exceeded, done = 0, 0
    while done < draws and exceeded < _EXCEEDED:
        count = min(_BLOCK, draws - done)
        wild_at = np.zeros((count, len(values)), bool)
        for members, here in strata:
            places = np.argsort(generator.random((count, len(members)), np.float32), axis=1)[:, :here]
            np.put_along_axis(wild_at, members[places], values=True, axis=1)
        # Sums in another order round otherwise.
        exceeded += int((distances(wild_at) >= distance - 1e-9).sum())
        done += count
    weights = np.zeros(len(values))
    weights[order] = np.where(seen, 0.0, mine)
    return Tested(distance, (exceeded + 1) / (done + 1), weights[: len(train)])


def any_balance(train: Floats, wild: Floats, train_labels: Labels) -> Tested:
    """Compare two samples at those class shares of the first that bring them nearest.

    A small distance may then still be one of imaging; a large one cannot be one of class shares. The p value bounds
    that of the null hypothesis "the training images, in whatever shares".

    Parameters
    ----------
    train, wild : array ``[n]``, ``[m]``
    train_labels : array ``[n]``

    Returns
    -------
    Tested

    Notes
    -----
    The nearest shares are the solution of a linear program: minimize the largest distance of two distribution
    functions, one of which is a mixture. Source of the p value: Kolmogorov's distribution for two samples, the first
    counted by its effective size (Kish 1965, "Survey Sampling").

    Examples
    --------
    >>> train, labels = np.repeat([0.0, 1.0, 2.0, 3.0], 50), np.repeat([0, 0, 1, 1], 50)
    >>> more_of_class_1 = np.repeat([0.0, 1.0, 2.0, 3.0], [5, 5, 45, 45])
    >>> found = any_balance(train, more_of_class_1, labels)
    >>> round(found.distance, 6), found.p > 0.99
    (0.0, True)
    """
    classes, number = np.unique(train_labels, return_inverse=True)
    pooled = np.unique(np.concatenate([train, wild]))
    points = pooled if len(pooled) <= _POINTS else np.quantile(pooled, np.linspace(0, 1, _POINTS), method="nearest")
    by_class = np.stack([_distribution(train[number == c], points) for c in range(len(classes))], axis=1)
    of_wild = _distribution(wild, points)
    # Unknowns: the share of each class, and the distance.
    ones = np.ones((len(points), 1))
    rows = np.block([[by_class, -ones], [-by_class, -ones]])
    solved = optimize.linprog(
        np.append(np.zeros(len(classes)), 1.0), A_ub=rows, b_ub=np.concatenate([of_wild, -of_wild]),
        A_eq=np.append(np.ones(len(classes)), 0.0)[None], b_eq=[1.0], bounds=(0, None),
    )  # fmt: skip
    if solved.x is None:  # no shares are always a solution
        raise RuntimeError(f"expected a nearest class balance, got: {solved.message}")
    shares = np.maximum(solved.x[:-1], 0)
    weights = (shares / shares.sum() / np.bincount(number))[number]
    effective = 1 / float((weights**2).sum())
    distance = float(solved.x[-1])
    both = effective * len(wild) / (effective + len(wild))
    return Tested(distance, float(stats.kstwo.sf(distance, max(1, round(both)))), weights)


def shift_of_means(
    train: Floats, wild: Floats, weights: Floats, train_labels: Labels, wild_labels: Labels | None, level: float
) -> tuple[float, float, float]:
    """The mean of the second sample less the weighted mean of the first, with Welch's interval within classes.

    Parameters
    ----------
    train, wild : array ``[n]``, ``[m]``
    weights : array ``[n]``
        Alike within a class.
    train_labels : array ``[n]``
    wild_labels : array ``[m]`` or None
    level : float, 0 to 1

    Returns
    -------
    mean, low, high : float

    Notes
    -----
    Source: Welch (1947), "The generalization of Student's problem when several different population variances are
    involved", Biometrika 34; with the fewer degrees of freedom of the two.

    Examples
    --------
    >>> none = np.zeros(3, np.int64)
    >>> mean, low, high = shift_of_means(
    ...     np.array([0.0, 1, 2]), np.array([4.0, 5, 6]), np.full(3, 1 / 3), none, none, 0.95
    ... )
    >>> f"{mean:.2f} [{low:.2f}, {high:.2f}]"
    '4.00 [0.49, 7.51]'
    """
    variance = _variance(train, train_labels, weights)
    variance += _variance(wild, wild_labels, np.full(len(wild), 1 / len(wild)))
    mean = float(wild.mean() - (train * weights).sum())
    half = float(stats.t.ppf((1 + level) / 2, min(len(train), len(wild)) - 1)) * variance**0.5
    return mean, mean - half, mean + half


def weighted_quantiles(values: Floats, weights: Floats, at: Floats) -> Floats:
    """Quantiles of a weighted sample, linear between its values.

    Examples
    --------
    >>> weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]), np.array([0.5]))
    array([2.])
    """
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - weights[order] / 2
    found: Floats = np.interp(at, middle / weights.sum(), values[order])
    return found


def _distribution(values: Floats, points: Floats) -> Floats:
    return np.searchsorted(np.sort(values), points, side="right") / len(values)


def _variance(values: Floats, labels: Labels | None, weights: Floats) -> float:
    """Of a weighted mean whose classes are held fixed."""
    total, overall = 0.0, float(values.var(ddof=1))
    for label in (None,) if labels is None else np.unique(labels):
        members = np.full(len(values), fill_value=True) if label is None else labels == label
        spread = float(values[members].var(ddof=1)) if members.sum() > 1 else overall
        total += spread * float((weights[members] ** 2).sum())
    return total
