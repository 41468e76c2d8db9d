"""What colour stages mean, in float64, and how values become integers. Shared by all backends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.finite import filled, finite_of, working
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
    rounded = np.asarray(np.rint(values))
    np.clip(rounded, low, high, out=rounded)
    if np.isnan(rounded).any():
        np.nan_to_num(rounded, copy=False)
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


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What a statistic asks for: ``out = (x - shift) * gain``, each ``(C,)``."""

    shift: Floats
    gain: Floats


_CONSTANT = 16
"""Units in the last place of a picture's own size within which its values count as equal: interpolating a constant
picture leaves it within two or three."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How statistics are read of values ``[k, C]``, along an axis: 0 for each channel, None for all values together.

    Parameters
    ----------
    extremes, mean_and_std : callable
        Values and axis to two arrays of float64, ``(C,)`` or one number.
    """

    extremes: Callable[[Array, int | None], tuple[Floats, Floats]]
    mean_and_std: Callable[[Array, int | None], tuple[Floats, Floats]]


def fitted(stage: Fit, values: Array, source: np.dtype[Any], read: Reading | None = None) -> Fitted:
    """What a statistic asks for on these values ``(*shape, C)``, the finite ones of them.

    Parameters
    ----------
    stage : Fit
    values : array of floating point
    source : dtype
        Of the picture as it came: how exact the values are at all.
    read : Reading, optional
        By numpy, unless a backend knows a quicker way.

    Raises
    ------
    InputError
        When no value is finite.
    """
    channels = values.shape[-1]
    flat = values.reshape(-1, channels)
    axis = 0 if stage.per_channel else None
    eps = _CONSTANT * float(np.finfo(working(source)).eps)
    read = read or _BY_NUMPY
    with np.errstate(invalid="ignore", over="ignore"):
        minmax = stage.statistic == "minmax"
        found = _stretched(flat, axis, eps, read) if minmax else _scored(stage, flat, axis, eps, read)
    return Fitted(*(np.broadcast_to(part, (channels,)).astype(np.float64) for part in (found.shift, found.gain)))


def _stretched(flat: Array, axis: int | None, eps: float, read: Reading) -> Fitted:
    low, high = read.extremes(flat, axis)
    spread = high - low
    # A constant picture has nothing to stretch: it becomes 0.
    stretches = spread > eps * np.maximum(np.abs(low), np.abs(high))
    return Fitted(
        np.where(np.isfinite(low), low, 0.0), np.where(stretches, 1.0 / np.where(stretches, spread, 1.0), 0.0)
    )


def _scored(stage: Fit, flat: Array, axis: int | None, eps: float, read: Reading) -> Fitted:
    mean, std = read.mean_and_std(flat, axis)
    # Little next to the values themselves: a constant picture, or a single pixel that stands out.
    small = std <= eps * np.hypot(mean, std)
    if stage.scale and small.any():
        low, high = read.extremes(flat, axis)
        std = np.where(small & (high - low <= eps * np.maximum(np.abs(low), np.abs(high))), 0.0, std)
    return zscore(stage, mean, std)


def zscore(stage: Fit, mean: Floats, std: Floats) -> Fitted:
    """What ``zscore`` asks for, given mean and deviation; a constant picture that is centred becomes 0."""
    gain = np.ones_like(std)
    if stage.scale:
        flat = (std == 0) & (stage.centre or stage.epsilon == 0)
        gain = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, std + stage.epsilon))
    return Fitted(mean if stage.centre else np.zeros_like(mean), gain)


def _extremes(flat: Array, axis: int | None) -> tuple[Floats, Floats]:
    """Smallest and largest of the finite values."""
    low, high = flat.min(axis=axis), flat.max(axis=axis)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        finite_of(flat)  # refuses a picture that has none
        seen = np.isfinite(flat)
        low, high = np.where(seen, flat, np.inf).min(axis=axis), np.where(seen, flat, -np.inf).max(axis=axis)
    return np.asarray(low, np.float64), np.asarray(high, np.float64)


def _mean(flat: Array, axis: int | None) -> Floats:
    """Mean of the finite values."""
    mean = flat.mean(axis=axis, dtype=np.float64)
    if not np.isfinite(mean).all():
        finite_of(flat)
        seen = np.isfinite(flat)
        mean = np.where(seen, flat, 0.0).sum(axis=axis, dtype=np.float64) / np.maximum(seen.sum(axis=axis), 1)
    return np.asarray(mean, np.float64)


def _mean_and_std(flat: Array, axis: int | None) -> tuple[Floats, Floats]:
    """Mean and deviation of the finite values."""
    mean, std = _mean(flat, axis), flat.std(axis=axis, dtype=np.float64)
    if not np.isfinite(std).all():
        seen = np.isfinite(flat)
        squares = (np.where(seen, flat - mean, 0.0) ** 2).sum(axis=axis, dtype=np.float64)
        std = np.sqrt(squares / np.maximum(seen.sum(axis=axis), 1))
    return mean, np.asarray(std, np.float64)


_BY_NUMPY = Reading(_extremes, _mean_and_std)


def moved(stage: Fit, found: Fitted, values: Array) -> Array:
    """Values ``(*shape, C)`` after a statistic; a stretched picture stays within 0 to 1, whatever is rounded."""
    out: Array = (values - found.shift.astype(values.dtype)) * found.gain.astype(values.dtype)
    return np.clip(out, 0.0, 1.0, out=out) if stage.statistic == "minmax" else out


def apply_stage(stage: ColourStage, row: int, values: Array, source: np.dtype[Any]) -> Array:
    """One stage on float values ``(*shape, C)``; a new array, in the same float dtype."""
    if not active(stage, row):
        return values
    if isinstance(stage, ChannelMix):
        means = None
        if stage.pivot is not None:
            means = _mean(values.reshape(-1, values.shape[-1]), 0)
            values = filled(values)
        a, b = mixed(stage, row, means)
        own, b = np.diagonal(a).astype(values.dtype), b.astype(values.dtype)
        if np.count_nonzero(a) == np.count_nonzero(own):
            # No channel reads another: the cost of many is theirs, and not their square.
            scaled: Array = values * own
            scaled += b
            return scaled
        return np.asarray(values @ a.T.astype(values.dtype) + b)
    if isinstance(stage, Fit):
        return moved(stage, fitted(stage, values, source), filled(values))
    return apply_curve(stage, row, values)


def apply_curve(stage: Pointwise, row: int, values: Array) -> Array:
    """A curve on the leading channels of float values."""
    out = values.copy()
    colours = values[..., : stage.channels]
    out[..., : stage.channels] = CURVES[stage.curve].meaning(colours, stage.params[row].astype(values.dtype))
    return out


def apply_colour(colour: Colour, row: int, values: Array, source: npt.DTypeLike) -> Array:
    """A whole colour run by its definition, in the float dtype of ``values`` (float64 is the meaning).

    ``source`` is the dtype of the picture as it came.
    """
    for stage in colour.stages:
        values = apply_stage(stage, row, values, np.dtype(source))
    return to_dtype(values, colour.dtype)
