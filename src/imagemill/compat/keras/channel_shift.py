"""Channel shift and brightness of one picture. Brightness works on 8 bits, values cut, whatever comes in."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array, channels_last, data_format_or_default, dtype_or_default
from imagemill.core.errors import InputError, ParameterError
from imagemill.engine.tone_values import lit, shifted

__all__ = ["apply_brightness_shift", "apply_channel_shift"]

_CHANNELS = (1, 3, 4)


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
    given = channels_last(x, order)[None]
    if given.shape[-1] not in _CHANNELS:
        raise InputError(
            f"Unsupported channel number: {given.shape[-1]}; brightness takes 1, 3 or 4. Are the channels where "
            "data_format says?"
        )
    found = lit(given, np.array([brightness], dtype=np.float64), stretch=scale)[0]
    found = found if order == "channels_last" else np.moveaxis(found, -1, 0)
    made: Array = found.astype(dtype_or_default(None), copy=False)
    return made
