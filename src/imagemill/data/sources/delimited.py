"""Tables of delimited text: CSV and TSV."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.sources.base import Guess, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.columns import role_of
from imagemill.data.sources.place import Export, exporting
from imagemill.data.sources.rows import HOLDS, Embedded, Row, column_values, known_classes, rows_of, table_columns
from imagemill.data.sources.sidecar import SIDECAR, read_sidecar, sidecar_plain
from imagemill.data.sources.table import Table, read_tables
from imagemill.data.sources.tablefiles import holds_images, need_files, table_files
from imagemill.data.sources.textcells import base64_text, scalar_text
from imagemill.data.sources.textnumbers import number_text, typed_column
from imagemill.data.sources.textrows import Unclosed, sniff_separator, text_rows
from imagemill.data.write import atomic_path

__all__ = ["Csv", "Tsv", "open_delimited"]


class Csv:
    """One row per image, cells between commas (or semicolons, tabs, bars).

    The first line names the columns. Where ``columns`` maps roles to numbers and the first line holds no usual name,
    it counts as data (``extra={"header": True}`` or ``False`` says so outright).
    """

    name = "csv"
    title = "a CSV table of images"
    holds = HOLDS

    def guess(self, look: Look) -> Guess | None:
        return _guess(look, (".csv",))

    def read(self, look: Look, options: ReadSource) -> Source:
        return _read(look, options, (".csv",), self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        return _write(source, out, options, self.name, ",")


class Tsv:
    """As `Csv`, with tabs."""

    name = "tsv"
    title = "a table of images with tabs between cells"
    holds = HOLDS

    def guess(self, look: Look) -> Guess | None:
        return _guess(look, (".tsv", ".tab"))

    def read(self, look: Look, options: ReadSource) -> Source:
        return _read(look, options, (".tsv", ".tab"), self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        return _write(source, out, options, self.name, "\t")


def _guess(look: Look, suffixes: Sequence[str]) -> Guess | None:
    files = table_files(look, suffixes)
    if not files:
        return None
    path = files[0][0]
    try:
        table = open_delimited(path, ReadSource(), None)
        first = next(iter(table.rows), None)
    except SourceError:
        # A table by its name: reading it says what is wrong with it.
        return None if look.is_folder else Guess(0.3, f"{path.name} is named like a table")
    if not holds_images(table.columns, first and first[1], path.parent):
        return None if look.is_folder else Guess(0.3, f"{path.name} is a table, but no column looks like images")
    return Guess(0.85 if look.is_folder else 0.9, f"{path.name} is a table with a column of images")


def _read(look: Look, options: ReadSource, suffixes: Sequence[str], layout: str) -> Source:
    files = need_files(look, suffixes)
    tables = [open_delimited(path, options, split, f"{path.stem}/" if len(files) > 1 else "") for path, split in files]
    root = look.path if look.is_folder else look.path.parent
    return read_tables(root, layout, tables, options, read_sidecar(files[0][0].parent))


def open_delimited(path: Path, options: ReadSource, split: str | None, stem: str = "") -> Table:
    """Open a table of delimited text; rows are read as they are asked for.

    Parameters
    ----------
    path : Path
    options : ReadSource
    split : str or None
        Of all its rows.
    stem : str
        What keys that have to be made up begin with.

    Raises
    ------
    SourceError
        When it is empty, not UTF-8, or without a usable header.
    """
    rows = _decoded(path, options.separator)
    try:
        _, header = next(rows, (0, []))
    except Unclosed as error:
        msg = f"expected a header in {path}, got a quote that is never closed; mend the first line"
        raise SourceError(msg) from error
    if not header:
        raise SourceError(f"expected a table with a header in {path}, got an empty file; get the file again")
    notes: list[str] = []
    by_number = options.columns and all(str(c).isdecimal() and c not in header for c in options.columns.values())
    has_header = options.extra.get("header")
    if has_header is None:
        has_header = not by_number or any(role_of(name) for name in header)
    columns = tuple(name if name else f"column {n}" for n, name in enumerate(header))
    trim = len(columns) > 1 and all(name.startswith(" ") for name in columns[1:])
    if trim:
        columns = tuple(name.strip() for name in columns)
        notes.append("spaces after separators were left out")
    first: list[tuple[int, list[str]]] = []
    if not has_header:
        first, columns = [(1, header)], tuple(str(n) for n in range(len(header)))
        notes.append("the first line is data")
    elif not options.columns and any(is_readable_name(name) or "://" in name for name in header):
        msg = f"expected names of columns in the first line of {path}, got what looks like data: {header[:3]}"
        raise SourceError(f"{msg}; add a header, or number the columns: columns={{'image': '0', 'label': '1'}}")
    if len(set(columns)) != len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise SourceError(f"expected different names of columns in {path}, got {twice} twice; rename one")
    table = Table(path.name, path.parent, columns, (), "line", split, stem, is_text=True, notes=tuple(notes))
    cells = _checked(first, rows, table, trim)
    return Table(
        table.name, table.base, columns, cells, "line", split, stem, is_text=True, problems=table.problems,
        notes=table.notes,
    )  # fmt: skip


def _checked(
    first: list[tuple[int, list[str]]], rows: Iterator[tuple[int, list[str]]], table: Table, trim: bool
) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that have as many cells as the header, and note the others."""
    width, name = len(table.columns), table.name
    yield from first
    try:
        for number, cells in rows:
            if len(cells) == width:
                yield number, [cell.strip() for cell in cells] if trim else cells
                continue
            msg = f"expected {width} cells as in the first line, got {len(cells)}; mend the line"
            table.problems.append(Problem(f"{name}: line {number}", f"{name}: line {number}: {msg}"))
    except Unclosed as error:
        where = f"{name}: line {error.args[0]}"
        msg = f"{where}: expected the quote that opens a cell to be closed, got the end of the file"
        table.problems.append(Problem(where, f"{msg}; mend the line, what follows it was not read"))


def _decoded(path: Path, separator: str | None) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file in UTF-8, with or without a byte order mark."""
    do = "save the table as UTF-8"
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise SourceError(f"expected one character as separator, got {separator!r}; give ',' or ';' or a tab")
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start:
                raise SourceError(f"expected {path} to be text in UTF-8, got UTF-16 or binary data; {do}")
            with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
                header = text.readline()
                chosen = separator or ("\t" if path.suffix.lower() in (".tsv", ".tab") else sniff_separator(header))

                def lines() -> Iterator[str]:
                    yield header
                    yield from text

                yield from text_rows(lines(), chosen)
    except UnicodeDecodeError as error:
        raise SourceError(f"expected {path} to be text in UTF-8, got {error}; {do}") from error
    except OSError as error:
        raise SourceError(f"expected a readable table, got {error}; check the path and its permissions") from error


def _write(source: Source, out: Path, options: WriteTarget, layout: str, separator: str) -> Written:
    with exporting(out, layout, options) as job:
        columns = table_columns(source)
        _numbers_lost(source, columns, job)
        target = out / f"images.{layout}"
        job.announce(target)
        with atomic_path(target) as part, part.open("w", encoding="utf-8", newline="") as file:
            # Line ends as in RFC 4180; with "\n" alone, the writer would leave a "\r" in a cell without quotes.
            writer = csv.writer(file, delimiter=separator, lineterminator="\r\n")
            writer.writerow(columns)
            for row in rows_of(source, job):
                writer.writerow([_cell(row, column) for column in columns])
        plain = sidecar_plain(source)
        if plain:
            if not known_classes(source, job):
                plain.pop("classes", None)
            job.text(SIDECAR, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
    return job.written()


def _cell(row: Row, column: str) -> str:
    value: Any = row.get(column)
    if value is None:
        return ""
    if isinstance(value, Embedded):
        return base64_text(value)
    if column == "labels":
        plain = value and all(name == name.strip() and name and "|" not in name for name in value)
        return "|".join(value) if plain and not value[0].startswith("[") else json.dumps(value, ensure_ascii=False)
    return scalar_text(value) if isinstance(value, dict) else number_text(value)


def _numbers_lost(source: Source, columns: Sequence[str], job: Export) -> None:
    """Count values that come back as something else, because text does not say what it is."""
    for column in columns:
        values = column_values(source, column)
        texts = [number_text(value) for value in values]
        back = typed_column(texts)
        changed = sum(
            text == "" or type(back(text)) is not type(value) or back(text) != value
            for text, value in zip(texts, values, strict=True)
        )
        job.lose(f"values of {column!r}", "a table of text does not tell numbers from text", changed)
