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

from imagemill.engine.backends.cpu.colour.mix import _three, _three_whole
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.lines import CONSTANT, NEAREST, REFLECT, fold
from imagemill.engine.backends.cpu.resample.samplers import _bring_in
from imagemill.engine.backends.cpu.simd import blend_rgb, bytes_at, prefetch

_AHEAD = 4
"""Rows between asking for a line of the source and reading it: half the time of a photo that is in no cache."""
_AHEAD_STEP = 8
_SAMPLES = 256
"""How many samples are located at once where rows are short, so that loops are worth setting up."""


@compiled
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


@compiled
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


@compiled
def _add_lines(out, first, end, columns):
    """Add rows of samples to the sums of the columns, which may be empty: then nobody asks for them."""
    wide = np.uintp(len(columns))
    for y in range(first, end):
        start = np.uintp(y) * wide
        for k in range(wide):
            columns[k] += out[start + k]


@compiled
def _resample_level(src, dims, m, shape, places, out, columns):
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
                _sample(src, h, w, j, index[x] / 3.0 + wx[x], NEAREST, (0.0, 0.0, 0.0), out, 3 * (n * y + x))
    _add_lines(out, max(rows - 1, 0), rows, columns)


@compiled
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


@compiled
def _totals(columns):
    """Sums of the channels from those of the columns: an order that no vector width changes."""
    total = np.zeros(3)
    for k in range(len(columns)):
        total[k % 3] += columns[k]
    return total


@compiled
def _three_pixels(src, a, b, limits, s, t, ints, out):
    """:func:`imagemill.engine.backends.cpu.colour.mix._three` with the channels side by side."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    a00, a01, a02 = a[0, 0], a[0, 1], a[0, 2]
    a10, a11, a12 = a[1, 0], a[1, 1], a[1, 2]
    a20, a21, a22 = a[2, 0], a[2, 1], a[2, 2]
    b0, b1, b2 = b[0], b[1], b[2]
    s0, s1, s2 = s[0], s[1], s[2]
    t0, t1, t2 = t[0], t[1], t[2]
    for i in range(len(src) // 3):
        x, y, z = src[3 * i], src[3 * i + 1], src[3 * i + 2]
        p = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        q = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        r = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2
        if ints:
            p, q, r = (
                np.rint(min(max(p, least), most)),
                np.rint(min(max(q, least), most)),
                np.rint(min(max(r, least), most)),
            )
        out[3 * i] = p
        out[3 * i + 1] = q
        out[3 * i + 2] = r


@compiled
def _alone(a):
    """Whether each channel is made of itself alone."""
    return a[0, 1] == 0.0 and a[0, 2] == 0.0 and a[1, 0] == 0.0 and a[1, 2] == 0.0 and a[2, 0] == 0.0 and a[2, 1] == 0.0


@compiled
def _alike(a, b, s, t):
    """Whether all channels are made in the same way, each of itself alone."""
    one = a[1, 1] == a[0, 0] and b[1] == b[0] and s[1] == s[0] and t[1] == t[0]
    two = a[2, 2] == a[0, 0] and b[2] == b[0] and s[2] == s[0] and t[2] == t[0]
    return _alone(a) and one and two


@compiled
def _three_alone(src, a, b, limits, s, t, out0, out1, out2):
    """:func:`imagemill.engine.backends.cpu.colour.mix._three` where no channel is made of another."""
    low, high = limits[0], limits[1]
    a0, a1, a2 = a[0, 0], a[1, 1], a[2, 2]
    b0, b1, b2 = b[0], b[1], b[2]
    s0, s1, s2 = s[0], s[1], s[2]
    t0, t1, t2 = t[0], t[1], t[2]
    for i in range(len(out0)):
        out0[i] = s0 * min(max(a0 * src[3 * i] + b0, low), high) + t0
        out1[i] = s1 * min(max(a1 * src[3 * i + 1] + b1, low), high) + t1
        out2[i] = s2 * min(max(a2 * src[3 * i + 2] + b2, low), high) + t2


@compiled
def _three_alike(src, a, b, limits, s, t, ints, out):
    """:func:`_three_pixels` for channels that are alike: then whatever is next in memory fills a vector."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    a0, b0, s0, t0 = a[0, 0], b[0], s[0], t[0]
    if ints:
        for k in range(np.uintp(len(src))):
            v = s0 * min(max(a0 * src[k] + b0, low), high) + t0
            out[k] = np.rint(min(max(v, least), most))
    else:
        for k in range(np.uintp(len(src))):
            out[k] = s0 * min(max(a0 * src[k] + b0, low), high) + t0


@compiled
def run(addresses, sizes, m, chosen, border, fill, shape, numbers, ints, planes, out, room):
    """The chosen ones of some photos, wherever each of them is: geometry, channel means, colour, layout.

    ``addresses`` are those of their first bytes in memory, ``sizes`` heights and widths ``(k, 2)``; rows of ``numbers``
    are those of :func:`rgb._numbers`; ``fill`` has three values; ``out`` is flat, with the channels of a photo in
    ``planes`` or side by side; ``room`` holds one float more than a photo has. There is one such function, and no
    function around it: each would be compiled with everything in it once more.
    """
    pixels = shape[0] * shape[1]
    lines = room[: 3 * pixels]
    # As many rows as are located at once; made here, as the compiler knows that nobody else writes to what it made.
    count = max(1, _SAMPLES // shape[1]) * shape[1]
    index, spots = np.empty(count, np.uintp), np.empty((2, count))
    places = (spots, np.empty(count), index, np.empty(count, np.float32), np.empty(count, np.float32))
    sums, nobody = np.empty(3 * shape[1], np.float32), np.empty(0, np.float32)
    for i in range(len(chosen)):
        if not chosen[i]:
            continue
        dims = sizes[i, 0], sizes[i, 1]
        source, made = bytes_at(addresses[i], 3 * dims[0] * dims[1]), out[i * 3 * pixels : (i + 1) * 3 * pixels]
        pivot = numbers[i, 12:21].reshape((3, 3))
        averages = np.any(pivot != 0.0)
        columns = sums if averages else nobody
        columns[:] = 0.0
        if _keeps_rows(dims, m[i], border, shape):
            _resample_level(source, dims, m[i], shape, places, room, columns)
        else:
            _resample(source, dims, m[i], border, fill, shape, places, room, columns)
        a, b = numbers[i, :9].reshape((3, 3)).astype(np.float32), numbers[i, 9:12].copy()
        if averages:
            means = _totals(columns) / pixels
            for c in range(3):
                for k in range(3):
                    b[c] += pivot[c, k] * means[k]
        offset, limits = b.astype(np.float32), numbers[i, 21:25].astype(np.float32)
        s, t = numbers[i, 25:28].astype(np.float32), numbers[i, 28:31].astype(np.float32)
        if not planes and _alike(a, offset, s, t):
            _three_alike(lines, a, offset, limits, s, t, ints, made)
        elif not planes:
            _three_pixels(lines, a, offset, limits, s, t, ints, made)
        elif not ints and _alone(a):
            _three_alone(lines, a, offset, limits, s, t, made[:pixels], made[pixels : 2 * pixels], made[2 * pixels :])
        elif ints:
            _three_whole(lines, a, offset, limits, s, t, made[:pixels], made[pixels : 2 * pixels], made[2 * pixels :])
        else:
            _three(lines, a, offset, limits, s, t, made[:pixels], made[pixels : 2 * pixels], made[2 * pixels :])
