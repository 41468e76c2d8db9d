"""Rows of tables become records: what every layout of tables shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import SourceError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.base import Problem, ReadSource, Source
from imagemill.data.layouts.tables.cells.image_cells import Place
from imagemill.data.layouts.tables.cells.text_lists import unquoted
from imagemill.data.layouts.tables.cells.text_numbers import typed_column
from imagemill.data.layouts.tables.class_files import names_beside
from imagemill.data.layouts.tables.class_names import name_annotations, name_labels
from imagemill.data.layouts.tables.columns.box_columns import pixel_columns
from imagemill.data.layouts.tables.columns.columns import Sample, guess_columns
from imagemill.data.layouts.tables.rows.find_files import Finder
from imagemill.data.layouts.tables.rows.merge_rows import gathered
from imagemill.data.layouts.tables.rows.row_reader import Found, RowReader
from imagemill.data.layouts.tables.sidecar import SIDECAR, Sidecar
from imagemill.data.records.record import Record

__all__ = ["Table", "read_tables", "unique_keys", "with_pixels"]

_FIRST = 1000
"""Rows that are looked at where a table is not read at once."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table, as its format gives it.

    Parameters
    ----------
    name : str
        What errors call it.
    base : Path
        Folder that paths in it are relative to.
    columns : tuple of str
    rows : iterable of (int, sequence)
        Number of each row as errors count it, and its cells.
    unit : str
        What the number counts: ``"line"`` or ``"row"``.
    split : str or None
        Of the whole table.
    stem : str
        What keys that have to be made up begin with.
    is_text : bool
        Whether cells are text in which numbers must be recognised.
    prefix : str
        What keys that are paths in the table begin with.
    problems : list of Problem
        Filled while the rows are read.
    notes : tuple of str
    """

    name: str
    base: Path
    columns: tuple[str, ...]
    rows: Iterable[tuple[int, Sequence[Any]]]
    unit: str = "row"
    split: str | None = None
    stem: str = ""
    is_text: bool = False
    prefix: str = ""
    problems: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file."""
        return self.base / Path(self.name).name


def read_tables(
    root: Path,
    layout: str,
    tables: Sequence[Table],
    options: ReadSource,
    sidecar: Sidecar | None = None,
    files: Sequence[tuple[str, Path]] | None = None,
) -> Source:
    """Make a source of one or several tables.

    Parameters
    ----------
    root : Path
    layout : str
        Name of the layout.
    tables : sequence of Table
    options : ReadSource
        ``extra`` may hold ``classes`` (a list of names, or a file with one per line or as JSON), ``boxes``
        (``"xyxy"`` where boxes are left, top, right, bottom; ``"xywh"`` or ``"centre"``), ``shape`` (``"28x28"``, of
        pixels in cells) and ``rle`` (``"rows"`` where runs count along the rows).
    sidecar : Sidecar or None
        What is known besides: class names and so on.
    files : sequence of (str, Path), optional
        Keys and paths of the files below `root`, where they are known.

    Raises
    ------
    SourceError
        When no row can be taken in, or no column holds images.
    """
    sidecar = sidecar or Sidecar()
    found, notes = Found(), list(sidecar.notes)
    called: dict[str, str] = {}
    finder = _finder(root, tables, options, files)
    several = "labels" in options.columns
    for table in _apart(root, tables):
        reader, rows = _opened(table, options, finder, sidecar.categories, found)
        notes += [note for note in (*table.notes, *reader.columns.notes) if note not in notes]
        called |= {role: table.columns[n] for role, n in reader.columns.roles.items() if role in _ASKED_FOR}
        found.hot = found.hot or tuple(table.columns[n] for n in reader.columns.hot)
        before = len(found.rows)
        reader.read(iter(rows))
        merged, problems, said = gathered(found.rows[before:], several=several)
        found.rows[before:] = merged
        found.problems += [*problems, *table.problems]
        notes += said
    records, labels = _records(found, notes)
    known, listed = sidecar.classes or found.hot, None
    if not known and "classes" not in options.extra:
        known, listed = _names_beside(root, labels, records, tables)
        if listed is not None:
            notes.append(f"class names from {listed.name}")
    named, classes, class_notes = name_labels(root, labels, records, options, known)
    records, bad = named
    found.problems += bad
    categories = sidecar.categories
    if not categories and not any(label is not None for label in labels):
        records, categories, annotation_notes = name_annotations(root, records, options, known)
        class_notes = [*class_notes, *(note for note in annotation_notes if note not in class_notes)]
    if not records:
        first = f"; the first: {found.problems[0]}" if found.problems else ""
        msg = f"expected rows with images in {root}, got {len(found.problems)} that cannot be taken in{first}"
        raise SourceError(f"{msg}; mend the table or the paths in it")
    unique, again = unique_keys(records)
    return Source(
        root,
        layout,
        unique,
        notes=tuple([*notes, *class_notes, *_notes(found, again)]),
        classes=classes,
        categories=categories,
        keypoint_names=sidecar.keypoint_names,
        links=sidecar.links,
        problems=tuple(found.problems),
        info={**sidecar.info, **({"columns": called} if called else {})},
        also_read=_also_read(root, tables, listed),
    )


def _apart(root: Path, tables: Sequence[Table]) -> Sequence[Table]:
    """Tables of several folders, with the folder of each in front of its keys: files in them may be called the same."""
    if len({table.base for table in tables}) < 2:
        return tables
    inside = [table.base.is_relative_to(root) and table.base != root and not table.prefix for table in tables]
    return [
        replace(table, prefix=f"{table.base.relative_to(root).as_posix()}/") if below else table
        for table, below in zip(tables, inside, strict=True)
    ]


_ASKED_FOR = ("group", "label", "split")
"""Roles whose columns are asked for by their own names later on, as what must not part."""


def _names_beside(
    root: Path, labels: Sequence[Any], records: Sequence[Record], tables: Sequence[Table]
) -> tuple[tuple[str, ...], Path | None]:
    """Names of classes that are numbers, from a file beside the table; of annotations where pictures have no label."""
    folder = root if root.is_dir() else root.parent
    if (folder / "classes.txt").is_file():
        return (), None
    numbers: Iterable[Any] = labels
    if all(label is None for label in labels):
        numbers = {annotation.category for record in records for annotation in record.objects or ()}
    return names_beside(folder, numbers, [table.path for table in tables])


def _also_read(root: Path, tables: Sequence[Table], listed: Path | None) -> tuple[Path, ...]:
    """The tables, and what lies beside them to explain them."""
    paths = [table.path for table in tables]
    beside = [folder / name for folder in {root, *(p.parent for p in paths)} for name in (SIDECAR, "classes.txt")]
    return tuple(dict.fromkeys([*paths, *(path for path in beside if path.is_file()), *([listed] if listed else [])]))


def _finder(
    root: Path, tables: Sequence[Table], options: ReadSource, files: Sequence[tuple[str, Path]] | None
) -> Finder:
    """What looks for images that are not where the table says."""
    if options.images is None:
        return Finder(root, files)
    folder = options.images
    if not folder.is_dir() and tables and (tables[0].base / folder).is_dir():
        folder = tables[0].base / folder
    if not folder.is_dir():
        raise SourceError(f"expected the folder of images, got {str(folder)!r}, where there is none; check the path")
    return Finder(folder)


def _opened(
    table: Table, options: ReadSource, finder: Finder, categories: tuple[str, ...], found: Found
) -> tuple[RowReader, Iterable[tuple[int, Sequence[Any]]]]:
    """A reader for a table, and its rows."""
    rows: Iterable[tuple[int, Sequence[Any]]]
    if table.is_text or isinstance(table.rows, list):
        rows = first = list(table.rows)
    else:
        # Rows with places of pictures are read as they are asked for; the first ones show what they are.
        source = iter(table.rows)
        first = list(islice(source, _FIRST))
        rows = chain(first, source)
    place = Place(table.base, options)
    pictures = place if options.images is None else Place(finder.root, options)
    # Nothing is fetched to look at a column, and what leads elsewhere is refused where it is read.
    look = Place(pictures.base, replace(options, urls=True, outside=True))
    sample = Sample([cells for _, cells in first], look, finder)
    columns = guess_columns(table.columns, options, table.name, sample)
    reader = RowReader(
        table.name, table.unit, table.columns, columns, place, pictures, sample, table.is_text, table.split, table.stem,
        table.prefix, categories, found,
    )  # fmt: skip
    if table.is_text:
        reader.converters = {n: typed_column(cells[n] for cells in sample.rows) for n, _ in columns.attributes}
    return reader, rows


def _records(found: Found, notes: list[str]) -> tuple[list[Record], list[Any]]:
    """The records of all rows, and the label of each as its table has it."""
    records = [row.record for row in found.rows]
    labels = [row.label for row in found.rows]
    if found.hot and all(row.record.labels is not None and len(row.record.labels) == 1 for row in found.rows):
        labels = [row.record.labels[0] for row in found.rows if row.record.labels]
        records = [replace(r, labels=None, label=label) for r, label in zip(records, labels, strict=True)]
    texts = {label for label in labels if isinstance(label, str)}
    if len({text.strip() for text in texts}) < len(texts):
        notes.append("blanks around class names were left out: they made two classes of one")
        labels = [label.strip() if isinstance(label, str) else label for label in labels]
        records = [r if r.label is None else replace(r, label=r.label.strip()) for r in records]
    return records, labels


def _notes(found: Found, again: int) -> list[str]:
    notes = list(found.said)
    by_how: dict[str, list[str]] = {}
    for (how, folder), _ in found.trails.most_common():
        by_how.setdefault(how, []).append(folder)
    for how, folders in by_how.items():
        count = sum(n for (one, _), n in found.trails.items() if one == how)
        shown = ", ".join(repr(folder) for folder in folders[:4] if folder) + (", ..." if len(folders) > 4 else "")
        notes.append(f"files of {_rows(count)} were found {how}" + (f", in {shown}" if shown else ""))
    if found.missing:
        shown = ", ".join(map(repr, found.missing[:5])) + (", ..." if len(found.missing) > 5 else "")
        do = "check them, or say where images are: images='DIR' (--option images=DIR)"
        notes.append(f"{_rows(len(found.missing))} without the file that is named ({shown}); {do}")
    if found.made_up:
        notes.append(f"{found.made_up} rows without a name of their own are called by their number")
    if again:
        notes.append(f"{again} rows repeat the key of one before, and got a number behind it")
    if found.left_out:
        names = ", ".join(sorted(found.left_out)[:8])
        notes.append(f"columns left out, for they hold neither text nor numbers: {names}")
    if found.odd_splits:
        names = ", ".join(repr(name) for name, _ in found.odd_splits.most_common(5))
        notes.append(f"{found.odd_splits.total()} rows name a split other than train, val or test: {names}")
    return notes


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def with_pixels(table: Table) -> Table:
    """A table in which columns of one pixel each are one column, ``pixels``.

    It is done row by row, since every number as text would take a hundred times its bytes.
    """
    numbers = pixel_columns(table.columns)
    if not numbers:
        return table
    first, last = numbers[0], numbers[-1] + 1
    # Without a header the class stands before or behind: a square says which.
    if table.columns == tuple(map(str, range(len(table.columns)))):
        first = 1 if _is_square(last - first - 1) and not _is_square(last - first) else 0
    source = iter(table.rows)
    peek = list(islice(source, 1))
    others = [cell for _, cells in peek for cell in (*cells[:first], *cells[last:])]
    if any(isinstance(cell, str) and is_readable_name(unquoted(cell)) for cell in others) or not (
        _is_square(last - first) or "p" in table.columns[first].lower()
    ):
        # Twenty measurements of a picture that is a file are no pixels.
        return replace(table, rows=chain(peek, source))
    columns = (*table.columns[:first], "pixels", *table.columns[last:])
    note = f"{last - first} columns are the pixels of a row, {table.columns[first]!r} to {table.columns[last - 1]!r}"

    def rows() -> Iterator[tuple[int, Sequence[Any]]]:
        for number, cells in chain(peek, source):
            try:
                pixels: Any = _smallest(np.array(cells[first:last], dtype=np.float64))
            except ValueError:
                where = f"{table.name}: {table.unit} {number}"
                msg = f"{where}: expected numbers as pixels, got something else; mend the row"
                table.problems.append(Problem(where, msg))
                continue
            yield number, [*cells[:first], pixels, *cells[last:]]

    return replace(table, columns=columns, rows=rows(), notes=(*table.notes, note))


def _is_square(count: int) -> bool:
    return any(round((count / channels) ** 0.5) ** 2 * channels == count for channels in (1, 3, 4))


def _smallest(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Whole numbers in few bytes."""
    if np.array_equal(values, np.floor(values)) and values.min() >= 0 and values.max() < 65536:
        return values.astype(np.uint8 if values.max() < 256 else np.uint16)
    return values


def unique_keys(records: Iterable[Record]) -> tuple[tuple[Record, ...], int]:
    """Number keys that come again ``#2``, ``#3``; a key that really ends so keeps its name.

    Returns
    -------
    tuple
        The records, and how many had to be renamed.

    Examples
    --------
    >>> records, again = unique_keys([Record("a", Path("a")), Record("a", Path("b"))])
    >>> [record.key for record in records], again
    (['a', 'a#2'], 1)
    """
    records = list(records)
    taken, counts, unique, again = {record.key for record in records}, Counter[str](), [], 0
    for record in records:
        counts[record.key] += 1
        if (number := counts[record.key]) > 1:
            again += 1
            while (key := f"{record.key}#{number}") in taken:
                number += 1
            taken.add(key)
            record = replace(record, key=key)
        unique.append(record)
    return tuple(unique), again
