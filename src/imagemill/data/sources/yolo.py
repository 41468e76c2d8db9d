"""YOLO: a text file per picture, with boxes or outlines relative to its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.data.instances import Instance
from imagemill.data.record import Record, split_suffix
from imagemill.data.sources.base import Guess, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.extent import size_of, stored_size
from imagemill.data.sources.layouts import look_at
from imagemill.data.sources.losses import lose_the_rest
from imagemill.data.sources.names import is_image_role, place_of, safe_stems, split_named
from imagemill.data.sources.place import Export, exporting
from imagemill.data.sources.reading import Files, nothing_there, readable, with_masks
from imagemill.data.sources.shapes import bounds_of_polygons, bounds_of_runs, joined
from imagemill.data.sources.yolo_text import line_of, load_yaml, looks_like_yolo, names_from, read_line

__all__ = ["Yolo", "yolo_polygons"]

_YAMLS = ("data.yaml", "dataset.yaml", "data.yml")
_HOLDS = frozenset(("image", "uint16", "float", "channels", "boxes", "split"))


@dataclass(frozen=True, slots=True)
class Yolo:
    """Pictures in ``images``, a text file for each in ``labels``; `outlines` says which of the two are written."""

    name: str = "yolo"
    title: str = "YOLO boxes (images/, labels/*.txt, data.yaml)"
    holds: frozenset[str] = _HOLDS
    outlines: bool = False

    def guess(self, look: Look) -> Guess | None:
        """Say whether text files named like the pictures hold such lines."""
        if self.outlines:  # read alike; one guess is enough
            return None
        if not look.is_folder:
            told = _yaml(look.path) if look.path.suffix.lower() in (".yaml", ".yml") else {}
            return Guess(0.9, "a data.yaml with class names and splits") if "names" in told else None
        found = _Found.of(look)
        folders = found.folders()
        if not folders:
            return None
        folder = "labels" if "labels" in folders else folders.most_common(1)[0][0]
        texts = [path for path in found.matched(folder).values() if path is not None]
        said = {looks_like_yolo(path) for path in texts[:8]}
        if False in said or said == {None}:
            return None
        return Guess(
            0.85, f"{len(texts)} text files in {folder or 'the same folder'} hold boxes or outlines of pictures"
        )

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read boxes and outlines, in pixels.

        ``extra={"labels": NAME}`` chooses the folder of text files, ``extra={"names": PATH}`` the class names. A
        picture without a text file is a background: somebody looked and found nothing.
        """
        look, told = _opened(look)
        found = _Found.of(look)
        if not found.images:
            raise nothing_there(look)
        folder = _label_folder(found, options)
        names, notes = _class_names(look, options, folder, told)
        splits = _splits(look, found.images, told)
        shape = told.get("kpt_shape")
        joints = shape[0] * shape[1] if isinstance(shape, list) and len(shape) == 2 and all(map(_small, shape)) else 0
        records: list[Record] = []
        problems = [Problem(key, fault) for key, path in look.files if key in _YAMLS and (fault := _fault(path))]
        texts = found.matched(folder)
        for key, path in found.images:
            try:
                size = stored_size(path)
            except CodecError as error:
                problems.append(Problem(key, str(error)))
                continue
            text = texts[key]
            objects = () if text is None else _read_file(text, size, names, joints, problems)
            records.append(Record(key, path, objects=objects, split=splits.get(key), size=size))
        if not records:
            raise SourceError(f"expected pictures that can be read below {look.path}, got none; {problems[0]}")
        bare = sum(text is None for text in texts.values())
        if bare:
            notes.append(f"{bare} pictures without a text file are backgrounds: nothing is in them")
        if joints:
            notes.append("keypoints behind the boxes were passed over")
        for key in found.unused(folder):
            problems.append(Problem(key, f"expected a picture for {key}, got none of that name; add or remove one"))
        seen = {thing.category for record in records for thing in record.objects or ()}
        listed = names if names is not None else {int(name): name for name in seen}
        ordered = dict(sorted(listed.items()))
        info: dict[str, Any] = {} if not ordered else {"category_ids": {name: n for n, name in ordered.items()}}
        source = Source(look.path, "yolo", tuple(records), notes=tuple(notes), categories=tuple(ordered.values()))
        return with_masks(replace(source, problems=tuple(problems), info=info), options)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Write ``images/[<split>/]<name>``, ``labels/[<split>/]<name>.txt`` and ``data.yaml``.

        Classes are numbered from 0 in the order of the source's categories. Outlines in parts become one, joined by
        seams without area.
        """
        if all(record.objects is None for record in source):
            raise SourceError(
                f"expected a source with boxes for the layout {self.name!r}, got none; choose class-folders"
            )
        wanted = {r.key: f"images/{f'{r.split}/' if r.split else ''}{place_of(r.key).bare}" for r in source}
        names = list(dict.fromkeys(source.categories))
        names += sorted({o.category for r in source for o in r.objects or ()} - set(names))
        with exporting(out, self.name, options) as job:
            stems = safe_stems(wanted)
            for record in source:
                try:
                    size = size_of(record) if record.objects else (1, 1)
                except CodecError as error:
                    job.problem(record.key, str(error))
                    continue
                if job.image(record, stems[record.key]) is None:
                    continue
                if record.objects is None:
                    job.lose("pictures nobody annotated", "read back as backgrounds with nothing in them")
                    continue
                lines = [self._line(job, thing, names.index(thing.category), size) for thing in record.objects]
                text = "".join(f"{line}\n" for line in lines if line is not None)
                job.text(stems[record.key].replace("images/", "labels/", 1) + ".txt", text)
            job.text("data.yaml", _data_yaml(source, names))
            kept = self.holds | {"crowd"}
            lose_the_rest(job, source, kept, self.name)
        return job.written()

    def _line(self, job: Export, thing: Instance, number: int, size: tuple[int, int]) -> str | None:
        """One thing as a line; None where it cannot be one."""
        height, width = size
        if thing.crowd:
            # As an ordinary box it would teach that a crowd is one thing.
            job.lose("crowds", "left out: YOLO has no mark for them")
            return None
        around = bounds_of_polygons(thing.polygons)
        if self.outlines and around is not None:
            if len(thing.polygons) > 1:
                job.lose("outlines in parts", "joined into one by seams without area")
            if thing.box is not None and any(abs(a - b) > 0.01 for a, b in zip(thing.box, around, strict=True)):
                job.lose("boxes that differ from their outline", "an outline's box is the one around it")
            part = joined(thing.polygons)
            return line_of(number, [value / (height if place % 2 else width) for place, value in enumerate(part)])
        box = thing.box or around or (bounds_of_runs(thing.runs) if thing.runs is not None else None)
        if box is None:
            job.lose("things without box, outline or mask", "left out: YOLO has no place for them")
            return None
        x, y, w, h = box
        return line_of(number, ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height))


def yolo_polygons() -> Yolo:
    """The layout that writes outlines; it reads the same files."""
    return Yolo("yolo-polygons", "YOLO outlines (images/, labels/*.txt, data.yaml)", _HOLDS | {"polygons"}, True)


@dataclass(frozen=True, slots=True)
class _Found:
    """Pictures and text files of a folder."""

    images: Files
    texts: dict[str, Path]

    @classmethod
    def of(cls, look: Look) -> _Found:
        images = readable(look)
        in_role = [(key, path) for key, path in images if any(map(is_image_role, key.split("/")[:-1]))]
        return cls(in_role or images, {key: path for key, path in look.files if key.lower().endswith(".txt")})

    def folders(self) -> Counter[str]:
        """How many text files of each folder are named like a picture; "" is the picture's own folder."""
        slots = {_slot(key) for key, _ in self.images}
        counts: Counter[str] = Counter()
        for key in self.texts:
            *folders, name = key.split("/")
            stem = name[:-4]
            if (tuple(folders), stem) in slots:
                counts[""] += 1
            for place, folder in enumerate(folders):
                if ((*folders[:place], *folders[place + 1 :]), stem) in slots:
                    counts[folder] += 1
        return counts

    def _by_slot(self, folder: str) -> dict[tuple[tuple[str, ...], str], str]:
        """Keys of text files in a folder of that name, by place and stem."""
        index = {}
        for key in self.texts:
            *folders, name = key.split("/")
            if folder and folder not in folders:
                continue
            if folder:
                folders.remove(folder)
            index[tuple(folders), name[:-4]] = key
        return index

    def matched(self, folder: str) -> dict[str, Path | None]:
        """The text file of each picture."""
        index = self._by_slot(folder)
        return {key: self.texts[index[_slot(key)]] if _slot(key) in index else None for key, _ in self.images}

    def unused(self, folder: str) -> list[str]:
        """Text files in the folder that belong to no picture."""
        slots = {_slot(key) for key, _ in self.images}
        return (
            []
            if not folder
            else [
                key
                for slot, key in self._by_slot(folder).items()
                if slot not in slots and slot[1] not in ("classes", "labels", "obj")
            ]
        )


def _slot(key: str) -> tuple[tuple[str, ...], str]:
    """Folders without the one that says "images", and the stem."""
    *folders, name = key.split("/")
    role = next((place for place, folder in enumerate(folders) if is_image_role(folder)), None)
    if role is not None:
        del folders[role]
    return tuple(folders), split_suffix(name)[0]


def _opened(look: Look) -> tuple[Look, Mapping[str, Any]]:
    """The folder to search, and what a data.yaml says."""
    if look.is_folder:
        file = next((path for key, path in look.files if key in _YAMLS), None)
        return look, {} if file is None else _yaml(file)
    told = _yaml(look.path)
    folder = look.path.parent
    # "path" is usually a folder of the machine that the set was made on; it is only followed downwards.
    inner = folder / str(told.get("path", "."))
    return look_at(inner if inner.is_dir() and inner.resolve().is_relative_to(folder.resolve()) else folder), told


def _fault(path: Path) -> str:
    """What is wrong with a data.yaml; empty when nothing is."""
    try:
        told = load_yaml(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        return f"{path.name}: expected class names and splits in YAML, got {error}; mend it"
    return "" if isinstance(told, Mapping) else f"{path.name}: expected names with values, got others; mend it"


def _yaml(path: Path) -> Mapping[str, Any]:
    try:
        told = load_yaml(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    return told if isinstance(told, Mapping) else {}


def _small(value: Any) -> bool:
    return type(value) is int and 0 < value < 1000


def _label_folder(found: _Found, options: ReadSource) -> str:
    folders = found.folders()
    wanted = options.extra.get("labels")
    if wanted is not None:
        if wanted not in folders:
            raise SourceError(
                f"expected text files named like the pictures in a folder {wanted!r}, got none; choose one of "
                f"{', '.join(folders) or 'those there'}"
            )
        return str(wanted)
    if "labels" in folders or not folders:
        return "labels"
    if len(folders) > 1:
        raise SourceError(
            f"expected one folder of text files, got {', '.join(sorted(folders))}; choose one by "
            f"extra={{'labels': {min(folders)!r}}}"
        )
    return next(iter(folders))


def _class_names(
    look: Look, options: ReadSource, folder: str, told: Mapping[str, Any]
) -> tuple[dict[int, str] | None, list[str]]:
    """Class names by number, and where they are from."""
    wanted = options.extra.get("names")
    if wanted is not None:
        path = Path(wanted)
        return names_from(path if path.is_file() or not look.is_folder else look.path / path, folder), []
    files = dict(look.files)
    if "names" in told:
        yamls = [path for key, path in look.files if key in _YAMLS]
        if yamls and "names" in _yaml(yamls[0]):
            return names_from(yamls[0]), [f"class names from {yamls[0].name}"]
    for name in ("classes.txt", f"{folder}/classes.txt", "obj.names", "data/obj.names", "class_names.json"):
        if name in files:
            return names_from(files[name], folder), [f"class names from {name}"]
    return None, ["no class names found: numbers stand in for them (extra={'names': FILE} names them)"]


def _splits(look: Look, images: Files, told: Mapping[str, Any]) -> dict[str, str]:
    """The split of each picture: from its folders, from data.yaml, or from lists such as train.txt."""
    splits = {key: split for key, _ in images for part in key.split("/")[:-1] if (split := split_named(part))}
    files = dict(look.files)
    known = {key: key for key, _ in images}
    tails = {key.rpartition("/")[2]: key for key, _ in images}
    lists = [
        (key, split) for key in files if "/" not in key and key.endswith(".txt") and (split := split_named(key[:-4]))
    ]
    for split in ("train", "val", "test"):
        value = told.get(split)
        if isinstance(value, str) and value.removeprefix("./") in files:
            lists.append((value.removeprefix("./"), split))
    for name, split in lists:
        try:
            lines = files[name].read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            path = line.strip().replace("\\", "/").removeprefix("./")
            key = known.get(path) or tails.get(path.rpartition("/")[2])
            if key is not None:
                splits.setdefault(key, split)
    return splits


def _read_file(
    path: Path, size: tuple[int, int], names: dict[int, str] | None, joints: int, problems: list[Problem]
) -> tuple[Instance, ...] | None:
    """All lines of a file; None where it cannot be read."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(path.name, f"{path}: expected a text file of boxes, got {error}; check it"))
        return None
    things = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                things.append(read_line(line, size, names, joints))
            except InputError as error:
                problems.append(Problem(f"{path.name} line {number}", str(error)))
    return tuple(things)


def _data_yaml(source: Source, names: list[str]) -> str:
    splits = sorted({record.split for record in source if record.split is not None})
    told: dict[str, Any] = {"path": ".", **{split: f"images/{split}" for split in splits}}
    if not splits:
        told |= {"train": "images", "val": "images"}
    return yaml.safe_dump({**told, "names": dict(enumerate(names))}, sort_keys=False, allow_unicode=True)
