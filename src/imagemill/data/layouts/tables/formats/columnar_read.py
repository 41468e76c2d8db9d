"""Parquet and Arrow files, read in parts: small columns whole, pictures a group of rows at a time."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.data.arrow_types import numpy_type

__all__ = ["META", "ArrowParts", "ParquetParts", "Parts", "bad_file", "column_kind"]

META = b"imagemill"
"""Key of our own description in a schema's metadata, as JSON."""

_CACHE = 128 * 1024 * 1024
_PAGE_ROWS = 64


def bad_file(name: str, got: str) -> CodecError:
    """The error for a picture that cannot be had from a table."""
    return CodecError(f"{name}: expected a picture in the table, got {got}; get the file again, or remove the row")


class Parts(Protocol):
    """A table in a file, of which parts are read."""

    schema: Any

    def columns(self, eager: Sequence[str], paths: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give all rows of some columns, batch by batch: their number, and a list for each column."""
        ...

    def kind(self, column: str) -> str:
        """``"bytes"``, ``"numbers"`` (pixels as lists) or ``"text"`` (anything else)."""
        ...

    def has_path(self, column: str) -> bool:
        """Whether each picture of a column comes with a path."""
        ...

    def is_empty(self, column: str) -> bool:
        """Whether the file says that no row has bytes in a column (then only paths are there)."""
        ...

    def missing(self, column: str) -> np.ndarray[Any, Any] | None:
        """Which rows have nothing in a column; None where the file says that all have something."""
        ...

    def cell(self, column: str, row: int) -> Any:
        """One cell, as plain values; CodecError when it cannot be read."""
        ...


def column_kind(arrow_type: Any) -> str:
    """What a column of pictures holds.

    Examples
    --------
    >>> import pyarrow as pa
    >>> column_kind(pa.binary()), column_kind(pa.list_(pa.list_(pa.uint8()))), column_kind(pa.string())
    ('bytes', 'numbers', 'text')
    """
    import pyarrow as pa

    types = pa.types
    if isinstance(arrow_type, pa.BaseExtensionType):
        arrow_type = arrow_type.storage_type
    if types.is_struct(arrow_type):
        return (
            "bytes" if {"bytes", "path"} & {arrow_type.field(n).name for n in range(arrow_type.num_fields)} else "text"
        )
    if types.is_binary(arrow_type) or types.is_large_binary(arrow_type) or types.is_fixed_size_binary(arrow_type):
        return "bytes"
    if types.is_binary_view(arrow_type):
        return "bytes"
    if types.is_list(arrow_type) or types.is_large_list(arrow_type) or types.is_fixed_size_list(arrow_type):
        return "numbers"
    return "text"


def _has_path(schema: Any, column: str) -> bool:
    import pyarrow as pa

    kind = schema.field(column).type
    return bool(pa.types.is_struct(kind)) and kind.get_field_index("path") >= 0


def _plain(array: Any) -> Any:
    """A cell's value; lists of numbers as an array of the type the file states."""
    import pyarrow as pa

    value = array.as_py()
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if value is None or column_kind(kind) != "numbers":
        return value
    while hasattr(kind, "value_type"):
        kind = kind.value_type
    try:
        return np.asarray(value, dtype=numpy_type(kind))
    except (ValueError, TypeError):  # decimals, which numpy has no type for
        return value


def _missing(array: Any) -> np.ndarray[Any, Any]:
    """Which cells hold nothing: no value, or neither bytes nor a path."""
    import pyarrow as pa

    missing = np.asarray(array.is_null())
    if pa.types.is_struct(array.type):
        fields = [array.type.field(n).name for n in range(array.type.num_fields)]
        inner = [np.asarray(array.field(name).is_null()) for name in ("bytes", "path") if name in fields]
        missing |= np.logical_and.reduce(inner)
    return missing


class _Recent:
    """The parts read last, bounded in bytes; at least one."""

    __slots__ = ("_items", "_total")

    def __init__(self) -> None:
        self._items: OrderedDict[Any, Any] = OrderedDict()
        self._total = 0

    def get(self, key: Any) -> Any:
        if key in self._items:
            self._items.move_to_end(key)
            return self._items[key]
        return None

    def put(self, key: Any, array: Any) -> None:
        self._items[key] = array
        self._total += array.nbytes
        while self._total > _CACHE and len(self._items) > 1:
            _, old = self._items.popitem(last=False)
            self._total -= old.nbytes


def _check_names(kind: Any) -> None:
    """Ask for the name of every field within a type; UnicodeDecodeError where one is damaged."""
    for n in range(kind.num_fields):
        field = kind.field(n)
        if field.name is not None:
            _check_names(field.type)


def _checked_schema(schema: Any, path: Path) -> Any:
    for field in schema:
        _check_names(field.type)
    if len(set(schema.names)) != len(schema.names):
        raise SourceError(f"expected different names of columns in {path}, got {schema.names}; rename one")
    return schema


@lru_cache(maxsize=64)
def _opened_again(kind: type[ParquetParts | ArrowParts], path: Path) -> ParquetParts | ArrowParts:
    """A file in another process, which opens it once for all of its rows."""
    return kind.open(path)


class ParquetParts:
    """A Parquet file. Threads share it and what it read last; one reads at a time."""

    def __init__(self, path: Path, file: Any) -> None:
        self.path, self.schema = path, _checked_schema(file.schema_arrow, path)
        self._file, self._lock, self._recent = file, threading.Lock(), _Recent()
        meta = file.metadata
        self._starts = [0, *accumulate(meta.row_group(g).num_rows for g in range(meta.num_row_groups))]
        # Of a group too large for the memory: where reading stands, the rows read last, and what comes next.
        self._walk: tuple[Any, int, Any, Any] = (None, 0, (), None)

    def __reduce__(self) -> Any:
        return _opened_again, (ParquetParts, self.path)

    @classmethod
    def open(cls, path: Path) -> ParquetParts:
        """Open a file; SourceError when it is none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return cls(path, pq.ParquetFile(path, memory_map=True))
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"expected {path} to be a Parquet file, got {error}; get the file again") from error

    def columns(self, eager: Sequence[str], paths: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
        import pyarrow as pa

        wanted = [*eager, *paths.values()]
        if not wanted:
            yield self._starts[-1], {}
            return
        try:
            for batch in self._file.iter_batches(batch_size=1 << 16, columns=wanted):
                found = {name: batch.column(name).to_pylist() for name in eager}
                found |= {name: batch.column(name).field("path").to_pylist() for name in paths}
                yield batch.num_rows, found
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"expected {self.path} to be whole, got {error}; get the file again") from error

    def kind(self, column: str) -> str:
        return column_kind(self.schema.field(column).type)

    def has_path(self, column: str) -> bool:
        return _has_path(self.schema, column)

    def is_empty(self, column: str) -> bool:
        chunks = [chunk for group in range(len(self._starts) - 1) for chunk in self._chunks(group, f"{column}.bytes")]
        stated = [chunk.statistics for chunk in chunks]
        return bool(stated) and all(
            one is not None and one.has_null_count and one.null_count == chunk.num_values
            for one, chunk in zip(stated, chunks, strict=True)
        )

    def missing(self, column: str) -> np.ndarray[Any, Any] | None:
        import pyarrow as pa

        chunks = [chunk for group in range(len(self._starts) - 1) for chunk in self._chunks(group, column)]
        stated = [c.statistics for c in chunks if not c.path_in_schema.endswith(".path")]
        if all(one is not None and one.has_null_count and one.null_count == 0 for one in stated):
            return None
        try:
            # The file does not say it: the column has to be gone through, a few rows at a time.
            batches = self._file.iter_batches(_PAGE_ROWS, columns=[column])
            return np.concatenate([np.zeros(0, bool), *(_missing(batch.column(column)) for batch in batches)])
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"expected {self.path} to be whole, got {error}; get the file again") from error

    def _chunks(self, group: int, column: str) -> list[Any]:
        row_group = self._file.metadata.row_group(group)
        chunks = [row_group.column(n) for n in range(row_group.num_columns)]
        try:
            return [c for c in chunks if c.path_in_schema == column or c.path_in_schema.startswith(column + ".")]
        except UnicodeDecodeError as error:
            raise SourceError(f"expected {self.path} to be whole, got {error}; get the file again") from error

    def cell(self, column: str, row: int) -> Any:
        import pyarrow as pa

        try:
            with self._lock:
                group = bisect_right(self._starts, row) - 1
                array, start = self._part(column, group, row - self._starts[group])
                return _plain(array[row - self._starts[group] - start])
        except (pa.ArrowException, OSError, ValueError, IndexError) as error:
            raise bad_file(f"{self.path}: row {row + 1}", str(error)) from error

    def _part(self, column: str, group: int, offset: int) -> tuple[Any, int]:
        """Rows of one group that hold an offset, and the offset of the first of them."""
        key = (column, group)
        if (array := self._recent.get(key)) is not None:
            return array, 0
        if sum(chunk.total_uncompressed_size for chunk in self._chunks(group, column)) > _CACHE:
            return self._page(key, offset)
        array = self._file.read_row_group(group, columns=[column], use_threads=False).column(column)
        self._recent.put(key, array)
        return array, 0

    def _page(self, key: tuple[str, int], offset: int) -> tuple[Any, int]:
        """A few rows of a group that is too large to be kept whole; going forward reads nothing twice."""
        where, start, array, batches = self._walk
        if where != key or offset < start:
            batches = self._file.iter_batches(_PAGE_ROWS, row_groups=[key[1]], columns=[key[0]], use_threads=False)
            start, array = 0, next(batches).column(key[0])
        while offset >= start + len(array):
            start, array = start + len(array), next(batches).column(key[0])
        self._walk = (key, start, array, batches)
        return array, start


class ArrowParts:
    """An Arrow file or stream, mapped into memory; compressed parts are unpacked as they are needed."""

    def __init__(self, path: Path, schema: Any, counts: Sequence[int], batch: Any) -> None:
        self.path, self.schema = path, _checked_schema(schema, path)
        self._starts, self._batch = [0, *accumulate(counts)], batch
        self._lock, self._recent = threading.Lock(), _Recent()

    def __reduce__(self) -> Any:
        return _opened_again, (ArrowParts, self.path)

    @classmethod
    def open(cls, path: Path) -> ArrowParts:
        """Open a file; SourceError when it is none."""
        import pyarrow as pa

        try:
            source = pa.memory_map(str(path))
            try:
                file = pa.ipc.open_file(source)
            except pa.ArrowInvalid:
                source.seek(0)
                stream = pa.ipc.open_stream(source)
                batches = list(stream)
                return cls(path, stream.schema, [batch.num_rows for batch in batches], batches.__getitem__)
            counts = [file.get_batch(n).num_rows for n in range(file.num_record_batches)]
            return cls(path, file.schema, counts, file.get_batch)
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, SourceError):
                raise
            raise SourceError(f"expected {path} to be an Arrow file, got {error}; get the file again") from error

    def columns(self, eager: Sequence[str], paths: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
        import pyarrow as pa

        try:
            for number in range(len(self._starts) - 1):
                found = {name: self._column(number, name).to_pylist() for name in eager}
                found |= {name: self._column(number, name).field("path").to_pylist() for name in paths}
                yield self._starts[number + 1] - self._starts[number], found
        except (pa.ArrowException, OSError, ValueError) as error:
            raise SourceError(f"expected {self.path} to be whole, got {error}; get the file again") from error

    def _column(self, number: int, column: str) -> Any:
        """A column of one part. Its offsets are checked first: a damaged one would be followed out of the memory."""
        import pyarrow as pa

        try:
            array = self._batch(number).column(column)
            array.validate(full=True)
            return array
        except (pa.ArrowException, OSError, ValueError) as error:
            do = "get the file again"
            raise SourceError(f"expected column {column!r} of {self.path} to be whole, got {error}; {do}") from error

    def kind(self, column: str) -> str:
        return column_kind(self.schema.field(column).type)

    def has_path(self, column: str) -> bool:
        return _has_path(self.schema, column)

    def is_empty(self, column: str) -> bool:
        if not self.has_path(column) or self.schema.field(column).type.get_field_index("bytes") < 0:
            return self.has_path(column)
        return all(
            (data := self._column(n, column).field("bytes")).null_count == len(data)
            for n in range(len(self._starts) - 1)
        )

    def missing(self, column: str) -> np.ndarray[Any, Any] | None:
        found = [_missing(self._column(n, column)) for n in range(len(self._starts) - 1)]
        return np.concatenate([np.zeros(0, bool), *found])

    def cell(self, column: str, row: int) -> Any:
        import pyarrow as pa

        try:
            number = bisect_right(self._starts, row) - 1
            with self._lock:
                array = self._recent.get((column, number))
                if array is None:
                    array = self._column(number, column)
                    self._recent.put((column, number), array)
            return _plain(array[row - self._starts[number]])
        except (pa.ArrowException, OSError, ValueError, IndexError) as error:
            raise bad_file(f"{self.path}: row {row + 1}", str(error)) from error
