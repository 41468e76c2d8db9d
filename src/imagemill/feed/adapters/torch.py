"""PyTorch: tensors that share memory with the batch, and a dataset for a DataLoader."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from opcode import opmap
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.core.randomness.default_keys import Numbering
from imagemill.feed.adapters.base import Names, columns_of, plain_column
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.order.turns import Turns, by_epoch

__all__ = ["Tensors", "converter", "map_dataset"]

_APART = "taken apart as a tuple"
_UNPACKING = {opmap["UNPACK_SEQUENCE"], opmap["UNPACK_EX"]}


def converter(
    columns: Names, *, pin: bool, device: Any, masks: str | None = None, channel: bool = False
) -> Callable[[Any], Any]:
    """What turns a batch into tensors."""
    require("torch", extra="torch")
    if masks is not None and np.dtype(masks).kind not in "iuf":
        raise InputError(f"expected masks as the name of a type of numbers, got {masks!r}; write masks='int64'")
    # No function within a function: other processes could not get it.
    return partial(_tensors, columns=columns, pin=pin, device=device, masks=masks, channel=channel)


def _tensors(batch: Any, *, columns: Names, pin: bool, device: Any, masks: str | None, channel: bool) -> Any:
    if isinstance(batch, LoadedBatch) and (masks is not None or channel):
        batch = replace(batch, columns=_for_a_network(batch, masks, channel=channel))
    made = columns_of(batch, columns, partial(_tensor, pin=pin, device=device), _labels)
    return Tensors(made) if columns is None else made


def _for_a_network(batch: LoadedBatch, masks: str | None, *, channel: bool) -> dict[str, Any]:
    """The columns with label maps of another type, and images with an axis of channels."""
    axes, made = batch.affine.shape[-1], dict(batch.columns)
    for name, column in made.items():
        if not isinstance(column, np.ndarray):
            continue
        if name == "mask" and masks is not None:
            made[name] = column.astype(masks, copy=False)
        if name == "image" and channel and column.ndim == axes:
            made[name] = column[:, None]
    return made


class Tensors(dict[str, Any]):
    """Tensors by name; taking them apart as if they were a tuple, which would give the names, is refused.

    Examples
    --------
    >>> images, labels = Tensors(image=1, label=2)
    Traceback (most recent call last):
    imagemill.core.errors.InputError: expected tensors to be read by name, batch['image'], got them taken apart ...
    """

    def __iter__(self) -> Iterator[str]:
        asking = sys._getframe(1)
        if asking.f_code.co_code[asking.f_lasti] in _UNPACKING:
            do = f"write loader.torch({tuple(self)!r}) for tuples"
            raise InputError(
                f"expected tensors to be read by name, batch[{next(iter(self))!r}], got them {_APART}; {do}"
            )
        return super().__iter__()


def _tensor(column: Any, *, pin: bool, device: Any) -> Any:
    torch = require("torch", extra="torch")

    def moved(tensor: Any) -> Any:
        tensor = tensor.pin_memory() if pin else tensor
        # From page-locked memory the copy goes on while the program does; from any other it cannot.
        return tensor if device is None else tensor.to(device, non_blocking=pin)

    column = plain_column(column)
    if isinstance(column, np.ndarray):
        # A tensor cannot promise not to be written to, so what may not be written to is copied.
        return moved(torch.from_numpy(column if column.flags.writeable else column.copy()))

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(frame) for frame in value]
        return moved(torch.from_numpy(value.copy())) if isinstance(value, np.ndarray) else value

    return [one(value) for value in column]


def _labels(column: Any) -> Any:
    """Labels as losses of PyTorch take them: numbers of classes as int64, rows of 0 and 1 as float32."""
    if column.dtype.kind not in "biu":
        return column
    return column.astype(np.int64 if column.ndim == 1 else np.float32, copy=False)


class Rows(Sequence[dict[str, Any]]):
    """The samples of a batch, one by one for whoever collates them, and as a whole for who need not.

    Parameters
    ----------
    columns : dict of str to tensor or list
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.columns = dict(columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        return {name: column[row] for name, column in self.columns.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))


def collated(batch: Any) -> Any:
    """The batch as it was made; nothing is left to do."""
    if isinstance(batch, Rows):
        return batch.columns
    return require("torch", extra="torch").utils.data.default_collate(batch)


def map_dataset(loader: Any, turns: Turns | None = None) -> Any:
    """A map-style dataset over the places of an epoch that are this rank's."""
    torch = require("torch", extra="torch")
    as_tensors = converter(None, pin=False, device=None)

    class Places(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]  # torch is absent when types are checked
        # No function within a function: workers that are spawned could not get it.
        collate = staticmethod(collated)

        def __init__(self) -> None:
            self._turns = Turns(Numbering(loader.epoch)) if turns is None else turns

        @property
        def epoch(self) -> int:
            """The epoch that was set last: the one to begin with."""
            return self._turns.numbering.said

        def set_epoch(self, epoch: int) -> None:
            """Say which epoch comes next; it reaches workers that are running."""
            self._turns.set_epoch(epoch)

        def __len__(self) -> int:
            return int(loader.shares.places)

        def __getitem__(self, place: Any) -> Any:
            if isinstance(place, Sequence):
                return self.collate(self.__getitems__(place))  # a sampler of batches was given as one of places
            return self.__getitems__([place])[0]

        def __getitems__(self, places: Sequence[int]) -> Sequence[dict[str, Any]]:
            # One call of the pipeline for the whole batch, instead of one for each sample.
            at = [loader.shares.place(int(place)) for place in places]
            epochs = self._turns.of(at)
            if len(set(epochs)) == 1:
                return self._rows(at, epochs[0])
            return by_epoch(epochs, lambda some, epoch: self._rows([at[i] for i in some], epoch))

        @staticmethod
        def _rows(places: list[int], epoch: int) -> Rows:
            return Rows(as_tensors(loader.places(places, epoch=epoch)))

        def __reduce__(self) -> tuple[Any, ...]:
            return map_dataset, (loader, self._turns)

    Places.__name__ = "TorchDataset"
    return Places()
