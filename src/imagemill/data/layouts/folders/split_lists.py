"""Lists of names beside the images: which are for training, and which class each is of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from imagemill.data.layouts.base import Look, Source
from imagemill.data.layouts.guess.folder_words import part_of
from imagemill.data.layouts.labelmaps.mask_names import plain
from imagemill.data.records.record import split_suffix

__all__ = ["with_lists"]

_LARGEST = 1 << 25
_FITS = 0.9
"""Share of a list's lines that have to name an image of the set."""
_PREFIX = re.compile(r"(.+?)[-_ ]?\d+")


@dataclass(frozen=True, slots=True)
class _List:
    """A text file whose lines begin with names of images."""

    path: Path
    folder: str
    part: str | None
    numbers: Mapping[str, int | None]
    """Class numbers by the images' stems, where the list has such a column."""


def with_lists(source: Source, look: Look) -> Source:
    """Give records the part and the class that text files beside them say, where the layout found none.

    A list of a part is called ``train.txt``, ``val.txt``, ``test.txt`` or ``trainval.txt``, the last for names in
    no other. A list of classes has a class number behind every name, and names begin with the class, as those of the
    Oxford-IIIT pets do (``Abyssinian_12 1 1 1``).
    """
    wants_parts = all(record.split is None for record in source)
    wants_classes = all(record.label is None and record.labels is None for record in source)
    names = [plain(split_suffix(record.key)[0].rpartition("/")[2]) for record in source]
    if not look.is_folder or not names or not (wants_parts or wants_classes) or len(set(names)) < len(names):
        return source
    lists = _lists(look, set(names))
    if not lists:
        return source
    parts = _parts(lists) if wants_parts else {}
    classes, by = _classes(lists) if wants_classes else ({}, None)
    records = tuple(
        replace(record, split=parts.get(name, record.split), label=classes.get(name, record.label))
        for record, name in zip(source, names, strict=True)
    )
    notes, read = [], set(source.also_read)
    if parts:
        used = [each for each in lists if each.part is not None]
        notes.append(f"parts as {', '.join(each.path.name for each in used)} say")
        read |= {each.path for each in used}
    if by is not None:
        notes.append(f"classes as {by.path.name} numbers them, by the names of the images")
        read.add(by.path)
    also = (*source.also_read, *sorted(read - set(source.also_read)))
    return replace(source, records=records, notes=(*source.notes, *notes), also_read=also)


def _lists(look: Look, names: set[str]) -> list[_List]:
    """Text files of which nearly all lines name images; of one part, those of the folder that speaks of label maps."""
    found = []
    for key, path in look.files:
        if key.lower().endswith(".txt") and (read := _read(key, path, names)) is not None:
            found.append(read)
    folders = {each.folder for each in found if each.part is not None}
    best = max(
        folders, key=lambda name: ("seg" in name.lower(), sum(each.folder == name for each in found)), default=""
    )
    return [each for each in found if each.part is None or each.folder == best]


def _read(key: str, path: Path, names: set[str]) -> _List | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    numbers: dict[str, int | None] = {}
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for cells in lines:
        name = cells[0].replace("\\", "/").rpartition("/")[2]
        stem = plain(name if name in names else split_suffix(name)[0])
        if stem in names:
            numbers[stem] = int(cells[1]) if len(cells) > 1 and cells[1].isdecimal() else None
    if not lines or len(numbers) < _FITS * len(lines):
        return None
    folder, _, file = key.rpartition("/")
    stem = file[:-4]
    part = "train" if stem.lower() == "trainval" else part_of(stem)
    return _List(path, folder, part, numbers)


def _parts(lists: Sequence[_List]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in sorted(lists, key=lambda one: one.path.stem.lower() == "trainval"):
        if each.part is not None:
            for name in each.numbers:
                found.setdefault(name, each.part)
    return found


def _classes(lists: Sequence[_List]) -> tuple[dict[str, str], _List | None]:
    """Classes by name, of the longest list whose numbers and the beginnings of names are one to one."""
    for each in sorted(lists, key=lambda one: -len(one.numbers)):
        prefixes: dict[int, set[str]] = defaultdict(set)
        for name, number in each.numbers.items():
            begun = _PREFIX.fullmatch(name)
            if number is None or begun is None:
                break
            prefixes[number].add(begun[1])
        else:
            single = {number: next(iter(words)) for number, words in prefixes.items() if len(words) == 1}
            if len(single) == len(prefixes) == len(set(single.values())) and len(single) > 1:
                return {name: single[number] for name, number in each.numbers.items() if number is not None}, each
    return {}, None
