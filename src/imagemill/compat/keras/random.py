"""One random transform on one picture, function by function. With a ``seed`` the draw is the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.compat.keras.affine import apply_affine_transform
from imagemill.compat.keras.channel_shift import apply_brightness_shift, apply_channel_shift
from imagemill.compat.keras.defaults import Array, fresh
from imagemill.compat.keras.draws import uniform_columns
from imagemill.core.errors import ParameterError

__all__ = [
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
]


def _uniform(seed: int | None, low: float, high: float, count: int = 1) -> list[float]:
    chosen, key = fresh(seed)
    columns = uniform_columns(chosen, 0, [key])[:count, 0]
    return [float(low + u * (high - low)) for u in columns]


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
    *,
    seed: int | None = None,
) -> Array:
    """Turn a picture by up to ``rg`` degrees; the other arguments are :func:`apply_affine_transform`'s.

    Examples
    --------
    >>> random_rotation(np.zeros((3, 8, 8)), 20).shape
    (3, 8, 8)
    """
    (theta,) = _uniform(seed, -rg, rg)
    return apply_affine_transform(
        x, theta, 0, 0, 0, 1, 1, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    )


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
    *,
    seed: int | None = None,
) -> Array:
    """Move a picture by up to ``wrg`` of its width and ``hrg`` of its height.

    Examples
    --------
    >>> random_shift(np.zeros((3, 8, 8)), 0.2, 0.1).shape
    (3, 8, 8)
    """
    x = np.asarray(x)
    across, down = _uniform(seed, -1, 1, 2)
    tx, ty = across * wrg * x.shape[col_axis], down * hrg * x.shape[row_axis]
    return apply_affine_transform(
        x, 0, tx, ty, 0, 1, 1, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    )


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
    *,
    seed: int | None = None,
) -> Array:
    """Shear a picture by up to ``intensity`` degrees.

    Examples
    --------
    >>> random_shear(np.zeros((3, 8, 8)), 10).shape
    (3, 8, 8)
    """
    (shear,) = _uniform(seed, -intensity, intensity)
    return apply_affine_transform(
        x, 0, 0, 0, shear, 1, 1, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    )


def random_zoom(
    x: Any,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
    *,
    seed: int | None = None,
) -> Array:
    """Shrink a picture by a factor of a range, along columns and rows apart; below 1 magnifies.

    Raises
    ------
    ParameterError
        When the range is not a pair.

    Examples
    --------
    >>> random_zoom(np.zeros((3, 8, 8)), (0.9, 1.1)).shape
    (3, 8, 8)
    """
    low, high = _pair("zoom_range", zoom_range)
    zx, zy = _uniform(seed, low, high, 2)
    return apply_affine_transform(
        x, 0, 0, 0, 0, zx, zy, row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order
    )


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0, *, seed: int | None = None) -> Array:
    """Add up to ``intensity_range`` to every value, within the range that the picture spans.

    Examples
    --------
    >>> random_channel_shift(np.zeros((3, 8, 8)), 20).shape
    (3, 8, 8)
    """
    (intensity,) = _uniform(seed, -intensity_range, intensity_range)
    return apply_channel_shift(x, intensity, channel_axis)


def random_brightness(
    x: Any,
    brightness_range: Sequence[float],
    scale: bool = True,
    *,
    data_format: str | None = None,
    seed: int | None = None,
) -> Array:
    """Multiply a picture by a brightness of a range, in 8 bits.

    Raises
    ------
    ParameterError
        When the range is not a pair.

    Examples
    --------
    >>> random_brightness(np.zeros((8, 8, 3)), (0.5, 1.5)).shape
    (8, 8, 3)
    """
    low, high = _pair("brightness_range", brightness_range)
    (brightness,) = _uniform(seed, low, high)
    return apply_brightness_shift(x, brightness, scale, data_format)


def _pair(name: str, value: Sequence[float]) -> tuple[float, float]:
    if len(value) != 2:
        raise ParameterError(f"expected {name} as a pair of numbers, got {value!r}")
    return float(value[0]), float(value[1])
