"""Which part each record of a store is in: the source's own, or drawn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.layouts.base import Source
from imagemill.data.layouts.walk import real_path
from imagemill.data.records.loading import pixels_name
from imagemill.data.records.record import Pixels
from imagemill.data.remote.remote_path import RemotePath
from imagemill.data.splits.duplicates import Contents, straddling
from imagemill.data.splits.grouping import columns_of, divide, grouped, remarks_on
from imagemill.data.splits.split import read_shares
from imagemill.verbs.prepare.class_numbers import LabelPlan
from imagemill.verbs.prepare.parameters import Parameters

__all__ = ["Places", "Split", "groups_of", "split_of"]


def groups_of(source: Source, asked: Parameters) -> list[str | None]:
    """The group of every record, as it was asked for."""
    return grouped(columns_of(source.records), asked.group, source.info.get("columns"))


@dataclass(frozen=True, slots=True)
class Split:
    """The part of every record, in words how it came about, and what there is to say about it."""

    parts: list[str]
    how: str
    notes: tuple[str, ...] = ()


def split_of(source: Source, plan: LabelPlan, asked: Parameters, contents: Contents | None = None) -> Split:
    """Divide the records; those of the same content go to one part, where contents are known.

    Raises
    ------
    InputError
        When the source's own split is asked for, and it has none.
    """
    records = source.records
    own = [record.split for record in records]
    said = {part for part in own if part is not None}
    alone = own.count(None)
    keep = asked.split == "keep" or (asked.split == "auto" and {"train"} < said and 2 * alone <= len(own))
    groups = groups_of(source, asked)
    if keep and asked.split == "auto" and alone:
        # A few images in no part are no reason to mix training and test images anew.
        own = [part or "train" for part in own]
        records = tuple(record if record.split else replace(record, split="train") for record in records)
    keys = [record.key for record in records]
    contents = contents or Contents((None,) * len(records))
    several = plan.form == "multi"
    classes: list[Any] = [n if several else (n[0] if n else None) for n in map(plan.names, records)]
    if keep:
        bare = [record.key for record in records if record.split not in ("train", "val", "test")]
        if bare:
            msg = f"expected a source that says train, val or test of every image, got none for {len(bare)}: {bare[0]}"
            raise InputError(f"{msg}; choose split='auto'")
        parts = [str(part) for part in own]
        remarks = (straddling(keys, own, contents), *remarks_on(own, classes, ("train",)))
        notes = tuple(note for note in remarks if note)
        rest = f", {alone} in no part are for training" if alone else ""
        if not asked.val or "val" in parts:
            return Split(parts, f"the source's own{rest}", notes)
        inside: Sequence[int] = [i for i, part in enumerate(parts) if part == "train"]
        shares = read_shares(0, asked.val, len(inside))
    else:
        parts, inside, notes = ["train"] * len(records), range(len(records)), ()
        shares = read_shares(asked.split, asked.val, len(records))
    stratify = asked.stratify and plan.form != "none"
    if len(inside) < len(records):
        keys, classes, groups = [keys[i] for i in inside], [classes[i] for i in inside], [groups[i] for i in inside]
        contents = Contents(tuple(contents.ids[i] for i in inside))
    made = divide(keys, shares, classes if stratify else None, groups, contents, asked.seed)
    for i, part in zip(inside, made.parts, strict=True):
        parts[i] = part
    how = "stratified by label" if stratify else "by key alone"
    whole = f"{how}, groups kept whole" if made.is_grouped else how
    told = f"the source's own{rest}, validation drawn: {whole}" if keep else whole
    if said and not keep and asked.split == "auto":
        told = f"{whole}, in place of the source's own: {', '.join(sorted(said))}"
    return Split(parts, told, (*notes, *made.notes, *made.warnings))


class Places:
    """Where pixels are, relative to their source: a store names no folder of a machine.

    Parameters
    ----------
    source : Source
    """

    def __init__(self, source: Source) -> None:
        self._root = source.root
        # Following links asks the disk about every folder on the way, and most files share theirs.
        self._folders: dict[str, str | None] = {}

    def __call__(self, where: Pixels) -> str:
        """In words of the manifest."""
        root = self._root
        if not isinstance(where, Path):
            return pixels_name(where).replace(f"{root}/", "").replace(str(root), root.name)
        if isinstance(where, RemotePath):
            return str(where.relative_to(root).as_posix() if where.is_relative_to(root) else where.name)
        folder, name = os.path.split(str(real_path(where) if where.is_symlink() else where))
        if folder not in self._folders:
            self._folders[folder] = self._below(Path(folder))
        there = self._folders[folder]
        return where.name if there is None else f"{there}{name}"

    def _below(self, folder: Path) -> str | None:
        """The way from the root to a folder, with a slash behind it; None where it does not lie below."""
        try:
            way = real_path(folder).relative_to(real_path(self._root)).as_posix()
        except ValueError:
            return None
        return "" if way == "." else f"{way}/"
