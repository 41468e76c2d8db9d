"""Embedded colour profiles: from what a camera or printer meant to sRGB.

Source: ICC.1:2022; the conversion is LittleCMS, through Pillow.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from imagemill.data.codecs.base import Array

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ink_to_srgb", "to_srgb"]


def to_srgb(array: Array, profile: bytes | None) -> tuple[Array, str]:
    """Convert 8-bit gray or RGB, with or without alpha, from a profile's colours to sRGB.

    Parameters
    ----------
    array : uint8 array ``(y, x)`` or ``(y, x, c)``
    profile : bytes or None
        The profile; None leaves the pixels as they are.

    Returns
    -------
    tuple
        The pixels, and a note (empty where nothing was done).

    Examples
    --------
    >>> to_srgb(np.zeros((2, 2, 3), np.uint8), None)[1]
    ''
    """
    if not profile:
        return array, ""
    if array.dtype != np.uint8:
        return array, "the colour profile is ignored: only 8-bit pixels are converted"
    from PIL import Image, ImageCms

    planes = array[..., None] if array.ndim == 2 else array
    count = planes.shape[2] - (planes.shape[2] in (2, 4))
    colour, alpha = planes[..., :count], planes[..., count:]
    image = Image.fromarray(np.ascontiguousarray(colour[..., 0] if count == 1 else colour))
    try:
        converted = _convert(image, profile)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        return array, f"the colour profile is ignored: {error}"
    changed = np.asarray(converted)
    changed = changed[..., :count]
    result = np.concatenate([changed, alpha], axis=2) if alpha.shape[2] else changed
    return np.ascontiguousarray(result.reshape(array.shape)), "colours converted to sRGB"


def ink_to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert a CMYK image by its profile; None when the profile cannot be used."""
    from PIL import ImageCms

    try:
        return _convert(image, profile)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _convert(image: Image.Image, profile: bytes) -> Image.Image:
    from PIL import ImageCms

    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    if converted is None:
        raise ValueError("no image came back")
    return converted
