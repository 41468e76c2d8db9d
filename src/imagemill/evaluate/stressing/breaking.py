"""Which classes a change breaks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from imagemill.evaluate.statistics.intervals import adjusted, paired
from imagemill.evaluate.statistics.scores import ACCURACY, DICE, Measure

__all__ = ["ClassBreak", "breaks_at", "dice_breaks_at"]

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassBreak:
    """What one class loses at one magnitude, beside the others.

    Parameters
    ----------
    name : str
    magnitude : float or None
        Where it was looked: the first magnitude on this side at which the mean score no longer holds, or the
        farthest one.
    right : int
        Images of the class that are right as they are; of label maps all images, or their groups.
    lost : float
        The share of these that the change makes wrong; the Dice of the class that they lose on average.
    others : float
        The same share over the images of all other classes; the mean Dice that all other classes lose.
    called : str
        What most of those it lost are called instead; empty where none is lost, and for label maps.
    adjusted_p : float
        Of losing as much as the others (Fisher's exact test; Student's t over images for Dice), adjusted by Holm over
        all classes and both sides.
    level : float
    measure : Measure
    """

    name: str
    magnitude: float | None
    right: int
    lost: float
    others: float
    called: str
    adjusted_p: float
    level: float
    measure: Measure = ACCURACY

    @property
    def sure(self) -> bool:
        """Whether it loses more than the others, and chance does not explain it."""
        return self.lost > self.others and self.adjusted_p <= 1 - self.level

    @property
    def sentence(self) -> str:
        """In words."""
        at = "" if self.magnitude is None else f" at {self.magnitude:.3g}"
        instead = f", most called {self.called}" if self.called else ""
        of = f" of {self.right}" if self.measure is ACCURACY else ""
        return (
            f"{self.name} loses {self.amount(self.lost)}{of}{at}, others {self.amount(self.others)} "
            f"(adjusted p {self.adjusted_p:.2g}){instead}"
        )

    def amount(self, lost: float) -> str:
        """What is lost in words: a share of images, or points of Dice."""
        return f"{lost * 100:.0f} {'%' if self.measure is ACCURACY else self.measure.unit}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "magnitude": self.magnitude,
            ("right" if self.measure is ACCURACY else "items"): self.right,
            "lost": self.lost,
            "others_lost": self.others,
            "called_instead": self.called,
            "adjusted_p": self.adjusted_p,
            "loses_more": self.sure,
        }


def breaks_at(
    sides: Sequence[tuple[float | None, Labels]],
    clean: Labels,
    labels: Labels,
    classes: Sequence[str],
    level: float,
) -> tuple[ClassBreak, ...]:
    """What each class loses at one magnitude of each side, the largest losses first.

    Parameters
    ----------
    sides : sequence of (magnitude, what each image is called there)
    clean : array ``[n]``
        What each image is called as it is.
    labels : array ``[n]``
    classes : sequence of str
    level : float

    Notes
    -----
    Source: Fisher (1935), "The Design of Experiments", for the exact test of a table of four; Holm (1979) for the
    adjustment.
    """
    rows: list[tuple[float, ClassBreak]] = []
    for magnitude, said in sides:
        right = clean == labels
        lost = right & (said != labels)
        for number, name in enumerate(classes):
            mine = labels == number
            had, gone = int((right & mine).sum()), int((lost & mine).sum())
            had_others, gone_others = int((right & ~mine).sum()), int((lost & ~mine).sum())
            if not had or not had_others:
                continue
            table = np.array([[gone, had - gone], [gone_others, had_others - gone_others]])
            p = float(stats.fisher_exact(table).pvalue)
            instead = np.bincount(said[lost & mine], minlength=len(classes))
            most = classes[int(instead.argmax())] if gone else ""
            others = gone_others / had_others
            rows.append((p, ClassBreak(name, magnitude, had, gone / had, others, most, 1.0, level)))
    return _held(rows, classes)


def dice_breaks_at(
    sides: Sequence[tuple[float | None, Floats]], clean: Floats, classes: Sequence[str], level: float
) -> tuple[ClassBreak, ...]:
    """What the Dice of each class loses at one magnitude of each side, beside the others, the largest losses first.

    A class's loss less the mean loss of the others is taken in each item: all classes are in every image.

    Parameters
    ----------
    sides : sequence of (magnitude, array ``[items, classes]``)
        The Dice of each item, an image or a group of them, and class.
    clean : array ``[items, classes]``
        The same of images as they are.
    classes : sequence of str
        Without the background.
    level : float

    Notes
    -----
    Source: Student (1908) for the test over items; Holm (1979) for the adjustment.

    Examples
    --------
    >>> clean = np.full((3, 2), 0.9)
    >>> worse = np.array([[0.5, 0.85], [0.6, 0.9], [0.55, 0.8]])
    >>> [one.sentence for one in dice_breaks_at([(20.0, worse)], clean, ["a", "b"], 0.95)][0]
    'a loses 35 points of Dice at 20, others 5 points of Dice (adjusted p 0.018)'
    """
    rows: list[tuple[float, ClassBreak]] = []
    for magnitude, table in sides if len(classes) > 1 else ():
        lost = clean - table
        rest = (lost.sum(axis=1, keepdims=True) - lost) / (len(classes) - 1)
        for number, name in enumerate(classes):
            mine, others = float(lost[:, number].mean()), float(rest[:, number].mean())
            found = paired(lost[:, number] - rest[:, number], level=level)
            rows.append((found.p, ClassBreak(name, magnitude, len(clean), mine, others, "", 1.0, level, DICE)))
    return _held(rows, classes)


def _held(rows: Sequence[tuple[float, ClassBreak]], classes: Sequence[str]) -> tuple[ClassBreak, ...]:
    """With p values adjusted by Holm over all of them, the largest losses first."""
    held = adjusted([min(p, 1.0) for p, _ in rows]) if rows else []
    found = [replace(one, adjusted_p=p) for (_, one), p in zip(rows, held, strict=True)]
    return tuple(sorted(found, key=lambda one: (-one.lost, classes.index(one.name))))
