"""Rows of one image become one record: its annotations, its labels, its texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imagemill.data.layouts.base import Problem
from imagemill.data.layouts.tables.rows.row_masks import united
from imagemill.data.records.instances import Instance, Scalar
from imagemill.data.records.record import Record

__all__ = ["Row", "gathered"]

_CONTRADICTION = 0.1
"""Where fewer images than this have rows of different classes, they are mistakes and not sets of labels."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one row of a table says.

    Parameters
    ----------
    name : str
        What errors call it.
    record : Record
        With its annotations, and its label where that is a text.
    label : object
        As the table has it: text, a number, or None.
    annotations : tuple of Instance or None
        What it says of annotations in the image; empty where it says that there are none.
    same : str or None
        What tells whether another row means the same image; None where no other can.
    """

    name: str
    record: Record
    label: Any = None
    annotations: tuple[Instance, ...] | None = None
    same: str | None = None


def gathered(rows: Iterable[Row], *, several: bool) -> tuple[list[Row], list[Problem], list[str]]:
    """Bring the rows of each image together, in the order of the first ones.

    Parameters
    ----------
    rows : iterable of Row
    several : bool
        Whether rows of different classes are known to be several labels of one image.

    Returns
    -------
    tuple
        One row for each image; what contradicts itself; notes.
    """
    groups: dict[Any, list[Row]] = defaultdict(list)
    count = 0
    for count, row in enumerate(rows, 1):
        groups[row.same if row.same is not None else count].append(row)
    if len(groups) == count:
        return [group[0] for group in groups.values()], [], []
    annotations = any(row.annotations is not None for group in groups.values() for row in group)
    if annotations:
        varying = _varying(groups.values())
        merged = [_with_annotations(group, varying) for group in groups.values()]
        problems = [problem for group in groups.values() for problem in _parted(group)]
        return merged, problems, [f"{_said(count, len(groups))}: the rows of an image are the annotations in it"]
    return _without_annotations(list(groups.values()), count, several=several)


def _said(rows: int, images: int) -> str:
    return f"{rows:,} rows name {images:,} image{'' if images == 1 else 's'}"


def _varying(groups: Iterable[Sequence[Row]]) -> set[str]:
    """Attributes that differ between rows of one image: they are those of its annotations."""
    found: set[str] = set()
    for group in groups:
        if len(group) > 1:
            names = {name for row in group for name in row.record.attributes} - found
            found |= {name for name in names if len({row.record.attributes.get(name) for row in group}) > 1}
    return found


def _with_annotations(group: Sequence[Row], varying: set[str]) -> Row:
    first = group[0]
    annotations: list[Instance] = []
    for row in group:
        more = {name: value for name, value in row.record.attributes.items() if name in varying}
        annotations += [
            replace(annotation, attributes={**more, **annotation.attributes}) for annotation in row.annotations or ()
        ]
    kept = {name: value for name, value in first.record.attributes.items() if name not in varying}
    label = next((row.label for row in group if row.label is not None), None)
    looked = any(row.annotations is not None for row in group)
    objects = tuple(annotations) if looked else None
    record = replace(first.record, attributes=kept, objects=objects, label=label if isinstance(label, str) else None)
    return Row(first.name, record, label, objects, first.same)


def _parted(group: Sequence[Row]) -> list[Problem]:
    """The rows of one image that put it into another part."""
    first = group[0]
    return [
        Problem(row.name, f"{row.name}: expected {first.record.split!r} as in {first.name}, the same image, "
                          f"got {row.record.split!r}; mend the table, an image is in one part only")
        for row in group
        if row.record.split != first.record.split
    ]  # fmt: skip


def _without_annotations(
    groups: Sequence[list[Row]], count: int, *, several: bool
) -> tuple[list[Row], list[Problem], list[str]]:
    """Rows of one image without annotations: repeated, with several labels, or with several texts."""
    classes = [list(dict.fromkeys(row.label for row in group if row.label is not None)) for group in groups]
    many = sum(len(found) > 1 for found in classes)
    several = several or many >= _CONTRADICTION * len(groups)
    masks = [list(dict.fromkeys(row.record.mask for row in group if row.record.mask is not None)) for group in groups]
    if any(len(found) > 1 for found in masks):
        return _masks_together(groups, count)
    merged, problems = [], []
    for group, found in zip(groups, classes, strict=True):
        problems += _parted(group)
        one = _texts_together(group)
        if many and several:
            record = replace(one.record, labels=tuple(map(str, found)), label=None)
            one = replace(one, record=record, label=None)
        elif len(found) > 1:
            got = ", ".join(f"{row.label!r} ({row.name})" for row in group[:4])
            do = "mend the table, or an image has several: columns={'labels': NAME} (--option column.labels=NAME)"
            problems.append(Problem(one.record.key, f"{one.record.key}: expected one class, got {got}; {do}"))
            continue
        else:
            label = found[0] if found else None
            record = replace(one.record, label=label if isinstance(label, str) else None)
            one = replace(one, record=record, label=label)
        merged.append(one)
    notes = [_said(count, len(groups))]
    if many and several:
        notes[0] += f": {many} have rows of different classes, so an image has several labels"
    elif many:
        notes[0] += f"; {many} have rows that contradict each other, and were left out"
    return merged, problems, notes


def _masks_together(groups: Sequence[list[Row]], count: int) -> tuple[list[Row], list[Problem], list[str]]:
    """Rows of one image with a mask each: one label map, in which a class has a number, or else each mask its own."""
    named = sorted(
        {str(row.label) for group in groups for row in group if row.label is not None},
        key=lambda name: (len(name) if name.isdecimal() else 0, name),
    )
    numbers = {name: number for number, name in enumerate(named, 1)}
    merged, problems = [], []
    for group in groups:
        problems += _parted(group)
        rows = [row for row in group if row.record.mask is not None]
        one = replace(_texts_together(group), label=None)
        mask = one.record.mask
        if rows and (len(rows) > 1 or named):
            values = [numbers[str(row.label)] if row.label is not None else n for n, row in enumerate(rows, 1)]
            maps = [row.record.mask for row in rows if row.record.mask is not None]
            mask = united(f"masks of {one.record.key}", maps, values)
        merged.append(replace(one, record=replace(one.record, mask=mask, label=None)))
    shown = ", ".join(f"{number} {name}" for name, number in list(numbers.items())[:8]) or "1, 2, ... in their order"
    note = f"{_said(count, len(groups))}: the masks of an image are drawn into one label map ({shown})"
    return merged, problems, [note]


def _texts_together(group: Sequence[Row]) -> Row:
    """One row with the attributes of all; what comes again with another value is numbered."""
    attributes: dict[str, Scalar] = {}
    labels: dict[str, None] = {}
    for number, row in enumerate(group, 1):
        labels.update(dict.fromkeys(row.record.labels or ()))
        for name, value in row.record.attributes.items():
            if name not in attributes:
                attributes[name] = value
            elif attributes[name] != value:
                attributes[f"{name}#{number}"] = value
    first = group[0]
    listed = tuple(labels) if any(row.record.labels is not None for row in group) else None
    mask = next((row.record.mask for row in group if row.record.mask is not None), None)
    return Row(
        first.name,
        replace(first.record, attributes=attributes, labels=listed, mask=mask),
        first.label,
        None,
        first.same,
    )
