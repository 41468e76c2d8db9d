"""What volumes under a header in plain text (MetaImage, NRRD) share: their voxels, and their place in the world.

Read by hand. The headers are lines of text; SimpleITK, which reads both, is a wheel of 50 MB with all of ITK in it, and
pynrrd inflates whatever it is given, however much that becomes, and follows a header to any file that it names.
"""

from __future__ import annotations

import bz2
import io
import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from imagemill.data.codecs.base import Array, Picture, ReadOptions, check_pixels, check_plain, native, problem
from imagemill.data.codecs.limits import DEFLATE, check_inflation

__all__ = [
    "VoxelHeader",
    "affine_of",
    "data_files",
    "header_text",
    "named_files",
    "ras",
    "read_voxels",
    "stored_form",
]

Floats = npt.NDArray[np.float64]
_AGAIN = "get the file again from where it came from"
_HEADER = 1 << 20
_STEP = 1 << 20
_BZIP2 = 1 << 21  # zeros become shorter than a millionth; what is inflated is taken as it comes
_PATTERN = re.compile(r"(.*%0?\d*d\S*)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(?:\s+\d+)?")
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class VoxelHeader:
    """What a header says, in the words that both formats share.

    Parameters
    ----------
    sizes : tuple of int
        Of the stored axes, the fastest first.
    roles : str
        One letter for each: ``x``, ``y``, ``z`` for places in stored order, ``c`` for channels, time or components.
    dtype : numpy.dtype
        In the byte order of the file.
    affine : array ``(d+1, d+1)`` or None
        Index to world over the places in array order (slowest first), RAS+ millimetres.
    placed : bool
        Whether the file says where it lies; else `affine` is made of voxel sizes alone.
    encoding : str
        ``"raw"``, ``"deflate"`` (zlib or gzip), ``"bzip2"``, ``"text"`` or ``"hex"``.
    files : tuple of str
        Files that hold the voxels, relative to the header; empty where they follow it.
    start : int
        Where the voxels begin that follow it.
    skip : int
        Bytes before the voxels of each file; -1 where they are its end.
    lines : int
        Lines before those bytes.
    name : str
        Of the format.
    note : str
        What there is to know, in words.
    meta : dict
        For `Picture.meta`.
    """

    sizes: tuple[int, ...]
    roles: str
    dtype: np.dtype[Any]
    affine: Floats | None
    placed: bool
    encoding: str
    name: str
    files: tuple[str, ...] = ()
    start: int = 0
    skip: int = 0
    lines: int = 0
    note: str = ""
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the places in array order."""
        return tuple(size for size, role in zip(self.sizes[::-1], self.roles[::-1], strict=True) if role != "c")


def header_text(path: Path, data: bytes | None) -> bytes:
    """As much of a file as a header may be long."""
    if data is not None:
        return data[:_HEADER]
    with path.open("rb") as file:
        return file.read(_HEADER)


def ras(signs: Sequence[float], directions: Floats, origin: Floats) -> Floats:
    """The affine, RAS+, over indices in array order.

    Parameters
    ----------
    signs : sequence of float
        What each coordinate of the file's space has to be multiplied by.
    directions : array ``[axis, coordinate]``
        Steps along the stored axes, the fastest first, in millimetres.
    origin : array ``[coordinate]``
    """
    side = len(directions)
    affine = np.eye(side + 1)
    flip = np.asarray(signs, np.float64)[:side]
    affine[:side, :side] = (directions * flip).T[:, ::-1]
    affine[:side, side] = origin * flip
    return affine + 0.0  # no negative zeros


def affine_of(picture: Picture) -> tuple[Floats, Floats]:
    """Steps along the stored axes (fastest first) and origin in LPS millimetres, as both formats write them."""
    side = len(picture.spatial_shape)
    affine = np.eye(side + 1) if picture.affine is None else picture.affine
    flip = np.array([-1.0, -1.0, 1.0][:side]) if picture.affine is not None else np.ones(side)
    steps = (flip[:, None] * affine[:side, :side]).T[::-1]
    return steps + 0.0, flip * affine[:side, side] + 0.0


def stored_form(picture: Picture, types: dict[str, str], name: str) -> str | None:
    """Why a format of this kind cannot hold a picture, or None when it can."""
    dtype = picture.array.dtype.name
    if dtype not in types:
        return f"{name} does not hold {dtype}; convert to uint8 or float32, or choose .npy"
    return "a picture without pixels cannot be written" if picture.array.size == 0 else None


def read_voxels(path: Path, header: VoxelHeader, options: ReadOptions, data: bytes | None) -> Picture:
    """Read the voxels that a header describes.

    Raises
    ------
    CodecError
        When they are fewer than the header says, or more than may be.
    """
    count = math.prod(header.sizes)
    channels = count // max(1, math.prod(header.shape))
    check_pixels(path, (*header.shape, channels) if channels > 1 else header.shape, options.max_pixels)
    if not header.files:
        with path.open("rb") if data is None else io.BytesIO(data) as file:
            file.seek(header.start)
            values = _values(path, file, header, count, _length(path, data) - header.start)
    else:
        if data is not None:
            got = f"a header for voxels in {header.files[0]!r}"
            raise problem(path, "voxels in the same file", got, "convert it to one file (.mha, .nrrd or .nii.gz) first")
        values = _from_files(path, header, count, options)
    array = values.reshape(header.sizes[::-1])
    roles = header.roles[::-1]
    wanted = [n for n, role in enumerate(roles) if role != "c"] + [n for n, role in enumerate(roles) if role == "c"]
    array = native(np.transpose(array, wanted))
    axes = "zyx"[3 - len(header.shape) :]
    array = array.reshape(*header.shape, channels)
    array, axes = (array[..., 0], axes) if channels == 1 else (array, axes + "c")
    if options.axes not in (None, axes):
        raise problem(path, f"axes {options.axes!r}", f"{axes!r} in the file", "leave axes out: the file says them")
    affine = header.affine
    if affine is not None and not (np.all(np.isfinite(affine)) and abs(np.linalg.det(affine[:-1, :-1])) >= 1e-12):
        do = "mend its directions and spacing"
        raise problem(path, "a place in the world that can be inverted", f"{affine.tolist()}", do)
    meta = {"format": header.name, "mode": array.dtype.name, "bit_depth": array.dtype.itemsize * 8, **header.meta}
    return Picture(np.ascontiguousarray(array), axes, affine, {**meta, "placed": header.placed}, header.note)


def _length(path: Path, data: bytes | None) -> int:
    return path.stat().st_size if data is None else len(data)


def data_files(path: Path, header: VoxelHeader) -> tuple[Path, ...]:
    """The files that a header names, which have to lie beside or below it.

    Raises
    ------
    CodecError
    """
    found = []
    for name in header.files:
        clean = name.replace("\\", "/")
        if "\0" in clean or clean.startswith("/") or re.match(r"[A-Za-z]:", clean) or ".." in clean.split("/"):
            do = "put the voxels beside the header, and correct the name in it"
            raise problem(path, "the name of a file beside the header", repr(name[:120]), do)
        found.append(path.parent / clean)
    return tuple(found)


def named_files(words: str, lines: Sequence[str], listed: str = "LIST") -> tuple[str, ...]:
    """The names of data files that a header gives: one, a list on the lines behind it, or a pattern with numbers.

    Examples
    --------
    >>> named_files("slice%02d.raw 1 3 1", [])
    ('slice01.raw', 'slice02.raw', 'slice03.raw')
    """
    if words.split()[:1] == [listed]:
        return tuple(line.strip() for line in lines if line.strip())
    if found := _PATTERN.fullmatch(words):
        first, last, step = (int(number) for number in found.groups()[1:])
        numbers = range(first, last + (1 if step > 0 else -1), step or 1)
        if not 0 < len(numbers) <= _MOST_FILES or found[1].count("%") != 1:
            raise ValueError(f"{words[:80]!r} as the names of its data files")
        return tuple(found[1] % number for number in numbers)
    return (words,)


def _from_files(path: Path, header: VoxelHeader, count: int, options: ReadOptions) -> Array:
    files = data_files(path, header)
    if count % len(files):
        raise problem(path, "slices of one size in each data file", f"{count:,} voxels in {len(files)} files", _AGAIN)
    parts = []
    for file in files:
        if not file.exists():
            do = "copy it beside the header, or correct the name in the header"
            raise problem(path, f"its voxels in {file.name!r}", "nothing at that path", do)
        check_plain(file)
        length = file.stat().st_size
        if length > options.max_bytes:
            do = "pass a larger max_bytes if the file is meant to be that large"
            raise problem(file, f"at most {options.max_bytes:,} bytes", f"{length:,}", do)
        with file.open("rb") as stream:
            parts.append(_values(file, stream, header, count // len(files), length))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _values(path: Path, file: IO[bytes], header: VoxelHeader, count: int, stored: int) -> Array:
    """So many values from where a file stands, of which there are so many bytes."""
    for _ in range(header.lines):
        stored -= len(file.readline())
    wanted = count * header.dtype.itemsize
    if header.encoding in ("text", "hex"):
        least = 2 * wanted if header.encoding == "hex" else 2 * count - 1
        check_inflation(path, least, stored, 1, 0)
        return _from_text(path, file.read(), header, count)
    if header.encoding == "raw":
        skip = stored - wanted if header.skip == -1 else header.skip
        check_inflation(path, wanted + max(0, skip), stored, 1, 0)
        file.seek(skip, io.SEEK_CUR)
        raw = file.read(wanted)
    else:
        ratio = DEFLATE if header.encoding == "deflate" else _BZIP2
        skip = max(0, header.skip)
        check_inflation(path, wanted + skip, stored, ratio)
        raw = _inflated(path, file, header.encoding, wanted + skip)[skip:]
    if len(raw) < wanted:
        raise problem(path, f"{wanted:,} bytes of voxels", f"{len(raw):,}: the file is cut off", _AGAIN)
    return np.frombuffer(raw, header.dtype, count)


def _inflated(path: Path, file: IO[bytes], encoding: str, wanted: int) -> bytes:
    """The first bytes of a stream, and no more, with its checksum compared where it ends there."""
    start: Callable[[], Any] = bz2.BZ2Decompressor if encoding == "bzip2" else lambda: zlib.decompressobj(wbits=47)
    made, parts, have, packed = start(), [], 0, b""
    try:
        while have < wanted + 1:  # one byte more, so that the end is reached where it is the end
            if made.eof:
                packed = made.unused_data + packed
                if not packed.startswith((b"\x1f\x8b", b"BZh")):
                    break
                made = start()
            packed = packed or file.read(_STEP)
            if not packed and (encoding != "bzip2" or made.needs_input):
                raise EOFError("it ends in the middle of a compressed stream")
            part = made.decompress(packed, min(_STEP * 16, wanted + 1 - have))
            packed = b"" if encoding == "bzip2" else made.unconsumed_tail
            parts.append(part)
            have += len(part)
    except (EOFError, zlib.error, OSError) as error:
        raise problem(path, "voxels that are compressed whole", str(error), _AGAIN) from error
    return b"".join(parts)[:wanted]


def _from_text(path: Path, text: bytes, header: VoxelHeader, count: int) -> Array:
    if header.encoding == "hex":
        raw = bytes.fromhex(b"".join(text.split()).decode("ascii"))
        if len(raw) < count * header.dtype.itemsize:
            raise problem(path, f"{count:,} values in hex", f"{len(raw):,} bytes", _AGAIN)
        return np.frombuffer(raw, header.dtype, count)
    words = text.replace(b",", b" ").split(None, count)[:count]
    if len(words) < count:
        raise problem(path, f"{count:,} values", f"{len(words):,}: the file is cut off", _AGAIN)
    numbers = np.array([float(w) for w in words] if header.dtype.kind == "f" else [int(w) for w in words])
    if header.dtype.kind != "f":
        info = np.iinfo(header.dtype)
        if numbers.size and (numbers.min() < info.min or numbers.max() > info.max):
            raise problem(path, f"values of {header.dtype.name}", "others", _AGAIN)
    return numbers.astype(header.dtype.newbyteorder("="))
