"""Tables as Parquet and as Arrow files (IPC, also called Feather)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import SourceError
from imagemill.data.codecs.base import problem
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import exporting
from imagemill.data.layouts.tables.cells.image_cells import BadCell, Place, Placed, image_at
from imagemill.data.layouts.tables.columns.columns import guess_columns
from imagemill.data.layouts.tables.formats.columnar_read import (
    META,
    ArrowParts,
    ParquetParts,
    Parts,
    bad_file,
)
from imagemill.data.layouts.tables.formats.columnar_write import write_arrow
from imagemill.data.layouts.tables.rows.table import Table, read_tables
from imagemill.data.layouts.tables.rows.write_rows import HOLDS
from imagemill.data.layouts.tables.sidecar import Sidecar, read_sidecar, sidecar_of
from imagemill.data.layouts.tables.table_files import (
    IMAGE_FOLDER,
    Probe,
    guess_tables,
    need_tables,
    probe_table,
)
from imagemill.data.records.record import Blob, Stored, split_suffix

__all__ = ["Arrow", "Parquet", "columnar_table"]


class Parquet(Layout):
    """One row per image; pictures in a column are read when they are needed, a group of rows at a time.

    Binary columns, the struct of ``bytes`` and ``path`` that Hugging Face datasets write, lists of numbers, and paths.
    """

    name = "parquet"
    title = "Parquet tables of images"
    holds = HOLDS
    place = 210
    writes = True
    recognised = (
        "Parquet files with a column of paths, bytes, or Hugging Face images under any name, one file or several "
        "(`train-00000.parquet`)."
    )
    written = "`images.parquet` and `images/`; with `--embed` one file, which Hugging Face datasets show as images."
    suffixes = (".parquet", ".pq")

    def guess(self, look: Look) -> Guess | None:
        return _guess(look, self.suffixes)

    def read(self, look: Look, options: ReadSource) -> Source:
        return _read(look, options, self.suffixes, self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            write_arrow(source, job, "parquet")
        return job.written()


class Arrow(Layout):
    """As `Parquet`, for Arrow IPC files and streams; written as a file."""

    name = "arrow"
    title = "Arrow tables of images"
    holds = HOLDS
    place = 220
    writes = True
    recognised = "As `parquet`, for Arrow IPC files and streams."
    written = "`images.arrow` and `images/`; as `parquet`."
    suffixes = (".arrow", ".feather", ".ipc")

    def guess(self, look: Look) -> Guess | None:
        return _guess(look, self.suffixes)

    def read(self, look: Look, options: ReadSource) -> Source:
        return _read(look, options, self.suffixes, self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            write_arrow(source, job, "arrow")
        return job.written()


def _guess(look: Look, suffixes: Sequence[str]) -> Guess | None:
    try:
        return guess_tables(look, suffixes, partial(_probe, look), 0.95)
    except SourceError:
        return None if look.is_folder else Guess(0.3, f"{look.path.name} is named like a table")


def _probe(look: Look, path: Path) -> Probe | None:
    """What a table holds, by its schema alone where its names say it; of a damaged one in a folder, nothing."""
    try:
        names = _open(path).schema.names
        if look.is_folder and path.stem == "metadata" and IMAGE_FOLDER & {*names}:
            return None  # another layout's
        try:
            roles = guess_columns(names, ReadSource(), path.name).roles
        except SourceError:
            return probe_table(columnar_table(path, ReadSource(), None)[0], look)
        return Probe(1.0, len(roles) > 1)
    except SourceError:
        if not look.is_folder:
            raise
        return None


def _open(path: Path) -> Parts:
    return ParquetParts.open(path) if path.suffix.lower() in Parquet.suffixes else ArrowParts.open(path)


def _read(look: Look, options: ReadSource, suffixes: Sequence[str], layout: str) -> Source:
    files = need_tables(look, suffixes, partial(_probe, look))
    several = len(files.files) > 1
    found = [columnar_table(path, options, split, f"{path.stem}/" if several else "") for path, split in files.files]
    root = look.path if look.is_folder else look.path.parent
    listed = look.files if look.is_folder else None
    source = read_tables(root, layout, [table for table, _ in found], options, found[0][1], listed)
    return replace(source, notes=(*source.notes, *files.notes))


def columnar_table(path: Path, options: ReadSource, split: str | None, stem: str = "") -> tuple[Table, Sidecar]:
    """Open a Parquet or Arrow file as a table, without reading its pictures.

    Raises
    ------
    SourceError
        When it cannot be read.
    """
    parts = _open(path)
    names = tuple(parts.schema.names)
    try:
        roles = guess_columns(names, options, path.name).roles
    except SourceError:
        if options.columns:
            raise
        # No name says it: what stands in the columns will.
        roles = {}
    place = Place(path.parent, options)
    lazy = {
        names[n]: make
        for n in range(len(names))
        if (n in (roles.get("image"), roles.get("mask")) or parts.kind(names[n]) == "bytes")
        and (make := _lazy(parts, names[n], path.name, place)) is not None
    }
    rows = _rows(parts, names, lazy)
    return Table(path.name, path.parent, names, rows, "row", split, stem), _sidecar(parts, names, roles, path)


def _sidecar(parts: Parts, names: Sequence[str], roles: dict[str, int], path: Path) -> Sidecar:
    """What the schema says of the whole set: in our own words, or in those of Hugging Face."""
    meta: dict[bytes, bytes] = parts.schema.metadata or {}
    if META in meta:
        try:
            return sidecar_of(json.loads(meta[META]), str(path))
        except ValueError as error:
            raise SourceError(f"expected JSON in the schema of {path}, got {error}; export it again") from error
    classes = _features(meta, names[roles["label"]]) if "label" in roles else ()
    beside = read_sidecar(path.parent)
    return Sidecar(classes, notes=("class names from the schema",)) if classes else beside


def _features(meta: dict[bytes, bytes], column: str) -> tuple[str, ...]:
    """Class names that Hugging Face datasets keep in the schema."""
    try:
        feature = json.loads(meta[b"huggingface"])["info"]["features"][column]
        return tuple(map(str, feature["names"]))
    except (LookupError, TypeError, ValueError):
        return ()


def _rows(
    parts: Parts, names: Sequence[str], lazy: dict[str, Callable[[int, Any], Any]]
) -> Iterator[tuple[int, list[Any]]]:
    """Read everything but the pictures, and put places where pictures are."""
    eager = [name for name in names if name not in lazy]
    # Of a picture with a path of its own, only the path is read.
    paths = {name: f"{name}.path" for name in lazy if parts.has_path(name)}
    row = 0
    for count, columns in parts.columns(eager, paths):
        for offset in range(count):
            yield (
                row + 1,
                [lazy[n](row, columns[n][offset] if n in paths else None) if n in lazy else columns[n][offset]
                 for n in names],
            )  # fmt: skip
            row += 1


def _lazy(parts: Parts, column: str, table: str, place: Place) -> Callable[[int, Any], Any] | None:
    """How the pictures of a column are to be had later; None where its cells are paths or addresses."""
    kind = parts.kind(column)
    if kind == "text":
        return None
    missing = parts.missing(column)
    only_paths = kind == "bytes" and parts.is_empty(column)

    def make(row: int, path: Any) -> Any:
        name = f"{table}: row {row + 1}"
        if missing is not None and missing[row]:
            return None
        if only_paths:
            return path
        if kind == "numbers":
            return Stored(name, partial(_array, parts, column, row, table))
        suffix = split_suffix(path)[1] if isinstance(path, str) else ""
        blob = Blob(name, suffix, partial(_bytes, parts, column, row, name, place))
        return Placed(blob, path)

    return make


def _bytes(parts: Parts, column: str, row: int, name: str, place: Place) -> bytes:
    """The bytes of one picture."""
    cell = parts.cell(column, row)
    if isinstance(cell, dict):
        data, path = cell.get("bytes"), cell.get("path")
        if data is None and path is not None:
            try:
                where = image_at(path, place, name)
            except BadCell as error:
                raise bad_file(name, str(error)) from error
            return where.read_bytes() if isinstance(where, Path) else b""
        cell = data
    if not cell:
        raise problem(name, "the bytes of a picture", "an empty cell", "remove the row")
    return bytes(cell)


def _array(parts: Parts, column: str, row: int, table: str) -> Any:
    name = f"{table}: row {row + 1}"
    pixels = parts.cell(column, row)
    if not isinstance(pixels, np.ndarray) or pixels.ndim < 2:
        raise problem(name, "pixels as lists of rows of equal length", "something else", "mend the cell")
    return pixels


LAYOUTS: tuple[Layout, ...] = (
    Parquet(),
    Arrow(),
)
