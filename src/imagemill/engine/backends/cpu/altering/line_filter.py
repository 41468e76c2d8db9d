"""Filters along the axes of a volume of single precision, mirrored at the outermost values."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["along", "along_all", "by_fours", "mirrored", "weighted"]

Array = np.ndarray[Any, Any]

_WIDE = 2048
"""Values of one line that are summed before the next: few enough that those of all taps stay in the nearest caches."""


@compiled.part
def weighted(src, places, weights, start, size, out, o):
    """``out[o + b] = sum_t weights[t] * src[places[t] + start + b]``, four taps at a time, or first five."""
    # Views begin where the loops do: a place that may be negative would be tested at every step.
    made = out[o : o + size]
    first = 0
    if weights.size % 4 == 1:
        first = 5
        p, q, r, s = places[0] + start, places[1] + start, places[2] + start, places[3] + start
        one, two, three, four = src[p : p + size], src[q : q + size], src[r : r + size], src[s : s + size]
        w0, w1, w2, w3, w4 = weights[0], weights[1], weights[2], weights[3], weights[4]
        p = places[4] + start
        five = src[p : p + size]
        for b in range(size):
            made[b] = (w0 * one[b] + w1 * two[b]) + (w2 * three[b] + w3 * four[b]) + w4 * five[b]
    for t in range(first, weights.size, 4):
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


@compiled.part
def _with_ends(src, first, n, channels, edge, line):
    """A line of ``n`` pixels with its mirrored ends, ``edge`` ``(taps - 1,)``, about it."""
    reach = edge.size // 2
    for e in range(reach):
        for c in range(channels):
            line[e * channels + c] = src[first + edge[e] * channels + c]
            line[(reach + n + e) * channels + c] = src[first + edge[reach + e] * channels + c]
    for b in range(n * channels):
        line[reach * channels + b] = src[first + b]


@compiled
def _within(src, lines, n, channels, edge, weights, places, line, out):
    """Along lines of ``n`` pixels."""
    for t in range(weights.size):
        places[t] = min(t, edge.size) * channels
    for k in range(lines):
        _with_ends(src, k * n * channels, n, channels, edge, line)
        weighted(line, places, weights, 0, n * channels, out, k * n * channels)


@compiled.part
def _in_blocks(src, places, weights, size, out, o):
    for start in range(0, size, _WIDE):
        weighted(src, places, weights, start, min(_WIDE, size - start), out, o + start)


@compiled
def _all_three(src, size, along_z, along_y, reach, weights_x, edge, rooms, places, out):
    """Along z, y and x at once: a slice is made of its neighbours, and is filtered within while it is in the caches.

    ``along_z`` and ``along_y`` are ``(index, weights)``; ``reach`` rows at either end read mirrored ones. Calls for
    single rows would cost as much as the sums: where rows lie evenly they are summed as one line. ``rooms`` are two
    for a slice, and one for its rows with their mirrored ends.
    """
    depth, height, width, channels = size
    (index_z, weights_z), (index_y, weights_y) = along_z, along_y
    plane, other, padded = rooms
    wide, far = width * channels, (width + edge.size) * channels
    area, inner = height * wide, max(height - 2 * reach, 0)
    for z in range(depth):
        for t in range(weights_z.size):
            places[t] = index_z[z, t] * area
        _in_blocks(src, places, weights_z, area, plane, 0)
        for t in range(weights_y.size):
            places[t] = index_y[min(reach, height - 1), t] * wide
        _in_blocks(plane, places, weights_y, inner * wide, other, reach * wide)
        for y in range(height):
            if y < reach or y >= reach + inner:
                for t in range(weights_y.size):
                    places[t] = index_y[y, t] * wide
                weighted(plane, places, weights_y, 0, wide, other, y * wide)
        for y in range(height):
            _with_ends(other, y * wide, width, channels, edge, padded[y * far : (y + 1) * far])
        for t in range(weights_x.size):
            places[t] = min(t, edge.size) * channels
        _in_blocks(padded, places, weights_x, height * far - edge.size * channels, plane, 0)
        for y in range(height):
            made, found = out[z * area + y * wide : z * area + (y + 1) * wide], plane[y * far : y * far + wide]
            for b in range(wide):
                made[b] = found[b]


def mirrored(index: Array, n: int) -> Array:
    """Places on an axis of ``n``, mirrored at its outermost ones as often as it takes."""
    period = max(2 * (n - 1), 1)
    folded = np.abs(index) % period
    return np.minimum(folded, period - folded) if n > 1 else np.zeros_like(index)


def by_fours(weights: Floats, offsets: Array) -> tuple[Array, Array]:
    """Taps for :func:`weighted`, of which there are 4, 5, 8, 9, 12, ...: those added have no weight.

    Examples
    --------
    >>> weights, offsets = by_fours(np.array([0.5, 0.25]), np.array([3, 7]))
    >>> weights.tolist(), offsets.tolist()
    ([0.5, 0.25, 0.0, 0.0], [3, 7, 7, 7])
    """
    few = len(weights)
    spare = 4 - few if few < 4 else (0 if few % 4 == 1 else -few % 4)
    return (
        np.concatenate([weights, np.zeros(spare)]).astype(np.float32),
        np.concatenate([offsets, np.full(spare, offsets[-1] if len(offsets) else 0)]).astype(np.int64),
    )


def _index(n: int, weights: Floats) -> tuple[Array, Array]:
    """Which lines each of ``n`` is made of, and by which weights."""
    single, taps = by_fours(weights, np.arange(len(weights)))
    return mirrored(np.arange(n)[:, None] + taps - len(weights) // 2, n), single


def _ends(n: int, reach: int) -> Array:
    return mirrored(np.concatenate([np.arange(-reach, 0), np.arange(n, n + reach)]), n)


def along_all(values: Array, kernels: Sequence[Floats], out: Array | None = None) -> Array:
    """As :func:`along` for z, then y, then x of a volume ``(z, y, x, C)``, in one traversal.

    Examples
    --------
    >>> values = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1)
    >>> along_all(values, [np.array([0.0, 0, 1]), np.array([1.0]), np.array([0.5, 0, 0.5])])[..., 0].tolist()
    [[[5.0, 4.0], [7.0, 6.0]], [[1.0, 0.0], [3.0, 2.0]]]
    """
    depth, height, width, channels = values.shape
    along_z, along_y = _index(depth, kernels[0]), _index(height, kernels[1])
    reach = len(kernels[2]) // 2
    weights_x, _ = by_fours(kernels[2], np.arange(len(kernels[2])))
    made = np.empty(values.shape, np.float32) if out is None else out
    padded = height * (width + 2 * reach) * channels
    plane, other, rows_with_ends = (np.empty(n, np.float32) for n in (padded, height * width * channels, padded))
    places = np.empty(max(len(w) for w in (along_z[1], along_y[1], weights_x)), np.int64)
    edge = _ends(width, reach)
    rows, flat = len(kernels[1]) // 2, values.reshape(-1)
    rooms = (plane, other, rows_with_ends)
    _all_three(flat, values.shape, along_z, along_y, rows, weights_x, edge, rooms, places, made.reshape(-1))
    return made


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
    index, single = _index(n, weights)
    places = np.empty(len(single), np.int64)
    made = np.empty(shape, np.float32) if out is None else out
    size = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    flat, target, blocks = values.reshape(-1), made.reshape(-1), values.size // max(n * size, 1)
    if axis == values.ndim - 2:
        edge = _ends(n, reach)
        line = np.empty((n + 2 * reach) * size, np.float32)
        _within(flat, blocks, n, size, edge, single, places, line, target)
    else:
        _across(flat, blocks, n, size, index, single, places, target)
    return made
