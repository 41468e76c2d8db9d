"""Annotations that rows say: a box in four columns, a mask as runs, boxes in one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.data.layouts.base import ReadSource
from imagemill.data.layouts.shapes.stored_size import seen_of
from imagemill.data.layouts.tables.cells.annotation_cells import FORMS, box_from
from imagemill.data.layouts.tables.cells.image_cells import BadCell
from imagemill.data.layouts.tables.cells.text_lists import boxes_text, runs_text
from imagemill.data.layouts.tables.columns.box_columns import BoxColumns
from imagemill.data.layouts.tables.columns.column_content import is_empty
from imagemill.data.records.instances import Instance
from imagemill.data.records.record import Blob, Frame, Pixels

__all__ = ["Sizes", "are_parts", "bare_boxes", "box_form", "box_of", "corners_or_lengths", "mask_of"]

Size = tuple[int, int] | None


@dataclass(slots=True)
class Sizes:
    """Sizes of pictures that a table does not state, each read once from its file's header.

    Parameters
    ----------
    frame : {"stored", "shown"}
        Whether sizes are those of pictures as they are stored, or as EXIF turns them.
    """

    frame: Frame = "shown"
    known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def of(self, image: Pixels, stated: Size) -> tuple[int, int]:
        """Height and width in pixels.

        Raises
        ------
        BadCell
            When the file cannot be read, or lies on a server.
        """
        if stated is not None:
            return stated
        if isinstance(image, Blob) and image.name.startswith(("http://", "https://")):
            do = "add columns width and height, or fetch the pictures first"
            raise BadCell(f"expected the size of the picture, got an address alone; {do}")
        name = str(image) if isinstance(image, Path) else image.name
        if name not in self.known:
            try:
                self.known[name] = seen_of(image).size(self.frame)
            except CodecError as error:
                raise BadCell(f"expected the size of the picture, got a file that cannot be read: {error}") from error
        return self.known[name]


def box_form(options: ReadSource) -> str | None:
    """What the user says of boxes: ``xywh``, ``xyxy`` or ``centre``; None where nothing is said.

    Raises
    ------
    SourceError
        When it is something else.
    """
    form = options.extra.get("boxes")
    if form is not None and form not in FORMS:
        raise SourceError(
            f"expected boxes as 'xywh', 'xyxy' or 'centre', got {form!r}; choose one of them (--option boxes=xyxy)"
        )
    return form


def box_of(
    cells: Sequence[Any], box: BoxColumns, form: str, size: tuple[int, int] | None
) -> tuple[float, float, float, float] | None:
    """The box of a row as left, top, width and height in pixels; None where its cells are empty.

    Parameters
    ----------
    cells : sequence
    box : BoxColumns
    form : str
        One of `FORMS`.
    size : tuple of int or None
        Height and width in pixels where numbers are parts of them.

    Raises
    ------
    BadCell
        When they are no numbers, or make no box.

    Examples
    --------
    >>> box_of(["10", "20", "40", "70"], BoxColumns("xyxy", (0, 1, 2, 3)), "xyxy", None)
    (10.0, 20.0, 30.0, 50.0)
    >>> box_of([0.5, 0.5, 0.2, 1.0], BoxColumns("centre", (0, 1, 2, 3)), "centre", (100, 200))
    (80.0, 0.0, 40.0, 100.0)
    """
    values = [cells[n] for n in box.numbers]
    if all(map(is_empty, values)):
        return None
    try:
        numbers = [float(value.replace(",", ".") if isinstance(value, str) else value) for value in values]
        return box_from(numbers, form, size)
    except (TypeError, ValueError) as error:
        do = "mend the row, or say what the numbers are: extra={'boxes': 'xywh'} (--option boxes=xywh)"
        raise BadCell(f"expected a box ({form}) of no negative width or height, got {values}; {do}") from error


def mask_of(cell: Any, category: str, size: tuple[int, int], *, rows: bool) -> tuple[Instance, ...]:
    """The annotation whose mask a cell states as runs; nothing where it is empty.

    Raises
    ------
    BadCell
        When they are no runs of a picture of this size.
    """
    if is_empty(cell):
        return ()
    try:
        runs = runs_text(str(cell), size, rows=rows)
    except InputError as error:
        raise BadCell(str(error)) from error
    return () if runs is None else (Instance(category, rle=runs),)


def are_parts(values: Sequence[Any]) -> bool:
    """Whether numbers of boxes are parts of the picture's size: at most 1, and not all whole.

    Examples
    --------
    >>> are_parts(["0.5", "1", None]), are_parts([0, 1, 1, 1]), are_parts([0.5, 20])
    (True, False, False)
    """
    numbers = []
    for value in values:
        try:
            if not is_empty(value):
                numbers.append(float(value))
        except (TypeError, ValueError):
            continue
    return bool(numbers) and min(numbers) > -0.5 and max(numbers) <= 1.0 and any(v != int(v) for v in numbers)


def bare_boxes(cell: Any) -> list[Sequence[float]]:
    """The boxes of a cell that come as four numbers each; none where it holds something else.

    Examples
    --------
    >>> bare_boxes("[1, 2, 3, 4]"), bare_boxes([[1, 2, 3, 4], [5, 6, 7, 8]]), bare_boxes({"bbox": []})
    ([[1, 2, 3, 4]], [[1, 2, 3, 4], [5, 6, 7, 8]], [])
    """
    found = boxes_text(cell) if isinstance(cell, str) else cell
    if not isinstance(found, list | tuple) or not found:
        return []
    boxes = [found] if isinstance(found[0], int | float) else list(found)
    plain = all(isinstance(box, list | tuple) and len(box) == 4 for box in boxes)
    return boxes if plain and all(isinstance(v, int | float) for box in boxes for v in box) else []


def corners_or_lengths(boxes: Sequence[tuple[Sequence[float], tuple[int, int]]], *, parts: bool) -> tuple[str, str]:
    """Whether the last two numbers of boxes are a corner or lengths, by what lies within the pictures.

    Parameters
    ----------
    boxes : sequence of (box, size)
        Four numbers, and height and width of the picture.
    parts : bool
        Whether numbers are parts of that size.

    Returns
    -------
    tuple of str
        ``"xywh"`` or ``"xyxy"``; and what is to be said of it, or nothing.

    Examples
    --------
    >>> corners_or_lengths([([50, 50, 90, 90], (100, 100))], parts=False)[0]
    'xyxy'
    >>> corners_or_lengths([([50, 50, 20, 30], (100, 100))], parts=False)
    ('xywh', '')
    """

    def within(size: tuple[int, int], x: float, y: float) -> bool:
        height, width = (1, 1) if parts else size
        return x <= width * 1.01 and y <= height * 1.01

    corners = all(c >= a and d >= b and within(size, c, d) for (a, b, c, d), size in boxes)
    lengths = all(within(size, a + c, b + d) for (a, b, c, d), size in boxes)
    if corners and not lengths:
        return "xyxy", "boxes are taken as left, top, right, bottom: as lengths they would leave the pictures"
    if corners:
        note = "boxes are taken as left, top, width, height; they could also be left, top, right, bottom"
        return "xywh", f"{note}: extra={{'boxes': 'xyxy'}} (--option boxes=xyxy)"
    return "xywh", ""
