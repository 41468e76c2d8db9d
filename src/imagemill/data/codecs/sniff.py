"""Telling formats apart by their first bytes."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from imagemill.data.codecs.shelf import SHELF

__all__ = ["FOREIGN", "HEAD", "head", "inflate_head", "kind_of", "sniff"]

HEAD = 4096
"""How many of its first bytes tell a file's format, in bytes."""

FOREIGN = {
    "hdf5": "an HDF5 file, which holds many images; open it as a source",
    "video": "a video (MP4 or QuickTime); take its frames out as PNG or JPEG first",
    "jpegxl": "a JPEG XL image; convert it to PNG or JPEG first",
    "photoshop": "a Photoshop document; export it as TIFF or PNG first",
    "openexr": "an OpenEXR image; convert it to TIFF or .npy first",
    "fits": "a FITS image; convert it to TIFF or .npy first",
    "svg": "a drawing in SVG; render it as PNG first",
    "icon": "a Windows icon; convert it to PNG first",
    "7z": "a 7z archive; unpack it first",
    "rar": "a RAR archive; unpack it first",
    "zip": "a zip archive; name it .zip, or unpack it first",
    "pdf": "a PDF document; export its pages as PNG first",
    "html": "a web page, often the error page of a failed download; download the file again",
    "lfs": "a Git LFS pointer, not the file itself; run: git lfs pull",
}
"""Formats that are recognised only to say what to do about them."""

_MAGIC = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"\x93NUMPY", "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\0\0\0\x0cjP  ", "jpeg2000"),
    (b"\xff\x4f\xff\x51", "jpeg2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jpegxl"),
    (b"\xff\x0a", "jpegxl"),
    (b"8BPS\0", "photoshop"),
    (b"\x76\x2f\x31\x01", "openexr"),
    (b"SIMPLE  =", "fits"),
    (b"NRRD000", "nrrd"),
    (b"ObjectType", "metaimage"),
    (b"\0\0\x01\0", "icon"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"PK\x03\x04", "zip"),
    (b"%PDF-", "pdf"),
    (b"version https://git-lfs", "lfs"),
)


# The brands of the file type box; MPEG-4 files of all kinds begin with it. Sources: ISO/IEC 23008-12 (HEIF) annex B and
# 10.2, the AV1 image format, and the registry at mp4ra.org.
_AVIF = {b"avif", b"avis"}
_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1", b"miaf"}
_NETPBM = re.compile(rb"P[1-6Ff]\s*#|P[1-7Ff]\s+(#|\d|[A-Z]{5})")


def head(path: Path) -> bytes:
    """Read the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(HEAD)


def inflate_head(data: bytes) -> bytes:
    """Inflate as much as the first bytes of a gzip file give; empty when they are not gzip."""
    try:
        return zlib.decompressobj(wbits=31).decompress(data, HEAD)
    except zlib.error:
        return b""


def sniff(data: bytes) -> str | None:
    """Name the format that the first bytes belong to, also one from outside, or None.

    Parameters
    ----------
    data : bytes
        The first bytes of a file; about 1000 are enough.

    Examples
    --------
    >>> sniff(b"GIF89a..."), sniff(b"hello")
    ('gif', None)
    """
    kind = kind_of(data)
    if kind is not None and kind not in FOREIGN:
        return kind
    return SHELF.recognised(data[:HEAD]) or kind


def kind_of(data: bytes) -> str | None:
    """Name the format of imagemill's own that the first bytes belong to, or None.

    Parameters
    ----------
    data : bytes
        The first bytes of a file; about 1000 are enough.

    Examples
    --------
    >>> kind_of(b"GIF89a..."), kind_of(b"hello")
    ('gif', None)
    """
    if data[:2] == b"\x1f\x8b":
        data = inflate_head(data)
        return "nifti" if kind_of(data) == "nifti" else None
    if data[344:348] in (b"n+1\0", b"ni1\0") or data[4:8] == b"n+2\0":
        return "nifti"
    if data[:4] == b"\0\0\0\x01" and len(data) >= 284:  # MGH: version 1, big endian
        return "nifti"
    if data[128:132] == b"DICM":
        return "dicom"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return _brand(data)
    if data[:1] == b"P" and _NETPBM.match(data):
        return "netpbm"
    if data[:5] in (b"<?xml", b"<svg ") and b"<svg" in data:
        return "svg"
    if data.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "html"
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)


def _brand(data: bytes) -> str:
    """What an MPEG-4 file holds, by its own brand, and by those it says it agrees with where that tells nothing."""
    length = int.from_bytes(data[:4], "big")
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, min(length, len(data)) - 3, 4))]
    for brand in brands[:1], brands[1:]:
        if not _AVIF.isdisjoint(brand):
            return "avif"
        if not _HEIF.isdisjoint(brand):
            # A general brand of HEIF may stand before that of AVIF, whose pictures are coded in another way.
            return "heif" if _AVIF.isdisjoint(brands) else "avif"
    return "jpeg2000" if data[8:11] in (b"jp2", b"jpx", b"jpm") else "video"
