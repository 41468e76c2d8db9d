"""What colour stages mean, in float64, and how values become integers. Shared by all backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import Floats
from imagemill.core.ops import CURVES, ChannelMix, Fit, Pointwise
from imagemill.engine.plan import Colour, ColourStage

Array = np.ndarray[Any, Any]


def to_dtype(values: Array, dtype: npt.DTypeLike) -> Array:
    """Values in a dtype: integers are rounded to even and saturate, ``nan`` becomes 0; half precision saturates."""
    dtype = np.dtype(dtype)
    if dtype == np.float16 and values.dtype != dtype:
        # 65,535 is beyond it, and would become infinite.
        limit = np.finfo(np.float16).max
        return np.asarray(np.clip(values, -limit, limit), dtype=dtype)
    if dtype.kind == "f" or values.dtype == dtype:
        return np.asarray(values, dtype=dtype)
    if values.dtype.kind in "iub":
        low, high = max_range(dtype)
        return np.asarray(np.clip(values, low, high), dtype=dtype)
    low, high = max_range(dtype)
    rounded = np.clip(np.rint(np.nan_to_num(values, nan=0.0, posinf=high, neginf=low)), low, high)
    return np.asarray(rounded, dtype=dtype)


def max_range(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Smallest and largest integer of a dtype."""
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def active(stage: ColourStage, row: int) -> bool:
    """Whether a stage does anything for a sample."""
    return isinstance(stage, ChannelMix) or stage.where is None or bool(stage.where[row])


def mixed(stage: ChannelMix, row: int, means: Floats | None) -> tuple[Floats, Floats]:
    """Matrix ``(C, C)`` and offset ``(C,)`` of one sample, its share of the means added in."""
    a, b = stage.matrix[row, :, :-1], stage.matrix[row, :, -1]
    if stage.pivot is not None:
        assert means is not None
        b = b + stage.pivot[row] @ means
    return a, b


def fitted(stage: Fit, values: Array) -> tuple[Floats, Floats]:
    """Gain and offset, each ``(C,)``, that a statistic asks for on these values ``(*shape, C)``."""
    channels = values.shape[-1]
    flat = values.reshape(-1, channels)
    axis = 0 if stage.per_channel else None
    if stage.statistic == "minmax":
        low, high = flat.min(axis=axis), flat.max(axis=axis)
        spread = np.asarray(high, np.float64) - low
        # A constant picture has nothing to stretch: it becomes 0.
        gain = np.where(spread > 0, 1.0 / np.where(spread > 0, spread, 1.0), 0.0)
        offset = np.where(spread > 0, -np.asarray(low, np.float64) * gain, 0.0)
    else:
        mean = flat.mean(axis=axis, dtype=np.float64) if stage.centre else 0.0
        std = flat.std(axis=axis, dtype=np.float64) if stage.scale else 1.0
        gain = np.asarray(1.0 / (std + stage.epsilon) if stage.scale else 1.0)
        offset = -mean * gain
    return np.broadcast_to(gain, (channels,)).astype(np.float64), np.broadcast_to(offset, (channels,)).astype(
        np.float64
    )


def apply_stage(stage: ColourStage, row: int, values: Array) -> Array:
    """One stage on float values ``(*shape, C)``; a new array, in the same float dtype."""
    if not active(stage, row):
        return values
    if isinstance(stage, ChannelMix):
        means = None
        if stage.pivot is not None:
            means = values.reshape(-1, values.shape[-1]).mean(axis=0, dtype=np.float64)
        a, b = mixed(stage, row, means)
        return np.asarray(values @ a.T.astype(values.dtype) + b.astype(values.dtype))
    if isinstance(stage, Fit):
        gain, offset = fitted(stage, values)
        return np.asarray(values * gain.astype(values.dtype) + offset.astype(values.dtype))
    return apply_curve(stage, row, values)


def apply_curve(stage: Pointwise, row: int, values: Array) -> Array:
    """A curve on the leading channels of float values."""
    out = values.copy()
    colours = values[..., : stage.channels]
    out[..., : stage.channels] = CURVES[stage.curve](colours, stage.params[row])
    return out


def apply_colour(colour: Colour, row: int, values: Array) -> Array:
    """A whole colour run by its definition, in the float dtype of ``values`` (float64 is the meaning)."""
    for stage in colour.stages:
        values = apply_stage(stage, row, values)
    return to_dtype(values, colour.dtype)
