"""Tables as JSON and as JSON Lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.guess.annotation_files import speaks_for_itself
from imagemill.data.layouts.tables.cells.text_cells import base64_text
from imagemill.data.layouts.tables.columns.column_names import role_of
from imagemill.data.layouts.tables.formats.json_forms import parsed, parts_of
from imagemill.data.layouts.tables.rows.table import Table, read_tables
from imagemill.data.layouts.tables.rows.write_rows import HOLDS, Embedded, Row, known_classes, rows_of
from imagemill.data.layouts.tables.sidecar import SIDECAR, Sidecar, read_sidecar, sidecar_of, sidecar_plain
from imagemill.data.layouts.tables.table_files import Probe, guess_tables, need_tables, probe_table

__all__ = ["Json", "JsonLinesTable", "finite", "flat_row", "json_tables", "lines_table"]

_LIMIT = 2 * 1024**3
_PEEK = 1 << 16
_LINES = (".jsonl", ".ndjson")
_COCO = frozenset(("images", "annotations", "categories"))
# Mappings in these columns are one value, not a group of columns.
_WHOLE = frozenset(("image", "mask", "boxes", "labels"))
_DO = "write a list of objects, one per image"


class Json(Layout):
    """A list of objects, one per image or annotation; columns; objects or classes by file name; files by class or part.

    Columns of a mapping inside a row are called ``meta.split``. Taken too: an object per line, and what Python prints.
    """

    name = "json"
    title = "a JSON table of images"
    holds = HOLDS
    place = 190
    writes = True
    recognised = (
        "A JSON file with a list of rows, a mapping of columns or of rows, files by class or part, or classes by "
        "file; also with an object per line. Values may be pixels as lists of numbers."
    )
    written = "`images.json` and `images/`; with `--embed` one file."

    def guess(self, look: Look) -> Guess | None:
        if not look.is_folder and look.path.suffix.lower() == ".json" and _is_large(look.path):
            return Guess(0.4, f"{look.path.name} is a large JSON file")
        if not look.is_folder and speaks_for_itself(look.path):
            return None
        try:
            return guess_tables(look, (".json",), partial(_probe, look), 0.9)
        except (SourceError, OSError):
            return None if look.is_folder or _is_coco(look.path) else Guess(0.2, f"{look.path.name} is named like JSON")

    def read(self, look: Look, options: ReadSource) -> Source:
        files = need_tables(look, (".json",), partial(_probe, look))
        stems = [f"{path.stem}/" if len(files.files) > 1 else "" for path, _ in files.files]
        found = [
            json_tables(path, options, split, stem) for (path, split), stem in zip(files.files, stems, strict=True)
        ]
        root = look.path if look.is_folder else look.path.parent
        listed = look.files if look.is_folder else None
        tables = [table for tables, _ in found for table in tables]
        source = read_tables(root, self.name, tables, options, found[0][1], listed)
        return replace(source, notes=(*source.notes, *files.notes))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            target = out / "images.json"
            job.announce(target)
            plain = _plain(source, job)
            # The rows are written one by one: a large set never stands in memory as text.
            before, after = "[", "]\n"
            if plain:
                before, after = json.dumps(plain, ensure_ascii=False)[:-1] + ', "records": [', "]}\n"
            with atomic_path(target) as part, part.open("w", encoding="utf-8", newline="\n") as file:
                file.write(before)
                for number, line in enumerate(_lines(source, job)):
                    file.write((",\n" if number else "\n") + line)
                file.write(after)
        return job.written()


class JsonLinesTable(Layout):
    """One JSON object per line and image."""

    name = "jsonl"
    title = "a table of images with one JSON object per line"
    holds = HOLDS
    place = 200
    writes = True
    recognised = "A file with a JSON object per line."
    written = "`images.jsonl` and `images/`; with `--embed` one file."

    def guess(self, look: Look) -> Guess | None:
        try:
            return guess_tables(look, _LINES, partial(_probe_lines, look), 0.9)
        except SourceError:
            return None if look.is_folder else Guess(0.3, f"{look.path.name} is named like JSON lines")

    def read(self, look: Look, options: ReadSource) -> Source:
        files = need_tables(look, _LINES, partial(_probe_lines, look))
        stems = [f"{path.stem}/" if len(files.files) > 1 else "" for path, _ in files.files]
        tables = [
            lines_table(path, options, split, stem) for (path, split), stem in zip(files.files, stems, strict=True)
        ]
        root = look.path if look.is_folder else look.path.parent
        listed = look.files if look.is_folder else None
        sidecar = read_sidecar(files.files[0][0].parent)
        source = read_tables(root, self.name, tables, options, sidecar, listed)
        return replace(source, notes=(*source.notes, *files.notes))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            target = out / "images.jsonl"
            job.announce(target)
            with atomic_path(target) as part, part.open("w", encoding="utf-8", newline="\n") as file:
                for line in _lines(source, job):
                    file.write(line + "\n")
            if plain := _plain(source, job):
                job.text(SIDECAR, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
        return job.written()


def _is_large(path: Path) -> bool:
    try:
        return path.stat().st_size > 1 << 26
    except OSError:
        return False


def _probe(look: Look, path: Path) -> Probe | None:
    """What a JSON file holds; of a large or damaged one in a folder, or one that a tool wrote, nothing."""
    if look.is_folder and speaks_for_itself(path):
        return None
    try:
        tables = [] if _is_large(path) else json_tables(path, ReadSource(), None)[0]
        found = [seen for table in tables if (seen := probe_table(table, look)) is not None]
    except (SourceError, OSError):
        if not look.is_folder:
            raise
        return None
    return max(found, key=lambda seen: (seen.images, seen.targets), default=None)


def _probe_lines(look: Look, path: Path) -> Probe | None:
    try:
        return probe_table(lines_table(path, ReadSource(), None, most=5), look)
    except SourceError:
        if not look.is_folder:
            raise
        return None


def _is_coco(path: Path) -> bool:
    """Whether the start of a file looks like COCO annotations, which are another layout."""
    try:
        with path.open("rb") as file:
            start = file.read(_PEEK)
    except OSError:
        return False
    return bool(re.search(rb'"(annotations|categories|segments_info)"\s*:', start))


def _loaded(path: Path, options: ReadSource) -> tuple[Any, str]:
    limit = int(options.extra.get("max_bytes", _LIMIT))
    try:
        size = path.stat().st_size
        if size > limit:
            msg = f"expected at most {limit:,} bytes of JSON, got {size:,} in {path}"
            raise SourceError(f"{msg}; use JSON lines or Parquet, or raise extra={{'max_bytes': ...}}")
        return parsed(_decoded(path.read_bytes(), options.encoding))
    except RecursionError as error:
        raise SourceError(f"expected a table in {path}, got JSON nested too deeply; {_DO}") from error
    except OSError as error:
        raise SourceError(f"expected a readable file, got {error}; check the path and its permissions") from error
    except ValueError as error:
        if isinstance(error, SourceError):
            raise
        do = "mend the file"
        if isinstance(error, UnicodeError):
            do = "save it as UTF-8, or say how it is written: encoding='latin-1' (--option encoding=latin-1)"
        raise SourceError(f"expected {path} to be JSON in UTF-8, got {error}; {do}") from error


def _decoded(data: bytes, encoding: str | None) -> str:
    """The text of a file; UTF-16 where a byte order mark says so."""
    if encoding is None:
        encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except LookupError as error:
        raise SourceError(f"expected the name of an encoding, got {encoding!r}; give latin-1 or another") from error


def json_tables(path: Path, options: ReadSource, split: str | None, stem: str = "") -> tuple[list[Table], Sidecar]:
    """Read a JSON file as tables, one for each part that it names, and what it says of the whole set.

    Raises
    ------
    SourceError
        When it is damaged, too large, nested too deeply, COCO, or no table.
    """
    (content, note), sidecar = _loaded(path, options), read_sidecar(path.parent)
    notes = (f"{path.name}: {note}",) if note else ()
    if isinstance(content, dict):
        if content.keys() >= _COCO:
            raise SourceError(f"expected a table in {path}, got COCO annotations; read it with layout='coco'")
        if "imagemill" in content:
            sidecar = sidecar_of(content, str(path))
            content = content.get("records")
        else:
            sidecar = _classes_inside(content, sidecar)
    try:
        parts = parts_of(content)
    except ValueError as error:
        msg = f"expected lists of one length in {path}, got {error}"
        raise SourceError(f"{msg}; give one value per image") from error
    if not parts or not any(rows for _, rows in parts):
        got = "an empty list" if isinstance(content, list) else f"a {type(content).__name__}"
        if isinstance(content, dict):
            got = f"a mapping of {', '.join(map(repr, list(content)[:6]))}"
        raise SourceError(f"expected a table in {path}, got {got}; {_DO}")
    tables = []
    for part, rows in parts:
        begin = f"{stem}{part}/" if part is not None and len(parts) > 1 else stem
        table = _table(path, list(enumerate(rows, start=1)), "item", options, part or split, begin)
        tables.append(replace(table, notes=notes))
    return tables, sidecar


def _classes_inside(content: Mapping[str, Any], sidecar: Sidecar) -> Sidecar:
    """Take class names that stand beside the rows."""
    for key in ("classes", "class_names", "label_names"):
        names = content.get(key)
        # As long as the rows, it would be a column of them.
        if isinstance(names, list) and all(isinstance(name, str) for name in names) and not _is_columns(content):
            return Sidecar(tuple(names), sidecar.categories, sidecar.keypoint_names, sidecar.links, sidecar.info)
    return sidecar


def _is_columns(content: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, list) and value and isinstance(value[0], dict) for value in content.values())


def lines_table(path: Path, options: ReadSource, split: str | None, stem: str = "", most: int | None = None) -> Table:
    """Read a file with one JSON object per line.

    Parameters
    ----------
    path : Path
    options : ReadSource
    split : str or None
    stem : str
        What keys that have to be made up begin with.
    most : int or None
        Stop after so many lines.

    Raises
    ------
    SourceError
        When it cannot be read, or no line is a JSON object.
    """
    rows: list[tuple[int, Any]] = []
    problems: list[Problem] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if most is not None and number > most:
                    break
                text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                if not text.strip():
                    continue
                try:
                    row = json.loads(text.decode("utf-8"))
                except (ValueError, RecursionError) as error:
                    where = f"{path.name}: line {number}"
                    got = "nesting too deep" if isinstance(error, RecursionError) else str(error)
                    problems.append(Problem(where, f"{where}: expected a JSON object, got {got}; mend the line"))
                    continue
                rows.append((number, row))
    except OSError as error:
        raise SourceError(f"expected a readable file, got {error}; check the path and its permissions") from error
    if not rows:
        first = f"; the first line: {problems[0].message}" if problems else ""
        raise SourceError(f"expected JSON objects in {path}, got {'none' if problems else 'an empty file'}{first}")
    return _table(path, rows, "line", options, split, stem, problems)


def _table(
    path: Path,
    rows: Sequence[tuple[int, Any]],
    unit: str,
    options: ReadSource,
    split: str | None,
    stem: str,
    problems: Sequence[Problem] = (),
) -> Table:
    found = list(problems)
    flat: list[tuple[int, dict[str, Any]]] = []
    lists = all(isinstance(row, list) and len(row) > 1 for _, row in rows)
    for number, row in rows:
        if isinstance(row, dict):
            flat.append((number, flat_row(row, options)))
        elif isinstance(row, str):
            flat.append((number, {"file_name": row}))
        elif lists:
            flat.append((number, {str(n): value for n, value in enumerate(row)}))
        else:
            where = f"{path.name}: {unit} {number}"
            msg = f"{where}: expected a JSON object, got {str(row)[:40]!r}; {_DO}"
            found.append(Problem(where, msg))
    columns = tuple(dict.fromkeys(chain.from_iterable(row for _, row in flat)))
    cells = [(number, [row.get(column) for column in columns]) for number, row in flat]
    return Table(path.name, path.parent, columns, cells, unit, split, stem, problems=found)


def flat_row(row: dict[str, Any], options: ReadSource) -> dict[str, Any]:
    """Bring mappings inside a row up, one level."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict) and role_of(key) not in _WHOLE and key not in options.columns.values():
            flat.update({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            flat[key] = value
    return flat


def _plain(source: Source, job: Export) -> dict[str, Any]:
    plain = sidecar_plain(source)
    if plain and not known_classes(source, job):
        plain.pop("classes", None)
    return plain


def _lines(source: Source, job: Export) -> Iterator[str]:
    """Each row as JSON in one line."""
    for row in rows_of(source, job):
        yield json.dumps(finite(row, job), ensure_ascii=False, allow_nan=False)


def finite(row: Row, job: Export) -> dict[str, Any]:
    """The values of a row that JSON can hold, pictures as text."""
    values = {}
    for key, value in row.items():
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            job.lose("values that are no numbers", "JSON has no word for them")
            continue
        values[key] = base64_text(value) if isinstance(value, Embedded) else value
    return values


LAYOUTS: tuple[Layout, ...] = (
    Json(),
    JsonLinesTable(),
)
