"""The one EXIF value that changes pixels, read without decoding and without warnings.

Sources: CIPA DC-008 (EXIF 2.32) for the tag, TIFF 6.0 section 2 for the directory, ITU-T T.81 annex B for
the JPEG segments.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

__all__ = ["exif_orientation", "jpeg_orientation", "jpeg_segments", "without_exif", "without_fill"]

_TAG = 0x0112
_SHORT = 3
_LONG = b"\xff" * 65_536
_HARMLESS = 1 << 18
_SHORTER = b"\xff" * 16
_FILL = re.compile(rb"\xff{65536,}")


def jpeg_orientation(data: bytes) -> int:
    """Find the orientation in the bytes of a JPEG file.

    Parameters
    ----------
    data : bytes
        The file, or its beginning up to the pixels.

    Returns
    -------
    int
        1 to 8; 1 when there is none or it makes no sense.

    Examples
    --------
    >>> jpeg_orientation(bytes.fromhex("ffd8ffd9"))
    1
    """
    for at, length in _blocks(data):
        return exif_orientation(data[at + 6 : at + length])
    return 1


def without_exif(data: bytes) -> bytes:
    """Take the name off the EXIF blocks of a JPEG file, so that nothing reads them; the pixels stay as they are.

    Pillow reads the resolution from them whenever it opens a file, and warns about damage.

    Examples
    --------
    >>> without_exif(bytes.fromhex("ffd8ffd9")).hex()
    'ffd8ffd9'
    """
    found = bytearray(data)
    for at, _ in _blocks(data):
        found[at : at + 4] = b"exif"
    return bytes(found)


def without_fill(data: bytes) -> bytes:
    """Shorten endless rows of fill bytes in a JPEG file, over which decoders go one by one.

    Nothing else is so long: a segment ends sooner, and coded pixels have no two such bytes in a row. Files of up to
    256 KiB, as most photos are, come back unread: no row within them takes a decoder longer than a picture does.

    Examples
    --------
    >>> without_fill(bytes.fromhex("ffd8") + bytes([255]) * 300_000 + bytes.fromhex("d9")).hex()
    'ffd8ffffd9'
    """
    # The short row is looked for first: it is found, or not, many times as fast as the long one.
    found = len(data) > _HARMLESS and _SHORTER in data and _LONG in data
    return _FILL.sub(b"\xff\xff", data) if found else data


def _blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each EXIF block of a JPEG file begins, and how long it is."""
    for marker, at, length in jpeg_segments(data):
        if marker == 0xE1 and data[at : at + 6] == b"Exif\0\0":
            yield at, length


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, place and length of the content of each segment of a JPEG file before its pixels.

    Examples
    --------
    >>> list(jpeg_segments(bytes.fromhex("ffd8ffe00004abcdffd9")))
    [(224, 6, 2)]
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in (0xDA, 0xD9):
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at + 4, max(length - 2, 0)
        at += 2 + max(length, 2)


def exif_orientation(block: bytes) -> int:
    r"""Find the orientation in an EXIF block (a small TIFF), with or without its ``Exif`` head.

    Parameters
    ----------
    block : bytes
        The block.

    Returns
    -------
    int
        1 to 8; 1 when there is none or it makes no sense.

    Examples
    --------
    >>> tag = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    >>> exif_orientation(b"II*\0" + struct.pack("<IH", 8, 1) + tag)
    6
    """
    block = block.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 10:
        return 1
    (start,) = struct.unpack_from(order + "I", block, 4)
    if start + 2 > len(block):
        return 1
    (count,) = struct.unpack_from(order + "H", block, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", block, entry)
        if tag == _TAG and kind == _SHORT:
            return value if 1 <= value <= 8 else 1
    return 1
