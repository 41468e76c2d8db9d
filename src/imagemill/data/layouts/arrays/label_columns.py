"""What a column of labels says: one class an image, several, or numbers that are no classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from imagemill.core.errors import SourceError

__all__ = ["Labels", "one_hot_numbers", "read_labels"]

Array = np.ndarray[Any, Any]
_WIDEST = 64


@dataclass(frozen=True, slots=True)
class Labels:
    """What was read of a column.

    Parameters
    ----------
    one : sequence of str or None
        The class of each image, None where it has none.
    several : sequence of tuple or None
        All classes of each image, where it may have several.
    columns : mapping
        Numbers that are no classes (an age, a place), by name.
    classes : tuple of str
        Names in the order of their numbers, where the column says how many there are.
    notes : tuple of str
    """

    one: Sequence[str | None]
    several: Sequence[tuple[str, ...] | None]
    columns: Mapping[str, Sequence[float]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def one_hot_numbers(labels: Array) -> Array | None:
    """Class numbers of one-hot rows; None when a row is anything but zeros and a single one.

    Examples
    --------
    >>> one_hot_numbers(np.array([[0, 1], [1, 0]])).tolist(), one_hot_numbers(np.array([[1, 1]]))
    ([1, 0], None)
    """
    if labels.ndim != 2 or labels.shape[1] < 2 or labels.dtype.kind not in "buif":
        return None
    if not np.all((labels == 0) | (labels == 1)) or not np.all(labels.sum(axis=1, dtype=np.float64) == 1):
        return None
    return np.asarray(labels.argmax(axis=1))


def read_labels(values: Any, classes: Sequence[str] = (), *, column: str | None = None) -> Labels:
    """Read a column of labels.

    Parameters
    ----------
    values : array or sequence
        One entry an image: whole numbers (-1 for no label), text (empty or None for no label), lists of either, rows
        that are one-hot, or rows of zeros and ones that stand for several labels. Axes of length 1 do not count.
        Tensors and columns of data frames do as well.
    classes : sequence of str
        Names in the order of their numbers; empty lets the numbers be names.
    column : str, optional
        How numbers that are no classes are called, where they are to be kept; without, they are an error.

    Raises
    ------
    SourceError
        When the labels are none of these.

    Examples
    --------
    >>> read_labels(np.array([1, 0, -1]), ("cat", "dog")).one
    ['dog', 'cat', None]
    >>> read_labels([["cat", "dog"], []]).several
    [('cat', 'dog'), ()]
    """
    listed = _lists(values)
    if listed is not None:
        return _of_lists(listed, tuple(classes))
    if not classes and hasattr(values, "columns") and len(values.columns) > 1:  # a data frame names its columns
        classes = [str(name) for name in values.columns]
    array = _as_array(values)
    while array.ndim > 1 and array.shape[-1] == 1:
        array = array[..., 0]
    classes = tuple(classes)
    if array.ndim == 2:
        return _rows(array, classes, column)
    if array.ndim != 1:
        got = f"labels of shape {array.shape}"
        raise SourceError(f"expected one label an image, got {got}; give shape (n,) or (n, k), or call them masks")
    if array.dtype.kind == "O" and array.ndim == 1:  # a missing text is NaN in a data frame
        array = np.array([None if v != v else v for v in array.tolist()], dtype=object)
    if array.dtype.kind in "SUO" and all(v is None or isinstance(v, str | bytes) for v in array.tolist()):
        names = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in array.tolist()]
        return Labels([str(name) if name else None for name in names], [None] * len(names))
    return _numbers(_plain(array), classes, column)


def _lists(values: Any) -> list[Any] | None:
    """The entries of a column, where some are lists of names or of different lengths; None for a plain column."""
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        return None
    if hasattr(values, "tolist") and not isinstance(values, list | tuple):
        values = values.tolist()
    if not isinstance(values, list | tuple):
        return None
    rows = [v.tolist() if isinstance(v, np.ndarray) and v.ndim == 1 else v for v in values]
    held = [v for v in rows if isinstance(v, list | tuple | set | frozenset)]
    ragged = len({len(v) for v in held}) > 1 or len(held) < sum(v is not None for v in rows)
    text = any(isinstance(name, str) for v in held for name in v)
    return rows if held and (text or ragged or any(isinstance(v, set | frozenset) for v in held)) else None


def _of_lists(rows: Sequence[Any], classes: tuple[str, ...]) -> Labels:
    """Lists of names or of class numbers, one list an image."""
    several: list[tuple[str, ...] | None] = []
    for number, row in enumerate(rows):
        names = [row] if isinstance(row, str | int | np.integer) else row
        if names is None:
            several.append(None)
            continue
        if not isinstance(names, list | tuple | set | frozenset) or not all(isinstance(n, _NAME) for n in names):
            got = f"{row!r}"[:60]
            raise SourceError(f"expected a list of class names for image {number}, got {got}; give names or numbers")
        listed = sorted(names, key=str) if isinstance(names, set | frozenset) else names
        several.append(tuple(_named(name, classes) for name in listed))
    found = {name for row in several for name in row or ()}
    if classes and (unknown := sorted(found - set(classes))):
        raise SourceError(f"expected labels of {', '.join(classes[:8])}, got {unknown[0]!r}; correct the names")
    return Labels([None] * len(rows), several, notes=("several labels an image, from lists",))


_NAME = (str, int, np.integer)


def _named(name: Any, classes: tuple[str, ...]) -> str:
    return classes[name] if not isinstance(name, str) and classes and 0 <= name < len(classes) else str(name)


def _as_array(values: Any) -> Array:
    """Tensors, columns of data frames and lists as an array."""
    if hasattr(values, "detach"):  # a tensor of PyTorch, perhaps on another device or in a graph
        values = values.detach().cpu()
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise SourceError(f"expected labels as numbers or text, got {error}; give an array or a list") from error


def _plain(array: Array) -> Array:
    """Objects that are numbers, with None for none, as numbers."""
    if array.dtype.kind != "O":
        return array
    try:
        return np.array([np.nan if v is None else v for v in array.tolist()], np.float64)
    except (TypeError, ValueError):
        kinds = ", ".join(sorted({type(v).__name__ for v in array.tolist()})[:4])
        raise SourceError(f"expected labels that are whole numbers or text, got {kinds}; give one kind") from None


def _numbers(values: Array, classes: tuple[str, ...], column: str | None) -> Labels:
    """One number an image."""
    count = len(values)
    if values.dtype.kind not in "buif":
        raise SourceError(f"expected labels that are whole numbers or text, got {values.dtype}; give class numbers")
    there = np.isfinite(values) if values.dtype.kind == "f" else np.ones(count, bool)
    notes = [f"{count - int(there.sum())} labels are NaN: read as no label"] if not there.all() else []
    if values.dtype.kind == "f" and np.any(values[there] != np.rint(values[there])):
        if column is None:
            raise SourceError(f"expected labels that are whole numbers or text, got {values.dtype}; give class numbers")
        told = f"{column!r} holds numbers that are not whole: kept as a column of that name, not as classes"
        return Labels(
            [None] * count, [None] * count, {column: values.astype(np.float64).tolist()}, notes=(told, *notes)
        )
    whole = np.where(there, values, -1).astype(np.int64)
    name, note = _naming(whole[there], classes)
    notes += [note] if note else []
    return Labels([name(v) if ok else None for v, ok in zip(whole.tolist(), there, strict=True)], [None] * count, notes=tuple(notes))  # fmt: skip  # noqa: E501


def _naming(whole: Array, classes: tuple[str, ...]) -> tuple[Callable[[int], str | None], str]:
    """How class numbers are named, and a note."""
    if not len(whole):
        return (lambda _: None), ""
    low, high = int(whole.min()), int(whole.max())
    if (low, high) == (-1, 1) and not np.any(whole == 0) and not classes:
        return str, "labels are -1 and 1: read as two classes"
    unknown = int(np.count_nonzero(whole == -1))
    note = f"{unknown} of {len(whole)} labels are -1: read as no label" if unknown else ""
    known = whole[whole != -1]
    if low < -1:
        raise SourceError(f"expected class numbers from 0 (-1 for no label), got {low}; correct the labels")
    if not classes:
        return (lambda v: None if v == -1 else str(v)), note
    if len(known) and int(known.min()) >= 1 and high == len(classes):
        note = f"{note}; " * bool(note) + f"class numbers count from 1: 1 is {classes[0]}"
        return (lambda v: None if v == -1 else classes[v - 1]), note
    if high >= len(classes):
        msg = f"expected labels from 0 to {len(classes) - 1}, one for each of {len(classes)} classes"
        raise SourceError(f"{msg}, got {low} to {high}; correct the names or the labels")
    return (lambda v: None if v == -1 else classes[v]), note


def _rows(rows: Array, classes: tuple[str, ...], column: str | None) -> Labels:
    """Rows of numbers: one-hot, several labels, or numbers of another kind."""
    count, width = rows.shape
    if rows.dtype.kind in "SU":
        texts = [[v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in row] for row in rows.tolist()]
        return _of_lists([[name for name in row if name] for row in texts], classes)
    names = classes or tuple(str(n) for n in range(width))
    if rows.dtype.kind == "O":
        rows = np.array([_plain(row) for row in rows])
    flags = rows.dtype.kind in "buif" and bool(np.all((rows == 0) | (rows == 1)))
    if flags and len(names) != width:
        got = f"{width} columns of labels"
        raise SourceError(f"expected a column for each of {len(names)} classes, got {got}; correct one of them")
    numbers = one_hot_numbers(rows)
    if numbers is not None:
        told = f"one-hot labels of {width} classes"
        return Labels([names[n] for n in numbers.tolist()], [None] * count, classes=names, notes=(told,))
    if flags:
        several = [tuple(n for n, on in zip(names, row, strict=True) if on) for row in rows.tolist()]
        told = f"several labels an image, from {width} columns of zeros and ones"
        return Labels([None] * count, several, classes=names, notes=(told,))
    if column is None or rows.dtype.kind not in "buif" or width > _WIDEST:
        msg = f"expected labels as one number an image or as one-hot rows, got shape {rows.shape}"
        raise SourceError(f"{msg} with rows that are not one-hot; give class numbers")
    kept = {f"{column}.{n}": rows[:, n].astype(np.float64).tolist() for n in range(width)}
    told = (
        f"{column!r} holds {width} numbers an image: kept as columns {column}.0 to {column}.{width - 1}, not as classes"
    )
    return Labels([None] * count, [None] * count, kept, notes=(told,))
