"""Compiled spline warp of one volume, orders 3 and 5, from B-spline coefficients.

The arrays are laid out as in :mod:`samplers`; ``src`` holds coefficients (see :mod:`splines`). ``planar``
says that the first coordinate is a whole number and that ``src`` is not filtered along it.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.lines import CONSTANT, NEAREST, cubic, fold, trace_row


@compiled.part
def _quintic(t, w):
    """Weights of the uniform quintic B-spline at ``t`` in 0 .. 1 (Unser 1999, by Horner's rule)."""
    s = 1.0 - t
    t2, s2 = t * t, s * s
    w[0] = s2 * s2 * s / 120.0
    w[5] = t2 * t2 * t / 120.0
    w[2] = (66.0 - 60.0 * t2 + 30.0 * t2 * t2 - 10.0 * t2 * t2 * t) / 120.0
    w[3] = (66.0 - 60.0 * s2 + 30.0 * s2 * s2 - 10.0 * s2 * s2 * s) / 120.0
    w[1] = (26.0 - 50.0 * t + 20.0 * t2 + 20.0 * t2 * t - 20.0 * t2 * t2 + 5.0 * t2 * t2 * t) / 120.0
    w[4] = (26.0 - 50.0 * s + 20.0 * s2 + 20.0 * s2 * s - 20.0 * s2 * s2 + 5.0 * s2 * s2 * s) / 120.0


@compiled.part
def _weights(p, order, size, border, w, place):
    """Weights and folded indices of one axis; True when no index needed folding."""
    if border == NEAREST:
        p = min(max(p, 0.0), size - 1.0)
    low = np.floor(p)
    if order == 3:
        cubic(p - low, w)
    else:
        _quintic(p - low, w)
    start = int(low) - order // 2
    inside = start >= 0 and start + order < size
    for tap in range(order + 1):
        place[tap] = start + tap if inside else fold(start + tap, size, border)
    return inside


@compiled
def spline(src, dims, channels, chain, planar, border, order, fills, out, shape, room, taps):
    """Sum ``order + 1`` taps along each axis into ``out``, of the coefficients' dtype."""
    d, h, v = dims
    q, hit = room[0], room[1]
    w, place = taps
    n = shape[2]
    o = 0
    for z in range(shape[0]):
        for y in range(shape[1]):
            left = trace_row(z, y, n, chain, room)
            for x in range(n):
                start = o + x * channels
                far = False
                if border == CONSTANT:
                    for axis in range(3):
                        far = far or q[axis, x] < -4.0 or q[axis, x] > dims[axis] + 3.0
                if far or (left and hit[x] > 0):
                    row = hit[x] if left else 0
                    for c in range(channels):
                        out[start + c] = fills[row, c]
                    continue
                if planar:
                    w[0, 0] = 1.0
                    place[0, 0] = fold(int(np.floor(q[0, x] + 0.5)), d, border)
                else:
                    _weights(q[0, x], order, d, border, w[0], place[0])
                down = _weights(q[1, x], order, h, border, w[1], place[1])
                along = _weights(q[2, x], order, v, border, w[2], place[2])
                if along and channels == 1 and place[0, 0] >= 0:
                    out[start] = _sum_grey(src, h, v, planar, order, fills[0, 0], w, place)
                    continue
                if along and down and channels == 3 and planar and place[0, 0] >= 0:
                    _sum_colour(
                        src, (place[0, 0] * h + place[1, 0]) * v + place[2, 0], v, order, w[1], w[2], out, start
                    )
                    continue
                _sum(src, h, v, channels, planar, order, fills, w, place, out[start : start + channels])
            o += n * channels


@compiled.part
def _sum_grey(src, h, v, planar, order, fill, w, place):
    """One channel whose taps along x lie side by side, inside."""
    total = 0.0
    k = place[2, 0]
    for a in range(1 if planar else order + 1):
        row = 0.0
        for b in range(order + 1):
            i, j = place[0, a], place[1, b]
            part = fill
            if i >= 0 and j >= 0:
                p = np.uintp((i * h + j) * v + k)
                part = w[2, 0] * src[p] + w[2, 1] * src[p + np.uintp(1)]
                part += w[2, 2] * src[p + np.uintp(2)] + w[2, 3] * src[p + np.uintp(3)]
                if order == 5:
                    part += w[2, 4] * src[p + np.uintp(4)] + w[2, 5] * src[p + np.uintp(5)]
            row += w[1, b] * part
        total += w[0, a] * row
    return total


@compiled.part
def _sum_colour(src, first, v, order, wy, wx, out, start):
    """Three channels within a plane, all taps inside: sums that stay in registers."""
    real = src.dtype.type
    r, g, b = real(0.0), real(0.0), real(0.0)
    p = np.uintp(3 * first)
    step = np.uintp(3 * v)
    x0, x1, x2, x3 = real(wx[0]), real(wx[1]), real(wx[2]), real(wx[3])
    for j in range(order + 1):
        w = real(wy[j])
        s, t, u = p + np.uintp(3), p + np.uintp(6), p + np.uintp(9)
        one, two = np.uintp(1), np.uintp(2)
        r += w * (x0 * src[p] + x1 * src[s] + x2 * src[t] + x3 * src[u])
        g += w * (x0 * src[p + one] + x1 * src[s + one] + x2 * src[t + one] + x3 * src[u + one])
        b += w * (x0 * src[p + two] + x1 * src[s + two] + x2 * src[t + two] + x3 * src[u + two])
        for e in range(4, order + 1):
            f = p + np.uintp(3 * e)
            both = w * real(wx[e])
            r += both * src[f]
            g += both * src[f + one]
            b += both * src[f + two]
        p += step
    out[start], out[start + 1], out[start + 2] = r, g, b


@compiled.part
def _sum(src, h, v, channels, planar, order, fills, w, place, total):
    for c in range(channels):
        total[c] = 0.0
    for a in range(1 if planar else order + 1):
        for b in range(order + 1):
            i, j = place[0, a], place[1, b]
            weight = w[0, a] * w[1, b]
            if i < 0 or j < 0:
                for c in range(channels):
                    total[c] += weight * fills[0, c]
                continue
            base = (i * h + j) * v
            for e in range(order + 1):
                k = place[2, e]
                both = weight * w[2, e]
                for c in range(channels):
                    value = fills[0, c]
                    if k >= 0:
                        value = float(src[(base + k) * channels + c])
                    total[c] += both * value
