"""What a loader asks of a dataset: rows by their number, many at once where they lie in one array."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imagemill.core.errors import InputError
from imagemill.core.late_list import LateList
from imagemill.core.randomness import rng
from imagemill.core.targets import Array, Image
from imagemill.data import dataset as datasets
from imagemill.data.backing import SourceBacking, StoreBacking, names_of, targets_of
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.dataset import Dataset
from imagemill.data.large_dataset import LargeDataset
from imagemill.data.layouts.base import Problem, Source
from imagemill.data.layouts.tables.frames import is_frame
from imagemill.data.records.record import Record
from imagemill.data.remote.remote_arrow import RemoteRows
from imagemill.feed.making.carried_annotations import Annotations, annotations_of
from imagemill.feed.making.item import Item, complete, read_record
from imagemill.feed.making.labels_of_rows import labels_in, read_sample_weights, weights_in
from imagemill.feed.making.large_rows import LargeRows
from imagemill.feed.making.part_taken import part_of_large, said_of_parts
from imagemill.feed.making.sequence import SequenceRows, is_sequence

__all__ = ["ArrayRows", "RecordRows", "Rows", "StoreRows", "open_rows"]

Numbers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

_LARGE = 1 << 16
"""Bytes of an image from which a view into the store is handed on instead of a copy in a common array."""


class Rows(Protocol):
    """Rows of images and their targets.

    ``labels`` are integers ``[n]``, rows of 0 and 1 ``[n, classes]``, or None; ``weights`` those of rows in a loss,
    ``[n]``, or None; ``categories`` names of what boxes hold. ``annotations``, which may be set, asks for annotations
    and their masks as well. ``gather`` gives columns for a
    pipeline, or None where every row has to be read by itself: then ``read`` does. ``together`` says whether rows are
    so quick to get that several batches may be made as one.
    """

    together: bool
    classes: tuple[str, ...]
    labels: Array | None
    weights: Array | None
    categories: tuple[str, ...]
    annotations: bool
    axes: str | None

    def __len__(self) -> int: ...

    def keys(self, rows: Numbers) -> Sequence[str | int]:
        """The keys of some rows."""
        ...

    def hashes(self, rows: Numbers) -> Hashes:
        """What stands for the keys in draws."""
        ...

    def gather(self, rows: Numbers, *, stacked: bool) -> dict[str, Any] | None:
        """Columns of some rows; with ``stacked`` each in an array of its own."""
        ...

    def read(self, row: int, options: ReadOptions, *, reduced: bool) -> Item:
        """One row."""
        ...

    def fingerprint(self) -> str:
        """What tells this dataset from others."""
        ...


class ArrayRows:
    """Arrays in memory (or mapped): images, and labels where there are any.

    Parameters
    ----------
    x : array ``[n, ...]``, sequence of arrays, or anything else with a length and images by number
    y : array of int ``[n]`` or ``[n, classes]``, optional
    weights : array ``[n]``, optional
        Of each row in a loss.
    axes : str, optional
        Of one image.
    classes : sequence of str
        Names of the labels, in the order of their numbers.
    """

    annotations = False
    categories: tuple[str, ...] = ()

    def __init__(
        self, x: Any, y: Any = None, axes: str | None = None, weights: Any = None, classes: Sequence[str] = ()
    ) -> None:
        # What gives images by number is asked for them one by one: a file of HDF5 may not fit the memory.
        self.x = x if is_sequence(x) else list(x)
        self.together = isinstance(x, np.ndarray)
        self.axes = axes
        if isinstance(classes, int | str):
            raise InputError(f"expected classes as their names in order, ['cat', 'dog'], got {classes!r}")
        self.classes = tuple(map(str, classes))
        labels = None if y is None else np.asarray(y)
        if labels is not None and (len(labels) != len(self.x) or labels.dtype.kind not in "iubf"):
            do = "give as many of both"
            if labels.dtype.kind not in "iubf":
                do = "write classes, labels = numpy.unique(labels, return_inverse=True), and classes=classes.tolist()"
            raise InputError(
                f"expected {len(self.x)} labels as numbers, one per image, got {labels.dtype} of shape {labels.shape}; "
                f"{do}"
            )
        self.labels = labels
        self.weights = None if weights is None else read_sample_weights(weights, len(self.x))
        if self.classes:
            self._check_classes()

    def _check_classes(self) -> None:
        labels = self.labels
        if labels is None or labels.ndim > 2 or (labels.ndim == 1 and labels.dtype.kind not in "iu"):
            got = "no labels" if labels is None else f"labels of {labels.dtype} and shape {labels.shape}"
            raise InputError(
                f"expected labels as numbers of the classes beside their names, got {got}; leave classes out"
            )
        known = len(self.classes)
        most = labels.shape[1] if labels.ndim == 2 else int(labels.max(initial=-1)) + 1
        if most > known or (labels.ndim == 2 and most < known):
            raise InputError(
                f"expected a name for each of {most} classes of the labels, got {known}; name them in order"
            )

    def __len__(self) -> int:
        return len(self.x)

    def keys(self, rows: Numbers) -> Sequence[str | int]:
        """The numbers of the rows."""
        return rows  # type: ignore[return-value]  # arrays of integers are keys to everything that takes keys

    def hashes(self, rows: Numbers) -> Hashes:
        """The numbers of the rows."""
        return rows.astype(np.uint64)

    def gather(self, rows: Numbers, *, stacked: bool) -> dict[str, Any] | None:
        """The images, copied together where they are small."""
        if not isinstance(self.x, np.ndarray):
            return {"image": [self.x[row] for row in rows.tolist()]}
        return {"image": _taken(self.x, rows, stacked=stacked)}

    def read(self, row: int, options: ReadOptions, *, reduced: bool) -> Item:
        """One image."""
        return Item({"image": Image(self.x[row], self.axes)})

    def fingerprint(self) -> str:
        """Of shape, type, and sixty-four images spread over the rows."""
        h = hashlib.blake2b(digest_size=16)
        h.update(f"{len(self)} {getattr(self.x, 'shape', '')} {getattr(self.x, 'dtype', '')}".encode())
        for row in sorted({int(row) for row in np.linspace(0, len(self) - 1, 64)}):
            h.update(np.ascontiguousarray(self.x[row]).tobytes())
        if self.labels is not None and self.labels.nbytes < 1 << 30:
            h.update(np.ascontiguousarray(self.labels).tobytes())
        return h.hexdigest()


def _taken(array: Array, rows: Numbers, *, stacked: bool) -> Any:
    """Rows of an array in one array where they are small (or have to be), else each as a view."""
    if isinstance(array, RemoteRows):
        return array.take(rows)
    large = array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.int64)) > _LARGE
    if large and not stacked:
        return [array[row] for row in rows.tolist()]
    # Unlike array[rows], take lets other threads run while the disk is waited for; of views it would copy everything.
    return np.take(array, rows, axis=0) if array.flags.c_contiguous else array[rows]


def _scattered(arrays: Sequence[Array], which: Numbers, offsets: Numbers) -> Array:
    """Rows of several arrays in one: of each array its own at once."""
    first = arrays[which[0]]
    found = np.empty((len(which), *first.shape[1:]), first.dtype)
    for part in np.unique(which).tolist():
        places = np.flatnonzero(which == part)
        found[places] = _taken(arrays[part], offsets[places], stacked=True)
    return found


class _Keyed:
    """Keys of a dataset's table, each hashed when it is first needed."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.classes, self.categories = dataset.classes, dataset.categories
        self.annotations = False
        self.weights = weights_in(dataset)
        self.labels = labels_in(dataset)
        # Zeros take no memory before they are written to; two threads that write at once write the same.
        self._hashes = np.zeros(len(dataset), np.uint64)
        # Arrow picks a few out of millions at once; a query of Polars for each batch would cost more than its pixels.
        self._keys = dataset.table["key"].to_arrow()

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def maskless(self) -> int:
        """How many rows have no label map where others have one: theirs is all zeros."""
        masked = self.dataset.masked
        return int(np.count_nonzero(~masked)) if masked.any() else 0

    def keys(self, rows: Numbers) -> Sequence[str | int]:
        """The keys of some rows."""
        column, which = self._keys, pa.array(rows)
        return LateList(len(rows), lambda: column.take(which).to_pylist())

    def hashes(self, rows: Numbers) -> Hashes:
        """What stands for the keys in draws."""
        found = self._hashes[rows]
        missing = rows[found == 0]
        if len(missing):
            self._hashes[missing] = rng.hash_keys(self.keys(missing))
            found = self._hashes[rows]
        return found

    @cached_property
    def has_masks(self) -> bool:
        """Whether any annotation of the dataset has a polygon or a mask."""
        for backing in self.dataset.backings:
            if isinstance(backing, StoreBacking):
                found = backing.has_polygons or backing.has_runs
            else:
                every = (annotation for record in backing.source.records for annotation in record.objects or ())  # type: ignore[attr-defined]
                found = any(annotation.polygons or annotation.rle is not None for annotation in every)
            if found:
                return True
        return False

    def fingerprint(self) -> str:
        """Of the keys in their order, and of the content where it is a store."""
        h = hashlib.blake2b(digest_size=16)
        for backing in self.dataset.backings:
            if isinstance(backing, StoreBacking):
                h.update(str(backing.said.get("fingerprint")).encode())
        for chunk in self.dataset.table["key"].to_list():
            h.update(chunk.encode("utf-8", "surrogateescape") + b"\0")
        h.update("\0".join(self.classes).encode())
        return h.hexdigest()


class StoreRows(_Keyed):
    """Rows of one prepared store.

    Parameters
    ----------
    dataset : Dataset
    """

    together = True

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        backing = dataset.backings[0]
        assert isinstance(backing, StoreBacking)
        self._store = backing
        self._places = dataset.places[:, 1]
        parts = [backing.part(name) for name in backing.names]
        self.axes: str | None = backing.said["image"]["axes"]
        self._rasters = [name for name in ("image", "mask") if all(name in part.arrays for part in parts)]
        self._starts = np.array(backing.starts)
        self._objects = any("objects" in part.table.column_names for part in parts)
        there = {"keypoints": backing.has_keypoints, "polygons": backing.has_polygons, "instances": backing.has_runs}
        self._names = ("boxes", *(name for name, some in there.items() if some))
        self._affine = any("world" in part.table.column_names for part in parts)

    def gather(self, rows: Numbers, *, stacked: bool) -> dict[str, Any] | None:
        """Images, masks and maps from the mapped file; annotations row by row."""
        places = self._places[rows]
        found: dict[str, Any] = {name: self._raster(name, places, stacked=stacked) for name in self._rasters}
        found |= self._store.maps_of(partial(self._raster, places=places, stacked=stacked), plain=stacked)
        if self._affine and not stacked:
            found["image"] = [self._store.targets(place)["image"] for place in places.tolist()]
        if self._objects:
            names = self._names
            every = [self._annotations(place, names) for place in places.tolist()]
            if self.annotations:
                names = tuple(dict.fromkeys((*names, "annotations", *(["instances"] if self.has_masks else []))))
            found |= {name: [item.targets[name] for item in every] for name in names}
        return found

    def _raster(self, name: str, places: Numbers, *, stacked: bool) -> Any:
        which = np.searchsorted(self._starts, places, side="right") - 1
        arrays = [self._store.part(part).arrays[name] for part in self._store.names]
        offsets = places - self._starts[which]
        if len(which) and (which == which[0]).all():
            return _taken(arrays[which[0]], offsets, stacked=stacked)
        first = arrays[which[0]]
        if stacked or first.dtype.itemsize * math.prod(first.shape[1:]) <= _LARGE:
            return _scattered(arrays, which, offsets)
        return [arrays[part][at] for part, at in zip(which.tolist(), offsets.tolist(), strict=True)]

    def _annotations(self, place: int, names: tuple[str, ...]) -> Item:
        record = self._store.record(place)
        shape = tuple(self._store.said["image"]["shape"][:2])
        image = Image(np.broadcast_to(np.zeros((), np.uint8), shape), "yx")
        found = targets_of(record.objects, shape, self._store.keypoint_names)
        if self.annotations:
            found |= annotations_of(
                Annotations(place, record.objects or ()), (shape[0], shape[1]), masks=self.has_masks
            )
        return complete(Item({"image": image, **found}), names)

    def read(self, row: int, options: ReadOptions, *, reduced: bool) -> Item:
        """One row."""
        return Item(self._store.targets(int(self._places[row])))


class RecordRows(_Keyed):
    """Rows that are read one by one: files of their own, or several stores together.

    Parameters
    ----------
    dataset : Dataset
    """

    axes: str | None = None
    together = False

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset)
        backings = {i: b for i, b in enumerate(dataset.backings) if isinstance(b, SourceBacking)}
        self._records = sources = {i: b.source.records for i, b in backings.items()}
        self._keypoints = {i: b.keypoint_names for i, b in backings.items()}
        found: set[str] = set()
        for which, backing in enumerate(dataset.backings):
            rows = dataset.places[dataset.places[:, 0] == which, 1]
            every = sources.get(which, ())
            found |= _targets(every if len(every) == len(rows) else map(backing.record, rows.tolist()))
        self._names = tuple(name for name in _TARGETS if name in found)

    @property
    def problems(self) -> list[Problem]:
        """What the sources could not take in."""
        sources = [b.source for b in self.dataset.backings if isinstance(b, SourceBacking)]
        return [problem for source in sources for problem in source.problems]

    def gather(self, rows: Numbers, *, stacked: bool) -> dict[str, Any] | None:
        """Nothing: every row is read by itself."""
        return None

    def read(self, row: int, options: ReadOptions, *, reduced: bool) -> Item:
        """One row, with empty targets for those that only others have."""
        which, place = self.dataset.places[row].tolist()
        if which in self._records:
            record, names = self._records[which][place], self._keypoints[which]
            given = record.attributes.get("id")
            number = (given if isinstance(given, int) else row) if self.annotations else None
            how: dict[str, Any] = {"names": names, "number": number, "masks": self.annotations and self.has_masks}
            return complete(read_record(record, options, reduced=reduced, **how), self._names)
        return complete(Item(self.dataset.backings[which].targets(place)), self._names)


_TARGETS = ("mask", "boxes", "keypoints", "polygons", "instances")


def _targets(records: Iterable[Record]) -> set[str]:
    """Which targets any of the records has."""
    found: set[str] = set()
    for record in records:
        if record.mask is not None:
            found.add("mask")
        if record.objects is not None:
            found.add("boxes")
            found |= names_of(record.objects)
        if len(found) == len(_TARGETS):
            break
    return found


def part_of(dataset: Dataset, split: str | None) -> tuple[Dataset, str]:
    """The rows of one part, and what is to be said where nobody chose it.

    Parameters
    ----------
    dataset : Dataset
    split : str or None
        ``"auto"`` for the training part where there are several parts; ``"all"`` or None for every row; or a name.

    Raises
    ------
    InputError
        When there is no such part.
    """
    if split is None or split == "all":
        return dataset, ""
    counts: dict[str | None, int] = {}
    if "split" in dataset.table.columns:
        counts = dict(dataset.table["split"].value_counts().iter_rows())
    if split != "auto":
        if split not in counts:
            known = [name for name in counts if name is not None]
            do = (
                f"choose one of {', '.join(sorted(known))}, or all"
                if known
                else "leave it out, or divide it first: imagemill.open(...).split()"
            )
            raise InputError(f"expected split as the name of a part, got {split!r}; {do}")
        return dataset.subset(split), ""
    if len([name for name in counts if name is not None]) < 2 or "train" not in counts:
        return dataset, ""
    return dataset.subset("train"), said_of_parts(counts)


def open_rows(
    dataset: Any, axes: str | None = None, split: str | None = "all", classes: Sequence[str] = ()
) -> tuple[Rows, str]:
    """Rows of whatever a loader takes: a dataset, a source, a path, arrays ``(x, y)`` or ``(x, y, w)``, or a sequence.

    Also what there is to say about the part that was taken; see `part_of`.

    Raises
    ------
    InputError
        For anything else.
    """
    if isinstance(dataset, str | Path | Source) or _says_files(dataset):  # addresses such as s3:// too
        dataset = datasets.open(dataset)
    in_memory = isinstance(dataset, np.ndarray | tuple)
    if classes and not in_memory:
        got = type(dataset).__name__
        raise InputError(f"expected classes=... beside arrays (x, y), got a {got}, which has its own; leave it out")
    if isinstance(dataset, LargeDataset):
        large, said = part_of_large(dataset, split)
        return LargeRows(large), said
    if isinstance(dataset, Dataset):
        dataset, said = part_of(dataset, split)
        prepared = len(dataset.backings) == 1 and isinstance(dataset.backings[0], StoreBacking)
        return (StoreRows(dataset) if prepared else RecordRows(dataset)), said
    if split not in ("auto", "all", None):
        got = type(dataset).__name__
        raise InputError(f"expected a dataset with parts for split={split!r}, got a {got}; open it with imagemill.open")
    return _plain_rows(dataset, axes, classes), ""


def _says_files(dataset: Any) -> bool:
    """Whether it is a list of paths, or a data frame, of which a dataset is made as by `open`."""
    listed = isinstance(dataset, list) and bool(dataset) and all(isinstance(one, str | os.PathLike) for one in dataset)
    return listed or is_frame(dataset) or hasattr(dataset, "to_frame")


def _plain_rows(dataset: Any, axes: str | None, classes: Sequence[str]) -> Rows:
    if isinstance(dataset, np.ndarray):
        dataset = (dataset,)
    if isinstance(dataset, tuple) and 1 <= len(dataset) <= 3:
        x, y, weights = (*dataset, None, None)[:3]
        return ArrayRows(x, y, axes, weights, classes)
    if is_sequence(dataset) and not isinstance(dataset, tuple):
        return SequenceRows(dataset, axes)
    got = type(dataset).__name__
    said = "a Dataset, a Source, a path, arrays (x, y) or a sequence of items"
    raise InputError(f"expected {said}, got {got}; open it with imagemill.open")
