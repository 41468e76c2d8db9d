"""Tables of delimited text: CSV and TSV."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.guess.annotation_files import speaks_for_itself
from imagemill.data.layouts.tables.cells.text_cells import base64_text, scalar_text
from imagemill.data.layouts.tables.cells.text_lists import is_numbers, unquoted
from imagemill.data.layouts.tables.cells.text_numbers import number_text, typed_column
from imagemill.data.layouts.tables.columns.box_columns import LEAST_PIXELS
from imagemill.data.layouts.tables.columns.column_names import role_of
from imagemill.data.layouts.tables.formats.text_rows import (
    Unclosed,
    sniff_quote,
    sniff_separator,
    stated_separator,
    text_rows,
)
from imagemill.data.layouts.tables.rows.table import Table, read_tables, with_pixels
from imagemill.data.layouts.tables.rows.write_rows import (
    HOLDS,
    Embedded,
    Row,
    column_values,
    known_classes,
    rows_of,
    table_columns,
)
from imagemill.data.layouts.tables.sidecar import SIDECAR, read_sidecar, sidecar_plain
from imagemill.data.layouts.tables.table_files import Probe, guess_tables, need_tables, probe_table

__all__ = ["Csv", "Tsv", "open_delimited"]


_CSV = (".csv", ".txt")
"""Suffixes of such tables; a text file only where it shows itself one, with names of columns and images."""


class Csv(Layout):
    """One row per image or per annotation in one, cells between commas (or semicolons, tabs, bars).

    The first line names the columns. It counts as data where it holds names of pictures or numbers alone, or where
    ``columns`` maps roles to numbers and it holds no usual name (``extra={"header": False}`` says so outright).
    """

    name = "csv"
    title = "a CSV table of images"
    holds = HOLDS
    place = 170
    writes = True
    recognised = (
        "A CSV file with a column of paths, addresses, base64 or pixels, also without a header; a row for each "
        "image, or for each annotation in one. Columns are found by what stands in them; `--option "
        "column.label=species` says others, `--option images=DIR` where the files are, `--option separator=;` "
        "another separator. See [read a table](../how-to/read-a-table.md)."
    )
    written = "`images.csv` and `images/`; with `--embed` one file. Objects stand in a cell as JSON."

    def guess(self, look: Look) -> Guess | None:
        return _guess(look, _CSV)

    def read(self, look: Look, options: ReadSource) -> Source:
        return _read(look, options, _CSV, self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        return _write(source, out, options, self.name, ",")


class Tsv(Layout):
    """As `Csv`, with tabs."""

    name = "tsv"
    title = "a table of images with tabs between cells"
    holds = HOLDS
    place = 180
    writes = True
    recognised = "As `csv`, with tabs."
    written = "`images.tsv` and `images/`; as `csv`."

    def guess(self, look: Look) -> Guess | None:
        return _guess(look, (".tsv", ".tab"))

    def read(self, look: Look, options: ReadSource) -> Source:
        return _read(look, options, (".tsv", ".tab"), self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        return _write(source, out, options, self.name, "\t")


def _guess(look: Look, suffixes: Sequence[str]) -> Guess | None:
    try:
        return guess_tables(look, suffixes, partial(_probe, look), 0.9)
    except SourceError:
        # A table by its name: reading it says what is wrong with it.
        return None if look.is_folder else Guess(0.3, f"{look.path.name} is named like a table")


def _probe(look: Look, path: Path, options: ReadSource | None = None) -> Probe | None:
    """What the first rows of a table hold; of one in a folder that cannot be read or that a tool wrote, nothing."""
    if look.is_folder and speaks_for_itself(path):
        return None
    try:
        table = open_delimited(path, options or ReadSource(), None)
        if path.suffix.lower() == ".txt" and (len(table.columns) < 2 or table.columns[0] == "0"):
            return None  # a list of paths, with labels behind them or not
        return probe_table(table, look)
    except SourceError as error:
        if "--option encoding" in str(error) and options is None:
            # Names of files are mostly plain letters: enough to know it for a table, and reading says what to do.
            return _probe(look, path, ReadSource(encoding="latin-1"))
        if not look.is_folder:
            raise
        return None


def _read(look: Look, options: ReadSource, suffixes: Sequence[str], layout: str) -> Source:
    found = need_tables(look, suffixes, partial(_probe, look))
    several = len(found.files) > 1
    tables = [open_delimited(path, options, split, f"{path.stem}/" if several else "") for path, split in found.files]
    root = look.path if look.is_folder else look.path.parent
    listed = look.files if look.is_folder else None
    source = read_tables(root, layout, tables, options, read_sidecar(found.files[0][0].parent), listed)
    return replace(source, notes=(*source.notes, *found.notes))


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
        When it is empty, in another encoding, or without a usable header.
    """
    rows = _decoded(path, options)
    try:
        number, header = next(rows, (0, []))
    except Unclosed as error:
        msg = f"expected a header in {path}, got a quote that is never closed; mend the first line"
        raise SourceError(msg) from error
    if not header:
        raise SourceError(f"expected a table with a header in {path}, got an empty file; get the file again")
    notes: list[str] = []
    columns = tuple(name if name.strip() else f"column {n}" for n, name in enumerate(header))
    trim = len(columns) > 1 and all(name.startswith(" ") for name in columns[1:])
    bare = tuple(unquoted(name) or name for name in columns)
    if len(set(bare)) == len(bare):
        columns = bare
    if trim:
        notes.append("spaces after separators were left out")
    first: list[tuple[int, list[str]]] = []
    if not _has_header(header, options):
        first, columns = [(number, header)], tuple(str(n) for n in range(len(header)))
        notes.append(f"the first line is data: columns are called by their numbers, '0' to '{len(header) - 1}'")
    if len(set(columns)) != len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})
        raise SourceError(f"expected different names of columns in {path}, got {twice} twice; rename one")
    table = Table(path.name, path.parent, columns, (), "line", split, stem, is_text=True, notes=tuple(notes))
    cells = chain(first, _checked(rows, table, trim=trim))
    return with_pixels(replace(table, rows=cells))


def _has_header(header: list[str], options: ReadSource) -> bool:
    """Whether the first line names the columns."""
    told = options.extra.get("header")
    if told is not None:
        return told not in (False, "no", "No", "0", 0)
    if any(role_of(name) for name in header):
        return True
    if options.columns and all(str(c).isdecimal() and c not in header for c in options.columns.values()):
        return False
    cells = [unquoted(name) for name in header]
    if len(cells) >= LEAST_PIXELS and all(map(is_numbers, cells)):
        return False
    return not any(is_readable_name(name) or "://" in name or name.startswith("data:image/") for name in cells)


def _checked(rows: Iterator[tuple[int, list[str]]], table: Table, *, trim: bool) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that have as many cells as the header, and note the others."""
    width, name = len(table.columns), table.name
    try:
        for number, cells in rows:
            if len(cells) != width:
                cells = _mended(cells, width)
            if len(cells) == width:
                yield number, [cell.strip() for cell in cells] if trim else cells
                continue
            msg = f"expected {width} cells as in the first line, got {len(cells)}; mend the line"
            table.problems.append(Problem(f"{name}: line {number}", f"{name}: line {number}: {msg}"))
    except Unclosed as error:
        where = f"{name}: line {error.args[0]}"
        msg = f"{where}: expected the quote that opens a cell to be closed, got the end of the file"
        table.problems.append(Problem(where, f"{msg}; mend the line, what follows it was not read"))


def _mended(cells: list[str], width: int) -> list[str]:
    """A row in which lists stand without quotes, so that they were cut at their commas; or with an empty cell too many.

    Examples
    --------
    >>> _mended(["[[0", " 12]", " [3", " 4]]", "cat"], 2), _mended(["a.png", "cat", ""], 2)
    (['[[0, 12], [3, 4]]', 'cat'], ['a.png', 'cat'])
    """
    if len(cells) == width + 1 and not cells[-1].strip():
        return cells[:-1]
    whole: list[str] = []
    depth = 0
    for cell in cells:
        if depth > 0:
            whole[-1] += "," + cell
        else:
            whole.append(cell)
        opens = depth > 0 or cell.lstrip()[:1] in ("[", "(")
        depth = depth + cell.count("[") + cell.count("(") - cell.count("]") - cell.count(")") if opens else 0
    return whole if len(whole) == width and depth == 0 else cells


def _decoded(path: Path, options: ReadSource) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file, in UTF-8 unless a byte order mark or an option says something else."""
    separator = options.separator
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise SourceError(f"expected one character as separator, got {separator!r}; give ',' or ';' or a tab")
    encoding = _encoding(path, options.encoding)
    try:
        with path.open("rb") as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
            header = text.readline()
            skipped = 0
            if (stated := stated_separator(header)) is not None:
                separator, header, skipped = separator or stated, text.readline(), 1
            second = text.readline()
            quote = sniff_quote(header, second)
            tabs = path.suffix.lower() in (".tsv", ".tab")
            chosen = separator or ("\t" if tabs else sniff_separator(header, quote))
            blanks = quote == "'" or f"{chosen} {quote}" in header
            lines: Iterator[str] = chain((line for line in (header, second) if line), text)
            for number, cells in text_rows(lines, chosen, quote, blanks=blanks):
                yield number + skipped, cells
    except UnicodeError as error:
        got = "other bytes" if options.encoding is None else f"{error}"
        raise SourceError(
            f"expected {path} to be text in {encoding.removesuffix('-sig').upper()}, got {got}; save it as UTF-8, or "
            "say how it is written: encoding='latin-1' (--option encoding=latin-1), or cp1252, utf-16, gbk..."
        ) from error
    except OSError as error:
        raise SourceError(f"expected a readable table, got {error}; check the path and its permissions") from error


def _encoding(path: Path, told: str | None) -> str:
    """The name of a table's encoding."""
    if told is not None:
        try:
            codecs.lookup(told)
        except LookupError as error:
            do = "give latin-1, cp1252, utf-16 or another that Python knows"
            raise SourceError(f"expected the name of an encoding, got {told!r}; {do}") from error
        return "utf-8-sig" if codecs.lookup(told).name == "utf-8" else told
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise SourceError(f"expected a readable table, got {error}; check the path and its permissions") from error
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        raise SourceError(
            f"expected {path} to be text in UTF-8, got UTF-16 without a byte order mark, or binary data; save it as "
            "UTF-8, or say encoding='utf-16-le' (--option encoding=utf-16-le)"
        )
    return "utf-8-sig"


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


LAYOUTS: tuple[Layout, ...] = (
    Csv(),
    Tsv(),
)
