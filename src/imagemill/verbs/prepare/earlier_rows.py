"""Where prepared records lie, and those that an earlier store has: what is known by its content is not made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.store import Part, Region, map_column, open_part
from imagemill.verbs.prepare.picture_form import Form

__all__ = ["EarlierRows", "Found"]

_KEPT = ("height", "width", "depth", "world", "objects", "filled")
_ROWS = 40
"""Bits for the row within a part; those above are the number of the part."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a prepared record lies, and what else is known of it.

    Parameters
    ----------
    image : Region
    mask : Region or None
    number : int
        Of the row in both.
    row : callable
        Gives size, world and objects, and where values stand that were not finite.
    gaps : bool
        Whether there may be such values.
    maps : mapping from str to Region
        Of the maps of numbers, by name.
    """

    image: Region
    mask: Region | None
    number: int
    row: Callable[[], Mapping[str, Any]]
    gaps: bool = False
    maps: Mapping[str, Region] = field(default_factory=dict)


class EarlierRows:
    """Rows of an earlier store by entry: a number each; none of a store that holds other pixels.

    Parameters
    ----------
    out : Path
    form : Form
    """

    def __init__(self, out: Path, form: Form) -> None:
        self.places: dict[str, int] = {}
        self._parts: list[Part] = []
        self._masks: list[Any] = []
        self._maps = form.maps
        for path in sorted(out.glob("*.arrow")):
            try:
                part = open_part(path)
            except SourceError:
                continue  # it is written anew, and nothing of it used
            if part.meta.get("form") != form.plain() or not part.meta.get("reusable"):
                continue
            first = len(self._parts) << _ROWS
            self.places.update(zip(part.table["entry"].to_pylist(), range(first, first + len(part)), strict=True))
            self._parts.append(part)
            self._masks.append(part.table["mask"].is_valid() if form.masks else None)

    def found(self, place: int) -> Found:
        """Where one of them lies."""
        which, number = place >> _ROWS, place & ((1 << _ROWS) - 1)
        part, masks = self._parts[which], self._masks[which]
        mask = part.regions["mask"] if masks is not None and masks[number].as_py() else None
        gaps = "filled" in part.table.column_names
        maps = {name: part.regions[map_column(name)] for name in self._maps}
        return Found(part.regions["image"], mask, number, partial(_row, part, number), gaps, maps)

    def file(self, place: int) -> Path:
        """The file that one of them lies in."""
        return self._parts[place >> _ROWS].regions["image"].path


def _row(part: Part, number: int) -> Mapping[str, Any]:
    names = [name for name in _KEPT if name in part.table.column_names]
    cells = {name: part.table[name][number].as_py() for name in names}
    size = [cells[name] for name in ("depth", "height", "width") if cells.get(name) is not None]
    return {"size": size, **{name: cells[name] for name in ("world", "objects", "filled") if name in cells}}
