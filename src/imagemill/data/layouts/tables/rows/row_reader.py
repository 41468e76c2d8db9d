"""One row of a table becomes one row of `gather`: its picture, its labels, its annotations."""

from __future__ import annotations

import datetime
import decimal
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.base import Problem
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_rle
from imagemill.data.layouts.shapes.source_orientation import read_frame
from imagemill.data.layouts.tables.cells.annotation_cells import CATEGORY_NAMES, read_objects
from imagemill.data.layouts.tables.cells.image_cells import (
    BadCell,
    NoFile,
    Place,
    Placed,
    image_at,
    is_safe_key,
    path_inside,
    text_key,
)
from imagemill.data.layouts.tables.cells.text_lists import boxes_text, unquoted
from imagemill.data.layouts.tables.columns.box_columns import squashed
from imagemill.data.layouts.tables.columns.column_content import is_empty, spread
from imagemill.data.layouts.tables.columns.column_names import flag_splits, normal_split
from imagemill.data.layouts.tables.columns.columns import Columns, Sample
from imagemill.data.layouts.tables.columns.multi_label import LIST, several_labels
from imagemill.data.layouts.tables.rows.find_files import Trail
from imagemill.data.layouts.tables.rows.merge_rows import Row
from imagemill.data.layouts.tables.rows.row_annotations import (
    Sizes,
    are_parts,
    bare_boxes,
    box_form,
    box_of,
    corners_or_lengths,
    mask_of,
)
from imagemill.data.records.instances import Instance, Scalar
from imagemill.data.records.record import Blob, Pixels, Record, split_suffix
from imagemill.data.remote.remote_path import relative

__all__ = ["Found", "RowReader"]

_NO_ANNOTATION = frozenset(("nofinding", "background", "none", "nan", "negative", "nothing"))
_JUDGED = 40
_YES = frozenset(("1", "1.0", "true", "yes"))
_NO = frozenset(("0", "0.0", "-1", "-1.0", "false", "no", ""))


@dataclass(slots=True)
class Found:
    """What has been read so far, and what there is to say of it."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    made_up: int = 0
    odd_splits: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    trails: Counter[tuple[str, str]] = field(default_factory=Counter)
    hot: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one table.

    Parameters
    ----------
    name, unit : str
        What errors call the table, and what its numbers count.
    names : tuple of str
        Its columns.
    columns : Columns
        What they are.
    place, pictures : Place
        Where paths of other columns start, and those of images.
    sample : Sample
        Rows of it, to look at.
    is_text : bool
        Whether cells are text in which numbers must be recognised.
    split, stem, prefix : str
        As those of a table.
    categories : tuple of str
        Names of categories that are given as numbers.
    found : Found
        What is filled.
    converters : dict
        What turns the text of an attribute into its value, by column.
    """

    name: str
    unit: str
    names: tuple[str, ...]
    columns: Columns
    place: Place
    pictures: Place
    sample: Sample
    is_text: bool
    split: str | None
    stem: str
    prefix: str
    categories: tuple[str, ...]
    found: Found
    converters: dict[int, Callable[[str], Scalar]] = field(default_factory=dict)
    sizes: Sizes = field(default_factory=Sizes)
    trails: dict[int, Trail] = field(default_factory=dict)
    form: str = "xywh"
    parts_of_size: bool = False

    def __post_init__(self) -> None:
        """Find out what the numbers of boxes are."""
        self.trails = dict(self.columns.trails)
        self.sizes = Sizes(read_frame(self.place.options) or "shown")
        told = box_form(self.place.options)
        self.form = told or (self.columns.box.form if self.columns.box is not None else "xywh")
        if self.columns.box is not None:
            values = [row[n] for row in self.sample.rows for n in self.columns.box.numbers]
            self.parts_of_size = are_parts(values)
        elif "boxes" in self.columns.roles and "key" not in self.columns.roles:
            self._judge(told)

    def _judge(self, told: str | None) -> None:
        """Whether boxes in one cell are parts of the size, and whether two of their numbers are a corner."""
        boxes: list[tuple[Sequence[float], tuple[int, int]]] = []
        before = self.found.trails.copy()
        for cells in spread(self.sample.rows, _JUDGED):
            found = bare_boxes(cells[self.columns.roles["boxes"]])
            if found:
                size = self._size_of(cells)
                boxes += [(box, size) for box in found if size is not None]
        self.found.trails = before  # these rows are counted when they are read
        self.parts_of_size = are_parts([value for box, _ in boxes for value in box])
        if told is None and boxes:
            self.form, note = corners_or_lengths(boxes, parts=self.parts_of_size)
            if note and note not in self.found.said:
                self.found.said.append(note)

    def _size_of(self, cells: Sequence[Any]) -> tuple[int, int] | None:
        """Height and width of a row's picture; None where it cannot be read."""
        roles = self.columns.roles
        stated = _size(*(cells[roles[name]] if name in roles else None for name in ("height", "width")))
        try:
            return self.sizes.of(self._picture(cells[roles["image"]], "row", "image", ())[0], stated)
        except BadCell:
            return None

    def read(self, rows: Iterator[tuple[int, Sequence[Any]]]) -> None:
        """Read every row."""
        for index, (number, cells) in enumerate(rows):
            name = f"{self.name}: {self.unit} {number}"
            try:
                self.found.rows.append(self.row(index, name, cells))
            except BadCell as error:
                if isinstance(error, NoFile):
                    self.found.missing.append(str(cells[self.columns.roles["image"]]))
                self.found.problems.append(Problem(name, f"{name}: {error}", isinstance(error, NoFile)))

    def row(self, index: int, name: str, cells: Sequence[Any]) -> Row:
        """Make a row of a row's cells."""
        roles = self.columns.roles

        def cell(role: str) -> Any:
            if role not in roles:
                return None
            value = cells[roles[role]]
            return None if is_empty(value) else value

        split, group, label = self._split(cell("split")), cell("group"), cell("label")
        hints = [hint for hint in (split or self.split, label) if isinstance(hint, str)]
        image, key, more = self._picture(cells[roles["image"]], name, "image", hints)
        mask_cell = cell("mask")
        mask = None if mask_cell is None else self._picture(mask_cell, f"{name} (mask)", "mask", hints)[0]
        labels = self._labels(cells, cell("labels"))
        if isinstance(label, list | tuple):
            label, labels = None, _several(label, LIST)
        attributes = self._attributes(cells)
        odd = cell("split")
        if odd is not None and split is None:
            self.found.odd_splits[str(odd)] += 1
            attributes.setdefault(self.names[roles["split"]], _scalar(odd) or str(odd))
        size = _size(cell("height"), cell("width"))
        annotations = self._annotations(cells, cell, image, size, label if more is None else more)
        if annotations and size is None and (self.parts_of_size or "runs" in roles):
            # What was scaled to a size, or counted in it, is meant on the picture of that size.
            size = self.sizes.of(image, None)
        if annotations is not None and self._names_annotations(cell("boxes")):
            label = label if "label" in self.columns.told else None
            labels = labels if "labels" in self.columns.told or not _bare(cell("boxes")) else None
        record = Record(
            key if key is not None else self._key(index, cells, image),
            image,
            mask,
            label=label if isinstance(label, str) else None,
            labels=labels,
            objects=annotations,
            split=self.split if odd is None else split,
            group=None if group is None else str(group),
            size=size,
            attributes=attributes,
        )
        return Row(name, record, label, annotations, self._same(image))

    def _names_annotations(self, boxes: Any) -> bool:
        """Whether the class of a row is that of its annotations, and not that of the picture."""
        return self.columns.box is not None or "runs" in self.columns.roles or _bare(boxes)

    def _same(self, image: Pixels) -> str | None:
        if "key" in self.columns.roles:
            return None
        if isinstance(image, Path):
            text = str(image)
            return os.path.normpath(text) if ".." in text else text
        return image.name if isinstance(image, Blob) and image.name.startswith(("http://", "https://")) else None

    def _split(self, cell: Any) -> str | None:
        if cell is None:
            return None
        flags = flag_splits(self.names[self.columns.roles["split"]])
        text = str(cell).strip().lower()
        if flags is not None and text in _YES | _NO:
            return flags[text not in _YES]
        return normal_split(str(cell))

    def _picture(self, cell: Any, name: str, role: str, hints: Sequence[str]) -> tuple[Pixels, str | None, str | None]:
        """Where a picture is, its key where its file was looked for, and the class that stands behind its name."""
        place = self.pictures if role == "image" else self.place
        if isinstance(cell, int) and not isinstance(cell, bool):
            cell = str(cell)
        try:
            return image_at(cell, place, name), None, None
        except NoFile:
            text = unquoted(cell.get("path", "") if isinstance(cell, dict) else cell)
            found = self._found(text, role, hints)
            if found is not None:
                return (*found, None)
            # Kaggle's "0011165.jpg_Fish": the file, and a class behind it.
            head, mark, tail = text.rpartition("_")
            if mark and is_readable_name(head):
                try:
                    return image_at(head, place, name), text_key(head, place.base), tail
                except NoFile:
                    if (found := self._found(head, role, hints)) is not None:
                        return (*found, tail)
            if self._trail(self.columns.roles[role]).anywhere:
                where = self.sample.finder.root
                msg = f"expected a file that is called so below {where}, got none for {text[:120]!r}; check the path"
                raise NoFile(msg) from None
            raise

    def _found(self, text: str, role: str, hints: Sequence[str]) -> tuple[Path, str] | None:
        """The file that a path means although it is not there as it is written, and its key."""
        trail = self._trail(self.columns.roles[role])
        root = Place(trail.finder.root, self.place.options, self.place.real)
        if trail.finder.root != self.pictures.base:
            # A table in a folder of its own names files beside that folder.
            key = relative(self.pictures.base / text.replace("\\", "/"), trail.finder.root)
            if is_safe_key(key) and (trail.finder.root / key).is_file():
                return path_inside(key, root), key
        keys = trail.find(text, hints, mask=role == "mask")
        if len(keys) > 1:
            do = "say which folder: images='DIR' (--option images=DIR)"
            raise BadCell(f"expected one file named {text[:80]!r}, got {', '.join(keys[:3])}; {do}")
        if not keys:
            return None
        # The folder may hold links that lead out of it.
        path, key = path_inside(keys[0], root), keys[0]
        folder = key.rpartition("/")[0] if trail.anywhere else ""
        self.found.trails[_how(text.replace("\\", "/"), key, trail), folder] += 1
        return path, key

    def _trail(self, number: int) -> Trail:
        """What leads from the cells of a column to files; found out where it is first needed."""
        if number not in self.trails:
            seen = self.sample.seen(number, search=True)
            self.trails[number] = seen.trail or Trail(self.sample.finder)
        return self.trails[number]

    def _labels(self, cells: Sequence[Any], cell: Any) -> tuple[str, ...] | None:
        """Several labels of a row: those of a cell, or of columns of 0 and 1."""
        if not self.columns.hot:
            return None if cell is None else _several(cell, self.columns.separator)
        found = []
        for n in self.columns.hot:
            text = str(cells[n]).strip().lower() if cells[n] is not None else ""
            if text in _YES:
                found.append(self.names[n])
            elif text not in _NO:
                raise BadCell(f"expected 0 or 1 in {self.names[n]!r}, got {cells[n]!r}; mend the cell")
        return tuple(found)

    def _annotations(
        self, cells: Sequence[Any], cell: Callable[[str], Any], image: Pixels, size: tuple[int, int] | None, label: Any
    ) -> tuple[Instance, ...] | None:
        named = cell("categories")
        category = named if isinstance(named, str) else label
        name = "object" if is_empty(category) else _class_text(category)
        if self.columns.box is not None:
            scale = self.sizes.of(image, size) if self.parts_of_size else None
            box = box_of(cells, self.columns.box, self.form, scale)
            return () if box is None else (Instance(name, box),)
        if "runs" in self.columns.roles:
            text = cell("runs")
            if text is None:
                return ()
            rows = self.place.options.extra.get("rle") == "rows"
            masks = mask_of(text, name, self.sizes.of(image, size), rows=rows)
            return tuple(replace(one, box=bounds_of_rle(one.rle)) for one in masks if one.rle is not None)
        boxes = cell("boxes")
        empty = boxes is None and "boxes" in self.columns.roles and self.is_text
        if empty and label is not None and squashed(str(label)) in _NO_ANNOTATION:
            return ()
        names = named
        if named is None and _bare(boxes):
            several = cell("labels")
            names = label if several is None else several_labels(several, self.columns.separator)
        scale = self.sizes.of(image, size) if self.parts_of_size and boxes is not None else None
        return read_objects(boxes, names, self.categories, self.form, scale)

    def _attributes(self, cells: Sequence[Any]) -> dict[str, Scalar]:
        attributes: dict[str, Scalar] = {}
        for n, column in self.columns.attributes:
            value = cells[n]
            if value is None or (self.is_text and value == ""):
                continue
            if n in self.converters:
                attributes[column] = self.converters[n](value)
            elif (scalar := _scalar(value)) is not None:
                attributes[column] = scalar
            else:
                self.found.left_out[column] += 1
        return attributes

    def _key(self, index: int, cells: Sequence[Any], image: Any) -> str:
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
            cell = unquoted(cell)
            text = unquote(urlsplit(cell).path) if cell.lower().startswith("file:") else cell
            if key := text_key(text, self.pictures.base):
                return self.prefix + key
        if isinstance(image, Blob) and image.name.startswith(("http://", "https://")):
            parts = urlsplit(image.name)
            if is_safe_key(key := f"{parts.hostname}{unquote(parts.path)}"):
                return key
        if isinstance(image, Path):
            if is_safe_key(key := relative(image, self.pictures.base)):
                return self.prefix + key
        else:
            for name in (*given, *(cells[n] for n in self.columns.names)):
                if is_safe_key(name):
                    return f"{self.prefix}{name}"
        self.found.made_up += 1
        return f"{self.stem}row-{index:06d}"


def _bare(boxes: Any) -> bool:
    """Whether boxes come without classes of their own."""
    if isinstance(boxes, str):
        boxes = boxes_text(boxes)
    if isinstance(boxes, dict):
        return not any(key in boxes for key in CATEGORY_NAMES)
    return isinstance(boxes, list | tuple) and not (boxes and isinstance(boxes[0], dict))


def _how(text: str, key: str, trail: Trail) -> str:
    """What was done to a path to find its file."""
    if trail.strip:
        return f"without their first folders, {trail.begin!r}, which are not here"
    last, name = text.rpartition("/")[2], key.rpartition("/")[2]
    if last.isdecimal() and name.lstrip("0").startswith(last + ".") and not name.startswith(last):
        return f"with leading zeros and the suffix {split_suffix(name)[1]}"
    if last and name.startswith(last) and name[len(last) :].startswith("."):
        return f"with the suffix {name[len(last) :]}"
    return "in another folder" if last == name else "in another spelling (Unicode's form, or upper and lower case)"


def _class_text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _several(cell: Any, separator: str | None) -> tuple[str, ...]:
    try:
        return several_labels(cell, separator)
    except ValueError as error:
        raise BadCell(f"expected labels as a list of names, got {error!s:.60}; mend the cell") from error


def _size(height: Any, width: Any) -> tuple[int, int] | None:
    """Height and width where both are whole numbers of pixels."""
    try:
        size = (int(float(height)), int(float(width)))
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
