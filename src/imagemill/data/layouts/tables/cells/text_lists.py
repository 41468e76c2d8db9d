"""Lists, numbers, boxes and masks that stand in a cell as text."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.layouts.shapes.rle import rle_from_mask
from imagemill.data.records.instances import RLE

__all__ = ["boxes_text", "is_numbers", "list_text", "pixel_array", "runs_text", "shape_told", "unquoted"]

_NUMBERS = re.compile(r"[\s\d.,;+\-eE\[\]()]*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_BETWEEN = re.compile(r"[\s,;\[\]()]+")
_LITERAL = 1 << 16  # the parser of Python needs some hundred bytes for each byte of text
_QUOTES = {"'": "'", '"': '"', "`": "`", "‘": "’", "“": "”", "„": "“"}


def unquoted(text: str) -> str:
    """A text without the quotes around it, also those that a text processor makes of them.

    Examples
    --------
    >>> unquoted("'a.png'"), unquoted("“a.png”"), unquoted("it's")
    ('a.png', 'a.png', "it's")
    """
    text = text.strip()
    while len(text) > 1 and text[0] in _QUOTES and _QUOTES[text[0]] == text[-1]:
        text = text[1:-1].strip()
    return text


def list_text(text: str) -> Any:
    """The list or mapping that a text writes, as JSON or as Python prints it; None where it is neither.

    Examples
    --------
    >>> list_text('["cat", "dog"]'), list_text("['cat', 'dog']"), list_text("[cat, dog]"), list_text("cat")
    (['cat', 'dog'], ['cat', 'dog'], ['cat', 'dog'], None)
    """
    text = text.strip()
    if len(text) < 2 or text[0] + text[-1] not in ("[]", "()", "{}"):
        return None
    found = _parsed(text)
    if isinstance(found, tuple | set | frozenset):
        found = list(found)
    if isinstance(found, list | dict):
        return found
    inner = text[1:-1].strip()
    if text[0] == "{" or any(mark in inner for mark in "[](){}"):
        return None
    # numpy prints lists without commas: ['cat' 'dog']
    parts = re.findall(r"'[^']*'|\"[^\"]*\"", inner) if inner[:1] in ("'", '"') else inner.split(",")
    return [unquoted(part) for part in parts if part.strip()]


def _parsed(text: str) -> Any:
    """What a text says as JSON, as numpy prints numbers, or as Python; None where it is none of these."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if text[0] != "{" and (numbers := _number_list(text)) is not None:
            return numbers
    try:
        return ast.literal_eval(text) if len(text) <= _LITERAL else None
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _number_list(text: str) -> list[Any] | None:
    """Nested lists of numbers without commas, as numpy prints them: ``[[1 2] [3 4]]``."""
    if "," in text or not _NUMBERS.fullmatch(text) or not any(c.isdigit() for c in text):
        return None
    spaced = re.sub(r"(?<=[\d.\])])\s+(?=[-+\d.\[(])", ", ", text.replace("(", "[").replace(")", "]"))
    try:
        found = json.loads(
            re.sub(r"(?<=\d)\.(?=[\s,\]])", ".0", re.sub(r"\s+(?=\])", "", re.sub(r"(?<=\[)\s+", "", spaced)))
        )
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def is_numbers(text: str, least: int = 1) -> bool:
    """Whether a text is made of so many numbers or more, with blanks, commas or brackets between.

    Examples
    --------
    >>> is_numbers("0 12 255", 3), is_numbers("[[0, 1], [2, 3]]", 4), is_numbers("7", 2), is_numbers("1-2-3", 3)
    (True, True, False, False)
    """
    parts = [part for part in _BETWEEN.split(text[:4096]) if part]
    if len(text) > 4096:  # the last one may be cut off
        parts.pop()
    return len(parts) >= least and all(map(_NUMBER.fullmatch, parts))


def shape_told(told: Any) -> tuple[int, ...] | None:
    """Height, width and channels that an option states: ``28x28``, ``"28,28,3"`` or a sequence.

    Raises
    ------
    InputError
        When it is something else.

    Examples
    --------
    >>> shape_told("28x28"), shape_told((4, 6, 3)), shape_told(None)
    ((28, 28), (4, 6, 3), None)
    """
    if told is None:
        return None
    parts = re.split(r"[x,× ]+", told.strip("() ")) if isinstance(told, str) else told
    try:
        shape = tuple(int(part) for part in parts)
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise ValueError
    except (TypeError, ValueError) as error:
        msg = f"expected shape as height and width, and channels where there are some, got {told!r}"
        raise InputError(f"{msg}; write extra={{'shape': '28x28'}} (--option shape=28x28)") from error
    return shape


def pixel_array(
    cell: str | Sequence[Any] | np.ndarray[Any, Any], shape: tuple[int, ...] | None
) -> np.ndarray[Any, Any]:
    """Pixels of a text of numbers, or of one row of them, as ``(height, width)`` or ``(height, width, channels)``.

    Lists with rows keep their shape. One row becomes a square, gray or else of three or four channels (the channel
    last), unless `shape` says more.

    Raises
    ------
    ValueError
        When they are no numbers, or no such shape has so many.

    Examples
    --------
    >>> pixel_array("[[0, 12], [255, 3]]", None).tolist(), pixel_array("1 2 3 4", None).shape
    ([[0, 12], [255, 3]], (2, 2))
    >>> pixel_array("1 2 3 4 5 6", (2, 3)).tolist()
    [[1, 2, 3], [4, 5, 6]]
    """
    if isinstance(cell, str):
        nested = list_text(cell) if cell.lstrip()[:2].replace(" ", "") == "[[" else None
        cell = nested if nested is not None else re.split(r"[\s,;]+", cell.strip(" \t\r\n[]()"))
    array = np.asarray(cell)
    if array.dtype.kind in "US":
        array = array.astype(np.float64)
        if np.array_equal(array, np.floor(array)):
            array = array.astype(np.int64)
    if shape is not None:
        return array.reshape(shape)
    if array.ndim != 1:
        return array
    for channels in (1, 3, 4):
        side = round((array.size / channels) ** 0.5)
        if side > 1 and side * side * channels == array.size:
            return array.reshape((side, side) if channels == 1 else (side, side, channels))
    msg = f"{array.size} numbers, which make no square picture"
    raise ValueError(msg)


def boxes_text(text: str) -> Any:
    """Boxes that a text writes: lists as JSON or Python, or four numbers each, with ``;`` between boxes.

    Examples
    --------
    >>> boxes_text("[1, 2, 3, 4]"), boxes_text("1 2 3 4;5 6 7 8"), boxes_text("no_box"), boxes_text("red")
    ([1, 2, 3, 4], [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]], [], None)
    """
    found = list_text(text)
    if found is not None:
        return found
    if text.strip().lower() in ("no_box", "no box", "none", "nan"):
        return []
    boxes = []
    for part in text.split(";"):
        numbers = re.split(r"[\s,]+", part.strip())
        if len(numbers) != 4:
            return None
        try:
            boxes.append([float(number) for number in numbers])
        except ValueError:
            return None
    return boxes


def runs_text(text: str, size: tuple[int, int], *, rows: bool = False) -> RLE | None:
    """The mask that pairs of first pixel and length state, as Kaggle has them; None for an empty one.

    Pixels are counted from 1, down the columns and then to the right, or along the rows.

    Parameters
    ----------
    text : str
    size : tuple of int
        Height and width of the picture in pixels.
    rows : bool
        Whether pixels are counted along the rows.

    Raises
    ------
    InputError
        When it is none, or does not fit the picture.

    Examples
    --------
    >>> runs_text("1 2", (2, 2)).counts, runs_text("1 2", (2, 2), rows=True).counts
    ((0, 2, 2), (0, 1, 1, 1, 1))
    >>> runs_text("-1", (2, 2)) is None
    True
    """
    words = text.replace(",", " ").strip(" []").split()
    if not words or words == ["-1"]:
        return None
    try:
        numbers = [int(word) for word in words]
    except ValueError as error:
        raise InputError(f"expected pairs of first pixel and length, got {text[:40]!r}; mend the cell") from error
    starts, lengths = numbers[0::2], numbers[1::2]
    height, width = size
    if len(starts) != len(lengths) or min(starts) < 1 or min(lengths) < 0:
        raise InputError(f"expected pairs of first pixel (from 1) and length, got {text[:40]!r}; mend the cell")
    counts, at = [], 0
    for start, length in sorted(zip(starts, lengths, strict=True)):
        if start - 1 < at or start - 1 + length > height * width:
            got = f"pixels {start} to {start + length - 1}"
            raise InputError(
                f"expected runs one after the other within {height} x {width} pixels, got {got}; check the size, and "
                "which way they count: extra={'rle': 'rows'} (--option rle=rows)"
            )
        counts += [start - 1 - at, length]
        at = start - 1 + length
    runs = RLE(height, width, (*counts, height * width - at))
    return _turned(runs) if rows else runs


def _turned(runs: RLE) -> RLE:
    """The same mask counted down the columns, of one that counts along the rows."""
    flat = np.repeat(np.arange(len(runs.counts)) % 2 == 1, np.array(runs.counts, dtype=np.int64))
    return rle_from_mask(flat.reshape(runs.height, runs.width))
