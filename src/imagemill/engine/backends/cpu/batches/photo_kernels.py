"""Compiled pieces of :mod:`rgb`: photos of 8 bits resampled, averaged and coloured one after the other.

The four neighbours of a sample are two runs of six bytes, so two loads of eight bytes bring them all
(:func:`imagemill.engine.backends.cpu.simd.blend_rgb`), and the blend of all three channels is one vector. That is
quicker than OpenCV's kernels, exact in float32, and needs no rounding between geometry and colour. Sums for the
channel means that contrast asks for are taken on the way.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.batches.photo_colours import paint
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.lines import CONSTANT, NEAREST, REFLECT, fold
from imagemill.engine.backends.cpu.resample.samplers import _bring_in
from imagemill.engine.backends.cpu.simd import blend_rgb, bytes_at, prefetch

_AHEAD = 4
"""Rows between asking for a line of the source and reading it: half the time of a photo that is in no cache."""
_AHEAD_STEP = 8
_SAMPLES = 256
"""How many samples are located at once where rows are short, so that loops are worth setting up."""


@compiled.part
def _sample(src, h, w, j, i, border, fill, out, o):
    """One sample at the edge of the picture or of its memory."""
    fj, fi = np.floor(j), np.floor(i)
    wy, wx = j - fj, i - fi
    r, g, b = 0.0, 0.0, 0.0
    for tap in range(4):
        weight = (wy if tap & 2 else 1.0 - wy) * (wx if tap & 1 else 1.0 - wx)
        if weight == 0.0:
            continue
        row, column = fold(int(fj) + (tap >> 1), h, border), fold(int(fi) + (tap & 1), w, border)
        if row < 0 or column < 0:
            r += weight * fill[0]
            g += weight * fill[1]
            b += weight * fill[2]
        else:
            p = 3 * (row * w + column)
            r += weight * src[p]
            g += weight * src[p + 1]
            b += weight * src[p + 2]
    # A picture stays in its range, though a fill may lie beyond.
    out[o] = min(max(r, 0.0), 255.0)
    out[o + 1] = min(max(g, 0.0), 255.0)
    out[o + 2] = min(max(b, 0.0), 255.0)


@compiled.part
def _keeps_rows(dims, m, border, shape):
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


# Whole pictures in one function each: a call per row, with its slices, costs as much as half a row.


@compiled.part
def _add_lines(out, first, end, columns):
    """Add rows of samples to the sums of the columns, which may be empty: then nobody asks for them."""
    wide = np.uintp(len(columns))
    for y in range(first, end):
        start = np.uintp(y) * wide
        for k in range(wide):
            columns[k] += out[start + k]


@compiled.part
def _resample_level(src, dims, m, shape, fill, places, out, columns):
    """A map that keeps rows: the columns are located once."""
    h, w = dims
    rows, n = shape
    index, wx = places[2], places[4]
    for x in range(n):
        i = min(max(m[1, 1] * x + m[1, 2], 0.0), w - 1.0)
        fi = min(np.floor(i), w - 2.0)
        index[x] = int(3.0 * fi)
        wx[x] = np.float32(i - fi)
    line = np.uintp(3 * w)
    left = min(index[0], index[n - 1])
    next_lines = _AHEAD if m[0, 0] > 0.0 else -_AHEAD
    spans = int((max(index[0], index[n - 1]) - left) // np.uintp(64)) + 1
    for y in range(rows):
        # Sums are taken of the row before: what was just written in fours cannot be read in eights without a wait.
        _add_lines(out, max(y - 1, 0), y, columns)
        j = min(max(m[0, 0] * y + m[0, 2], 0.0), h - 1.0)
        row = min(int(j), h - 2)
        wy = np.float32(j - row)
        start, o = np.uintp(3 * row * w), np.uintp(3 * n * y)
        ahead = start + np.uintp(next_lines) * line + left
        for k in range(spans):
            prefetch(src, ahead + np.uintp(64 * k))
            prefetch(src, ahead + line + np.uintp(64 * k))
        if row < h - 2:
            for x in range(n):
                blend_rgb(src, start + index[x], line, wy, wx[x], out, o + np.uintp(3 * x))
            continue
        for x in range(n):  # eight bytes are read, and the last line of the source ends where its memory does
            if start + line + index[x] + np.uintp(8) <= np.uintp(len(src)):
                blend_rgb(src, start + index[x], line, wy, wx[x], out, o + np.uintp(3 * x))
            else:
                _sample(src, h, w, j, index[x] / 3.0 + wx[x], NEAREST, fill, out, 3 * (n * y + x))
    _add_lines(out, max(rows - 1, 0), rows, columns)


@compiled.part
def _resample(src, dims, m, border, fill, shape, places, out, columns):
    """Any affine map: some rows are located, read at one go, and the samples at the edge then read one by one."""
    h, w = dims
    n = shape[1]
    q, margin, index, wy, wx = places
    together = len(index) // n
    high, wide, width = h - 1.0, w - 1.0, float(3 * w)
    line = np.uintp(3 * w)
    # Eight bytes are read from either line; the last few places in memory have fewer behind them.
    safe = float(3 * h * w - 3 * w - 8)
    s0, s1 = m[0, 1], m[1, 1]
    for first in range(0, shape[0], together):
        _add_lines(out, max(first - together, 0), first, columns)
        rows = min(together, shape[0] - first)
        count = rows * n
        for row in range(rows):
            b0, b1 = m[0, 0] * (first + row) + m[0, 2], m[1, 0] * (first + row) + m[1, 2]
            for x in range(0, n, _AHEAD_STEP):
                # Where this sample's successor will be read; a place beyond the picture does no harm.
                j, i = b0 + s0 * x + _AHEAD * m[0, 0], b1 + s1 * x + _AHEAD * m[1, 0]
                prefetch(src, np.uintp(int(np.floor(min(max(j, 0.0), high)) * width + 3.0 * i)))
            for x in range(n):
                q[0, row * n + x] = b0 + s0 * x
                q[1, row * n + x] = b1 + s1 * x
        if border != CONSTANT:
            _bring_in(q[0], count, float(h), border)
            _bring_in(q[1], count, float(w), border)
        inside = 0
        for x in range(count):
            j, i = q[0, x], q[1, x]
            fj = min(max(np.floor(j), 0.0), high - 1.0)
            fi = min(max(np.floor(i), 0.0), wide - 1.0)
            at = fj * width + 3.0 * fi
            depth = min(min(j, high - j), min(i, wide - i))
            depth = depth if at <= safe else -0.5
            margin[x] = depth
            inside += depth >= 0.0
            index[x] = np.uintp(int(min(at, safe)))
            wy[x] = np.float32(j - fj)
            wx[x] = np.float32(i - fi)
        start = 3 * n * first
        for x in range(count):
            blend_rgb(src, index[x], line, wy[x], wx[x], out, np.uintp(start + 3 * x))
        if inside < count:
            for x in range(count):
                if margin[x] < 0.0:
                    _sample(src, h, w, q[0, x], q[1, x], border, fill, out, start + 3 * x)
    _add_lines(out, (shape[0] - 1) // together * together, shape[0], columns)


@compiled.part
def _add_means(columns, numbers, pixels, p):
    """Offsets with what the channel means add; sums of columns in an order that no vector width changes."""
    for c in range(3):
        b = numbers[9 + c]
        for k in range(3):
            total = 0.0
            for x in range(k, len(columns), 3):
                total += columns[x]
            b += numbers[22 + 3 * c + k] * (total / pixels)
        p[9 + c] = b


@compiled
def run(addresses, sizes, m, chosen, border, fill, shape, numbers, out, room):
    """The chosen ones of some photos, wherever each of them is: geometry, channel means, colour, layout.

    ``addresses`` are those of their first bytes in memory, ``sizes`` heights and widths ``(k, 2)``; rows of ``numbers``
    are those of :func:`photos._numbers`; ``fill`` has three values; ``out`` has a row of pixels for each photo, or
    three rows of planes; ``room`` holds one float more than a photo has. There is one such function, and no
    function around it: each would be compiled with everything in it once more.
    """
    pixels = shape[0] * shape[1]
    lines = room[: 3 * pixels]
    # As many rows as are located at once; made here, as the compiler knows that nobody else writes to what it made.
    count = max(1, _SAMPLES // shape[1]) * shape[1]
    index, spots = np.empty(count, np.uintp), np.empty((2, count))
    places = (spots, np.empty(count), index, np.empty(count, np.float32), np.empty(count, np.float32))
    sums, nobody, p = np.empty(3 * shape[1], np.float32), np.empty(0, np.float32), np.empty(22, np.float32)
    for i in range(len(chosen)):
        if not chosen[i]:
            continue
        dims = sizes[i, 0], sizes[i, 1]
        source = bytes_at(addresses[i], 3 * dims[0] * dims[1])
        for k in range(22):
            p[k] = numbers[i, k]
        averages = False
        for k in range(22, 31):
            averages |= numbers[i, k] != 0.0
        columns = sums if averages else nobody
        for k in range(len(columns)):
            columns[k] = 0.0
        if _keeps_rows(dims, m[i], border, shape):
            _resample_level(source, dims, m[i], shape, fill, places, room, columns)
        else:
            _resample(source, dims, m[i], border, fill, shape, places, room, columns)
        if averages:
            _add_means(columns, numbers[i], pixels, p)
        paint(lines, p, out, i)
