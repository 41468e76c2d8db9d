"""The second half of :mod:`photo_kernels`: a photo of float32 samples coloured into its place in the batch.

Which loop is compiled follows from the output alone: bytes or floats, pixels or planes.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numba
import numpy as np
from numba.extending import overload

from imagemill.engine.backends.cpu.colour.mix_loops import settled, three
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["paint"]


@compiled.part
def _alone(p):
    """Whether each channel is made of itself alone."""
    mixed = False
    for k in range(1, 8):
        mixed |= k != 4 and p[k] != 0.0
    return not mixed


@compiled.part
def _alike(p):
    """Whether all channels are made in the same way, each of itself alone."""
    same = _alone(p)
    for k in range(1, 3):
        same &= p[4 * k] == p[0] and p[9 + k] == p[9] and p[14 + k] == p[14] and p[17 + k] == p[17]
    return same


@compiled.part
def _pixels(src, p, out):
    """:func:`imagemill.engine.backends.cpu.colour.mix_loops.three` with the channels side by side."""
    a00, a01, a02, a10, a11, a12 = p[0], p[1], p[2], p[3], p[4], p[5]
    a20, a21, a22, b0, b1, b2 = p[6], p[7], p[8], p[9], p[10], p[11]
    low, high, least, most = p[12], p[13], p[20], p[21]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    for i in range(len(src) // 3):
        x, y, z = src[3 * i], src[3 * i + 1], src[3 * i + 2]
        q = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        r = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        v = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2
        out[3 * i] = settled(q, least, most, out)
        out[3 * i + 1] = settled(r, least, most, out)
        out[3 * i + 2] = settled(v, least, most, out)


@compiled.part
def _pixels_alike(src, p, out):
    """:func:`_pixels` for channels that are alike: then whatever is next in memory fills a vector."""
    low, high, least, most = p[12], p[13], p[20], p[21]
    a0, b0, s0, t0 = p[0], p[9], p[14], p[17]
    for k in range(np.uintp(len(src))):
        out[k] = settled(s0 * min(max(a0 * src[k] + b0, low), high) + t0, least, most, out)


@compiled.part
def _planes_alone(src, p, out0, out1, out2):
    """:func:`imagemill.engine.backends.cpu.colour.mix_loops.three` where no channel is made of another."""
    low, high = p[12], p[13]
    a0, a1, a2, b0, b1, b2 = p[0], p[4], p[8], p[9], p[10], p[11]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    for i in range(len(out0)):
        out0[i] = s0 * min(max(a0 * src[3 * i] + b0, low), high) + t0
        out1[i] = s1 * min(max(a1 * src[3 * i + 1] + b1, low), high) + t1
        out2[i] = s2 * min(max(a2 * src[3 * i + 2] + b2, low), high) + t2


def _paint_pixels(src, p, out, i):
    if _alike(p):
        _pixels_alike(src, p, out[i])
    else:
        _pixels(src, p, out[i])


def _paint_planes(src, p, out, i):
    if _alone(p):
        _planes_alone(src, p, out[i, 0], out[i, 1], out[i, 2])
    else:
        three(src, p, out[i, 0], out[i, 1], out[i, 2])


def _paint_planes_of_bytes(src, p, out, i):
    three(src, p, out[i, 0], out[i, 1], out[i, 2])


def _chosen(ndim, kind):
    if ndim == 2:
        return _paint_pixels
    return _paint_planes_of_bytes if kind == "u" else _paint_planes


def paint(src, p, out, i):
    """Colour photo ``i``, by numbers as :func:`imagemill.engine.backends.cpu.colour.mix_loops.packed` has them.

    ``src`` are float32 samples ``(pixels * 3,)``; ``out`` has pixels ``(n, pixels * 3)`` or planes ``(n, 3, pixels)``.
    """
    _chosen(out.ndim, out.dtype.kind)(src, p, out, i)


@overload(paint)
def _paint(src, p, out, i):
    del src, p, i
    return _chosen(out.ndim, "u" if isinstance(out.dtype, numba.types.Integer) else "f")
