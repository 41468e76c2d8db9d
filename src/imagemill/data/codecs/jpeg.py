"""JPEG: libjpeg-turbo through simplejpeg, and Pillow for the kinds it does not turn into RGB."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, JpegImagePlugin

from imagemill.core.errors import CodecError
from imagemill.data.codecs.base import Array, Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.channels import orient
from imagemill.data.codecs.exif import jpeg_orientation

__all__ = ["encode_jpeg", "read_jpeg"]

QUALITY = 95
_INK = ("CMYK", "YCCK")
_AGAIN = "get the file again from where it came from"


def read_jpeg(path: Path, data: bytes, options: ReadOptions) -> Picture:
    """Decode a JPEG file; gray stays gray, everything else becomes RGB.

    Raises
    ------
    CodecError
        When the file is cut off, damaged, too large, or of a kind that neither library decodes.
    """
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError as error:
        return _with_pillow(path, data, options, str(error))
    check_pixels(path, (height, width), options.max_pixels)
    if space in _INK:
        return _with_pillow(path, data, options, f"{space} ink colours")
    try:
        array = simplejpeg.decode_jpeg(data, colorspace="GRAY" if space == "Gray" else "RGB", strict=True)
    except ValueError as error:
        reason = str(error)
        # libjpeg paints what is missing gray and calls it a warning; strict mode turns that into this error.
        if "premature end" in reason.lower():
            raise problem(path, "a whole JPEG file", f"a file cut off ({reason})", _AGAIN) from error
        if reason.startswith("Corrupt JPEG data") and "extraneous bytes" not in reason:
            raise problem(path, "an undamaged JPEG file", reason, _AGAIN) from error
        return _with_pillow(path, data, options, reason)
    return _finish(array, data, mode="L" if space == "Gray" else "RGB", note="")


def _with_pillow(path: Path, data: bytes, options: ReadOptions, reason: str) -> Picture:
    """Decode what the fast path refuses; `reason` is kept in the note."""
    try:
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
        check_pixels(path, (image.height, image.width), options.max_pixels)
        mode = image.mode
        plain = image if mode in ("L", "RGB") else image.convert("RGB")
        array = np.asarray(plain)
    except CodecError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        got = f"{error} ({reason})"
        raise problem(path, "a whole, undamaged JPEG file", got, _AGAIN) from error
    return _finish(array, data, mode=mode, note=f"decoded by Pillow: {reason}")


def _finish(array: Array, data: bytes, *, mode: str, note: str) -> Picture:
    """Turn the picture upright and name its axes."""
    orientation = jpeg_orientation(data)
    pixels = orient(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array, orientation)
    meta = {"format": "jpeg", "mode": mode, "bit_depth": 8, "exif_orientation": orientation}
    return Picture(pixels, "yx" if pixels.ndim == 2 else "yxc", None, meta, note)


def encode_jpeg(picture: Picture, quality: int = QUALITY) -> bytes:
    """Encode gray or RGB uint8 at full chroma resolution (4:4:4)."""
    array = np.ascontiguousarray(picture.array)
    planes = array[..., np.newaxis] if array.ndim == 2 else array
    gray = planes.shape[2] == 1
    encoded: bytes = simplejpeg.encode_jpeg(
        planes,
        quality=quality,
        colorspace="GRAY" if gray else "RGB",
        colorsubsampling="Gray" if gray else "444",
    )
    return encoded
