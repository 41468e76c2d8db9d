"""Sums of bytes and of their squares over images, compiled."""

from __future__ import annotations

import numpy as np

from imagemill.core.targets import Array
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["ROWS", "summed"]

ROWS = 1 << 16
"""Images at once: so many squares of bytes fit 32 bits."""
_STRETCH = 4096


@compiled
def summed(rows: Array, first: Array, second: Array) -> None:
    """Add images to sums of 64 bits, a stretch of places after the other, which stays in the nearest cache.

    Parameters
    ----------
    rows : array of uint8 ``(n, places)``
        At most `ROWS` of them.
    first, second : array of uint64 ``(places,)``
        Sums, and sums of squares.
    """
    one, two = np.empty(_STRETCH, np.uint32), np.empty(_STRETCH, np.uint32)
    for at in range(0, rows.shape[1], _STRETCH):
        stop = min(at + _STRETCH, rows.shape[1])
        for x in range(one.size):
            one[x] = two[x] = 0
        for row in range(rows.shape[0]):
            _add(rows[row, at:stop], one, two)
        _keep(one, first[at:stop])
        _keep(two, second[at:stop])


@compiled.part
def _add(values: Array, one: Array, two: Array) -> None:
    for x in range(values.size):
        value = np.uint32(values[x])
        one[x] += value
        two[x] += value * value


@compiled.part
def _keep(some: Array, whole: Array) -> None:
    for x in range(whole.size):
        whole[x] += some[x]
