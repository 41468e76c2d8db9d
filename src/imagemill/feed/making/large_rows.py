"""Rows of a store in many files: whatever is needed of a row is read from its file, and nothing is kept of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imagemill.core.errors import InputError
from imagemill.core.randomness import rng
from imagemill.core.targets import Array
from imagemill.data.backing import labels_of
from imagemill.data.codecs.base import ReadOptions
from imagemill.data.large_dataset import LargeDataset
from imagemill.data.store import Part
from imagemill.feed.making.item import Item

__all__ = ["LargeRows"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of rows, read when they are asked for; of an array, what a maker asks of one."""

    read: Callable[[Numbers], Array]
    ndim: int
    dtype: np.dtype[Any]
    rows: int

    def __getitem__(self, rows: Numbers) -> Array:
        return self.read(rows)

    def __len__(self) -> int:
        return self.rows


class LargeRows:
    """Rows of one store in many files, by their numbers.

    Parameters
    ----------
    dataset : LargeDataset

    Raises
    ------
    InputError
        When there are annotations in the pictures.
    """

    together = False
    annotations = False
    weights: Array | None = None

    def __init__(self, dataset: LargeDataset) -> None:
        self.dataset = dataset
        said = dataset.backing.said
        self.axes: str | None = said["image"]["axes"]
        self.classes, self.categories = dataset.classes, tuple(said.get("categories", ()))
        first = dataset.file(0)
        if "objects" in first.table.column_names:
            raise InputError(
                "expected images with labels or label maps, got a store in many files with annotations in its "
                "pictures; open it with imagemill.open, or prepare it without file_rows"
            )
        self._rasters = [name for name in ("image", "mask") if name in first.arrays]
        self._maps = dataset.backing.maps
        known = labels_of(first)
        self.labels: Any = None if known is None else _Labels(self._labels, known.ndim, known.dtype, len(dataset))

    def __len__(self) -> int:
        return len(self.dataset)

    def _each(self, rows: Numbers, read: Callable[[Part, Numbers], Any]) -> list[tuple[Numbers, Any]]:
        """What is read of some rows, file by file: where they are among the rows, and what it is."""
        which, places = self.dataset.locate(rows)
        found = []
        for number in np.unique(which).tolist():
            here = np.flatnonzero(which == number)
            found.append((here, read(self.dataset.file(number), places[here])))
        return found

    def _labels(self, rows: Numbers) -> Array:
        found: Array | None = None
        for here, values in self._each(rows, lambda part, places: _labels_at(part, places)):
            if found is None:
                found = np.empty((len(rows), *values.shape[1:]), values.dtype)
            found[here] = values
        assert found is not None
        return found if found.ndim > 1 else found.astype(np.int64)

    def keys(self, rows: Numbers) -> Sequence[str | int]:
        """The keys of some rows."""
        found = np.empty(len(rows), object)
        for here, keys in self._each(rows, lambda part, places: part.table["key"].take(pa.array(places)).to_pylist()):
            found[here] = keys
        return list(found)

    def hashes(self, rows: Numbers) -> npt.NDArray[np.uint64]:
        """What stands for the keys in draws."""
        return rng.hash_keys(self.keys(rows))

    def gather(self, rows: Numbers, *, stacked: bool) -> dict[str, Any]:
        """Images and label maps, each in one array."""
        found: dict[str, Any] = {name: self._raster(name, rows) for name in self._rasters}
        return found | self.dataset.backing.maps_of(partial(self._raster, rows=rows), plain=stacked)

    def _raster(self, name: str, rows: Numbers) -> Array:
        found: Array | None = None
        for here, values in self._each(rows, lambda part, places: part.arrays[name][places]):
            if found is None:
                found = np.empty((len(rows), *values.shape[1:]), values.dtype)
            found[here] = values
        assert found is not None
        return found

    def read(self, row: int, options: ReadOptions, *, reduced: bool) -> Item:
        """One row."""
        targets: dict[str, Any] = dict(self.dataset[row].targets)
        return Item({name: targets[name] for name in (*self._rasters, *self._maps)})

    def fingerprint(self) -> str:
        """Of the store's content and the files that are taken of it."""
        said = f"{self.dataset.backing.said.get('fingerprint')} {self.dataset.files}"
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _labels_at(part: Part, places: Numbers) -> Array:
    found = labels_of(part)
    if found is None:
        raise InputError("expected a label of every row, got some without; prepare with a label of each")
    return found[places]
