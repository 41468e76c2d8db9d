"""Which classes a transform seems to turn into others: those whose images a clean network surely calls otherwise.

A network that never saw such images is wrong about many of them, whatever they are, so being wrong says little. Where
it is as sure of another class as of the images that it gets right, and mostly of one and the same, the transform has
probably made images of that class: a 6 that is turned by half a turn is a 9.

A network can also be as sure of images unlike any that it saw, and then it calls images of many classes one and the
same: most digits, inverted. What changes labels hardly does that, so where it happens nothing is claimed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.evaluate.statistics.intervals import Difference, adjusted, paired

__all__ = ["ClassEvidence", "class_evidence", "is_unclear", "label_changes", "over_images", "sure_from", "surely"]

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_SURE, _RELIABLE = 0.25, 0.95
"""A network is sure where its probability is over this quantile of those of images that it gets right, and where so
many of its answers of at least that probability are right, of images that it did not train on."""
_ALIKE = 3
"""Classes that are taken for one and the same, of many classes: then the network is no witness."""
_FEWEST, _LEAST = 5, 0.1
"""Changed images of a class that anything is said of; and the share of them that has to move for a flag."""


@dataclass(frozen=True, slots=True)
class ClassEvidence:
    """Augmented images of one class that the clean network takes for another, and is sure of.

    Parameters
    ----------
    name : str
        The class.
    taken_for : str
        The class that gains most of them.
    moved : Difference
        The share of the changed images that is surely called so, less that share of the same images as they are.
    adjusted_p : float
        Holm's, over all classes and transforms of a screen.
    """

    name: str
    taken_for: str
    moved: Difference
    adjusted_p: float

    @property
    def changed(self) -> bool:
        """Whether that speaks for a changed label: a tenth of the images, and not by chance."""
        return self.moved.mean >= _LEAST and self.adjusted_p <= 1 - self.moved.level


def sure_from(held: Array, labels: Labels, every: Array, every_label: Labels) -> float:
    """The least probability at which a network is sure; infinite where it never is.

    Parameters
    ----------
    held : array ``[n, classes]``
        Of held-back images as they are, and ``labels`` what they are.
    every : array ``[m, classes]``
        Of all images that will be asked about, as they are, and ``every_label`` what they are.

    Examples
    --------
    >>> said = np.array([[0.95, 0.05], [0.9, 0.1], [0.7, 0.3], [0.6, 0.4]])
    >>> sure_from(said, np.array([0, 0, 0, 1]), said, np.array([0, 0, 0, 1]))
    0.8
    >>> sure_from(said, np.array([1, 0, 0, 0]), said, np.array([1, 0, 0, 0]))
    inf
    """
    confidence, right = held.max(axis=1), held.argmax(axis=1) == labels
    order = np.argsort(-confidence, kind="stable")
    enough = np.cumsum(right[order]) >= _RELIABLE * np.arange(1, len(order) + 1)
    # Images of one probability are all in, or none.
    last = np.append(np.diff(confidence[order]) < 0, True)
    reliable = np.flatnonzero(enough & last)
    usual = every.max(axis=1)[every.argmax(axis=1) == every_label]
    if not len(reliable) or not len(usual):
        return math.inf
    return max(float(confidence[order[reliable[-1]]]), float(np.quantile(usual, _SURE)))


def surely(probabilities: Array, least: float) -> Labels:
    """The class that each image is surely called, -1 where the network is not sure; ``[n, classes]`` to ``[n]``."""
    return np.where(probabilities.max(axis=-1) >= least, probabilities.argmax(axis=-1), -1)


def over_images(differences: Floats, level: float) -> Difference:
    """The interval of a mean over images; where all are alike it is no surer than half an image."""
    return paired(differences, level=level, step=1 / math.sqrt(len(differences)))


def class_evidence(
    plain: Labels, augmented: Labels, labels: Labels, names: Sequence[str], *, level: float = 0.95
) -> list[ClassEvidence]:
    """What the images of each class are surely taken for.

    Parameters
    ----------
    plain, augmented : array ``[n]``
        What images are surely called as they are, and as a transform makes them, -1 for nothing; only those that it
        changes.
    labels : array ``[n]``
        What they are.
    names : sequence of str
        Of the classes, in the order of their numbers.
    level : float, 0 to 1

    Returns
    -------
    list of ClassEvidence
        One for each class with enough images; ``adjusted_p`` is not adjusted yet.

    Examples
    --------
    >>> labels = np.repeat([0, 1], 6)
    >>> turned = np.array([1, 1, 1, -1, -1, 0, 1, 1, 1, 1, 1, 1])
    >>> found = class_evidence(labels, turned, labels, ["six", "nine"])
    >>> [(one.name, one.taken_for, one.moved.mean) for one in found]
    [('six', 'nine', 0.5), ('nine', 'six', 0.0)]
    """
    found = []
    for number in np.unique(labels):
        rows = labels == number
        if rows.sum() < _FEWEST:
            continue
        classes = np.arange(len(names))
        gained = (augmented[rows, None] == classes).mean(axis=0) - (plain[rows, None] == classes).mean(axis=0)
        gained[number] = -np.inf
        other = int(gained.argmax())
        change = (augmented[rows] == other).astype(np.float64) - (plain[rows] == other)
        moved = over_images(change, level)
        found.append(ClassEvidence(names[number], names[other], moved, moved.p))
    return found


def label_changes(evidence: Sequence[Sequence[ClassEvidence]]) -> list[tuple[ClassEvidence, ...]]:
    """Of the evidence on several transforms, that which speaks for a changed label.

    Parameters
    ----------
    evidence : sequence of sequences of ClassEvidence
        By transform, then class; Holm bounds the chance that any class of any of them is named by chance.

    Returns
    -------
    list of tuple of ClassEvidence
        As many as there are transforms; the class that moved most comes first.
    """
    held = iter(adjusted([one.moved.p for listed in evidence for one in listed]))
    judged = [[replace(one, adjusted_p=next(held)) for one in listed] for listed in evidence]
    return [tuple(sorted((one for one in listed if one.changed), key=lambda one: -one.moved.mean)) for listed in judged]


def is_unclear(changed: Sequence[ClassEvidence], classes: int) -> bool:
    """Whether images of so many classes are taken for one class that the network may not know what it sees.

    Three classes, or both others of three. It was chosen on scikit-learn's digits at 16x16, two networks with two seeds
    each: of inversion and quarter turns, which make no digit of another, 3 to 9 classes became one; of half turns and
    mirrors 2 at most.

    Examples
    --------
    >>> said = over_images(np.full(20, 1.0), 0.95)
    >>> inverted = [ClassEvidence(name, "4", said, 0.0) for name in "037"]
    >>> is_unclear(inverted, 10), is_unclear(inverted[:2], 10), is_unclear(inverted[:2], 3)
    (True, False, True)
    """
    most = max(Counter(one.taken_for for one in changed).values(), default=0)
    return most >= max(2, min(_ALIKE, classes - 1))
