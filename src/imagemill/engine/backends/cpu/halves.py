"""Half precision read and written, many values at once: numpy converts them one by one."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.engine.backends.cpu.bits import HALVES, from_half, half_of
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.colour_values import to_dtype

__all__ = ["halved", "single"]

Array = np.ndarray[Any, Any]


@compiled
def _write(src, most, out):
    for i in range(src.size):
        # In this order NaN stays what it is.
        value = src[i]
        value = most if value > most else value
        out[i] = half_of(-most if value < -most else value)


@compiled
def _read(src, out):
    for i in range(src.size):
        out[i] = from_half(src[i])


def halved(values: Array, out: Array) -> None:
    """Values in half precision, those beyond it at its ends; ``out`` is of the same shape, with any strides.

    Examples
    --------
    >>> out = np.empty(3, np.float16)
    >>> halved(np.array([0.1, 70000, -np.inf], np.float32), out)
    >>> out.tolist()
    [0.0999755859375, 65504.0, -65504.0]
    """
    if not HALVES or values.dtype != np.float32 or not values.flags.c_contiguous:
        out[...] = to_dtype(values, np.float16)
        return
    direct = out.flags.c_contiguous
    made = out if direct else np.empty(out.shape, np.float16)
    most = np.float32(np.finfo(np.float16).max)
    _write(values.reshape(-1), most, made.reshape(-1).view(np.uint16))
    if not direct:
        out[...] = made


def single(values: Array) -> Array:
    """Half precision in single precision, in a new array.

    Examples
    --------
    >>> single(np.array([0.5, -2, np.inf], np.float16))
    array([ 0.5, -2. ,  inf], dtype=float32)
    """
    if not HALVES:
        return values.astype(np.float32)
    made = np.empty(values.shape, np.float32)
    _read(np.ascontiguousarray(values).reshape(-1).view(np.uint16), made.reshape(-1))
    return made
