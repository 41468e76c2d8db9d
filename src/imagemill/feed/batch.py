"""What a loader hands over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagemill.core.sample import Batch

__all__ = ["LoadedBatch"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LoadedBatch(Batch):
    """A batch that knows where it belongs.

    Parameters
    ----------
    columns, recipe, applied, affine
        As for `Batch`; ``batch.label`` is an array of integers, -1 where a row has none, or rows of 0 and 1.
    keys : sequence of str or int
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

    def part(self, rows: slice, number: int) -> LoadedBatch:
        """Some of the rows as a batch of their own, of which nothing was replaced."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        recipe, applied = self.recipe[rows], self.applied.part(rows)
        keys, categories = self.keys[rows], self.categories
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
