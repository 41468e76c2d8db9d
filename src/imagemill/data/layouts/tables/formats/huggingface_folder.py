"""The image folder of Hugging Face datasets: images with a ``metadata`` table beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.shards.webdataset import by_split
from imagemill.data.layouts.tables.columns.column_names import normal_split
from imagemill.data.layouts.tables.formats.delimited import open_delimited
from imagemill.data.layouts.tables.formats.json_tables import finite, lines_table
from imagemill.data.layouts.tables.formats.parquet import columnar_table
from imagemill.data.layouts.tables.rows.table import Table, read_tables
from imagemill.data.layouts.tables.rows.write_rows import HOLDS, known_classes, rows_of
from imagemill.data.layouts.tables.sidecar import SIDECAR, read_sidecar, sidecar_plain
from imagemill.data.layouts.tables.table_files import IMAGE_FOLDER
from imagemill.data.records.record import Record

__all__ = ["HuggingFaceFolder"]

_METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_FOLDERS = {"train": "train", "val": "validation", "test": "test"}


class HuggingFaceFolder(Layout):
    """Images, and in the same folder or a folder above them ``metadata.csv``, ``.jsonl`` or ``.parquet``.

    A metadata table names images by ``file_name``, relative to itself, and may lie in each of ``train/``,
    ``validation/`` and ``test/``. Objects stand in ``objects`` with ``bbox`` and ``categories``. Written with one
    ``metadata.jsonl`` per split; records come back ordered by split.
    """

    name = "huggingface"
    title = "an image folder with metadata, as Hugging Face datasets have it"
    holds = HOLDS
    place = 230
    writes = True
    recognised = "Images with `metadata.csv`, `metadata.jsonl` or `metadata.parquet` in their folder or above it."
    written = (
        "`images/` and `metadata.jsonl`, for each split in a folder of its own. Records come back ordered by split."
    )

    def guess(self, look: Look) -> Guess | None:
        tables = [(key, path) for key, path in _tables(look) if _names_images(path)]
        if not tables:
            return None
        shown = PurePosixPath(tables[0][0]).as_posix()
        return Guess(0.9, f"{shown} names the images beside it")

    def read(self, look: Look, options: ReadSource) -> Source:
        found = _tables(look)
        if not found:
            raise SourceError(f"expected {' or '.join(_METADATA)} in {look.path}, got none; choose another layout")
        sidecar = read_sidecar(look.path)
        tables = []
        for key, path in found:
            table, classes = _table(key, path, options)
            tables.append(table)
            if classes and not sidecar.classes:
                sidecar = replace(sidecar, classes=classes)
        source = read_tables(look.path, self.name, tables, options, sidecar)
        named = {record.image for record in source if isinstance(record.image, Path)}
        named |= {record.mask for record in source if isinstance(record.mask, Path)}
        rest = sum(is_readable_name(path) and path not in named for _, path in look.files)
        if rest:
            note = f"{rest} images that the metadata does not name were passed over"
            source = replace(source, notes=(*source.notes, note))
        return source

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        # Images are files here by definition.
        with exporting(out, self.name, replace(options, embed=False)) as job:
            if options.embed:
                job.lose("wishes to embed", "an image folder keeps images as files; use parquet")
            known_classes(source, job)
            for split, records in by_split(source.records):
                _write_part(source, records, _FOLDERS[split] if split else "", job)
            if plain := sidecar_plain(source):
                job.text(SIDECAR, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
        return job.written()


def _tables(look: Look) -> list[tuple[str, Path]]:
    if not look.is_folder:
        return []
    return [(key, path) for key, path in look.ending(".csv", ".jsonl", ".parquet") if path.name in _METADATA]


def _names_images(path: Path) -> bool:
    """Whether a table of this name is one of images, and not of anything else."""
    try:
        columns = _opened(path, ReadSource(), None, "")[0].columns
    except SourceError:
        return True  # reading it says what is wrong with it
    return bool({*IMAGE_FOLDER, "key"} & set(columns))


def _opened(path: Path, options: ReadSource, split: str | None, stem: str) -> tuple[Table, tuple[str, ...]]:
    if path.suffix == ".csv":
        return open_delimited(path, options, split, stem), ()
    if path.suffix == ".jsonl":
        return lines_table(path, options, split, stem), ()
    table, sidecar = columnar_table(path, options, split, stem)
    return table, sidecar.classes


def _table(key: str, path: Path, options: ReadSource) -> tuple[Table, tuple[str, ...]]:
    """Open one metadata table; keys of its images begin with its folder."""
    folder = str(PurePosixPath(key).parent)
    prefix = "" if folder == "." else folder + "/"
    split = next((s for part in folder.split("/") if (s := normal_split(part)) is not None), None)
    table, classes = _opened(path, options, split, prefix)
    if not set(IMAGE_FOLDER) & set(table.columns) and "image" not in options.columns:
        msg = f"expected a column 'file_name' in {path}, got {', '.join(map(repr, table.columns[:8]))}"
        raise SourceError(f"{msg}; name it: columns={{'image': ...}}")
    return replace(table, name=key, prefix=prefix), classes


def _write_part(source: Source, records: Sequence[Record], folder: str, job: Export) -> None:
    """Write the images of one split, and their table."""
    target = job.out / folder / "metadata.jsonl"
    job.announce(target)
    part_source = replace(source, records=tuple(records))
    prefix = f"{folder}/" if folder else ""
    with atomic_path(target) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows_of(part_source, job, "file_name", "mask_file_name", prefix + "images", prefix + "masks"):
            values: dict[str, Any] = finite(row, job)
            for column in ("file_name", "mask_file_name"):
                if column in values:
                    values[column] = values[column].removeprefix(prefix)
            if folder:
                values.pop("split", None)
            file.write(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")


LAYOUTS: tuple[Layout, ...] = (HuggingFaceFolder(),)
