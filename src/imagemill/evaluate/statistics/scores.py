"""One score for every item that a network was asked about, so that all tasks are compared by the same mechanism.

Classifiers are right or wrong about an image; label maps have a Dice. What stands above (intervals, verdicts, what
could be detected) knows only the table of scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.evaluate.statistics.metrics import Metrics, metrics_of
from imagemill.evaluate.statistics.overlap import Overlap, overlap_of

__all__ = ["ACCURACY", "DICE", "Measure", "Scores", "clustered", "scores_of"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a score is called.

    Parameters
    ----------
    name, of_class : str
        The mean over all items, and over those of one class.
    unit : str
        A hundredth of it in a sentence.
    said : str
        What comes behind its figure in a sentence, such as ``"0.91 right"``.
    """

    name: str
    of_class: str
    unit: str
    said: str

    def __reduce__(self) -> Any:  # what comes from another process is the same object, which is asked for by `is`
        return measure_named, (self.name,)

    @property
    def keys(self) -> tuple[str, str]:
        """What both are called among plain values, where they stand side by side."""
        whole, of_class = self.name.lower(), self.of_class.lower()
        return whole, of_class if of_class != whole else f"{whole}_by_class"


ACCURACY = Measure("accuracy", "recall", "points", "right")
DICE = Measure("Dice", "Dice", "points of Dice", "Dice")


def measure_named(name: str) -> Measure:
    """The one of a name."""
    return {one.name: one for one in (ACCURACY, DICE)}[name]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What one network got on one population.

    Parameters
    ----------
    measure : Measure
    metrics : Metrics or Overlap
        All figures.
    items : array ``[n]``, 0 to 1
        The score of each item.
    classes : mapping of int to array
        By class number: the scores of the items that the class is asked of.
    step : float
        The smallest step that the mean over ``items`` can make; 0 where it is continuous.
    """

    measure: Measure
    metrics: Metrics | Overlap
    items: Floats
    classes: dict[int, Floats]
    step: float


def scores_of(answers: Array, truth: Array, classes: int, spacing: Array | None = None) -> Scores:
    """The score of every item.

    Parameters
    ----------
    answers : array ``[n, classes]`` or ``[n, (z,) y, x]``
        Probabilities, or label maps.
    truth : array ``[n]`` or ``[n, (z,) y, x]``
        True classes, or label maps.
    classes : int
        With the background, for label maps.
    spacing : array ``[n, d]``, optional
        Of label maps, in millimetres.

    Returns
    -------
    Scores

    Raises
    ------
    InputError
        When answers and truth do not fit.

    Examples
    --------
    >>> found = scores_of(np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]), np.array([0, 1, 0]), 2)
    >>> found.measure.name, found.items.tolist(), found.classes[0].tolist()
    ('accuracy', [1.0, 1.0, 0.0], [1.0, 0.0])
    """
    truth = np.asarray(truth)
    if truth.ndim > 1:
        overlap = overlap_of(answers, truth, classes, spacing)
        by_class = {number: overlap.dice[:, number - 1] for number in range(1, classes)}
        return Scores(DICE, overlap, overlap.items, by_class, 0.0)
    right = (np.asarray(answers).argmax(axis=1) == truth).astype(np.float64)
    has = {number: right[truth == number] for number in range(classes) if (truth == number).any()}
    return Scores(ACCURACY, metrics_of(answers, truth), right, has, 1 / len(truth))


def clustered(table: Floats, groups: Array | None) -> Floats:
    """Scores of items as scores of the groups they belong to: items of one patient are not independent.

    A group's score is the sum over its items, by the number of items that a group has on average, so that the mean over
    groups is the mean over items.

    Parameters
    ----------
    table : array ``[seeds, items]``
    groups : array ``[items]``, optional
        What each item belongs to; without it, and where each is its own, the table is given back.

    Returns
    -------
    array ``[seeds, groups]``

    Examples
    --------
    >>> clustered(np.array([[1.0, 1.0, 0.0, 1.0]]), np.array(["ann", "ann", "ann", "bob"]))
    array([[1. , 0.5]])
    """
    if groups is None:
        return table
    names, which = np.unique(groups, return_inverse=True)
    if len(names) == table.shape[1]:
        return table
    sums = np.stack([np.bincount(which, weights=row, minlength=len(names)) for row in table])
    found: Floats = sums * len(names) / table.shape[1]
    return found
