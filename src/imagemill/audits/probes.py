"""Can one thing be told from another: cross-validated, against the right chance level, with an interval.

A probe is as simple as it can be, so that it finds what any network would find.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = [
    "Told",
    "folds_of",
    "out_of_fold",
    "probabilities_by_bins",
    "told_by_bins",
    "told_by_features",
    "told_of",
]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Told:
    """How well something is told, on samples that the probe did not learn from.

    Parameters
    ----------
    accuracy, chance : float, 0 to 1
        Chance is the share of the commonest class in the same samples.
    low, high : float, 0 to 1
        Exact interval of the accuracy (Clopper and Pearson 1934).
    p : float
        One-sided, that chance alone is as good (exact binomial test).
    samples : int
    right : array ``[n]`` of bool
        Which samples were told.
    """

    accuracy: float
    chance: float
    low: float
    high: float
    p: float
    samples: int
    right: npt.NDArray[np.bool_]

    @property
    def skill(self) -> float:
        """Share of the way from chance to certainty, at most 1; 0 at chance."""
        return self._share(self.accuracy)

    @property
    def least_skill(self) -> float:
        """The same at the lower end of the interval."""
        return self._share(self.low)

    def _share(self, accuracy: float) -> float:
        return (accuracy - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0


def folds_of(labels: Rows, count: int, groups: Rows | None = None, *, seed: int = 0) -> Rows:
    """The fold of each sample: every class spread evenly, and groups (copies, patients) never parted.

    Parameters
    ----------
    labels : array ``[n]``
    count : int
    groups : array ``[n]``, optional
        Numbers that are alike for what has to stay together.
    seed : int

    Examples
    --------
    >>> np.bincount(folds_of(np.repeat([0, 1], 10), 5)).tolist()
    [4, 4, 4, 4, 4]
    """
    draws = np.random.Generator(np.random.Philox(seed))
    groups = np.arange(len(labels)) if groups is None else groups
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    of_group = np.empty(len(first), np.int64)
    for label in np.unique(labels[first]):
        members = draws.permutation(np.flatnonzero(labels[first] == label))
        of_group[members] = (np.arange(len(members)) + draws.integers(count)) % count
    return of_group[inverse]


def told_by_bins(values: npt.NDArray[Any], labels: Rows, folds: Rows, *, level: float = 0.95) -> Told:
    """Tell classes from one property: the commonest class of each value, or of each of ten bins of equal count.

    Parameters
    ----------
    values : array ``[n]``
        Numbers, or texts; NaN and empty texts are a bin of their own.
    labels : array ``[n]`` of int from 0
    folds : array ``[n]``
    level : float

    Returns
    -------
    Told

    Examples
    --------
    >>> labels = np.tile([0, 1], 50)
    >>> found = told_by_bins(labels * 10.0 + 3, labels, folds_of(labels, 5))
    >>> found.accuracy, found.chance
    (1.0, 0.5)
    """
    return told_of(probabilities_by_bins(values, labels, folds), labels, folds, level=level)


def probabilities_by_bins(values: npt.NDArray[Any], labels: Rows, folds: Rows) -> Floats:
    """Probabilities of each class ``[n, classes]`` by one property: shares in the same bin of the other folds."""
    bins = _binned(np.asarray(values))
    classes = int(labels.max()) + 1
    found = np.zeros((len(labels), classes))
    for fold in np.unique(folds):
        learn, ask = folds != fold, folds == fold
        table = np.zeros((int(bins.max()) + 1, classes))
        np.add.at(table, (bins[learn], labels[learn]), 1)
        # A value that was never seen is told by the commonest class of all.
        table += 1e-3 * table.sum(axis=0) / max(table.sum(), 1)
        found[ask] = (table / np.maximum(table.sum(axis=1, keepdims=True), 1e-12))[bins[ask]]
    return found


def _binned(values: npt.NDArray[Any], count: int = 10) -> Rows:
    if values.dtype.kind not in "fiu":
        return np.unique(values.astype(str), return_inverse=True)[1].astype(np.int64)
    numbers = values.astype(np.float64)
    known = np.isfinite(numbers)
    different = np.unique(numbers[known])
    bins = np.zeros(len(numbers), np.int64)
    if len(different) <= 2 * count:
        bins[known] = 1 + np.searchsorted(different, numbers[known])
    else:
        edges = np.unique(np.quantile(numbers[known], np.arange(1, count) / count))
        bins[known] = 1 + np.searchsorted(edges, numbers[known], side="right")
    return bins


def told_by_features(features: Floats, labels: Rows, folds: Rows, *, level: float = 0.95, shrink: float = 0.1) -> Told:
    """Tell classes from features, by a linear discriminant whose covariance is shrunk.

    Parameters
    ----------
    features : array ``[n, d]``
    labels : array ``[n]`` of int from 0
    folds : array ``[n]``
    level, shrink : float, 0 to 1

    Notes
    -----
    Source: Friedman (1989), "Regularized discriminant analysis", JASA 84.
    """
    return told_of(out_of_fold(features, labels, folds, shrink=shrink), labels, folds, level=level)


def told_of(
    probabilities: Floats, labels: Rows, folds: Rows, *, number: int | None = None, level: float = 0.95
) -> Told:
    """How well the likeliest class is the right one, or, of one class, whether it is that one.

    Parameters
    ----------
    probabilities : array ``[n, classes]``
        Each row learnt on other folds than its own.
    labels : array ``[n]`` of int from 0
    folds : array ``[n]``
    number : int, optional
        Of the class that is to be told from all others; "it is" from a probability of a half on.
    level : float

    Examples
    --------
    >>> labels = np.tile([0, 1, 2], 20)
    >>> one = told_of(np.eye(3)[np.where(labels == 2, 2, 0)], labels, folds_of(labels, 5), number=2)
    >>> one.accuracy, round(one.chance, 2)
    (1.0, 0.67)
    """
    if number is None:
        return _told(probabilities.argmax(axis=1) == labels, labels, folds, level)
    of_class = labels == number
    return _told((probabilities[:, number] > 0.5) == of_class, of_class.astype(np.int64), folds, level)


def out_of_fold(features: Floats, labels: Rows, folds: Rows, *, shrink: float = 0.1) -> Floats:
    """Probabilities of each class ``[n, classes]`` by a discriminant that was learnt on the other folds."""
    classes = int(labels.max()) + 1
    found = np.zeros((len(labels), classes))
    for fold in np.unique(folds):
        learn, ask = folds != fold, folds == fold
        found[ask] = _discriminant(features[learn], labels[learn], features[ask], classes, shrink)
    return found


def _discriminant(x: Floats, y: Rows, asked: Floats, classes: int, shrink: float) -> Floats:
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    x, asked = (x - centre) / scale, (asked - centre) / scale
    counts = np.bincount(y, minlength=classes)
    means = np.zeros((classes, x.shape[1]))
    np.add.at(means, y, x)
    means /= np.maximum(counts, 1)[:, None]
    within = x - means[y]
    covariance = within.T @ within / max(len(x) - classes, 1)
    covariance = (1 - shrink) * covariance + shrink * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    weights = np.linalg.solve(covariance + 1e-9 * np.eye(len(covariance)), means.T)
    prior = np.log(np.maximum(counts, 1e-9) / len(y))
    scores = asked @ weights - 0.5 * (means.T * weights).sum(axis=0) + prior
    scores -= scores.max(axis=1, keepdims=True)
    odds = np.exp(scores)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _told(right: npt.NDArray[np.bool_], labels: Rows, folds: Rows, level: float) -> Told:
    """Counts of right answers against those of the commonest class of the other folds."""
    guessed = np.zeros(len(labels), bool)
    for fold in np.unique(folds):
        guessed[folds == fold] = labels[folds == fold] == np.bincount(labels[folds != fold]).argmax()
    chance, count = float(guessed.mean()), int(right.sum())
    interval = stats.binomtest(count, len(right)).proportion_ci(level)
    p = float(stats.binom.sf(count - 1, len(right), min(max(chance, 1e-9), 1.0)))
    return Told(count / len(right), chance, float(interval.low), float(interval.high), p, len(right), right)
