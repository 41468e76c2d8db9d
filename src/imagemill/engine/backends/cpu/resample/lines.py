"""Compiled pieces that every CPU warp shares: the chain along one output row, and the borders.

A chain is flattened into plain arrays (:mod:`flat`) and evaluated one output row at a time into a small
buffer, so that no dense field of coordinates is ever stored. Everything is three-dimensional here: a 2-D
image is a volume of one plane, whose first coordinate stays exactly zero.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math
from typing import Any

import numpy as np

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.simd import LANES, bicubic, tricubic

Array = np.ndarray[Any, Any]

AFFINE, PROJECTIVE, WINDOW = 0, 1, 2
ALONG, PIECES, TAPS = 3, 4, 5
"""Three ways to displace: rows of the output itself, cell by cell, and by 64 taps a sample."""

NEAREST, CONSTANT, REFLECT, MIRROR, WRAP = 0, 1, 2, 3, 4
_EDGE = 1e-9
_FAR = 2.0**30


@compiled.part
def fold(i, n, border):
    """Index of the pixel that a border shows at ``i``; -1 for the fill value."""
    if 0 <= i < n:
        return i
    if border == NEAREST:
        return 0 if i < 0 else n - 1
    if border == CONSTANT:
        return -1
    if border == REFLECT:
        i = i % (2 * n)
        return i if i < n else 2 * n - 1 - i
    if border == MIRROR:
        if n == 1:
            return 0
        i = i % (2 * n - 2)
        return i if i < n else 2 * n - 2 - i
    return i % n


@compiled.part
def one_pixel(src, h, w, j, i, border, fill):
    """The three values at a place of a photo, by its four neighbours and what the border shows of them."""
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
    return r, g, b


@compiled.part
def cubic(t, w):
    """Weights of the uniform cubic B-spline at ``t`` in 0 .. 1, into ``w``."""
    s = 1.0 - t
    w[0] = s * s * s / 6.0
    w[1] = (4.0 + t * t * (3.0 * t - 6.0)) / 6.0
    w[2] = (4.0 + s * s * (3.0 * s - 6.0)) / 6.0
    w[3] = t * t * t / 6.0


@compiled.part
def _cell(p, cells, size):
    u = min(max((p + 0.5) / size * cells, 0.0), float(cells))
    i = min(int(u), cells - 1)
    return i, u - i


@compiled.part
def _bend_along(q, n, grid, cells, size, w, plane, memo):
    """Displace a row of the output itself: the lattice, already spread along x, is summed over z, then y.

    The sum over z is kept in ``plane`` for the rows that share it; ``memo`` says which they are.
    """
    gy = cells[1] + 3
    step = 3 * gy * n
    if memo[0] != q[0, 0]:
        memo[0] = q[0, 0]
        iz, tz = _cell(q[0, 0], cells[0], size[0])
        cubic(tz, w[0])
        _four(grid, iz * step, step, w[0], plane, step)
    iy, ty = _cell(q[1, 0], cells[1], size[1])
    cubic(ty, w[1])
    for k in range(3):
        _four_more(plane, (k * gy + iy) * n, n, w[1], q[k], n)


@compiled.part
def _four(src, start, step, w, out, n):
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    a, b, c, d = src[start:], src[start + step :], src[start + 2 * step :], src[start + 3 * step :]
    for j in range(n):
        out[j] = w0 * a[j] + w1 * b[j] + w2 * c[j] + w3 * d[j]


@compiled.part
def _four_more(src, start, step, w, out, n):
    w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
    a, b, c, d = src[start:], src[start + step :], src[start + 2 * step :], src[start + 3 * step :]
    for j in range(n):
        out[j] += w0 * a[j] + w1 * b[j] + w2 * c[j] + w3 * d[j]


@compiled.part
def _bend_pieces(q, n, table, cells, size, cell, part, line):
    """Displace a row that runs anywhere, one lattice cell after the other.

    Within a cell the displacement is one polynomial, whose 64 coefficients an axis (``table``) are the same
    for all samples there: eight samples are evaluated side by side, and those beyond the cell's end are
    overwritten by the next.
    """
    c0, c1, c2 = cells[0], cells[1], cells[2]
    k0, k1, k2 = c0 / size[0], c1 / size[1], c2 / size[2]
    f0, f1, f2 = float(c0), float(c1), float(c2)
    for x in range(n):
        u = min(max((q[0, x] + 0.5) * k0, 0.0), f0)
        v = min(max((q[1, x] + 0.5) * k1, 0.0), f1)
        t = min(max((q[2, x] + 0.5) * k2, 0.0), f2)
        i, j, k = min(np.floor(u), f0 - 1.0), min(np.floor(v), f1 - 1.0), min(np.floor(t), f2 - 1.0)
        part[0, x], part[1, x], part[2, x] = u - i, v - j, t - k
        cell[x] = int((i * f1 + j) * f2 + k)
    level = _constant(q[0], n)
    x = 0
    while x < n:
        here = cell[x]
        end = x + 1
        while end < n and cell[end] == here:
            end += 1
        piece = table[192 * here : 192 * here + 192]
        if level:
            t = part[0, x]
            for j in range(48):
                line[j] = piece[j] + t * (piece[48 + j] + t * (piece[96 + j] + t * piece[144 + j]))
            for e in range(x, end, LANES):
                bicubic(line, part[0, e:], part[1, e:], part[2, e:], part[3, e:], part[4, e:], part[5, e:])
        else:
            for e in range(x, end, LANES):
                tricubic(piece, part[0, e:], part[1, e:], part[2, e:], part[3, e:], part[4, e:], part[5, e:])
        x = end
    for k in range(3):
        for x in range(n):
            q[k, x] += part[3 + k, x]


@compiled.part
def _bend(q, n, grid, cells, size, w):
    """Displace a row that runs anywhere: all 64 taps."""
    gx = cells[2] + 3
    gy = cells[1] + 3
    gz = cells[0] + 3
    for x in range(n):
        iz, tz = _cell(q[0, x], cells[0], size[0])
        iy, ty = _cell(q[1, x], cells[1], size[1])
        ix, tx = _cell(q[2, x], cells[2], size[2])
        cubic(tz, w[0])
        cubic(ty, w[1])
        cubic(tx, w[2])
        for k in range(3):
            total = 0.0
            for a in range(4):
                part = 0.0
                for b in range(4):
                    j = ((k * gz + iz + a) * gy + iy + b) * gx + ix
                    part += w[1, b] * (
                        w[2, 0] * grid[j] + w[2, 1] * grid[j + 1] + w[2, 2] * grid[j + 2] + w[2, 3] * grid[j + 3]
                    )
                total += w[0, a] * part
            q[k, x] += total


@compiled.part
def _constant(row, n):
    same = True
    for x in range(1, n):
        same &= row[x] == row[0]
    return same


@compiled
def trace_row(z, y, n, chain, room):
    """:func:`trace_rows` for one row."""
    return trace_rows(z, y, 1, n, chain, room)


@compiled.part
def trace_rows(z, first_row, rows, n, chain, room):
    """Coordinates of some output rows ``(z, first_row + r, 0 .. n - 1)``, one behind the other, into ``q`` of ``room``.

    ``hit[x]`` is 0, or one more than the number of the first window left. Returns whether any was left.
    Several rows at once, because unpacking a chain costs about as much as a row.
    """
    kinds, mats, shapes, cells, grids, starts = chain
    q, hit, cell, w, _, plane, memo, part, line = room
    first = 0
    while first < kinds.shape[0] and kinds[first] == AFFINE:
        first += 1
    for row in range(rows):
        b0, b1, b2 = float(z), float(first_row + row), 0.0
        s0, s1, s2 = 0.0, 0.0, 1.0
        for s in range(first):
            m = mats[s]
            c0 = m[0, 0] * b0 + m[0, 1] * b1 + m[0, 2] * b2 + m[0, 3]
            c1 = m[1, 0] * b0 + m[1, 1] * b1 + m[1, 2] * b2 + m[1, 3]
            c2 = m[2, 0] * b0 + m[2, 1] * b1 + m[2, 2] * b2 + m[2, 3]
            t0 = m[0, 0] * s0 + m[0, 1] * s1 + m[0, 2] * s2
            t1 = m[1, 0] * s0 + m[1, 1] * s1 + m[1, 2] * s2
            t2 = m[2, 0] * s0 + m[2, 1] * s1 + m[2, 2] * s2
            b0, b1, b2, s0, s1, s2 = c0, c1, c2, t0, t1, t2
        for x in range(n):
            q[0, row * n + x] = b0 + s0 * x
            q[1, row * n + x] = b1 + s1 * x
            q[2, row * n + x] = b2 + s2 * x
    count = rows * n
    left = False
    windows = False
    for s in range(first, kinds.shape[0]):
        kind = kinds[s]
        if kind == WINDOW:
            if not windows:
                windows = True
                for x in range(count):
                    hit[x] = 0
            for x in range(count):
                inside = True
                for k in range(3):
                    p = q[k, x] + _EDGE
                    inside &= (p >= -0.5) & (p < shapes[s, k] - 0.5)
                if not inside and hit[x] == 0:
                    hit[x] = s + 1
                    left = True
        elif kind == ALONG:
            for row in range(rows):
                part_of = q[:, row * n : row * n + n]
                _bend_along(part_of, n, grids[starts[s] :], cells[s], shapes[s], w, plane, memo)
        elif kind == PIECES:
            _bend_pieces(q, count, grids[starts[s] :], cells[s], shapes[s], cell, part, line)
        elif kind == TAPS:
            _bend(q, count, grids[starts[s] :], cells[s], shapes[s], w)
        elif kind == PROJECTIVE:
            _project_row(q, count, mats[s])
        else:
            _multiply_row(q, count, mats[s])
    return left


@compiled.part
def _multiply_row(q, n, m):
    for x in range(n):
        a, b, c = q[0, x], q[1, x], q[2, x]
        q[0, x] = m[0, 0] * a + m[0, 1] * b + m[0, 2] * c + m[0, 3]
        q[1, x] = m[1, 0] * a + m[1, 1] * b + m[1, 2] * c + m[1, 3]
        q[2, x] = m[2, 0] * a + m[2, 1] * b + m[2, 2] * c + m[2, 3]


@compiled.part
def _project_row(q, n, m):
    for x in range(n):
        v = m[3, 0] * q[0, x] + m[3, 1] * q[1, x] + m[3, 2] * q[2, x] + m[3, 3]
        if math.fabs(v) < 1e-12:
            v = 1e-12
        a, b, c = q[0, x], q[1, x], q[2, x]
        q[0, x] = min(max((m[0, 0] * a + m[0, 1] * b + m[0, 2] * c + m[0, 3]) / v, -_FAR), _FAR)
        q[1, x] = min(max((m[1, 0] * a + m[1, 1] * b + m[1, 2] * c + m[1, 3]) / v, -_FAR), _FAR)
        q[2, x] = min(max((m[2, 0] * a + m[2, 1] * b + m[2, 2] * c + m[2, 3]) / v, -_FAR), _FAR)


def scratch(n: int, kinds: Array, cells: Array, row: int) -> tuple[Array, ...]:
    """Buffers for ``n`` samples in rows of ``row``; one set per running call.

    ``q, hit, cell`` hold a number per sample, ``w`` spline weights; ``margin``, next, is the sampler's.
    ``plane, memo`` serve :func:`_bend_along`, ``part, line`` :func:`_bend_pieces`, whose groups of eight may
    reach beyond the row.
    """
    along = cells[kinds == ALONG]
    return (
        np.empty((3, n)),
        np.zeros(n, np.int64),
        np.empty(n, np.int64),
        np.empty((3, 4)),
        np.empty(n),
        np.empty(3 * (int(along[0, 1]) + 3) * row if len(along) else 0),
        np.full(1, np.nan),
        np.zeros((6, n + LANES)),
        np.empty(48),
    )
