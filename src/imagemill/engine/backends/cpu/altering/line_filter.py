"""Filters along one axis of a volume of single precision, mirrored at the outermost values."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["along", "by_fours", "mirrored", "weighted"]

Array = np.ndarray[Any, Any]

_WIDE = 2048
"""Values of one line that are summed before the next: few enough that those of all taps stay in the nearest caches."""


@compiled
def weighted(src, places, weights, start, size, out, o):
    """``out[o + b] = sum_t weights[t] * src[places[t] + start + b]``, four taps at a time."""
    # Views begin where the loops do: a place that may be negative would be tested at every step.
    made = out[o : o + size]
    for t in range(0, weights.size, 4):
        p, q, r, s = places[t] + start, places[t + 1] + start, places[t + 2] + start, places[t + 3] + start
        one, two, three, four = src[p : p + size], src[q : q + size], src[r : r + size], src[s : s + size]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        if t == 0:
            for b in range(size):
                made[b] = (w0 * one[b] + w1 * two[b]) + (w2 * three[b] + w3 * four[b])
        else:
            for b in range(size):
                made[b] += (w0 * one[b] + w1 * two[b]) + (w2 * three[b] + w3 * four[b])


@compiled
def _across(src, blocks, n, size, index, weights, places, out):
    """``blocks`` of ``n`` lines of ``size`` values; ``index`` ``(n, taps)`` says which lines a line is made of."""
    taps = weights.size
    for k in range(blocks):
        for start in range(0, size, _WIDE):
            some = min(_WIDE, size - start)
            for j in range(n):
                for t in range(taps):
                    places[t] = (k * n + index[j, t]) * size
                weighted(src, places, weights, start, some, out, (k * n + j) * size + start)


@compiled
def _within(src, lines, n, channels, edge, weights, places, line, out):
    """Along lines of ``n`` pixels: each is written with its mirrored ends, ``edge`` ``(taps - 1,)``, about it."""
    reach = edge.size // 2
    for t in range(weights.size):
        places[t] = min(t, 2 * reach) * channels
    for k in range(lines):
        first = k * n * channels
        for e in range(reach):
            for c in range(channels):
                line[e * channels + c] = src[first + edge[e] * channels + c]
                line[(reach + n + e) * channels + c] = src[first + edge[reach + e] * channels + c]
        for b in range(n * channels):
            line[reach * channels + b] = src[first + b]
        weighted(line, places, weights, 0, n * channels, out, first)


def mirrored(index: Array, n: int) -> Array:
    """Places on an axis of ``n``, mirrored at its outermost ones as often as it takes."""
    period = max(2 * (n - 1), 1)
    folded = np.abs(index) % period
    return np.minimum(folded, period - folded) if n > 1 else np.zeros_like(index)


def by_fours(weights: Floats, offsets: Array) -> tuple[Array, Array]:
    """Taps for :func:`weighted`: more of weight 0 fill up the last four, and read what the last one reads.

    Examples
    --------
    >>> weights, offsets = by_fours(np.array([0.5, 0.25]), np.array([3, 7]))
    >>> weights.tolist(), offsets.tolist()
    ([0.5, 0.25, 0.0, 0.0], [3, 7, 7, 7])
    """
    spare = -len(weights) % 4 if len(weights) else 4
    return (
        np.concatenate([weights, np.zeros(spare)]).astype(np.float32),
        np.concatenate([offsets, np.full(spare, offsets[-1] if len(offsets) else 0)]).astype(np.int64),
    )


def along(values: Array, axis: int, weights: Floats, out: Array | None = None) -> Array:
    """Each value as the sum of its neighbours along an axis times weights as they lie.

    Parameters
    ----------
    values : array of float32, ``(*shape, C)``
        C-contiguous.
    axis : int
        Of the shape.
    weights : array, of odd length
    out : array of float32, optional
        C-contiguous, and no part of ``values``: where the result is written.

    Examples
    --------
    >>> values = np.array([1, 2, 4, 0], np.float32).reshape(4, 1)
    >>> along(values, 0, np.array([1.0, 0, 0]))[:, 0].tolist()
    [2.0, 1.0, 2.0, 4.0]
    """
    n, shape = values.shape[axis], values.shape
    reach = len(weights) // 2
    single, taps = by_fours(weights, np.arange(len(weights)))
    places = np.empty(len(single), np.int64)
    made = np.empty(shape, np.float32) if out is None else out
    size = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    flat, target, blocks = values.reshape(-1), made.reshape(-1), values.size // max(n * size, 1)
    if axis == values.ndim - 2:
        edge = mirrored(np.concatenate([np.arange(-reach, 0), np.arange(n, n + reach)]), n)
        line = np.empty((n + 2 * reach) * size, np.float32)
        _within(flat, blocks, n, size, edge, single, places, line, target)
    else:
        index = mirrored(np.arange(n)[:, None] + taps - reach, n)
        _across(flat, blocks, n, size, index, single, places, target)
    return made
