"""Compiled warps of one volume, nearest and linear, walking the output row by row.

``src`` and ``out`` are flat views of C-contiguous ``(z, y, x, channel)`` arrays; ``dims`` and ``shape`` are
their spatial sizes. ``fills`` has one row for the border and one per stage, a value per channel in each.
Along a row, every sample is first located (:func:`trace_row`, then index and fractions); then those whose
neighbours all lie inside are blended in one loop without branches, and the few others one by one.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.rows import CONSTANT, NEAREST, fold, trace_row


@compiled
def gather(src, dims, channels, chain, border, fills, out, shape, room):
    """Copy the sample at index ``floor(q + 0.5)``: images of order 0, and label maps."""
    d, h, v = dims
    q, hit, index = room[0], room[1], room[2]
    n = shape[2]
    o = 0
    for z in range(shape[0]):
        for y in range(shape[1]):
            left = trace_row(z, y, n, chain, room)
            if border == NEAREST:
                _clamp(q, n, d, h, v)
            count = 0
            for x in range(n):
                i, j, k = np.floor(q[0, x] + 0.5), np.floor(q[1, x] + 0.5), np.floor(q[2, x] + 0.5)
                inside = (i >= 0) & (i < d) & (j >= 0) & (j < h) & (k >= 0) & (k < v)
                # In float64 the flat index is exact and needs one conversion instead of three.
                index[x] = int(((i * h + j) * v + k) * channels) if inside else -1
                count += inside
            if count == n and not left and channels == 1:
                for x in range(n):
                    out[o + x] = src[np.uintp(index[x])]
            else:
                _gather_row(src, d, h, v, channels, q, hit, left, index, n, border, fills, out, o)
            o += n * channels


@compiled
def _clamp(q, n, d, h, v):
    """The border that repeats the edge is a clipped coordinate; nothing then lies outside."""
    for x in range(n):
        q[0, x] = min(max(q[0, x], 0.0), d - 1.0)
        q[1, x] = min(max(q[1, x], 0.0), h - 1.0)
        q[2, x] = min(max(q[2, x], 0.0), v - 1.0)


@compiled
def _gather_row(src, d, h, v, channels, q, hit, left, index, n, border, fills, out, o):
    for x in range(n):
        base = index[x]
        row = 0
        if left and hit[x] > 0:
            row = hit[x]
            base = -1
        elif base < 0 and border != CONSTANT:
            i = fold(int(np.floor(q[0, x] + 0.5)), d, border)
            j = fold(int(np.floor(q[1, x] + 0.5)), h, border)
            k = fold(int(np.floor(q[2, x] + 0.5)), v, border)
            base = ((i * h + j) * v + k) * channels
        if base < 0:
            for c in range(channels):
                out[o + c] = fills[row, c]
        else:
            for c in range(channels):
                out[o + c] = src[np.uintp(base + c)]
        o += channels


@compiled
def linear(src, dims, channels, chain, planar, border, fills, low, high, out, shape, room, acc):
    """Bilinear within planes (``planar``: the first coordinate is a whole number), else trilinear.

    ``acc`` ``(4, n * channels)`` sets the precision of the sums: its first row gathers a row of results, the
    others hold the fractions.
    """
    d, h, v = dims
    q, hit, index = room[0], room[1], room[2]
    n = shape[2]
    o = 0
    for z in range(shape[0]):
        for y in range(shape[1]):
            left = trace_row(z, y, n, chain, room)
            if border == NEAREST:
                _clamp(q, n, d, h, v)
            count = _locate(q, hit, left, n, d, h, v, channels, planar, index, acc)
            first, last = 0, n
            if count < n:
                while first < n and index[first] < 0:
                    first += 1
                while last > first and index[last - 1] < 0:
                    last -= 1
            if count == last - first:
                _blend(src, index, acc, first, last, h, v, channels, planar)
            else:
                for x in range(first, last):
                    if index[x] >= 0:
                        _blend(src, index, acc, x, x + 1, h, v, channels, planar)
            if count < n:
                for x in range(n):
                    if index[x] < 0:
                        row = hit[x] if left else 0
                        _border_sample(src, d, h, v, channels, planar, q, x, row, border, fills, acc)
            finish(acc, n * channels, low, high, out, o)
            o += n * channels


@compiled
def _locate(q, hit, left, n, d, h, v, channels, planar, index, acc):
    """Flat index of the lower neighbour and the fractions; -1 where a neighbour lies outside."""
    count = 0
    # The last whole index is read as the one before it and a fraction of one, so that it too is inside.
    deep = d - 1.0 if planar else d - 2.0
    half = 0.5 if planar else 0.0
    for x in range(n):
        i = min(np.floor(q[0, x] + half), deep)
        j, k = min(np.floor(q[1, x]), h - 2.0), min(np.floor(q[2, x]), v - 2.0)
        inside = (i >= 0) & (q[0, x] <= d - 1.0) & (j >= 0) & (q[1, x] <= h - 1.0) & (k >= 0) & (q[2, x] <= v - 1.0)
        index[x] = int(((i * h + j) * v + k) * channels) if inside else -1
        acc[1, x] = q[0, x] - i
        acc[2, x] = q[1, x] - j
        acc[3, x] = q[2, x] - k
        count += inside
    if left:
        for x in range(n):
            if hit[x] > 0 and index[x] >= 0:
                index[x] = -1
                count -= 1
    return count


@compiled
def _blend(src, index, acc, first, last, h, v, channels, planar):
    one = np.uintp(channels)
    sy = np.uintp(v * channels)
    sz = np.uintp(h * v * channels)
    real = acc.dtype.type
    if not planar and channels == 1:
        for x in range(first, last):
            b = np.uintp(index[x])
            wz, wy, wx = acc[1, x], acc[2, x], acc[3, x]
            a0, a1 = real(src[b]), real(src[b + sy])
            a2, a3 = real(src[b + sz]), real(src[b + sz + sy])
            a0 += wx * (real(src[b + one]) - a0)
            a1 += wx * (real(src[b + sy + one]) - a1)
            a2 += wx * (real(src[b + sz + one]) - a2)
            a3 += wx * (real(src[b + sz + sy + one]) - a3)
            a0 += wy * (a1 - a0)
            a2 += wy * (a3 - a2)
            acc[0, x] = a0 + wz * (a2 - a0)
    elif planar and channels == 3:
        _blend_colour(src, index, acc, first, last, sy)
    elif planar:
        for x in range(first, last):
            p = np.uintp(index[x])
            wy, wx = acc[2, x], acc[3, x]
            for c in range(channels):
                b = p + np.uintp(c)
                a0, a1 = real(src[b]), real(src[b + sy])
                a0 += wx * (real(src[b + one]) - a0)
                a1 += wx * (real(src[b + sy + one]) - a1)
                acc[0, x * channels + c] = a0 + wy * (a1 - a0)
    else:
        for x in range(first, last):
            p = np.uintp(index[x])
            wz, wy, wx = acc[1, x], acc[2, x], acc[3, x]
            for c in range(channels):
                b = p + np.uintp(c)
                a0, a1 = real(src[b]), real(src[b + sy])
                a2, a3 = real(src[b + sz]), real(src[b + sz + sy])
                a0 += wx * (real(src[b + one]) - a0)
                a1 += wx * (real(src[b + sy + one]) - a1)
                a2 += wx * (real(src[b + sz + one]) - a2)
                a3 += wx * (real(src[b + sz + sy + one]) - a3)
                a0 += wy * (a1 - a0)
                a2 += wy * (a3 - a2)
                acc[0, x * channels + c] = a0 + wz * (a2 - a0)


@compiled
def _blend_colour(src, index, acc, first, last, sy):
    """Three channels written out, which the compiler keeps in registers."""
    real = acc.dtype.type
    for x in range(first, last):
        b = np.uintp(index[x])
        e = b + sy
        wy, wx = acc[2, x], acc[3, x]
        ux, uy = real(1.0) - wx, real(1.0) - wy
        w0, w1, w2, w3 = uy * ux, uy * wx, wy * ux, wy * wx
        for c in range(3):
            s = np.uintp(c)
            f = np.uintp(c + 3)
            acc[0, 3 * x + c] = (
                w0 * real(src[b + s]) + w1 * real(src[b + f]) + w2 * real(src[e + s]) + w3 * real(src[e + f])
            )


@compiled
def _border_sample(src, d, h, v, channels, planar, q, x, row, border, fills, acc):
    """One sample near or beyond the border, or outside a window (``row`` > 0 names its fill)."""
    o = x * channels
    fj, fk = np.floor(q[1, x]), np.floor(q[2, x])
    fi = np.floor(q[0, x] + 0.5) if planar else np.floor(q[0, x])
    far = fi < -1 or fi > d or fj < -1 or fj > h or fk < -1 or fk > v
    if row > 0 or (border == CONSTANT and far):
        for c in range(channels):
            acc[0, o + c] = fills[row, c]
        return
    wz, wy, wx = q[0, x] - fi, q[1, x] - fj, q[2, x] - fk
    for c in range(channels):
        acc[0, o + c] = 0.0
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


@compiled
def finish(acc, n, low, high, out, o):
    """Write a row: integers rounded half to even and saturated; floats (``low > high``) as they are."""
    if low > high:
        for x in range(n):
            out[o + x] = acc[0, x]
    else:
        for x in range(n):
            out[o + x] = min(max(np.rint(acc[0, x]), low), high)
