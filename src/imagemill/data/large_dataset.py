"""A store of very many rows: opened, divided and read by files, with nothing in memory that grows with the rows.

What is known of each row stands in the manifest, a Parquet file that is read when it is asked for; keys and labels
stand beside the pixels, in the files that a loader reads anyway. Rows are divided by whole files: prepared with
``shuffle``, each file is a draw of its own.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from imagemill.core.errors import InputError
from imagemill.core.sample import Recipe, Sample
from imagemill.data import store
from imagemill.data.backing import StoreBacking
from imagemill.data.remote.remote_files import fresh
from imagemill.data.remote.remote_path import as_path
from imagemill.data.splits.split import PARTS, read_shares
from imagemill.data.store import Part

__all__ = ["LargeDataset"]

_OPEN = 64
"""Files mapped at once."""


@dataclass(frozen=True, eq=False, repr=False)
class LargeDataset:
    """Files of a store, with the part that each belongs to; see the top of this module.

    Parameters
    ----------
    backing : StoreBacking
    files : tuple of int
        Numbers of the store's files, in order.
    parts : tuple of str
        The part of each.
    """

    backing: StoreBacking
    files: tuple[int, ...]
    parts: tuple[str, ...]

    @classmethod
    def open(cls, path: Path | str) -> LargeDataset:
        """Open a whole store, here or at an address; nothing is read but its description.

        Raises
        ------
        SourceError
            When there is none, or it is damaged or unfinished.

        Examples
        --------
        >>> LargeDataset.open("nowhere")
        Traceback (most recent call last):
        imagemill.core.errors.SourceError: expected dataset.json in nowhere, got none; ...
        """
        folder = as_path(path).expanduser()
        fresh(folder)
        backing = StoreBacking(folder, store.read_description(folder), most=_OPEN)
        return cls(backing, tuple(range(len(backing.names))), tuple(one.part for one in backing.files.values()))

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """First row of each file, and the number of rows."""
        every = np.diff(self.backing.starts)
        return np.concatenate([[0], np.cumsum(every[list(self.files)])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of their numbers."""
        return tuple(self.backing.said["classes"])

    def file(self, number: int) -> Part:
        """One of the files, mapped."""
        return self.backing.part(self.backing.names[self.files[number]])

    def locate(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """For each of some rows which file it is in, and its place there."""
        which = np.searchsorted(self.starts, rows, side="right") - 1
        return which, rows - self.starts[which]

    def __getitem__(self, row: int) -> Sample:
        """One row, as of a `Dataset`; a mapping of all keys to rows is not kept."""
        if not -len(self) <= row < len(self):
            raise IndexError(f"expected a row below {len(self)}, got {row}")
        which, place = self.locate(np.array([row % len(self)]))
        there = self.backing.starts[self.files[int(which[0])]] + int(place[0])
        targets = self.backing.targets(there)
        if (label := self.backing.label(there)) is not None:
            targets["label"] = label
        key = self.file(int(which[0])).table["key"][int(place[0])].as_py()
        sample = Sample(targets, Recipe(0, 0, key, ""))
        affine = getattr(targets["image"], "affine", None)
        return sample if affine is None else replace(sample, affine=affine)

    def __iter__(self) -> Iterator[Sample]:
        return (self[row] for row in range(len(self)))

    # ------------------------------------------------------------------------------------------- which rows

    def counts(self) -> dict[str, int]:
        """Rows of each part."""
        found: Counter[str] = Counter()
        for part, count in zip(self.parts, np.diff(self.starts).tolist(), strict=True):
            found[part] += count
        return {part: found[part] for part in PARTS if part in found}

    def subset(self, part: str) -> LargeDataset:
        """The files of a part.

        Raises
        ------
        InputError
            When there are none.
        """
        here = [n for n, one in enumerate(self.parts) if one == part]
        if not here:
            raise InputError(f"expected the name of a part, got {part!r}; choose one of {list(self.counts())}")
        return self._of(here, self.parts)

    def split(self, numbers: Any = "auto", *, val: float | None = None, seed: int = 0) -> LargeDataset:
        """The same files, divided anew: whole files, in an order that follows from the seed.

        Classes are not divided alike and groups not kept whole, which takes a look at every row: `prepare` does that.

        Raises
        ------
        InputError
            When there are fewer files than parts.
        """
        shares = read_shares(numbers, val, len(self))
        wanted = shares.counts(len(self))
        order = np.random.default_rng(seed).permutation(len(self.files))
        ends = np.cumsum([0, *np.diff(self.starts)[order]])[:-1]
        bounds = np.cumsum(wanted)[:-1]
        parts = np.empty(len(self.files), object)
        parts[order] = [PARTS[int(np.searchsorted(bounds, at, side="right"))] for at in ends]
        missing = [part for part, count in zip(PARTS, wanted, strict=True) if count and part not in parts]
        if missing:
            do = "prepare with fewer file_rows, or let prepare divide"
            raise InputError(f"expected a file for each part, got {len(self.files)} files and none for {missing}; {do}")
        return replace(self, parts=tuple(parts.tolist()))

    def _of(self, here: list[int], parts: tuple[str, ...]) -> LargeDataset:
        return replace(self, files=tuple(self.files[n] for n in here), parts=tuple(parts[n] for n in here))

    # ------------------------------------------------------------------------------------- what is known of rows

    def manifest(self) -> pl.LazyFrame:
        """The rows of the source, with label, group, checksum and all else, read when the frame is collected."""
        return pl.scan_parquet(os.fspath(self.backing.path / store.MANIFEST))

    def class_counts(self) -> dict[str, int]:
        """Images of each class in the whole store, from the manifest."""
        kept = self.manifest().filter(pl.col("split").is_not_null())
        label = kept.select(pl.col("labels").explode() if self._several else pl.col("label")).drop_nulls()
        found = dict(label.group_by(pl.all()).len().collect(engine="streaming").iter_rows())
        return {name: int(found.get(name, 0)) for name in self.classes}

    @property
    def _several(self) -> bool:
        return bool(self.backing.said["label"]["form"] == "multi")

    def __repr__(self) -> str:
        image = self.backing.said["image"]
        shape = " x ".join(map(str, image["shape"]))
        parts = ", ".join(f"{part} {count:,}" for part, count in self.counts().items())
        return "\n".join(
            [
                f"LargeDataset of {len(self):,} images in {len(self.files):,} files of {self.backing.path}",
                f"  images   {shape} ({image['axes']}), {image['dtype']}",
                f"  parts    {parts}",
                f"  classes  {len(self.classes)}",
            ]
        )
