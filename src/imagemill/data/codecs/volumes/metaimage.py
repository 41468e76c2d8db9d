"""MetaImage (``.mha``, and ``.mhd`` with its voxels in another file), read and written.

Source: the MetaIO documentation of Kitware, and how ITK's MetaImageIO reads it: the numbers of ``TransformMatrix`` are
the direction of the first axis, then that of the second, in a world that grows towards left, back and head (LPS).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imagemill.data.codecs.base import Codec, Picture, ReadOptions, problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.sniff import kind_of
from imagemill.data.codecs.volumes.text_header import (
    VoxelHeader,
    affine_of,
    header_text,
    named_files,
    ras,
    read_voxels,
    stored_form,
)

__all__ = ["MetaImageCodec", "metaimage_header"]

Floats = npt.NDArray[np.float64]
_TYPES = {
    **{"CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4", "LONG": "i4"},
    **{"ULONG": "u4", "LONG_LONG": "i8", "ULONG_LONG": "u8", "FLOAT": "f4", "DOUBLE": "f8"},
}
_WRITTEN = {np.dtype(code).name: f"MET_{name}" for name, code in _TYPES.items() if name not in ("LONG", "ULONG")}
_LPS = (-1.0, -1.0, 1.0)
_LEVEL = 3
_END = "ElementDataFile"
_MOST = 8


class MetaImageCodec(Codec):
    """Reads ``.mha`` and ``.mhd``, writes ``.mha``.

    A fourth axis becomes channels. A file that says neither offset nor directions has voxel sizes but no place.
    """

    name = "metaimage"
    suffixes: tuple[str, ...] = (".mha", ".mhd")
    writes: tuple[str, ...] = (".mha",)
    remarks: Mapping[str, str] = {
        ".mha": "volumes and pictures with their place",
        ".mhd": "a header with its voxels in another file",
    }

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        return read_voxels(path, metaimage_header(path, header_text(path, data)), options, data)

    def recognises(self, start: bytes) -> bool:
        return kind_of(start) == self.name

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        shape = metaimage_header(path, header_text(path, data)).shape
        return (shape[-2], shape[-1]), 1

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        if suffix not in self.writes:
            return f"{suffix} is read only; choose .mha"
        return stored_form(picture, _WRITTEN, "MetaImage")

    def encode(self, picture: Picture, suffix: str) -> bytes:
        array = np.ascontiguousarray(picture.array)
        packed = zlib.compress(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(), _LEVEL)
        steps, origin = affine_of(picture)
        lengths = np.linalg.norm(steps, axis=1)
        lines = {
            "ObjectType": "Image",
            "NDims": str(len(steps)),
            "BinaryData": "True",
            "BinaryDataByteOrderMSB": "False",
            "CompressedData": "True",
            "CompressedDataSize": str(len(packed)),
            "TransformMatrix": _numbers((steps / lengths[:, None]).ravel()),
            "Offset": _numbers(origin),
            "ElementSpacing": _numbers(lengths),
            "DimSize": " ".join(str(n) for n in picture.spatial_shape[::-1]),
            "ElementNumberOfChannels": str(picture.channels or 1),
            "ElementType": _WRITTEN[array.dtype.name],
            _END: "LOCAL",
        }
        if picture.affine is None or picture.meta.get("placed") is False:
            lines = {word: value for word, value in lines.items() if word not in ("TransformMatrix", "Offset")}
        return "".join(f"{word} = {value}\n" for word, value in lines.items()).encode() + packed


def _numbers(values: Floats) -> str:
    return " ".join(format(float(value), ".17g") for value in values)


@guarded("a whole, readable METAIMAGE file")
def metaimage_header(path: Path, start: bytes) -> VoxelHeader:
    """Read the header of a MetaImage file.

    Parameters
    ----------
    path : Path
    start : bytes
        The file, or its first megabyte.

    Raises
    ------
    CodecError
    """
    words, lines, end = _words(start)
    if words.get("ObjectType", "Image").lower() != "image":
        do = "choose the image that belongs to it"
        raise problem(path, "a MetaImage", f"a {words['ObjectType']!r} of MetaIO", do)
    count = int(words["NDims"])
    if not 2 <= count <= _MOST:
        raise problem(path, "an image of 2 to 4 axes", f"{count}", "split it into volumes")
    sizes = tuple(int(n) for n in words["DimSize"].split())
    if len(sizes) != count or min(sizes) < 1:
        raise ValueError(f"DimSize = {words['DimSize']} for {count} axes")
    channels = int(words.get("ElementNumberOfChannels", "1"))
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes = sizes[:-1]
    if channels < 1 or len(sizes) > (4 if channels == 1 else 3):
        got = f"{len(sizes)} axes of {channels} channels"
        raise problem(path, "a volume of 3 axes, or 4 of one channel", got, "split it into volumes")
    roles = "xyzc"[: len(sizes)]
    note = f"{sizes[3]} volumes along the fourth axis read as channels" if len(sizes) == 4 else ""
    if channels > 1:
        sizes, roles = (channels, *sizes), "c" + roles
    side = sum(role != "c" for role in roles)
    affine, placed = _affine(words, count, side)
    big = _true(words, "BinaryDataByteOrderMSB", default=_true(words, "ElementByteOrderMSB", default=False))
    order = ">" if big else "<"
    packed = _true(words, "CompressedData", default=False)
    encoding = "text" if not _true(words, "BinaryData", default=True) else "deflate" if packed else "raw"
    files = () if words[_END].upper() == "LOCAL" else named_files(words[_END], lines)
    return VoxelHeader(
        sizes,
        roles,
        _dtype(path, words["ElementType"], order),
        affine,
        placed,
        encoding,
        "metaimage",
        files,
        start=end,
        skip=int(words.get("HeaderSize", "0")),
        note=note,
    )


def _words(start: bytes) -> tuple[dict[str, str], list[str], int]:
    """The words of a header and their values, the lines behind it, and where it ends.

    Raises
    ------
    ValueError
        When it does not end, or lacks a word that it needs.
    """
    found: dict[str, str] = {}
    at = 0
    while _END not in found:
        end = start.find(b"\n", at)
        if end < 0 and b"=" in start[at:] and start[at:].strip().startswith(_END.encode()):
            end = len(start)  # an .mhd whose last line has no end
        if end < 0:
            raise ValueError("a header without ElementDataFile")
        word, sign, value = start[at:end].decode("latin-1").partition("=")
        at = end + 1
        if sign:
            found[word.strip()] = value.strip()
        elif word.strip():
            raise ValueError(f"{word.strip()[:40]!r} in the header")
    if missing := {"NDims", "DimSize", "ElementType"} - found.keys():
        raise ValueError(f"a header without {' and '.join(sorted(missing))}")
    behind = start[at:].decode("latin-1").splitlines() if found[_END].startswith("LIST") else []
    return found, behind, at


def _true(words: dict[str, str], name: str, *, default: bool) -> bool:
    return words[name][:1] in "tTyY1" if words.get(name) else default


def _dtype(path: Path, name: str, order: str) -> np.dtype[np.generic]:
    code = _TYPES.get(name.removeprefix("MET_").removesuffix("_ARRAY"))
    if code is None:
        raise problem(path, "an ElementType of numbers", repr(name[:40]), "convert it to MET_SHORT or MET_FLOAT")
    return np.dtype(order + code)


def _affine(words: dict[str, str], count: int, side: int) -> tuple[Floats, bool]:
    def numbers(names: tuple[str, ...], wanted: int) -> Floats | None:
        text = next((words[name] for name in names if name in words), None)
        if text is None:
            return None
        values = np.array([float(one) for one in text.split()])
        if len(values) != wanted:
            raise ValueError(f"{names[0]} of {len(values)} numbers for {count} axes")
        return values

    spacing = numbers(("ElementSpacing", "ElementSize"), count)
    origin = numbers(("Offset", "Position", "Origin"), count)
    turn = numbers(("TransformMatrix", "Rotation", "Orientation"), count * count)
    steps = np.eye(count) if turn is None else turn.reshape(count, count)
    lengths = np.ones(count) if spacing is None else spacing
    directions = (steps * lengths[:, None])[:side, :side]
    place = np.zeros(side) if origin is None else origin[:side]
    return ras(_LPS, directions, place), origin is not None or turn is not None
