"""Height and width of a picture from its header, without decoding it.

Sources: ITU-T T.81 annex B (JPEG); W3C PNG 11.2.1; GIF89a 18; Microsoft BITMAPINFOHEADER; RFC 9649 (WebP).
"""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

from imagemill.core.extras import require
from imagemill.data.codecs.base import problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.npy import axes_by_rank, load_npy
from imagemill.data.codecs.photos.exif import exif_orientation, jpeg_orientation, without_fill
from imagemill.data.codecs.photos.heif import heif_size
from imagemill.data.codecs.photos.jpeg2000 import jpeg2000_header
from imagemill.data.codecs.photos.netpbm import netpbm_header
from imagemill.data.codecs.photos.pillow_formats import avif_size
from imagemill.data.codecs.sniff import FOREIGN, sniff
from imagemill.data.codecs.volumes.dicom import load_dataset, no_pixels
from imagemill.data.codecs.volumes.nifti import nifti_place
from imagemill.data.codecs.volumes.volume_header import header_shape

__all__ = ["header_of_image", "image_size"]

_AGAIN = "get the file again from where it came from"
_TGA = b"TRUEVISION-XFILE.\0"
_START = 1 << 16
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@guarded("the header of a picture")
def image_size(where: Path | str | bytes, *, exif: bool = False) -> tuple[int, int]:
    """Read height and width from the header; of volumes those of a slice.

    Parameters
    ----------
    where : Path, str or bytes
        A file, or the content of one (the whole of it, for formats other than photos).
    exif : bool
        Whether the size is wanted as the picture is seen, after the rotation that EXIF asks for.

    Raises
    ------
    CodecError
        When there is no such file, or it has no header of a known format.

    Examples
    --------
    >>> image_size(b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(100))
    (480, 640)
    """
    (height, width), orientation = header_of_image(where)
    return (width, height) if exif and orientation in (5, 6, 7, 8) else (height, width)


@guarded("the header of a picture")
def header_of_image(where: Path | str | bytes) -> tuple[tuple[int, int], int]:
    """Read from the header what `image_size` does as it is stored, and the orientation that EXIF gives, 1 to 8.

    Raises
    ------
    CodecError
        As `image_size`.

    Examples
    --------
    >>> header_of_image(b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(100))
    ((480, 640), 1)
    """
    path = Path("bytes") if isinstance(where, bytes) else Path(where)
    start = where[:_START] if isinstance(where, bytes) else _head(path, _START)
    kind = sniff(start)
    if kind in _PHOTO:
        size, orientation = _PHOTO[kind](start, lambda: where if isinstance(where, bytes) else path.read_bytes())
    else:
        size, orientation = _other(path, kind, where if isinstance(where, bytes) else None)
    if min(size) < 1:
        raise problem(path, "a height and width of at least 1", f"{size}", _AGAIN)
    return size, orientation if orientation in range(1, 9) else 1


def _head(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


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
    data = start if place >= 0 or len(start) < _START else whole()
    place = data.find(b"eXIf") if place < 0 else place
    block = b""
    if place >= 4:
        (length,) = struct.unpack_from(">I", data, place - 4)
        block = data[place + 4 : place + 4 + length]
    return (int(height), int(width)), exif_orientation(block)


def _gif(start: bytes, whole: Any) -> _Found:
    width, height = struct.unpack_from("<HH", start, 6)
    return (int(height), int(width)), 1


def _bmp(start: bytes, whole: Any) -> _Found:
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


def _netpbm(start: bytes, whole: Any) -> _Found:
    header = netpbm_header(start)
    return (header.height, header.width), 1


def _jpeg2000(start: bytes, whole: Any) -> _Found:
    try:
        return jpeg2000_header(start).size, 1
    except (ValueError, struct.error):  # profiles and metadata can push the codestream far back
        return jpeg2000_header(whole()).size, 1


def _avif(start: bytes, whole: Any) -> _Found:
    return avif_size(whole())


_PHOTO: dict[str | None, Any] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "bmp": _bmp,
    "webp": _webp,
    "netpbm": _netpbm,
    "jpeg2000": _jpeg2000,
    "avif": _avif,
}


def _other(path: Path, kind: str | None, data: bytes | None) -> _Found:
    if kind == "nifti":
        shape, _ = nifti_place(path, data)
        return (shape[1], shape[2]), 1
    if kind in ("metaimage", "nrrd") or (kind is None and path.suffix.lower() in (".mha", ".mhd")):
        shape = header_shape(path, data)
        return (shape[-2], shape[-1]), 1
    if kind == "tiff":
        return _tiff(path, data)
    if kind == "heif":
        return heif_size(path, path.read_bytes() if data is None else data)
    if kind == "npy":
        array = load_npy(path, data)
        axes, _ = axes_by_rank(path, array.shape)
        return (int(array.shape[axes.index("y")]), int(array.shape[axes.index("x")])), 1
    if kind == "dicom" or path.suffix.lower() in (".dcm", ".dicom", ".ima"):
        dataset = load_dataset(path, data, pixels=False)
        if dataset.get("Rows") and dataset.get("Columns"):
            return (int(dataset.Rows), int(dataset.Columns)), 1
        raise problem(path, "an image", no_pixels(dataset), "leave it out")
    if kind is None and (path.suffix.lower() in (".tga", ".dib") or (data or b"").endswith(_TGA)):
        return _unmarked(path, data)
    what, _, do = FOREIGN.get(kind or "", "unknown content; convert it to PNG, TIFF or NIfTI").partition("; ")
    raise problem(path, "a picture or volume", what, do)


def _unmarked(path: Path, data: bytes | None) -> _Found:
    """TGA, and BMP without its file header: their first bytes are numbers."""
    start = _head(path, 18) if data is None else data[:18]
    if path.suffix.lower() == ".dib":
        width, height = struct.unpack_from("<ii", start, 4)
        return (abs(int(height)), int(width)), 1
    width, height = struct.unpack_from("<HH", start, 12)
    return (int(height), int(width)), 1


def _tiff(path: Path, data: bytes | None) -> _Found:
    tifffile = require("tifffile", extra="tiff")
    with tifffile.TiffFile(path if data is None else io.BytesIO(data)) as tif:
        page = tif.pages[0]
        tag = page.tags.get(274)
        return (int(page.imagelength), int(page.imagewidth)), int(tag.value) if tag is not None else 1
