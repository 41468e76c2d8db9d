"""Label maps that have to be made from what is stored: of one file per annotation, and of colours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.data.codecs.base import Picture, ReadOptions, problem
from imagemill.data.codecs.label_values import label_map
from imagemill.data.codecs.registry import decode
from imagemill.data.layouts.labelmaps.colour_table import ColourTable
from imagemill.data.records.record import Stored

__all__ = ["FAR", "Coloured", "Merged", "coloured", "merged"]

_READ = ReadOptions(labels=True)
FAR = 64.0
"""How far a colour of a JPEG may be from the table's, as distance of red, green and blue."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Reads the label maps of one image, one for each annotation or region, and makes one of them.

    Parameters
    ----------
    files : tuple of Path
        In the order of their numbers, which count from 1.
    how : str
        ``"number"`` gives each file's pixels its number, ``"union"`` gives 1 to what any file marks.
    table : ColourTable or None
        What colours mean in them.
    """

    files: tuple[Path, ...]
    how: Literal["number", "union"] = "number"
    table: ColourTable | None = None

    def __call__(self) -> Picture:
        first = _labels(self.files[0], self.table)
        kind = np.uint8 if len(self.files) < 256 else np.uint16
        found = np.zeros(first.array.shape, kind)
        twice = 0
        for number, path in enumerate(self.files, 1):
            there = (first if number == 1 else _labels(path, self.table)).array
            if there.shape != found.shape:
                expected = f"a label map of shape {found.shape} like {self.files[0].name}"
                raise problem(path, expected, f"{there.shape}", "remove it, or bring it to that size")
            marked = there != 0
            twice += int(np.count_nonzero(marked & (found != 0)))
            found[marked] = number if self.how == "number" else 1
        note = f"made of {len(self.files)} files" if len(self.files) > 1 else first.note
        if twice and self.how == "number":
            note += f", {twice:,} pixels lie in more than one: the last counts"
        return Picture(found, first.axes, first.affine, {**first.meta, "of_labels": note} if note else first.meta, note)


@dataclass(frozen=True, slots=True)
class Coloured:
    """Reads a label map of colours, and turns them into class numbers.

    Parameters
    ----------
    file : Path
    table : ColourTable
    """

    file: Path
    table: ColourTable

    def __call__(self) -> Picture:
        return _labels(self.file, self.table)


def merged(
    files: tuple[Path, ...], name: str, how: Literal["number", "union"] = "number", table: ColourTable | None = None
) -> Stored:
    """The one label map of several files; nothing is read before it is needed."""
    return Stored(name, Merged(files, how, table))


def coloured(file: Path, table: ColourTable) -> Stored:
    """The label map of a file of colours; nothing is read before it is needed."""
    return Stored(str(file), Coloured(file, table))


def _labels(path: Path, table: ColourTable | None) -> Picture:
    picture = decode(path, _READ)
    if table is None or picture.channels not in (3, 4):
        return label_map(path, picture)
    colours = picture.array
    if picture.channels == 4:
        if np.any(colours[..., 3] != colours.flat[3]):
            raise problem(path, "colours of classes", "alpha that varies", "save it without alpha")
        colours = colours[..., :3]
    if colours.dtype != np.uint8:
        raise problem(path, "colours of 8 bits", str(colours.dtype), "save it as 8 bit RGB")
    exact = picture.meta.get("format") != "jpeg"
    array, note = _numbers(path, colours, table, exact=exact)
    notes = "; ".join(filter(None, (picture.note, note)))
    meta = {**picture.meta, "of_labels": note} if note else picture.meta
    return Picture(array, picture.axes.removesuffix("c"), picture.affine, meta, notes)


def _numbers(path: Path, colours: Any, table: ColourTable, *, exact: bool) -> tuple[Any, str]:
    """Class numbers of colours; those of a JPEG by the nearest colour."""
    packed = (colours[..., 0].astype(np.int32) << 16) | (colours[..., 1].astype(np.int32) << 8) | colours[..., 2]
    seen, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    number_of = {(r << 16) | (g << 8) | b: number for (r, g, b), number in table.numbers}
    numbers = np.array([number_of.get(int(value), -1) for value in seen], np.int64)
    unknown = numbers < 0
    note = ""
    if not exact and unknown.any():
        known = np.array([colour for colour, _ in table.numbers], np.float64)
        meant = np.array([number for _, number in table.numbers], np.int64)
        parts = np.stack([seen >> 16 & 255, seen >> 8 & 255, seen & 255], axis=-1)[unknown].astype(np.float64)
        nearest, distance = _nearest(parts, known)
        note = f"JPEG is lossy: {int(counts[unknown].sum()):,} pixels took the class of the nearest colour"
        numbers[unknown] = np.where(distance <= FAR, meant[nearest], -1)
        unknown = numbers < 0
    if unknown.any():
        raise CodecError(_unknown(path, table, Counter(dict(zip(seen[unknown], counts[unknown], strict=True)))))
    kind = np.uint8 if numbers.max() < 256 else np.uint16
    return numbers.astype(kind)[places.reshape(packed.shape)], note


def _nearest(parts: Any, known: Any) -> tuple[Any, Any]:
    """Which colour is nearest and how far it is, in blocks that stay small."""
    where, far = [], []
    for start in range(0, len(parts), 4096):
        apart = np.linalg.norm(parts[start : start + 4096, None] - known[None], axis=-1)
        where.append(apart.argmin(axis=1))
        far.append(apart.min(axis=1))
    return np.concatenate(where), np.concatenate(far)


def _unknown(path: Path, table: ColourTable, counted: Counter[Any]) -> str:
    total = sum(counted.values())
    shown = ", ".join(
        f"{int(value) >> 16} {int(value) >> 8 & 255} {int(value) & 255} in {int(count):,} pixels"
        for value, count in counted.most_common(3)
    )
    more = f" and {len(counted) - 3} more colours" if len(counted) > 3 else ""
    return (
        f"{path}: expected the {len(table.numbers)} colours of {table.said_by}, got {len(counted)} other"
        f"{'s' if len(counted) > 1 else ''} in {int(total):,} pixels ({shown}{more}); add them to the table"
    )
