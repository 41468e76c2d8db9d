"""Keras 3: a PyDataset whose batches are made by the loader's own threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from imagemill.core.extras import require
from imagemill.feed.adapters.base import Names, columns_of, plain_column

__all__ = ["py_dataset"]


def py_dataset(loader: Any, columns: Names) -> Any:
    """A dataset of the epoch under way; the next begins when Keras has taken all batches of this one.

    Within an epoch of `fit`, `evaluate` or `predict` the batches come in the loader's order, whatever numbers Keras
    asks for: it shuffles the numbers, and so the k-th that it asks for is the k-th that is made. At any other time
    a number is a batch of the present epoch.
    """
    keras = require("keras", extra="keras")

    class Batches(keras.utils.PyDataset):  # type: ignore[misc,name-defined]  # keras is absent when types are checked
        def __init__(self) -> None:
            # Not with threads of Keras: what those made ahead is handed out in the next epoch, instead of its own.
            super().__init__(workers=1, use_multiprocessing=False)
            self.epoch = loader.epoch
            self._lock = threading.Lock()
            self._running: Iterator[Any] | None = None
            self._taken = 0

        def __len__(self) -> int:
            return len(loader)

        def __getitem__(self, number: int) -> Any:
            if not 0 <= number < len(self):
                raise IndexError(f"expected a batch from 0 to {len(self) - 1}, got {number}")
            with self._lock:
                batch = None if self._running is None else next(self._running, None)
                self._taken += batch is not None
            batch = loader.batch(number, epoch=self.epoch) if batch is None else batch
            return columns_of(batch, columns, plain_column)

        def on_epoch_begin(self) -> None:
            with self._lock:
                loader.set_epoch(self.epoch)
                self._running, self._taken = iter(loader), 0

        def on_epoch_end(self) -> None:
            with self._lock:
                # Keras also calls this when it starts anew after a look at the first batch: that was no epoch.
                self.epoch += self._running is not None and self._taken == len(self)
                self._running = None
                loader.set_epoch(self.epoch)

    Batches.__name__ = "KerasDataset"
    return Batches()
