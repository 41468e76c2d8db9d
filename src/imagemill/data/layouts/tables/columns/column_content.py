"""What the cells of a column look like, whatever the column is called."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.tables.cells.image_cells import BadCell, NoFile, Place, Placed, image_at
from imagemill.data.layouts.tables.cells.text_lists import boxes_text, is_numbers, list_text, unquoted
from imagemill.data.layouts.tables.columns.box_columns import box_columns
from imagemill.data.layouts.tables.rows.find_files import Finder, Trail
from imagemill.data.records.record import Blob, Stored

__all__ = ["Seen", "is_empty", "look_at_column", "spread"]

SAMPLE = 200
_FEW = 12
_LONG = 60
_PIXELS = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """What some cells of a column are.

    Parameters
    ----------
    cells : int
        Cells that hold something.
    rows : int
        Cells that were looked at.
    kinds : mapping
        How many of them are ``picture`` (encoded, or an array), ``pixels`` (numbers), ``file`` (a path to one that is
        there), ``address`` (of a picture by its suffix), ``page`` (any other address), ``missing`` (named like a
        picture, not there), ``numbered`` (a whole number, and a file is called so), ``box``, ``annotations`` (mappings
        in a list), ``runs``, ``list``, ``mapping``, ``binary`` (0 or 1), ``integer``, ``number``,
        ``text`` or ``long`` text.
    distinct : int
        Different values among them.
    trail : Trail or None
        What leads from the cells to files, where they are not there as they are written.
    """

    cells: int
    rows: int
    kinds: Mapping[str, int] = field(default_factory=dict)
    distinct: int = 0
    trail: Trail | None = None

    def share(self, *kinds: str) -> float:
        """Part of the cells that are of these kinds."""
        return sum(self.kinds.get(kind, 0) for kind in kinds) / self.cells if self.cells else 0.0

    @property
    def pictures(self) -> float:
        """How much the column looks like pictures, 0 to 1."""
        certain = self.share("picture", "pixels", "file", "numbered")
        return certain + 0.9 * self.share("address") + 0.4 * self.share("missing") + 0.3 * self.share("page")

    @property
    def repeats(self) -> bool:
        """Whether values come again, twice or more on the average."""
        return self.distinct <= self.cells // 2

    @property
    def like_label(self) -> bool:
        """Whether the cells may be classes: short texts or whole numbers, at least two and few of them different."""
        if self.share("text", "integer", "binary") < 0.95 or self.distinct < 2 or 2 * self.cells < self.rows:
            return False
        return self.distinct <= 2 or self.repeats or (self.cells <= _FEW and self.share("text") > 0.95)


def is_empty(cell: Any) -> bool:
    """Whether a cell says nothing: no value, blanks, or the not-a-number of an empty one in a table of numbers."""
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def spread(rows: Sequence[Any], count: int = SAMPLE) -> list[Any]:
    """So many of the rows, evenly from first to last.

    Examples
    --------
    >>> spread(range(10), 3)
    [0, 3, 6]
    """
    if len(rows) <= count:
        return list(rows)
    return [rows[n * len(rows) // count] for n in range(count)]


def look_at_column(cells: Sequence[Any], place: Place, finder: Finder | None = None) -> Seen:
    """Say what some cells of a column look like.

    Parameters
    ----------
    cells : sequence
    place : Place
        Where paths start.
    finder : Finder, optional
        Looks for files that are not there as they are written.

    Examples
    --------
    >>> from imagemill.data.layouts.base import ReadSource
    >>> look_at_column(["cat", "dog", "cat", None], Place(Path("."), ReadSource())).kinds
    {'text': 3}
    """
    there = [cell for cell in cells if not is_empty(cell)]
    trail = finder.trail(_named(there)) if finder is not None else None
    kinds = Counter(_kind(cell, place, trail) for cell in there)
    # What is written like a number may still be a box or runs; a whole column of few of them is none of these.
    distinct = len({str(cell) for cell in there if isinstance(cell, str | int | float)})
    return Seen(len(there), len(cells), dict(kinds), distinct, trail)


def _named(cells: Sequence[Any]) -> list[str]:
    """Cells that may name files."""
    found = (str(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell for cell in cells)
    return [unquoted(cell) for cell in found if isinstance(cell, str) and len(cell) < 1024]


def _kind(cell: Any, place: Place, trail: Trail | None) -> str:
    if isinstance(cell, bool):
        return "binary"
    if isinstance(cell, int | float):
        return _number_kind(float(cell), cell, trail)
    if isinstance(cell, bytes | bytearray | memoryview | Path | Blob | Stored | Placed):
        return "picture"
    if isinstance(cell, np.ndarray):
        return "pixels"
    if isinstance(cell, Mapping):
        return "picture" if {"bytes", "path"} & cell.keys() else _mapping_kind(cell)
    if isinstance(cell, list | tuple):
        return _list_kind(cell)
    return _text_kind(unquoted(cell), place, trail) if isinstance(cell, str) else "other"


def _number_kind(value: float, cell: Any, trail: Trail | None) -> str:
    if trail is not None and isinstance(cell, int) and trail.find(str(cell)):
        return "numbered"
    if value in (0.0, 1.0, -1.0):
        return "binary"
    return "integer" if value.is_integer() else "number"


def _mapping_kind(cell: Mapping[Any, Any]) -> str:
    """``annotations`` for the numbers of a box by their names."""
    if not cell:
        return "list"
    return "annotations" if box_columns([str(name) for name in cell]) is not None else "mapping"


def _list_kind(cell: Sequence[Any]) -> str:
    numbers = [one for one in cell if isinstance(one, int | float) and not isinstance(one, bool)]
    if cell and len(numbers) == len(cell):
        return "box" if len(cell) == 4 else ("pixels" if len(cell) >= _PIXELS else "list")
    if not cell:
        return "list"
    inner = cell[0]
    if all(isinstance(one, Mapping) for one in cell):
        return "annotations"
    if isinstance(inner, list | tuple):
        boxes = all(isinstance(one, list | tuple) and len(one) == 4 for one in cell)
        # Four wide and few: boxes. Pixels are squares, or of three numbers each.
        return "box" if boxes and len(cell) != 4 else "pixels"
    return "list"


def _text_kind(text: str, place: Place, trail: Trail | None) -> str:
    lower = text[:8].lower()
    if lower.startswith(("http://", "https://")):
        name = PurePosixPath(unquote(urlsplit(text).path)).name
        return "address" if is_readable_name(name) else "page"
    if (kind := _listed_kind(text)) is not None:
        return kind
    if lower in ("true", "false"):
        return "binary"
    if lower in ("no_box", "no box"):
        return "box"
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return _path_kind(text, place, trail)
    if _path_kind(text, place, trail) == "file":
        return "numbered"
    if number in (0.0, 1.0, -1.0):
        return "binary"
    return "integer" if number.is_integer() and "." not in text else "number"


def _listed_kind(text: str) -> str | None:
    """What a text with several values in it is; None where it has one."""
    if text[:1] in ("[", "(", "{"):
        found = list_text(text)
        if isinstance(found, list):
            return _list_kind(found) if found else "list"
        return _mapping_kind(found) if isinstance(found, dict) else None
    if is_numbers(text, 4):
        words = text.replace(",", " ").split()
        if ";" in text or len(words) == 4:
            return "box" if boxes_text(text) is not None else None
        if len(words) % 2 == 0 and all(word.isdecimal() for word in words) and _rising(words):
            return "runs"
        return "pixels" if len(words) >= _PIXELS else None
    if ";" in text and boxes_text(text) is not None:
        return "box"
    return "runs" if is_numbers(text, 2) and " " in text and all(w.isdecimal() for w in text.split()) else None


def _rising(words: Sequence[str]) -> bool:
    """Whether pairs of numbers read as first pixel and length of runs, one after the other."""
    numbers = [int(word) for word in words]
    return all(a + n <= b for a, n, b in zip(numbers[0::2], numbers[1::2], numbers[2::2], strict=False))


def _path_kind(text: str, place: Place, trail: Trail | None) -> str:
    try:
        where = image_at(text, place, "cell")
    except NoFile:
        if trail is not None and trail.find(text):
            return "file"
        # Kaggle's "0011165.jpg_Fish": a file, and a class behind it.
        head = text.rpartition("_")[0]
        if is_readable_name(head):
            return _path_kind(head, place, trail)
        if is_readable_name(text.replace("\\", "/").rpartition("/")[2]):
            return "missing"
        return "text" if len(text) <= _LONG else "long"
    except BadCell:
        return "text" if len(text) <= _LONG else "long"
    if isinstance(where, Path):
        # A folder of classes beside a table holds no files of these names without suffix.
        return "file" if is_readable_name(where) or "." not in where.name else "text"
    return "picture"
