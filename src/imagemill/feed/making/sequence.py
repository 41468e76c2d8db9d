"""Rows of anything with a length and items by number: each is made when it is asked for, none is kept.

That is what PyTorch calls a map-style dataset and Grain a random-access source, and what a list is. Nothing here
grows with the number of rows.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, blame_caller
from imagemill.core.randomness import rng
from imagemill.core.sample import Sample
from imagemill.core.targets import NAMED, Array, Image, Label, Target, as_target
from imagemill.data.backing import names_of
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.records.record import Record
from imagemill.feed.making.item import Item, complete, read_record
from imagemill.pipeline.clips import has_time

__all__ = ["SequenceRows", "is_sequence", "labels_together"]

Numbers = npt.NDArray[np.int64]

_TARGETS = tuple(NAMED)
_LOOKED_AT = 16
"""Items that are looked at to know which targets there are: one of them may lack what the others have."""


def is_sequence(thing: Any) -> bool:
    """Whether something has a length and items by number, and is no text, mapping or set."""
    return hasattr(thing, "__len__") and hasattr(thing, "__getitem__") and not isinstance(thing, str | bytes | Mapping)


class SequenceRows:
    """Rows of a sequence.

    An item is an image; ``(image, label)``; a mapping with ``image`` and any of ``mask``, ``boxes``, ``keypoints`` and
    ``label``, and of values under other names that say their kind (`Map`, `Image`, `Mask`, ...); or a `Record`. Videos
    say their axes, ``Image(array, "tyxc")``. The key of a row is its number, or that of its record. Items are
    asked for from several threads, and may be asked for again.

    Parameters
    ----------
    items : object with ``__len__`` and ``__getitem__``
        With a method ``item_at(row, epoch)`` that is asked, and its items may differ from epoch to epoch.
        Its attributes ``classes`` (names in the order of their numbers) and ``targets`` or ``labels`` (one number for
        each row) are heeded where it has them: with the latter, classes can be balanced.
    axes : str, optional
        Of one image, where it is a plain array that is no picture.

    Raises
    ------
    InputError
        When it is empty, or its items are something else.
    """

    together = False
    annotations = False
    weights: Array | None = None

    def __init__(self, items: Any, axes: str | None = None) -> None:
        self._items, self._count, self.axes = items, len(items), axes
        if not self._count:
            raise InputError("expected at least one item, got a sequence without any")
        found = getattr(items, "classes", None)
        self.classes: tuple[str, ...] = tuple(map(str, found or ())) if is_sequence(found) else ()
        self.categories = self.classes
        self.labels = _labels_of(items, self._count)
        looked_at = np.unique(np.linspace(0, self._count - 1, _LOOKED_AT).astype(np.int64)).tolist()
        first = [items[row] for row in looked_at]
        self._recorded = isinstance(first[0], Record)
        names = {name for row, item in zip(looked_at, first, strict=True) for name in self._names(row, item)}
        own = sorted(names - set(_TARGETS))
        self._others = tuple(name for name in (*_TARGETS, *own) if name in names and name not in ("image", "label"))
        masks = [] if self._recorded else [item["mask"] for item in map(_named, first) if "mask" in item]
        self._mask_dtype = np.asarray(masks[0]).dtype if masks else np.dtype(np.uint8)
        for row, item in zip(looked_at, first, strict=True):
            self._number(row, item.label if isinstance(item, Record) else _named(item).get("label"))

    def __len__(self) -> int:
        return self._count

    def keys(self, rows: Numbers) -> Sequence[str | int]:
        """The numbers of the rows, or the keys of their records."""
        if self._recorded:
            return [self._items[row].key for row in rows.tolist()]
        return rows  # type: ignore[return-value]  # arrays of integers are keys to everything that takes keys

    def hashes(self, rows: Numbers) -> npt.NDArray[np.uint64]:
        """What stands for the keys in draws."""
        return rng.hash_keys(self.keys(rows))

    def gather(self, rows: Numbers, *, stacked: bool) -> dict[str, Any] | None:
        """Nothing: every row is read by itself."""
        return None

    def read(self, row: int, options: ReadOptions, *, reduced: bool, epoch: int = 0) -> Item:
        """One row, with empty targets for those that only others have."""
        try:
            item = self._items.item_at(row, epoch) if hasattr(self._items, "item_at") else self._items[row]
        except Exception as error:
            # Whatever it is about: the caller's own code raised it, and no other row is to take its place.
            blame_caller(error, f"the dataset, when item {row} was asked for")
            raise
        more = sorted(set(self._names(row, item)) - {"image", "label", *self._others})
        if more:
            has = ", ".join(("image", *self._others))
            do = "give every item the same targets, empty where there is nothing"
            raise InputError(f"item {row}: expected {has}, as the items looked at first have, got {more[0]} too; {do}")
        if isinstance(item, Record):
            label = self._number(row, item.label)
            return replace(complete(read_record(item, options, reduced=reduced), self._others), label=label)
        given = _named(item)
        label = self._number(row, given.pop("label", None))
        # Annotations of a video are lists with one value for each frame.
        frames = [name for name, v in given.items() if isinstance(v, list)] if has_time(given, self.axes) else []
        targets: dict[str, Any] = {n: v if n in frames else as_target(n, v) for n, v in given.items()}
        lacks = [name for name in self._others if name not in targets and name not in _TARGETS]
        if lacks:
            do = "give every item the same targets"
            raise InputError(f"item {row}: expected {lacks[0]}, as other items have, got none; {do}")
        image = targets["image"]
        if self.axes is not None and isinstance(image, Image) and image.axes is None:
            targets["image"] = replace(image, axes=self.axes)
        return replace(complete(Item(targets), self._others, self._mask_dtype), label=label)

    def fingerprint(self) -> str:
        """Of what it is, how long it is, and some keys of records. Images are not read: they may never be the same."""
        h = hashlib.blake2b(digest_size=16)
        kind = type(self._items)
        h.update(f"{kind.__module__}.{kind.__qualname__} {self._count} {self.classes}".encode())
        if self._recorded:
            spread = np.unique(np.linspace(0, self._count - 1, 64).astype(np.int64))
            h.update("\0".join(map(str, self.keys(spread))).encode("utf-8", "surrogateescape"))
        if self.labels is not None:
            h.update(np.ascontiguousarray(self.labels).tobytes())
        return h.hexdigest()

    def _names(self, row: int, item: Any) -> list[str]:
        """Which targets an item has."""
        if isinstance(item, Record) != self._recorded:
            got = "some records and some others"
            raise InputError(f"item {row}: expected items of one kind, got {got}; give all of them as records, or none")
        if isinstance(item, Record):
            parts = {"mask": item.mask is not None, "boxes": item.objects is not None}
            return ["image", *(name for name, there in parts.items() if there), *sorted(names_of(item.objects or ()))]
        found = list(_named(item, f"item {row}: "))
        strange = [name for name in found if name not in _TARGETS and not isinstance(item[name], Target)]
        if strange or "image" not in found:
            got = f"the names {', '.join(map(str, found))}"
            do = (
                ""
                if not strange
                else f"; wrap what is under other names: {strange[0]}=Map(...), Image(...) or Mask(...)"
            )
            raise InputError(f"item {row}: expected an image and any of {', '.join(_TARGETS[1:])}, got {got}{do}")
        return found

    def _number(self, row: int, label: Any) -> Any:
        """A label as a number, or as one number for each class; None where the row has none or an array has all."""
        if label is None or self.labels is not None:
            return None
        if isinstance(label, Label):
            label = label.value
        if isinstance(label, str):
            if label not in self.classes:
                known = f"one of the classes {', '.join(self.classes)}" if self.classes else "a number"
                do = "give the sequence an attribute `classes` with all names"
                raise InputError(f"item {row}: expected {known} for a label, got {label!r}; {do}")
            return self.classes.index(label)
        found = np.asarray(label)
        if found.dtype.kind not in "iubf" or found.ndim > 1:
            got = f"{type(label).__name__}"
            raise InputError(f"item {row}: expected a label as a number or one number for each class, got {got}")
        return found


def labels_together(labels: Sequence[Any]) -> Array | None:
    """Labels that came with their rows, as one array: -1 (or nan) where a row has none, None where none has one.

    Raises
    ------
    InputError
        When some are single numbers and others are not.
    """
    known = [np.asarray(label) for label in labels if label is not None]
    if not known:
        return None
    if len({label.shape for label in known}) > 1 or (known[0].ndim and len(known) < len(labels)):
        raise InputError(
            "expected labels of one kind in all rows, got several; give each row one number, or one a class"
        )
    if known[0].ndim:
        return np.stack(known)
    whole = all(label.dtype.kind in "iub" for label in known)
    found = np.full(len(labels), -1 if whole else np.nan, np.int64 if whole else np.result_type(*known))
    found[[row for row, label in enumerate(labels) if label is not None]] = known
    return found


def _named(item: Any, where: str = "") -> dict[str, Any]:
    """An item's values by name."""
    if isinstance(item, Mapping):
        return dict(item)
    if isinstance(item, Sample):
        return dict(item.targets)
    if isinstance(item, tuple | list):
        if len(item) != 2:
            raise InputError(f"{where}expected (image, label), got {len(item)} values; give a mapping of names instead")
        if isinstance(item[0], str | os.PathLike):
            do = "give records: imagemill.Record(path, pathlib.Path(path), label=...), or a file of both, images.csv"
            raise InputError(f"{where}expected (image, label), got the path {str(item[0])!r:.80}; {do}")
        return {"image": item[0], "label": item[1]}
    if isinstance(item, str | bytes) or hasattr(item, "__fspath__"):
        do = "open files with imagemill.open, or give records"
        raise InputError(f"{where}expected an image, (image, label), a mapping or a Record, got {item!r:.80}; {do}")
    return {"image": item}


def _labels_of(items: Any, count: int) -> Array | None:
    """The labels that a sequence has beside its items: numbers, one for each row, or one for each row and class."""
    for name in ("targets", "labels"):
        found = getattr(items, name, None)
        if found is None or callable(found):
            continue
        labels = np.asarray(found)
        if labels.ndim in (1, 2) and len(labels) == count and labels.dtype.kind in "iub":
            return labels if labels.ndim > 1 else labels.astype(np.int64, copy=False)
    return None
