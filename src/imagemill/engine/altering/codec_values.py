"""What a codec makes of an image: written in few bytes and read again.

Codecs know gray and three colours of 8 bits. Channels that are not three go through by themselves, as gray pictures,
and so does each slice of a volume. Values of other types go through on a scale of 256 levels, from black to white;
where some lie beyond, as those of scans do, from the smallest of the image to its largest.

JPEG has its chroma at half the resolution (4:2:0), as nearly every file of a camera and of the web has, and WebP
always.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

__all__ = ["recoded"]

Array = np.ndarray[Any, Any]

_LEVELS = 255.0
_FASTEST = 0
"""WebP's effort: more of it makes smaller files of nearly the same pixels."""


def recoded(values: Array, codec: str, quality: int, source: np.dtype[Any], peak: float) -> Array:
    """One sample's image through a codec.

    Parameters
    ----------
    values : array, ``(*shape, C)``
        The colours alone.
    codec : {"jpeg", "webp"}
    quality : int
        From 1 to 100.
    source : dtype
        In which the values are kept.
    peak : float
        White of the values.

    Returns
    -------
    array
        Of the type of `values`.
    """
    if source == np.uint8:
        return _slices(values.astype(np.uint8), codec, quality).astype(values.dtype)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= peak:
        low, high = 0.0, peak
    if high <= low:
        return values
    step = (high - low) / _LEVELS
    levels = np.rint((values - low) / step).astype(np.uint8)
    made: Array = _slices(levels, codec, quality).astype(values.dtype) * values.dtype.type(step)
    return np.asarray(made + values.dtype.type(low))


def _slices(levels: Array, codec: str, quality: int) -> Array:
    height, width, channels = levels.shape[-3:]
    parts = levels.reshape(-1, height, width, channels)
    if channels == 3:
        made = np.stack([_coded(part, codec, quality) for part in parts])
    else:
        planes = [[_coded(part[..., c], codec, quality) for c in range(channels)] for part in parts]
        made = np.stack([np.stack(one, axis=-1) for one in planes])
    return made.reshape(levels.shape)


def _coded(picture: Array, codec: str, quality: int) -> Array:
    """A picture ``(y, x)`` or ``(y, x, 3)`` of 8 bits, written and read."""
    from PIL import Image

    file = io.BytesIO()
    plain = Image.fromarray(np.ascontiguousarray(picture))
    if codec == "jpeg":
        plain.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    else:
        plain.save(file, "WEBP", quality=quality, method=_FASTEST)
    file.seek(0)
    with Image.open(file) as read:
        found = np.asarray(read)
    # WebP has no gray.
    return found[..., 1] if found.ndim > picture.ndim else found
