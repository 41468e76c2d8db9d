"""TFRecord files of ``tf.train.Example`` messages, with the names of features that detection and classification use.

A file is a row of records: length (8 bytes), its checksum (4), data, its checksum (4), all little-endian, as the
TensorFlow guide "TFRecord and tf.train.Example" describes it.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, MissingExtra, SourceError
from imagemill.data.codecs.base import problem
from imagemill.data.record import Blob
from imagemill.data.sources.base import Guess, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.cells import Placed
from imagemill.data.sources.crc32c import masked_crc32c
from imagemill.data.sources.example import Features, decode_example
from imagemill.data.sources.examplewrite import features_of, framed, note_losses
from imagemill.data.sources.place import exporting
from imagemill.data.sources.rows import count_written, known_classes
from imagemill.data.sources.sidecar import SIDECAR, read_sidecar, sidecar_plain
from imagemill.data.sources.table import Table, read_tables
from imagemill.data.sources.tablefiles import split_of_name
from imagemill.data.sources.webdataset import by_split
from imagemill.data.write import atomic_path

__all__ = ["TfRecord"]

_NAME = re.compile(r".*\.tfrecords?(-\d+(-of-\d+)?)?|.*\.tfrec")
_SHARD = 256 * 1024 * 1024
_LARGEST = 1024**3
_BOX = "image/object/bbox/"
_RENAMED = {
    **{"image/filename": "key", "image/encoded": "image", "image_raw": "image", "image/height": "height"},
    **{"image/width": "width", "image/segmentation/class/encoded": "mask", "image/class/label": "label"},
}
_TEXTS = frozenset(("image/object/class/text", "image/class/text", "image/format", "image/source_id"))


class TfRecord:
    """TFRecord files; the checksum of every record is compared while they are opened.

    Reads ``image/encoded``, ``image/class/label``, ``image/class/text``, ``image/object/bbox/xmin`` and the like
    (parts of the picture's size), ``image/height``, ``image/width``, ``image/segmentation/class/encoded``, and the
    plain names that tables use (``image``, ``label``...).
    """

    name = "tfrecord"
    title = "TFRecord files of tf.train.Example"
    holds = frozenset(
        (
            *("image", "uint16", "float", "channels", "volume", "world", "label", "hierarchy", "labels", "mask"),
            *("boxes", "split", "group", "attributes"),
        )
    )

    def guess(self, look: Look) -> Guess | None:
        files = _files(look)
        if not files:
            return None
        try:
            with files[0].open("rb") as file:
                head = file.read(12)
        except OSError:
            return None
        if len(head) == 12 and masked_crc32c(head[:8]) == struct.unpack("<I", head[8:])[0]:
            return Guess(0.9 if look.is_folder else 0.95, f"{files[0].name} begins as a TFRecord file")
        return None if look.is_folder else Guess(0.3, f"{files[0].name} is named like a TFRecord file")

    def read(self, look: Look, options: ReadSource) -> Source:
        files = _files(look)
        if not files:
            raise SourceError(f"expected TFRecord files in {look.path}, got none; give a .tfrecord or a folder of them")
        tables = [_table(path) for path in files]
        root = look.path if look.is_folder else look.path.parent
        return read_tables(root, self.name, tables, options, read_sidecar(files[0].parent))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            classes = known_classes(source, job) or tuple(sorted({r.label for r in source if r.label is not None}))
            categories = source.categories or tuple(sorted({o.category for r in source for o in r.objects or ()}))
            note_losses(source, job)
            for split, records in by_split(source.records):
                with ExitStack() as stack:
                    file, size, number = None, 0, 0
                    for record in records:
                        try:
                            data = framed(features_of(record, classes, categories, job))
                        except (CodecError, MissingExtra) as error:
                            job.problem(record.key, str(error))
                            continue
                        if file is None or size > _SHARD:
                            stack.close()
                            target = out / f"{split or 'images'}-{number:05d}.tfrecord"
                            job.announce(target)
                            file = stack.enter_context(stack.enter_context(atomic_path(target)).open("wb"))
                            size, number = 0, number + 1
                        file.write(data)
                        size += len(data)
                        count_written(job)
            plain = sidecar_plain(source)
            if plain:
                job.text(SIDECAR, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
        return job.written()


def _files(look: Look) -> list[Path]:
    return [p for _, p in look.files if _NAME.fullmatch(p.name) and (p.parent == look.path or not look.is_folder)]


def _records(path: Path, problems: list[Problem]) -> Iterator[tuple[int, bytes]]:
    """Place and content of each record; what is damaged ends the reading, for what follows cannot be found."""

    def damaged(number: int, expected: str, got: str) -> None:
        where = f"{path.name}: record {number}"
        msg = f"{where}: expected {expected}, got {got}; get the file again, what follows was not read"
        problems.append(Problem(where, msg))

    try:
        total = path.stat().st_size
        with path.open("rb") as file:
            position = number = 0
            while position < total:
                number += 1
                head = file.read(12)
                if len(head) < 12:
                    return damaged(number, "12 bytes of length and checksum", f"{len(head)}, the end of the file")
                length, check = struct.unpack("<QI", head)
                if masked_crc32c(head[:8]) != check:
                    return damaged(number, "a length with its checksum", "one that does not fit")
                if position + 16 + length > total or length > _LARGEST:
                    return damaged(number, f"{length:,} bytes", "fewer until the end of the file, or too many")
                data = file.read(length)
                if masked_crc32c(data) != struct.unpack("<I", file.read(4))[0]:
                    return damaged(number, "data with its checksum", "one that does not fit")
                yield position + 12, data
                position += 16 + length
    except (OSError, struct.error) as error:
        raise SourceError(f"expected a readable file, got {error}; check the path and its permissions") from error


def _table(path: Path) -> Table:
    """The records of a file as a table."""
    problems: list[Problem] = []
    rows = []
    for number, (offset, data) in enumerate(_records(path, problems), start=1):
        try:
            rows.append((number, _row(path, number, offset, data)))
        except (ValueError, UnicodeDecodeError) as error:
            where = f"{path.name}: record {number}"
            problems.append(Problem(where, f"{where}: expected a tf.train.Example, got {error}; write it again"))
    columns = tuple(dict.fromkeys(name for _, row in rows for name in row)) or ("image",)
    cells = [(number, [row.get(name) for name in columns]) for number, row in rows]
    split = split_of_name(path.name.partition(".")[0])
    return Table(path.name, path.parent, columns, cells, "record", split, f"{path.stem}/", problems=problems)


def _row(path: Path, number: int, offset: int, data: bytes) -> dict[str, Any]:
    """The row of one message."""
    features = decode_example(memoryview(data))
    texts = {name: _text(data, features, name) for name in _TEXTS}
    row: dict[str, Any] = {"key": None, "image": None}
    for name, values in features.items():
        if name.startswith("image/object/") or name in _TEXTS:
            continue
        column = _RENAMED.get(name, name)
        if column in ("image", "mask"):
            row[column] = _placed(path, number, offset, values, texts["image/format"][0] if column == "image" else "")
        else:
            row[column] = _value(data, values, as_list=column == "labels")
    if texts["image/class/text"][0]:
        row["label"] = texts["image/class/text"][0]
    row["key"] = row["key"] or texts["image/source_id"][0] or None
    if _BOX + "xmin" in features:
        row["objects"] = _objects(features, texts["image/object/class/text"], row)
    return row


def _text(data: bytes, features: Features, name: str) -> list[str]:
    values = features.get(name) or []
    return [data[v[0] : v[1]].decode("utf-8") for v in values if isinstance(v, tuple)] or [""]


def _placed(path: Path, number: int, offset: int, values: Sequence[Any], kind: str) -> Placed | None:
    if not values or not isinstance(values[0], tuple):
        return None
    start, end = values[0]
    name = f"{path.name}: record {number}"
    # What follows the dot of "jpeg" or "png" is what a file would be called.
    suffix = f".{kind.lower().removeprefix('.')}" if kind else ""
    return Placed(Blob(name, suffix, partial(_read, path, offset + start, end - start, name)), None)


def _read(path: Path, offset: int, size: int, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(size)
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


def _objects(features: Features, names: list[str], row: dict[str, Any]) -> dict[str, Any]:
    """Boxes in pixels, of corners that are parts of the picture's size."""
    corners = [features.get(_BOX + side, []) for side in ("xmin", "ymin", "xmax", "ymax")]
    height, width = row.get("height"), row.get("width")
    if not any(corners):
        return {"bbox": [], "categories": []}
    if not isinstance(height, int) or not isinstance(width, int):
        raise ValueError("boxes without image/height and image/width")
    if len({len(side) for side in corners}) != 1:
        raise ValueError("boxes with corners missing")
    boxes = []
    for left, top, right, bottom in zip(*corners, strict=True):
        if not all(isinstance(v, int | float) and math.isfinite(v) for v in (left, top, right, bottom)):
            raise ValueError("boxes that are no numbers")
        x, y = float(left) * width, float(top) * height
        boxes.append([x, y, max(float(right) * width - x, 0.0), max(float(bottom) * height - y, 0.0)])
    count = len(boxes)
    named = names if len(names) == count else list(features.get("image/object/class/label", [])) or ["object"] * count
    crowd = [bool(v) for v in features.get("image/object/is_crowd", [])] or [False] * count
    return {"bbox": boxes, "categories": named, "crowd": crowd}
