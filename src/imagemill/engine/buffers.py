"""Memory of batches that are done with, used again.

A batch of photos is tens of megabytes. Fresh memory of that size comes from the system page by page, and
touching it for the first time costs about as much as filling it. So a pipeline keeps the memory of its last
batches and hands it out again when nobody looks at it any more: when the only reference left is its own.
Every array made from a batch (a slice, a reshape, a tensor that shares memory) keeps such a reference.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

Array = np.ndarray[Any, Any]

LEAST = 1 << 20
"""Smaller results are taken from the allocator, which keeps them at hand itself."""

KEPT = 4
"""How many batches' memory is kept at most, unless asked otherwise."""


class Buffers:
    """Memory to write batches into.

    Parameters
    ----------
    kept : int
        How many batches' memory is kept at most.

    Examples
    --------
    >>> buffers = Buffers()
    >>> first = buffers.empty((4, 512, 512), np.float32)
    >>> place = first.ctypes.data
    >>> second = buffers.empty((4, 512, 512), np.float32)
    >>> second.ctypes.data == place
    False
    >>> del first
    >>> third = buffers.empty((4, 512, 512), np.float32)
    >>> third.ctypes.data == place
    True
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self._lock = threading.Lock()
        self._owners: list[Array] = []

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """An array with any content, as :func:`numpy.empty`."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size < LEAST:
            return np.empty(shape, dtype)
        with self._lock:
            owner = self._idle(size)
            if owner is None:
                owner = np.empty(size, np.uint8)
                self._owners.append(owner)
                del self._owners[: -self.kept]
            return owner[:size].view(dtype).reshape(shape)

    def _idle(self, size: int) -> Array | None:
        """A kept block that fits, is not much too large, and that nobody else refers to."""
        for i in range(len(self._owners)):
            if size <= self._owners[i].nbytes <= 2 * size and sys.getrefcount(self._owners[i]) <= _ALONE:
                return self._owners[i]
        return None


def _count_alone() -> int:
    """What :func:`sys.getrefcount` says of an array in a list that nobody else refers to, on this Python."""
    listed = [np.empty(1)]
    return sys.getrefcount(listed[0])


_ALONE = _count_alone()
