"""What a loader hands over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from imagemill.core.late_list import LateList
from imagemill.core.sample import Batch

__all__ = ["LoadedBatch"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LoadedBatch(Batch):
    """A batch that knows where it belongs.

    Parameters
    ----------
    columns, recipe, applied, affine
        As for `Batch`; ``batch.label`` is an array of integers, -1 where a row has none, or rows of 0 and 1.
    keys : list of str or int
        Of the rows, in the order of the batch.
    epoch, number : int
        Which batch of which epoch.
    repeated : bool
        There was nothing left for this rank: its one row is the first of the ranks' common batch once more. Leave it
        out of what you count.
    replaced : tuple of str
        Keys of rows that could not be read, and that other rows stand for.
    categories : tuple of str
        Names of what is in boxes, in the order of their numbers.
    """

    keys: Sequence[str | int] = ()
    epoch: int = 0
    number: int = 0
    repeated: bool = False
    replaced: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    _late: LateList[str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        # Text that nobody may ask for: the slot stays empty until somebody does, who then gets a list.
        if isinstance(self.keys, LateList):
            object.__setattr__(self, "_late", self.keys)
            object.__delattr__(self, "keys")
        elif not isinstance(self.keys, list):
            object.__setattr__(self, "keys", np.asarray(self.keys, object).tolist())

    def __getattr__(self, name: str) -> Any:
        if name == "keys" and self._late is not None:
            object.__setattr__(self, "keys", [*self._late])
            return self.keys
        return Batch.__getattr__(self, name)

    def part(self, rows: slice, number: int) -> LoadedBatch:
        """Some of the rows as a batch of their own, of which nothing was replaced."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        recipe, applied = self.recipe[rows], self.applied.part(rows)
        keys, categories = (self.keys if self._late is None else self._late)[rows], self.categories
        geometry = None if self.geometry is None else self.geometry[rows]
        return LoadedBatch(
            columns,
            recipe,
            applied,
            self.affine[rows],
            keys,
            self.epoch,
            number,
            categories=categories,
            geometry=geometry,
        )
