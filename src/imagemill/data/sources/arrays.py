"""NumPy's ``.npz`` archives.

Source of the file format: NumPy Enhancement Proposal 1 (``.npy``); ``.npz`` is a zip archive of such members.
"""

from __future__ import annotations

import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.codecs.base import MAX_PIXELS, native, problem
from imagemill.data.codecs.limits import check_inflation
from imagemill.data.pixels import load_mask, load_picture
from imagemill.data.record import Record, Stored
from imagemill.data.sources.base import Guess, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.containers import (
    MAX_RECORDS,
    class_numbers,
    item_axes,
    label_names,
    not_written,
    number_order,
    stack_records,
    what_is_lost,
    writing_file,
)
from imagemill.data.sources.roles import Part, Shape, find_parts
from imagemill.data.write import atomic_path

__all__ = ["Npz"]

Array = np.ndarray[Any, Any]
_AGAIN = "get the file again from where it came from"
_DTYPES = tuple(
    np.dtype(name)
    for name in (
        *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
        *("float16", "float32", "float64"),
    )
)
_FREE = 1 << 28
_RATIO = 200
_DAMAGE = (OSError, ValueError, EOFError, SyntaxError, KeyError, NotImplementedError, RuntimeError, zlib.error)


@dataclass(slots=True)
class _Member:
    """One array of an archive: mapped where it is stored plainly, inflated once where it is compressed."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _array: Array | None = None
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:  # neither the lock nor the pixels travel to another process
        return _Member, (self.path, self.name, self.shape, self.dtype)

    def array(self) -> Array:
        with self._lock:
            if self._array is None:
                try:
                    self._array = self._load()
                except CodecError:
                    raise
                except (*_DAMAGE, zipfile.BadZipFile) as error:
                    raise problem(f"{self.path}: {self.name}", "a whole array", str(error), _AGAIN) from error
            return self._array

    def _load(self) -> Array:
        with zipfile.ZipFile(self.path) as archive:
            info = archive.getinfo(self.name + ".npy")
            _check_member(self.path, info)
            with archive.open(info) as file:
                shape, fortran, dtype = _npy_header(file)
                if (shape, dtype) != (self.shape, self.dtype) or dtype.hasobject:
                    raise ValueError("the file has changed since it was opened")
                skip = file.tell()
                if info.compress_type != zipfile.ZIP_STORED or dtype.itemsize == 0 or 0 in shape:
                    flat = np.frombuffer(file.read(), dtype, int(np.prod(shape)))
                    return flat.reshape(shape, order="F" if fortran else "C")
        with self.path.open("rb") as raw:
            raw.seek(info.header_offset + 26)
            lengths = raw.read(4)
        extra = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        start = info.header_offset + 30 + extra + skip
        return np.memmap(self.path, dtype, "r", start, shape, "F" if fortran else "C")


@dataclass(frozen=True, slots=True)
class _Item:
    member: _Member
    number: int | None

    def __call__(self) -> Array:
        array = self.member.array()
        return native(np.array(array if self.number is None else array[self.number]))


class Npz:
    """``.npz`` archives: ``x_train, y_train, x_test, y_test``, ``images/labels``, ``arr_0/arr_1`` and their like.

    Further members ``masks``, ``keys``, ``groups`` and ``classes`` are understood. Objects (pickles) are never loaded.
    A folder of archives is read file by file; an archive with ``image`` and ``label`` of one size is one
    image with its mask.
    """

    name = "npz"
    title = "NumPy .npz archives of images and labels"
    holds = frozenset(
        ("image", "uint16", "float", "channels", "volume", "label", "hierarchy", "mask", "split", "group")
    )

    def guess(self, look: Look) -> Guess | None:
        files = [path for _, path in look.files if path.suffix.lower() == ".npz"]
        if not files or 2 * len(files) < len(look.files) or not zipfile.is_zipfile(files[0]):
            return None
        return Guess(0.92, f"{files[0].name} is an archive of NumPy arrays")

    def read(self, look: Look, options: ReadSource) -> Source:
        files = [(key, path) for key, path in look.files if path.suffix.lower() == ".npz" or not look.is_folder]
        records: list[Record] = []
        problems: list[Problem] = []
        notes: list[str] = []
        classes: tuple[str, ...] = ()
        for key, path in files:
            try:
                found, order, more = _read_archive(key if look.is_folder else "", path, options, problems)
            except (CodecError, SourceError) as error:
                if not look.is_folder:
                    raise SourceError(str(error)) from error
                problems.append(Problem(key, str(error)))
                continue
            records += found
            notes += more
            classes = classes or order
        if not records:
            what = "; ".join(str(p) for p in problems[:3]) or "no .npz file"
            raise SourceError(f"expected images in {look.path}, got none: {what}; name the arrays images and labels")
        root = look.path if look.is_folder else look.path.parent
        return Source(
            root,
            self.name,
            tuple(records),
            notes=tuple(dict.fromkeys(notes)),
            classes=classes,
            problems=tuple(problems),
        )

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with writing_file(out, "images.npz", (".npz",), self.name, options) as file:
            return self._write(source, out, file, options)

    def _write(self, source: Source, out: Path, path: Path, options: WriteTarget) -> Written:
        numbers = class_numbers(source)
        lost = what_is_lost(source, self.holds, "npz")
        problems: list[Problem] = []
        arrays: dict[str, Array] = {"classes": np.array(list(numbers))} if numbers else {}
        count = 0
        for split in sorted({record.split or "" for record in source.records}):
            part = [record for record in source.records if (record.split or "") == split]
            pixels, kept, first = stack_records(part, problems, _DTYPES, "npz")
            if pixels is None or first is None:
                continue
            if first.world is not None:
                lost.append("places in the world: npz holds none")
            end = f"_{split}" if split else ""
            arrays.setdefault("axes", np.array(first.axes))
            if str(arrays["axes"]) != first.axes:
                said = f"{arrays['axes']} and {first.axes}"
                raise SourceError(
                    f"expected images of the same axes in all splits, got {said}; write one kind at a time"
                )
            arrays |= {f"{name}{end}": array for name, array in _columns(kept, pixels, numbers, problems, lost)}
            count += len(kept)
            if options.progress is not None:
                options.progress(count)
        if not count:
            why = f": {problems[0]}" if problems else ""
            raise SourceError(f"expected at least one image to write, got none{why}; check the source")
        with atomic_path(path) as file, file.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)
        return Written(out, count, tuple(dict.fromkeys(lost)), tuple(problems))


def _columns(
    records: list[Record], pixels: Array, numbers: Mapping[str, int], problems: list[Problem], lost: list[str]
) -> Iterator[tuple[str, Array]]:
    """Give the arrays of one split under their names."""
    yield "x", pixels
    yield "keys", np.array([record.key for record in records])
    if numbers:
        values = [-1 if record.label is None else numbers[record.label] for record in records]
        yield "y", np.array(values, np.min_scalar_type(max(values)) if min(values) >= 0 else np.int64)
    if any(record.group is not None for record in records):
        yield "groups", np.array([record.group or "" for record in records])
    if not any(record.mask is not None for record in records):
        return
    if not all(record.mask is not None for record in records):
        lost.append("masks: some images have none, and npz holds one for each or none at all")
        return
    maps = []
    for record in records:
        try:
            maps.append(None if record.mask is None else load_mask(record.mask, like=load_picture(record.image)).array)
        except CodecError as error:
            problems.append(not_written(record, error))
    if len(maps) == len(records) and len({m.shape for m in maps if m is not None}) == 1:
        yield "masks", np.stack([m for m in maps if m is not None])
    else:
        lost.append("masks: they differ in size or cannot be read, and npz holds one size")


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (CodecError, SourceError):
        raise
    except (*_DAMAGE, zipfile.BadZipFile) as error:
        raise SourceError(f"{path}: expected a whole .npz archive, got {error}; {_AGAIN}") from error


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    """Refuse a member that promises more than its stored bytes can become, or fills the memory."""
    name = f"{path}: {info.filename}"
    if info.compress_type == zipfile.ZIP_STORED:
        check_inflation(name, info.file_size, info.compress_size, 1)
    elif info.compress_type == zipfile.ZIP_DEFLATED:
        check_inflation(name, info.file_size, info.compress_size)
    else:
        do = "save it with numpy.savez_compressed"
        raise problem(name, "a plain or deflated member", f"compression {info.compress_type}", do)
    if info.flag_bits & 1:
        raise problem(name, "a member without password", "an encrypted one", "save it with numpy.savez")
    if info.file_size > max(_FREE, _RATIO * info.compress_size):
        got = f"{info.file_size:,} bytes from {info.compress_size:,}"
        raise problem(name, f"at most {_RATIO} times the stored bytes", got, "check what wrote it; store it plainly")


def _npy_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read: Callable[[BinaryIO], Any] = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(file)
    return tuple(int(n) for n in shape), bool(fortran), dtype


def _members(path: Path, problems: list[Problem]) -> dict[str, _Member]:
    """The arrays of an archive, checked without being read."""
    found: dict[str, _Member] = {}
    with _archive(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            label = f"{path.name}: {name}"
            try:
                if name == info.filename or name in found:
                    raise problem(label, "one NumPy array a name", "another member", "save it with numpy.savez")
                _check_member(path, info)
                with archive.open(info) as file:
                    shape, _, dtype = _npy_header(file)
                    wanted = file.tell() + int(np.prod([dtype.itemsize, *shape], dtype=object))
                if dtype.hasobject:
                    raise problem(label, "numbers or text", "pickled objects, which are never loaded", "save numbers")
                if wanted != info.file_size:
                    got = f"{info.file_size:,}: the header and the member disagree"
                    raise problem(label, f"{wanted:,} bytes for shape {shape}", got, _AGAIN)
                found[name] = _Member(path, name, shape, dtype)
            except CodecError as error:
                problems.append(Problem(label, str(error)))
            except (*_DAMAGE, zipfile.BadZipFile) as error:
                problems.append(Problem(label, f"expected a whole array, got {error}; {_AGAIN}"))
    return found


def _read_archive(
    prefix: str, path: Path, options: ReadSource, problems: list[Problem]
) -> tuple[list[Record], tuple[str, ...], list[str]]:
    members = _members(path, problems)
    # This library writes the axes of one image; without them the shape decides.
    said = members.pop("axes", None)
    axes = None if said is None or said.dtype.kind != "U" or said.shape != () else str(said.array())
    parts, order, rest = find_parts({n: Shape(m.shape, m.dtype.kind) for n, m in members.items()})
    # A lone array of images needs no name that we know.
    if not parts and len(images := [n for n, m in members.items() if Shape(m.shape, m.dtype.kind).is_pixels]) == 1:
        parts, rest = [Part(images[0], single=len(members[images[0]].shape) == 2)], [n for n in rest if n != images[0]]
    for name in rest:
        kind = f"{members[name].dtype} of shape {members[name].shape}"
        msg = f"expected a name such as images, labels, x_train or y_test, got {name!r} ({kind}); rename it"
        problems.append(Problem(f"{path.name}: {name}", msg))
    classes: tuple[str, ...] = ()
    if order is not None and members[order].dtype.kind in "SU" and members[order].array().ndim == 1:
        classes = tuple(v.decode() if isinstance(v, bytes) else str(v) for v in members[order].array().tolist())
    records: list[Record] = []
    notes: list[str] = []
    for part in parts:
        try:
            given = options.extra.get("axes", axes)
            records += _part_records(prefix, members, part, classes, given, notes, several=len(parts) > 1)
        except (CodecError, SourceError) as error:
            problems.append(Problem(f"{path.name}: {part.images}", str(error)))
    if not classes:
        classes = number_order([record.label for record in records])
    return records, classes, notes


def _part_records(
    prefix: str,
    members: Mapping[str, _Member],
    part: Part,
    classes: tuple[str, ...],
    given: str | None,
    notes: list[str],
    *,
    several: bool,
) -> list[Record]:
    images = members[part.images]
    masks = None if part.masks is None else members[part.masks]
    shape = images.shape if part.single else images.shape[1:]
    axes, note = item_axes(shape, given)
    notes += [note] if note else []
    size = int(np.prod([n for n, letter in zip(shape, axes, strict=True) if letter != "c"], dtype=object))
    if images.dtype.kind not in "buif" or size > MAX_PIXELS or size == 0:
        got = f"{images.dtype} of shape {shape}"
        raise SourceError(
            f"expected images of numbers with at most {MAX_PIXELS:,} pixels each, got {got}; check the file"
        )
    place, called = axes.replace("c", ""), f"{images.path.name}: {images.name}"
    if part.single:
        mask = None if masks is None else Stored(f"{called} (mask)", _Item(masks, None), _mask_axes(place, masks.shape))
        key = prefix.removesuffix(".npz") or part.images
        return [Record(key, Stored(called, _Item(images, None), axes), mask, split=part.split)]
    count = images.shape[0]
    if count > MAX_RECORDS:
        raise SourceError(f"expected at most {MAX_RECORDS:,} images, got {count:,}; check the file")
    labels: list[str | None] = [None] * count
    if part.labels is not None:
        labels, note = label_names(members[part.labels].array(), classes)
        notes += [note] if note else []
    begin = "/".join(word for word in (prefix, part.split or (part.images if several else "")) if word)
    keys = _keys(members, part, count, begin)
    groups = [None] * count if part.groups is None else [str(g) or None for g in members[part.groups].array().tolist()]
    records = []
    for number in range(count):
        stored = Stored(f"{called}, row {number}", _Item(images, number), axes)
        mask = None
        if masks is not None:
            letters = _mask_axes(place, masks.shape[1:])
            mask = Stored(f"{images.path.name}: {masks.name}, row {number}", _Item(masks, number), letters)
        records.append(Record(keys[number], stored, mask, labels[number], split=part.split, group=groups[number]))
    return records


def _mask_axes(place: str, shape: tuple[int, ...]) -> str | None:
    """Axes of a mask: those of the image, and perhaps one channel."""
    return place if len(shape) == len(place) else place + "c" if len(shape) == len(place) + 1 else None


def _keys(members: Mapping[str, _Member], part: Part, count: int, begin: str) -> list[str]:
    """The names the file gives where it names every image once; else numbers."""
    if part.keys is not None and members[part.keys].dtype.kind in "SU":
        given = [
            v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in members[part.keys].array().tolist()
        ]
        if len(set(given)) == count and all(given):
            return given
    digits = len(str(max(count - 1, 1)))
    rows = [f"row-{n:0{digits}d}" for n in range(count)]
    return [f"{begin}/{row}" for row in rows] if begin else rows
