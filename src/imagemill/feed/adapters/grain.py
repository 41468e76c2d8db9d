"""Grain: its random-access protocol, which asks for a length and items and imports nothing."""

from __future__ import annotations

import sys
from typing import Any

from imagemill.core.randomness.default_keys import Numbering
from imagemill.feed.adapters.base import Names, columns_of, plain_column
from imagemill.feed.order.turns import Turns

__all__ = ["BatchSource"]

_DEEPEST = 12
"""Frames of Grain between its index and a source, at most."""


class BatchSource:
    """Batches by number, in the epoch that Grain is in.

    Grain counts on over its epochs (``repeat``, ``num_epochs``), but hands sources a number within one; the epoch is
    read from the count. In any other loop the epoch of a batch is how often it was asked for.

    Parameters
    ----------
    loader : Loader
    columns : sequence of str or None

    Examples
    --------
    >>> import numpy as np
    >>> from imagemill.feed import Loader
    >>> source = Loader((np.zeros((5, 8, 8), np.uint8), np.arange(5)), batch_size=4, workers=0).grain()
    >>> len(source), source[1][0].shape
    (2, (1, 8, 8))
    """

    def __init__(self, loader: Any, columns: Names) -> None:
        self._loader, self._columns = loader, columns
        self._turns = Turns(Numbering(int(loader.epoch)))

    @property
    def epoch(self) -> int:
        """The epoch to begin with."""
        return self._turns.numbering.said

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch is Grain's first one."""
        self._turns.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._loader)

    def __getitem__(self, number: int) -> Any:
        number = int(number)
        count = _count()
        (epoch,) = self._turns.of([number]) if count is None else (self.epoch + count // len(self),)
        return columns_of(self._loader.batch(number, epoch=epoch), self._columns, plain_column)

    def __repr__(self) -> str:
        return f"BatchSource({self._loader!r}, epoch={self.epoch})"


def _count() -> int | None:
    """What Grain counts, on the stack of whoever asks; None where Grain does not."""
    found: int | None = None
    frame = sys._getframe(1).f_back
    for _ in range(_DEEPEST):
        if frame is None:
            break
        if str(frame.f_globals.get("__name__", "")).startswith("grain."):
            known: dict[str, Any] = frame.f_locals
            # A sampler says both: the count, and the record that it chose for it.
            sampled: Any = known.get("metadata")
            if hasattr(sampled, "record_key"):
                return int(sampled.index)
            index: Any = known.get("index")
            if found is None and frame.f_code.co_name == "__getitem__" and hasattr(index, "__index__"):
                found = int(index)
        frame = frame.f_back
    return found
