"""Things that rows say: a box in four columns, a mask as runs, boxes in one cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.data.instances import Instance
from imagemill.data.record import Blob, Pixels
from imagemill.data.sources.base import ReadSource
from imagemill.data.sources.boxcolumns import BoxColumns
from imagemill.data.sources.cells import BadCell
from imagemill.data.sources.content import is_empty
from imagemill.data.sources.extent import stored_size
from imagemill.data.sources.textlists import runs_text

__all__ = ["FORMS", "Sizes", "box_form", "box_of", "mask_of"]

FORMS = ("xywh", "xyxy", "centre")
"""What four numbers of a box may be."""

Size = tuple[int, int] | None


@dataclass(slots=True)
class Sizes:
    """Sizes of pictures that a table does not state, each read once from its file's header."""

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
                self.known[name] = stored_size(image)
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
        a, b, c, d = (float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise BadCell(f"expected four numbers of a box, got {values}; mend the row") from error
    if form == "xyxy":
        c, d = c - a, d - b
    elif form == "centre":
        a, b = a - c / 2, b - d / 2
    if not (c >= 0 and d >= 0):
        do = "mend the row, or say what the numbers are: extra={'boxes': 'xywh'} (--option boxes=xywh)"
        raise BadCell(f"expected a box ({form}) whose width and height are not negative, got {values}; {do}")
    if size is not None:
        height, width = size
        a, b, c, d = a * width, b * height, c * width, d * height
    return a, b, c, d


def mask_of(cell: Any, category: str, size: tuple[int, int], *, rows: bool) -> tuple[Instance, ...]:
    """The thing whose mask a cell states as runs; nothing where it is empty.

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
    return () if runs is None else (Instance(category, runs=runs),)
