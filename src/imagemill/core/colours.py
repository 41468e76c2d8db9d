"""What channels mean: gray and colour, transparency, LAB, CMYK, and the EXIF orientation."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.geometry import peak_of

__all__ = [
    "Channels",
    "check_channels",
    "ink_to_rgb",
    "lab_of",
    "lab_to_srgb",
    "like",
    "orient",
    "straight",
    "to_channels",
    "ycbcr_to_rgb",
]

Array = np.ndarray[Any, Any]
Channels = Literal["keep", "gray", "rgb", "rgba"]
_CHANNELS = get_args(Channels)

_D50 = np.array([0.9642, 1.0, 0.8249])
# sRGB of IEC 61966-2-1 seen under D50 (Bradford), inverted: what the profile of sRGB holds.
_TO_LINEAR = np.linalg.inv(
    np.array(
        [
            [0.43606567, 0.38514709, 0.14306641],
            [0.22248840, 0.71687317, 0.06060791],
            [0.01391602, 0.09707642, 0.71409607],
        ]
    )
)


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


def check_channels(channels: str) -> None:
    """Refuse anything but ``"keep"``, ``"gray"``, ``"rgb"`` and ``"rgba"``."""
    if channels not in _CHANNELS:
        raise InputError(f"expected channels to be one of {_CHANNELS}, got {channels!r}; choose one")


def to_channels(planes: Array, channels: Channels, background: tuple[float, ...] | None = None) -> Array:
    """Give pixels the channels asked for: gray becomes RGB exactly, RGB becomes gray by its luma.

    Gray is 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), for 8 and 16 bits in the same integer arithmetic as Pillow.

    Parameters
    ----------
    planes : array ``(..., c)``
        Gray, gray with alpha, RGB or RGBA.
    channels : {"gray", "rgb", "rgba"}
    background : tuple of float, optional
        Colour to lay under transparent pixels when alpha goes; left out, alpha is dropped.

    Returns
    -------
    array ``(..., 1)``, ``(..., 3)`` or ``(..., 4)``
        Of the same dtype; alpha that was not there is full.

    Examples
    --------
    >>> to_channels(np.array([[[7]]], np.uint8), "rgb").tolist()
    [[[7, 7, 7]]]
    """
    count = planes.shape[-1]
    if count not in (1, 2, 3, 4):
        raise InputError(f"expected 1 to 4 channels to turn into {channels}, got {count}; leave channels out")
    colour, alpha = (planes, None) if count in (1, 3) else (planes[..., :-1], planes[..., -1:])
    if alpha is not None and background is not None and channels != "rgba":
        colour = _lay_over(colour, alpha, background)
    if channels == "gray":
        return colour if colour.shape[-1] == 1 else _gray(colour)[..., np.newaxis]
    if colour.shape[-1] == 1:
        colour = np.repeat(colour, 3, axis=-1)
    if channels == "rgba":
        full = np.full((*colour.shape[:-1], 1), peak_of(planes.dtype), planes.dtype) if alpha is None else alpha
        colour = np.concatenate([colour, full], axis=-1)
    return colour


def _gray(colour: Array) -> Array:
    """Weigh red, green and blue; integers of up to 16 bits in 16-bit fixed point, rounded."""
    if colour.dtype.kind == "u" and colour.dtype.itemsize <= 2:
        red, green, blue = (colour[..., k].astype(np.uint64) for k in range(3))
        gray: Array = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
        return gray.astype(colour.dtype)
    return like(colour.astype(np.float64) @ np.array([0.299, 0.587, 0.114]), colour.dtype)


def _lay_over(colour: Array, alpha: Array, background: tuple[float, ...]) -> Array:
    """Lay a picture over a plain colour by its alpha; gray becomes RGB over a colour of three values."""
    if len(background) not in (1, 3):
        msg = f"expected a background of 1 or 3 values, got {background!r}; give (r, g, b)"
        raise InputError(msg)
    peak = peak_of(colour.dtype)
    if colour.dtype.kind in "iu" and not 0 <= min(background) <= max(background) <= peak:
        # Cast as they are, such values would wrap round.
        msg = f"expected a background within 0 and {peak:g} for {colour.dtype}, got {background!r}"
        raise InputError(f"{msg}; give it in the picture's own values")
    under = np.asarray(background, dtype=np.float64)
    weight = alpha.astype(np.float64) / peak
    return like(colour.astype(np.float64) * weight + under * (1.0 - weight), colour.dtype)


def like(values: Array, dtype: np.dtype[Any]) -> Array:
    """Round to an integer dtype, cut to what it holds; or just cast to a float one."""
    if dtype.kind not in "iu":
        return values.astype(dtype)
    held = np.iinfo(dtype)
    rounded: Array = np.rint(np.clip(values, held.min, held.max))
    return rounded.astype(dtype)


def straight(planes: Array) -> Array:
    """Colours that were multiplied by their alpha, the last channel, as they were before.

    Examples
    --------
    >>> straight(np.array([[[50, 100, 0, 128]]], np.uint8)).tolist()
    [[[100, 199, 0, 128]]]
    """
    colour, alpha = planes[..., :-1].astype(np.float64), planes[..., -1:].astype(np.float64)
    peak = peak_of(planes.dtype)
    divided = np.divide(colour * peak, alpha, out=np.zeros_like(colour), where=alpha > 0)
    divided = np.minimum(divided, peak)
    return np.concatenate([like(divided, planes.dtype), planes[..., -1:]], axis=-1)


def ink_to_rgb(planes: Array, *, peak: float | None = None) -> Array:
    """Cyan, magenta, yellow and black on white paper, without a profile: each channel takes its share of the light.

    Parameters
    ----------
    planes : array ``(..., 4)``
        CMYK in unsigned integers: 0 is no ink.
    peak : float, optional
        Of full ink; the largest integer of the dtype when left out.

    Examples
    --------
    >>> ink_to_rgb(np.array([[[255, 0, 0, 0], [0, 0, 0, 51]]], np.uint8)).tolist()
    [[[0, 255, 255], [204, 204, 204]]]
    """
    peak = peak_of(planes.dtype) if peak is None else peak
    ink = planes.astype(np.float64)
    light = (peak - ink[..., :3]) * (peak - ink[..., 3:4]) / peak
    return like(light, planes.dtype)


def ycbcr_to_rgb(
    planes: Array,
    weights: tuple[float, float, float] = (0.299, 0.587, 0.114),
    reference: tuple[float, ...] | None = None,
) -> Array:
    """Brightness and two differences of colour to RGB.

    Parameters
    ----------
    planes : unsigned integers ``(..., 3)``
    weights : tuple of float
        Shares of red, green and blue in the brightness.
    reference : tuple of six float, optional
        Black and white of each plane as stored (black of the differences is their zero); the full range when left out.

    Notes
    -----
    Source: TIFF 6.0, section 21 (YCbCr images), with ``ReferenceBlackWhite`` of section 20.

    Examples
    --------
    >>> ycbcr_to_rgb(np.array([[[76, 85, 255]]], np.uint8)).tolist()
    [[[254, 0, 0]]]
    """
    peak = peak_of(planes.dtype)
    half = (peak + 1) / 2
    y0, y1, b0, b1, r0, r1 = reference or (0.0, peak, half, peak, half, peak)
    values = planes.astype(np.float64)
    brightness = (values[..., 0] - y0) * (peak / ((y1 - y0) or 1.0))
    span = peak - half
    blueness = (values[..., 1] - b0) * (span / ((b1 - b0) or 1.0))
    redness = (values[..., 2] - r0) * (span / ((r1 - r0) or 1.0))
    of_red, of_green, of_blue = weights
    red = brightness + redness * (2 - 2 * of_red)
    blue = brightness + blueness * (2 - 2 * of_blue)
    green = (brightness - of_blue * blue - of_red * red) / of_green
    return like(np.stack([red, green, blue], axis=-1), planes.dtype)


def lab_of(planes: Array, *, signed: bool) -> npt.NDArray[np.float64]:
    """L*a*b* as it is stored in unsigned integers of 8 or 16 bits.

    Parameters
    ----------
    planes : uint8 or uint16 array ``(..., 3)``
    signed : bool
        Whether a and b are two's complement, as TIFF's CIELAB and PIL have them; without, their zero is in the middle,
        as in profiles.

    Notes
    -----
    Sources: TIFF 6.0, section 23; TIFF technical note 4 (ICCLAB); ICC.1:2022, 6.3.4.2 (white is 0xFF00 in 16 bits).

    Examples
    --------
    >>> lab_of(np.array([[255, 255, 3]], np.uint8), signed=True).tolist()
    [[100.0, -1.0, 3.0]]
    """
    wide = planes.dtype.itemsize == 2
    white = (65_535 if signed else 65_280) if wide else 255
    values = planes.astype(np.float64)
    step, half = (256, 32_768) if wide else (1, 128)
    differences = values[..., 1:]
    differences = np.where(differences < half, differences, differences - 2 * half) if signed else differences - half
    return np.concatenate([values[..., :1] * (100 / white), differences / step], axis=-1)


def lab_to_srgb(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """CIE 1976 L*a*b* under D50 to sRGB, 0 to 1; colours outside sRGB are cut to it.

    Parameters
    ----------
    lab : array ``(..., 3)``
        Lightness 0 to 100, a and b about -128 to 127.

    Notes
    -----
    Sources: CIE 15:2004, 8.2.1 (L*a*b*); ICC.1:2022, annex D (D50); IEC 61966-2-1 (sRGB).

    Examples
    --------
    >>> lab_to_srgb(np.array([[100.0, 0.0, 0.0], [0.0, 0.0, 0.0]])).round(3).tolist()
    [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    """
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    edge = 6 / 29
    xyz = np.where(f > edge, f**3, 3 * edge**2 * (f - 4 / 29)) * _D50
    linear = np.clip(xyz @ _TO_LINEAR.T, 0.0, 1.0)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))
