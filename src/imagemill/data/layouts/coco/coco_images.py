"""Where the pictures of a COCO file are: in which folder, and which of them each of its names means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.base import Look, Problem, ReadSource
from imagemill.data.layouts.coco.coco_json import CocoFile, Entry
from imagemill.data.layouts.folder_names import is_mask_role, place_of, split_named
from imagemill.data.layouts.plain_folders import inside
from imagemill.data.layouts.shapes.image_lookup import ANNOTATED, Pictures, not_background
from imagemill.data.layouts.shapes.outside_image import within
from imagemill.data.layouts.walk import walk_files
from imagemill.data.records.instances import Scalar
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_path import as_path, relative

__all__ = ["Taking", "common_folder", "folder_of", "split_of", "words_of"]

_MOST = 200_000
"""Files that are looked through around a file that was given by itself."""


def words_of(path: Path) -> list[str]:
    """The words of a file's name."""
    return re.split(r"[-_.]+", path.stem)


def split_of(path: Path) -> str | None:
    """The split that a file's name says, or the folder it lies in."""
    named = [split for word in words_of(path) if (split := split_named(word)) is not None]
    return named[0] if named else split_named(path.parent.name)


def folder_of(file: CocoFile, look: Look, images: Any) -> Path:
    """The folder in which most of a file's pictures are; the one that was asked for where there is one.

    Raises
    ------
    SourceError
        When that is no folder.
    """
    if images is not None:
        folder = as_path(images)
        if not folder.is_absolute() and look.is_folder and not folder.is_dir():
            folder = look.path / folder
        if not folder.is_dir():
            raise SourceError(f"expected images as a folder, got {str(images)!r}, which is none; check the path")
        return folder
    names = list(file.images)
    sample = names[:: max(1, len(names) // 100)]
    best, most = file.path.parent, -1
    for folder in _candidates(file.path, look):
        count = sum(_is_file(folder / name) for name in sample)
        if count > most:
            best, most = folder, count
    # A file in a folder for annotations speaks of pictures outside of it.
    alone = not look.is_folder and most == 0 and is_mask_role(file.path.parent.name)
    return file.path.parent.parent if alone else best


def common_folder(parent: Path, folders: list[Path]) -> Path:
    """The folder that keys are relative to: the JSON file's own, or the one around it."""
    if all(folder.resolve().is_relative_to(parent.resolve()) for folder in folders):
        return parent
    return parent.parent


def _candidates(path: Path, look: Look) -> Iterable[Path]:
    """Where the pictures of a JSON file usually are."""
    split = split_of(path)
    bases = [path.parent]
    if not look.is_folder or path.parent != look.path:
        bases.append(path.parent.parent)
    for base in bases:
        try:
            below = sorted(entry for entry in base.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        except OSError:
            continue
        of_split = [entry for entry in below if split is not None and split_named(entry.name) == split]
        roles = [entry for entry in below if entry.name.lower() in ("images", "imgs", "img", "jpegimages")]
        yield from (entry / name for entry in roles for name in _splits_in(entry, split))
        yield from (entry / role for entry in of_split for role in ("images",) if (entry / role).is_dir())
        yield from of_split
        yield from roles
        yield base


def _splits_in(folder: Path, split: str | None) -> list[str]:
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    return [name for name in names if split is not None and split_named(name) == split]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a zero byte in it
        return False


@dataclass(slots=True)
class Taking:
    """Takes the pictures of some files in: those that are where they are said to be, then the rest by their ends.

    Parameters
    ----------
    root : Path
        What keys are relative to.
    look : Look
    options : ReadSource
    """

    root: Path
    look: Look
    options: ReadSource
    records: dict[str, Record] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _left: list[tuple[CocoFile, Path, Entry]] = field(default_factory=list)
    _by_end: list[str] = field(default_factory=list)
    _bare: int = 0

    def take(self, file: CocoFile, folder: Path) -> None:
        """Take in what is in a folder under the names of a file; the rest is kept for `finish`."""
        for entry in file.images.values():
            path = inside(folder, entry.file_name, outside=self.options.outside)
            if path is None or not _is_file(path):
                self._left.append((file, folder, entry))
            else:
                self._add(file, entry, _key(path, self.root, entry.file_name), path)

    def finish(self) -> list[str]:
        """Take in the pictures that lie elsewhere than said, name those that are not there, and give notes."""
        pictures: dict[Path, Pictures] = {}
        for file, folder, entry in self._left:
            base = self.root if folder.resolve().is_relative_to(self.root.resolve()) else folder
            if base not in pictures:
                pictures[base] = Pictures(self._files(base))
            try:
                key = pictures[base].find(entry.file_name)
                path = inside(base, key, outside=self.options.outside)
                split, here = split_of(file.path), place_of(key).split
                taken = key in self.records or (split is not None and here is not None and here != split)
                fault = "" if path is not None and not taken else None
            except InputError as error:
                path, fault = None, str(error) if "expected one picture" in str(error) else None
            if path is not None and fault == "":
                self._by_end.append(f"{entry.file_name!r} is {key}")
                self._add(file, entry, _key(path, self.root, key), path)
            else:
                told = fault or self._missing(folder, entry.file_name)
                self._problem(file, entry.file_name, told, missing=not fault and "no such file" in told)
        return self._notes()

    def _files(self, base: Path) -> Iterable[tuple[str, Path]]:
        return self.look.files if base == self.look.path else islice(walk_files(base), _MOST)

    def _missing(self, folder: Path, name: str) -> str:
        if inside(folder, name, outside=self.options.outside) is None:
            return f"expected a path below {folder}, got {name!r}; pass outside=True to allow it"
        return f"expected the picture {name!r} in {folder}, got no such file; add or unlist it"

    def _notes(self) -> list[str]:
        notes = []
        if self._by_end:
            count = len(self._by_end)
            notes.append(f"{count} pictures were found by the end of their path ({self._by_end[0]})")
        return [*notes, *not_background(self._bare)]

    def _problem(self, file: CocoFile, name: str, message: str, *, missing: bool = False) -> None:
        self.problems.append(Problem(f"{file.path.name}: {name}", message, missing))

    def _add(self, file: CocoFile, entry: Entry, key: str, path: Path) -> None:
        if key in self.records:
            message = f"expected each picture in one file, got {key!r} twice; take it out of one"
            self._problem(file, entry.file_name, message)
            return
        kept, outside = (None, []) if entry.objects is None else within(entry.objects, entry.size, path)
        for annotation in outside:
            number = annotation.attributes.get("id", annotation.category)
            self._problem(file, f"annotation {number}", f"expected a box within {key!r}, got {annotation.box}; mend it")
        if outside and not kept:
            self._bare += 1
            kept = None
        split = split_of(file.path) or place_of(key).split
        self.records[key] = _record(key, path, replace(entry, objects=kept), split)


def _key(path: Path, root: Path, name: str) -> str:
    """The path below the root; for pictures elsewhere the name in the file, without what leads up."""
    key = Path(relative(path, root)).as_posix()
    if key.startswith("../"):
        return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    return key


def _record(key: str, path: Path, entry: Entry, split: str | None) -> Record:
    attributes: dict[str, Scalar] = dict(entry.attributes)
    # As written here: COCO itself has no mark for a picture that nobody annotated.
    objects = None if attributes.get(ANNOTATED) is False else entry.objects
    label, group, several = (attributes.pop(name, None) for name in ("label", "group", "labels"))
    return Record(
        key,
        path,
        label=None if label is None else str(label),
        labels=None if several is None else tuple(str(several).split("|")) if several else (),
        objects=objects,
        split=split,
        group=None if group is None else str(group),
        size=entry.size,
        attributes=attributes,
    )
