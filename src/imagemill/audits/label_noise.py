"""How many labels are wrong, and which: a softmax with a rate of wrong labels in it, fitted to scores of classes.

A hard set and a set with wrong labels both have labels that a model disagrees with. They differ in how the disagreement
ends: where images are merely hard it fades as the model becomes surer, where labels are wrong it stays at their rate
however sure the model is. So the rate is a parameter beside the slope of the softmax, and likelihood tells them apart.

Source: Copas (1988), "Binary regression models for contaminated data", JRSS B 50; Bootkrajang, Kaban (2012),
"Label-noise robust logistic regression and its applications", ECML, for several classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

__all__ = ["NoiseFit", "fit_noise", "planted"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_MOST = 0.6
"""Rate above which nothing is looked for."""
_STARTS = ((4.0, 0.0, 0.002), (4.0, 0.0, 0.05))
"""Slope, prior and rate; with one start a fit may end at a slope that leaves all to the rate, or none."""
_NEAR = 2e-4


@dataclass(frozen=True, slots=True, eq=False)
class NoiseFit:
    """A fitted rate of wrong labels.

    Parameters
    ----------
    rate, low, high : float, 0 to 1
        The interval is that of the profile likelihood.
    slope, prior : float
        Of the softmax: what scores and logarithms of shares of classes are multiplied by.
    true : array ``[n, classes]`` float32
        Probabilities of the true class, wrong labels taken out of the fit.
    wrong : array ``[n]``
        Probability that the label of each image is wrong.
    """

    rate: float
    low: float
    high: float
    slope: float
    prior: float
    true: npt.NDArray[np.float32]
    wrong: Floats


def fit_noise(scores: npt.NDArray[Any], labels: Rows, *, level: float = 0.95) -> NoiseFit:
    """Fit the rate of wrong labels by maximum likelihood.

    Parameters
    ----------
    scores : array ``[n, classes]``
        Of a model that has not learnt from the image it scores.
    labels : array ``[n]`` of int from 0
        As given, wrong ones among them.
    level : float, 0 to 1
        Of the interval.

    Examples
    --------
    Classes that overlap, and one label in ten wrong:

    >>> draws = np.random.default_rng(0)
    >>> scores = draws.normal(0, 2, (4000, 3))
    >>> true = (scores + draws.gumbel(size=scores.shape)).argmax(axis=1)
    >>> wrong = draws.random(4000) < 0.1
    >>> found = fit_noise(scores, np.where(wrong, (true + draws.integers(1, 3, 4000)) % 3, true))
    >>> found.low < 0.1 < found.high, bool((true != scores.argmax(axis=1)).mean() > 0.2)
    (True, True)
    """
    model = _Model(scores, labels)
    least, (slope, prior, rate) = min((model.fitted(start) for start in _STARTS), key=lambda found: found[0])
    limit = least + float(stats.chi2.ppf(level, 1)) / 2

    def above(other: float) -> float:
        return model.fitted((slope, prior, other), fixed=True)[0] - limit

    low = 0.0 if rate == 0 or above(0.0) <= 0 else float(optimize.brentq(above, 0.0, rate, xtol=_NEAR))
    high = _MOST if above(_MOST) <= 0 else float(optimize.brentq(above, rate, _MOST, xtol=_NEAR))
    true = model.softmax(slope, prior)
    own = true[np.arange(len(labels)), labels].astype(np.float64)
    other = max(rate, 1e-4) * (1 - own) / (true.shape[1] - 1)
    wrong = other / ((1 - max(rate, 1e-4)) * own + other + 1e-300)
    return NoiseFit(rate, low, high, slope, prior, true, wrong)


class _Model:
    """The likelihood, with what is needed of the scores worked out once."""

    def __init__(self, scores: npt.NDArray[Any], labels: Rows) -> None:
        self.scores, self.labels = np.asarray(scores, np.float32), labels
        counts = np.bincount(labels, minlength=scores.shape[1])
        self.shares = np.log(np.maximum(counts, 0.5) / len(labels)).astype(np.float32)
        self.rows = np.arange(len(labels))

    def softmax(self, slope: float, prior: float) -> npt.NDArray[np.float32]:
        found = np.float32(slope) * self.scores
        found += np.float32(prior) * self.shares
        found -= found.max(axis=1, keepdims=True)
        np.exp(found, out=found)
        found /= found.sum(axis=1, keepdims=True)
        return found

    def fitted(
        self, start: tuple[float, float, float], *, fixed: bool = False
    ) -> tuple[float, tuple[float, float, float]]:
        """The least negative log likelihood, with the slope, prior and rate it is reached at.

        Parameters
        ----------
        start : tuple of float
            Slope, prior and rate.
        fixed : bool
            The rate stays as it is.
        """
        rates = (start[2], start[2]) if fixed else (0.0, _MOST)
        found = optimize.minimize(
            self.loss,
            np.array(start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None), (None, None), rates],
            options={"ftol": 1e-9, "gtol": 1e-6},
        )
        slope, prior, rate = (float(value) for value in found.x)
        return float(found.fun) * len(self.labels), (slope, prior, rate)

    def loss(self, parameters: Floats) -> tuple[float, Floats]:
        """Mean negative log likelihood of slope, prior and rate, and its derivatives."""
        slope, prior, rate = parameters
        q = self.softmax(slope, prior)
        own = q[self.rows, self.labels].astype(np.float64)
        others = q.shape[1] - 1
        told = np.maximum((1 - rate) * own + rate / others * (1 - own), 1e-30)
        # d own / d parameter = own * (its input less the mean of inputs under q)
        outer = (1 - rate - rate / others) * own / told
        by_slope = outer * (self.scores[self.rows, self.labels] - np.einsum("nk,nk->n", q, self.scores))
        by_prior = outer * (self.shares[self.labels] - q @ self.shares)
        by_rate = ((1 - own) / others - own) / told
        return -float(np.log(told).mean()), -np.array([by_slope.mean(), by_prior.mean(), by_rate.mean()])


def planted(labels: Rows, rate: float, draws: np.random.Generator, like: npt.NDArray[Any]) -> tuple[Rows, Rows]:
    """Labels of which a share is made wrong, and the rows of those.

    Parameters
    ----------
    labels : array ``[n]`` of int
    rate : float, 0 to 1
    draws : Generator
    like : array ``[classes, classes]``
        How likely each class (row) is called another (column); the diagonal is not looked at.

    Examples
    --------
    >>> made, rows = planted(np.zeros(10, int), 0.2, np.random.default_rng(0), np.ones((3, 3)))
    >>> len(rows), bool((made[rows] > 0).all()), int((made > 0).sum())
    (2, True, 2)
    """
    chances = np.asarray(like, np.float64) * (1 - np.eye(len(like)))
    chances /= chances.sum(axis=1, keepdims=True)
    rows = np.sort(draws.permutation(len(labels))[: round(rate * len(labels))])
    found = labels.copy()
    sums = chances.cumsum(axis=1)
    found[rows] = (draws.random(len(rows))[:, None] > sums[labels[rows]]).sum(axis=1)
    return found, rows
