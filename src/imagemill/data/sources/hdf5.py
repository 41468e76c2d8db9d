"""HDF5: a group per class, or stacks of images with their labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, SourceError
from imagemill.core.extras import require
from imagemill.data.codecs.base import MAX_PIXELS
from imagemill.data.record import Blob, Pixels, Record, Stored
from imagemill.data.sources.base import Guess, Look, Problem, ReadSource, Source, WriteTarget, Written
from imagemill.data.sources.containers import MAX_RECORDS, item_axes, label_names, number_order, split_name
from imagemill.data.sources.hdf5_file import (
    ARRAY,
    BYTES,
    TEXT,
    H5File,
    ReadArray,
    ReadBytes,
    attributes_of,
    kind_of,
    leads_out,
    open_h5,
    scalars,
    stays_inside,
)
from imagemill.data.sources.hdf5_write import ASIDE, SUFFIXES, write_h5
from imagemill.data.sources.roles import Part, Shape, find_parts

__all__ = ["Hdf5"]

_MAGIC = b"\x89HDF\r\n\x1a\n"
_NAMES = ("label", "class", "class_name", "label_name")
_NUMBERS = ("label_id", "class_id", "label_number")
_OWN = (*_NAMES, "key", "axes", "world", "mask", "split", "group")
_DEEPEST = 32
_SINGLE = ("image", "img", "data", "pixels", "x")


class Hdf5:
    """HDF5 files, in three arrangements that may be mixed.

    A group per class with a dataset per image (groups within groups are levels of a hierarchy, attributes ``label``
    or ``class`` name them); stacks ``images`` and ``labels`` (or ``x``/``y``, ``X_train``..., also in a group per
    split); encoded pictures as bytes. Links and storage that lead out of the file are refused.
    """

    name = "hdf5"
    title = "HDF5: a group per class, or stacks of images and labels"
    holds = frozenset(
        (
            *("image", "uint16", "float", "channels", "volume", "world", "label", "hierarchy", "mask"),
            *("split", "group", "attributes"),
        )
    )

    def guess(self, look: Look) -> Guess | None:
        files = _files(look)
        if not files or 2 * len(files) < len(look.files) or not _is_h5(files[0][1]):
            return None
        return Guess(0.93, f"{files[0][1].name} is an HDF5 file")

    def read(self, look: Look, options: ReadSource) -> Source:
        files = _files(look)
        if not files:
            raise SourceError(f"expected an HDF5 file, got {look.path}; check the path")
        found = _Found(options)
        for key, path in files:
            try:
                with open_h5(path) as file:
                    found.visit_file(key.rpartition(".")[0] if look.is_folder else "", path, file)
            except CodecError as error:
                if not look.is_folder:
                    raise SourceError(str(error)) from error
                found.problems.append(Problem(key, str(error)))
        if not found.records:
            what = "; ".join(str(problem) for problem in found.problems[:3]) or "nothing that looks like images"
            raise SourceError(f"expected images in {look.path}, got none: {what}; see how HDF5 files may be arranged")
        root = look.path if look.is_folder else look.path.parent
        return found.source(root, self.name)

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        return write_h5(source, out, options, self.holds)


def _files(look: Look) -> list[tuple[str, Path]]:
    if not look.is_folder:
        return list(look.files) if _is_h5(look.path) else []
    return [(key, path) for key, path in look.files if path.suffix.lower() in SUFFIXES]


def _is_h5(path: Path) -> bool:
    """Whether a file is HDF5; its signature may lie behind a block of the user's own."""
    try:
        with path.open("rb") as file:
            for place in (0, 512, 1024, 2048):
                file.seek(place)
                if file.read(8) == _MAGIC:
                    return True
    except OSError:
        return False
    return False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a file we are."""

    path: str = ""
    levels: tuple[str, ...] = ()
    split: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    options: ReadSource
    records: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    ids: dict[str, set[int]] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    seen: set[Any] = field(default_factory=set)
    prefix: str = ""
    source_file: Any = None
    handle: Any = None

    def visit_file(self, prefix: str, path: Path, file: Any) -> None:
        """Take in one file."""
        self.prefix, self.source_file, self.handle = prefix, H5File(path), file
        self.seen = set()
        attributes = attributes_of(file)
        names = attributes.pop("classes", None)
        if isinstance(names, list) and not self.classes:
            self.classes = tuple(str(name) for name in names)
        self.info |= {name: value for name, value in attributes.items() if name not in _OWN}
        before = len(self.records)
        self.visit(file, _Place())
        # The same image may carry the same key twice when a file was put together from others.
        taken: dict[str, int] = {}
        for number in range(before, len(self.records)):
            record = self.records[number]
            taken[record.key] = taken.get(record.key, 0) + 1
            if taken[record.key] > 1:
                self.records[number] = replace(record, key=f"{record.key}#{taken[record.key]}")

    def source(self, root: Path, layout: str) -> Source:
        """All of it."""
        classes = self.classes or self._by_ids() or number_order(record.label for record in self.records)
        records = tuple(_without_numbers(record) for record in self.records) if classes else tuple(self.records)
        return Source(
            root,
            layout,
            records,
            notes=tuple(dict.fromkeys(self.notes)),
            classes=classes,
            problems=tuple(self.problems),
            info=self.info,
        )

    def _by_ids(self) -> tuple[str, ...]:
        """Class names in the order of their numbers, where every class has one and they count from 0."""
        numbers = {next(iter(ids)): name for name, ids in self.ids.items() if len(ids) == 1}
        labels = {record.label for record in self.records} - {None}
        whole = set(numbers) == set(range(len(numbers))) and set(numbers.values()) == labels
        return tuple(numbers[n] for n in range(len(numbers))) if whole else ()

    def refuse(self, where: str, got: str, do: str = "leave it out, or copy what it means into the file") -> None:
        """Name something that cannot be taken in."""
        name = f"{self.source_file.path.name}: {where}"
        self.problems.append(Problem(name, f"expected images within the file, got {got}; {do}"))

    def visit(self, group: Any, place: _Place) -> None:
        """Take in a group and what is below it."""
        h5py = require("h5py", extra="hdf5")
        info = h5py.h5o.get_info(group.id)
        if (info.fileno, info.addr) in self.seen or place.path.count("/") > _DEEPEST:
            return
        self.seen.add((info.fileno, info.addr))
        datasets: dict[str, Any] = {}
        groups: dict[str, Any] = {}
        for name in sorted(group):
            where = f"{place.path}/{name}"
            if where == ASIDE:
                continue
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                self.refuse(where, f"a link into another file, {link.filename!r}")
            elif isinstance(link, h5py.SoftLink):
                if stays_inside(self.handle, place.path, link.path):
                    self.notes.append(f"{where} is a link to {link.path}, which is read at its own place")
                else:
                    self.refuse(where, f"a link to {link.path!r}, which is nothing in it")
            elif isinstance(thing := group[name], h5py.Group):
                groups[name] = thing
            elif isinstance(thing, h5py.Dataset):
                datasets[name] = thing
        # Datasets first: class names at the top count for all groups below.
        self.take(datasets, place)
        for name, thing in groups.items():
            self.visit(thing, self.below(place, name, thing))

    def below(self, place: _Place, name: str, group: Any) -> _Place:
        """The place of a group in another."""
        attributes = attributes_of(group)
        split = split_name(name) if not place.levels and place.split is None else None
        called = next((attributes[k] for k in _NAMES if isinstance(attributes.get(k), str)), name)
        levels = place.levels if split else (*place.levels, str(called))
        more = {k: v for k, v in attributes.items() if k not in _NAMES}
        return _Place(f"{place.path}/{name}", levels, split or place.split, {**place.attributes, **more})

    def take(self, datasets: dict[str, Any], place: _Place) -> None:
        """Take in the datasets of one group."""
        kinds: dict[str, str] = {}
        for name, dataset in datasets.items():
            where = f"{place.path}/{name}"
            out = leads_out(self.handle, dataset)
            kind, why = ("", "") if out else kind_of(dataset)
            if out or not kind:
                self.refuse(where, out or why, "store the pixels themselves" if out else "store numbers or bytes")
            else:
                kinds[name] = kind
        shapes = {name: _shape(datasets[name], kind) for name, kind in kinds.items()}
        parts, classes, rest = find_parts(shapes)
        if classes is not None and not self.classes and kinds[classes] == TEXT:
            self.classes = tuple(_texts(datasets[classes]))
        for part in parts:
            try:
                if part.single:
                    self.single(datasets, kinds, part, place)
                else:
                    self.stack(datasets, kinds, part, place)
            except (SourceError, CodecError) as error:
                self.problems.append(Problem(f"{self.source_file.path.name}: {place.path}/{part.images}", str(error)))
        for name in rest:
            where = f"{place.path}/{name}"
            if parts:
                self.notes.append(f"{where} is not used")
            elif not shapes[name].is_pixels:
                self.refuse(where, f"{kinds[name]} of shape {datasets[name].shape}", "name it after what it means")
            else:
                try:
                    self.records.append(self.image(datasets[name], kinds[name], where, place, own_group=False))
                except (SourceError, CodecError) as error:
                    self.problems.append(Problem(f"{self.source_file.path.name}: {where}", str(error)))

    def single(self, datasets: Mapping[str, Any], kinds: Mapping[str, str], part: Part, place: _Place) -> None:
        """Take in one image, perhaps with a mask beside it."""
        where = f"{place.path}/{part.images}"
        record = self.image(datasets[part.images], kinds[part.images], where, place, own_group=True)
        if part.masks is not None and record.mask is None:
            record = replace(
                record, mask=self.pixels(datasets[part.masks], kinds[part.masks], f"{place.path}/{part.masks}")
            )
        self.records.append(record)

    def image(self, dataset: Any, kind: str, where: str, place: _Place, *, own_group: bool) -> Record:
        """Make the record of a dataset that is one image."""
        own = attributes_of(dataset)
        # A dataset called "image" names its case by the group around it, which is then no class.
        levels = place.levels[:-1] if own_group and where.rpartition("/")[2].lower() in _SINGLE else place.levels
        attributes = {**place.attributes, **own}
        label = _label(own, levels)
        number = next((attributes[k] for k in _NUMBERS if isinstance(attributes.get(k), int)), None)
        if label is not None and number is not None:
            self.ids.setdefault(label, set()).add(int(number))
        mask = self.mask_of(own.get("mask"), where)
        split, group = attributes.get("split"), attributes.get("group")
        key = own.get("key") or (where.lstrip("/") if not self.prefix else f"{self.prefix}{where}")
        if self.prefix and own_group and len(place.path) == 0:
            key = self.prefix
        return Record(
            str(key),
            self.pixels(dataset, kind, where, own),
            mask,
            label,
            split=(split_name(str(split)) if split is not None else None) or place.split,
            group=None if group is None else str(group),
            attributes=scalars({k: v for k, v in attributes.items() if k not in _OWN}),
        )

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
        return self.pixels(dataset, kind, where, attributes_of(dataset))

    def pixels(self, dataset: Any, kind: str, where: str, own: Mapping[str, Any] | None = None) -> Pixels:
        """Say where the pixels of one image are."""
        name = f"{self.source_file.path.name}: {where}"
        if kind == BYTES:
            return Blob(name, "", ReadBytes(self.source_file, where))
        own = own or {}
        given = own.get("axes") if isinstance(own.get("axes"), str) else self.options.extra.get("axes")
        axes, note = item_axes(dataset.shape, given)
        if note:
            self.notes.append(note)
        _check_size(dataset.shape, axes)
        world, places = own.get("world"), len(axes.replace("c", ""))
        matrix = None if world is None else np.asarray(world, np.float64)
        if matrix is not None and (
            matrix.shape != (places + 1, places + 1) or axes != "".join(a for a in "zyxc" if a in axes)
        ):
            self.refuse(where, f"a world matrix of shape {matrix.shape} for axes {axes}", "correct the attribute")
            matrix = None
        return Stored(name, ReadArray(self.source_file, where), axes, matrix)

    def stack(self, datasets: Mapping[str, Any], kinds: Mapping[str, str], part: Part, place: _Place) -> None:
        """Take in many images in one dataset."""
        images, kind = datasets[part.images], kinds[part.images]
        count = int(images.shape[0])
        if count > MAX_RECORDS:
            raise SourceError(f"expected at most {MAX_RECORDS:,} images, got {count:,}; check the file")
        own = attributes_of(images)
        given = own.get("axes") if isinstance(own.get("axes"), str) else self.options.extra.get("axes")
        axes, note = item_axes(images.shape[1:], given) if kind == ARRAY else ("", "")
        self.notes += [note] if note else []
        if kind == ARRAY:
            _check_size(images.shape[1:], axes)
        labels: list[str | None] = [None] * count
        if part.labels is not None:
            # Text needs no numbers; both need a look at every entry.
            values = (
                np.array(_texts(datasets[part.labels])) if kinds[part.labels] == TEXT else datasets[part.labels][()]
            )
            labels, note = label_names(np.asarray(values), self.classes)
            self.notes += [note] if note else []
        elif place.levels:
            labels = ["/".join(place.levels)] * count
        names = self.column(datasets, kinds, part.keys)
        groups = self.column(datasets, kinds, part.groups) or [""] * count
        keys = names if names and len({*names}) == count else None
        digits, begin = len(str(max(count - 1, 1))), f"{self.prefix}{place.path}/{part.images}".strip("/")
        split, file = part.split or place.split, self.source_file
        place_name, mask_axes = f"{place.path}/{part.images}", None
        if part.masks is not None:
            mask_axes, _ = item_axes(datasets[part.masks].shape[1:])
        for number in range(count):
            name = f"{file.path.name}: {place_name}, row {number}"
            image: Pixels = (
                Stored(name, ReadArray(file, place_name, number), axes)
                if kind == ARRAY
                else Blob(name, "", ReadBytes(file, place_name, number))
            )
            mask = None
            if part.masks is not None:
                where = f"{place.path}/{part.masks}"
                mask = Stored(f"{file.path.name}: {where}, row {number}", ReadArray(file, where, number), mask_axes)
            key = keys[number] if keys else f"{begin}/row-{number:0{digits}d}"
            record = Record(str(key), image, mask, labels[number], split=split, group=groups[number] or None)
            self.records.append(record)

    def column(self, datasets: Mapping[str, Any], kinds: Mapping[str, str], name: str | None) -> list[str] | None:
        """A column of names as text."""
        if name is None:
            return None
        if kinds[name] == TEXT:
            return _texts(datasets[name])
        return [str(value) for value in np.asarray(datasets[name][()]).tolist()]


def _shape(dataset: Any, kind: str) -> Shape:
    if kind == BYTES:
        # One picture as a row of bytes is one thing; a row of pictures is a stack.
        return Shape(() if dataset.dtype == np.uint8 else tuple(dataset.shape), "E")
    return Shape(tuple(dataset.shape), "U" if kind == TEXT else dataset.dtype.kind)


def _texts(dataset: Any) -> list[str]:
    found = np.asarray(dataset[()]).ravel().tolist()
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in found]


def _check_size(shape: tuple[int, ...], axes: str) -> None:
    size = int(np.prod([n for n, letter in zip(shape, axes, strict=True) if letter != "c"], dtype=object))
    if not 0 < size <= MAX_PIXELS:
        raise SourceError(f"expected an image of 1 to {MAX_PIXELS:,} pixels, got shape {shape}; check the file")


def _without_numbers(record: Record) -> Record:
    """The record without the number of its class, which the order of the classes says."""
    kept = {name: value for name, value in record.attributes.items() if name not in _NUMBERS}
    return record if len(kept) == len(record.attributes) else replace(record, attributes=kept)


def _label(own: Mapping[str, Any], levels: tuple[str, ...]) -> str | None:
    """The label of an image: what it says itself, within the levels around it."""
    said = next((str(own[k]) for k in _NAMES if isinstance(own.get(k), str | int)), None)
    if said is None:
        return "/".join(levels) or None
    joined = "/".join(levels)
    # A label that only repeats the name of the class keeps the levels above it.
    return joined if levels and said in (joined, levels[-1]) else said
