"""What a JPEG file says besides pixels: quality, camera, time, exposure; of other files their format and length.

Sources: ITU-T T.81 annex B for the segments, CIPA DC-008 (EXIF 2.32) for the tags, TIFF 6.0 section 2 for directories.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from imagemill.data.codecs.photos.exif import jpeg_segments

__all__ = ["FileFacts", "file_facts", "jpeg_quality"]

_CAMERA, _SOFTWARE, _TIME = 0x0110, 0x0131, 0x0132
_EXPOSURE, _APERTURE, _SPEED, _TAKEN, _EXIF = 0x829A, 0x829D, 0x8827, 0x9003, 0x8769
_FLASH, _ACROSS, _DOWN = 0x9209, 0xA002, 0xA003
_ASKED = (_CAMERA, _SOFTWARE, _TIME, _TAKEN, _EXPOSURE, _APERTURE, _SPEED, _FLASH, _ACROSS, _DOWN)
_TEXT, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5

_STANDARD = 3688
"""Sum of the luminance table of ITU-T T.81, K.1, which libjpeg scales by the quality."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file says of itself; empty, 0 or NaN where it does not.

    Parameters
    ----------
    format : str
        Such as ``"jpeg"``.
    bytes : int
        Of the encoded file.
    quality : float
        Of a JPEG, 1 to 100, as libjpeg counts it.
    orientation : int
        EXIF's, 1 to 8.
    camera, taken, software : str
    exposure_value : float
        Brightness of the scene at ISO 100, in stops (EV): 15 is full sun, 5 a lit room.
    flash : bool
        Whether it fired.
    exif_size : tuple of int
        Width and height that EXIF says the stored pixels have, before they are turned; zeros where it does not.
    """

    format: str = ""
    bytes: int = 0
    quality: float = float("nan")
    orientation: int = 1
    camera: str = ""
    taken: str = ""
    software: str = ""
    exposure_value: float = float("nan")
    flash: bool = False
    exif_size: tuple[int, int] = (0, 0)


def file_facts(data: bytes | None, suffix: str, meta: Mapping[str, Any]) -> FileFacts:
    """What the bytes of an image say; nothing of it fails the image, which was decoded already.

    Parameters
    ----------
    data : bytes or None
        The file; None for arrays.
    suffix : str
    meta : mapping
        What decoding said: ``format``, ``exif_orientation``.

    Examples
    --------
    >>> file_facts(b"...", ".png", {"format": "png"}).format
    'png'
    """
    kind = str(meta.get("format", suffix.removeprefix(".")) or "array")
    turned = int(meta.get("exif_orientation", 1) or 1)
    if data is None or kind != "jpeg":
        return FileFacts(kind, len(data or b""), orientation=turned)
    quality, tags = float("nan"), dict[int, Any]()
    for marker, at, length in jpeg_segments(data):
        segment = data[at : at + length] if marker in (0xDB, 0xE1) else b""
        if marker == 0xDB and quality != quality:
            quality = jpeg_quality(segment)
        elif marker == 0xE1 and segment.startswith(b"Exif\0\0") and not tags:
            tags = _tags(segment[6:])
    if not tags:
        return FileFacts(kind, len(data), quality, turned)
    return FileFacts(
        kind,
        len(data),
        quality,
        turned,
        camera=str(tags.get(_CAMERA, "")),
        taken=str(tags.get(_TAKEN) or tags.get(_TIME, "")),
        software=str(tags.get(_SOFTWARE, "")),
        exposure_value=_exposure(tags.get(_EXPOSURE), tags.get(_APERTURE), tags.get(_SPEED)),
        flash=bool(int(tags.get(_FLASH, 0) or 0) & 1),
        exif_size=(int(tags.get(_ACROSS, 0) or 0), int(tags.get(_DOWN, 0) or 0)),
    )


@lru_cache(maxsize=256)
def jpeg_quality(segment: bytes) -> float:
    """The quality, 1 to 100, that libjpeg would have been given for a table of this sum; NaN where there is none.

    Source: the scaling of libjpeg's ``jpeg_quality_scaling`` turned round: ``200 - 2 q`` per cent of the standard
    table from 50 on, and ``5000 / q`` below.

    Parameters
    ----------
    segment : bytes
        Content of a DQT segment whose first table is the one of luminance.

    Examples
    --------
    >>> jpeg_quality(bytes([0]) + bytes([1]) * 64), jpeg_quality(b"")
    (99.13232104121475, nan)
    """
    wide = bool(segment) and segment[0] >> 4
    values = np.frombuffer(segment[1 : 129 if wide else 65], ">u2" if wide else np.uint8)
    if len(values) != 64 or segment[0] & 15:
        return float("nan")
    scale = 100 * float(np.sum(values, dtype=np.int64)) / _STANDARD
    return float(np.clip((200 - scale) / 2 if scale <= 100 else 5000 / scale, 1, 100))


def _tags(block: bytes) -> dict[int, Any]:
    """The few fields that are asked for, of the first directory and of EXIF's own; what is damaged is left out."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    found: dict[int, Any] = {}
    if order is None or len(block) < 8:
        return found
    starts, seen = [struct.unpack_from(order + "I", block, 4)[0]], 0
    while starts and seen < 2:
        start, seen = starts.pop(), seen + 1
        if start + 2 > len(block):
            continue
        (count,) = struct.unpack_from(order + "H", block, start)
        for at in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
            tag, kind, many = struct.unpack_from(order + "HHI", block, at)
            if tag == _EXIF:
                starts.append(struct.unpack_from(order + "I", block, at + 8)[0])
            elif tag in _ASKED:
                value = _value(block, order, kind, many, at + 8)
                if value is not None:
                    found[tag] = value
    return found


def _value(block: bytes, order: str, kind: int, many: int, at: int) -> Any:
    (far,) = struct.unpack_from(order + "I", block, at)
    if kind == _TEXT and many < 1 << 12:
        start = at if many <= 4 else far
        text = block[start : start + many].split(b"\0")[0].decode("ascii", "replace")
        return "".join(c for c in text if c.isprintable()).strip()[:80]
    if kind == _SHORT:
        return struct.unpack_from(order + "H", block, at)[0]
    if kind == _LONG:
        return far
    if kind == _RATIONAL and far + 8 <= len(block):
        over, under = struct.unpack_from(order + "II", block, far)
        return over / under if under else None
    return None


def _exposure(seconds: Any, aperture: Any, speed: Any) -> float:
    """Exposure value at ISO 100: ``log2(N^2 / t) - log2(S / 100)`` (ISO 2720)."""
    given = [value for value in (seconds, aperture, speed) if isinstance(value, int | float) and value > 0]
    if len(given) < 3:
        return float("nan")
    return float(np.log2(aperture**2 / seconds) - np.log2(speed / 100))
