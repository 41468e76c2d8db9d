"""The prepared dataset on disk: one Arrow stream per part, read in place.

::

    STORE/train.arrow val.arrow test.arrow   one record batch each, Arrow IPC stream format
    STORE/manifest.parquet                   one row per record of the source, also of those left out
    STORE/dataset.json                       what the numbers mean; written last: without it nothing is finished
    STORE/statistics.npz                     mean image, deviations, whitening matrix of the training part

The pixels of a part are one column of nested fixed-size lists at the head of its only batch, so that the file, mapped
into memory, holds one C-ordered array ``(n, *shape)``. They never have to be in memory to be written: Arrow is
handed a column that stands for them, and the pixels are copied in its place, block by block.

Format: the Apache Arrow columnar format, "Serialization and interprocess communication (IPC)".
"""

from __future__ import annotations

import json
import mmap
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from imagemill.core.errors import CodecError, SourceError
from imagemill.core.targets import Array
from imagemill.data.arrow_types import numpy_type
from imagemill.data.atomic import atomic_path
from imagemill.data.remote.remote_arrow import RemoteRows, fetched_but_pixels
from imagemill.data.remote.remote_path import RemotePath
from imagemill.data.splits.split import PARTS

__all__ = [
    "DESCRIPTION",
    "FORMAT",
    "MANIFEST",
    "OBJECT",
    "STATISTICS",
    "File",
    "Part",
    "Raster",
    "Region",
    "files_of",
    "is_store",
    "open_part",
    "read_description",
    "write_part",
]

FORMAT = 1
"""Version of the store."""

DESCRIPTION, MANIFEST, STATISTICS = "dataset.json", "manifest.parquet", "statistics.npz"
_META = b"imagemill"
_LONGEST = 1 << 28
"""Bytes of a description that are read to see whether it is one."""

OBJECT = pa.struct(
    [
        ("category", pa.uint32()),
        ("box", pa.list_(pa.float32(), 4)),
        ("polygons", pa.list_(pa.list_(pa.float32()))),
        ("joints", pa.list_(pa.list_(pa.float32(), 3))),
        ("runs", pa.list_(pa.uint32())),
        ("crowd", pa.bool_()),
        ("index", pa.uint32()),
        ("attributes", pa.string()),
    ]
)
"""One annotation in a picture, in pixels of the prepared picture from its outer corner; keypoints are indices."""

Blocks = Callable[[], Iterator[Array]]


@dataclass(frozen=True, slots=True)
class Raster:
    """A column of arrays of one shape, given block by block.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of one row.
    dtype : dtype
    blocks : callable
        Gives arrays ``(k, *shape)`` whose lengths sum to the number of rows.
    valid : bool array ``(n,)`` or None
        Which rows there are; None for all.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    blocks: Blocks
    valid: Array | None = None

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


class _Splice:
    """A file for Arrow to write to, that puts the pixels where the columns that stand for them come.

    Arrow hands buffers over as they are, so that they are known by their address. Should a version copy them
    instead, `wanted` is not emptied, and the writer refuses.
    """

    def __init__(self, file: Any) -> None:
        self.file, self.closed = file, False
        self.wanted: dict[tuple[int, int], Raster] = {}

    def write(self, data: Any) -> int:
        view = memoryview(data)
        place = (data.address, view.nbytes) if isinstance(data, pa.Buffer) else (0, 0)
        raster = self.wanted.pop(place, None)
        if raster is None:
            self.file.write(view)
            return view.nbytes
        count = 0
        for block in raster.blocks():
            count += block.nbytes
            self.file.write(np.ascontiguousarray(block, raster.dtype).data)
        if count != view.nbytes:
            raise CodecError(f"expected {view.nbytes:,} bytes of {raster.name}, got {count:,}; report this")
        return count

    def tell(self) -> int:
        return int(self.file.tell())

    def flush(self) -> None:
        self.file.flush()

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _nested(values: Any, shape: tuple[int, ...]) -> Any:
    for length in reversed(shape):
        values = pa.FixedSizeListArray.from_arrays(values, length)
    return values


def _stand_in(raster: Raster, count: int, zeros: Any) -> tuple[Any, tuple[int, int]]:
    """An Arrow column over zeros nobody reads, and the place of its buffer."""
    size = raster.row_bytes * count
    buffer = zeros
    kind = pa.from_numpy_dtype(raster.dtype)
    values = pa.Array.from_buffers(kind, size // raster.dtype.itemsize, [None, buffer], null_count=0)
    column = _nested(values, raster.shape)
    if raster.valid is not None and not raster.valid.all():
        bits = pa.py_buffer(np.packbits(raster.valid, bitorder="little").tobytes())
        missing = int(count - raster.valid.sum())
        column = pa.Array.from_buffers(column.type, count, [bits], missing, children=[column.values])
    return column, (buffer.address, size)


def write_part(
    path: Path, rasters: Sequence[Raster], columns: Mapping[str, Any], count: int, meta: Mapping[str, Any]
) -> None:
    """Write one part, whole or not at all.

    Parameters
    ----------
    path : Path
    rasters : sequence of Raster
        First in the file; the first one begins the batch.
    columns : mapping of str to pyarrow.Array
        The rest.
    count : int
        Rows, at least 1.
    meta : mapping
        Plain values for the schema's metadata.

    Raises
    ------
    CodecError
        When the disk refuses.
    """
    try:
        with atomic_path(path) as part, tempfile.TemporaryFile(dir=part.parent) as zeros:
            places = np.cumsum([0] + [-(-raster.row_bytes * count // 64) * 64 for raster in rasters])
            zeros.truncate(int(places[-1]))  # a hole: it takes no room
            # Not closed by hand: after an error, Arrow's columns still point into it for a while.
            mapped = mmap.mmap(zeros.fileno(), 0, access=mmap.ACCESS_READ)
            _write(part, rasters, places.tolist(), mapped, columns, count, meta)
    except OSError as error:
        if isinstance(error, CodecError):
            raise
        raise CodecError(f"{path}: expected a place to write to, got {error}; check space and permissions") from error


def _write(
    path: Path,
    rasters: Sequence[Raster],
    places: Sequence[int],
    mapped: mmap.mmap,
    columns: Mapping[str, Any],
    count: int,
    meta: Mapping[str, Any],
) -> None:
    whole = pa.py_buffer(mapped)
    arrays, names = [], []
    with path.open("wb") as file:
        sink = _Splice(file)
        for raster, at in zip(rasters, places, strict=False):
            column, place = _stand_in(raster, count, whole.slice(at, raster.row_bytes * count))
            sink.wanted[place] = raster
            arrays.append(column)
            names.append(raster.name)
        arrays += list(columns.values())
        described = {_META: json.dumps(dict(meta), sort_keys=True).encode()}
        fields = [pa.field(name, array.type) for name, array in zip([*names, *columns], arrays, strict=True)]
        batch = pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, metadata=described))
        # Lengths beyond 31 bits: an image column counts its values, and one batch makes one array.
        options = pa.ipc.IpcWriteOptions(allow_64bit=True)
        with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), batch.schema, options=options) as writer:
            writer.write_batch(batch)
        if sink.wanted:
            raise CodecError(f"{path}: expected Arrow to hand over the pixel columns, got copies; report this")


def map_column(name: str) -> str:
    """The column of a map of numbers: a dataset calls it as it likes, `depth` and `label` too."""
    return f"map:{name}"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part, mapped into memory.

    Parameters
    ----------
    path : Path
    table : pyarrow.Table
        All columns, none of them copied.
    meta : mapping
        What `write_part` was given.
    arrays : mapping of str to array
        The pixel columns as read-only views ``(n, *shape)``; of a file elsewhere, what fetches rows of such an array.
    regions : mapping of str to Region
        Where they lie in the file.
    """

    path: Path
    table: Any
    meta: Mapping[str, Any]
    arrays: Mapping[str, Array]
    regions: Mapping[str, Region]

    def __len__(self) -> int:
        return int(self.table.num_rows)


@dataclass(frozen=True, slots=True)
class Region:
    """Rows of one size within a file, read without mapping it.

    Parameters
    ----------
    path : Path
    offset : int
        Of the first row, in bytes.
    row : int
        Bytes from one row to the next.
    dtype : str
        Of its values; empty where that is known otherwise.
    """

    path: Path
    offset: int
    row: int
    dtype: str = ""


def open_part(path: Path) -> Part:
    """Map a part into memory; no pixel is read. Of a part elsewhere, rows are fetched when they are asked for.

    Raises
    ------
    SourceError
        When the file is missing, damaged or of another kind.
    """
    try:
        if isinstance(path, RemotePath):
            return _part(path, *fetched_but_pixels(path, _raster_names))
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _part(path, mapped)
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException, StopIteration) as error:
        if isinstance(error, SourceError):
            raise
        do = "prepare the dataset again"
        raise SourceError(f"{path}: expected a part of a prepared dataset, got: {error}; {do}") from error


def _part(path: Path, mapped: Any, token: str = "") -> Part:
    buffer = pa.py_buffer(mapped)
    with pa.ipc.open_stream(pa.BufferReader(buffer)) as reader:
        batches = [reader.read_next_batch()]
        _ = reader.schema.names  # UnicodeDecodeError where one is damaged
        batches[0].validate(full=True)  # damaged offsets would be followed out of the file
        if len(batches[0]) and any(len(batch) for batch in reader):
            raise SourceError(f"{path}: expected one record batch, got several; prepare the dataset again")
        meta = json.loads(reader.schema.metadata[_META])
    arrays: dict[str, Any] = {}
    regions = {}
    for name in meta["rasters"]:
        array = _view(batches[0].column(name))
        row = array.nbytes // max(len(array), 1)
        region = Region(path, array.ctypes.data - buffer.address, row, array.dtype.name)
        is_there = not isinstance(path, RemotePath)
        arrays[name] = array if is_there else RemoteRows(path, token, region.offset, array.shape, array.dtype)
        regions[name] = region
    return Part(path, pa.Table.from_batches(batches), meta, arrays, regions)


def _raster_names(schema: Any) -> list[str]:
    found: list[str] = json.loads(schema.metadata[_META])["rasters"]
    return found


def _view(column: Any) -> Array:
    """A column of nested fixed-size lists as one array, without a copy."""
    count, shape = len(column), []
    while pa.types.is_fixed_size_list(column.type):
        shape.append(column.type.list_size)
        column = column.values
    dtype = numpy_type(column.type)
    buffer = column.buffers()[1]
    values = np.frombuffer(buffer, dtype, count * int(np.prod(shape)), column.offset * dtype.itemsize)
    return values.reshape(count, *shape)


@dataclass(frozen=True, slots=True)
class File:
    """One file of a part.

    Parameters
    ----------
    part : str
    name : str
        Without suffix.
    first, count : int
        Rows of the part that are in it.
    """

    part: str
    name: str
    first: int
    count: int


def files_of(said: Mapping[str, Any]) -> list[File]:
    """The files that hold the rows of a store, in order, as its description says.

    Examples
    --------
    >>> said = {"parts": {"train": {"file": "train-*.arrow", "count": 5, "file_rows": 3}}}
    >>> [(one.name, one.first, one.count) for one in files_of(said)]
    [('train-00000', 0, 3), ('train-00001', 3, 2)]
    """
    found: list[File] = []
    for part in (name for name in PARTS if name in said["parts"]):
        entry = said["parts"][part]
        count, rows = int(entry["count"]), entry.get("file_rows")
        if rows is None:
            found.append(File(part, part, 0, count))
            continue
        starts = range(0, count, int(rows))
        found += [File(part, f"{part}-{n:05d}", at, min(int(rows), count - at)) for n, at in enumerate(starts)]
    return found


def is_store(path: Path) -> bool:
    """Whether a folder holds a prepared dataset, finished or not.

    Examples
    --------
    >>> is_store(Path("nowhere"))
    False
    """
    # Other data, those of nnU-Net and of the Decathlon among them, are described in a file of the same name.
    file = path / DESCRIPTION
    try:
        if not file.is_file():
            return False
        found = json.loads(file.read_text("utf-8")) if file.stat().st_size < _LONGEST else None
    except (OSError, ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and {"parts", "fingerprint"} & set(found):
        return True
    # Damaged, it is known by what lies beside it.
    return not isinstance(found, dict) and ((path / MANIFEST).is_file() or any(path.glob("*.arrow")))


def read_description(path: Path) -> dict[str, Any]:
    """What `dataset.json` of a store says.

    Raises
    ------
    SourceError
        When it is missing, damaged, or of a version this one does not know.
    """
    file = path / DESCRIPTION
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        do = "prepare it again with the same arguments to finish it"
        raise SourceError(f"expected {DESCRIPTION} in {path}, got none; {do}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(f"{file}: expected JSON, got: {error}; prepare the dataset again") from error
    version = found.get("format") if isinstance(found, dict) else None
    if version != FORMAT:
        msg = f"{file}: expected a store of format {FORMAT}, got {version!r}"
        raise SourceError(f"{msg}; prepare the dataset again, or use the version that wrote it")
    if not _is_description(found):
        raise SourceError(f"{file}: expected parts, classes and the form of an image, got others; prepare it again")
    return dict(found)


def _is_description(found: dict[str, Any]) -> bool:
    """Whether everything is there that opening a store asks for."""
    parts, image = found.get("parts"), found.get("image")
    return (
        isinstance(parts, dict)
        and all(isinstance(part, dict) and type(part.get("count")) is int for part in parts.values())
        and isinstance(image, dict)
        and isinstance(image.get("axes"), str)
        and isinstance(image.get("shape"), list)
        and all(type(length) is int for length in image["shape"])
        and all(isinstance(found.get(name), list) for name in ("classes", "categories"))
    )
