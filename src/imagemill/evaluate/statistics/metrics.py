"""What a classifier got right: counts from its probabilities, never accuracy without precision and recall.

Everything is counted from one confusion matrix, so that no two figures of a report can disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.plain_values import plain

__all__ = ["Metrics", "calibration_error", "confusion", "metrics_of"]

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """Figures of one network on one set of images.

    Parameters
    ----------
    confusion : array ``[classes, classes]``
        Images by true class (row) and predicted class (column).
    calibration_error : float, 0 to 1
        See `calibration_error`.
    """

    confusion: Counts
    calibration_error: float

    @property
    def columns(self) -> dict[str, str]:
        """Heads of a table, and the names of the figures in `to_dict`."""
        figures = ("accuracy", "precision", "recall")
        return {**{name: name for name in figures}, "F1": "f1", "ECE": "calibration_error"}

    @property
    def score(self) -> float:
        """What arms are compared by: the accuracy."""
        return self.accuracy

    @property
    def accuracy(self) -> float:
        """Share of images that are right."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def precision(self) -> Floats:
        """By class: of the images called so, the share that are. 0 for a class that was never called."""
        return _shares(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> Floats:
        """By class: of the images that are, the share called so. NaN for a class without images."""
        images = self.confusion.sum(axis=1)
        return np.where(images > 0, _shares(self.confusion.diagonal(), images), np.nan)

    @property
    def f1(self) -> Floats:
        """By class: the harmonic mean of precision and recall. NaN for a class without images."""
        right = 2.0 * self.confusion.diagonal()
        found = _shares(right, self.confusion.sum(axis=0) + self.confusion.sum(axis=1))
        return np.where(self.confusion.sum(axis=1) > 0, found, np.nan)

    def to_dict(self) -> dict[str, object]:
        """Plain values; means over classes are macro means, over the classes that have images."""
        has = self.confusion.sum(axis=1) > 0
        return {
            "accuracy": self.accuracy,
            "precision": float(self.precision[has].mean()),
            "recall": float(self.recall[has].mean()),
            "f1": float(self.f1[has].mean()),
            "calibration_error": self.calibration_error,
            "per_class": {name: [plain(v) for v in getattr(self, name)] for name in ("precision", "recall", "f1")},
            "confusion": self.confusion.tolist(),
        }


def metrics_of(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> Metrics:
    """Figures of one network's answers.

    Parameters
    ----------
    probabilities : array ``[n, classes]``
        Rows that sum to 1.
    labels : array ``[n]``
        True classes, from 0.

    Returns
    -------
    Metrics

    Raises
    ------
    InputError
        When the two do not fit, or there is nothing to count.

    Examples
    --------
    >>> found = metrics_of([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]], [0, 1, 0])
    >>> round(found.accuracy, 3), found.precision.tolist(), found.recall.tolist()
    (0.667, [1.0, 0.5], [0.5, 1.0])
    """
    rows, truth = np.asarray(probabilities, np.float64), np.asarray(labels, np.int64)
    if rows.ndim != 2 or truth.shape != rows.shape[:1] or not len(truth):
        raise InputError(f"expected probabilities [n, classes] and n labels, got {rows.shape} and {truth.shape}")
    if truth.min() < 0 or truth.max() >= rows.shape[1]:
        raise InputError(f"expected labels from 0 to {rows.shape[1] - 1}, got {truth.min()} to {truth.max()}")
    called = rows.argmax(axis=1)
    return Metrics(confusion(called, truth, rows.shape[1]), calibration_error(rows, truth))


def confusion(called: npt.NDArray[np.integer], labels: npt.NDArray[np.integer], classes: int) -> Counts:
    """Count images by true class (row) and predicted class (column).

    Examples
    --------
    >>> confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    places = labels.astype(np.int64) * classes + called
    return np.bincount(places, minlength=classes * classes).reshape(classes, classes)


def calibration_error(probabilities: Floats, labels: npt.NDArray[np.integer], bins: int = 15) -> float:
    """How far confidence is from being right, on average: the expected calibration error (ECE).

    Images are put into bins of equal width by the probability of the class that was called; the error is the mean
    distance between a bin's mean probability and its share of right answers, weighted by images.

    Notes
    -----
    Source: Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", ICML; 15 bins as there.

    Examples
    --------
    >>> sure = np.array([[0.8, 0.2]] * 5)
    >>> round(calibration_error(sure, np.array([0, 0, 0, 0, 1])), 3)  # right as often as it says
    0.0
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    # A bin holds its upper end, as in the paper.
    places = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(places, weights=confidence - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def _shares(part: npt.NDArray[np.number], whole: npt.NDArray[np.integer]) -> Floats:
    out: Floats = np.zeros(len(whole))
    np.divide(part, whole, out=out, where=whole > 0)
    return out
