"""What a JPEG file says before its pixels, found in one walk over its segments.

Sources: ITU-T T.81 annex B for the segments, CIPA DC-008 (EXIF 2.32) for the orientation.
"""

from __future__ import annotations

from dataclasses import dataclass

import simplejpeg

from imagemill.data.codecs.exif import exif_orientation

__all__ = ["Frame", "JpegHeader", "jpeg_header"]

_BASELINE = (0xC0, 0xC1)
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows that are coded one after the other, in a single scan without restarts.

    Parameters
    ----------
    at : int
        Where in the file the height stands, in two bytes.
    block : int
        Pixels of one row of blocks.
    """

    at: int
    block: int


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What is known of a photo that is not decoded yet.

    Parameters
    ----------
    size : tuple of int
        Height and width as they are stored.
    space : str
        Of the stored colours, as libjpeg calls it: ``"Gray"``, ``"YCbCr"``, ``"RGB"``, ``"CMYK"``, ``"YCCK"``.
    orientation : int
        1 to 8, as EXIF numbers them.
    frame : Frame or None
        None for files whose rows do not come one after the other.
    """

    size: tuple[int, int]
    space: str
    orientation: int
    frame: Frame | None


def jpeg_header(data: bytes) -> JpegHeader:
    """Read the header of a JPEG file.

    Raises
    ------
    ValueError
        When libjpeg does not take the file.
    """
    height, width, space, _ = simplejpeg.decode_jpeg_header(data)
    orientation, frame = _walk(data)
    return JpegHeader((int(height), int(width)), space, orientation, frame)


def _walk(data: bytes) -> tuple[int, Frame | None]:
    """The orientation, and the frame where it is of the simple kind."""
    orientation, found, components, simple = 0, None, 0, True
    at, end = 2, len(data) - 4
    while at <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            break
        length = data[at + 2] << 8 | data[at + 3]
        if marker == 0xDA:
            simple = simple and at < end and data[at + 4] == components
            break
        if marker == 0xE1 and not orientation and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = exif_orientation(data[at + 10 : at + 2 + length])
        elif marker in _FRAMES and at + 9 < len(data):
            components = data[at + 9]
            sampled = data[at + 11 : at + 11 + 3 * components : 3]
            simple = simple and found is None and marker in _BASELINE and len(sampled) == components > 0
            found = Frame(at + 5, 8 * max((one & 15 for one in sampled), default=1))
        elif marker == 0xDD and data[at + 4 : at + 6] != b"\0\0":
            simple = False
        at += 2 + max(length, 2)
    else:
        simple = False
    return orientation or 1, found if simple else None
