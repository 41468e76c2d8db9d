"""The loops of :mod:`mix`, written out per channel and without branches inside, so that they are vectorised.

Each is compiled for what it reads and writes: whether values are rounded at the end follows from the type of the
output (:func:`settled`) while it is compiled, so that nobody waits for a loop that nobody runs.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.extending import overload

from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["alike_three", "any_matrix", "apart", "one", "packed", "settled", "three", "together"]

Array = np.ndarray[Any, Any]


def packed(a: Array, b: Array, s: Array, t: Array, limits: Array) -> Array:
    """The 22 numbers of ``s clip(a x + b) + t`` for three channels.

    Nine of ``a``, three of ``b``, the two ends of the clip, three of ``s``, three of ``t``, the range of the output.
    """
    return np.concatenate([a.reshape(-1), b, limits[:2], s, t, limits[2:]])


def _whole(value, least, most, out):  # numba asks for one list of names, and knows no del
    return np.rint(min(max(value, least), most))


def _as_it_is(value, least, most, out):
    return value


def settled(value, least, most, out):
    """A value as ``out`` holds it: a whole number within its range, or the value itself where ``out`` holds floats."""
    return (_whole if out.dtype.kind in "iu" else _as_it_is)(value, least, most, out)


@overload(settled)
def _settled(value, least, most, out):
    del value, least, most
    return _whole if isinstance(out.dtype, numba.types.Integer) else _as_it_is


@compiled
def one(src, a, b, limits, a2, b2, out):
    """One channel."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    zero = a - a
    for i in range(src.shape[0]):
        out[i] = settled(a2 * min(max(a * (src[i] + zero) + b, low), high) + b2, least, most, out)


@compiled
def alike_three(src, a, b, limits, a2, b2, none, out):
    """All channels by the same numbers, to the last bit as `together` has them: ``none`` is 0, in the others' place."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    for i in range(src.shape[0]):
        x = src[i] + none
        out[i] = settled(a2 * min(max(a * x + none * x + b, low), high) + b2, least, most, out)


@compiled
def together(src, p, out):
    """Three channels side by side, by numbers as :func:`packed` has them."""
    a00, a01, a02, a10, a11, a12 = p[0], p[1], p[2], p[3], p[4], p[5]
    a20, a21, a22, b0, b1, b2 = p[6], p[7], p[8], p[9], p[10], p[11]
    low, high, least, most = p[12], p[13], p[20], p[21]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    zero = a00 - a00
    for i in range(src.shape[0] // 3):
        x, y, z = src[3 * i] + zero, src[3 * i + 1] + zero, src[3 * i + 2] + zero
        q = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        r = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        v = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2
        out[3 * i] = settled(q, least, most, out)
        out[3 * i + 1] = settled(r, least, most, out)
        out[3 * i + 2] = settled(v, least, most, out)


@compiled
def three(src, p, out0, out1, out2):
    """Three channels side by side into planes, by numbers as :func:`packed` has them."""
    a00, a01, a02, a10, a11, a12 = p[0], p[1], p[2], p[3], p[4], p[5]
    a20, a21, a22, b0, b1, b2 = p[6], p[7], p[8], p[9], p[10], p[11]
    low, high, least, most = p[12], p[13], p[20], p[21]
    s0, s1, s2, t0, t1, t2 = p[14], p[15], p[16], p[17], p[18], p[19]
    zero = a00 - a00
    for i in range(out0.shape[0]):
        x, y, z = src[3 * i] + zero, src[3 * i + 1] + zero, src[3 * i + 2] + zero
        q = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        r = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        v = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2
        out0[i] = settled(q, least, most, out0)
        out1[i] = settled(r, least, most, out1)
        out2[i] = settled(v, least, most, out2)


@compiled
def apart(src, s1, t1, limits, s2, t2, out):
    """Any number of channels, each by numbers of its own."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    zero = s1[0] - s1[0]
    channels = src.shape[1]
    for i in range(src.shape[0]):
        for c in range(channels):
            v = s2[c] * min(max(s1[c] * (src[i, c] + zero) + t1[c], low), high) + t2[c]
            out[i, c] = settled(v, least, most, out)


@compiled
def any_matrix(src, a, b, limits, a2, b2, out):
    """Any number of channels, each made of all."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    channels = src.shape[1]
    middle = np.empty_like(b)
    for i in range(src.shape[0]):
        for c in range(channels):
            v = b[c]
            for k in range(channels):
                v += a[c, k] * src[i, k]
            middle[c] = min(max(v, low), high)
        for c in range(channels):
            v = b2[c]
            for k in range(channels):
                v += a2[c, k] * middle[k]
            out[i, c] = settled(v, least, most, out)
