"""The codec for photos: JPEG, PNG, WebP, BMP and GIF."""

from __future__ import annotations

from pathlib import Path

from imagemill.data.codecs.base import Picture, ReadOptions, problem
from imagemill.data.codecs.jpeg import encode_jpeg, read_jpeg
from imagemill.data.codecs.png import encode_png, read_png
from imagemill.data.codecs.raster import encode_raster, read_raster
from imagemill.data.codecs.sniff import sniff

__all__ = ["PhotoCodec"]

_KIND = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".bmp": "bmp", ".gif": "gif"}
# What each kind holds: dtypes and numbers of channels (None: no channel axis).
_HOLDS: dict[str, tuple[tuple[str, ...], tuple[int | None, ...]]] = {
    "jpeg": (("uint8",), (None, 1, 3)),
    "png": (("bool", "uint8", "uint16"), (None, 1, 2, 3, 4)),
    "webp": (("uint8",), (None, 1, 3, 4)),
    "bmp": (("uint8",), (None, 1, 3)),
    "gif": (("uint8",), (None, 1)),
}
_LONGEST = {"jpeg": 65_500, "png": 2**31 - 1, "webp": 16_383, "bmp": 2**31 - 1, "gif": 65_535}


class PhotoCodec:
    """Reads and writes photos; the kind is told by content when reading and by suffix when writing.

    Written files carry no date and no EXIF block, so that equal pixels give equal bytes and an orientation
    is never applied twice. JPEG is written at quality 95 with full chroma, WebP without loss (gray becomes
    three equal channels, and alpha that is opaque everywhere is left out).
    """

    name = "photo"
    suffixes: tuple[str, ...] = tuple(_KIND)
    writes: tuple[str, ...] = tuple(_KIND)

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        data = path.read_bytes() if data is None else data
        kind = sniff(data[:512]) or "unknown content"
        if kind == "jpeg":
            picture = read_jpeg(path, data, options)
        elif kind == "png":
            picture = read_png(path, data, options)
        elif kind in ("webp", "bmp", "gif"):
            picture = read_raster(path, data, options, kind)
        else:
            do = "check that the file was copied whole and has the right suffix"
            raise problem(path, "a JPEG, PNG, WebP, BMP or GIF file", f"bytes {data[:8]!r}", do)
        if options.axes not in (None, picture.axes):
            got = f"{picture.axes!r} in the file"
            raise problem(path, f"axes {options.axes!r}", got, "leave axes out: the file says them")
        return picture

    def can_write(self, picture: Picture, suffix: str) -> str | None:
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
