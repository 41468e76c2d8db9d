"""Rows of tables become records: what every layout of tables shares."""

from __future__ import annotations

import datetime
import decimal
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from imagemill.core.errors import SourceError
from imagemill.data.instances import Scalar
from imagemill.data.record import Blob, Record
from imagemill.data.sources.base import Problem, ReadSource, Source
from imagemill.data.sources.cells import BadCell, Place, Placed, image_at, is_safe_key, text_key
from imagemill.data.sources.classes import name_labels
from imagemill.data.sources.columns import Columns, guess_columns, normal_split
from imagemill.data.sources.objects import read_objects
from imagemill.data.sources.sidecar import Sidecar
from imagemill.data.sources.textnumbers import typed_column

__all__ = ["Table", "read_tables", "unique_keys"]


@dataclass(frozen=True, slots=True)
class Table:
    """One table, as its format gives it.

    Parameters
    ----------
    name : str
        What errors call it.
    base : Path
        Folder that paths in it are relative to.
    columns : tuple of str
    rows : iterable of (int, sequence)
        Number of each row as errors count it, and its cells.
    unit : str
        What the number counts: ``"line"`` or ``"row"``.
    split : str or None
        Of the whole table.
    stem : str
        What keys that have to be made up begin with.
    is_text : bool
        Whether cells are text in which numbers must be recognised.
    prefix : str
        What keys that are paths in the table begin with.
    problems : list of Problem
        Filled while the rows are read.
    notes : tuple of str
    """

    name: str
    base: Path
    columns: tuple[str, ...]
    rows: Iterable[tuple[int, Sequence[Any]]]
    unit: str = "row"
    split: str | None = None
    stem: str = ""
    is_text: bool = False
    prefix: str = ""
    problems: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What has been read so far."""

    records: list[Record] = field(default_factory=list)
    labels: list[Any] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    made_up: int = 0
    odd_splits: Counter[str] = field(default_factory=Counter)


def read_tables(
    root: Path, layout: str, tables: Sequence[Table], options: ReadSource, sidecar: Sidecar | None = None
) -> Source:
    """Make a source of one or several tables.

    Parameters
    ----------
    root : Path
    layout : str
        Name of the layout.
    tables : sequence of Table
    options : ReadSource
        ``extra`` may hold ``classes`` (a list of names, or a file with one per line or as JSON) and ``boxes``
        (``"xyxy"`` where boxes are left, top, right, bottom; default ``"xywh"``).
    sidecar : Sidecar or None
        What is known besides: class names and so on.

    Raises
    ------
    SourceError
        When no row can be taken in, or no column holds images.
    """
    sidecar = sidecar or Sidecar()
    found, notes = _Found(), list(sidecar.notes)
    for table in tables:
        columns = guess_columns(table.columns, options, table.name)
        notes += [note for note in (*table.notes, *columns.notes) if note not in notes]
        place = Place(table.base, options)
        read = _Reader(table, columns, place, sidecar.categories, _corners(options))
        read.into(found)
        found.problems += table.problems
    named, classes, class_notes = name_labels(root, found.labels, found.records, options, sidecar.classes)
    records, bad = named
    found.problems += bad
    if not records:
        first = f"; the first: {found.problems[0]}" if found.problems else ""
        msg = f"expected rows with images in {root}, got {len(found.problems)} that cannot be taken in{first}"
        raise SourceError(f"{msg}; mend the table or the paths in it")
    unique, again = unique_keys(records)
    return Source(
        root,
        layout,
        unique,
        notes=tuple([*notes, *class_notes, *_notes(found, again)]),
        classes=classes,
        categories=sidecar.categories,
        joint_names=sidecar.joint_names,
        links=sidecar.links,
        problems=tuple(found.problems),
        info=sidecar.info,
    )


def _corners(options: ReadSource) -> bool:
    form = options.extra.get("boxes", "xywh")
    if form not in ("xywh", "xyxy"):
        raise SourceError(f"expected boxes as 'xywh' or 'xyxy', got {form!r}; choose one of them")
    return bool(form == "xyxy")


def _notes(found: _Found, again: int) -> list[str]:
    notes = []
    if found.made_up:
        notes.append(f"{found.made_up} rows without a name of their own are called by their number")
    if again:
        notes.append(f"{again} rows repeat the key of one before, and got a number behind it")
    if found.left_out:
        names = ", ".join(sorted(found.left_out)[:8])
        notes.append(f"columns left out, for they hold neither text nor numbers: {names}")
    if found.odd_splits:
        names = ", ".join(repr(name) for name, _ in found.odd_splits.most_common(5))
        notes.append(f"{found.odd_splits.total()} rows name a split other than train, val or test: {names}")
    return notes


def unique_keys(records: Iterable[Record]) -> tuple[tuple[Record, ...], int]:
    """Number keys that come again ``#2``, ``#3``; a key that really ends so keeps its name.

    Returns
    -------
    tuple
        The records, and how many had to be renamed.

    Examples
    --------
    >>> records, again = unique_keys([Record("a", Path("a")), Record("a", Path("b"))])
    >>> [record.key for record in records], again
    (['a', 'a#2'], 1)
    """
    records = list(records)
    taken, counts, unique, again = {record.key for record in records}, Counter[str](), [], 0
    for record in records:
        counts[record.key] += 1
        if (number := counts[record.key]) > 1:
            again += 1
            while (key := f"{record.key}#{number}") in taken:
                number += 1
            taken.add(key)
            record = replace(record, key=key)
        unique.append(record)
    return tuple(unique), again


@dataclass(frozen=True, slots=True)
class _Reader:
    table: Table
    columns: Columns
    place: Place
    categories: tuple[str, ...]
    corners: bool

    def into(self, found: _Found) -> None:
        """Read every row."""
        rows: Iterable[tuple[int, Sequence[Any]]] = self.table.rows
        converters: dict[int, Any] = {}
        if self.table.is_text:
            rows = list(rows)
            converters = {n: typed_column(cells[n] for _, cells in rows) for n, _ in self.columns.attributes}
        for index, (number, cells) in enumerate(rows):
            name = f"{self.table.name}: {self.table.unit} {number}"
            try:
                record, label = self.record(index, name, cells, found, converters)
            except BadCell as error:
                found.problems.append(Problem(name, f"{name}: {error}"))
                continue
            found.records.append(record)
            found.labels.append(label)

    def record(
        self, index: int, name: str, cells: Sequence[Any], found: _Found, converters: dict[int, Any]
    ) -> tuple[Record, Any]:
        """Make a record of a row, and give its label as the table has it."""
        roles = self.columns.roles

        def cell(role: str) -> Any:
            value = cells[roles[role]] if role in roles else None
            return None if isinstance(value, str) and not value.strip() else value

        image = image_at(cell("image"), self.place, name)
        mask_cell = cell("mask")
        mask = None if mask_cell is None else image_at(mask_cell, self.place, f"{name} (mask)")
        label, labels = cell("label"), _labels(cell("labels"), self.place.options.labels_separator)
        if isinstance(label, list | tuple):
            label, labels = None, _labels(label, "|")
        attributes = self._attributes(cells, found, converters)
        split, group = cell("split"), cell("group")
        if split is not None and normal_split(str(split)) is None:
            found.odd_splits[str(split)] += 1
            attributes.setdefault(self.table.columns[roles["split"]], _scalar(split) or str(split))
        record = Record(
            self._key(index, cells, image, found),
            image,
            mask,
            label=label if isinstance(label, str) else None,
            labels=labels,
            objects=read_objects(cell("boxes"), cell("categories"), self.categories, self.corners),
            split=self.table.split if split is None else normal_split(str(split)),
            group=None if group is None else str(group),
            size=_size(cell("height"), cell("width")),
            attributes=attributes,
        )
        return record, label

    def _attributes(self, cells: Sequence[Any], found: _Found, converters: dict[int, Any]) -> dict[str, Scalar]:
        attributes: dict[str, Scalar] = {}
        for n, column in self.columns.attributes:
            value = cells[n]
            if value is None or (self.table.is_text and value == ""):
                continue
            if n in converters:
                attributes[column] = converters[n](value)
            elif (scalar := _scalar(value)) is not None:
                attributes[column] = scalar
            else:
                found.left_out[column] += 1
        return attributes

    def _key(self, index: int, cells: Sequence[Any], image: Any, found: _Found) -> str:
        """The key a row names, the path of its image, or one made up from its number."""
        roles = self.columns.roles
        if "key" in roles and is_safe_key(key := cells[roles["key"]]):
            return str(key)
        cell = cells[roles["image"]]
        given = [cell.path] if isinstance(cell, Placed) else []
        if isinstance(cell, dict):
            cell = cell.get("path")
            given = [cell]
        if isinstance(image, Path) and isinstance(cell, str):
            text = unquote(urlsplit(cell).path) if cell.lower().startswith("file:") else cell
            if key := text_key(text, self.place.base):
                return self.table.prefix + key
        if isinstance(image, Blob) and image.name.startswith(("http://", "https://")):
            parts = urlsplit(image.name)
            if is_safe_key(key := f"{parts.hostname}{unquote(parts.path)}"):
                return key
        if not isinstance(image, Path):
            for name in (*given, *(cells[n] for n in self.columns.names)):
                if is_safe_key(name):
                    return f"{self.table.prefix}{name}"
        found.made_up += 1
        return f"{self.table.stem}row-{index:06d}"


def _labels(cell: Any, separator: str) -> tuple[str, ...] | None:
    """Several labels: a list, a JSON list as text, or text with something between."""
    if cell is None:
        return None
    if isinstance(cell, str):
        if cell.startswith("[") and cell.endswith("]"):
            try:
                cell = json.loads(cell)
            except ValueError:
                cell = cell[1:-1]
        if isinstance(cell, str):
            return tuple(part.strip() for part in cell.split(separator) if part.strip())
    if not isinstance(cell, list | tuple):
        cell = [cell]
    if not all(isinstance(one, str | int) for one in cell):
        raise BadCell(f"expected labels as a list of names, got {str(cell)[:60]!r}; mend the cell")
    return tuple(map(str, cell))


def _size(height: Any, width: Any) -> tuple[int, int] | None:
    """Height and width where both are whole numbers of pixels."""
    try:
        size = (int(height), int(width))
    except (TypeError, ValueError, OverflowError):
        return None
    return size if min(size) > 0 else None


def _scalar(value: Any) -> Scalar | None:
    """What an attribute may be; dates and exact decimals become text and numbers."""
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime.date | datetime.time | datetime.datetime):
        return value.isoformat()
    return float(value) if isinstance(value, decimal.Decimal) else None
