"""Keras 3: a PyDataset whose batches are asked for by number."""

from __future__ import annotations

from typing import Any

from imagemill.core.extras import require
from imagemill.feed.adapters.base import Names, columns_of, plain_column

__all__ = ["py_dataset"]


def py_dataset(loader: Any, columns: Names, **how: Any) -> Any:
    """A dataset of the epoch under way; the next begins when Keras says that it has ended."""
    keras = require("keras", extra="keras")

    class Batches(keras.utils.PyDataset):  # type: ignore[misc,name-defined]  # keras is absent when types are checked
        def __init__(self, **options: Any) -> None:
            # Keras runs the threads here: it asks for batches by number, in any order. It must not be able to have
            # asked for all before it has taken one, see on_epoch_end.
            ahead = max(1, min(10, len(loader) - 4))
            ours = {"workers": max(1, loader.workers), "use_multiprocessing": False, "max_queue_size": ahead}
            super().__init__(**{**ours, **options})
            self.epoch = loader.epoch
            self._asked: set[int] = set()

        def __len__(self) -> int:
            return len(loader)

        def __getitem__(self, number: int) -> Any:
            if not 0 <= number < len(self):
                raise IndexError(f"expected a batch from 0 to {len(self) - 1}, got {number}")
            self._asked.add(number)
            return columns_of(loader.batch(number, epoch=self.epoch), columns, plain_column)

        def on_epoch_end(self) -> None:
            # Keras also calls this when it starts anew after a look at the first batch: that was no epoch.
            if len(self._asked) == len(self):
                self.epoch += 1
                loader.set_epoch(self.epoch)
            self._asked.clear()

    Batches.__name__ = "KerasDataset"
    return Batches(**how)
