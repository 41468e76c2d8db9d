"""PNG, with the parts Pillow leaves out: 16-bit colour, small-depth labels, and early signs of damage.

Source: PNG Specification (Third Edition), W3C, sections 5 (chunks) and 11 (IHDR, tRNS).
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np

from imagemill.core.interop.foreign_images import pil_pixels
from imagemill.data.codecs.base import Array, Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.channels import upright
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.limits import check_inflation
from imagemill.data.codecs.photos.exif import exif_orientation
from imagemill.data.codecs.photos.icc_profiles import to_srgb

__all__ = ["encode_png", "read_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")
_PROFILE = 1 << 24
_AGAIN = "get the file again from where it came from"


@guarded("a whole, undamaged PNG file")
def read_png(path: Path, data: bytes, options: ReadOptions) -> Picture:
    """Decode a PNG file of any colour type and depth; of an animated one the default image.

    Raises
    ------
    CodecError
        When the file is cut off, damaged or too large.
    """
    from PIL import PngImagePlugin

    chunks = _chunks(path, data)
    if not chunks or chunks[0][0] != b"IHDR" or chunks[0][2] - chunks[0][1] != 13 + 12:
        raise problem(path, "a PNG file that begins with its header", "another chunk", _AGAIN)
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    check_pixels(path, (height, width), options.max_pixels)
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    packed = sum(end - start - 12 for name, start, end in chunks if name == b"IDAT")
    check_inflation(path, height * (1 + (width * depth * samples + 7) // 8), packed)
    if any(name in _ANIMATION for name, _, _ in chunks):
        # Frames after the first are not read; a malformed animation must not stop the first.
        kept = b"".join(data[start:end] for name, start, end in chunks if name not in _ANIMATION)
        data = _SIGNATURE + kept
    block = next((data[s + 8 : e - 4] for name, s, e in chunks if name == b"eXIf"), b"")
    orientation = exif_orientation(block)
    if depth == 16 and colour in (2, 4, 6):
        array, mode = _decode_16(path, data, colour)
    else:
        image = PngImagePlugin.PngImageFile(io.BytesIO(data))
        array, mode = pil_pixels(image, labels=options.labels), image.mode
        if mode == "I":  # older Pillow opens 16-bit gray in 32 bits
            array = array.astype(np.uint16)
    if options.labels and colour == 0 and depth in (2, 4):
        array = array // (255 // (2**depth - 1))  # Pillow spreads small depths over 0..255; labels are counts
    note = ""
    if options.icc == "srgb" and not options.labels:
        array, note = to_srgb(array, _profile(data, chunks))
    pixels, turned = upright(array, orientation, options)
    meta = {"format": "png", "mode": mode, "bit_depth": depth, **turned}
    return Picture(pixels, "yx" if array.ndim == 2 else "yxc", None, meta, note)


def _profile(data: bytes, chunks: list[tuple[bytes, int, int]]) -> bytes | None:
    """The embedded colour profile, inflated as far as any profile goes."""
    body = next((data[start + 8 : end - 4] for name, start, end in chunks if name == b"iCCP"), b"")
    packed = body.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(packed, _PROFILE) or None
    except zlib.error:
        return None


def _chunks(path: Path, data: bytes) -> list[tuple[bytes, int, int]]:
    """List (type, start, end) of every chunk up to IEND, or say that the file is cut off."""
    at, chunks = len(_SIGNATURE), []
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            break
        chunks.append((name, at, end))
        if name == b"IEND":
            return chunks
        at = end
    raise problem(path, "a whole PNG file", f"a file cut off after {len(data):,} bytes", _AGAIN)


def _decode_16(path: Path, data: bytes, colour: int) -> tuple[Array, str]:
    """Decode 16-bit colour with OpenCV, because Pillow keeps 8 bits of it."""
    import cv2

    for name, start, end in _chunks(path, data):
        (crc,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(data[start + 4 : end - 4]) != crc:  # OpenCV would print to the terminal and go on
            raise ValueError(f"chunk {name!r} has a wrong checksum")
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16:
        raise ValueError("the pixels cannot be decoded")
    array: Array = found if found.ndim == 3 else found[..., np.newaxis]
    if colour == 4 and array.shape[2] == 4:  # OpenCV spreads gray over three channels
        return np.ascontiguousarray(array[..., [0, 3]]), "LA;16"
    if array.shape[2] == 4:
        return np.ascontiguousarray(array[..., [2, 1, 0, 3]]), "RGBA;16"
    return np.ascontiguousarray(array[..., ::-1]), "RGB;16"


def encode_png(picture: Picture) -> bytes:
    """Encode 1-bit, 8-bit or 16-bit pixels with 1 to 4 channels, without a date."""
    from PIL import Image

    array = picture.array
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype == np.uint16 and array.ndim == 3:
        return _encode_16(array)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, "PNG")
    return buffer.getvalue()


def _encode_16(array: Array) -> bytes:
    """Encode 16-bit colour.

    Written out by hand: OpenCV has no 16-bit gray with alpha, and this way all three kinds share one path.
    """
    height, width, count = array.shape
    rows = np.ascontiguousarray(array, dtype=">u2").view(np.uint8).reshape(height, -1)
    step = 2 * count
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = 1  # filter "Sub": the difference to the pixel on the left
    filtered[:, 1:] = rows
    filtered[:, 1 + step :] -= rows[:, :-step]
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[count], 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 6)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
