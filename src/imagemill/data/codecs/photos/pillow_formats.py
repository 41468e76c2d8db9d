"""The formats that need nothing but Pillow: WebP, AVIF, BMP (and DIB), GIF, TGA."""

from __future__ import annotations

import importlib
import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imagemill.core.interop.foreign_images import pil_pixels
from imagemill.data.codecs.base import Picture, ReadOptions, check_pixels
from imagemill.data.codecs.channels import upright
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.limits import check_inflation
from imagemill.data.codecs.photos.exif import exif_orientation
from imagemill.data.codecs.photos.icc_profiles import to_srgb

if TYPE_CHECKING:
    from PIL import ImageFile

__all__ = ["avif_size", "encode_raster", "read_raster"]

# The classes are used without Image.open: it would warn about large pictures, and warnings can only be
# silenced for all threads at once. The size is checked by our own limit instead.
_CLASSES = {
    "webp": ("WebPImagePlugin", "WebPImageFile"),
    "bmp": ("BmpImagePlugin", "BmpImageFile"),
    "gif": ("GifImagePlugin", "GifImageFile"),
    "avif": ("AvifImagePlugin", "AvifImageFile"),
    "tga": ("TgaImagePlugin", "TgaImageFile"),
    "dib": ("BmpImagePlugin", "DibImageFile"),
}
"""Module of Pillow, and class in it; a module is loaded when a file of its kind is met."""
_RUNS = 128  # what one byte of TGA's runs becomes at most
_LZW = 2800  # what one byte of LZW with 12-bit codes becomes at most
_FREE = 1 << 26
_SAVE: dict[str, dict[str, Any]] = {
    "webp": {"lossless": True, "exact": True, "quality": 80},
    "bmp": {},
    "gif": {"optimize": False},
}


@guarded("a whole, undamaged image file")
def read_raster(path: Path, data: bytes, options: ReadOptions, kind: str) -> Picture:
    """Decode WebP, AVIF, BMP, TGA or the first frame of a GIF.

    Raises
    ------
    CodecError
        When the file is cut off, damaged or too large.
    """
    image = _opened(data, kind)
    check_pixels(path, (image.height, image.width), options.max_pixels)
    frames = _gif_frames(data) if kind == "gif" else int(getattr(image, "n_frames", 1))
    if kind == "bmp":
        _check_bmp(path, data)
    elif kind == "gif":
        check_inflation(path, image.height * image.width, len(data), _LZW, _FREE)
    elif kind == "tga":
        _check_tga(path, data)
    mode = image.mode
    array = pil_pixels(image, labels=options.labels)
    if kind == "tga" and data[2] & 7 == 2 and data[16] == 16 and not data[17] & 15:
        array = np.ascontiguousarray(array[..., :3])  # the file says that its sixteenth bit is no alpha
    block = image.info.get("exif", b"")
    orientation = exif_orientation(block if isinstance(block, bytes) else b"")
    notes = [f"first of {frames} frames"] if frames > 1 else []
    depth = _avif_depth(data) if kind == "avif" else 8
    notes += [f"{depth} bits a sample read as 8"] if depth > 8 else []
    profile = image.info.get("icc_profile")
    if options.icc == "srgb" and not options.labels and isinstance(profile, bytes):
        array, said = to_srgb(array, profile)
        notes += [said] if said else []
    pixels, turned = upright(array, orientation, options)
    meta = {"format": kind, "mode": mode, "bit_depth": depth, **turned}
    return Picture(pixels, "yx" if array.ndim == 2 else "yxc", None, meta, "; ".join(notes))


def _opened(data: bytes, kind: str) -> ImageFile.ImageFile:
    """The file with its header read.

    Raises
    ------
    ValueError
        Where Pillow was built without the format.
    """
    module, name = _CLASSES[kind]
    plugin = importlib.import_module(f"PIL.{module}")
    if kind == "avif" and not plugin.SUPPORTED:
        raise ValueError(
            "a Pillow that was built without AVIF; install one with it, or convert the file to JPEG or PNG"
        )
    image: ImageFile.ImageFile = getattr(plugin, name)(io.BytesIO(data))
    return image


def avif_size(data: bytes) -> tuple[tuple[int, int], int]:
    """Height and width as they are stored, and the orientation that the file asks for, without decoding it."""
    image = _opened(data, "avif")
    block = image.info.get("exif", b"")
    return (image.height, image.width), exif_orientation(block if isinstance(block, bytes) else b"")


def _avif_depth(data: bytes) -> int:
    """Bits a sample, from the property that says them; 8 where none does.

    Source: ISO/IEC 23008-12, 6.5.6 (pixi).
    """
    at = data.find(b"pixi", 0, 1 << 16)
    return data[at + 9] if 0 <= at < len(data) - 9 and data[at + 9] in (10, 12) else 8


def _check_tga(path: Path, data: bytes) -> None:
    """Refuse a TGA that is shorter than its rows, or than runs can be; Pillow takes the memory first."""
    kind, (width, height, depth) = data[2], struct.unpack_from("<HHB", data, 12)
    offset = 18 + data[0] + (data[1] and struct.unpack_from("<H", data, 5)[0] * ((data[7] + 7) // 8))
    declared = height * ((width * depth + 7) // 8)
    check_inflation(path, declared, max(0, len(data) - offset), _RUNS if kind & 8 else 1, 0)


def _gif_frames(data: bytes) -> int:
    """Count the frames of a GIF by walking over its blocks, without decoding any.

    Raises
    ------
    EOFError
        When the file ends before its end mark.
    """
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    frames = 0
    while at < len(data):
        mark = data[at]
        if mark == 0x3B:
            return frames
        if mark == 0x2C:
            flags = data[at + 9] if at + 9 < len(data) else 0
            frames, at = frames + 1, at + 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif mark == 0x21:
            at += 2
        else:
            raise ValueError(f"byte {mark:#x} where a block should begin")
        while at < len(data) and data[at]:  # sub-blocks, up to an empty one
            at += 1 + data[at]
        at += 1
    raise EOFError(f"a file cut off after {len(data):,} bytes")


def _check_bmp(path: Path, data: bytes) -> None:
    """Refuse a plain BMP that is shorter than its rows; the decoder overlooks missing padding."""
    offset, head = struct.unpack_from("<I", data, 10)[0], struct.unpack_from("<I", data, 14)[0]
    if head < 40:
        return
    width, height, _, depth, packed = struct.unpack_from("<iiHHI", data, 18)
    if packed in (0, 3):
        check_inflation(path, offset + abs(height) * ((width * depth + 31) // 32 * 4), len(data), 1, 0)


def encode_raster(picture: Picture, kind: str) -> bytes:
    """Encode as lossless WebP, BMP or gray GIF."""
    from PIL import Image

    array = np.ascontiguousarray(picture.array)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind.upper(), **_SAVE[kind])
    return buffer.getvalue()
