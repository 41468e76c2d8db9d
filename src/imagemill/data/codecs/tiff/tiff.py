"""TIFF: any dtype, many channels, many pages."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imagemill.core.errors import ImagemillError
from imagemill.core.extras import require
from imagemill.data.codecs.axes import place_axes
from imagemill.data.codecs.base import Array, Codec, Picture, ReadOptions, check_pixels, native, problem
from imagemill.data.codecs.channels import orient
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.limits import check_inflation
from imagemill.data.codecs.photos.icc_profiles import to_srgb
from imagemill.data.codecs.sniff import kind_of
from imagemill.data.codecs.tiff.tiff_colour import (
    OTHER_INK,
    check_colours,
    colours,
    page_colours,
    profile_of,
)

__all__ = ["TiffCodec", "read_page"]

_STAMP = "imagemill"
_ORIENTATION = 274
_NODATA = 42113
_FREE = 1 << 26
_AGAIN = "get the file again from where it came from"
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
# What one stored byte can become at most; others (JPEG, Zstandard...) are bounded by the number of pixels alone.
_RATIOS = {"NONE": 8, "ADOBE_DEFLATE": 1040, "DEFLATE": 1040, "LZW": 2800, "PACKBITS": 128}
# Without any handler Python prints tifffile's remarks to the terminal; what matters is raised here instead.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class TiffCodec(Codec):
    """Reads and writes TIFF through tifffile.

    Axes come from the file: samples are channels, ``Z`` is slices. Pages without a meaning (and time points)
    become slices ``z``, or channels ``c`` when the file has slices of its own; the note says which. Of
    several series the first is read, at full resolution. Written files are deflated, without a date, and say
    their axes and affine, so that they read back equal.
    """

    name = "tiff"
    suffixes: tuple[str, ...] = (".tif", ".tiff")
    writes: tuple[str, ...] = (".tif", ".tiff")
    remarks: Mapping[str, str] = {
        ".tif": "any dtype, channels and pages; CMYK, YCbCr and LAB read as RGB; written deflated"
    }
    needs: Mapping[str, tuple[str, str]] = dict.fromkeys(suffixes, ("tifffile", "tiff"))

    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        tifffile = require("tifffile", extra="tiff")
        try:
            with path.open("rb") if data is None else io.BytesIO(data) as file:
                _check_directories(path, file)
            with tifffile.TiffFile(path if data is None else io.BytesIO(data)) as tif:
                return self._read(path, tif, options)
        except ValueError as error:
            if "imagecodecs" not in str(error) or isinstance(error, ImagemillError):
                raise
            do = "pip install 'imagemill[tiff]'"
            raise problem(path, "a kind of TIFF that can be decoded here", str(error), do) from error

    def _read(self, path: Path, tif: Any, options: ReadOptions) -> Picture:
        if not tif.series:
            raise problem(path, "a TIFF file with pages", "none", _AGAIN)
        series = tif.series[0]
        check_pixels(path, _pixel_shape(series), options.max_pixels)
        _check_whole(path, tif, series)
        _check_size(path, tif, series)
        check_colours(path, series.keyframe)
        array = native(np.asarray(series.asarray()))
        if array.dtype.kind not in "buif":
            do = "save the real part or convert it to numbers"
            raise problem(path, "integers, floats or booleans", f"dtype {array.dtype}", do)
        page = series.pages[0]
        note = [] if len(tif.series) == 1 else [f"first of {len(tif.series)} series"]
        meta = _meta(page)
        array = _measured(page, array, note)
        stamp = _stamp(tif, array)
        if stamp is not None:
            picture = Picture(array.reshape(stamp[1]), stamp[0], stamp[2], meta, "; ".join([*note, "axes as written"]))
            if options.axes in (None, picture.axes):
                return picture
        srgb = options.icc == "srgb"
        letters = str(series.axes)
        array, letters = colours(path, series, array, letters, labels=options.labels, srgb=srgb, note=note)
        if options.axes is not None:
            array, axes = place_axes(path, _squeeze(array, letters, len(options.axes)), options.axes)
            note.append(f"axes {options.axes!r} as asked")
        else:
            array, axes = _place(path, array, letters, note)
        other_ink = page.keyframe.photometric.name in OTHER_INK
        if srgb and not options.labels and not other_ink and axes in ("yx", "yxc"):
            array, said = to_srgb(array, profile_of(page.keyframe))
            note += [said] if said else []
        if options.exif:
            array = orient(array, meta["exif_orientation"], axes.index("y"))
        else:
            meta["exif_applied"] = False
        return Picture(array, axes, None, meta, "; ".join(note))

    def recognises(self, start: bytes) -> bool:
        return kind_of(start) == self.name

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        tifffile = require("tifffile", extra="tiff")
        with tifffile.TiffFile(path if data is None else io.BytesIO(data)) as tif:
            page = tif.pages[0]
            tag = page.tags.get(274)
            return (int(page.imagelength), int(page.imagewidth)), int(tag.value) if tag is not None else 1

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        dtype = picture.array.dtype
        if dtype.kind not in "uif":
            return f"TIFF holds integers and floats here, not {dtype}; convert to uint8"
        if picture.array.size == 0:
            return "a picture without pixels cannot be written"
        if picture.channels is not None and picture.channels > 65_535:
            return "TIFF holds at most 65535 channels; choose .npy"
        return None

    def encode(self, picture: Picture, suffix: str) -> bytes:
        tifffile = require("tifffile", extra="tiff")
        array = np.ascontiguousarray(picture.array)
        if picture.axes.endswith("c") and array.shape[-1] == 1:
            array = array[..., 0]  # one sample a pixel is plain gray; the stamp keeps the axis
        rgb = array.shape[-1] in (3, 4) and picture.axes.endswith("c") and array.dtype.kind == "u"
        samples = picture.axes.endswith("c") and array.ndim == len(picture.axes)
        affine = None if picture.affine is None else picture.affine.tolist()
        stamp = {"axes": picture.axes, "shape": list(picture.array.shape), "world": affine}
        buffer = io.BytesIO()
        tifffile.imwrite(
            buffer,
            array,
            photometric="rgb" if rgb else "minisblack",
            planarconfig="contig" if samples else None,
            extrasamples=_extra(array.shape[-1], rgb=rgb) if samples else None,
            compression="zlib",
            predictor=array.dtype.kind in "ui" and array.dtype.itemsize <= 4,
            software="imagemill",
            metadata={"axes": picture.axes[: array.ndim].upper().replace("C", "S"), _STAMP: stamp},
        )
        return buffer.getvalue()


@guarded("a whole page of a TIFF file")
def read_page(path: Path, number: int) -> Array:
    """Read one page as an image of its own: gray, or samples last.

    Raises
    ------
    CodecError
    """
    tifffile = require("tifffile", extra="tiff")
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[number]
        check_colours(path, page.keyframe)
        array = np.asarray(page.asarray())
        return page_colours(path, page, array, str(page.axes), labels=False, srgb=False, note=[])[0]


def _extra(count: int, *, rgb: bool) -> tuple[int, ...] | None:
    """Name what the samples beyond gray or RGB are: straight alpha, or unspecified."""
    if rgb:
        return (2,) if count == 4 else None
    return (0,) * (count - 1) or None


def _pixel_shape(series: Any) -> tuple[int, ...]:
    """Lengths of all axes that are not samples."""
    return tuple(n for n, letter in zip(series.shape, series.axes, strict=True) if letter not in "SC")


def _check_directories(path: Path, file: BinaryIO) -> None:
    """Refuse directories that lie in one another or lead back: reading them all could take for ever.

    Source: TIFF 6.0, section 2; BigTIFF has the same with longer numbers.
    """
    head = file.read(16)
    order: Any = "little" if head[:2] == b"II" else "big"
    big = head[2:4] in (b"+\0", b"\0+")
    counted, entry, offset = (8, 20, 8) if big else (2, 12, 4)
    place = int.from_bytes(head[8:16] if big else head[4:8], order)
    size, taken, seen = file.seek(0, io.SEEK_END), 0, set[int]()
    while 0 < place < size:
        file.seek(place)
        length = int.from_bytes(file.read(counted), order) * entry
        taken += counted + length
        if place in seen or taken > size:
            got = "directories that lie in one another, or lead back to the first"
            raise problem(path, "a TIFF file of one directory after another", got, _AGAIN)
        seen.add(place)
        file.seek(place + counted + length)
        place = int.from_bytes(file.read(offset), order)


def _check_whole(path: Path, tif: Any, series: Any) -> None:
    """Refuse a file that is cut off; the decoder would leave out pages or fill them with zeros."""
    size = tif.filehandle.size
    ends = [o + n for p in tif.pages for o, n in zip(p.dataoffsets, p.databytecounts, strict=True)]
    if series.dataoffset is not None:  # one directory may stand for a whole stack behind it
        ends.append(series.dataoffset + series.size * series.dtype.itemsize)
    form, handle = tif.tiff, tif.filehandle
    handle.seek(tif.pages[len(tif.pages) - 1].offset)
    count = int.from_bytes(handle.read(form.tagnosize), _order(form))
    handle.seek(count * form.tagsize, 1)
    # The last directory ends with a zero; anything else leads to pages that are not there.
    if max(ends, default=0) > size or handle.read(form.offsetsize) != bytes(form.offsetsize):
        got = f"a file cut off after {size:,} bytes"
        raise problem(path, "a whole TIFF file", got, _AGAIN)


def _check_size(path: Path, tif: Any, series: Any) -> None:
    """Refuse a directory whose values are cut off, or whose pixels cannot come from so few bytes."""
    form, handle = tif.tiff, tif.filehandle
    handle.seek(tif.pages[0].offset)
    count = int.from_bytes(handle.read(form.tagnosize), _order(form))
    entries = handle.read(count * form.tagsize)
    for at in range(0, len(entries) - form.tagsize + 1, form.tagsize):
        kind = int.from_bytes(entries[at + 2 : at + 4], _order(form))
        wide = (form.tagsize - 4) // 2
        number = int.from_bytes(entries[at + 4 : at + 4 + wide], _order(form))
        place = int.from_bytes(entries[at + 4 + wide : at + form.tagsize], _order(form))
        length = number * _WIDTHS.get(kind, 1)
        if length > form.tagoffsetthreshold and place + length > handle.size:
            raise problem(path, "a whole TIFF file", f"a file cut off after {handle.size:,} bytes", _AGAIN)
    stored = sum(n for page in series.pages if page is not None for n in page.databytecounts)
    ratio = _RATIOS.get(str(series.keyframe.compression.name), 1 << 17)
    check_inflation(path, series.size * series.dtype.itemsize, stored, ratio, _FREE)


def _order(form: Any) -> Any:
    return "little" if form.byteorder == "<" else "big"


def _meta(page: Any) -> dict[str, Any]:
    tag = page.keyframe.tags.get(_ORIENTATION)
    value = int(tag.value) if tag is not None else 1
    return {
        "format": "tiff",
        "mode": str(page.keyframe.photometric.name).lower(),
        "bit_depth": int(page.keyframe.bitspersample),
        "exif_orientation": value if 1 <= value <= 8 else 1,
        "compression": str(page.keyframe.compression.name).lower(),
    }


def _stamp(tif: Any, array: Array) -> tuple[str, tuple[int, ...], Any] | None:
    """Read the axes, shape and world that this library wrote, if it wrote the file."""
    described: dict[str, Any] = tif.shaped_metadata[0] if tif.is_shaped and tif.shaped_metadata else {}
    found = described.get(_STAMP)
    if not isinstance(found, dict) or int(np.prod(found.get("shape", [0]))) != array.size:
        return None
    affine = found.get("world")
    matrix = None if affine is None else np.asarray(affine, dtype=np.float64)
    return str(found["axes"]), tuple(int(n) for n in found["shape"]), matrix


def _measured(page: Any, array: Array, note: list[str]) -> Array:
    """Floating-point values without the number that stands for "nothing measured here", which becomes NaN.

    Source: GDAL, GeoTIFF driver, "Nodata value": the tag GDAL_NODATA (42113), a number as text.
    """
    tag = page.keyframe.tags.get(_NODATA)
    if tag is None or array.dtype.kind != "f":
        return array
    try:
        nothing = array.dtype.type(str(tag.value).strip(" \0"))
    except ValueError:
        return array
    found = array == nothing
    if not found.any():
        return array
    note.append(f"{np.count_nonzero(found):,} values of {nothing:g} mean that nothing was measured: read as NaN")
    return np.where(found, array.dtype.type(np.nan), array)


def _squeeze(array: Array, letters: str, rank: int) -> Array:
    """Drop axes of length 1 that the asked-for axes do not name."""
    for axis in reversed(range(array.ndim)):
        if array.ndim > rank and array.shape[axis] == 1 and letters[axis] not in "YX":
            array = array.squeeze(axis)
    return array


def _place(path: Path, array: Array, letters: str, note: list[str]) -> tuple[Array, str]:
    """Give every stored axis one of the letters z, y, x and c."""
    keep = [i for i, n in enumerate(array.shape) if n > 1 or letters[i] in "YX"]
    array, letters = array.reshape([array.shape[i] for i in keep]), "".join(letters[i] for i in keep)
    named = {"Y": "y", "X": "x", "Z": "z", "S": "c", "C": "c"}
    taken = [named[letter] for letter in letters if letter in named]
    axes = ""
    for letter, length in zip(letters, array.shape, strict=True):
        if letter in named:
            axes += named[letter]
            continue
        role = "z" if "z" not in taken else "c"
        taken.append(role)
        what = f"{length} {'time points' if letter == 'T' else 'pages'}"
        if role == "z":
            advice = 'pass axes="cyx" to read them as channels' if len(letters) == 3 else "as slices"
            note.append(f"{what} read as slices z; {advice}")
        else:
            note.append(f"{what} read as channels c")
        axes += role
    if len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes):
        do = "split the file, or save it with axes z, y, x and c"
        raise problem(path, "slices, rows, columns and channels at most", f"axes {letters}", do)
    array, order = place_axes(path, array, axes)
    if not note:
        note.append(f"axes {letters} of the file")
    return array, order
