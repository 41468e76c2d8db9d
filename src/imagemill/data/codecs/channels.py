"""Turning channels into the ones asked for, and pixels the way up the camera was held."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.codecs.base import Array, Channels, Picture, ReadOptions, problem

__all__ = ["convert", "orient", "top", "upright"]


def top(dtype: np.dtype[Any]) -> float:
    """Value of white, and of full opacity, in a dtype: its maximum for integers, 1 for the rest."""
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0


def orient(array: Array, orientation: int, y: int = 0) -> Array:
    """Apply an EXIF orientation to pixels.

    Parameters
    ----------
    array : numpy.ndarray
        Pixels with rows on axis `y` and columns on the next.
    orientation : int
        1 to 8; anything else counts as 1.
    y : int
        The axis of rows.

    Returns
    -------
    numpy.ndarray
        The picture as it was seen; quarter turns swap height and width.

    Notes
    -----
    Source: CIPA DC-008 (EXIF 2.32), tag 0x0112.

    Examples
    --------
    >>> orient(np.array([[1, 2, 3]]), 6).tolist()
    [[1], [2], [3]]
    """
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, y, y + 1)
    if orientation in (2, 3, 6, 7):
        array = np.flip(array, y + 1)
    if orientation in (3, 4, 7, 8):
        array = np.flip(array, y)
    return np.ascontiguousarray(array)


def upright(array: Array, orientation: int, options: ReadOptions) -> tuple[Array, dict[str, Any]]:
    """Apply an orientation where the options want it, and say so in the words of `Picture.meta`."""
    if options.exif:
        return orient(array, orientation), {"exif_orientation": orientation}
    return np.ascontiguousarray(array), {"exif_orientation": orientation, "exif_applied": False}


def convert(path: Path, picture: Picture, options: ReadOptions) -> Picture:
    """Give the picture the channels asked for.

    Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) in the same integer arithmetic as Pillow.

    Raises
    ------
    CodecError
        When the picture has other than 1 to 4 channels.
    """
    channels: Channels = options.channels
    if channels not in get_args(Channels):
        msg = f"expected channels to be one of {get_args(Channels)}, got {channels!r}; choose one"
        raise InputError(msg)
    if channels == "keep":
        return picture
    array = picture.array
    count = picture.channels
    if count not in (None, 1, 2, 3, 4):
        do = 'read it with channels="keep"'
        raise problem(path, f"1 to 4 channels to turn into {channels}", f"{count} channels", do)
    planes = array[..., np.newaxis] if count is None else array
    colour, alpha = (planes, None) if count in (None, 1, 3) else (planes[..., :-1], planes[..., -1:])
    if alpha is not None and options.background is not None and channels != "rgba":
        colour = _lay_over(colour, alpha, options.background)
    place = picture.axes.removesuffix("c")
    if channels == "gray":
        gray = colour[..., 0] if colour.shape[-1] == 1 else _gray(colour)
        return _with(picture, np.ascontiguousarray(gray), place)
    if colour.shape[-1] == 1:
        colour = np.repeat(colour, 3, axis=-1)
    if channels == "rgba":
        full = np.full((*colour.shape[:-1], 1), top(array.dtype), array.dtype) if alpha is None else alpha
        colour = np.concatenate([colour, full], axis=-1)
    return _with(picture, np.ascontiguousarray(colour), place + "c")


def _with(picture: Picture, array: Array, axes: str) -> Picture:
    return Picture(array, axes, picture.world, picture.meta, picture.note)


def _gray(colour: Array) -> Array:
    """Weigh red, green and blue; integers of up to 16 bits in 16-bit fixed point, rounded."""
    if colour.dtype.kind == "u" and colour.dtype.itemsize <= 2:
        red, green, blue = (colour[..., k].astype(np.uint64) for k in range(3))
        gray: Array = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
        return gray.astype(colour.dtype)
    return _like(colour.astype(np.float64) @ np.array([0.299, 0.587, 0.114]), colour.dtype)


def _lay_over(colour: Array, alpha: Array, background: tuple[float, ...]) -> Array:
    """Lay a picture over a plain colour by its alpha; gray becomes RGB over a colour of three values."""
    if len(background) not in (1, 3):
        msg = f"expected a background of 1 or 3 values, got {background!r}; give (r, g, b)"
        raise InputError(msg)
    if colour.dtype.kind in "iu" and not 0 <= min(background) <= max(background) <= top(colour.dtype):
        # Cast as they are, such values would wrap round.
        msg = f"expected a background within 0 and {top(colour.dtype):g} for {colour.dtype}, got {background!r}"
        raise InputError(f"{msg}; give it in the picture's own values")
    under = np.asarray(background, dtype=np.float64)
    weight = alpha.astype(np.float64) / top(colour.dtype)
    return _like(colour.astype(np.float64) * weight + under * (1.0 - weight), colour.dtype)


def _like(values: Array, dtype: np.dtype[Any]) -> Array:
    """Round to an integer dtype, or just cast to a float one."""
    return (np.rint(values) if dtype.kind in "iu" else values).astype(dtype)
