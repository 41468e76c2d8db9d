"""From class names to the numbers a network learns, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from imagemill.core.errors import InputError, SourceError
from imagemill.data.natural_sort import natural
from imagemill.data.records.record import Record

__all__ = ["LabelPlan", "Unlabeled", "plan_labels", "smallest"]

Unlabeled = Literal["raise", "null"]
_LEVEL = re.compile(r"level:([1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """How labels are written.

    Parameters
    ----------
    form : {"none", "index", "one-hot", "multi"}
        No labels at all; a number; or a row of 0 and 1 with one place per class.
    classes : tuple of str
        Names in the order of their numbers.
    level : int or None
        How many levels of a hierarchy the classes keep.
    """

    form: str
    classes: tuple[str, ...]
    level: int | None = None

    @property
    def dtype(self) -> str:
        """The smallest unsigned type that holds the numbers."""
        return "uint8" if self.form in ("one-hot", "multi") else smallest(len(self.classes))

    def names(self, record: Record) -> tuple[str, ...]:
        """The classes of a record; none where it has no label."""
        if self.form == "multi":
            given = record.labels if record.labels is not None else (record.label,)
            return tuple(dict.fromkeys(name for name in given if name is not None))
        if record.label is None:
            return ()
        return (record.label if self.level is None else "/".join(record.label.split("/")[: self.level]),)

    def value(self, record: Record) -> int | list[int] | None:
        """What is written for a record; None where nobody labelled it.

        Examples
        --------
        >>> from pathlib import Path
        >>> LabelPlan("index", ("cat", "dog")).value(Record("1.jpg", Path("1.jpg"), label="dog"))
        1
        """
        names = self.names(record)
        if self.form == "none" or (not names and not (self.form == "multi" and record.labels is not None)):
            return None
        numbers = [self.classes.index(name) for name in names] if len(names) < 3 else self._numbers(names)
        if self.form == "index":
            return numbers[0]
        row = [0] * len(self.classes)
        for number in numbers:
            row[number] = 1
        return row

    def _numbers(self, names: tuple[str, ...]) -> list[int]:
        places = {name: number for number, name in enumerate(self.classes)}
        return [places[name] for name in names]


def smallest(count: int) -> str:
    """The smallest unsigned type for numbers from 0 to below a count.

    Examples
    --------
    >>> smallest(256), smallest(257)
    ('uint8', 'uint16')
    """
    return next(name for name in ("uint8", "uint16", "uint32", "uint64") if count <= np.iinfo(name).max + 1)


def plan_labels(records: Sequence[Record], classes: tuple[str, ...], asked: str | None, unlabeled: str) -> LabelPlan:
    """Decide the classes and how labels are written.

    Parameters
    ----------
    records : sequence of Record
    classes : tuple of str
        The source's own order; names it does not list are an error. Empty: natural order of the names.
    asked : str or None
        ``"index"``, ``"one-hot"``, ``"multi"``, or ``"level:N"``, the first N levels of a hierarchy as index
        (1 is the most general). None: ``"multi"`` where the source has several labels per image, else ``"index"``.
    unlabeled : {"raise", "null"}
        What to do when some records have a label and others have none.

    Raises
    ------
    InputError
        For an unknown word.
    SourceError
        For records without a label, or with fewer levels than asked.

    Examples
    --------
    >>> from pathlib import Path
    >>> plan_labels([Record(f"{n}.png", Path(n), label=n) for n in ("b10", "b9")], (), None, "raise").classes
    ('b9', 'b10')
    """
    several = any(record.labels is not None for record in records)
    form = asked or ("multi" if several else "index")
    level = _LEVEL.fullmatch(form)
    if level is None and form not in ("index", "one-hot", "multi"):
        do = "choose one of these"
        if re.fullmatch(r"level:\s*-?[0-9]*", form):
            do = "levels count from 1, the most general: write level:1"
        raise InputError(f"expected labels as index, one-hot, multi or level:N, got {asked!r}; {do}")
    if unlabeled not in ("raise", "null"):
        raise InputError(f"expected unlabeled as raise or null, got {unlabeled!r}; choose one of these")
    if several and form != "multi":
        raise InputError(f"expected labels='multi' for images with several labels, got {form!r}; write multi")
    plan = LabelPlan("index" if level else form, (), int(level[1]) if level else None)
    found = {name for record in records for name in plan.names(record)}
    if not found and not (several and classes):
        return LabelPlan("none", ())
    bare = [r.key for r in records if not plan.names(r) and not (form == "multi" and r.labels is not None)]
    if bare and unlabeled == "raise":
        msg = f"expected a label for every image, got none for {len(bare)}: {_some(bare)}"
        raise SourceError(f"{msg}; label them, or pass unlabeled='null' (--unlabeled null)")
    if plan.level is not None:
        _check_depth(records, plan.level)
        classes = tuple(dict.fromkeys("/".join(name.split("/")[: plan.level]) for name in classes))
    unknown = sorted(found - set(classes)) if classes else []
    if unknown:
        msg = f"expected labels among the source's {len(classes)} classes, got {_some(unknown)}"
        raise SourceError(f"{msg}; mend the labels or the list of classes")
    return LabelPlan(plan.form, classes or tuple(sorted(found, key=natural)), plan.level)


def _check_depth(records: Sequence[Record], level: int) -> None:
    shallow = [r.key for r in records if r.label is not None and r.label.count("/") + 1 < level]
    if shallow:
        msg = f"expected labels of at least {level} levels, got fewer for {len(shallow)}: {_some(shallow)}"
        raise SourceError(f"{msg}; choose a lower level")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
