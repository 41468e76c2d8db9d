"""Convolutions on the CPU: for pictures of bytes our own, else OpenCV's; along an axis of a volume loops of ours.

Kernels of a batch have one size, with zeros about the small ones. The zeros are cut off before anything is computed, so
that a sample's result does not depend on who else is in its batch.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from imagemill.core.finite import working
from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.altering import byte_filters, line_filter
from imagemill.engine.colour_values import to_dtype

__all__ = ["convolved", "rounded", "trimmed"]

Array = np.ndarray[Any, Any]

_BORDER = cv2.BORDER_REFLECT_101
_FEW = 4
"""Channels that OpenCV filters together; more are filtered one by one."""


def trimmed(kernel: Floats) -> Floats:
    """A kernel without the zeros about it, its middle staying the middle; a single 1 for the identity."""
    return _trimmed(kernel.shape, np.ascontiguousarray(kernel, np.float64).tobytes())


@lru_cache(maxsize=128)
def _trimmed(shape: tuple[int, ...], values: bytes) -> Floats:
    """The same by its content: calls that follow each other often have one kernel."""
    kernel = np.frombuffer(values).reshape(shape)
    for axis in range(kernel.ndim):
        used = np.flatnonzero(kernel.any(axis=tuple(a for a in range(kernel.ndim) if a != axis)))
        side = kernel.shape[axis]
        spare = 0 if not len(used) else min(int(used[0]), side - 1 - int(used[-1]))
        if spare:
            kernel = kernel[(*(slice(None),) * axis, slice(spare, side - spare))]
    return kernel


def _one(kernel: Floats) -> bool:
    """Whether a kernel changes nothing."""
    return kernel.size == 1 and float(kernel.flat[0]) == 1.0


def convolved(src: Array, kernels: list[Floats], dtype: np.dtype[Any], out: Array | None = None) -> Array:
    """An image ``(*shape, C)`` through kernels one after the other.

    Parameters
    ----------
    dtype : dtype
        The source's, rounded and saturated, or floating point.
    out : array, optional
        C-contiguous, where the result may be written.
    """
    used = [k for k in map(trimmed, kernels) if not _one(k)]
    if not used:
        return rounded(src, dtype)
    if src.ndim == 3:
        return _picture(src, used, dtype, out)
    room = out if out is not None and out.dtype == np.float32 == dtype else None
    return rounded(_volume(src.astype(working(src.dtype), copy=False), used, room), dtype)


def _picture(src: Array, kernels: list[Floats], dtype: np.dtype[Any], out: Array | None = None) -> Array:
    channels, kind = src.shape[-1], working(src.dtype)
    if channels > _FEW:
        planes = [_picture(np.ascontiguousarray(src[..., c : c + 1]), kernels, dtype) for c in range(channels)]
        return np.concatenate(planes, axis=-1)
    if dtype == np.uint8 and (made := _bytes(src, kernels, out)) is not None:
        return made
    direct = src.dtype in _DEPTHS and dtype in _DEPTHS
    found: Array = np.ascontiguousarray(src if direct else src.astype(kind))
    kernels = list(kernels)
    while kernels:
        down = kernels.pop(0)
        along = kernels.pop(0) if kernels and down.shape[1] == 1 and kernels[0].shape[0] == 1 else None
        # Rounded once, by the last of them, which OpenCV does as it writes.
        depth = _DEPTHS[dtype if direct and not kernels else kind]
        room = out if not kernels and out is not None and out.dtype == dtype else None
        if along is None and 1 not in down.shape:
            found = cv2.filter2D(found, depth, down.astype(kind), dst=room, borderType=_BORDER)
            continue
        if along is None:
            down, along = (down, _SAME) if down.shape[1] == 1 else (_SAME, down)
        if _even(down) and _even(along):
            # A running sum, whose cost does not depend on the width.
            found = cv2.boxFilter(found, depth, (along.size, down.size), dst=room, borderType=_BORDER)
            continue
        found = cv2.sepFilter2D(found, depth, _line(along, kind), _line(down, kind), dst=room, borderType=_BORDER)
    return rounded(found.reshape(src.shape), dtype)


def _bytes(src: Array, kernels: list[Floats], out: Array | None) -> Array | None:
    """By the kernels for bytes: one that has no lines of its own, or a column and a row; None for any other."""
    down, along = kernels[0], kernels[-1]
    crossed = len(kernels) == 2 and down.shape[1] == 1 and along.shape[0] == 1
    if not crossed and (len(kernels) > 1 or 1 in down.shape):
        return None
    sides = (down.shape[0], along.shape[1])
    if not byte_filters.fits(src, (sides[0] // 2, sides[1] // 2)) or not (sides[0] % 2 and sides[1] % 2):
        return None
    if crossed and _even(down) and _even(along):
        return None  # OpenCV's running sum is quicker
    made = np.empty(src.shape, np.uint8) if out is None else out
    if crossed:
        byte_filters.crosswise(np.ascontiguousarray(src), down.reshape(-1), along.reshape(-1), made)
    else:
        byte_filters.weighed(src, down, made)
    return made


def _even(kernel: Floats) -> bool:
    """Whether a kernel is the mean of what it covers."""
    if kernel.flat[0] != kernel.flat[-1]:
        return False
    return bool((kernel == kernel.flat[0]).all()) and abs(float(kernel.sum()) - 1) < 1e-12


_SAME = np.ones((1, 1))
_DEPTHS = {
    np.dtype(np.uint8): cv2.CV_8U,
    np.dtype(np.uint16): cv2.CV_16U,
    np.dtype(np.int16): cv2.CV_16S,
    np.dtype(np.float32): cv2.CV_32F,
    np.dtype(np.float64): cv2.CV_64F,
}
"""What OpenCV filters as it is."""


def _line(kernel: Floats, kind: np.dtype[Any]) -> Array:
    return np.ascontiguousarray(kernel.reshape(-1), dtype=kind)


def _volume(values: Array, kernels: list[Floats], out: Array | None) -> Array:
    import scipy.ndimage as ndi

    shape = values.shape
    longest = [tuple(axis for axis, side in enumerate(kernel.shape) if side > 1) for kernel in kernels]
    if longest == [(0,), (1,), (2,)] and values.dtype == np.float32:
        lines = [kernel.reshape(-1) for kernel in kernels]
        return line_filter.along_all(np.ascontiguousarray(values), lines, out)
    rooms: list[Array | None] = [None, out]
    for left, kernel in zip(reversed(range(len(kernels))), kernels, strict=True):
        long = [axis for axis, side in enumerate(kernel.shape) if side > 1]
        if len(long) <= 1 and values.dtype == np.float32:
            # Into two rooms by turns, the last time into the one that was asked for.
            turn = 1 - left % 2
            room = line_filter.along(np.ascontiguousarray(values), (long or [0])[0], kernel.reshape(-1), rooms[turn])
            values = rooms[turn] = room
        elif kernel.shape[0] == 1:
            values = np.stack([_picture(part, [kernel[0]], values.dtype) for part in values])
        else:
            parts = [ndi.correlate(values[..., c], kernel, mode="mirror") for c in range(shape[-1])]
            values = np.stack(parts, axis=-1)
    return values


def rounded(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values in a dtype, integers rounded to even and saturated."""
    if dtype == np.uint8 and values.dtype == np.float32 and values.flags.c_contiguous:
        made = np.empty(values.shape, dtype)
        # OpenCV's conversion does both; a sum is how it is reached from Python.
        flat = values.reshape(1, -1)
        cv2.addWeighted(flat, 1.0, flat, 0.0, 0.0, dst=made.reshape(1, -1), dtype=cv2.CV_8U)
        return made
    return to_dtype(values, dtype)
