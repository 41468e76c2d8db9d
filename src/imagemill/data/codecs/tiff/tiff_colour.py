"""What the samples of a TIFF file mean: gray, palettes, CMYK, YCbCr and L*a*b* become brightness or RGB.

Source: TIFF 6.0 (Adobe 1992): section 8 and the tags there, 16 (CMYK), 18 (alpha), 20 and 21 (YCbCr), 23 (CIELAB);
Adobe's technical notes on TIFF (ICCLAB).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.colours import ink_to_rgb, lab_of, lab_to_srgb, like, straight, ycbcr_to_rgb
from imagemill.core.geometry import peak_of
from imagemill.data.codecs.base import Array, problem
from imagemill.data.codecs.photos.icc_profiles import ink_to_srgb

__all__ = ["OTHER_INK", "check_colours", "colours", "page_axes", "page_colours", "profile_of"]

OTHER_INK = ("SEPARATED", "CIELAB", "ICCLAB")
"""Kinds of which an embedded profile speaks of other colours than the RGB that they are read as."""

_PROFILE, _WEIGHTS, _BLACK_WHITE, _INK_SET = 34675, 529, 532, 332
_ASSOCIATED = 1
_TURNED_BY_DECODER = ("OJPEG", "JPEG", "ALT_JPEG", "APERIO_JP2000_YCBC", "APERIO_JP2000_RGB", "JPEG2000", "WEBP")
"""Compressions whose decoders give RGB where YCbCr is stored."""
_MOSAIC = ("CFA", "LINEAR_RAW")
_RGB_FIRST = "convert it to RGB first"


def check_colours(path: Path, frame: Any) -> None:
    """Refuse colours that no decoder here can put together, before anything is decoded.

    Raises
    ------
    CodecError
    """
    sampled = tuple(getattr(frame, "subsampling", None) or (1, 1))
    if frame.photometric.name == "YCBCR" and sampled != (1, 1) and frame.compression.name not in _TURNED_BY_DECODER:
        got = f"{frame.compression.name} with chroma at 1/{sampled[0]} by 1/{sampled[1]}"
        raise problem(path, "YCbCr at full resolution, or in JPEG", got, _RGB_FIRST)


def page_axes(page: Any) -> str | None:
    """The axes of one page when it was read: gray, or samples last; None for others."""
    if page.keyframe.photometric.name == "PALETTE" or page.keyframe.samplesperpixel > 1:
        return "yxc" if len(page.shape) - (page.keyframe.samplesperpixel > 1) == 2 else None
    return "yx" if len(page.shape) == 2 else None


def colours(
    path: Path, series: Any, array: Array, letters: str, *, labels: bool, srgb: bool, note: list[str]
) -> tuple[Array, str]:
    """Turn the samples of a series into brightness or RGB, unless they are labels.

    Parameters
    ----------
    path : Path
        For errors.
    series : tifffile.TiffPageSeries
    array : numpy.ndarray
        As it was decoded.
    letters : str
        Its axes, as tifffile calls them.
    labels : bool
        Leave numbers as they are stored.
    srgb : bool
        Convert CMYK by the embedded profile.
    note : list of str
        What was done is added here.

    Returns
    -------
    tuple
        Pixels, and their axes with samples last.

    Raises
    ------
    CodecError
        For colours that are neither read right nor can be left as they are.
    """
    pages = [page for page in series.pages if page is not None]
    tables = [_table(page) for page in pages]
    first = tables[0] if tables else None
    apart = first is not None and any(table is not None and not np.array_equal(table, first) for table in tables)
    if not labels and apart and array.size == len(pages) * pages[0].keyframe.size and len(array) == len(pages):
        each = [
            page_colours(path, p, a, letters[1:], labels=False, srgb=srgb, note=[])
            for p, a in zip(pages, array, strict=True)
        ]
        note.append(f"{len(pages)} palettes read as RGB")
        return np.stack([found for found, _ in each]), letters[0] + each[0][1]
    return page_colours(path, pages[0], array, letters, labels=labels, srgb=srgb, note=note)


def page_colours(
    path: Path, page: Any, array: Array, letters: str, *, labels: bool, srgb: bool, note: list[str]
) -> tuple[Array, str]:
    """As `colours`, by what one page says."""
    frame = page.keyframe
    kind, bits = str(frame.photometric.name), int(np.max(frame.bitspersample))
    if labels:
        return (array.astype(np.uint8) if array.dtype.kind == "b" else array), letters
    if "S" in letters:
        array = np.moveaxis(array, letters.index("S"), -1)
        letters = letters.replace("S", "") + "S"
    planes = array if letters.endswith("S") else array[..., np.newaxis]
    if array.dtype.kind == "b":
        planes, bits = planes.astype(np.uint8), 1
    made = _made(path, frame, kind, bits, planes, srgb=srgb, note=note)
    if made.shape[-1] == 1 and not letters.endswith("S"):
        return made[..., 0], letters
    return made, letters if letters.endswith("S") else letters + "S"


def _made(path: Path, frame: Any, kind: str, bits: int, planes: Array, *, srgb: bool, note: list[str]) -> Array:
    """Samples ``(..., n)`` as what they mean."""
    if kind == "PALETTE" and (table := _table(frame)) is not None:
        note.append("palette read as RGB")
        return np.concatenate([table[planes[..., 0]], planes[..., 1:].astype(np.uint8)], axis=-1)
    if kind == "SEPARATED":
        return _inks(path, frame, bits, planes, srgb=srgb, note=note)
    if kind in ("CIELAB", "ICCLAB"):
        return _lab(path, frame, kind, planes, note)
    if kind == "YCBCR" and frame.compression.name not in _TURNED_BY_DECODER:
        return _ycbcr(path, frame, planes, note)
    if kind in ("ITULAB", "LOGL", "LOGLUV"):
        raise problem(path, "gray, RGB, a palette, CMYK, YCbCr or L*a*b*", f"{kind}", _RGB_FIRST)
    if kind in _MOSAIC:
        note.append("samples of a sensor's colour mosaic, as they are stored")
        return planes
    if kind == "MINISWHITE":
        planes = _inverted(planes, bits, note)
    if bits < 8 and planes.dtype == np.uint8:
        planes = like(planes * (255 / (2**bits - 1)), planes.dtype)  # as decoders of PNG spread small depths
    # The extra sample behind gray or RGB may be alpha that the colours were multiplied by.
    if [int(one) for one in frame.extrasamples] == [_ASSOCIATED] and planes.shape[-1] in (2, 4):
        note.append("alpha divided out of the colours")
        return straight(planes)
    return planes


def _table(page: Any) -> Array | None:
    """The palette of a page as ``(n, 3)`` of 8 bits."""
    found = getattr(page, "colormap", None)
    if found is None or str(page.photometric.name) != "PALETTE":
        return None
    table = np.asarray(found).T
    return (table >> 8 if table.max() > 255 else table).astype(np.uint8)  # some writers give 8 of the 16 bits


def _inverted(planes: Array, bits: int, note: list[str]) -> Array:
    """White where zero stands for it; what has no fullest value stays as it is."""
    if planes.dtype.kind != "u":
        note.append("white is zero: not inverted, for signed and floating values have no white")
        return planes
    note.append("white is zero: inverted")
    planes = planes.copy()
    planes[..., 0] = planes.dtype.type(2**bits - 1) - planes[..., 0]
    return planes


def _inks(path: Path, frame: Any, bits: int, planes: Array, *, srgb: bool, note: list[str]) -> Array:
    from PIL import Image

    tag = frame.tags.get(_INK_SET)
    count = planes.shape[-1] - len(frame.extrasamples)
    if (tag is not None and int(tag.value) != 1) or count != 4 or planes.dtype.kind != "u":
        if count > 4:
            note.append(f"{count} ink channels read as channels")
            return planes
        got = f"{count} other ink channels" if planes.dtype.kind == "u" else f"ink channels in {planes.dtype}"
        raise problem(path, "cyan, magenta, yellow and black", got, _RGB_FIRST)
    profile = profile_of(frame)
    if srgb and profile and planes.dtype == np.uint8 and planes.ndim == 3:
        image = ink_to_srgb(Image.fromarray(np.ascontiguousarray(planes[..., :4]), "CMYK"), profile)
        if image is not None:
            note.append("CMYK converted to sRGB by its profile")
            return np.concatenate([np.asarray(image), planes[..., 4:5]], axis=-1)
    note.append("CMYK read as RGB, without a profile")
    return np.concatenate([ink_to_rgb(planes[..., :4], peak=2.0**bits - 1), planes[..., 4:5]], axis=-1)


def _lab(path: Path, frame: Any, kind: str, planes: Array, note: list[str]) -> Array:
    lightness_only = planes.shape[-1] - len(frame.extrasamples) == 1
    if planes.dtype.itemsize > 2 or planes.dtype.kind not in "ui" or planes.shape[-1] < 3 - 2 * lightness_only:
        raise problem(path, "L*a*b* in 8 or 16 bits", f"{planes.shape[-1]} samples of {planes.dtype}", _RGB_FIRST)
    if frame.compression.name in _TURNED_BY_DECODER:
        raise problem(path, "L*a*b* without loss", f"{frame.compression.name}, which mixes its planes", _RGB_FIRST)
    planes = planes.view(f"u{planes.dtype.itemsize}")
    signed = kind == "CIELAB"
    note.append("L*a*b* under D50 read as sRGB")
    if lightness_only:
        middle = 0 if signed else 1 << (8 * planes.dtype.itemsize - 1)
        lab = np.concatenate([planes[..., :1], np.full((*planes.shape[:-1], 2), middle, planes.dtype)], axis=-1)
        made = like(lab_to_srgb(lab_of(lab, signed=signed)) * peak_of(planes.dtype), planes.dtype)[..., 1:2]
    else:
        lab = planes[..., :3]
        made = like(lab_to_srgb(lab_of(lab, signed=signed)) * peak_of(planes.dtype), planes.dtype)
    return np.concatenate([made, planes[..., 1 if lightness_only else 3 :]], axis=-1)


def _ycbcr(path: Path, frame: Any, planes: Array, note: list[str]) -> Array:
    if planes.shape[-1] < 3 or planes.dtype.kind != "u":
        raise problem(path, "YCbCr of three samples", f"{planes.shape[-1]} of {planes.dtype}", _RGB_FIRST)
    weights = _ratios(frame, _WEIGHTS, 3) or (0.299, 0.587, 0.114)
    note.append("YCbCr read as RGB")
    made = ycbcr_to_rgb(planes[..., :3], weights, _ratios(frame, _BLACK_WHITE, 6))  # type: ignore[arg-type]
    return np.concatenate([made, planes[..., 3:]], axis=-1)


def _ratios(frame: Any, code: int, count: int) -> tuple[float, ...] | None:
    """Numbers of a tag, which are stored as numerators and denominators; None where there are none that make sense."""
    tag = frame.tags.get(code)
    values = np.ravel(tag.value).astype(np.float64) if tag is not None else np.empty(0)
    if values.size == 2 * count and np.all(values[1::2] != 0):
        values = values[::2] / values[1::2]
    return tuple(values.tolist()) if values.size == count and np.all(np.isfinite(values)) else None


def profile_of(frame: Any) -> bytes | None:
    """The embedded colour profile of a page."""
    tag = frame.tags.get(_PROFILE)
    return tag.value if tag is not None and isinstance(tag.value, bytes) else None
