"""COCO: one JSON file per split, and the pictures in a folder beside it.

Format: Lin et al. (2014), "Microsoft COCO: Common Objects in Context", and the data format page of the set. How the
numbers are meant is said in `imagemill.data.sources.coco_text`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from imagemill.core.errors import SourceError
from imagemill.data.instances import Scalar
from imagemill.data.record import Record
from imagemill.data.sources.base import Guess, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.coco_text import CocoFile, Entry, read_coco
from imagemill.data.sources.coco_write import write_coco
from imagemill.data.sources.names import split_named
from imagemill.data.sources.reading import inside, with_masks

__all__ = ["Coco"]

_PEEK = 1 << 18
_KEYS = re.compile(rb'"(images|annotations|categories)"\s*:\s*\[')
_OTHER = re.compile(rb'"(segments_info|caption)"\s*:')


class Coco:
    """COCO JSON with boxes, outlines, run-length masks and keypoints."""

    name = "coco"
    title = "COCO JSON with its images"
    holds = frozenset(
        (
            *("image", "uint16", "float", "channels", "label", "hierarchy", "labels", "boxes", "polygons", "runs"),
            *("keypoints", "split", "group", "attributes"),
        )
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether there is a COCO JSON file."""
        found = _candidates(look)
        if not found:
            return None
        names = ", ".join(path.name for path in found[:3]) + (", ..." if len(found) > 3 else "")
        return Guess(0.95, f"{names}: JSON with images, annotations and categories, as COCO has it")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read the records of one file, or of one per split.

        ``extra={"annotations": NAME}`` chooses among files of several kinds, ``extra={"images": FOLDER}`` says where
        the pictures are.
        """
        chosen, notes = _chosen(look, options)
        files = [read_coco(path) for path in chosen]
        images = options.extra.get("images")
        found = [(file, _split_of(file.path), _folders(file, look, images)) for file in files]
        folders = [place for _, _, (place, _) in found]
        root = look.path if look.is_folder else _common(look.path.parent, folders)
        records: dict[str, Record] = {}
        problems = [problem for file in files for problem in file.problems]
        unread = 0
        for file, split, (folder, _) in found:
            for entry in file.images.values():
                path = inside(folder, entry.file_name, outside=options.outside)
                if path is None:
                    message = f"expected a path below {folder}, got {entry.file_name!r}; pass outside=True to allow it"
                    problems.append(Problem(f"{file.path.name}: {entry.file_name}", message))
                    continue
                if not _is_file(path):
                    unread += 1
                    message = (
                        f"expected the picture {entry.file_name!r} in {folder}, got no such file; add or unlist it"
                    )
                    problems.append(Problem(f"{file.path.name}: {entry.file_name}", message))
                    continue
                key = _key(path, root, entry.file_name)
                if key in records:
                    message = f"expected each picture in one file, got {key!r} twice; take it out of one"
                    problems.append(Problem(f"{file.path.name}: {entry.file_name}", message))
                    continue
                records[key] = _record(key, path, entry, split)
        if not records:
            looked = ", ".join(str(folder) for folder in dict.fromkeys(folders))
            names = ", ".join(path.name for path in chosen)
            raise SourceError(
                f"expected the pictures of {names} in {looked}, got none of {unread}; pass extra={{'images': FOLDER}}"
            )
        extra_problems, facts = _facts(files)
        ordered = tuple(records[key] for key in sorted(records))
        source = Source(root, self.name, ordered, notes=tuple(notes), problems=(*problems, *extra_problems), **facts)
        return with_masks(source, options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``annotations/instances[_<split>].json`` and ``images/[<split>/]<name>``."""
        return write_coco(source, out, options, self.name, self.holds | {"crowd", "thing attributes", "info"})


def _is_coco(path: Path) -> bool:
    """Whether a JSON file looks like COCO by its first and last bytes; it may be gigabytes long."""
    try:
        with path.open("rb") as file:
            data = file.read(_PEEK)
            size = file.seek(0, os.SEEK_END)
            if size > _PEEK:
                file.seek(max(_PEEK, size - _PEEK))
                data += file.read()
    except OSError:
        return False
    keys = {found.decode() for found in _KEYS.findall(data)}
    # The middle of a long file is not seen: there two of the three words are enough.
    enough = {"images", "categories"} <= keys or (size > 2 * _PEEK and len(keys) >= 2)
    return enough and _OTHER.search(data) is None


def _candidates(look: Look) -> list[Path]:
    paths = [path for key, path in look.files if key.lower().endswith(".json") and key.count("/") <= 2]
    return [path for path in paths[:64] if _is_coco(path)]


def _words(path: Path) -> list[str]:
    return re.split(r"[-_.]+", path.stem)


def _split_of(path: Path) -> str | None:
    """The split that a file's name says, or the folder it lies in."""
    named = [split for word in _words(path) if (split := split_named(word)) is not None]
    return named[0] if named else split_named(path.parent.name)


def _kind(path: Path) -> str:
    """What a file's name says besides the split: ``instances``, ``person_keypoints``..."""
    return "_".join(word for word in _words(path) if split_named(word) is None)


def _chosen(look: Look, options: ReadSource) -> tuple[list[Path], list[str]]:
    """The files to read: all splits of one kind."""
    found = [look.path] if not look.is_folder else _candidates(look)
    wanted = options.extra.get("annotations")
    if wanted is not None:
        named = [path for key, path in look.files if key == wanted or path.name == wanted]
        if not named:
            names = ", ".join(path.name for path in found) or "none"
            raise SourceError(f"expected the annotation file {wanted!r} below {look.path}, got {names}; choose of them")
        return named, []
    if not found:
        raise SourceError(f"expected a COCO JSON file below {look.path}, got none; give the file itself")
    kinds = Counter(_kind(path) for path in found)
    usual = [kind for kind in kinds if kind.startswith("instances")] or list(kinds)
    taken = [path for path in found if _kind(path) == usual[0]]
    if len(taken) > 1 and len({_split_of(path) for path in taken}) < len(taken):
        taken = taken[:1]
    left = [path.name for path in found if path not in taken]
    notes = [f"read {taken[0].name}; not read: {', '.join(left)} (--option annotations=NAME chooses)"] if left else []
    return taken, notes


def _folders(file: CocoFile, look: Look, images: Any) -> tuple[Path, int]:
    """The folder in which most of a file's pictures are, and how many of a sample are there."""
    if images is not None:
        folder = Path(images)
        if not folder.is_absolute() and look.is_folder and not folder.is_dir():
            folder = look.path / folder
        if not folder.is_dir():
            raise SourceError(f"expected images as a folder, got {str(images)!r}, which is none; check the path")
        return folder, 0
    names = list(file.images)
    sample = names[:: max(1, len(names) // 100)]
    best, most = file.path.parent, -1
    for folder in _candidate_folders(file.path, look):
        count = sum(_is_file(folder / name) for name in sample)
        if count > most:
            best, most = folder, count
    return best, most


def _candidate_folders(path: Path, look: Look) -> Iterable[Path]:
    """Where the pictures of a JSON file usually are."""
    split = _split_of(path)
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


def _common(parent: Path, folders: list[Path]) -> Path:
    """The folder that keys are relative to: the JSON file's own, or the one around it."""
    if all(folder.resolve().is_relative_to(parent.resolve()) for folder in folders):
        return parent
    return parent.parent


def _key(path: Path, root: Path, name: str) -> str:
    """The path below the root; for pictures elsewhere the name in the file, without what leads up."""
    relative = Path(os.path.relpath(path, root)).as_posix()
    if relative.startswith("../"):
        return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    return relative


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a zero byte in it
        return False


def _record(key: str, path: Path, entry: Entry, split: str | None) -> Record:
    attributes: dict[str, Scalar] = dict(entry.attributes)
    label, group, several = (attributes.pop(name, None) for name in ("label", "group", "labels"))
    return Record(
        key,
        path,
        label=None if label is None else str(label),
        labels=None if several is None else tuple(str(several).split("|")) if several else (),
        objects=entry.objects,
        split=split,
        group=None if group is None else str(group),
        size=entry.size,
        attributes=attributes,
    )


def _facts(files: list[CocoFile]) -> tuple[list[Problem], dict[str, Any]]:
    """What holds for the whole set; files of one set should agree, and the first is believed."""
    problems = []
    ids: dict[str, int | str] = {}
    extra: dict[str, dict[str, Scalar]] = {}
    joints: dict[str, dict[str, Any]] = {}
    for file in files:
        for category in file.categories:
            if ids.setdefault(category.name, category.id) != category.id:
                message = f"expected category {category.name!r} to have the number {ids[category.name]} everywhere, got"
                problems.append(Problem(file.path.name, f"{message} {category.id}; the first is kept"))
            if category.extra:
                extra.setdefault(category.name, {k: v for k, v in category.extra.items()})
            if category.joint_names:
                pairs = [list(link) for link in category.links]
                joints.setdefault(category.name, {"names": list(category.joint_names), "links": pairs})
    info: dict[str, Any] = {}
    for file in files:
        info = {**file.info, **info}
    info["category_ids"] = ids
    if extra:
        info["categories"] = extra
    if joints:
        info["keypoints"] = joints
    first = next((file for file in files if file.joints()[0]), None)
    names, links = ((), ()) if first is None else first.joints()
    categories = tuple(sorted(ids, key=lambda name: (isinstance(ids[name], str), ids[name])))
    return problems, {"categories": categories, "joint_names": names, "links": links, "info": info}
