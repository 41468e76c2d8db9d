"""The codec for photos: JPEG, PNG, WebP, BMP, GIF, and those that are read only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imagemill.data.codecs.base import Codec, Picture, ReadOptions, problem
from imagemill.data.codecs.photos.headers import HEADER, TGA, photo_header
from imagemill.data.codecs.photos.heif import read_heif
from imagemill.data.codecs.photos.jpeg import encode_jpeg, read_jpeg
from imagemill.data.codecs.photos.jpeg2000 import read_jpeg2000
from imagemill.data.codecs.photos.netpbm import read_netpbm
from imagemill.data.codecs.photos.pillow_formats import encode_raster, read_raster
from imagemill.data.codecs.photos.png import encode_png, read_png
from imagemill.data.codecs.sniff import kind_of
from imagemill.data.records.record import split_suffix

__all__ = ["KIND_OF", "PHOTOS", "PhotoCodec"]

_KIND = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".bmp": "bmp", ".gif": "gif"}
_HEIF = (".heic", ".heif", ".hif")
KIND_OF = {
    **_KIND,
    **dict.fromkeys((".jfif", ".jpe", ".jif", ".mpo"), "jpeg"),
    **dict.fromkeys((".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".pfm"), "netpbm"),
    **dict.fromkeys((".jp2", ".j2k", ".jpx", ".jpf", ".jpc", ".j2c"), "jpeg2000"),
    **{".avif": "avif", ".tga": "tga", ".dib": "dib"},
    **dict.fromkeys(_HEIF, "heif"),
}
"""The kind of picture that a suffix stands for."""

_READERS = {"jpeg": read_jpeg, "netpbm": read_netpbm, "jpeg2000": read_jpeg2000, "heif": read_heif, "png": read_png}
PHOTOS = frozenset(KIND_OF.values())
"""Kinds of content that are photos."""
_RASTER = ("webp", "bmp", "gif", "avif", "tga", "dib")
# What each kind holds: dtypes and numbers of channels (None: no channel axis).
_HOLDS: dict[str, tuple[tuple[str, ...], tuple[int | None, ...]]] = {
    "jpeg": (("uint8",), (None, 1, 3)),
    "png": (("bool", "uint8", "uint16"), (None, 1, 2, 3, 4)),
    "webp": (("uint8",), (None, 1, 3, 4)),
    "bmp": (("uint8",), (None, 1, 3)),
    "gif": (("uint8",), (None, 1)),
}
_LONGEST = {"jpeg": 65_500, "png": 2**31 - 1, "webp": 16_383, "bmp": 2**31 - 1, "gif": 65_535}


class PhotoCodec(Codec):
    """Reads and writes photos; the kind is told by content when reading and by suffix when writing.

    Written files carry no date and no EXIF block, so that equal pixels give equal bytes and an orientation
    is never applied twice. JPEG is written at quality 95 with full chroma, WebP without loss (gray becomes
    three equal channels, and alpha that is opaque everywhere is left out).
    """

    name = "photo"
    suffixes: tuple[str, ...] = tuple(KIND_OF)
    writes: tuple[str, ...] = tuple(_KIND)
    remarks: Mapping[str, str] = {
        ".jpg": "8 bit; CMYK read as RGB; written at quality 95, 4:4:4",
        ".png": "1, 8 and 16 bit; lossless",
        ".webp": "8 bit; written lossless",
        ".gif": "first frame; written gray only",
        ".bmp": "8 bit",
        ".jfif": "JPEG; of several pictures in an .mpo the first",
        ".pbm": "Netpbm: 1 to 16 bit, and PFM's floats; white is what the file says",
        ".jp2": "JPEG 2000; 16-bit colour and signed values need the extra tiff",
        ".avif": "8 bit; more bits are read as 8",
        ".tga": "8 bit, gray, palette or colour, with runs or without",
        ".dib": "a BMP, with or without the header of a file",
        ".heic": "photos of phones; 8 bit",
    }
    needs: Mapping[str, tuple[str, str]] = dict.fromkeys(_HEIF, ("pi_heif", "heif"))

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        data = path.read_bytes() if data is None else data
        kind = kind_of(data[:512]) or _unmarked(path)
        if kind in _READERS:
            picture = _READERS[kind](path, data, options)
        elif kind in _RASTER:
            picture = read_raster(path, data, options, kind)
        else:
            do = "check that the file was copied whole and has the right suffix"
            raise problem(path, "a JPEG, PNG, WebP or other photo", f"bytes {data[:8]!r}", do)
        if options.axes not in (None, picture.axes):
            got = f"{picture.axes!r} in the file"
            raise problem(path, f"axes {options.axes!r}", got, "leave axes out: the file says them")
        return picture

    def recognises(self, start: bytes) -> bool:
        return kind_of(start) in PHOTOS

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        start = data[:HEADER] if data is not None else _head(path, HEADER)
        kind = kind_of(start) or _unmarked(path) or ("tga" if (data or b"").endswith(TGA) else None)
        return photo_header(path, kind, start, lambda: path.read_bytes() if data is None else data)

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        if suffix not in self.writes:
            return f"{suffix} is read only; choose .png"
        kind = _KIND[suffix]
        dtypes, counts = _HOLDS[kind]
        dtype, count = picture.array.dtype.name, picture.channels
        if picture.axes.startswith("z"):
            return f"{kind.upper()} holds no volumes; choose .nii.gz or .tiff"
        if picture.array.size == 0:
            return "a picture without pixels cannot be written"
        if dtype not in dtypes:
            instead = ".png or .tiff" if dtype in ("uint16", "bool") else ".tiff or .npy"
            return f"{kind.upper()} holds {' or '.join(dtypes)}, not {dtype}; choose {instead}"
        if count not in counts or (dtype == "bool" and count not in (None, 1)):
            instead = ".png or .webp" if count == 4 else ".png or .tiff" if count in (2, 3) else ".tiff"
            return f"{kind.upper()} does not hold {dtype} with {count} channels; choose {instead}"
        if max(picture.spatial_shape) > _LONGEST[kind]:
            return f"{kind.upper()} holds at most {_LONGEST[kind]} pixels a side; choose .tiff"
        return None

    def encode(self, picture: Picture, suffix: str) -> bytes:
        kind = _KIND[suffix]
        if kind == "jpeg":
            return encode_jpeg(picture)
        if kind == "png":
            return encode_png(picture)
        return encode_raster(picture, kind)


def _head(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _unmarked(path: Path) -> str:
    """The kind of a file by its name, for the two whose first bytes say nothing."""
    kind = KIND_OF.get(split_suffix(path)[1].lower(), "")
    return kind if kind in ("tga", "dib") else ""
