"""Telling formats apart by their first bytes."""

from __future__ import annotations

import zlib
from pathlib import Path

__all__ = ["FOREIGN", "HEAD", "head", "inflate_head", "sniff"]

HEAD = 4096
"""How many of its first bytes tell a file's format, in bytes."""

FOREIGN = {
    "hdf5": "an HDF5 file, which holds many images; open it as a source",
    "jpeg2000": "a JPEG 2000 image; convert it to TIFF or PNG first",
    "heif": "a HEIF or AVIF image; convert it to JPEG or PNG first",
    "zip": "a zip archive; unpack it first",
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
    (b"PK\x03\x04", "zip"),
    (b"%PDF-", "pdf"),
    (b"version https://git-lfs", "lfs"),
)


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
    """Name the format that the first bytes belong to, or None.

    Parameters
    ----------
    data : bytes
        The first bytes of a file; about 1000 are enough.

    Examples
    --------
    >>> sniff(b"GIF89a..."), sniff(b"hello")
    ('gif', None)
    """
    if data[:2] == b"\x1f\x8b":
        data = inflate_head(data)
        return "nifti" if sniff(data) == "nifti" else None
    if data[344:348] in (b"n+1\0", b"ni1\0") or data[4:8] == b"n+2\0":
        return "nifti"
    if data[:4] == b"\0\0\0\x01" and len(data) >= 284:  # MGH: version 1, big endian
        return "nifti"
    if data[128:132] == b"DICM":
        return "dicom"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypavif", b"ftypmif1"):
        return "heif"
    if data.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "html"
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)
