"""The second half of :mod:`photo_kernels`: samples in three planes coloured into their places in the batch.

Which loop is compiled follows from the output alone: bytes or floats, pixels or planes.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np
from numba.extending import overload

from imagemill.engine.backends.cpu.colour.mix_loops import settled

__all__ = ["paint"]


def _planes(red, green, blue, p, count, out, i, at):
    a00, a01, a02, a10, a11, a12 = p[0], p[1], p[2], p[3], p[4], p[5]
    a20, a21, a22, b0, b1, b2 = p[6], p[7], p[8], p[9], p[10], p[11]
    low, high, least, most = p[12], p[13], p[20], p[21]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    out0, out1, out2 = out[i, 0, at:], out[i, 1, at:], out[i, 2, at:]
    for k in range(np.uintp(count)):
        x, y, z = red[k], green[k], blue[k]
        q = s0 * min(max(a00 * x + (a01 * y + (a02 * z + b0)), low), high) + t0
        r = s1 * min(max(a10 * x + (a11 * y + (a12 * z + b1)), low), high) + t1
        v = s2 * min(max(a20 * x + (a21 * y + (a22 * z + b2)), low), high) + t2
        out0[k] = settled(q, least, most, out0)
        out1[k] = settled(r, least, most, out1)
        out2[k] = settled(v, least, most, out2)


def _pixels(red, green, blue, p, count, out, i, at):
    a00, a01, a02, a10, a11, a12 = p[0], p[1], p[2], p[3], p[4], p[5]
    a20, a21, a22, b0, b1, b2 = p[6], p[7], p[8], p[9], p[10], p[11]
    low, high, least, most = p[12], p[13], p[20], p[21]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    made = out[i, 3 * at :]
    for k in range(np.uintp(count)):
        x, y, z = red[k], green[k], blue[k]
        q = s0 * min(max(a00 * x + (a01 * y + (a02 * z + b0)), low), high) + t0
        r = s1 * min(max(a10 * x + (a11 * y + (a12 * z + b1)), low), high) + t1
        v = s2 * min(max(a20 * x + (a21 * y + (a22 * z + b2)), low), high) + t2
        o = np.uintp(3) * k
        made[o] = settled(q, least, most, made)
        made[o + np.uintp(1)] = settled(r, least, most, made)
        made[o + np.uintp(2)] = settled(v, least, most, made)


def paint(red, green, blue, p, count, out, i, at):
    """Colour ``count`` samples of photo ``i``, from its place ``at`` on; a channel made of itself alone is so exactly.

    ``p`` are numbers as :func:`imagemill.engine.backends.cpu.colour.mix_loops.packed` has them; ``out`` has pixels
    ``(n, pixels * 3)`` or planes ``(n, 3, pixels)``.
    """
    (_pixels if out.ndim == 2 else _planes)(red, green, blue, p, count, out, i, at)


@overload(paint)
def _paint(red, green, blue, p, count, out, i, at):
    del red, green, blue, p, count, i, at
    return _pixels if out.ndim == 2 else _planes
