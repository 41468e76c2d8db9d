"""Height, width and EXIF orientation of photos from their headers.

Sources: ITU-T T.81 annex B (JPEG); W3C PNG 11.2.1; GIF89a 18; Microsoft BITMAPINFOHEADER; RFC 9649 (WebP).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imagemill.data.codecs.base import problem
from imagemill.data.codecs.photos.exif import exif_orientation, jpeg_orientation, without_fill
from imagemill.data.codecs.photos.heif import heif_size
from imagemill.data.codecs.photos.jpeg2000 import jpeg2000_header
from imagemill.data.codecs.photos.netpbm import netpbm_header
from imagemill.data.codecs.photos.pillow_formats import avif_size

__all__ = ["HEADER", "TGA", "photo_header"]

HEADER = 1 << 16
"""How many of its first bytes are read for a photo's header, in bytes."""

TGA = b"TRUEVISION-XFILE.\0"
"""How TGA files end; their first bytes are numbers."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

_Found = tuple[tuple[int, int], int]


def _jpeg(start: bytes, whole: Any) -> _Found:
    try:
        return _jpeg_frame(start), jpeg_orientation(start)
    except (struct.error, IndexError):  # thumbnails and profiles can push the header far back
        data = without_fill(whole())
        return _jpeg_frame(data), jpeg_orientation(data)


def _jpeg_frame(data: bytes) -> tuple[int, int]:
    at = 2
    while True:
        if data[at] != 0xFF:
            at += 1  # stray bytes between segments are passed over, as decoders do
            continue
        marker = data[at + 1]
        if marker in (0xFF, 0x00, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return int(height), int(width)
        if marker in (0xD9, 0xDA):
            raise ValueError("no frame header before the pixels")
        at += 2 + max(length, 2)


def _png(start: bytes, whole: Any) -> _Found:
    width, height = struct.unpack_from(">II", start, 16)
    if start[12:16] != b"IHDR":
        raise ValueError("no header at the beginning")
    place = start.find(b"eXIf")
    # The block may stand behind the pixels.
    data = start if place >= 0 or len(start) < HEADER else whole()
    place = data.find(b"eXIf") if place < 0 else place
    block = b""
    if place >= 4:
        (length,) = struct.unpack_from(">I", data, place - 4)
        block = data[place + 4 : place + 4 + length]
    return (int(height), int(width)), exif_orientation(block)


def _gif(start: bytes, _: Any) -> _Found:
    width, height = struct.unpack_from("<HH", start, 6)
    return (int(height), int(width)), 1


def _bmp(start: bytes, _: Any) -> _Found:
    (size,) = struct.unpack_from("<I", start, 14)
    width, height = struct.unpack_from("<HH" if size == 12 else "<ii", start, 18)
    return (abs(int(height)), int(width)), 1  # a negative height stands for rows from the top


def _webp(start: bytes, whole: Any) -> _Found:
    name = start[12:16]
    if name == b"VP8X":
        width, height = (int.from_bytes(start[at : at + 3], "little") + 1 for at in (24, 27))
        block = _riff(whole(), b"EXIF") if start[20] & 8 else b""
        return (height, width), exif_orientation(block)
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", start, 21)
        return ((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1), 1
    if name == b"VP8 " and start[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", start, 26)
        return (height & 0x3FFF, width & 0x3FFF), 1
    raise ValueError("no known part of a WebP file")


def _riff(data: bytes, wanted: bytes) -> bytes:
    """The content of one part of a RIFF file."""
    at = 12
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        if data[at : at + 4] == wanted:
            return data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return b""


def _netpbm(start: bytes, _: Any) -> _Found:
    header = netpbm_header(start)
    return (header.height, header.width), 1


def _jpeg2000(start: bytes, whole: Any) -> _Found:
    try:
        return jpeg2000_header(start).size, 1
    except (ValueError, struct.error):  # profiles and metadata can push the codestream far back
        return jpeg2000_header(whole()).size, 1


def _avif(_: bytes, whole: Any) -> _Found:
    return avif_size(whole())


def _tga(start: bytes, _: Any) -> _Found:
    width, height = struct.unpack_from("<HH", start, 12)
    return (int(height), int(width)), 1


def _dib(start: bytes, _: Any) -> _Found:
    width, height = struct.unpack_from("<ii", start, 4)
    return (abs(int(height)), int(width)), 1


_HEADERS: dict[str | None, Any] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "bmp": _bmp,
    "webp": _webp,
    "netpbm": _netpbm,
    "jpeg2000": _jpeg2000,
    "avif": _avif,
    "tga": _tga,
    "dib": _dib,
}


def photo_header(path: Path, kind: str | None, start: bytes, whole: Callable[[], bytes]) -> _Found:
    """Height and width as they are stored, and the orientation of EXIF.

    Parameters
    ----------
    path : Path
        For errors.
    kind : str or None
        The kind of photo.
    start : bytes
        The first `HEADER` bytes.
    whole : callable
        Gives the whole file, for the few kinds that keep something at its end.

    Raises
    ------
    CodecError
        When it is no photo; whatever a damaged header makes of itself otherwise.
    """
    if kind == "heif":
        return heif_size(path, whole())
    if kind not in _HEADERS:
        raise problem(path, "a photo", f"bytes {start[:8]!r}", "check its suffix")
    found: _Found = _HEADERS[kind](start, whole)
    return found
