"""JPEG 2000, through Pillow where it keeps every bit, and through imagecodecs for the rest.

Both stand on OpenJPEG. Pillow brings 16-bit colour down to 8 bits and shifts signed values; imagecodecs keeps both, and
comes with the extra ``tiff``.

Sources: ITU-T T.800 annexes A (codestream) and I (the JP2 file).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imagemill.core.extras import require
from imagemill.core.interop.foreign_images import pil_pixels
from imagemill.data.codecs.base import Array, Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.photos.icc_profiles import to_srgb

__all__ = ["Jpeg2000Header", "jpeg2000_header", "read_jpeg2000"]

_AGAIN = "get the file again from where it came from"
_SIGNATURE = b"\0\0\0\x0cjP  "
_STREAM = b"\xff\x4f\xff\x51"
_SOT, _SOD, _EOC = 0xFF90, 0xFF93, b"\xff\xd9"
_MOST = 16_384


@dataclass(frozen=True, slots=True)
class Jpeg2000Header:
    """What is known of a picture that is not decoded yet.

    Parameters
    ----------
    size : tuple of int
        Height and width.
    depths : tuple of int
        Bits of each component, negative where its values are signed.
    halved : bool
        Whether a component has fewer pixels than the picture.
    start : int
        Where the codestream begins.
    profile : bytes
        The embedded colour profile; empty where there is none.
    palette : bool
        Whether the values are numbers of a palette.
    """

    size: tuple[int, int]
    depths: tuple[int, ...]
    halved: bool
    start: int
    profile: bytes = b""
    palette: bool = False


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Type, begin and end of the content of each box."""
    while at + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        length = length or end - at
        if length < head:
            raise ValueError(f"a box of {length} bytes")
        yield name, at + head, at + length
        at += length


def jpeg2000_header(data: bytes) -> Jpeg2000Header:
    """Read the header of a JPEG 2000 file or codestream.

    Parameters
    ----------
    data : bytes
        The file, or its beginning up to the codestream's own header.

    Raises
    ------
    ValueError, struct.error
        When there is none in it.
    """
    start, profile, palette = 0, b"", False
    if data.startswith(_SIGNATURE):
        for name, begin, end in _boxes(data, 0, len(data)):
            if name == b"jp2h":
                for inner, one, two in _boxes(data, begin, min(end, len(data))):
                    palette = palette or inner == b"pclr"
                    if inner == b"colr" and data[one : one + 1] in (b"\2", b"\3"):
                        profile = data[one + 3 : two]
            elif name == b"jp2c":
                start = begin
                break
        else:
            raise ValueError("a file without a codestream")
    if data[start : start + 4] != _STREAM:
        raise ValueError("no codestream where it should begin")
    found = struct.unpack_from(">HHIIIIIIIIH", data, start + 4)
    right, bottom, left, top, count = *found[2:6], found[10]
    if not 1 <= count <= _MOST:
        raise ValueError(f"{count} components")
    parts = struct.unpack_from(f">{3 * count}B", data, start + 42)
    depths = tuple((-1 if one & 0x80 else 1) * ((one & 0x7F) + 1) for one in parts[::3])
    halved = any(step != 1 for step in (*parts[1::3], *parts[2::3]))
    return Jpeg2000Header((bottom - top, right - left), depths, halved, start, profile, palette)


@guarded("a whole, undamaged JPEG 2000 file")
def read_jpeg2000(path: Path, data: bytes, options: ReadOptions) -> Picture:
    """Decode a JPEG 2000 file or codestream.

    Up to 8 bits are spread over 0..255; of more than 8 the numbers stay as they are stored.

    Raises
    ------
    CodecError
        When the file is cut off, damaged or too large.
    MissingExtra
        When it has 16-bit colour, signed values or many components, and imagecodecs is not installed.
    """
    header = jpeg2000_header(data)
    height, width = header.size
    if min(header.size) < 1:
        raise ValueError(f"a size of {width} x {height}")
    many = len(header.depths)
    check_pixels(path, (height, width, many) if many > 4 else (height, width), options.max_pixels)
    _check_whole(path, data, header.start)
    deepest = max(abs(depth) for depth in header.depths)
    plain = min(header.depths) > 0 and many <= 4 and (deepest <= 8 or (many == 1 and deepest <= 16))
    if plain and len(set(header.depths)) == 1:
        array, mode = _with_pillow(data, header, options)
    else:
        array, mode = _with_imagecodecs(data)
    note = f"{deepest} bits a sample, as they are stored" if deepest not in (8, 16) and deepest > 8 else ""
    if options.icc == "srgb" and not options.labels:
        array, said = to_srgb(array, header.profile or None)
        note = "; ".join(filter(None, (note, said)))
    meta = {"format": "jpeg2000", "mode": mode, "bit_depth": deepest}
    return Picture(np.ascontiguousarray(array), "yx" if array.ndim == 2 else "yxc", None, meta, note)


def _with_pillow(data: bytes, header: Jpeg2000Header, options: ReadOptions) -> tuple[Array, str]:
    from PIL import Jpeg2KImagePlugin

    image = Jpeg2KImagePlugin.Jpeg2KImageFile(io.BytesIO(data))
    mode, depth = image.mode, abs(header.depths[0])
    array = pil_pixels(image, labels=options.labels)
    if mode in ("P", "PA") or depth in (8, 16):
        return array, mode
    counts = array >> ((16 if depth > 8 else 8) - depth)  # Pillow moves small depths to the top of the type
    if depth > 8 or options.labels:
        return counts, mode
    top = 2**depth - 1
    return ((counts.astype(np.uint16) * 255 + top // 2) // top).astype(np.uint8), mode


def _with_imagecodecs(data: bytes) -> tuple[Array, str]:
    imagecodecs = require("imagecodecs", extra="tiff")
    array: Array = np.asarray(imagecodecs.jpeg2k_decode(data))
    if array.ndim not in (2, 3) or array.dtype.kind not in "iu":
        raise ValueError(f"{array.dtype} of shape {array.shape}")
    return array, array.dtype.name


def _check_whole(path: Path, data: bytes, at: int) -> None:
    """Walk over the parts of the codestream to its end mark; decoders show what there is of a file that was cut off."""
    at += 2
    try:
        while data[at : at + 2] != _EOC:
            (mark, length) = struct.unpack_from(">HH", data, at)
            if mark == _SOT:
                (part,) = struct.unpack_from(">I", data, at + 6)
                if part == 0:  # the last part, as long as there is
                    if _EOC not in data[-4:]:
                        raise EOFError
                    return
                if part < 14:
                    raise ValueError(f"a tile of {part} bytes")
                at += part
            elif mark < 0xFF00 or length < 2:
                raise ValueError(f"{mark:#06x} where a mark should be")
            else:
                at += 2 + length
    except (struct.error, EOFError) as error:
        got = f"a file cut off after {len(data):,} bytes"
        raise problem(path, "a whole JPEG 2000 file", got, _AGAIN) from error
