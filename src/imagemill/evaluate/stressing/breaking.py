"""Which classes a change breaks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from imagemill.evaluate.statistics.intervals import adjusted

__all__ = ["ClassBreak", "breaks_at"]

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassBreak:
    """What one class loses at one magnitude, beside the others.

    Parameters
    ----------
    name : str
    magnitude : float or None
        Where it was looked: the first magnitude on this side at which overall accuracy no longer holds, or the
        farthest one.
    right : int
        Images of the class that are right as they are.
    lost : float
        The share of these that the change makes wrong.
    others : float
        The same share over the images of all other classes.
    called : str
        What most of those it lost are called instead; empty where none is lost.
    adjusted_p : float
        Of losing as much as the others (Fisher's exact test), adjusted by Holm over all classes and both sides.
    level : float
    """

    name: str
    magnitude: float | None
    right: int
    lost: float
    others: float
    called: str
    adjusted_p: float
    level: float

    @property
    def sure(self) -> bool:
        """Whether it loses more than the others, and chance does not explain it."""
        return self.lost > self.others and self.adjusted_p <= 1 - self.level

    @property
    def sentence(self) -> str:
        """In words."""
        at = "" if self.magnitude is None else f" at {self.magnitude:.3g}"
        instead = f", most called {self.called}" if self.called else ""
        return (
            f"{self.name} loses {self.lost * 100:.0f} % of {self.right}{at}, others {self.others * 100:.0f} % "
            f"(adjusted p {self.adjusted_p:.2g}){instead}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "magnitude": self.magnitude,
            "right": self.right,
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
    held = adjusted([min(p, 1.0) for p, _ in rows]) if rows else []
    found = [
        ClassBreak(one.name, one.magnitude, one.right, one.lost, one.others, one.called, p, level)
        for (_, one), p in zip(rows, held, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.lost, classes.index(one.name))))
