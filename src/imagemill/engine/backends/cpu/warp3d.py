"""Compiled warps of any chain: volumes, and images wherever OpenCV is not exact enough.

A 2-D image is a volume of one plane. The chain is evaluated row by row, so no displacement field is stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.maps import Stage, Window
from imagemill.engine.backends.cpu.axis_aligned import write
from imagemill.engine.backends.cpu.flat import Chain, flatten, is_planar
from imagemill.engine.backends.cpu.rows import scratch
from imagemill.engine.backends.cpu.samplers import gather, linear
from imagemill.engine.backends.cpu.spline_sampler import spline
from imagemill.engine.backends.cpu.splines import coefficient_dtype, coefficients
from imagemill.engine.backends.stages import BORDERS, label_value, saturate

Array = np.ndarray[Any, Any]


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
    fills = np.stack([fill, *(np.full(channels, _window_fill(s)) for s in stages)])
    if order <= 1 and out.dtype.kind == "f":
        # A float result of integers is not rounded: the source becomes float, and the kernels stay few.
        src = src.astype(out.dtype, copy=False)
    dtype = src.dtype if order <= 1 else coefficient_dtype(src.dtype)
    target = out if out.dtype == dtype else np.empty(out.shape, dtype)
    if order == 0:
        _gather(src, flatten(stages), saturate(fills, dtype), border, target, channels)
    elif order == 1:
        _linear(src, stages, target, border, fills)
    else:
        _spline(src, stages, target, order, border, fills)
    if target is not out:
        write(target, out)


def _linear(src: Array, stages: tuple[Stage, ...], out: Array, border: str, fills: Array) -> None:
    d, channels = src.ndim - 1, src.shape[-1]
    low, high = 1.0, -1.0
    if out.dtype.kind != "f":
        low, high = float(np.iinfo(out.dtype).min), float(np.iinfo(out.dtype).max)
    shape = _three(out.shape[:d])
    acc = np.empty((4, shape[2] * channels), coefficient_dtype(src.dtype))
    chain = flatten(stages)
    linear(
        _flat(src), _three(src.shape[:d]), channels, chain, is_planar(stages, d), BORDERS[border], fills,
        low, high, out.reshape(-1), shape, scratch(shape[2], chain[3]), acc,
    )  # fmt: skip


def _spline(src: Array, stages: tuple[Stage, ...], out: Array, order: int, border: str, fills: Array) -> None:
    d, channels = src.ndim - 1, src.shape[-1]
    planar = is_planar(stages, d)
    coef, pad = coefficients(src, order, border, tuple(range(d - 2 if planar else 0, d)), fills[0])
    chain = flatten(stages, (0.0 if planar else float(pad), float(pad), float(pad)) if pad else None)
    shape = _three(out.shape[:d])
    taps = (np.empty((3, 6)), np.empty((3, 6), np.int64))
    spline(
        _flat(coef), _three(coef.shape[:d]), channels, chain, planar, BORDERS[border], order, fills,
        out.reshape(-1), shape, scratch(shape[2], chain[3]), taps,
    )  # fmt: skip


def warp_labels(src: Array, stages: tuple[Stage, ...], out: Array, *, border: str, fill: int) -> None:
    """Move labels ``src`` ``(*shape)`` into ``out`` ``(*out_shape)`` of the same dtype."""
    values = [fill, *(s.mask_fill if isinstance(s, Window) else 0 for s in stages)]
    fills = np.array([[label_value(v, src.dtype)] for v in values], src.dtype)
    _gather(src[..., None], flatten(stages), fills, border, out[..., None], 1)


def _gather(src: Array, chain: Chain, fills: Array, border: str, out: Array, channels: int) -> None:
    # Copying does not look at values, so one kernel per size of item serves every dtype.
    bits = np.dtype(f"u{src.dtype.itemsize}")
    shape = _three(out.shape[:-1])
    gather(
        _flat(src).view(bits), _three(src.shape[:-1]), channels, chain, BORDERS[border],
        np.ascontiguousarray(fills).view(bits), out.reshape(-1).view(bits), shape,
        scratch(shape[2], chain[3]),
    )  # fmt: skip


def _window_fill(stage: Stage) -> float:
    return stage.fill if isinstance(stage, Window) else 0.0


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
