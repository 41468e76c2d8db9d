"""Folders of images: all below one, one per class, one per split, one per level of a hierarchy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from imagemill.core.errors import SourceError
from imagemill.data.record import Record
from imagemill.data.sources.base import Guess, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.losses import lose_the_rest
from imagemill.data.sources.names import (
    Place,
    group_finder,
    is_image_role,
    is_mask_role,
    place_of,
    safe_stems,
    split_named,
)
from imagemill.data.sources.place import Export, exporting
from imagemill.data.sources.reading import images_in, readable, with_masks

__all__ = ["ClassFolders", "ClassTree", "Folder", "SplitFolders"]

_PIXELS = frozenset(("image", "uint16", "float", "channels", "volume", "world"))


@dataclass(frozen=True, slots=True)
class _Shape:
    """How the images of a folder are arranged.

    Parameters
    ----------
    places : tuple of Place
        Of every image, with the split only where all have one.
    splits : bool
        Whether every image lies below a folder named after a split.
    depths : mapping of str or None to set of int
        How many folders images of each split lie in, below split and role.
    roles : bool
        Whether some folder is named after a role, so that its neighbours are no classes.
    """

    places: tuple[Place, ...]
    splits: bool
    depths: dict[str | None, set[int]]
    roles: bool


def _shape(keys: list[str]) -> _Shape:
    places = [place_of(key) for key in keys]
    splits = bool(places) and all(place.split is not None for place in places)
    if not splits:
        # A folder "test" among others is a class like them, until every image lies below such a folder.
        places = [Place(None, False, tuple(key.split("/")[:-1]), key.rpartition("/")[2]) for key in keys]
    depths: dict[str | None, set[int]] = {}
    for place in places:
        depths.setdefault(place.split, set()).add(len(place.folders))
    first = {place.folders[0] for place in places if place.folders}
    roles = any(is_image_role(name) or is_mask_role(name) or split_named(name) is not None for name in first)
    return _Shape(tuple(places), splits, depths, roles)


def _look(look: Look) -> tuple[list[str], _Shape] | None:
    """The images' keys and their arrangement; None where there is no folder with images."""
    keys = [key for key, _ in readable(look)] if look.is_folder else []
    return (keys, _shape(keys)) if keys else None


def _plural(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


class Folder:
    """All images below a folder, without labels."""

    name = "folder"
    title = "all images below a folder"
    holds = _PIXELS

    def guess(self, look: Look) -> Guess | None:
        """Say whether there is any image."""
        found = _look(look)
        return None if found is None else Guess(0.2, f"{_plural(len(found[0]), 'image', 'images')} below it")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read all images; those in folders of patients, videos... get groups."""
        _folder_only(look, self.name)
        images, notes = images_in(look)
        group, note = group_finder((key for key, _ in images), options.extra)
        records = tuple(Record(key, path, group=group(key)) for key, path in images)
        kept = tuple(text for text in (*notes, note) if text)
        return with_masks(Source(look.path, self.name, records, notes=kept), options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write the images by their keys."""
        with exporting(out, self.name, options) as job:
            _write(job, source, {record.key: record.key for record in source})
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


class ClassFolders:
    """One folder per class, in one level."""

    name = "class-folders"
    title = "one folder per class"
    holds = _PIXELS | {"label"}

    def guess(self, look: Look) -> Guess | None:
        """Say whether every image lies in a first-level folder not named after a role, a split or a patient."""
        found = _look(look)
        if found is None or found[1].splits or found[1].roles or found[1].depths != {None: {1}}:
            return None
        keys, shape = found
        if group_finder(keys, {})[1]:
            return None
        count = len({place.folders[0] for place in shape.places})
        return Guess(0.6, f"every image lies in one of {_plural(count, 'folder', 'folders')} named like classes")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the images; the first folder of each is its class."""
        _folder_only(look, self.name)
        return _labelled(look, options, self.name, lambda place: place.folders[:1])

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``<class>/<name>``; further folders of a key are joined into the name with ``-``."""
        _need_labels(source, self.name)
        with exporting(out, self.name, options) as job:
            flat = {r.key: _flat(r.label) for r in source if r.label is not None}
            job.lose("levels of labels", "joined with '-'", sum("/" in (r.label or "") for r in source))
            wanted = {}
            for record in source:
                if record.label is None:
                    job.problem(record.key, "expected a label, got none; choose 'folder' or a table for this set")
                    continue
                wanted[record.key] = f"{flat[record.key]}/{'-'.join(_own_parts(record))}"
            _write(job, source, wanted, classes=flat)
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


class SplitFolders:
    """A folder per split, over class folders or images."""

    name = "split-folders"
    title = "train, val and test folders, over class folders or images"
    holds = _PIXELS | {"label", "split"}

    def guess(self, look: Look) -> Guess | None:
        """Say whether every image lies in a split, right there or in one class folder."""
        found = _look(look)
        if found is None or not found[1].splits or found[1].roles:
            return None
        keys, shape = found
        if any(depths not in ({0}, {1}) for depths in shape.depths.values()):
            return None
        names = " ".join(sorted(str(name) for name in shape.depths))
        below = "class folders" if {1} in shape.depths.values() and not group_finder(keys, {})[1] else "images"
        return Guess(0.7, f"every image lies below a folder of a split ({names}), with {below} in it")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the images; a folder below the split's is the class."""
        _folder_only(look, self.name)
        keys = [key for key, _ in readable(look)]
        # Folders of patients below a split are groups, and no classes.
        levels: Callable[[Place], tuple[str, ...]] = lambda place: place.folders[:1]  # noqa: E731 two short cases
        if group_finder(keys, {})[1]:
            levels = lambda place: ()  # noqa: E731 as above
        return _labelled(look, options, self.name, levels)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``<split>/<class>/<name>``; unlabelled sources ``<split>/<name>``."""
        _need_splits(source, self.name)
        labelled = any(record.label is not None for record in source)
        with exporting(out, self.name, options) as job:
            flat = {r.key: _flat(r.label) for r in source if r.label is not None}
            job.lose("levels of labels", "joined with '-'", sum("/" in (r.label or "") for r in source))
            wanted = {}
            for record in source:
                if record.split is None or (labelled and record.label is None):
                    what = "split" if record.split is None else "label"
                    job.problem(record.key, f"expected a {what}, got none; split the source first, or choose a table")
                    continue
                middle = f"{flat[record.key]}/" if labelled else ""
                wanted[record.key] = f"{record.split}/{middle}{'-'.join(_own_parts(record))}"
            _write(job, source, wanted, classes=flat)
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


class ClassTree:
    """A hierarchy of class folders."""

    name = "class-tree"
    title = "a hierarchy of class folders (species/breed), also below split folders"
    holds = _PIXELS | {"label", "hierarchy", "split"}

    def guess(self, look: Look) -> Guess | None:
        """Say whether all images lie in folders of the same depth, two or more, that have no other meaning."""
        found = _look(look)
        if found is None or found[1].roles or group_finder(found[0], {})[1]:
            return None
        shape = found[1]
        deep = {depth for depths in shape.depths.values() for depth in depths}
        if len(deep) != 1 or min(deep) < 2:
            return None
        named = [folder for place in shape.places for folder in place.folders]
        if any(is_mask_role(name) or is_image_role(name) or split_named(name) for name in named):
            return None
        return Guess(0.55, f"every image lies {min(deep)} folders deep, like levels of a hierarchy")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the images; their folders, joined by ``/``, are the label."""
        _folder_only(look, self.name)
        return _labelled(look, options, self.name, lambda place: place.folders)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``[<split>/]<level>/<level>/<name>``."""
        _need_labels(source, self.name)
        some = any(record.split is not None for record in source)
        with exporting(out, self.name, options) as job:
            wanted, classes = {}, {}
            for record in source:
                if record.label is None or (some and record.split is None):
                    what = "label" if record.label is None else "split"
                    job.problem(record.key, f"expected a {what}, got none; choose 'folder' or a table for this set")
                    continue
                classes[record.key] = record.label
                first = f"{record.split}/" if some else ""
                wanted[record.key] = f"{first}{record.label}/{'-'.join(_own_parts(record))}"
            _write(job, source, wanted, classes=classes)
            lose_the_rest(job, source, self.holds, self.name)
        return job.written()


def _folder_only(look: Look, name: str) -> None:
    if not look.is_folder:
        raise SourceError(f"expected a folder for the layout {name!r}, got the file {look.path}; give its folder")


def _labelled(look: Look, options: ReadSource, name: str, levels: Callable[[Place], tuple[str, ...]]) -> Source:
    """A source whose labels are folders."""
    images, notes = images_in(look)
    shape = _shape([key for key, _ in images])
    if name == "split-folders" and not shape.splits:
        raise SourceError(
            f"expected every image of {look.path} below a folder named train, val or test, got some elsewhere; "
            "choose another layout, or move them"
        )
    group, note = group_finder((key for key, _ in images), options.extra)
    records = []
    for (key, path), place in zip(images, shape.places, strict=True):
        label = "/".join(levels(place)) or None
        records.append(Record(key, path, label=label, split=place.split, group=group(key)))
    bare = sum(record.label is None for record in records)
    if bare and name != "split-folders":
        notes.append(f"{bare} lie in no class folder and have no label")
    kept = tuple(text for text in (*notes, note) if text)
    return with_masks(Source(look.path, name, tuple(records), notes=kept), options)


def _need_labels(source: Source, name: str) -> None:
    if all(record.label is None for record in source):
        raise SourceError(f"expected a source with labels for the layout {name!r}, got none; choose folder or a table")


def _need_splits(source: Source, name: str) -> None:
    if all(record.split is None for record in source):
        raise SourceError(
            f"expected a source with splits for the layout {name!r}, got none; split it first, or choose class-folders"
        )


def _flat(label: str | None) -> str:
    return (label or "").replace("/", "-")


def _own_parts(record: Record) -> tuple[str, ...]:
    """The parts of a key that say neither split nor role nor class."""
    key = record.key
    place = place_of(key) if record.split is not None else Place(None, False, tuple(key.split("/")[:-1]), "")
    folders = place.folders
    for levels in ((record.label or "").split("/"), [_flat(record.label)]):
        if record.label is not None and list(folders[: len(levels)]) == levels:
            folders = folders[len(levels) :]
            break
    return (*folders, key.rpartition("/")[2])


def _write(job: Export, source: Source, wanted: dict[str, str], classes: dict[str, str] | None = None) -> None:
    """Write images to the places that were found for them; say where a class had to be renamed."""
    stems = safe_stems(wanted, apart=job.options.format is not None)
    renamed: set[str] = set()
    for record in source:
        if record.key not in wanted:
            continue
        stem = stems[record.key]
        label = (classes or {}).get(record.key)
        if label is not None and f"/{label}/" not in f"/{stem}" and label not in renamed:
            renamed.add(label)
            job.lose(f"class name {label!r}", f"written as {stem.rsplit('/', 1)[0]!r}, which every file system takes")
        job.image(record, stem)
    if classes and source.classes and list(source.classes) != sorted(source.classes):
        job.lose("order of classes", "folders count in alphabetical order")
