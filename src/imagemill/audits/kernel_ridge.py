"""Scores of classes from features, by a model that never learnt from what it is asked about.

Ridge regression on the kernel of a Gaussian, through landmarks: the same matrices serve any number of labellings, so
that wrong labels can be planted and looked for at little cost.

Source: Saunders, Gammerman, Vovk (1998), "Ridge regression learning algorithm in dual variables", ICML; Williams,
Seeger (2001), "Using the Nystroem method to speed up kernel machines", NIPS, for the landmarks; Rifkin, Yeo, Poggio
(2003), "Regularized least-squares classification", for one target of 1 or -1 a class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

__all__ = ["OutOfFold", "out_of_fold", "scaled"]

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_AT_ONCE = 4096
_JITTER = 1e-4
"""Added to the diagonal of the landmarks' kernel, whose own is 1: copies among them would make it singular."""


def scaled(features: npt.NDArray[Any]) -> Floats:
    """Features ``[n, d]`` of mean 0 and like deviations, whose rows have a mean squared length of 1.

    Examples
    --------
    >>> found = scaled(np.array([[0.0, 5.0], [2.0, 5.0]]))
    >>> [[round(float(value), 6) for value in row] for row in found]
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    # A copy, which is then changed in place: of 60,000 images these are half a gigabyte.
    found = np.array(features, np.float32)
    found -= found.mean(axis=0, dtype=np.float64).astype(np.float32)
    deviation = np.sqrt(np.einsum("nd,nd->d", found, found) / max(len(found), 1))
    # What hardly varies is rounding for the most part.
    found /= np.maximum(deviation, 0.01 * float(deviation.mean()) + 1e-12)
    length = np.sqrt(float(np.einsum("nd,nd->", found, found)) / max(len(found), 1))
    found /= np.float32(length or 1.0)
    return np.asarray(found, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """What has to be known of images to score any labelling of them.

    Parameters
    ----------
    features : array ``[n, m + 1]`` float32
        Of the landmarks' kernel, and a 1.
    folds : array ``[n]``
    factors : mapping of int to matrix
        Of each fold, the Cholesky factor of what is learnt from the others.
    """

    features: Floats
    folds: Rows
    factors: dict[int, Any]

    def scores(self, labels: Rows, classes: int) -> Floats:
        """The score of each class ``[n, classes]``, about -1 to 1, each image by a model of the other folds."""
        targets = np.full((len(labels), classes), -1, np.float32)
        targets[np.arange(len(labels)), labels] = 1
        found = np.empty((len(labels), classes), np.float32)
        by_fold = {fold: self.features[self.folds == fold].T @ targets[self.folds == fold] for fold in self.factors}
        whole = sum(by_fold.values())
        for fold, factor in self.factors.items():
            weights = cho_solve(factor, whole - by_fold[fold], check_finite=False)
            found[self.folds == fold] = self.features[self.folds == fold] @ weights
        return found


def out_of_fold(
    features: Floats,
    folds: Rows,
    *,
    width: float,
    penalty: float,
    landmarks: int,
    seed: int,
    step: Callable[[], None] | None = None,
) -> OutOfFold:
    """Everything that does not depend on labels.

    Parameters
    ----------
    features : array ``[n, d]``
        As `scaled` gives them.
    folds : array ``[n]``
    width : float
        The kernel is ``exp(-width * squared distance)``; images are about ``sqrt(2)`` apart.
    penalty : float
        Of the squared weights.
    landmarks : int
        At most; images drawn at random.
    seed : int
    step : callable, optional
        Called once for each fold that is done.

    Examples
    --------
    >>> draws = np.random.default_rng(0)
    >>> labels = np.tile([0, 1], 40)
    >>> points = scaled(labels[:, None] * 4 + draws.normal(size=(80, 2)))
    >>> model = out_of_fold(points, np.arange(80) // 2 % 5, width=0.5, penalty=0.1, landmarks=40, seed=0)
    >>> bool((model.scores(labels, 2).argmax(axis=1) == labels).mean() > 0.95)
    True
    """
    draws = np.random.Generator(np.random.Philox(seed))
    few = np.sort(draws.permutation(len(features))[:landmarks])
    marks = features[few]
    own = _kernel(marks, marks, width).astype(np.float64)
    own[np.diag_indices(len(own))] += _JITTER
    root = cholesky(own, lower=True, overwrite_a=True, check_finite=False).astype(np.float32)
    mapped = np.ones((len(features), len(marks) + 1), np.float32)
    for at in range(0, len(features), _AT_ONCE):
        near = _kernel(features[at : at + _AT_ONCE], marks, width)
        mapped[at : at + _AT_ONCE, :-1] = solve_triangular(root, near.T, lower=True, check_finite=False).T
    grams = {}
    for fold in np.unique(folds).tolist():
        part = mapped[folds == fold]
        grams[fold] = part.T @ part
    whole = sum(grams.values())
    factors = {}
    for fold in list(grams):
        learnt = whole - grams.pop(fold)
        learnt[np.diag_indices(len(learnt))] += np.float32(penalty)
        factors[fold] = cho_factor(learnt, lower=True, overwrite_a=True, check_finite=False)
        if step is not None:
            step()
    return OutOfFold(mapped, folds, factors)


def _kernel(a: Floats, b: Floats, width: float) -> Floats:
    squared = a @ b.T
    squared *= -2
    squared += np.einsum("nd,nd->n", a, a)[:, None]
    squared += np.einsum("nd,nd->n", b, b)
    np.maximum(squared, 0, out=squared)
    squared *= np.float32(-width)
    return np.asarray(np.exp(squared, out=squared), np.float32)
