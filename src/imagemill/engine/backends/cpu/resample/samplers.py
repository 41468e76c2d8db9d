"""Compiled warps of one volume, nearest and linear, walking the output row by row.

``src`` and ``out`` are flat views of C-contiguous ``(z, y, x, channel)`` arrays; ``dims`` and ``shape`` are
their spatial sizes. ``fills`` has one row for the border and one per stage, a value per channel in each.
Along a row, every sample is first located (:func:`trace_row`, then index and fractions), then all are read
in one loop without branches, and at last the few that a border or window changes are written anew.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.four_voxels import bilinear_four, trilinear_four
from imagemill.engine.backends.cpu.resample.lines import (
    AFFINE,
    CONSTANT,
    MIRROR,
    NEAREST,
    REFLECT,
    WRAP,
    fold,
    trace_rows,
)
from imagemill.engine.backends.cpu.simd import bilinear, prefetch, trilinear
from imagemill.engine.backends.cpu.vector_places import as_place

_ASKED = 16
"""Bytes between two places of the source whose line is asked for ahead of time."""


@compiled
def gather(src, dims, channels, chain, border, fills, out, shape, room, together):
    """Copy the sample at index ``floor(q + 0.5)``: images of order 0, and label maps.

    ``together`` rows at a time.
    """
    n = shape[2]
    m, q = np.zeros((3, 4)), room[0]
    straight = _multiplied(chain, m)
    o = 0
    for z in range(shape[0]):
        for y in range(0, shape[1], together):
            rows, left = min(together, shape[1] - y), False
            count = n * rows
            if straight:
                _straight_rows(src, dims, channels, q, n, m, z, y, rows, room[2])
            else:
                left = trace_rows(z, y, rows, n, chain, room)
            _gather_row(src, dims, channels, room, left, count, border, fills, out, o)
            o += count * channels


@compiled
def linear(src, dims, channels, chain, planar, border, fills, low, high, out, shape, room, acc, together):
    """Bilinear within planes (``planar``: the first coordinate is a whole number), else trilinear.

    ``acc`` ``(4, together * n * channels)`` sets the precision of the sums: its first row gathers a row of
    results, the others hold the fractions. ``together`` rows at a time.
    """
    n = shape[2]
    m, q = np.zeros((3, 4)), room[0]
    straight = _multiplied(chain, m)
    o = 0
    for z in range(shape[0]):
        for y in range(0, shape[1], together):
            rows, left = min(together, shape[1] - y), False
            count = n * rows
            if straight:
                _straight_rows(src, dims, channels, q, n, m, z, y, rows, room[2])
            else:
                left = trace_rows(z, y, rows, n, chain, room)
            _linear_row(src, dims, channels, room, left, count, planar, border, fills, acc)
            finish(acc, count * channels, low, high, out, o)
            o += count * channels


# Most chains are one matrix. Walking them stage by stage, and a call for every row, cost as much as reading it.


@compiled.part
def _multiplied(chain, out):
    """The product of all matrices, read from the output, into ``out`` ``(3, 4)``; False when a stage is no matrix."""
    kinds, mats = chain[0], chain[1]
    # In plain loops: compiling numpy's product, and what it says of shapes that differ, took four seconds.
    total, last = np.empty((4, 4)), np.empty((4, 4))
    for i in range(4):
        for j in range(4):
            total[i, j] = 1.0 if i == j else 0.0
    for s in range(len(mats)):
        if kinds[s] != AFFINE:
            return False
        total, last = last, total
        for i in range(4):
            for j in range(4):
                one = 0.0
                for k in range(4):
                    one += mats[s, i, k] * last[k, j]
                total[i, j] = one
    for i in range(3):
        for j in range(4):
            out[i, j] = total[i, j]
    return True


@compiled.part
def _straight_rows(src, dims, channels, q, n, m, z, first, rows, places):
    """Coordinates of some rows into ``q``; what the rows behind them will read is asked for."""
    d, h, v = float(dims[0]), float(dims[1]), float(dims[2])
    asked = max(_ASKED // src.itemsize, 1)
    s0, s1, s2 = m[0, 2], m[1, 2], m[2, 2]
    for row in range(rows):
        y = first + row
        b0 = m[0, 0] * z + m[0, 1] * y + m[0, 3]
        b1 = m[1, 0] * z + m[1, 1] * y + m[1, 3]
        b2 = m[2, 0] * z + m[2, 1] * y + m[2, 3]
        for x in range(n):
            # Half a word: only those become doubles many at once.
            step = float(np.int32(x))
            q[0, row * n + x] = b0 + s0 * step
            q[1, row * n + x] = b1 + s1 * step
            q[2, row * n + x] = b2 + s2 * step
        b0, b1, b2 = b0 + rows * m[0, 1], b1 + rows * m[1, 1], b2 + rows * m[2, 1]
        some = (n + asked - 1) // asked
        for k in range(some):
            step = float(np.int32(asked * k))
            # The neighbour farthest on: the others were read before.
            i = min(max(np.floor(b0 + s0 * step) + 1.0, 0.0), d - 1.0)
            j = min(max(np.floor(b1 + s1 * step) + 1.0, 0.0), h - 1.0)
            places[k] = as_place((i * h + j) * v + np.floor(min(max(b2 + s2 * step, 0.0), v - 1.0)))
        for k in range(some):
            prefetch(src, np.uintp(places[k] * channels))


@compiled.part
def _gather_row(src, dims, channels, room, left, n, border, fills, out, o):
    """Leaves the coordinates as they are."""
    d, h, v = float(dims[0]), float(dims[1]), float(dims[2])
    q, hit, index = room[0], room[1], room[2]
    whole = True
    if border == NEAREST:
        for x in range(n):
            i = min(max(np.floor(q[0, x] + 0.5), 0.0), d - 1.0)
            j = min(max(np.floor(q[1, x] + 0.5), 0.0), h - 1.0)
            k = min(max(np.floor(q[2, x] + 0.5), 0.0), v - 1.0)
            # In float64 the flat index is exact.
            index[x] = as_place((i * h + j) * v + k)
    else:
        count = 0
        for x in range(n):
            i, j, k = np.floor(q[0, x] + 0.5), np.floor(q[1, x] + 0.5), np.floor(q[2, x] + 0.5)
            inside = (i >= 0) & (i < d) & (j >= 0) & (j < h) & (k >= 0) & (k < v)
            index[x] = as_place((i * h + j) * v + k) if inside else -1
            count += inside
        whole = count == n or border != CONSTANT
        if count < n and border != CONSTANT:
            for x in range(n):
                if index[x] < 0:
                    a = fold(int(np.floor(q[0, x] + 0.5)), dims[0], border)
                    b = fold(int(np.floor(q[1, x] + 0.5)), dims[1], border)
                    c = fold(int(np.floor(q[2, x] + 0.5)), dims[2], border)
                    index[x] = (a * dims[1] + b) * dims[2] + c
    if channels == 1 and whole:
        for x in range(n):
            out[o + x] = src[np.uintp(index[x])]
    elif channels == 1:
        fill = fills[0, 0]
        for x in range(n):
            value = src[np.uintp(max(index[x], 0))]
            out[o + x] = value if index[x] >= 0 else fill
    else:
        for x in range(n):
            for c in range(channels):
                out[o + x * channels + c] = fills[0, c] if index[x] < 0 else src[np.uintp(index[x] * channels + c)]
    if left:
        for x in range(n):
            if hit[x] > 0:
                for c in range(channels):
                    out[o + x * channels + c] = fills[hit[x], c]


@compiled.part
def _linear_row(src, dims, channels, room, left, n, planar, border, fills, acc):
    """Sums into ``acc[0]``; the coordinates are used up."""
    d, h, v = dims
    q, hit, index, margin = room[0], room[1], room[2], room[4]
    # An axis of one pixel has no second neighbour to read.
    thin = h < 2 or v < 2 or (d < 2 and not planar)
    if thin:
        for x in range(n):
            _border_sample(src, dims, channels, planar, q, x, border, fills, acc)
    else:
        if border != CONSTANT:
            for axis in range(3):
                _bring_in(q[axis], n, float(dims[axis]), border)
        first, last, whole = 0, n, True
        if border in (CONSTANT, WRAP):
            first, last, whole = _reach(q, n, d, h, v, margin)
        _locate(q, n, d, h, v, channels, planar, index, acc)
        # Views that begin where the loop does: an index that may be negative would be tested at every step.
        wz, wy, wx = acc[1, first:last], acc[2, first:last], acc[3, first:last]
        _blend(src, index[first:last], wz, wy, wx, acc[0, first * channels :], h, v, channels, planar)
        if not whole:
            _mend(src, dims, channels, planar, q, n, first, last, border, fills, margin, acc)
    if left:
        for x in range(n):
            if hit[x] > 0:
                for c in range(channels):
                    acc[0, x * channels + c] = fills[hit[x], c]


@compiled.part
def _bring_in(q, n, size, border):
    """Coordinates outside become those inside that show the same; only "wrap" keeps a seam, after the last."""
    top = size - 1.0
    if border == REFLECT:
        for x in range(n):
            p = q[x] + 0.5
            p -= 2.0 * size * np.floor(p / (2.0 * size))
            # Half a pixel about the fold, both neighbours are the same pixel.
            q[x] = min(max(min(p, 2.0 * size - p) - 0.5, 0.0), top)
    elif border == MIRROR:
        period = max(2.0 * top, 1.0)
        for x in range(n):
            p = q[x] - period * np.floor(q[x] / period)
            q[x] = min(min(p, period - p), top)
    elif border == WRAP:
        for x in range(n):
            p = q[x] - size * np.floor(q[x] / size)
            # A coordinate a rounding error below 0 comes to stand on the size itself, which is 0 again.
            q[x] = p if p < size else 0.0
    else:
        for x in range(n):
            q[x] = min(max(q[x], 0.0), top)


@compiled.part
def _locate(q, n, d, h, v, channels, planar, index, acc):
    """Flat index of the lower neighbour, held inside, and the fractions."""
    # The last whole index is read as the one before it and a fraction of one, so that it too is inside.
    deep = d - 1.0 if planar else d - 2.0
    half = 0.5 if planar else 0.0
    high, wide, step = float(h), float(v), float(channels)
    for x in range(n):
        i = min(max(np.floor(q[0, x] + half), 0.0), deep)
        j = min(max(np.floor(q[1, x]), 0.0), high - 2.0)
        k = min(max(np.floor(q[2, x]), 0.0), wide - 2.0)
        # In float64 the flat index is exact.
        index[x] = as_place(((i * high + j) * wide + k) * step)
        acc[1, x] = q[0, x] - i
        acc[2, x] = q[1, x] - j
        acc[3, x] = q[2, x] - k


@compiled.part
def _reach(q, n, d, h, v, margin):
    """How far inside each sample lies (below 0: outside); the first and the last that see any pixel."""
    deep, high, wide = d - 1.0, h - 1.0, v - 1.0
    count = 0
    for x in range(n):
        a = min(q[0, x], deep - q[0, x])
        b = min(q[1, x], high - q[1, x])
        c = min(q[2, x], wide - q[2, x])
        margin[x] = min(min(a, b), c)
        count += margin[x] >= 0.0
    first, last = 0, n
    if count < n:
        while first < n and margin[first] <= -1.0:
            first += 1
        while last > first and margin[last - 1] <= -1.0:
            last -= 1
    return first, last, count == n


@compiled.part
def _mend(src, dims, channels, planar, q, n, first, last, border, fills, margin, acc):
    """Rewrite the samples with neighbours outside."""
    for c in range(channels):
        for x in range(first):
            acc[0, x * channels + c] = fills[0, c]
        for x in range(last, n):
            acc[0, x * channels + c] = fills[0, c]
    for x in range(first, last):
        if margin[x] < 0.0 and border == CONSTANT:
            _filled_sample(src, dims, channels, planar, q, x, fills, acc)
        elif margin[x] < 0.0:
            _border_sample(src, dims, channels, planar, q, x, border, fills, acc)


@compiled.part
def _blend(src, index, wz, wy, wx, out, h, v, channels, planar):
    """Interpolate ``len(index)`` samples whose neighbours are all there, into ``out``."""
    if channels == 1 and planar:
        _blend_four(src, index, wy, wx, out, v)
    elif channels == 1:
        _blend_eight(src, index, wz, wy, wx, out, h * v, v)
    elif planar and channels == 3:
        _blend_colour(src, index, wy, wx, out, v)
    else:
        _blend_channels(src, index, wz, wy, wx, out, h, v, channels, planar)


@compiled.part
def _blend_eight(src, index, wz, wy, wx, out, plane, line):
    sy, sz = np.uintp(line), np.uintp(plane)
    fours = len(index) // 4 * 4
    for x in range(np.uintp(0), np.uintp(fours), np.uintp(4)):
        trilinear_four(src, index, x, sy, sz, wz, wy, wx, out)
    for x in range(fours, len(index)):
        out[x] = trilinear(src, np.uintp(index[x]), sy, sz, wz[x], wy[x], wx[x])


@compiled.part
def _blend_four(src, index, wy, wx, out, line):
    sy = np.uintp(line)
    fours = len(index) // 4 * 4
    for x in range(np.uintp(0), np.uintp(fours), np.uintp(4)):
        bilinear_four(src, index, x, sy, sy, wy, wy, wx, out)
    for x in range(fours, len(index)):
        out[x] = bilinear(src, np.uintp(index[x]), sy, sy, wy[x], wy[x], wx[x])


@compiled.part
def _blend_channels(src, index, wz, wy, wx, out, h, v, channels, planar):
    one, sy, sz = np.uintp(channels), np.uintp(v * channels), np.uintp(h * v * channels)
    real = out.dtype.type
    for x in range(len(index)):
        p = np.uintp(index[x])
        for c in range(channels):
            b = p + np.uintp(c)
            a0, a1 = real(src[b]), real(src[b + sy])
            a0 += wx[x] * (real(src[b + one]) - a0)
            a1 += wx[x] * (real(src[b + sy + one]) - a1)
            a0 += wy[x] * (a1 - a0)
            if not planar:
                b += sz
                a2, a3 = real(src[b]), real(src[b + sy])
                a2 += wx[x] * (real(src[b + one]) - a2)
                a3 += wx[x] * (real(src[b + sy + one]) - a3)
                a2 += wy[x] * (a3 - a2)
                a0 += wz[x] * (a2 - a0)
            out[x * channels + c] = a0


@compiled.part
def _blend_colour(src, index, wy, wx, out, line):
    """Three channels written out, which the compiler keeps in registers."""
    real = out.dtype.type
    for x in range(len(index)):
        b = np.uintp(index[x])
        e = b + np.uintp(3 * line)
        ux, uy = real(1.0) - wx[x], real(1.0) - wy[x]
        w0, w1, w2, w3 = uy * ux, uy * wx[x], wy[x] * ux, wy[x] * wx[x]
        for c in range(3):
            s = np.uintp(c)
            f = np.uintp(c + 3)
            out[3 * x + c] = (
                w0 * real(src[b + s]) + w1 * real(src[b + f]) + w2 * real(src[e + s]) + w3 * real(src[e + f])
            )


@compiled.part
def _shares(p, size):
    """Indices of both neighbours, held inside, and their weights, none for one that lies outside."""
    low = np.floor(p)
    i, t = int(low), p - low
    first = 1.0 - t if 0 <= i < size else 0.0
    second = t if -1 <= i < size - 1 else 0.0
    return min(max(i, 0), size - 1), min(max(i + 1, 0), size - 1), first, second


@compiled.part
def _filled_sample(src, dims, channels, planar, q, x, fills, acc):
    """One sample about the edge of the "constant" border: what pixels leave of the weight, the fill value has."""
    d, h, v = dims
    i0, i1, z0, z1 = _shares(np.floor(q[0, x] + 0.5) if planar else q[0, x], d)
    j0, j1, y0, y1 = _shares(q[1, x], h)
    k0, k1, x0, x1 = _shares(q[2, x], v)
    rest = 1.0 - (z0 + z1) * (y0 + y1) * (x0 + x1)
    a, b = (i0 * h + j0) * v, (i0 * h + j1) * v
    e, f = (i1 * h + j0) * v, (i1 * h + j1) * v
    for c in range(channels):
        p, s = k0 * channels + c, k1 * channels + c
        near = y0 * (x0 * src[a * channels + p] + x1 * src[a * channels + s])
        near += y1 * (x0 * src[b * channels + p] + x1 * src[b * channels + s])
        far = y0 * (x0 * src[e * channels + p] + x1 * src[e * channels + s])
        far += y1 * (x0 * src[f * channels + p] + x1 * src[f * channels + s])
        acc[0, x * channels + c] = z0 * near + z1 * far + rest * fills[0, c]


@compiled.part
def _border_sample(src, dims, channels, planar, q, x, border, fills, acc):
    """One sample near or beyond the border."""
    d, h, v = dims
    o = x * channels
    fj, fk = np.floor(q[1, x]), np.floor(q[2, x])
    fi = np.floor(q[0, x] + 0.5) if planar else np.floor(q[0, x])
    for c in range(channels):
        acc[0, o + c] = 0.0
    wz, wy, wx = q[0, x] - fi, q[1, x] - fj, q[2, x] - fk
    for tap in range(4 if planar else 8):
        i = fold(int(fi) + (tap >> 2), d, border)
        j = fold(int(fj) + (tap >> 1 & 1), h, border)
        k = fold(int(fk) + (tap & 1), v, border)
        weight = (wy if tap & 2 else 1.0 - wy) * (wx if tap & 1 else 1.0 - wx)
        if not planar:
            weight *= wz if tap & 4 else 1.0 - wz
        if i < 0 or j < 0 or k < 0:
            for c in range(channels):
                acc[0, o + c] += weight * fills[0, c]
        else:
            base = ((i * h + j) * v + k) * channels
            for c in range(channels):
                acc[0, o + c] += weight * src[base + c]


@compiled.part
def finish(acc, n, low, high, out, o):
    """Write a row: integers rounded half to even and saturated; floats (``low > high``) as they are."""
    row, made = acc[0, :n], out[o : o + n]
    if low > high:
        for x in range(n):
            made[x] = row[x]
    else:
        # In the precision of the row, so that more of it fits a vector.
        least, most = row.dtype.type(low), row.dtype.type(high)
        for x in range(n):
            made[x] = np.rint(min(max(row[x], least), most))
