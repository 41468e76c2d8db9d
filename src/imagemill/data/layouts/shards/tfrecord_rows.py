"""What is in TFRecord files: records, and the features of each as a row of a table."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.codecs.base import problem
from imagemill.data.codecs.header_size import image_size
from imagemill.data.codecs.sniff import HEAD, sniff
from imagemill.data.layouts.arrays.array_names import role_of
from imagemill.data.layouts.base import Problem, ReadSource
from imagemill.data.layouts.shards.crc32c import masked_crc32c
from imagemill.data.layouts.shards.decompressed import UNPACKED, unpacked
from imagemill.data.layouts.shards.tf_example import Features, decode_example
from imagemill.data.layouts.tables.cells.image_cells import Placed
from imagemill.data.layouts.tables.columns.column_names import role_of as column_role
from imagemill.data.layouts.tables.rows.table import Table
from imagemill.data.layouts.tables.table_files import split_of_name
from imagemill.data.records.record import Blob, Stored, split_suffix

__all__ = ["Names", "begins_as_records", "most_label", "read_names", "read_table"]

_LARGEST = 1024**3
_BOX = "image/object/bbox/"
_RENAMED = {
    **{"image/filename": "key", "image/encoded": "image", "image_raw": "image", "image/height": "height"},
    **{"image/width": "width", "image/segmentation/class/encoded": "mask", "image/class/label": "label"},
    **{"segmentation_mask": "mask", "mask_raw": "mask", "image/mask": "mask", "rows": "height", "cols": "width"},
}
_TEXTS = frozenset(("image/object/class/text", "image/class/text", "image/format", "image/source_id"))
_ANNOTATIONS = ("class/text", "class/label", "is_crowd", "bbox/xmin", "bbox/ymin", "bbox/xmax", "bbox/ymax")
_DEPTHS = ("depth", "channels", "image/depth", "image/channels")
_SHAPES = ("shape", "image/shape", "image_shape")
_KINDS = {1: "u1", 2: "<u2", 4: "<f4", 8: "<f8"}
_ITEM = re.compile(r"item\s*\{(.*?)\}", re.DOTALL)
_ID, _CALLED = re.compile(r"\bid\s*:\s*(\d+)"), re.compile(r"\b(?:display_name|name)\s*:\s*['\"](.*?)['\"]")
_LINE = re.compile(r"(\d+)\s*[:\t ]\s*(\S.*)")

Read = Callable[[int, int], bytes]


def begins_as_records(path: Path) -> bool:
    """Whether a file begins with the length of a record and its checksum, plain or gzip."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                head = packed.read(12)
    except (OSError, EOFError, zlib.error):
        return False
    return len(head) == 12 and masked_crc32c(head[:8]) == struct.unpack("<I", head[8:])[0]


@dataclass(frozen=True, slots=True)
class Names:
    """Names of classes that files beside the records say.

    Parameters
    ----------
    classes : tuple of str
        Of whole pictures, in the order of their numbers.
    annotations : mapping
        Of the annotations in them, by number.
    file : str
        Where `classes` are from.
    read : tuple of Path
        The files.
    """

    classes: tuple[str, ...] = ()
    annotations: Mapping[int, str] = field(default_factory=dict)
    file: str = ""
    read: tuple[Path, ...] = ()


def read_names(folder: Path) -> Names:
    """Read ``label_map.pbtxt`` (object detection), ``labels.txt`` (``0:cat``), ``label.labels.txt`` (a name a line)."""
    classes: tuple[str, ...] = ()
    annotations: dict[int, str] = {}
    said, read = "", []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".pbtxt", ".txt") or not path.is_file():
            continue
        if path.suffix.lower() == ".txt" and not path.name.lower().endswith("labels.txt"):
            continue
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):  # nothing but names is lost, and the file counts as passed over
            continue
        if path.suffix.lower() == ".pbtxt":
            for item in _ITEM.findall(text):
                number, names = _ID.search(item), _CALLED.findall(item)
                if number and names:
                    annotations[int(number[1])] = names[-1]
        elif not classes:
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            pairs = {int(m[1]): m[2] for line in lines if (m := _LINE.fullmatch(line))}
            whole = len(pairs) == len(lines) and sorted(pairs) == list(range(len(pairs)))
            classes, said = tuple(pairs[n] for n in range(len(pairs))) if whole else tuple(lines), path.name
        read.append(path)
    return Names(classes, annotations, said, tuple(read))


def most_label(tables: Sequence[Table]) -> int:
    """The highest class number of some tables; -1 without any."""
    found = -1
    for table in tables:
        at = next((n for n, column in enumerate(table.columns) if column == "label"), None)
        rows = list(table.rows) if at is not None else []
        found = max([found, *(cells[at] for _, cells in rows if at is not None and isinstance(cells[at], int))])
    return found


def _records(path: Path, read: Read, total: int, problems: list[Problem]) -> Iterator[tuple[int, bytes]]:
    """Place and content of each record; what is damaged ends the reading, for what follows cannot be found."""

    def damaged(number: int, expected: str, got: str) -> None:
        where = f"{path.name}: record {number}"
        msg = f"{where}: expected {expected}, got {got}; get the file again, what follows was not read"
        problems.append(Problem(where, msg))

    position = number = 0
    while position < total:
        number += 1
        head = read(position, 12)
        if len(head) < 12:
            return damaged(number, "12 bytes of length and checksum", f"{len(head)}, the end of the file")
        length, check = struct.unpack("<QI", head)
        if masked_crc32c(head[:8]) != check:
            return damaged(number, "a length with its checksum", "one that does not fit")
        if position + 16 + length > total or length > _LARGEST:
            return damaged(number, f"{length:,} bytes", "fewer until the end of the file, or too many")
        data = read(position + 12, length + 4)
        if masked_crc32c(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
            return damaged(number, "data with its checksum", "one that does not fit")
        yield position + 12, data[:-4]
        position += 16 + length


@dataclass(frozen=True, slots=True)
class _Plain:
    """Reads places of a file that is opened for each: records weigh nothing, and travel to other processes."""

    path: Path

    def __call__(self, offset: int, size: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)


@dataclass(slots=True)
class _Reader:
    """One file that is being read."""

    path: Path
    read: Read
    annotations: Mapping[int, str]
    shape: list[int] | None = None
    passed: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def say(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def read_table(path: Path, root: Path, annotations: Mapping[int, str], options: ReadSource) -> Table:
    """The records of a file as a table.

    Parameters
    ----------
    path, root : Path
        The file, and the folder whose names say the part where the file's does not.
    annotations : mapping
        Names of categories by their numbers.
    options : ReadSource
        ``extra["max_bytes"]`` bounds what a compressed file may unpack to; ``extra["shape"]`` says height, width and
        channels of raw pixels.

    Raises
    ------
    SourceError
        When it cannot be read.
    """
    problems: list[Problem] = []
    rows: list[tuple[int, dict[str, Any]]] = []
    shape = _asked_shape(options)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            if packed:
                spool = unpacked(path, int(options.extra.get("max_bytes", UNPACKED)))
                reader, total = _Reader(path, spool.read, annotations, shape), spool.file.seek(0, 2)
                found = _records(path, spool.read, total, problems)
            else:
                reader, total = _Reader(path, _Plain(path), annotations, shape), path.stat().st_size
                found = _records(path, partial(_at, file), total, problems)
            for number, (offset, data) in enumerate(found, start=1):
                try:
                    rows.append((number, _row(reader, number, offset, data)))
                except (ValueError, UnicodeDecodeError) as error:
                    where = f"{path.name}: record {number}"
                    text = f"{where}: expected a tf.train.Example, got {error}; write it again"
                    problems.append(Problem(where, text))
    except (OSError, struct.error) as error:
        if isinstance(error, CodecError | SourceError):
            raise
        raise SourceError(f"expected a readable file, got {error}; check the path and its permissions") from error
    columns = tuple(dict.fromkeys(name for _, row in rows for name in row)) or ("image",)
    cells = [(number, [row.get(name) for name in columns]) for number, row in rows]
    folders = path.parent.relative_to(root).parts if path.parent.is_relative_to(root) else ()
    split = next((s for name in (path.name.partition(".")[0], *reversed(folders)) if (s := split_of_name(name))), None)
    stem = path.name.removesuffix(".gz").removesuffix(split_suffix(path.name.removesuffix(".gz"))[1])
    if reader.passed:
        named = ", ".join(f"{name} ({count:,})" for name, count in sorted(reader.passed.items())[:6])
        reader.say(f"features of annotations that are not used: {named}")
    base = "/".join((*folders, stem))
    return Table(
        path.name,
        path.parent,
        columns,
        cells,
        "record",
        split,
        f"{base}/",
        problems=problems,
        notes=tuple(reader.notes),
    )


def _asked_shape(options: ReadSource) -> list[int] | None:
    """The shape of raw pixels that the user says: ``"28,28,1"`` or numbers."""
    given = options.extra.get("shape")
    if given is None:
        return None
    parts = re.split(r"[,x ]+", given.strip()) if isinstance(given, str) else list(given)
    if len(parts) not in (2, 3) or not all(str(part).isdecimal() and int(part) > 0 for part in parts):
        raise SourceError(f"expected shape as height, width and channels, got {given!r}; write shape=28,28,1")
    return [int(part) for part in parts]


def _at(file: Any, offset: int, size: int) -> bytes:
    file.seek(offset)
    return bytes(file.read(size))


def _row(reader: _Reader, number: int, offset: int, data: bytes) -> dict[str, Any]:
    """The row of one message."""
    features = decode_example(memoryview(data))
    texts = {name: _text(data, features, name) for name in _TEXTS}
    row: dict[str, Any] = {"key": None, "image": None}
    columns = _columns(reader, data, features)
    # Sizes first: raw pixels need them.
    for name in sorted(features, key=lambda name: columns.get(name) in ("image", "mask")):
        column, values = columns.get(name), features[name]
        if column in ("image", "mask"):
            kind = texts["image/format"][0] if column == "image" else ""
            row[column] = _Pixels(reader, number, offset, data, features, row).placed(
                name, kind, depth=column == "image"
            )
        elif column is not None:
            row[column] = _value(data, values, as_list=column == "labels")
        elif name.startswith("image/object/") and name.removeprefix("image/object/") not in _ANNOTATIONS and values:
            reader.passed[name] += 1
    named = [text for text in texts["image/class/text"] if text]
    if len(named) > 1:
        row["labels"], row["label"] = named, None
    elif named:
        row["label"] = named[0]
    row["key"] = row["key"] or texts["image/source_id"][0] or None
    if _BOX + "xmin" in features:
        row["objects"] = _objects(reader, features, texts["image/object/class/text"], row)
    return row


def _columns(reader: _Reader, data: bytes, features: Features) -> dict[str, str]:
    """The column that each feature is, by its name; where that says none, by its last word, or its content."""
    found = {
        name: _RENAMED.get(name, name)
        for name in features
        if not name.startswith("image/object/") and name not in _TEXTS
    }
    for role, column in (("images", "image"), ("labels", "label"), ("masks", "mask")):
        if column in found.values():
            continue
        # A name of a file is no picture: what is one is no text.
        by_column = [name for name in found if column_role(name) == column and features[name]]
        by_column = [name for name in by_column if column == "label" or not _is_text(data, features[name])]
        # What has a dot in its name is a column of a table that was written so.
        words = [name for name in found if column_role(name) is None and "." not in name]
        by_word = [name for name in words if role_of(name.rpartition("/")[2]) == role]
        by_content = [name for name in found if column == "image" and _looks_like_picture(data, features[name])]
        fits = next((names for names in (by_column, by_word, by_content) if len(names) == 1), [])
        if fits:
            if column_role(found[fits[0]]) != column:
                reader.say(f"took {column} from {fits[0]!r}")
            found[fits[0]] = column
    return found


def _looks_like_picture(data: bytes, values: Sequence[Any]) -> bool:
    if len(values) != 1 or not isinstance(values[0], tuple):
        return False
    start, end = values[0]
    return sniff(data[start : min(end, start + HEAD)]) is not None


def _is_text(data: bytes, values: Sequence[Any]) -> bool:
    try:
        return all(isinstance(v, tuple) and data[v[0] : v[1]].decode("utf-8").isprintable() for v in values)
    except UnicodeDecodeError:
        return False


def _text(data: bytes, features: Features, name: str) -> list[str]:
    values = features.get(name) or []
    return [data[v[0] : v[1]].decode("utf-8") for v in values if isinstance(v, tuple)] or [""]


@dataclass(frozen=True, slots=True)
class _Pixels:
    """The pixels of one message: a picture as a file has it, raw values, or a list of numbers."""

    reader: _Reader
    number: int
    offset: int
    data: bytes
    features: Features
    row: Mapping[str, Any]

    def placed(self, name: str, kind: str, *, depth: bool) -> Placed | None:
        """Where the pixels of a feature are."""
        values = self.features[name]
        called = f"{self.reader.path.name}: record {self.number}"
        if not values:
            return None
        if not isinstance(values[0], tuple):
            shape = self.shape(len(values), name, depth=depth) or self.square(len(values), name)
            fetch = partial(_listed, self.reader.read, self.offset, len(self.data), name, shape, called)
            return Placed(Stored(called, fetch), None)
        start, end = values[0]
        read = partial(_read, self.reader.read, self.offset + start, end - start, called)
        if not kind and sniff(self.data[start : min(end, start + HEAD)]) is None:
            raw = self.shape(end - start, name, depth=depth)
            if raw is not None:
                self.reader.say(f"{name!r} holds raw pixels of {' x '.join(map(str, raw))}")
                return Placed(Stored(called, _Raw(read, raw)), None)
            if "raw" in name:
                got = f"{end - start:,} raw pixels in {name} without height and width"
                raise ValueError(f"{got}; say them: extra={{'shape': '28,28,1'}} (--option shape=28,28,1)")
        # What follows the dot of "jpeg" or "png" is what a file would be called.
        suffix = f".{kind.lower().removeprefix('.')}" if kind and kind.lower() != "raw" else ""
        return Placed(Blob(called, suffix, read), None)

    def number_of(self, *names: str) -> int | None:
        """The first of some features that is one whole number."""
        for name in names:
            values = self.features.get(name) or self.row.get(name)
            value = values[0] if isinstance(values, list) and len(values) == 1 else values
            if isinstance(value, int):
                return value
        return None

    def shape(self, count: int, name: str, *, depth: bool) -> tuple[int, ...] | None:
        """The shape of so many values or bytes as other features say it; None where they say none."""
        said = self.reader.shape or next((self.features[n] for n in _SHAPES if self.features.get(n)), None)
        if said is not None and all(isinstance(n, int) for n in said):
            shape = tuple(int(n) for n in said if isinstance(n, int))
        else:
            height, width = self.number_of("height", "image/height"), self.number_of("width", "image/width")
            if height is None or width is None:
                return None
            channels = self.number_of(*_DEPTHS)
            if channels is None or not depth:
                channels = next((c for c in (1, 3, 4) if c * height * width == count), 1)
            shape = (height, width, channels)
        shape = shape if depth else shape[:2]
        size = math.prod(shape)
        if size <= 0 or count % size or count // size not in _KINDS:
            raise ValueError(f"{count:,} bytes of {name} for a picture of {' x '.join(map(str, shape))}")
        return shape[:2] if len(shape) == 3 and shape[2] == 1 else shape

    def square(self, count: int, name: str) -> tuple[int, ...]:
        """The shape of a gray picture of so many pixels, where it can be square."""
        side = math.isqrt(count)
        if side < 2 or side * side != count:
            raise ValueError(f"{count:,} raw pixels in {name} without height and width; add them")
        self.reader.say(f"{name!r} is read as pictures of {side} x {side}")
        return side, side


@dataclass(frozen=True, slots=True)
class _Raw:
    """Raw pixels as an array; what 4 and 8 bytes a pixel are, little-endian fractions."""

    read: Callable[[], bytes]
    shape: tuple[int, ...]

    def __call__(self) -> np.ndarray[Any, Any]:
        data = self.read()
        kind = np.dtype(_KINDS[len(data) // math.prod(self.shape)])
        return np.frombuffer(data, kind).astype(kind.newbyteorder("=")).reshape(self.shape)


def _listed(
    read: Read, offset: int, size: int, feature: str, shape: tuple[int, ...], name: str
) -> np.ndarray[Any, Any]:
    """Pixels that a message keeps as a list of numbers."""
    values = decode_example(memoryview(_read(read, offset, size, name)))[feature]
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return array.astype(np.float32).reshape(shape)
    fits = [d for d in (np.uint8, np.uint16) if array.min() >= 0 and array.max() <= np.iinfo(d).max]
    return array.astype(fits[0] if fits else np.int32).reshape(shape)


def _read(read: Read, offset: int, size: int, name: str) -> bytes:
    try:
        data = read(offset, size)
    except OSError as error:
        raise problem(name, "a readable file", str(error), "check the path and its permissions") from error
    if len(data) != size or not data:
        raise problem(name, f"{size:,} bytes", f"{len(data):,}", "get the file again")
    return data


def _value(data: bytes, values: Sequence[Any], *, as_list: bool) -> Any:
    """The plain value of a feature: one value where there is one, text where bytes are text."""
    try:
        plain = [data[v[0] : v[1]].decode("utf-8") if isinstance(v, tuple) else v for v in values]
    except UnicodeDecodeError:
        return b"" if as_list else list(values)
    if as_list or len(plain) > 1:
        return plain
    return plain[0] if plain else None


def _objects(reader: _Reader, features: Features, names: list[str], row: dict[str, Any]) -> dict[str, Any]:
    """Boxes in pixels, of corners that are parts of the picture's size."""
    corners = [features.get(_BOX + side, []) for side in ("xmin", "ymin", "xmax", "ymax")]
    height, width = row.get("height"), row.get("width")
    if not any(corners):
        return {"bbox": [], "categories": []}
    if not isinstance(height, int) or not isinstance(width, int):
        height, width = _own_size(row)
    if len({len(side) for side in corners}) != 1:
        raise ValueError("boxes with corners missing")
    boxes = []
    for left, top, right, bottom in zip(*corners, strict=True):
        if not all(isinstance(v, int | float) and math.isfinite(v) for v in (left, top, right, bottom)):
            raise ValueError("boxes that are no numbers")
        x, y = float(left) * width, float(top) * height
        boxes.append([x, y, max(float(right) * width - x, 0.0), max(float(bottom) * height - y, 0.0)])
    count = len(boxes)
    numbers = [reader.annotations.get(n, n) for n in features.get("image/object/class/label", []) if isinstance(n, int)]
    named = names if len(names) == count and any(names) else list(numbers) or ["object"] * count
    crowd = [bool(v) for v in features.get("image/object/is_crowd", [])] or [False] * count
    return {"bbox": boxes, "categories": named, "crowd": crowd}


def _own_size(row: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width as the header of the picture says them."""
    placed = row.get("image")
    if isinstance(placed, Placed) and isinstance(placed.pixels, Blob):
        try:
            return image_size(placed.pixels.fetch())
        except CodecError as error:
            raise ValueError(f"boxes without image/height and image/width, and {error}") from error
    raise ValueError("boxes without image/height and image/width")
