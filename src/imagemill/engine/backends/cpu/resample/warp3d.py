"""Compiled warps of any chain: volumes, and images wherever OpenCV is not exact enough.

A 2-D image is a volume of one plane. The chain is evaluated row by row, so no displacement field is stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Stage, Window
from imagemill.engine.backends.cpu.flat import Chain, flatten, is_planar
from imagemill.engine.backends.cpu.resample.axis_aligned import write
from imagemill.engine.backends.cpu.resample.lines import scratch
from imagemill.engine.backends.cpu.resample.samplers import gather, linear
from imagemill.engine.backends.cpu.resample.spline_sampler import spline
from imagemill.engine.backends.cpu.resample.splines import coefficient_dtype, coefficients
from imagemill.engine.chains import BORDERS, fill_vector, label_value, saturate

Array = np.ndarray[Any, Any]

_SAMPLES = 1024
"""How many samples are run at once where rows are short, so that a call is worth its while."""


def warp_image(
    src: Array,
    stages: tuple[Stage, ...],
    out: Array,
    *,
    order: int,
    border: str,
    fill: npt.NDArray[np.float64],
) -> None:
    """Resample ``src`` ``(*shape, C)`` into ``out`` ``(*out_shape, C)``, rounding and saturating integers."""
    channels = src.shape[-1]
    fills = _image_fills(fill, stages)
    if order <= 1 and out.dtype.kind == "f":
        # A float result of integers is not rounded: the source becomes float, and the kernels stay few.
        src = src.astype(out.dtype, copy=False)
    dtype = src.dtype if order <= 1 else coefficient_dtype(src.dtype)
    target = out if out.dtype == dtype else np.empty(out.shape, dtype)
    if order == 0:
        _gather(src, flatten(stages, out.shape[:-1]), saturate(fills, dtype), border, target, channels)
    elif order == 1:
        _linear(src, stages, target, border, fills)
    else:
        _spline(src, stages, target, order, border, fills)
    if target is not out:
        write(target, out)


def _linear(src: Array, stages: tuple[Stage, ...], out: Array, border: str, fills: Array) -> None:
    d, channels = src.ndim - 1, src.shape[-1]
    low, high = _limits(out.dtype)
    shape = _three(out.shape[:d])
    chain = flatten(stages, out.shape[:d])
    together = _together(border, shape)
    acc = np.empty((4, together * shape[2] * channels), coefficient_dtype(src.dtype))
    linear(
        _flat(src), _three(src.shape[:d]), channels, chain, is_planar(stages, d), BORDERS[border], fills,
        low, high, out.reshape(-1), shape, scratch(together * shape[2], chain[0], chain[3], shape[2]), acc, together,
    )  # fmt: skip


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Bounds of an integer dtype; the lower above the upper for floats, which have none."""
    return (1.0, -1.0) if dtype.kind == "f" else (float(np.iinfo(dtype).min), float(np.iinfo(dtype).max))


def _image_fills(fill: npt.NDArray[np.float64], stages: tuple[Stage, ...]) -> Array:
    return np.stack([fill, *(fill_vector(s.fill if isinstance(s, Window) else 0.0, len(fill)) for s in stages)])


def _label_fills(fill: int, stages: tuple[Stage, ...], dtype: np.dtype[Any]) -> Array:
    values = [fill, *(s.mask_fill if isinstance(s, Window) else 0 for s in stages)]
    return np.array([[label_value(v, dtype)] for v in values], dtype)


def _bits(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Copying does not look at values, so one kernel per size of item serves every dtype."""
    return np.dtype(f"u{dtype.itemsize}")


def _spline(src: Array, stages: tuple[Stage, ...], out: Array, order: int, border: str, fills: Array) -> None:
    d, channels = src.ndim - 1, src.shape[-1]
    planar = is_planar(stages, d)
    coef, pad = coefficients(src, order, border, tuple(range(d - 2 if planar else 0, d)), fills[0])
    chain = flatten(stages, out.shape[:d], (0.0 if planar else float(pad), float(pad), float(pad)) if pad else None)
    shape = _three(out.shape[:d])
    taps = (np.empty((3, 6)), np.empty((3, 6), np.int64))
    spline(
        _flat(coef), _three(coef.shape[:d]), channels, chain, planar, BORDERS[border], order, fills,
        out.reshape(-1), shape, scratch(shape[2], chain[0], chain[3], shape[2]), taps,
    )  # fmt: skip


def warp_labels(src: Array, stages: tuple[Stage, ...], out: Array, *, border: str, fill: int) -> None:
    """Move labels ``src`` ``(*shape)`` into ``out`` ``(*out_shape)`` of the same dtype."""
    fills = _label_fills(fill, stages, src.dtype)
    _gather(src[..., None], flatten(stages, out.shape), fills, border, out[..., None], 1)


def _gather(src: Array, chain: Chain, fills: Array, border: str, out: Array, channels: int) -> None:
    bits = _bits(src.dtype)
    shape = _three(out.shape[:-1])
    together = _together(border, shape)
    gather(
        _flat(src).view(bits), _three(src.shape[:-1]), channels, chain, BORDERS[border],
        np.ascontiguousarray(fills).view(bits), out.reshape(-1).view(bits), shape,
        scratch(together * shape[2], chain[0], chain[3], shape[2]), together,
    )  # fmt: skip


def _together(border: str, shape: tuple[int, int, int]) -> int:
    """How many rows are run at once; a border that stays outside is quicker to skip row by row."""
    if border in ("constant", "wrap"):
        return 1
    return max(1, min(_SAMPLES // max(shape[2], 1), shape[1]))


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    return (1, shape[0], shape[1]) if len(shape) == 2 else (shape[0], shape[1], shape[2])


def _flat(src: Array) -> Array:
    flat = np.ascontiguousarray(src).reshape(-1)
    return flat if flat.flags.writeable else np.asarray(_Borrowed(flat))


class _Borrowed:
    """A read-only array shown as a writable one, without a copy.

    Kernels never write to their source, but would be compiled once more for a read-only one.
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self.__array_interface__ = {
            "version": 3,
            "typestr": array.dtype.str,
            "shape": array.shape,
            "data": (array.__array_interface__["data"][0], False),
        }
