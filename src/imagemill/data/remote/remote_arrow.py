"""A part of a store on another file system: everything but its pixels at once, pixels by blocks of rows.

Arrow says at the head of a file where the buffers of all columns lie. So the head is put into a file of this machine
that is as long and otherwise a hole; Arrow reads it there, and tells which further stretches it has to have. The pixels
stay a hole that nobody reads: `RemoteRows` stands in for them.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from imagemill.core.targets import Array
from imagemill.data.remote.bounded_cache import copy_of, kept_copy
from imagemill.data.remote.remote_files import look, read_range, read_ranges

__all__ = ["RemoteRows", "fetched_but_pixels"]

_HEAD = 1 << 16
_GAP = 1 << 16
"""Bytes between two stretches from which it is cheaper to fetch them one by one."""
_BLOCK = 1 << 20
_AT_ONCE = 8


def fetched_but_pixels(path: Any, rasters: Callable[[Any], Sequence[str]]) -> tuple[mmap.mmap, str]:
    """A mapping of a file's length with all bytes but those of its pixels, and what changes with its content.

    Raises
    ------
    FileNotFoundError
    """
    found = look(path)
    if found is None or found.is_folder:
        raise FileNotFoundError(2, "expected a file, got nothing", str(path))
    url = str(path)
    with tempfile.TemporaryFile() as file:
        file.truncate(found.size)  # a hole: it takes no room
        head = min(_HEAD, found.size)
        _fill(file, 0, read_range(url, 0, head))
        # Not closed by hand: columns of the table point into it for as long as they live.
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        while (wanted := _needed(mapped, head)) > head:  # a schema of very many columns
            _fill(file, head, read_range(url, head, min(wanted, found.size)))
            head = min(wanted, found.size)
        stretches = _stretches(mapped, rasters, head, found.size)
        for (first, _), data in zip(stretches, read_ranges(url, stretches), strict=True):
            _fill(file, first, data)
    return mapped, found.token


def _fill(file: Any, first: int, data: bytes) -> None:
    file.seek(first)
    file.write(data)
    file.flush()


def _needed(mapped: mmap.mmap, head: int) -> int:
    """How long the messages before the pixels are: each says its length in front (Arrow IPC, encapsulated messages)."""
    at = 0
    for _ in ("schema", "batch"):
        if at + 8 > head:
            return at + _HEAD
        mark, size = np.frombuffer(mapped[at : at + 8], "<i4").tolist()
        if mark != -1 or size < 0:
            raise pa.ArrowInvalid("no Arrow stream")
        at += 8 + size
    return at


def _stretches(
    mapped: mmap.mmap, rasters: Callable[[Any], Sequence[str]], head: int, size: int
) -> list[tuple[int, int]]:
    """Where what is neither in the head nor a pixel lies, neighbours joined."""
    buffer = pa.py_buffer(mapped)
    with pa.ipc.open_stream(pa.BufferReader(buffer)) as reader:
        batch, names = reader.read_next_batch(), set(rasters(reader.schema))
    end = 0
    places = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        buffers = [one for one in column.buffers() if one is not None]
        spans = [(one.address - buffer.address, one.address - buffer.address + one.size) for one in buffers]
        end = max([end, *(last for _, last in spans)])
        # The values of a raster are its last buffer; which rows there are is said by those before.
        places += spans[:-1] if name in names else spans
    places.append((end, size))  # the mark at the end
    joined: list[tuple[int, int]] = []
    for first, last in sorted((max(first, head), min(last, size)) for first, last in places):
        if last <= first:
            continue
        if joined and first - joined[-1][1] < _GAP:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


@dataclass(frozen=True, slots=True, eq=False)
class RemoteRows:
    """The pixels of a part elsewhere, as an array whose rows are fetched by blocks and kept in the cache.

    Parameters
    ----------
    path : RemotePath
    token : str
        What changes with the file's content.
    offset : int
        Of the first row in the file, in bytes.
    shape : tuple of int
        ``(n, ...)``.
    dtype : dtype
    """

    path: Any
    token: str
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    @property
    def together(self) -> int:
        """Rows of a block: what one request fetches."""
        return max(1, _BLOCK // max(self.row_bytes, 1))

    def __getitem__(self, which: Any) -> Array:
        """A row, or rows by a slice or by their numbers."""
        if isinstance(which, int | np.integer):
            row: Array = self.take(np.array([which]))[0]
            return row
        return self.take(np.arange(len(self))[which])

    def take(self, rows: Array) -> Array:
        """Rows by their numbers, in one array that may only be read."""
        blocks = rows // self.together
        wanted = np.unique(blocks).tolist()
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        if len(wanted) == 1:
            found = [self._block(wanted[0])]
        else:
            with ThreadPoolExecutor(min(_AT_ONCE, max(len(wanted), 1)), thread_name_prefix="imagemill-remote") as pool:
                found = list(pool.map(self._block, wanted))
        for number, block in zip(wanted, found, strict=True):
            here = np.flatnonzero(blocks == number)
            out[here] = block[rows[here] - number * self.together]
        out.setflags(write=False)
        return out

    def _block(self, number: int) -> Array:
        first = number * self.together
        count = min(self.together, len(self) - first)
        start, size = self.offset + first * self.row_bytes, count * self.row_bytes
        place = copy_of(str(self.path), f"{self.token} {start} {size}", f"{self.path.name}.rows")
        data = _read(place, size)
        if data is None:
            data = read_range(str(self.path), start, start + size)
            kept_copy(place, [data])
        return np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])


def _read(place: Path, size: int) -> bytes | None:
    try:
        data = place.read_bytes()
    except OSError:
        return None
    return data if len(data) == size else None
