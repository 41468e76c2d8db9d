"""PyTorch: tensors that share memory with the batch, and a dataset for a DataLoader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from imagemill.core.extras import require
from imagemill.feed.adapters.base import Names, columns_of, plain_column

__all__ = ["converter", "map_dataset"]


def converter(columns: Names, *, pin: bool, device: Any) -> Callable[[Any], Any]:
    """What turns a batch into tensors."""
    torch = require("torch", extra="torch")

    def moved(tensor: Any) -> Any:
        tensor = tensor.pin_memory() if pin else tensor
        # From page-locked memory the copy goes on while the program does; from any other it cannot.
        return tensor if device is None else tensor.to(device, non_blocking=pin)

    def tensor(column: Any) -> Any:
        column = plain_column(column)
        if isinstance(column, np.ndarray):
            # A tensor cannot promise not to be written to, so what may not be written to is copied.
            return moved(torch.from_numpy(column if column.flags.writeable else column.copy()))
        return [moved(torch.from_numpy(v.copy())) if isinstance(v, np.ndarray) else v for v in column]

    return lambda batch: columns_of(batch, columns, tensor)


def map_dataset(loader: Any) -> Any:
    """A map-style dataset over the places of an epoch."""
    torch = require("torch", extra="torch")
    as_tensors = converter(None, pin=False, device=None)

    class Places(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]  # torch is absent when types are checked
        def __init__(self) -> None:
            self.epoch = loader.epoch

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

        def __len__(self) -> int:
            return int(loader.rows)

        def __getitem__(self, place: int) -> dict[str, Any]:
            if not 0 <= place < len(self):
                raise IndexError(f"expected a place from 0 to {len(self) - 1}, got {place}")
            return {name: column[0] for name, column in self.__getitems__([place]).items()}

        def __getitems__(self, places: Sequence[int]) -> Any:
            # One call of the pipeline for the whole batch, instead of one for each sample.
            return as_tensors(loader.places(list(places), epoch=self.epoch))

        @staticmethod
        def collate(batch: Any) -> Any:
            """Nothing is left to do: a batch comes as one."""
            return batch

    Places.__name__ = "TorchDataset"
    return Places()
