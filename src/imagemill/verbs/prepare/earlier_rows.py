"""Where prepared records lie, and those that an earlier store has: what is known by its content is not made again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.store import Part, Region, open_part
from imagemill.verbs.prepare.picture_form import Form

__all__ = ["Found", "earlier_rows"]

_KEPT = ("height", "width", "depth", "world", "objects", "filled")


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
    """

    image: Region
    mask: Region | None
    number: int
    row: Callable[[], Mapping[str, Any]]
    gaps: bool = False


def earlier_rows(out: Path, form: Form) -> dict[str, Found]:
    """Rows of an earlier store, by entry; none of one that holds other pixels."""
    found: dict[str, Found] = {}
    for path in sorted(out.glob("*.arrow")):
        try:
            part = open_part(path)
        except SourceError:
            continue  # it is written anew, and nothing of it used
        if part.meta.get("form") != form.plain() or not part.meta.get("reusable"):
            continue
        masks = part.table["mask"].is_valid().to_pylist() if form.masks else [False] * len(part)
        for number, entry in enumerate(part.table["entry"].to_pylist()):
            mask = part.regions["mask"] if masks[number] else None
            gaps = "filled" in part.table.column_names
            found[entry] = Found(part.regions["image"], mask, number, _row_of(part, number), gaps)
    return found


def _row_of(part: Part, number: int) -> Callable[[], Mapping[str, Any]]:
    def row() -> Mapping[str, Any]:
        names = [name for name in _KEPT if name in part.table.column_names]
        cells = {name: part.table[name][number].as_py() for name in names}
        size = [cells[name] for name in ("depth", "height", "width") if cells.get(name) is not None]
        return {"size": size, **{name: cells[name] for name in ("world", "objects", "filled") if name in cells}}

    return row
