"""Tar files: WebDataset shards, where files with one name belong together, and plain tars and zips of images.

The convention is that of the WebDataset library: what stands before the first dot of a member's file name is the
sample, what stands behind it says what the member is (``.jpg``, ``.cls``, ``.json``, ``.txt``, ``.mask.png``).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import CodecError, MissingExtra, SourceError
from imagemill.data.atomic import atomic_path
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.arrays.containers import MAY_CARRY
from imagemill.data.layouts.base import Guess, Layout, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.export_files import Export, exporting
from imagemill.data.layouts.folder_names import is_image_role, safe_stems
from imagemill.data.layouts.shards.tar_index import Member, TarIndex, index_tar
from imagemill.data.layouts.shards.webdataset_members import member_kind, parts_of_sample, says_more
from imagemill.data.layouts.shards.zip_index import index_zip
from imagemill.data.layouts.tables.cells.image_cells import Placed
from imagemill.data.layouts.tables.columns.column_names import normal_split
from imagemill.data.layouts.tables.formats.json_tables import flat_row
from imagemill.data.layouts.tables.rows.table import Table, read_tables
from imagemill.data.layouts.tables.rows.write_rows import (
    HOLDS,
    count_written,
    embedded,
    known_classes,
    plain_row,
)
from imagemill.data.layouts.tables.sidecar import SIDECAR, read_sidecar, sidecar_plain
from imagemill.data.layouts.tables.table_files import split_of_name
from imagemill.data.records.record import Blob, Record, split_suffix

__all__ = ["WebDataset", "by_split"]

_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".zip")
_SHARD = 256 * 1024 * 1024
_BESIDE = (".txt", ".md", ".json", ".yaml", ".yml")


class WebDataset(Layout):
    """Tar shards; without ``.cls``, ``.json``, ``.txt`` or ``.seg.png`` members a tar, or a zip, is a folder of images.

    What stands before the first dot of a file's name is the sample, as WebDataset defines it; several pictures of one
    sample (``a.left.jpg``, ``a.right.jpg``) are told apart by the rest of their names. Folders inside a plain tar are
    splits (``train/``) and classes. Written shards hold about 256 MB each, with the same bytes every time; each split
    has shards of its own, so records come back ordered by split.
    """

    name = "webdataset"
    title = "tar files: WebDataset shards, or folders of images in a tar or zip"
    holds = HOLDS
    place = 240
    writes = True
    recognised = (
        "Tar files, also by a pattern (`train-{0000..0009}.tar`). With `.cls`, `.json`, `.txt` or `.seg.png` "
        "beside a picture, what stands before the first dot of a name is the sample; pictures that differ behind "
        "it stay apart. Without, folders in the tar are splits and classes."
    )
    written = (
        "Shards of about 256 MB for each split, with the same bytes every time. Records come back ordered by split."
    )

    def guess(self, look: Look) -> Guess | None:
        files = _files(look)
        if not files:
            return None
        if look.is_folder:
            shards = {split_suffix(path)[0] for path in files}
            takes = frozenset(key for key, _ in look.files if key.lower().endswith(_SUFFIXES))
            # What is named after a shard belongs to it: 00000.tar, 00000.parquet, 00000_stats.json.
            rest = [p for key, p in look.files if key not in takes and p.suffix.lower() not in _BESIDE]
            if any(p.name.partition(".")[0] not in shards for p in rest):
                return None
            return Guess(0.95 if rest else 0.8, f"the folder holds {len(files)} {_kind(files)} files", takes, MAY_CARRY)
        return Guess(0.9, f"{look.path.name} is a {_kind(files)} file", frozenset((look.path.name,)), MAY_CARRY)

    def read(self, look: Look, options: ReadSource) -> Source:
        files = _files(look)
        if not files:
            raise SourceError(f"expected tar or zip files in {look.path}, got none; give a .tar or a folder of them")
        tables: list[Table] = []
        problems: list[Problem] = []
        root = look.path if look.is_folder else look.path.parent
        for path in files:
            index = index_zip(path) if path.suffix.lower() == ".zip" else index_tar(path, options)
            problems += index.problems
            table = _table(path, root, index, options)
            if table is not None:
                tables.append(table)
        if not tables:
            first = f"; the first: {problems[0]}" if problems else ""
            raise SourceError(f"expected images in {look.path}, got none{first}; check what is in the {_kind(files)}")
        tables[0].problems.extend(problems)
        source = read_tables(root, self.name, tables, options, read_sidecar(files[0].parent))
        return replace(source, also_read=tuple(dict.fromkeys((*source.also_read, *files))))

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        with exporting(out, self.name, options) as job:
            classes = known_classes(source, job) or tuple(sorted({r.label for r in source if r.label is not None}))
            stems = safe_stems({record.key: _dotless(record.key) for record in source.records})
            for split, records in by_split(source.records):
                _write_shards(records, stems, classes, job, split or "images")
            plain = sidecar_plain(source) | ({"imagemill": 1, "classes": list(classes)} if source.classes else {})
            if plain:
                job.text(SIDECAR, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")
        return job.written()


def _files(look: Look) -> list[Path]:
    """The tar and zip files of a path."""
    last = {f".{suffix.rpartition('.')[2]}" for suffix in _SUFFIXES}
    return [path for key, path in look.ending(*sorted(last)) if key.lower().endswith(_SUFFIXES)]


def _kind(files: Sequence[Path]) -> str:
    """What to call some archives."""
    kinds = {"zip" if path.suffix.lower() == ".zip" else "tar" for path in files}
    return " and ".join(sorted(kinds))


def _split_of(path: Path, root: Path) -> str | None:
    """The split that the name of a shard says, or else the nearest folder."""
    folders = path.parent.relative_to(root).parts if path.parent.is_relative_to(root) else ()
    return next((s for name in (split_suffix(path)[0], *reversed(folders)) if (s := split_of_name(name))), None)


def _table(path: Path, root: Path, index: TarIndex, options: ReadSource) -> Table | None:
    """The samples of a shard as a table."""
    samples: dict[str, dict[str, Member]] = {}
    for member in index.members:
        folder, slash, name = member.name.rpartition("/")
        stem, _, extension = name.partition(".")
        samples.setdefault(f"{folder}{slash}{stem}", {}).setdefault(extension.lower(), member)
    if not any(says_more(sample) for sample in samples.values()):
        return _plain_tar(path, root, index)
    problems: list[Problem] = []
    unused: Counter[str] = Counter()
    parted = {key: parts_of_sample(sample) for key, sample in samples.items()}
    rows = []
    for key, parts in parted.items():
        for part in parts:
            row = _sample(path, key, part, options, problems, unused)
            if row is not None and len(parts) > 1 and any(member_kind(e).middle == "" for e in part):
                row["group"] = key
            rows.append(row)
    kept = [row for row in rows if row is not None]
    if not kept and not problems:
        return None
    notes = []
    if several := sum(len(parts) > 1 for parts in parted.values()):
        told = "the names of samples end at the first dot, as WebDataset has it"
        notes.append(f"{told}; {several} samples hold several pictures, told apart by what stands behind that dot")
    if unused:
        named = ", ".join(f".{kind} ({count:,})" for kind, count in unused.most_common(6))
        notes.append(f"members that are not used: {named}")
    columns = tuple(dict.fromkeys(name for row in kept for name in row)) or ("image",)
    cells = enumerate(([row.get(name) for name in columns] for row in kept), start=1)
    split, stem = _split_of(path, root), f"{split_suffix(path)[0]}/"
    return Table(path.name, path.parent, columns, cells, "sample", split, stem, problems=problems, notes=tuple(notes))


def _placed(path: Path, member: Member) -> Placed:
    blob = Blob(f"{path.name}: {member.name}", split_suffix(member.name)[1], member.fetch)
    return Placed(blob, member.name)


def _sample(
    path: Path,
    key: str,
    sample: dict[str, Member],
    options: ReadSource,
    problems: list[Problem],
    unused: Counter[str],
) -> dict[str, Any] | None:
    """The row of one sample."""
    shown = f"{path.name}: {key}"
    kinds: dict[str, list[str]] = {}
    for extension in sample:
        kinds.setdefault(member_kind(extension).kind, []).append(extension)
    images, masks = kinds.pop("image", []), kinds.pop("mask", [])
    if not images:
        msg = f"{shown}: expected an image, got {', '.join(sorted(sample))}; add one, or remove the sample"
        problems.append(Problem(shown, msg))
        return None
    images.sort(key=lambda extension: member_kind(extension).middle != "")
    for kind, found in (("image", images), ("mask", masks)):
        for extension in found[1:]:
            name = f"{shown}.{extension}"
            msg = f"{name}: expected one {kind} a sample, got also {found[0]}, which was taken; give each a name"
            problems.append(Problem(name, msg))
    row: dict[str, Any] = {"key": None, "image": _placed(path, sample[images[0]])}
    if masks:
        row["mask"] = _placed(path, sample[masks[0]])
    said: dict[str, Member] = {kind: sample[kinds.pop(kind)[0]] for kind in ("json", "label", "text") if kind in kinds}
    unused.update(kinds.keys())
    try:
        row |= _said(said, options)
    except (ValueError, RecursionError, CodecError) as error:
        got = "JSON nested too deeply" if isinstance(error, RecursionError) else str(error)
        problems.append(Problem(shown, f"{shown}: expected text that can be read, got {got}; mend the sample"))
        return None
    return row


def _said(members: Mapping[str, Member], options: ReadSource) -> dict[str, Any]:
    """What the members of a sample say besides its picture."""
    found: dict[str, Any] = {}
    if "json" in members:
        said = json.loads(members["json"].fetch().decode("utf-8-sig"))
        if not isinstance(said, dict):
            raise ValueError(f"a {type(said).__name__} and not an object")
        said = flat_row(said, options)
        found |= {f"json.{name}" if name in ("image", "mask") else name: value for name, value in said.items()}
    if "label" in members and found.get("label") is None:
        text = members["label"].fetch().decode("utf-8").strip()
        found["label"] = int(text) if text.lstrip("-").isdecimal() else text
    if "text" in members and found.get("text") is None:
        found["text"] = members["text"].fetch().decode("utf-8")
    return found


def _plain_tar(path: Path, root: Path, index: TarIndex) -> Table | None:
    """A tar of images in folders."""
    images = [member for member in index.members if is_readable_name(member.name)]
    if not images:
        return None
    rows = []
    for number, member in enumerate(images, start=1):
        folders = member.name.split("/")[:-1]
        split = next((s for folder in folders if (s := normal_split(folder)) is not None), None)
        classes = [folder for folder in folders if normal_split(folder) is None and not is_image_role(folder)]
        rows.append((number, [_placed(path, member), "/".join(classes) or None, split]))
    # One folder around everything is the name of the data set, no class.
    tops = {row[1][1].split("/")[0] if isinstance(row[1][1], str) else None for row in rows}
    if len(tops) == 1 and None not in tops:
        for _, cells in rows:
            cells[1] = str(cells[1]).partition("/")[2] or None
    others = Counter(split_suffix(m.name)[1].lower() or "none" for m in index.members if not is_readable_name(m.name))
    named = ", ".join(f"{suffix} ({count:,})" for suffix, count in others.most_common(6))
    notes = (f"{others.total()} other members passed over: {named}",) if others else ()
    split, stem = _split_of(path, root), f"{split_suffix(path)[0]}/"
    return Table(path.name, path.parent, ("image", "label", "split"), rows, "image", split, stem, notes=notes)


def by_split(records: Sequence[Record]) -> list[tuple[str | None, list[Record]]]:
    """Records by split, each part in order, where every record has one of the usual splits; else all of them.

    Examples
    --------
    >>> by_split([Record("a", Path("a"), split="train"), Record("b", Path("b"))])[0][0] is None
    True
    """
    splits = {record.split for record in records}
    if not splits or not splits <= {"train", "val", "test"}:
        return [(None, list(records))]
    named = [str(split) for split in ("train", "val", "test") if split in splits]
    return [(split, [record for record in records if record.split == split]) for split in named]


def _write_shards(
    records: Sequence[Record], stems: dict[str, str], classes: Sequence[str], job: Export, prefix: str
) -> None:
    """Write samples into shards of bounded size."""
    with ExitStack() as stack:
        tar: tarfile.TarFile | None = None
        size = number = 0
        for record in records:
            try:
                members = list(_members(record, stems[record.key], classes, job))
            except (CodecError, MissingExtra) as error:
                job.problem(record.key, str(error))
                continue
            if tar is None or size > _SHARD:
                stack.close()
                target = job.out / f"{prefix}-{number:06d}.tar"
                job.announce(target)
                part = stack.enter_context(atomic_path(target))
                tar = stack.enter_context(tarfile.open(part, "w", format=tarfile.PAX_FORMAT))
                size, number = 0, number + 1
            for member, data in members:
                info = tarfile.TarInfo(member)
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))
                size += len(data)
            count_written(job)


def _dotless(key: str) -> str:
    """A key whose stem has no dots: the first one would be taken for the end of the sample's name."""
    folder, slash, name = key.rpartition("/")
    stem, suffix = split_suffix(name)
    return f"{folder}{slash}{stem.replace('.', '_')}{suffix}"


def _members(record: Record, base: str, classes: Sequence[str], job: Export) -> Iterator[tuple[str, bytes]]:
    """Names and contents of one sample."""
    row = {"key": record.key, **plain_row(record, job)}
    row = {key: value for key, value in row.items() if value is not None}
    picture = embedded(record.image, base, job.options)
    yield base + split_suffix(picture.name)[1], picture.data
    if record.mask is not None:
        mask = embedded(record.mask, base, job.options, labels=True)
        yield f"{base}.mask{split_suffix(mask.name)[1]}", mask.data
    if record.label is not None and record.label in classes:
        yield f"{base}.cls", str(classes.index(record.label)).encode()
    yield f"{base}.json", json.dumps(row, ensure_ascii=False).encode()


LAYOUTS: tuple[Layout, ...] = (WebDataset(),)
