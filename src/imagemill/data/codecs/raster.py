"""What Pillow's modes mean as arrays, and the small formats that need nothing else: WebP, BMP, GIF."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, WebPImagePlugin

from imagemill.core.errors import CodecError
from imagemill.data.codecs.base import Array, Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.channels import orient
from imagemill.data.codecs.exif import exif_orientation

__all__ = ["encode_raster", "pixels_of", "read_raster"]

# The classes are used without Image.open: it would warn about large pictures, and warnings can only be
# silenced for all threads at once. The size is checked by our own limit instead.
_CLASSES: dict[str, type[ImageFile.ImageFile]] = {
    "webp": WebPImagePlugin.WebPImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "gif": GifImagePlugin.GifImageFile,
}
_SAVE: dict[str, dict[str, Any]] = {
    "webp": {"lossless": True, "exact": True, "quality": 80},
    "bmp": {},
    "gif": {"optimize": False},
}


def pixels_of(image: Image.Image, *, labels: bool = False) -> Array:
    """Decode a Pillow image: gray, gray with alpha, RGB or RGBA; indices of a palette when they are labels.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, not yet loaded.
    labels : bool
        Whether palette indices and single bits are wanted instead of colours.
    """
    mode, clear = image.mode, "transparency" in image.info
    if mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(1 if labels else 255)
    if mode in ("P", "PA"):
        if labels:
            return np.array(image.getchannel(0) if mode == "PA" else image)
        return np.asarray(image.convert("RGBA" if clear or mode == "PA" else "RGB"))
    if mode == "L":
        return np.asarray(image.convert("LA") if clear and not labels else image)
    if mode == "RGB":
        return np.asarray(image.convert("RGBA") if clear and not labels else image)
    if mode in ("LA", "RGBA") or mode.startswith("I;16"):
        return np.asarray(image)
    if mode == "I":
        return np.asarray(image).astype(np.uint16)
    return np.asarray(image.convert("RGB"))


def read_raster(path: Path, data: bytes, options: ReadOptions, kind: str) -> Picture:
    """Decode WebP, BMP or the first frame of a GIF.

    Raises
    ------
    CodecError
        When the file is cut off, damaged or too large.
    """
    try:
        image = _CLASSES[kind](io.BytesIO(data))
        check_pixels(path, (image.height, image.width), options.max_pixels)
        mode = image.mode
        array = pixels_of(image, labels=options.labels)
    except CodecError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, Image.DecompressionBombError) as error:
        got = str(error) or type(error).__name__
        do = "get the file again from where it came from"
        raise problem(path, f"a whole, undamaged {kind.upper()} file", got, do) from error
    block = image.info.get("exif", b"")
    orientation = exif_orientation(block if isinstance(block, bytes) else b"")
    frames = int(getattr(image, "n_frames", 1))
    note = f"first of {frames} frames" if frames > 1 else ""
    meta = {"format": kind, "mode": mode, "bit_depth": 8, "exif_orientation": orientation}
    return Picture(orient(array, orientation), "yx" if array.ndim == 2 else "yxc", None, meta, note)


def encode_raster(picture: Picture, kind: str) -> bytes:
    """Encode as lossless WebP, BMP or gray GIF."""
    array = np.ascontiguousarray(picture.array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind.upper(), **_SAVE[kind])
    return buffer.getvalue()
