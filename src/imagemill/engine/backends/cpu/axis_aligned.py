"""Maps that scale axes apart: crop, resize, zoom and their flips, one axis after the other.

``cv2.resize`` serves whole-pixel windows; a window that starts between pixels gets tables of indices and
weights per axis, made here and summed by one compiled kernel. Both 2-D and 3-D, any number of channels.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import scipy.interpolate as _interpolate

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.slices import paint
from imagemill.engine.backends.cpu.splines import coefficient_dtype, coefficients
from imagemill.engine.backends.stages import AxisAligned, integer_index

Array = np.ndarray[Any, Any]
Floats = npt.NDArray[np.float64]
Table = tuple[npt.NDArray[np.int64], Floats, Floats]
"""Indices ``(m, taps)``, weights ``(m, taps)``, and the weight per sample that falls on the fill value."""

_CV2_LINEAR = frozenset(map(np.dtype, ("uint8", "uint16", "int16", "float32", "float64")))


def integer_window(aligned: AxisAligned, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> list[slice] | None:
    """The block of whole input pixels that the output's outer edges enclose, or None."""
    if len(in_shape) != 2 or aligned.perm != (0, 1) or min(aligned.scale) <= 0:
        return None
    block = []
    for scale, offset, n, m in zip(aligned.scale, aligned.offset, in_shape, out_shape, strict=True):
        start = offset + 0.5 - 0.5 * scale
        stop = start + scale * m
        low, high = round(start), round(stop)
        if abs(start - low) + abs(stop - high) > 1e-6 or low < 0 or high > n or high <= low:
            return None
        block.append(slice(low, high))
    return block


def cv2_exact(block: list[slice], in_shape: tuple[int, ...], out_shape: tuple[int, ...], border: str) -> bool:
    """Whether ``cv2.resize`` of the block alone shows what the whole image would.

    Enlarging reads half a pixel beyond the block, where cv2 repeats the block's edge: right only at the
    image's own edge, under a border that repeats it too.
    """
    for part, n, m in zip(block, in_shape, out_shape, strict=True):
        if m > part.stop - part.start and (part != slice(0, n) or border not in ("nearest", "reflect")):
            return False
    return max(*in_shape, *out_shape) < 32767


def cv2_resizes(dtype: np.dtype[Any], channels: int) -> bool:
    """Whether ``cv2.resize`` takes this kind of image."""
    return dtype in _CV2_LINEAR and channels <= 4


def resize_block(src: Array, block: list[slice], aligned: AxisAligned, out: Array, *, area: bool) -> None:
    """Resize whole pixels with OpenCV, straight into ``out``."""
    part = src[block[0], block[1]]
    target = out
    if out.shape[-1] == 1:
        part, target = part[..., 0], out[..., 0]
    how = cv2.INTER_AREA if area else cv2.INTER_LINEAR
    result = cv2.resize(part, (out.shape[1], out.shape[0]), dst=target, interpolation=how)
    if result is not target:
        target[...] = result
    paint(out, aligned.boxes)


def separable(
    src: Array,
    aligned: AxisAligned,
    out: Array,
    *,
    order: int,
    border: str,
    fill: Floats,
    factors: tuple[float, ...] | None,
) -> None:
    """Resample axis by axis through weight tables.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    aligned : AxisAligned
    out : array, ``(*out_shape, C)``
        Written; integers rounded half to even and saturated.
    order : {0, 1, 3, 5}
    border : str
    fill : array, ``(C,)``
    factors : tuple of float per input axis, or None
        Axes with a factor above 1 are averaged by area.
    """
    d = len(aligned.perm)
    pads = [0] * d
    smooth = [axis for axis in range(d) if factors is None or factors[axis] <= 1.0]
    source_dtype = src.dtype
    # Area comes before interpolation, so that a spline is fitted to the pixels that are left.
    source_axis = [aligned.perm.index(axis) for axis in range(d)]
    work = src.transpose(*source_axis, d)
    shrunk = [o for o in range(d) if source_axis[o] not in smooth]
    for o in sorted(shrunk, key=lambda o: out.shape[o] / src.shape[source_axis[o]]):
        i = source_axis[o]
        q = aligned.scale[i] * np.arange(out.shape[o]) + aligned.offset[i]
        work = _along(work, o, area_taps(q, abs(float(aligned.scale[i])), work.shape[o], border), fill, source_dtype)
    others = [o for o in range(d) if o not in shrunk]
    if order > 1 and others:
        work, pad = coefficients(work, order, border, tuple(others), fill)
        for o in others:
            pads[o] = pad
    for o in sorted(others, key=lambda o: out.shape[o] / work.shape[o]):
        i = source_axis[o]
        q = aligned.scale[i] * np.arange(out.shape[o]) + (aligned.offset[i] + pads[o])
        if order == 1 and len(q) == work.shape[o] and np.array_equal(q, np.arange(len(q))):
            continue
        table = spline_taps(q, order, work.shape[o], border)
        work = _along(work, o, table, fill, source_dtype)
    write(work, out)
    paint(out, aligned.boxes)


def spline_taps(q: Floats, order: int, n: int, border: str) -> Table:
    """Tables of B-spline interpolation at coordinates ``q`` of an axis of ``n`` pixels or coefficients."""
    if order == 0:
        index = integer_index(np.floor(q + 0.5).astype(np.int64)[:, None], n, border)
        weights = np.ones_like(index, np.float64)
    else:
        if border == "nearest":
            q = np.clip(q, 0.0, n - 1.0)
        low = np.floor(q)
        taps = np.arange(order + 1)
        index = integer_index(low.astype(np.int64)[:, None] - order // 2 + taps, n, border)
        basis = _interpolate.BSpline.basis_element(np.arange(order + 2, dtype=np.float64), extrapolate=False)
        weights = np.nan_to_num(basis((q - low)[:, None] + (order - taps)))
    return _fold_lost(index, weights)


def area_taps(q: Floats, width: float, n: int, border: str) -> Table:
    """Tables of box averages of ``width`` pixels about coordinates ``q``."""
    low = q - width / 2
    pixel = np.floor(low + 0.5).astype(np.int64)[:, None] + np.arange(int(np.ceil(width)) + 1)
    overlap = np.minimum(pixel + 0.5, (low + width)[:, None]) - np.maximum(pixel - 0.5, low[:, None])
    return _fold_lost(integer_index(pixel, n, border), np.maximum(overlap, 0.0) / width)


def _fold_lost(index: npt.NDArray[np.int64], weights: Floats) -> Table:
    lost = np.where(index < 0, weights, 0.0)
    return np.maximum(index, 0), weights - lost, lost.sum(axis=1)


def _along(work: Array, axis: int, table: Table, fill: Floats, source: np.dtype[Any]) -> Array:
    """Apply one axis' table; sums are float32 unless the source needs more."""
    index, weights, lost = table
    if len(index) == 0:
        return np.empty((*work.shape[:axis], 0, *work.shape[axis + 1 :]), coefficient_dtype(source))
    low = int(index.min())
    part = work[(slice(None),) * axis + (slice(low, int(index.max()) + 1),)]
    before = int(np.prod(part.shape[:axis]))
    flat = np.ascontiguousarray(part).reshape(before, part.shape[axis], -1)
    dtype = coefficient_dtype(source)
    out = np.empty((before, len(index), flat.shape[2]), dtype)
    line = np.tile(fill, flat.shape[2] // len(fill)).astype(dtype)
    sum_axis(flat, index - low, weights.astype(dtype), lost.astype(dtype), line, out)
    return out.reshape(*part.shape[:axis], len(index), *part.shape[axis + 1 :])


@compiled
def sum_axis(src, index, weights, lost, fill, out):
    """``out[a, m, b] = sum_t weights[m, t] * src[a, index[m, t], b] + lost[m] * fill[b]``."""
    real = out.dtype.type
    taps = index.shape[1]
    width = src.shape[2]
    for a in range(src.shape[0]):
        for m in range(index.shape[0]):
            row = out[a, m]
            first = src[a, index[m, 0]]
            w = weights[m, 0]
            for b in range(width):
                row[b] = w * real(first[b])
            for t in range(1, taps):
                w = weights[m, t]
                if w != 0.0:
                    line = src[a, index[m, t]]
                    for b in range(width):
                        row[b] += w * real(line[b])
            if lost[m] != 0.0:
                for b in range(width):
                    row[b] += lost[m] * fill[b]


def write(work: Array, out: Array) -> None:
    """Copy float samples into ``out``; integers are rounded half to even and saturated."""
    if out.dtype.kind == "f":
        out[...] = work
    else:
        bounds = np.iinfo(out.dtype)
        np.copyto(out, np.clip(np.rint(work), bounds.min, bounds.max), casting="unsafe")
