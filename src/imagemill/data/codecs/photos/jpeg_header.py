"""What a JPEG file says before its pixels, found in one walk over its segments.

Sources: ITU-T T.81 annex B for the segments, CIPA DC-008 (EXIF 2.32) for the orientation.
"""

from __future__ import annotations

from dataclasses import dataclass

import simplejpeg

from imagemill.data.codecs.error_guard import cause
from imagemill.data.codecs.photos.exif import exif_orientation

__all__ = ["Frame", "JpegHeader", "jpeg_header", "unusual_kind"]

_BASELINE = (0xC0, 0xC1)
_LS = 0xF7
_ALONE = {0x00, 0x01, *range(0xD0, 0xD9)}
_KINDS = {
    0xC3: "lossless JPEG",
    0xC5: "hierarchical JPEG",
    0xC6: "hierarchical JPEG",
    0xC7: "hierarchical lossless JPEG",
    0xC9: "JPEG in arithmetic coding",
    0xCA: "JPEG in arithmetic coding",
    0xCB: "lossless JPEG in arithmetic coding",
    0xCD: "hierarchical JPEG in arithmetic coding",
    0xCE: "hierarchical JPEG in arithmetic coding",
    0xCF: "hierarchical lossless JPEG in arithmetic coding",
    _LS: "JPEG-LS image",
}
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
        When libjpeg, or what stands between it and Python, does not take the file.
    """
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        raise
    except Exception as error:  # a KeyError for chroma at a quarter of the height, which has no name there
        raise ValueError(f"a kind of JPEG that has no name in the quick decoder ({cause(error)})") from error
    orientation, frame = _walk(data)
    return JpegHeader((int(height), int(width)), space, orientation, frame)


def unusual_kind(data: bytes) -> str:
    """What makes a JPEG file one that most decoders do not know, in words; empty for the usual kinds.

    Source: ITU-T T.81, table B.1 (start of frame markers) and B.2.2 (sample precision); T.87 C.2.2 (JPEG-LS).

    Examples
    --------
    >>> unusual_kind(bytes.fromhex("ffd8ffc1000b0c0010001001011100"))
    'a JPEG of 12 bits a sample'
    """
    at = 2
    while at + 5 <= len(data):
        marker = data[at + 1] if data[at] == 0xFF else 0xFF
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES or marker == _LS:
            bits, kind = data[at + 4], _KINDS.get(marker, "JPEG")
            deep = f" of {bits} bits a sample" if bits != 8 else ""
            return f"a {kind}{deep}" if deep or kind != "JPEG" else ""
        if marker in (0xD9, 0xDA):
            break
        at += 2 + max(data[at + 2] << 8 | data[at + 3], 2)
    return ""


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
