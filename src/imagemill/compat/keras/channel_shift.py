"""Channel shift and brightness, for one picture and for a batch ``[n, H, W, C]``.

Source: the behaviour of ``keras.src.legacy.preprocessing.image`` (Keras 3.15) and of ``PIL.ImageEnhance.Brightness``,
checked against both. Brightness works on 8 bits, values cut, whatever comes in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array, channels_last, data_format_or_default, dtype_or_default
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats

__all__ = ["apply_brightness_shift", "apply_channel_shift", "brightened", "shifted"]


_CHANNELS = (1, 3, 4)


def shifted(images: Array, intensity: Floats) -> Array:
    """Add a number to every value of each picture, within the range that the picture spans.

    Parameters
    ----------
    images : array, ``[n, ...]``
    intensity : array, ``[n]``

    Examples
    --------
    >>> shifted(np.array([[[0.0, 5.0, 9.0]]]), np.array([3.0])).tolist()
    [[[3.0, 8.0, 9.0]]]
    """
    each = tuple(range(1, images.ndim))
    low, high = images.min(axis=each, keepdims=True), images.max(axis=each, keepdims=True)
    add = intensity.reshape(-1, *[1] * (images.ndim - 1)).astype(images.dtype)
    moved: Array = np.clip(images + add, low, high)
    return moved


def brightened(images: Array, factor: Floats, *, scale: bool) -> Array:
    """Multiply each picture as Pillow does, in 8 bits; the alpha channel stays.

    Parameters
    ----------
    images : array, ``[n, H, W, C]``
    factor : array, ``[n]``
    scale : bool
        Stretch each picture to 0..255 first and leave it there. False stretches only pictures that leave
        0..255, and brings them back.

    Returns
    -------
    array of float32, ``[n, H, W, C]``
    """
    if images.shape[-1] not in _CHANNELS:
        raise InputError(
            f"Unsupported channel number: {images.shape[-1]}; brightness takes 1, 3 or 4. Are the channels where "
            "data_format says?"
        )
    x = images.astype(np.float32)
    low, high = x.min(axis=(1, 2, 3), keepdims=True), x.max(axis=(1, 2, 3), keepdims=True)
    beyond = (low < 0) | (high > 255)
    stretch = beyond | scale
    if stretch.any():
        span = high - low
        stretched = (x - low) / np.where(span == 0, 1, span) * np.float32(255)
        x = np.where(stretch, stretched, x)
    whole = x.astype(np.uint8)
    gain = factor.astype(np.float32).reshape(-1, 1, 1, 1)
    # Values are cut, not rounded, and saturate.
    lit = np.clip(whole.astype(np.float32) * gain, 0, 255).astype(np.uint8).astype(np.float32)
    if images.shape[-1] == 4:
        lit[..., 3] = whole[..., 3]
    back = beyond & (not scale)
    made: Array = np.where(back, lit / np.float32(255) * (high - low) + low, lit) if back.any() else lit
    return made


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> Array:
    """Add a number to every value of a picture, within the range that the picture spans.

    Parameters
    ----------
    x : array, rank 3
    intensity : float
    channel_axis : int
        Of no consequence: all channels get the same number and share their range.

    Examples
    --------
    >>> apply_channel_shift(np.array([[[0.0, 5.0, 9.0]]]), -3).tolist()
    [[[0.0, 2.0, 6.0]]]
    """
    x = np.asarray(x)
    made: Array = shifted(x[None], np.array([intensity], dtype=np.float64))[0]
    return made


def _other_end(x: Array, order: str) -> int:
    """Length of the axis that would hold the channels in the other format."""
    return int(x.shape[0] if order == "channels_last" else x.shape[-1])


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True, data_format: str | None = None) -> Array:
    """Multiply a picture by a brightness, in 8 bits.

    Parameters
    ----------
    x : array, rank 3
    brightness : float
        0 is black, 1 leaves the picture as it is.
    scale : bool
        Stretch the picture to 0..255 first.
    data_format : {"channels_last", "channels_first"}, optional
        Left out, the one that Keras is set to, or the other where only there 1, 3 or 4 channels are.

    Returns
    -------
    array of float32, of the same shape

    Examples
    --------
    >>> apply_brightness_shift(np.array([[[10.0], [20.0]]]), 0.5, scale=False)[..., 0].tolist()
    [[5.0, 10.0]]
    """
    x = np.asarray(x)
    if x.ndim != 3:
        raise InputError(f"expected one picture with channels, of rank 3, got shape {x.shape}")
    if not np.isfinite(brightness):
        raise ParameterError(f"expected a finite brightness, got {brightness!r}")
    order = data_format_or_default(data_format)
    if data_format is None and channels_last(x, order).shape[-1] not in _CHANNELS and _other_end(x, order) in _CHANNELS:
        order = "channels_first" if order == "channels_last" else "channels_last"
    lit = brightened(channels_last(x, order)[None], np.array([brightness], dtype=np.float64), scale=scale)[0]
    lit = lit if order == "channels_last" else np.moveaxis(lit, -1, 0)
    made: Array = lit.astype(dtype_or_default(None), copy=False)
    return made
