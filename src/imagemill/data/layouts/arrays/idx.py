"""IDX, the files that MNIST and its relatives come in.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database": two zero bytes, the type, the number of axes, each
length as a big-endian 32-bit number, then the values in row order, big-endian.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.base import MAX_PIXELS, native, problem
from imagemill.data.codecs.limits import check_inflation, gunzip
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.arrays.containers import (
    MAX_RECORDS,
    class_numbers,
    item_axes,
    number_order,
    split_name,
    stack_records,
    what_is_lost,
)
from imagemill.data.layouts.arrays.label_columns import Labels, read_labels
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.records.record import Record, Stored

__all__ = ["Idx", "IdxFile", "read_header"]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(name).newbyteorder("="): code for code, name in _TYPES.items()}
_NAME = re.compile(r"(^|[-_.])(images?|labels?|idx\d|ubyte|gz|idx)(?=[-_.]|$)")
_CLASSES = "classes.txt"
_AGAIN = "get the file again from where it came from"


def read_header(path: Path) -> tuple[np.dtype[Any], tuple[int, ...], int] | None:
    """Read dtype, shape and the place of the first value of an IDX file; None when it is none.

    Parameters
    ----------
    path : Path
        Plain or gzip.

    Raises
    ------
    CodecError
        When it cannot be read.
    """
    try:
        with path.open("rb") as file:
            start = file.read(2)
        start = gunzip(path, 1028, exact=False) if start == b"\x1f\x8b" else _first(path)
    except OSError as error:
        if isinstance(error, CodecError):
            raise
        raise problem(path, "a readable file", str(error), "check the path and its permissions") from error
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES or not 1 <= start[3] <= 5:
        return None
    rank = start[3]
    if len(start) < 4 + 4 * rank:
        return None
    shape = struct.unpack_from(f">{rank}I", start, 4)
    return np.dtype(_TYPES[start[2]]), tuple(int(n) for n in shape), 4 + 4 * rank


def _first(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1028)


@dataclass(slots=True)
class IdxFile:
    """The array of one IDX file: mapped where it is plain, inflated once where it is compressed.

    Parameters
    ----------
    path : Path
    dtype : numpy.dtype
    shape : tuple of int
    offset : int
        Bytes before the first value.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    _array: np.ndarray[Any, Any] | None = None
    _lock: Any = field(default_factory=threading.Lock, repr=False)

    @property
    def size(self) -> int:
        """Bytes of the whole, uncompressed."""
        count = self.dtype.itemsize
        for length in self.shape:
            count *= length
        return self.offset + count

    def __reduce__(self) -> tuple[Any, ...]:  # neither the lock nor the pixels travel to another process
        return IdxFile, (self.path, self.dtype, self.shape, self.offset)

    def zipped(self) -> bool:
        """Whether it is compressed."""
        with self.path.open("rb") as file:
            return file.read(2) == b"\x1f\x8b"

    def check(self) -> None:
        """Refuse a file whose header promises more than it holds, as far as its length tells."""
        have = os.stat(self.path).st_size
        if self.zipped():
            check_inflation(self.path, self.size, have)
        elif have != self.size:
            got = f"{have:,}" + (": the file is cut off" if have < self.size else "")
            raise problem(self.path, f"{self.size:,} bytes for shape {self.shape}", got, _AGAIN)

    def array(self) -> np.ndarray[Any, Any]:
        """All values, in the file's own byte order.

        Raises
        ------
        CodecError
        """
        with self._lock:
            if self._array is None:
                try:
                    self.check()
                    if self.zipped():
                        data = gunzip(self.path, self.size)
                        flat = np.frombuffer(data, self.dtype, offset=self.offset)
                        self._array = flat.reshape(self.shape)
                    else:
                        self._array = np.memmap(self.path, self.dtype, "r", self.offset, self.shape)
                except CodecError:
                    raise
                except (OSError, ValueError) as error:
                    raise problem(self.path, "a whole IDX file", str(error), _AGAIN) from error
            return self._array


@dataclass(frozen=True, slots=True)
class _Item:
    file: IdxFile
    number: int

    def __call__(self) -> np.ndarray[Any, Any]:
        return native(np.array(self.file.array()[self.number]))


class Idx(Layout):
    """IDX files: images of rank 3 or more, and their labels beside them.

    Files belong together when their names are equal without the words ``images``, ``labels``, ``idx3`` and
    ``ubyte``; what is left (``train``, ``t10k``) says the split and begins the keys. A ``classes.txt`` with a name
    per line names the classes.
    """

    name = "idx"
    title = "IDX arrays of images and labels (MNIST)"
    holds = frozenset(("image", "float", "channels", "volume", "label", "hierarchy", "split"))
    place = 260
    writes = True
    recognised = (
        "Files that begin like those of MNIST, plain or gzip; what is left of a name without `images` and `labels` "
        "says the split. A `classes.txt` names the classes."
    )
    written = (
        "`[<split>-]images-idx3-ubyte` and `[<split>-]labels-idx1-ubyte`, `--format gz` compressed. One size and "
        "type; keys are counted anew."
    )

    def guess(self, look: Look) -> Guess | None:
        near = [path for path in _files_below(look) if _looks_like(path)][:8]
        if not near or (not look.is_folder and read_quietly(near[0]) is None):
            return None
        found = [path for path in near if (head := read_quietly(path)) is not None and len(head[1]) >= 3]
        return Guess(0.92, f"{found[0].name} begins like an IDX array of images") if found else None

    def read(self, look: Look, options: ReadSource) -> Source:
        images, labels, problems = _sort_files(_files(look))
        if not images:
            raise SourceError(f"expected IDX files of images in {look.path}, got none; check the folder")
        root = look.path if look.is_folder else look.path.parent
        classes, records = _class_names(root), list[Record]()
        notes: list[str] = []
        for stem, file in sorted(images.items()):
            try:
                file.check()
                records += _records(stem, file, labels.pop(stem, None), classes, options, notes)
            except (CodecError, SourceError) as error:
                problems.append(Problem(file.path.name, str(error)))
        problems += [Problem(f.path.name, f"expected images beside {f.path.name}, got none") for f in labels.values()]
        if not records:
            raise SourceError(f"expected IDX images in {look.path}, got none that can be read: {problems[0]}")
        if not classes:
            classes = number_order(record.label for record in records)
        return Source(
            root,
            self.name,
            tuple(records),
            notes=tuple(dict.fromkeys(notes)),
            classes=classes,
            problems=tuple(problems),
        )

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        suffix = ".gz" if (options.format or "").endswith("gz") else ""
        with exporting(out, self.name, replace(options, format=None)) as job:
            return self._write(source, job, suffix)

    def _write(self, source: Source, job: Export, suffix: str) -> Written:
        out, progress = job.out, job.options.progress
        numbers = class_numbers(source)
        if len(numbers) > 256:
            raise SourceError(f"expected at most 256 classes for IDX labels, got {len(numbers)}; choose HDF5")
        lost = what_is_lost(source, self.holds, "IDX")
        if any(record.label is None for record in source.records) and numbers:
            raise SourceError("expected a class name for every image or for none, got both; IDX has no empty label")
        problems: list[Problem] = []
        count = 0
        for split in sorted({record.split or "" for record in source.records}):
            part = [record for record in source.records if (record.split or "") == split]
            pixels, kept, first = stack_records(part, problems, _CODES, "IDX")
            if pixels is None or first is None:
                continue
            if first.affine is not None:
                lost.append("places in the world: IDX holds none")
            if item_axes(pixels.shape[1:])[0] != first.axes:
                lost.append(f"axes {first.axes}: IDX says none; pass them when reading")
            begin = f"{split}-" if split else ""
            _write_array(job, out / f"{begin}images-idx{pixels.ndim}-ubyte{suffix}", pixels)
            if numbers:
                values = np.array([numbers[record.label or ""] for record in kept], np.uint8)
                _write_array(job, out / f"{begin}labels-idx1-ubyte{suffix}", values)
            count += len(kept)
            if progress is not None:
                progress(count)
        if not count:
            raise SourceError(f"expected images that IDX can hold, got none; {problems[0] if problems else 'add some'}")
        if list(numbers) != [str(n) for n in range(len(numbers))]:
            job.text(_CLASSES, "".join(f"{name}\n" for name in numbers))
        lost.append("keys: IDX counts its images")
        return Written(out, count, tuple(dict.fromkeys(lost)), tuple(problems))


def read_quietly(path: Path) -> tuple[np.dtype[Any], tuple[int, ...], int] | None:
    """The header as `read_header` gives it, and None for what cannot be read as well."""
    try:
        return read_header(path)
    except CodecError:
        return None


def _looks_like(path: Path) -> bool:
    name = path.name.lower()
    return "idx" in name or "ubyte" in name


def _files_below(look: Look) -> list[Path]:
    """The files that are no pictures by their names, or the one file that was given."""
    if not look.is_folder:
        return [look.path]
    return [path for _, path in look.ending(*(end for end in look.suffixes if not is_readable_name(f"x{end}")))]


def _files(look: Look) -> list[Path]:
    """The files of a folder; for one file also the labels beside it."""
    if look.is_folder:
        return [path for path in _files_below(look) if _looks_like(path)]
    stem = _stem(look.path)
    beside = sorted(p for p in look.path.parent.iterdir() if p.is_file() and _looks_like(p) and _stem(p) == stem)
    return [look.path, *(path for path in beside if path != look.path)]


def _stem(path: Path) -> str:
    """What is left of a name without the words that all such names have."""
    return _NAME.sub("", path.name.lower()).strip("-_.")


def _sort_files(paths: Iterable[Path]) -> tuple[dict[str, IdxFile], dict[str, IdxFile], list[Problem]]:
    images: dict[str, IdxFile] = {}
    labels: dict[str, IdxFile] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            header = read_header(path)
        except CodecError as error:
            problems.append(Problem(path.name, str(error)))
            continue
        if header is None:
            got = "expected an IDX file (two zero bytes, a type, a number of axes), got other bytes; check the file"
            problems.append(Problem(path.name, got))
            continue
        kind = images if len(header[1]) >= 3 else labels
        if _stem(path) in kind:
            msg = f"expected one file for {_stem(path) or 'the images'}, got also {kind[_stem(path)].path.name}"
            problems.append(Problem(path.name, f"{msg}; remove one of them"))
        else:
            kind[_stem(path)] = IdxFile(path, *header)
    return images, labels, problems


def _class_names(root: Path) -> tuple[str, ...]:
    file = root / _CLASSES
    try:
        return tuple(line for line in file.read_text(encoding="utf-8").splitlines() if line) if file.is_file() else ()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"expected {file} to name a class per line in UTF-8, got {error}; correct it") from error


def _records(
    stem: str,
    file: IdxFile,
    labels: IdxFile | None,
    classes: tuple[str, ...],
    options: ReadSource,
    notes: list[str],
) -> list[Record]:
    count = file.shape[0]
    if count > MAX_RECORDS or int(np.prod(file.shape[1:3], dtype=np.float64)) > MAX_PIXELS:
        do = "check that the file is one"
        raise problem(file.path, "an IDX file of a size that can be meant", f"shape {file.shape}", do)
    axes, note = item_axes(file.shape[1:], options.extra.get("axes"))
    if note:
        notes.append(note)
    read = Labels([None] * count, [None] * count)
    if labels is None:
        notes.append(f"{file.path.name} has no labels beside it")
    else:
        if labels.shape[0] != count:
            msg = f"expected {count} labels for {file.path.name}, got {labels.shape[0]} in {labels.path.name}"
            raise SourceError(f"{msg}; get both files from the same place")
        read = read_labels(labels.array(), classes, column="labels")
        notes += read.notes
    begin, digits = stem or "images", len(str(max(count - 1, 1)))
    split = next((s for word in re.split(r"[-_.]", stem) if (s := split_name(word))), None)
    records = []
    for number in range(count):
        stored = Stored(f"{file.path.name}: image {number}", _Item(file, number), axes)
        more = {name: column[number] for name, column in read.columns.items()}
        one, several = read.one[number], read.several[number]
        key = f"{begin}/{number:0{digits}d}"
        records.append(Record(key, stored, None, one, several, split=split, attributes=more))
    return records


def _write_array(job: Export, path: Path, array: np.ndarray[Any, Any]) -> None:
    head = struct.pack(f">HBB{array.ndim}I", 0, _CODES[array.dtype.newbyteorder("=")], array.ndim, *array.shape)
    data = head + np.ascontiguousarray(array, array.dtype.newbyteorder(">")).tobytes()
    job.announce(path)
    with atomic_path(path) as part:
        part.write_bytes(gzip.compress(data, 6, mtime=0) if path.name.endswith(".gz") else data)


LAYOUTS: tuple[Layout, ...] = (Idx(),)
