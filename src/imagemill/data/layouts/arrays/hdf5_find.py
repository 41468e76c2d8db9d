"""What groups and datasets of HDF5 files mean: classes, images, labels, masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.core.extras import require
from imagemill.data.codecs.base import problem
from imagemill.data.layouts.arrays.array_names import is_image_word, read_array_name, role_of
from imagemill.data.layouts.arrays.array_records import Gathered, Held
from imagemill.data.layouts.arrays.array_roles import Part, Parts, find_parts
from imagemill.data.layouts.arrays.containers import split_name
from imagemill.data.layouts.arrays.hdf5_file import (
    ARRAY,
    BYTES,
    H5File,
    attributes_of,
    hold,
    kind_of,
    leads_out,
    open_h5,
    scalars,
    stays_inside,
)
from imagemill.data.layouts.arrays.hdf5_write import ASIDE, SUFFIXES
from imagemill.data.layouts.base import Problem, Source
from imagemill.data.layouts.tables.table_files import split_of_name
from imagemill.data.records.record import Pixels, Record

__all__ = ["Found"]

_NAMES = ("label", "class", "class_name", "label_name", "name")
_NUMBERS = ("label_id", "class_id", "label_number", "label", "class")
_OWN = (*_NAMES[:-1], "labels", "classes", "key", "axes", "world", "mask", "split", "group")
_KINDS = {"U": "text", "E": "encoded pictures"}
_DEEPEST = 32
_SINGLE = ("image", "img", "data", "pixels", "x")
# Where MATLAB keeps what its cells refer to.
_INNER = ("#refs#", "#subsystem#")
_BESIDE = 64
_OF_A_NETWORK = frozenset(("keras_version", "model_config", "layer_names"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a file we are.

    `said` is whether attributes call the group a class, `alone` whether no other group is beside it or what it is in.
    """

    path: str = ""
    levels: tuple[str, ...] = ()
    split: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    said: bool = False
    alone: bool = True


@dataclass(slots=True)
class Found:
    """What has been found so far."""

    gathered: Gathered
    pages: str | None
    ids: dict[str, set[int]] = field(default_factory=dict)
    own_ids: dict[str, set[int]] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    seen: set[Any] = field(default_factory=set)
    loose: dict[str, tuple[Held, str]] = field(default_factory=dict)
    unused: Counter[str] = field(default_factory=Counter)
    prefix: str = ""
    split: str | None = None
    source_file: Any = None
    handle: Any = None

    def visit_file(self, prefix: str, path: Path, file: Any) -> None:
        """Take in one file."""
        self.prefix, self.source_file, self.handle = prefix, H5File(path), file
        self.seen = set()
        self.split = split_of_name(path.name.rpartition(".")[0])
        if self.split:
            self.gathered.say("parts are read from the names of files")
        attributes = attributes_of(file)
        names = attributes.pop("classes", None)
        if isinstance(names, list):
            self.gathered.name_classes(names)
        if attributes.keys() & _OF_A_NETWORK or "model_weights" in file:
            raise problem(path, "images", "the weights of a network", "leave the file out")
        self.info |= {name: value for name, value in attributes.items() if name not in _OWN}
        before, records = len(self.gathered.records), self.gathered.records
        self.visit(file, _Place())
        # The same image may carry the same key twice when a file was put together from others.
        taken: dict[str, int] = {}
        for number in range(before, len(records)):
            record = records[number]
            taken[record.key] = taken.get(record.key, 0) + 1
            if taken[record.key] > 1:
                records[number] = replace(record, key=f"{record.key}#{taken[record.key]}")

    def join_files(self, alone: Path | None) -> None:
        """Join images and labels that files keep apart, also those beside a file that is given alone."""
        if not self.loose:
            return
        pool = dict(self.loose)
        if alone is not None:
            pool = self._beside(alone) | pool
        arrays = {name: held for name, (held, _) in pool.items()}
        found = find_parts(self.gathered.shapes(arrays), speaking=2, pages=self.pages)
        found = self._by_file(found)
        self.gathered.hear(found, arrays)
        for part in found.parts:
            if part.images not in self.loose:
                continue
            for name in part.names():
                if name not in self.loose and alone is not None:
                    self.gathered.say(f"{arrays[name].called} lies beside it and belongs to it")
                    self.gathered.also_read.append(alone.parent / arrays[name].called.partition(": ")[0])
            self.gathered.take(part, arrays, begin=pool[part.images][1], key=part.images)
        for name in (name for name in found.rest if name in self.loose):
            if begin := self.loose[name][1]:  # images of a file that belong to no other
                self.gathered.take(Part(name), arrays, begin=begin, key=name)
                continue
            shape = " x ".join(map(str, arrays[name].shape.lengths)) or "one value"
            msg = f"{arrays[name].called}: expected images, or labels of images that are there, got an array of {shape}"
            self.gathered.problems.append(Problem(arrays[name].called, f"{msg}; name it after what it means"))

    def _by_file(self, found: Parts) -> Parts:
        """Stacks without labels in files whose names say neither a part nor a role nor a number: files are classes."""
        halves = [part for part in found.parts if part.is_half]
        names = [part.images.partition("/")[0] for part in halves]
        said = [read_array_name(name, 1) for name in names]
        plain = all(one.role is None and one.split is None for one in said)
        plain = plain and not any(character.isdigit() for name in names for character in name)
        if len(halves) < len(found.parts) or len(set(names)) < max(2, len(names)) or not plain:
            return found
        self.gathered.say(f"labels are the names of files: {', '.join(names[:5])}{', ...' * (len(names) > 5)}")
        return replace(found, parts=[replace(part, label=name) for part, name in zip(halves, names, strict=True)])

    def _beside(self, path: Path) -> dict[str, tuple[Held, str]]:
        """What other files of the same folder hold besides images, at their top."""
        found: dict[str, tuple[Held, str]] = {}
        others = sorted(p for p in path.parent.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file() and p != path)
        for other in others if len(others) <= _BESIDE else ():
            try:
                with open_h5(other) as file:
                    for name in sorted(file):
                        dataset = file[name] if type(file.get(name, getlink=True)).__name__ == "HardLink" else None
                        if not hasattr(dataset, "shape") or leads_out(file, dataset) or not kind_of(dataset)[0]:
                            continue
                        key = f"{other.name.rpartition('.')[0]}/{name}"
                        held = hold(dataset, kind_of(dataset)[0], f"/{name}", H5File(other))
                        if role_of(key, 2) != "images":
                            found[key] = held, ""
            except CodecError as error:
                self.gathered.say(f"{other.name} beside it could not be looked at: {error}")
        return found

    def source(self, root: Path, layout: str) -> Source:
        """All of it."""
        gathered = self.gathered
        self._own_numbers()
        for name, count in self.unused.most_common(6):
            gathered.say(f"{name} is not used" + (f", in {count:,} groups or files" if count > 1 else ""))
        classes = gathered.classes or self._by_ids() or gathered.all_classes()
        records = tuple(_without_numbers(r) for r in gathered.records) if classes else tuple(gathered.records)
        return Source(
            root,
            layout,
            records,
            notes=gathered.all_notes(),
            classes=classes,
            problems=tuple(gathered.problems),
            info=self.info,
            also_read=tuple(gathered.also_read),
        )

    def _by_ids(self) -> tuple[str, ...]:
        """Class names in the order of their numbers, where every class has one of its own."""
        numbers = {next(iter(ids)): name for name, ids in self.ids.items() if len(ids) == 1}
        labels = {record.label for record in self.gathered.records} - {None}
        whole = len(numbers) == len(self.ids) and set(numbers.values()) == labels
        if whole and sorted(numbers) != list(range(len(numbers))):
            shown = ", ".join(f"{numbers[n]} {n}" for n in sorted(numbers)[:8])
            self.gathered.say(f"classes are numbered {shown} in the file, and from 0 here, in the same order")
        return tuple(numbers[n] for n in sorted(numbers)) if whole else ()

    def _own_numbers(self) -> None:
        """Where images of one group have different numbers, or groups share one, the numbers are the classes."""
        numbers = [n for ids in self.own_ids.values() for n in ids]
        if len(numbers) == len(self.own_ids) == len(set(numbers)):
            return
        self.gathered.say("images have class numbers of their own, which their groups do not tell apart: those count")
        for at, record in enumerate(self.gathered.records):
            if record.label in self.own_ids and "label_id" in record.attributes:
                number = int(record.attributes["label_id"])
                names = self.gathered.classes
                label = names[number] if 0 <= number < len(names) else str(number)
                rest = {k: v for k, v in record.attributes.items() if k != "label_id"}
                rest["groups"] = record.label or ""
                self.gathered.records[at] = replace(record, label=label, attributes=rest)
        self.ids = {}

    def refuse(self, where: str, got: str, do: str = "leave it out, or copy what it means into the file") -> None:
        """Name something that cannot be taken in."""
        name = f"{self.source_file.path.name}: {where}"
        self.gathered.problems.append(Problem(name, f"expected images within the file, got {got}; {do}"))

    def visit(self, group: Any, place: _Place) -> None:
        """Take in a group and what is below it."""
        h5py = require("h5py", extra="hdf5")
        info = h5py.h5o.get_info(group.id)
        if (info.fileno, info.addr) in self.seen or place.path.count("/") > _DEEPEST:
            return
        self.seen.add((info.fileno, info.addr))
        datasets: dict[str, Any] = {}
        groups: dict[str, Any] = {}
        keypoint: dict[str, dict[str, Any]] = {}
        for name in sorted(group):
            where = f"{place.path}/{name}"
            if where == ASIDE or name in _INNER:
                continue
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                self.refuse(where, f"a link into another file, {link.filename!r}")
            elif isinstance(link, h5py.SoftLink):
                if stays_inside(self.handle, place.path, link.path):
                    self.gathered.say(f"{where} is a link to {link.path}, which is read at its own place")
                else:
                    self.refuse(where, f"a link to {link.path!r}, which is nothing in it")
            elif isinstance(thing := group[name], h5py.Group):
                groups[name] = thing
            elif isinstance(thing, h5py.Dataset):
                datasets[name] = thing
        # Datasets first: class names at the top count for all groups below.
        self.take(datasets, place)
        for name, dataset in self.keypoint(groups).items():
            keypoint.setdefault(name.rpartition("/")[0], {})[name] = dataset
        if keypoint:
            self.take({name: one for members in keypoint.values() for name, one in members.items()}, place, speaking=2)
            groups = {name: thing for name, thing in groups.items() if name not in keypoint}
        # Groups that say what lies in them are no classes, unless there are classes beside them.
        roles = all(is_image_word(name) or role_of(name) is not None or split_name(name) for name in groups)
        parts = {split_name(name) for name in groups}
        # A group around the parts is the name of the set; parts are also told by standing side by side.
        parted = (place.alone or len(parts) > 1) and None not in parts and not place.said
        for name, thing in groups.items():
            below = self.below(place, name, thing, plain=(roles or place.said) and is_image_word(name), parted=parted)
            self.visit(thing, replace(below, alone=place.alone and len(groups) == 1))

    def keypoint(self, groups: Mapping[str, Any]) -> dict[str, Any]:
        """Datasets of groups called images and labels (or masks), where both have datasets of the same names."""
        h5py = require("h5py", extra="hdf5")
        roles = {name: role for name in groups if (role := role_of(name)) in ("images", "labels", "masks")}
        if "images" not in roles.values() or not {"labels", "masks"} & set(roles.values()):
            return {}
        found = {}
        for name in roles:
            for inner in groups[name]:
                plain = isinstance(groups[name].get(inner, getlink=True), h5py.HardLink)
                if not plain or not isinstance(groups[name][inner], h5py.Dataset):
                    return {}
                found[f"{name}/{inner}"] = groups[name][inner]
        images = {key.rpartition("/")[2] for key in found if roles[key.partition("/")[0]] == "images"}
        others = {key.rpartition("/")[2] for key in found if roles[key.partition("/")[0]] != "images"}
        return found if images & others else {}

    def below(self, place: _Place, name: str, group: Any, *, plain: bool, parted: bool) -> _Place:
        """The place of a group in another."""
        attributes = attributes_of(group)
        split = split_name(name) if (not place.levels or parted) and place.split is None else None
        called = next((attributes[k] for k in _NAMES if isinstance(attributes.get(k), str)), None)
        number = _number(attributes)
        levels = place.levels if split or (plain and called is None) else (*place.levels, str(called or name))
        if split and place.alone:
            levels = ()
        more = {k: v for k, v in attributes.items() if k not in _NAMES}
        if number is not None:
            more["label_id"] = number
        said = called is not None or number is not None or (place.said and levels == place.levels)
        return _Place(f"{place.path}/{name}", levels, split or place.split, {**place.attributes, **more}, said)

    def take(self, datasets: dict[str, Any], place: _Place, speaking: int = 1) -> None:
        """Take in the datasets of one group; `speaking` is that of `find_parts`."""
        held: dict[str, Held] = {}
        for name, dataset in datasets.items():
            where = f"{place.path}/{name}"
            out = leads_out(self.handle, dataset)
            kind, why = ("", "") if out else kind_of(dataset)
            if out or not kind:
                self.refuse(where, out or why, "store the pixels themselves" if out else "store numbers or bytes")
            else:
                held[name] = hold(dataset, kind, where, self.source_file)
        shapes = self.gathered.shapes(held)
        if not place.path and len(held) == 1:
            # The name of a file with one array speaks for it: X_train.h5 with "data" in it.
            (name, shape), stem = next(iter(shapes.items())), self.source_file.path.name.rpartition(".")[0]
            said = read_array_name(f"{stem}/{name}", 2)
            if said.role == "images" and said.many and not said.weak and len(shape.lengths) > 2:
                shapes[name] = replace(shape, single=False if shape.single is None else shape.single)
        found = find_parts(shapes, speaking=speaking, pages=self.pages, lone=place.said)
        by_class = any(part.label for part in found.parts) and bool(place.levels)
        if by_class:  # stacks within a group that is a class already
            found = replace(found, parts=[replace(part, label=None) for part in found.parts], notes=[])
        halves = {part.images for part in found.parts if part.is_half} if not place.path else set()
        heard = replace(found, counted=[name for name in found.counted if name not in halves])
        self.gathered.hear(heard, held, self.source_file.path.name)
        self.take_parts(found, held, place)

    def take_parts(self, found: Parts, held: Mapping[str, Held], place: _Place) -> None:
        """Take in parts; half of one waits for what other files hold, the rest are images, or say nothing."""
        top, stem = not place.path, self.source_file.path.name.rpartition(".")[0]
        for part in found.parts:
            if part.single:
                self.single(held, part, place)
            elif top and part.is_half and not _says_labels(held[part.images]):
                begin = f"{self.prefix}/{part.images}".strip("/")
                self.loose[f"{stem}/{part.images}"] = held[part.images], begin
            else:
                self.stack(held, part, place)
        for name in found.rest:
            where, shape = f"{place.path}/{name}", held[name].shape
            role = role_of(f"{stem}/{name}", 2) if top else None
            if top and not found.parts and (not shape.is_pixels or role not in (None, "images")):
                self.loose[f"{stem}/{name}"] = held[name], ""
            elif found.parts:
                self.unused[f"{name} ({' x '.join(map(str, shape.lengths)) or 'one value'})"] += 1
            elif not shape.is_pixels:
                got = f"{_KINDS.get(shape.kind, 'numbers')} of shape {shape.lengths}"
                self.refuse(where, got, "name it after what it means")
            else:
                self.image(held[name], where, place, own_group=False)

    def single(self, held: Mapping[str, Held], part: Part, place: _Place) -> None:
        """Take in one image, perhaps with a mask or a label beside it."""
        record = self.image(held[part.images], f"{place.path}/{part.images}", place, own_group=True)
        if record is None or (part.masks is None and part.labels is None):
            return
        before = len(self.gathered.records)
        self.gathered.take(part, held, key=record.key, label=record.label, split=record.split, group=record.group)
        if len(self.gathered.records) > before:
            made = self.gathered.records.pop()
            self.gathered.records[-1] = replace(
                record, mask=record.mask or made.mask, label=made.label, labels=made.labels, split=made.split
            )

    def image(self, held: Held, where: str, place: _Place, *, own_group: bool) -> Record | None:
        """Take in a dataset that is one image."""
        own = held.own
        # A dataset called "image" names its case by the group around it, which is then no class.
        case = own_group and where.rpartition("/")[2].lower() in _SINGLE and not place.said
        levels = place.levels[:-1] if case else place.levels
        attributes = {**place.attributes, **own}
        label = self.label(own, levels, attributes)
        split, group = attributes.get("split"), attributes.get("group")
        key = own.get("key") or (where.lstrip("/") if not self.prefix else f"{self.prefix}{where}")
        if self.prefix and own_group and len(place.path) == 0:
            key = self.prefix
        try:
            pixels = self.pixels(held, where)
        except (SourceError, CodecError) as error:
            self.gathered.problems.append(Problem(held.called, str(error)))
            return None
        record = Record(
            str(key),
            pixels,
            self.mask_of(own.get("mask"), where),
            label,
            split=(split_name(str(split)) if split is not None else None) or place.split or self.split,
            group=None if group is None else str(group),
            attributes=_columns(attributes),
        )
        self.gathered.records.append(record)
        return record

    def label(self, own: Mapping[str, Any], levels: tuple[str, ...], attributes: dict[str, Any]) -> str | None:
        """The label of an image or a stack; numbers of classes are noted."""
        label, number = _label(own, levels), _number(attributes)
        if label is not None and number is not None:
            self.ids.setdefault(label, set()).add(number)
            if levels and _number(own) is not None:
                self.own_ids.setdefault(label, set()).add(number)
                attributes["label_id"] = number
        return label

    def mask_of(self, where: Any, of: str) -> Pixels | None:
        """The mask that an attribute of an image names within the file."""
        h5py = require("h5py", extra="hdf5")
        if not isinstance(where, str):
            return None
        link = self.handle.get(where, getlink=True)
        dataset = self.handle.get(where) if isinstance(link, h5py.HardLink) else None
        if not isinstance(dataset, h5py.Dataset) or leads_out(self.handle, dataset):
            self.refuse(of, f"a mask {where!r} that is no dataset of it", "correct the attribute")
            return None
        kind, why = kind_of(dataset)
        if kind not in (ARRAY, BYTES):
            self.refuse(where, why or kind)
            return None
        return self.pixels(hold(dataset, kind, where, self.source_file), where)

    def pixels(self, held: Held, where: str) -> Pixels:
        """Say where the pixels of one image are."""
        if held.shape.kind == "E":
            return self.gathered.pixels(held, None, None)
        axes = self.gathered.axes(held, held.shape.lengths)
        affine, places = held.own.get("world"), len(axes.replace("c", ""))
        matrix = None if affine is None else np.asarray(affine, np.float64)
        if matrix is not None and (
            matrix.shape != (places + 1, places + 1) or axes != "".join(a for a in "zyxc" if a in axes)
        ):
            self.refuse(where, f"an affine of shape {matrix.shape} for axes {axes}", "correct the attribute")
            matrix = None
        return self.gathered.pixels(held, None, axes, matrix)

    def stack(self, held: Mapping[str, Held], part: Part, place: _Place) -> None:
        """Take in many images in one dataset."""
        own = held[part.images].own
        attributes = {**place.attributes, **{k: v for k, v in own.items() if not isinstance(v, list)}}
        label = self.label(own, place.levels, attributes)
        if isinstance(own.get("classes"), list):
            self.gathered.name_classes(own["classes"])
        listed = next((own[k] for k in ("labels", "label") if isinstance(own.get(k), list)), None)
        if listed is not None and len(listed) != held[part.images].shape.lengths[0]:
            listed = None
        group = attributes.get("group")
        self.gathered.take(
            part,
            held,
            begin=f"{self.prefix}{place.path}/{part.images}".strip("/"),
            label=label,
            labels=listed,
            split=place.split or self.split,
            group=None if group is None else str(group),
            attributes=_columns(attributes),
        )


def _columns(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What is left of attributes as further columns."""
    return scalars({k: v for k, v in attributes.items() if k not in _OWN and not k.startswith("MATLAB_")})


def _says_labels(held: Held) -> bool:
    """Whether attributes of a stack say its classes."""
    return any(held.own.get(name) is not None for name in ("label", "labels", "class", "class_name", "label_name"))


def _number(attributes: Mapping[str, Any]) -> int | None:
    """The number of a class, as attributes of its group or of an image say it."""
    found = (attributes[k] for k in _NUMBERS if isinstance(attributes.get(k), int))
    return next((int(number) for number in found if not isinstance(number, bool)), None)


def _without_numbers(record: Record) -> Record:
    """The record without the number of its class, which the order of the classes says."""
    kept = {name: value for name, value in record.attributes.items() if name not in _NUMBERS}
    return record if len(kept) == len(record.attributes) else replace(record, attributes=kept)


def _label(own: Mapping[str, Any], levels: tuple[str, ...]) -> str | None:
    """The label of an image: what it says itself, within the levels around it; a number names the group's class."""
    said = next((own[k] for k in _NAMES[:-1] if isinstance(own.get(k), str | int)), None)
    joined = "/".join(levels)
    if said is None or (isinstance(said, int) and levels):
        return joined or None
    # A label that only repeats the name of the class keeps the levels above it.
    return joined if levels and said in (joined, levels[-1]) else str(said)
