"""Tables in memory: data frames of pandas and Polars, tables of Arrow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import SourceError
from imagemill.core.interop.foreign_images import is_pil, read_given
from imagemill.data.layouts.base import RECORDS, ReadSource, Source
from imagemill.data.layouts.tables.columns.column_content import is_empty
from imagemill.data.layouts.tables.rows.table import Table, read_tables, with_pixels
from imagemill.data.records.record import split_suffix
from imagemill.data.remote.remote_path import as_path, common_folder

__all__ = ["is_frame", "read_frame_rows"]


def is_frame(what: Any) -> bool:
    """Whether it is a table with named columns that gives its rows.

    Examples
    --------
    >>> import polars as pl
    >>> is_frame(pl.DataFrame({"image": ["a.png"]})), is_frame([1, 2])
    (True, False)
    """
    return any(hasattr(what, ask) and hasattr(what, rows) for ask, rows in _ROWS)


_ROWS = (("columns", "itertuples"), ("columns", "iter_rows"), ("column_names", "to_pylist"))
"""By which pandas, Polars and Arrow are known: the names of columns, and the rows."""


def read_frame_rows(frame: Any, options: ReadSource) -> Source:
    """Make a source of a data frame, whose columns are found as those of a CSV file are.

    Paths may lead anywhere; those that are not absolute start at the current folder.

    Parameters
    ----------
    frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        Its index, where it has one, is no column: ``frame.reset_index()`` makes it one.
    options : ReadSource
        ``columns`` says which column is what; ``images`` where names of files start.

    Raises
    ------
    SourceError
        When it has two columns of one name, no rows, or no column with images.
    """
    names, rows = _named_rows(frame)
    kind = type(frame).__name__
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise SourceError(f"expected different names of columns in a {kind}, got {twice} twice; rename one")
    if not rows:
        raise SourceError(f"expected a {kind} with a row for each image, got one without rows; fill it")
    base = _base(rows)
    table = with_pixels(Table(f"the {kind}", base, names, list(enumerate(rows))))
    # Below the current folder may lie anything: files are looked for by their names where ``images`` says alone.
    try:
        source = read_tables(base, RECORDS, [table], replace(options, outside=True), files=())
    except SourceError as error:
        raise SourceError(f"{error}{_hints(frame, options)}") from error
    # It stands in no file.
    return replace(source, also_read=tuple(path for path in source.also_read if path != table.path))


def _hints(frame: Any, options: ReadSource) -> str:
    hints = "" if options.images is not None else "; paths start at the current folder, or at images='DIR'"
    index = getattr(getattr(frame, "index", None), "name", None)
    return hints if index is None else f"{hints}; the index {index!r} is no column: frame.reset_index() makes it one"


def _named_rows(frame: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The names of its columns, and its rows."""
    found: Iterable[Sequence[Any]]
    if hasattr(frame, "itertuples"):
        names, found = frame.columns, frame.itertuples(index=False, name=None)
    elif hasattr(frame, "iter_rows"):
        names, found = frame.columns, frame.iter_rows()
    else:
        names = frame.column_names
        found = ([row[name] for name in names] for row in frame.to_pylist())
    return tuple(map(str, names)), [tuple(map(_plain, cells)) for cells in found]


def _plain(cell: Any) -> Any:
    """A cell as a table in a file has it: without numpy's types, pandas' marks of nothing, and objects of paths."""
    if isinstance(cell, np.generic):
        return cell.item()
    if is_pil(cell):
        return read_given(cell, "image").array
    if isinstance(cell, os.PathLike):
        return os.fspath(cell)
    if type(cell).__name__ in ("NAType", "NaTType"):
        return None
    return cell


def _base(rows: Sequence[Sequence[Any]]) -> Path:
    """The folder that all files of the first column of absolute paths share; the current one where there is none."""
    for column in zip(*rows, strict=True):
        cells = [cell for cell in column if not is_empty(cell)]
        if cells and all(isinstance(cell, str) and split_suffix(cell)[1] and os.path.isabs(cell) for cell in cells):
            try:
                return common_folder([as_path(cell).parent for cell in cells])
            except ValueError:  # on two drives
                break
    return Path.cwd()
