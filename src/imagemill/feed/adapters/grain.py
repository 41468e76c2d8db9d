"""Grain: its random-access protocol, which asks for a length and items and imports nothing."""

from __future__ import annotations

from typing import Any

from imagemill.feed.adapters.base import Names, columns_of, plain_column

__all__ = ["BatchSource"]


class BatchSource:
    """Batches of an epoch by number.

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
        self.epoch = int(loader.epoch)

    def __len__(self) -> int:
        return len(self._loader)

    def __getitem__(self, number: int) -> Any:
        return columns_of(self._loader.batch(int(number), epoch=self.epoch), self._columns, plain_column)

    def __repr__(self) -> str:
        return f"BatchSource({self._loader!r}, epoch={self.epoch})"
