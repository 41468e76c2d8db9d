"""What a folder of YOLO says besides boxes: which text is of which picture, names of classes, parts, keypoints.

It is said in a ``data.yaml`` of Ultralytics and Roboflow (``names``, ``nc``, ``path``, ``train``, ``val``, ``test``,
``kpt_shape``, ``flip_idx``), in Darknet's ``obj.data`` and ``obj.names``, or in a text file of class names alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.base import Look, ReadSource
from imagemill.data.layouts.folder_names import is_image_role, split_named
from imagemill.data.layouts.plain_folders import Files, readable
from imagemill.data.layouts.registry import look_at
from imagemill.data.layouts.shapes.image_lookup import Pictures, plain_name
from imagemill.data.layouts.yolo.yolo_text import load_yaml, names_from
from imagemill.data.records.record import split_suffix
from imagemill.data.remote.remote_path import as_path

__all__ = ["Found", "Told", "class_names", "label_folder", "opened", "splits_of", "told_by"]

_USUAL = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_OF_NAMES = ("classes.txt", "obj.names", "class_names.json", "_darknet.labels", "classes.names", "_classes.txt")
_NOT_OF_PICTURES = ("classes", "labels", "obj", "_classes", "predefined_classes", "train", "valid", "val", "test")
_PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class Found:
    """Pictures and text files of a folder."""

    images: Files
    texts: dict[str, Path]

    @classmethod
    def of(cls, look: Look) -> Found:
        """Sort the files of a folder; where some lie in folders for images, those are the pictures."""
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
            if (tuple(folders), stem) in slots or _slot(key) in slots:
                counts[""] += 1
            for place, folder in enumerate(folders):
                if not is_image_role(folder) and ((*folders[:place], *folders[place + 1 :]), stem) in slots:
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
            else:  # beside the pictures, also where these lie in a folder for images
                index[_slot(key)] = key
        return index

    def matched(self, folder: str) -> dict[str, Path | None]:
        """The text file of each picture."""
        index = self._by_slot(folder)
        return {key: self.texts[index[_slot(key)]] if _slot(key) in index else None for key, _ in self.images}

    def unused(self, folder: str) -> list[str]:
        """Text files in the folder that belong to no picture."""
        if not folder:
            return []
        slots = {_slot(key) for key, _ in self.images}
        return [
            key for slot, key in self._by_slot(folder).items() if slot not in slots and slot[1] not in _NOT_OF_PICTURES
        ]


def _slot(key: str) -> tuple[tuple[str, ...], str]:
    """Folders without the one that says "images", and the stem."""
    *folders, name = key.split("/")
    role = next((place for place, folder in enumerate(folders) if is_image_role(folder)), None)
    if role is not None:
        del folders[role]
    return tuple(folders), split_suffix(name)[0]


@dataclass(frozen=True, slots=True)
class Told:
    """What a file that describes the set says, where there is one.

    Parameters
    ----------
    path : Path or None
    values : mapping
    fault : str
        What is wrong with the file.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


def told_by(path: Path) -> Told:
    """Read a data.yaml, or Darknet's obj.data."""
    try:
        text = path.read_text("utf-8-sig")
        told = _darknet(text) if path.suffix.lower() == ".data" else load_yaml(text)
    except (OSError, ValueError, RecursionError) as error:
        return Told(path, {}, f"{path.name}: expected class names and splits in YAML, got {error}; mend it")
    if not isinstance(told, Mapping):
        return Told(path, {}, f"{path.name}: expected names with values, got others; mend it")
    return Told(path, told)


def _darknet(text: str) -> dict[str, str]:
    lines = [line.partition("=") for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#")]
    told = {name.strip(): value.strip() for name, _, value in lines}
    # What is a list of names in YAML is a path here.
    return {("names file" if name == "names" else "nc" if name == "classes" else name): told[name] for name in told}


def opened(look: Look, options: ReadSource) -> tuple[Look, Told]:
    """The folder to search, and what describes it."""
    if look.is_folder:
        there = dict(look.files)
        usual = [there[key] for key in _USUAL if key in there]
        others = [path for key, path in look.files if key.lower().endswith((".yaml", ".yml", ".data"))]
        for path in [*usual, *(one for one in others if one not in usual)][:20]:
            told = told_by(path)
            if path in usual or {"names", "nc", "names file"} & set(told.values):
                return look, told
        return look, Told()
    told = told_by(look.path)
    folder = look.path.parent
    # "path" is usually a folder of the machine that the set was made on; it is only followed downwards.
    inner = folder / plain_name(str(told.values.get("path", ".")))
    below = inner.is_dir() and (options.outside or inner.resolve().is_relative_to(folder.resolve()))
    return look_at(inner if below else folder), told


def label_folder(found: Found, options: ReadSource) -> str:
    """The name of the folders in which the text files are; empty where they lie beside the pictures.

    Raises
    ------
    SourceError
        When it cannot be told.
    """
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
            f"extra={{'labels': {min(folders)!r}}} (--option labels={min(folders)})"
        )
    return next(iter(folders))


def class_names(
    look: Look, options: ReadSource, folder: str, told: Told
) -> tuple[dict[int, str] | None, list[str], list[Path]]:
    """Class names by number, what to say of them, and the file that they are from."""
    wanted = options.extra.get("names")
    if wanted is not None:
        path = as_path(wanted)
        path = path if path.is_file() or not look.is_folder else look.path / path
        return names_from(path, folder), [], [path]
    if told.path is not None and told.values.get("names"):
        names = names_from(told.path)
        return names, [f"class names from {told.path.name}", *_counted(names, told)], [told.path]
    files = dict(look.files)
    named = plain_name(str(told.values.get("names file", "")))
    found = [key for key in files if key.rpartition("/")[2] in _OF_NAMES or (named and named.endswith(key))]
    # What the description names, then what lies beside it, then what lies further down.
    for key in sorted(found, key=lambda key: (not (named and named.endswith(key)), key.count("/"), key)):
        names = names_from(files[key], folder)
        return names, [f"class names from {key}", *_counted(names, told)], [files[key]]
    count = told.values.get("nc")
    said = "no class names found: numbers stand in for them (extra={'names': FILE} or --option names=FILE names them)"
    if isinstance(count, int | str) and str(count).isdigit() and 0 < int(count) <= 100_000:
        return {number: str(number) for number in range(int(count))}, [said], []
    return None, [said], []


def _counted(names: Mapping[int, str], told: Told) -> list[str]:
    count = told.values.get("nc")
    if count is None or str(count) == str(len(names)) or told.path is None:
        return []
    return [f"{told.path.name} says {count} classes and names {len(names)}"]


def splits_of(look: Look, images: Files, told: Told) -> tuple[dict[str, str], list[str], list[Path]]:
    """The split of each picture, what to say of it, and the lists that were read.

    Lists such as train.txt are believed first, then the description, then the names of folders. Who puts a picture
    into several parts (``train: images`` and ``val: images``) says nothing about it.
    """
    pictures = Pictures(images)
    texts = {key: path for key, path in look.files if key.lower().endswith(".txt")}
    of_lists: dict[str, set[str]] = defaultdict(set)
    told_of: dict[str, set[str]] = defaultdict(set)
    lists = {key: split for key in texts if "/" not in key and (split := split_named(key[:-4]))}
    gone, unknown = 0, []
    for name, split in _PARTS.items():
        for value in _listed(told.values.get(name)):
            plain = plain_name(value)
            text = _by_end(plain, texts)
            if text is not None:
                lists[text] = split
                continue
            below = _below(plain, pictures.paths)
            for key in below:
                told_of[key].add(split)
            unknown += [] if below else [value]
    for key, split in lists.items():
        for line in _lines(texts[key]):
            try:
                of_lists[pictures.find(line, key.rpartition("/")[0])].add(split)
            except InputError:
                gone += 1
    of_folders = {key: split for key, _ in images for part in key.split("/")[:-1] if (split := split_named(part))}
    notes = [f"{gone} lines of {', '.join(sorted(lists))} name no picture that is here"] if gone else []
    if unknown:
        notes.append(f"{told.path.name if told.path else ''} names {', '.join(unknown[:3])}, where no picture is")
    sure = [{key: next(iter(found)) for key, found in said.items() if len(found) == 1} for said in (told_of, of_lists)]
    return {**of_folders, **sure[0], **sure[1]}, notes, [texts[key] for key in lists]


def _listed(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one.strip() for one in values if isinstance(one, str) and one.strip()]


def _by_end(plain: str, files: Iterable[str]) -> str | None:
    """The file that a path of another machine means: the one with the longest end in common."""
    if not plain.lower().endswith(".txt"):
        return None
    ends = [key for key in files if f"/{plain}".endswith(f"/{key}") or f"/{key}".endswith(f"/{plain.lstrip('./')}")]
    return max(ends, key=len, default=None)


def _below(plain: str, images: Iterable[str]) -> list[str]:
    """The pictures below the folder that a path of another machine means by its end."""
    parts = [part for part in plain.split("/") if part not in ("", ".", "..")]
    if not parts:
        return list(images)
    folders = {key.rpartition("/")[0] for key in images}
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        if any(f"{folder}/".startswith(f"{end}/") for folder in folders):
            return [key for key in images if key.startswith(f"{end}/")]
    return []


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
