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

AFFINE, PROJECTIVE, DISPLACE, WINDOW = 0, 1, 2, 3
NEAREST, CONSTANT, REFLECT, MIRROR = 0, 1, 2, 3
_EDGE = 1e-9
_FAR = 2.0**30


@compiled
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


@compiled
def cubic(t, w):
    """Weights of the uniform cubic B-spline at ``t`` in 0 .. 1, into ``w``."""
    s = 1.0 - t
    w[0] = s * s * s / 6.0
    w[1] = (4.0 + t * t * (3.0 * t - 6.0)) / 6.0
    w[2] = (4.0 + s * s * (3.0 * s - 6.0)) / 6.0
    w[3] = t * t * t / 6.0


@compiled
def _cell(p, cells, size):
    u = min(max((p + 0.5) / size * cells, 0.0), float(cells))
    i = min(int(u), cells - 1)
    return i, u - i


@compiled
def _bend_line(q, n, grid, cells, size, w, line, cell):
    """Displace a row along which only x varies: contract the lattice over z and y once, then 4 taps each."""
    gx = cells[2] + 3
    gy = cells[1] + 3
    gz = cells[0] + 3
    iz, tz = _cell(q[0, 0], cells[0], size[0])
    iy, ty = _cell(q[1, 0], cells[1], size[1])
    cubic(tz, w[0])
    cubic(ty, w[1])
    for k in range(3):
        for j in range(gx):
            total = 0.0
            for a in range(4):
                for b in range(4):
                    total += w[0, a] * w[1, b] * grid[((k * gz + iz + a) * gy + iy + b) * gx + j]
            line[k, j] = total
    _bend_runs(q, n, cells[2], size[2], line, cell)


@compiled
def _bend_runs(q, n, cells, size, line, cell):
    """Add a 1-D spline to a row, cell by cell: within one cell it is a cubic, which needs no look-ups."""
    scale = cells / size
    top = float(cells)
    for x in range(n):
        cell[x] = min(int(min(max((q[2, x] + 0.5) * scale, 0.0), top)), cells - 1)
    x = 0
    while x < n:
        i = cell[x]
        end = x + 1
        while end < n and cell[end] == i:
            end += 1
        z0, z1, z2, z3 = _polynomial(line[0], i)
        y0, y1, y2, y3 = _polynomial(line[1], i)
        x0, x1, x2, x3 = _polynomial(line[2], i)
        for e in range(x, end):
            t = min(max((q[2, e] + 0.5) * scale, 0.0), top) - i
            q[0, e] += z0 + t * (z1 + t * (z2 + t * z3))
            q[1, e] += y0 + t * (y1 + t * (y2 + t * y3))
            q[2, e] += x0 + t * (x1 + t * (x2 + t * x3))
        x = end


@compiled
def _polynomial(c, i):
    """Power coefficients of the cubic B-spline within cell ``i``."""
    a, b, d, e = c[i], c[i + 1], c[i + 2], c[i + 3]
    return (a + 4.0 * b + d) / 6.0, (d - a) / 2.0, (a - 2.0 * b + d) / 2.0, (e - a + 3.0 * (b - d)) / 6.0


@compiled
def _bend_plane(q, n, grid, cells, size, w, plane):
    """Displace a row that stays in one z: contract the lattice over z once, then 16 taps each."""
    gx = cells[2] + 3
    gy = cells[1] + 3
    gz = cells[0] + 3
    iz, tz = _cell(q[0, 0], cells[0], size[0])
    cubic(tz, w[0])
    step = gy * gx
    for k in range(3):
        base = (k * gz + iz) * step
        for j in range(step):
            plane[k * step + j] = (
                w[0, 0] * grid[base + j]
                + w[0, 1] * grid[base + step + j]
                + w[0, 2] * grid[base + 2 * step + j]
                + w[0, 3] * grid[base + 3 * step + j]
            )
    for x in range(n):
        iy, ty = _cell(q[1, x], cells[1], size[1])
        ix, tx = _cell(q[2, x], cells[2], size[2])
        cubic(ty, w[1])
        cubic(tx, w[2])
        for k in range(3):
            total = 0.0
            for b in range(4):
                j = k * step + (iy + b) * gx + ix
                total += w[1, b] * (
                    w[2, 0] * plane[j] + w[2, 1] * plane[j + 1] + w[2, 2] * plane[j + 2] + w[2, 3] * plane[j + 3]
                )
            q[k, x] += total


@compiled
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


@compiled
def _constant(row, n):
    same = True
    for x in range(1, n):
        same &= row[x] == row[0]
    return same


@compiled
def trace_row(z, y, n, chain, room):
    """Coordinates of the output row ``(z, y, 0 .. n - 1)`` into ``q`` ``(3, n)`` of ``room``.

    ``hit[x]`` is 0, or one more than the number of the first window left. Returns whether any was left.
    """
    kinds, mats, shapes, cells, grids, starts = chain
    q, hit, cell, w, line, plane = room
    b0, b1, b2 = float(z), float(y), 0.0
    s0, s1, s2 = 0.0, 0.0, 1.0
    first = 0
    while first < kinds.shape[0] and kinds[first] == AFFINE:
        m = mats[first]
        c0 = m[0, 0] * b0 + m[0, 1] * b1 + m[0, 2] * b2 + m[0, 3]
        c1 = m[1, 0] * b0 + m[1, 1] * b1 + m[1, 2] * b2 + m[1, 3]
        c2 = m[2, 0] * b0 + m[2, 1] * b1 + m[2, 2] * b2 + m[2, 3]
        t0 = m[0, 0] * s0 + m[0, 1] * s1 + m[0, 2] * s2
        t1 = m[1, 0] * s0 + m[1, 1] * s1 + m[1, 2] * s2
        t2 = m[2, 0] * s0 + m[2, 1] * s1 + m[2, 2] * s2
        b0, b1, b2, s0, s1, s2 = c0, c1, c2, t0, t1, t2
        first += 1
    for x in range(n):
        q[0, x] = b0 + s0 * x
        q[1, x] = b1 + s1 * x
        q[2, x] = b2 + s2 * x
    left = False
    windows = False
    for s in range(first, kinds.shape[0]):
        kind = kinds[s]
        if kind == WINDOW:
            if not windows:
                windows = True
                for x in range(n):
                    hit[x] = 0
            for x in range(n):
                inside = True
                for k in range(3):
                    p = q[k, x] + _EDGE
                    inside &= (p >= -0.5) & (p < shapes[s, k] - 0.5)
                if not inside and hit[x] == 0:
                    hit[x] = s + 1
                    left = True
        elif kind == DISPLACE:
            grid = grids[starts[s] :]
            if not _constant(q[0], n):
                _bend(q, n, grid, cells[s], shapes[s], w)
            elif _constant(q[1], n):
                _bend_line(q, n, grid, cells[s], shapes[s], w, line, cell)
            else:
                _bend_plane(q, n, grid, cells[s], shapes[s], w, plane)
        else:
            _multiply_row(q, n, mats[s], kind == PROJECTIVE)
    return left


@compiled
def _multiply_row(q, n, m, projective):
    for x in range(n):
        a, b, c = q[0, x], q[1, x], q[2, x]
        q[0, x] = m[0, 0] * a + m[0, 1] * b + m[0, 2] * c + m[0, 3]
        q[1, x] = m[1, 0] * a + m[1, 1] * b + m[1, 2] * c + m[1, 3]
        q[2, x] = m[2, 0] * a + m[2, 1] * b + m[2, 2] * c + m[2, 3]
        if projective:
            v = m[3, 0] * a + m[3, 1] * b + m[3, 2] * c + m[3, 3]
            if math.fabs(v) < 1e-12:
                v = 1e-12
            for k in range(3):
                q[k, x] = min(max(q[k, x] / v, -_FAR), _FAR)


def scratch(n: int, cells: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], ...]:
    """Row buffers ``q, hit, cell, w, line, plane`` for rows of ``n`` samples; one set per running call."""
    most = cells.max(axis=0) + 3 if len(cells) else np.full(3, 4)
    return (
        np.empty((3, n)),
        np.zeros(n, np.int64),
        np.empty(n, np.int64),
        np.empty((3, 4)),
        np.empty((3, int(most[2]))),
        np.empty(3 * int(most[1]) * int(most[2])),
    )
