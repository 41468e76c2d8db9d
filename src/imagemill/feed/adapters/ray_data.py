"""Ray Data: batches made by actors of a cluster, in the loader's order and with its draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.feed.adapters.base import Names, columns_of, plain_column

__all__ = ["RayBatches"]


_BLOCKS = 32
"""Pieces of an epoch for each actor: what is made before it may be given on."""


class _Make:
    """What an actor does: batches of an epoch by their numbers."""

    def __init__(self, loader: Any, columns: Names, epoch: int) -> None:
        self._loader, self._columns, self._epoch = loader, columns, epoch

    def __call__(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        (number,) = numbers["id"].tolist()
        return _arrays(self._loader.batch(number, epoch=self._epoch), self._columns)


def _arrays(batch: Any, columns: Names) -> dict[str, Any]:
    """The columns of a batch that tables of Ray hold.

    Raises
    ------
    InputError
        For columns that are lists, such as boxes, which have another length in each picture.
    """
    found = columns_of(batch, columns, plain_column)
    named = found if columns is None else dict(zip(columns, found, strict=True))
    other = [name for name, column in named.items() if not isinstance(column, np.ndarray)]
    if other:
        do = "name those that are: loader.ray(columns=('image', 'label'))"
        raise InputError(
            f"expected columns that are arrays, got {', '.join(other)} of another length in each row; {do}"
        )
    return named


class RayBatches:
    """Batches of a loader by way of Ray Data; pixels and order are those of the loader itself.

    Parameters
    ----------
    loader : Loader
    columns : sequence of str or None
        Arrays alone; None takes all, which then have to be arrays.
    actors : int
        That make batches, each on a core.
    """

    def __init__(self, loader: Any, columns: Names, actors: int) -> None:
        if isinstance(actors, bool) or not isinstance(actors, int) or actors < 1:
            raise InputError(f"expected actors as a whole number of at least 1, got {actors!r}; give a larger one")
        require("ray.data", extra="ray")
        self.loader, self.columns, self.actors = loader, columns, actors

    def __len__(self) -> int:
        return len(self.loader)

    def dataset(self, epoch: int) -> Any:
        """A `ray.data.Dataset` of an epoch's rows, in order; nothing is made before it is asked for.

        Divide it no further: a loader with ``rank`` and ``world_size`` is one rank's part, and reads that alone.
        """
        data = require("ray.data", extra="ray")
        # Items that are there already: reading a range would wait for the cores that the actors have taken.
        batches = [{"id": number} for number in range(len(self.loader))]
        numbers = data.from_items(batches, override_num_blocks=min(len(batches), _BLOCKS * self.actors))
        numbers.context.execution_options.preserve_order = True
        return numbers.map_batches(
            _Make,
            fn_constructor_args=(self.loader, self.columns, epoch),
            batch_size=1,
            concurrency=self.actors,
        )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The batches of the next epoch as dicts of arrays."""
        return self._batches(self.dataset(self.loader.epoch).iter_batches(batch_size=self._size, batch_format="numpy"))

    def iter_torch_batches(self, **how: Any) -> Iterator[dict[str, Any]]:
        """The batches of the next epoch as dicts of tensors; words such as ``device`` are Ray's own."""
        return self._batches(self.dataset(self.loader.epoch).iter_torch_batches(batch_size=self._size, **how))

    @property
    def _size(self) -> int:
        # Every batch but the last of a rank has so many rows, so Ray finds the loader's own batches again.
        return int(self.loader.shares.batch_size)

    def _batches(self, given: Any) -> Iterator[dict[str, Any]]:
        yield from given
        self.loader.set_epoch(self.loader.epoch + 1)

    def __repr__(self) -> str:
        return f"RayBatches({self.loader!r}, {self.actors} actors)"
