"""Names of classes for labels that are numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.layouts.base import Problem, ReadSource
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_path import as_path

__all__ = ["class_list", "name_annotations", "name_labels"]

_FILE = "classes.txt"


def class_list(given: Any) -> tuple[str, ...]:
    """Class names in the order of their numbers, from a list, a mapping from numbers, or a file of either.

    Parameters
    ----------
    given : sequence, mapping, Path or str
        A path names a JSON file (``.json``), or text with one name per line.

    Raises
    ------
    SourceError
        When it is none of these.

    Examples
    --------
    >>> class_list({"1": "dog", "0": "cat"})
    ('cat', 'dog')
    """
    if isinstance(given, str | Path):
        path = as_path(given)
        try:
            text = path.read_text(encoding="utf-8-sig")
            given = json.loads(text) if path.suffix.lower() == ".json" else _lines(text)
        except (OSError, ValueError, RecursionError) as error:
            raise SourceError(f"expected class names in {path}, got {error}; write one name per line") from error
    if isinstance(given, Mapping):
        numbers = {str(key): str(name) for key, name in given.items()}
        if set(numbers) == {str(n) for n in range(len(numbers))}:
            given = [numbers[str(n)] for n in range(len(numbers))]
    if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
        msg = f"expected class names as a list, or a mapping from the numbers 0, 1, 2..., got {str(given)[:60]!r}"
        raise SourceError(f"{msg}; give the names in the order of their numbers")
    return tuple(given)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def name_labels(
    root: Path,
    labels: Sequence[Any],
    records: Sequence[Record],
    options: ReadSource,
    known: Sequence[str] = (),
) -> tuple[tuple[list[Record], list[Problem]], tuple[str, ...], list[str]]:
    """Put the label on each record, as a name.

    Parameters
    ----------
    root : Path
        Where a ``classes.txt`` may lie.
    labels : sequence
        What the table has for each record: text, a number, or None.
    records : sequence of Record
    options : ReadSource
        ``extra["classes"]`` wins over all else.
    known : sequence of str
        Names that the table itself states.

    Returns
    -------
    tuple
        Records and problems; all class names in order; notes.
    """
    classes, notes = _classes(root, labels, options, known)
    named, problems = [], []
    for record, label in zip(records, labels, strict=True):
        if label is None:
            named.append(record)
            continue
        name = _name(label, classes)
        if name is None:
            msg = f"{record.key}: expected a class number from 0 to {len(classes) - 1}, got {label!r}"
            problems.append(Problem(record.key, f"{msg}; give all class names, or mend the label"))
        else:
            named.append(record if name == record.label else replace(record, label=name or None))
    if not classes and named and all(_number(label) is not None for label in labels if label is not None):
        # As text, class 10 would stand before class 2.
        classes = tuple(sorted({r.label for r in named if r.label is not None}, key=int))
    return (named, problems), classes, notes


def name_annotations(
    root: Path, records: Sequence[Record], options: ReadSource, known: Sequence[str] = ()
) -> tuple[list[Record], tuple[str, ...], list[str]]:
    """Put names on the annotations of each record whose classes are numbers, where a list of names explains them all.

    Parameters
    ----------
    root, options, known
        As for `name_labels`.
    records : sequence of Record

    Returns
    -------
    tuple
        Records; the names in order, empty where none are known; notes.
    """
    numbers = {annotation.category for record in records for annotation in record.objects or ()}
    if not numbers:
        return list(records), (), []
    classes, notes = _classes(root, sorted(numbers), options, known)
    names = {number: _name(number, classes) for number in numbers}
    if not classes or not all(names.values()):
        return list(records), (), []
    named = [
        record
        if not record.objects
        else replace(record, objects=tuple(replace(one, category=names[one.category] or "") for one in record.objects))
        for record in records
    ]
    return named, classes, notes


def _classes(
    root: Path, labels: Sequence[Any], options: ReadSource, known: Sequence[str]
) -> tuple[tuple[str, ...], list[str]]:
    if "classes" in options.extra:
        return class_list(options.extra["classes"]), []
    if known:
        return tuple(known), []
    beside = (root if root.is_dir() else root.parent) / _FILE
    if not beside.is_file():
        return (), []
    classes = class_list(beside)
    values = {label for label in labels if isinstance(label, str | int | float)}
    # Only a list that explains every label is taken for the list of their names.
    if values and classes and all(_name(value, classes) for value in values):
        return classes, [f"class names from {_FILE}"]
    return (), [f"{_FILE} does not fit the labels and was passed over"] if values else []


def _number(label: Any) -> int | None:
    """A label as a whole number, where it is one and nothing else (``"007"`` is a name)."""
    if isinstance(label, bool):
        return None
    if isinstance(label, int):
        return label
    if isinstance(label, float):
        return int(label) if label.is_integer() else None
    if isinstance(label, str) and label.isdecimal() and label.isascii() and str(int(label)) == label:
        return int(label)
    return None


def _name(label: Any, classes: Sequence[str]) -> str | None:
    """The name of a label; empty where it says "not known" (-1), None where it is out of range."""
    if isinstance(label, str) and (not classes or label in classes):
        return label
    number = _number(label)
    if number is None or not classes:
        return str(number if number is not None else label)
    if number == -1:
        return ""
    return classes[number] if 0 <= number < len(classes) else None
