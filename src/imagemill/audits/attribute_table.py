"""Attributes of images from a table of their own: joined to a source by key or file name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from imagemill.core.errors import InputError
from imagemill.data.layouts.base import ReadSource, Source
from imagemill.data.layouts.tables.cells.text_numbers import typed_column
from imagemill.data.layouts.tables.formats.delimited import open_delimited
from imagemill.data.layouts.tables.formats.json_tables import json_tables, lines_table
from imagemill.data.records.instances import Scalar
from imagemill.data.records.record import Record, split_suffix

__all__ = ["Attributes", "AttributesGiven", "with_attributes"]

AttributesGiven = Path | str | Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]]
"""A file, or rows: by key, or with a key among their values."""

_TEXT = (".csv", ".tsv", ".tab", ".txt")
_COLUMNAR = {".parquet": pl.read_parquet, ".pq": pl.read_parquet, ".arrow": pl.read_ipc, ".feather": pl.read_ipc}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Attributes:
    """What was said about attributes besides the source's own columns.

    Parameters
    ----------
    name : str
        Of the file; empty where none was given.
    columns : tuple of str
        Of the file, without the one that names images.
    without : tuple of str
        Keys of images that it has no row for.
    shares : mapping of str to float or str
        By column: the least share of each of its values within a class, or what it holds: ``"colour"``, ``"feature"``
        or ``"stage"``.
    """

    name: str = ""
    columns: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    shares: Mapping[str, float | str] = field(default_factory=dict)


def with_attributes(
    source: Source, given: AttributesGiven | None, shares: Mapping[str, float | str] | None = None
) -> tuple[Source, Attributes]:
    """Give each record the values of its row.

    Parameters
    ----------
    source : Source
    given : Path, str, mapping, sequence or None
        A CSV, TSV, JSON, JSON Lines, Parquet or Arrow file; values by key; or rows. Of a table, the column that names
        the most images does: by their keys, the ends of their paths, or their names without suffix.
    shares : mapping, optional
        As in `Attributes`.

    Returns
    -------
    tuple of (Source, Attributes)

    Raises
    ------
    InputError
        For a file that is no such table, rows that name no image or one that another names as well, and shares of
        columns that are not there.
    """
    told = Attributes(shares=dict(shares or {}))
    if given is not None:
        name, columns, rows = _read(given)
        number = _naming(columns, rows, source, name)
        kept = [n for n in range(len(columns)) if n != number]
        found = _joined(source, rows, number, kept, name)
        records = tuple(
            replace(record, attributes={**record.attributes, **_said(columns, kept, found[row])})
            if row in found
            else record
            for row, record in enumerate(source.records)
        )
        without = tuple(record.key for row, record in enumerate(source.records) if row not in found)
        source = replace(source, records=records)
        told = replace(told, name=name, columns=tuple(columns[n] for n in kept), without=without)
    _check_shares(source, told)
    return source, told


def _said(columns: Sequence[str], kept: Sequence[int], cells: Sequence[Any]) -> dict[str, Scalar]:
    """What a row says; empty cells say nothing."""
    return {columns[n]: cells[n] for n in kept if cells[n] is not None and cells[n] != ""}


def _read(given: AttributesGiven) -> tuple[str, list[str], list[tuple[str, list[Any]]]]:
    """The name of the table, its columns, and its rows with what errors call each."""
    if isinstance(given, Mapping):
        rows = [{"key": key, **row} for key, row in given.items()]
        return "the attributes", *_plain(rows)
    if not isinstance(given, Path | str):
        return "the attributes", *_plain(list(given))
    path = Path(given)
    if not path.is_file():
        raise InputError(f"expected a file of attributes, got {str(path)!r}, which is none; check the path")
    suffix = path.suffix.lower()
    if suffix in _COLUMNAR:
        frame = _COLUMNAR[suffix](path)
        return path.name, frame.columns, [(f"row {n}", list(row)) for n, row in enumerate(frame.iter_rows(), start=1)]
    if suffix in _TEXT:
        table = open_delimited(path, ReadSource(extra={"header": True}), None)
    elif suffix in (".jsonl", ".ndjson"):
        table = lines_table(path, ReadSource(), None)
    elif suffix == ".json":
        table = json_tables(path, ReadSource(), None)[0][0]
    else:
        known = ", ".join((*_TEXT, ".json", ".jsonl", *_COLUMNAR))
        raise InputError(f"expected attributes with a suffix of {known}, got {path.name!r}; save it as one of them")
    read = [(f"{table.unit} {number}", list(cells)) for number, cells in table.rows]
    if table.problems:
        raise InputError(f"expected attributes that can be read, got {table.problems[0]}; mend the file")
    return path.name, list(table.columns), _typed(read) if table.is_text else read


def _plain(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[tuple[str, list[Any]]]]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return columns, [(f"row {n}", [row.get(name) for name in columns]) for n, row in enumerate(rows, start=1)]


def _typed(rows: list[tuple[str, list[Any]]]) -> list[tuple[str, list[Any]]]:
    """Numbers where a whole column is numbers, and text without blanks about it."""
    bare = [[cell.strip() if isinstance(cell, str) else "" for cell in cells] for _, cells in rows]
    kinds = [typed_column(column) for column in zip(*bare, strict=True)]
    return [
        (name, [kind(cell) if cell else None for kind, cell in zip(kinds, cells, strict=True)])
        for (name, _), cells in zip(rows, bare, strict=True)
    ]


class _Names:
    """Records by their keys, the ends of their paths, and names without suffix; nothing where two have one."""

    def __init__(self, source: Source) -> None:
        self.rows: dict[str, list[int]] = {}
        for row, record in enumerate(source.records):
            parts = record.key.split("/")
            ends = ["/".join(parts[at:]) for at in range(len(parts))]
            for name in dict.fromkeys([*ends, *(split_suffix(end)[0] if "/" not in end else end for end in ends)]):
                self.rows.setdefault(name, []).append(row)
            bare = "/".join([*parts[:-1], split_suffix(parts[-1])[0]])
            self.rows.setdefault(bare, []).append(row)

    def find(self, cell: Any) -> list[int]:
        """Rows that a cell may mean: by its longest end that names any."""
        parts = [part for part in str(cell).strip().replace("\\", "/").split("/") if part not in ("", ".", "..")]
        for at in range(len(parts)):
            if rows := self.rows.get("/".join(parts[at:])):
                return sorted(set(rows))
        return []


def _naming(columns: Sequence[str], rows: Sequence[tuple[str, list[Any]]], source: Source, name: str) -> int:
    """The column whose cells name the most images, the first of equals."""
    known = _Names(source)
    counts = [sum(bool(known.find(cells[n])) for _, cells in rows) for n in range(len(columns))]
    if not counts or not max(counts):
        shown = ", ".join(repr(record.key) for record in source.records[:_SHOWN])
        msg = f"expected a column of {name} with keys or file names of images, such as {shown}; got the columns"
        raise InputError(f"{msg} {', '.join(columns) or '(none)'}, none of which names one; add a column 'key'")
    return counts.index(max(counts))


def _joined(
    source: Source, rows: Sequence[tuple[str, list[Any]]], number: int, kept: Sequence[int], name: str
) -> dict[int, list[Any]]:
    """The cells of each record that has a row."""
    known, found = _Names(source), dict[int, list[Any]]()
    said_in: dict[int, str] = {}
    strangers: list[tuple[str, str]] = []
    for where, cells in rows:
        meant = known.find(cells[number])
        if not meant:
            strangers.append((where, str(cells[number])))
            continue
        if len(meant) > 1:
            both = " and ".join(repr(source.records[row].key) for row in meant[:2])
            msg = f"expected the name of one image in {name}, {where}, got {str(cells[number])!r}, which {both} have"
            raise InputError(f"{msg}; write keys with their folders")
        (row,) = meant
        if row in found and [found[row][n] for n in kept] != [cells[n] for n in kept]:
            both = f"{said_in[row]} and {where} for {source.records[row].key!r}"
            raise InputError(f"expected one row of {name} for an image, got {both}, which differ; keep one of them")
        found[row], said_in[row] = list(cells), where
    if strangers:
        raise InputError(_strangers(strangers, [record.key for record in source.records], name))
    return found


def _strangers(strangers: Sequence[tuple[str, str]], keys: Sequence[str], name: str) -> str:
    """The message for rows that name no image, with the nearest names that there are."""
    told = []
    # Names are compared with names where no folder was given.
    by_name = {key.rpartition("/")[2]: key for key in reversed(keys)}
    for where, cell in strangers[:_SHOWN]:
        near = difflib.get_close_matches(cell, keys if "/" in cell else list(by_name), n=1, cutoff=0.4)
        nearest = f" (the nearest is {near[0]!r})" if near else ""
        told.append(f"{cell!r} in {where}{nearest}")
    more = f" and {len(strangers) - _SHOWN:,} more" if len(strangers) > _SHOWN else ""
    return (
        f"expected rows of {name} to name images of the dataset, got {', '.join(told)}{more}; "
        "mend those names, or leave the rows out"
    )


def _check_shares(source: Source, told: Attributes) -> None:
    known = list(dict.fromkeys([*told.columns, *(name for record in source.records for name in record.attributes)]))
    for column, share in told.shares.items():
        if column not in known:
            near = difflib.get_close_matches(column, known, n=1)
            do = f"did you mean {near[0]!r}?" if near else f"columns here: {', '.join(known) or 'none'}"
            raise InputError(f"expected a share for a column of attributes, got {column!r}, which is none; {do}")
        is_share = isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 1
        if not is_share and share not in ("colour", "feature", "stage"):
            msg = f"expected a share from 0 to 1, or 'colour', 'feature' or 'stage', for {column!r}, got {share!r}"
            raise InputError(f"{msg}; such as {column}=0.1")


def values_of(records: Sequence[Record], column: str) -> list[Scalar | None]:
    """The value of each record in a column of attributes; None where it has none.

    Examples
    --------
    >>> values_of([Record("a.png", Path("a.png"), attributes={"stem": True})], "stem")
    [True]
    """
    return [record.attributes.get(column) for record in records]
