"""How many batches are worth making as one.

Drawing and planning cost a batch some hundred microseconds whatever is in it, and hold the interpreter's lock. For
small pictures in memory that is most of the time, and a second thread waits for the first. Made as one, several batches
share that cost. Nobody can tell from the pixels: they do not depend on who else is in a batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from imagemill.feed.making.making import Made, Maker

__all__ = ["Together"]

SECONDS = 0.008
"""More than this is not made at a time: the first of several batches waits for the last."""

BYTES = 1 << 24
"""Nor more memory than this."""

SAMPLES = 512
"""Nor more samples: by then the shared cost is a hundredth of what is left."""


class Together:
    """Batches of an epoch, several at a time while they are quick to make.

    Parameters
    ----------
    maker : Maker
    epoch : int

    Attributes
    ----------
    count : int
        How many to make next; 1 until it is known how long they take.
    """

    def __init__(self, maker: Maker, epoch: int) -> None:
        self._maker, self._epoch = maker, epoch
        self.count = 1

    def make(self, first: int, count: int, stopped: Callable[[], bool]) -> list[Made]:
        """Batches ``first`` to ``first + count - 1``."""
        began = time.perf_counter()
        made = self._maker.make_some(self._epoch, first, count, stopped)
        # Threads that do this at once overwrite each other's result, and either will do.
        self.count = self._worth((time.perf_counter() - began) / count, made[0])
        return made

    def _worth(self, seconds: float, made: Made) -> int:
        if not self._maker.rows.together:
            return 1
        columns = made.batch.columns.values()
        # Lists hold boxes and points, or images of several sizes: those are not small.
        size = sum(column.nbytes if isinstance(column, np.ndarray) else BYTES // 64 for column in columns)
        limits = (SECONDS / max(seconds, 1e-9), BYTES / max(size, 1), SAMPLES / len(made.batch))
        return max(1, int(min(limits)))
