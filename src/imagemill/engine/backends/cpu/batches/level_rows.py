"""Compiled pieces of :mod:`photos` for maps that keep rows: crops, resizes, flips, by any factor.

Each axis has a table: where the pixels that a place reads begin, and their weights. Two of them are blended, or as
many as the place covers are averaged. A row is blended down first, over contiguous bytes, and then along, eight
pixels at a time, which leaves the channels apart.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.lines import NEAREST, REFLECT
from imagemill.engine.backends.cpu.simd import along, along_two, prefetch
from imagemill.engine.sampling import SHRINK_LIMIT

__all__ = ["keeps_rows", "level_rows", "spread", "table"]

_AHEAD = 4
"""Rows between asking for a line of the source and reading it: half the time of a photo that is in no cache."""


@compiled.part
def keeps_rows(dims, m, border, shape):
    """Whether rows stay rows and the border is only ever its nearest pixel."""
    if m[0, 1] != 0.0 or m[1, 0] != 0.0:
        return False
    for axis in range(2):
        first = m[axis, 2]
        last = first + m[axis, axis] * (shape[axis] - 1)
        # Up to half a pixel beyond the edge, "reflect" shows the edge as "nearest" does.
        beyond = np.inf if border == NEAREST else (0.5 if border == REFLECT else 0.0)
        if min(first, last) < -beyond or max(first, last) > dims[axis] - 1.0 + beyond:
            return False
    return True


@compiled.part
def table(scale, offset, count, n, averages):
    """First pixel and weights ``(count, taps)`` of the places ``scale * k + offset`` of an axis of ``n`` pixels.

    Pixels beyond the edge are the edge's. Weights add up to 1, and each blend is taken from its first pixel.
    """
    width = abs(scale)
    area = averages and width > SHRINK_LIMIT
    covered = int(np.ceil(width)) + 1
    taps = min(covered, n) if area else 2
    starts, weights = np.empty(count, np.int64), np.zeros((count, taps), np.float32)
    for k in range(count):
        q = scale * k + offset
        if not area:
            q = min(max(q, 0.0), n - 1.0)
            start = min(int(q), n - 2)
            weights[k, 1] = q - start
        else:
            low = q - width / 2
            first = int(np.floor(low + 0.5))
            start = min(max(first, 0), n - taps)
            for pixel in range(first, first + covered):
                overlap = min(pixel + 0.5, low + width) - max(pixel - 0.5, low)
                weights[k, min(max(pixel, 0), n - 1) - start] += max(overlap, 0.0) / width
        starts[k] = start
        rest = np.float32(0.0)
        for t in range(1, taps):
            rest += weights[k, t]
        weights[k, 0] = np.float32(1.0) - rest
    return starts, weights


@compiled.part
def spread(starts, weights, left):
    """A table of columns as :func:`simd.along` reads it, eight places at a time, the last one repeated."""
    count, taps = weights.shape
    groups = (count + 7) // 8
    at, shares = np.empty(8 * groups, np.uintp), np.empty(groups * (taps - 1) * 32, np.float32)
    for x in range(8 * groups):
        known = min(x, count - 1)
        at[x] = np.uintp(3 * (starts[known] - left))
        for t in range(1, taps):
            first = (x // 8 * (taps - 1) + t - 1) * 32 + 8 * (x % 4) + x % 8 // 4 * 4
            shares[first : first + 4] = weights[known, t]
    return at, shares


@compiled.part
def level_rows(src, width, rows, weights, first, end, taps, at, shares, n, left, row, red, green, blue):
    """Some rows of the result, ``n`` pixels each, into planes, which have room for seven more numbers each.

    ``rows`` and ``weights`` are a :func:`table`, ``at`` and ``shares`` what :func:`spread` made of the other; ``row``
    holds a blended line and one number more.
    """
    size, line, lines = np.uintp(len(row) - 1), np.uintp(3 * width), weights.shape[1]
    wide, many = np.uintp(n), np.uintp(taps)
    o = np.uintp(0)
    for y in range(first, end):
        p = np.uintp(3 * (rows[y] * width + left))
        ahead = np.uintp(3 * (rows[min(y + _AHEAD, len(rows) - 1)] * width + left))
        for t in range(lines):
            for k in range(np.uintp(0), size, np.uintp(64)):
                prefetch(src, ahead + np.uintp(t) * line + k)
        q, weight = p + line, weights[y, 1]
        for k in range(size):
            one = np.float32(src[p + k])
            row[k] = one + weight * (np.float32(src[q + k]) - one)
        for t in range(2, lines):
            q += line
            weight = weights[y, t]
            for k in range(size):
                row[k] += weight * (np.float32(src[q + k]) - np.float32(src[p + k]))
        if taps == 2:
            for x in range(np.uintp(0), wide, np.uintp(8)):
                along_two(row, at, shares, many, x, red, green, blue, o + x)
        else:
            for x in range(np.uintp(0), wide, np.uintp(8)):
                along(row, at, shares, many, x, red, green, blue, o + x)
        o += wide
