"""JPEG: libjpeg-turbo through simplejpeg, and Pillow for the kinds it does not turn into RGB."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg

from imagemill.core.errors import CodecError, InputError
from imagemill.data.codecs.base import Array, Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.channels import upright
from imagemill.data.codecs.error_guard import cause
from imagemill.data.codecs.photos.exif import jpeg_orientation, without_exif, without_fill
from imagemill.data.codecs.photos.icc_profiles import ink_to_srgb, to_srgb
from imagemill.data.codecs.photos.jpeg_header import JpegHeader, jpeg_header, unusual_kind
from imagemill.data.codecs.photos.jpeg_rows import top_rows

__all__ = ["encode_jpeg", "read_jpeg"]

QUALITY = 95
_INK = ("CMYK", "YCCK")
_AGAIN = "get the file again from where it came from"


def read_jpeg(path: Path, data: bytes, options: ReadOptions, header: JpegHeader | None = None) -> Picture:
    """Decode a JPEG file; gray stays gray, everything else becomes RGB.

    Parameters
    ----------
    path : Path
        What errors call it.
    data : bytes
        The file.
    options : ReadOptions
    header : JpegHeader or None
        Where it was read before, from a file without endless rows of fill bytes.

    Raises
    ------
    CodecError
        When the file is cut off, damaged, too large, or of a kind that neither library decodes.
    """
    if header is None:
        data = without_fill(data)
        try:
            header = jpeg_header(data)
        except ValueError as error:
            return _with_pillow(path, data, options, str(error))
    (height, width), space, orientation = header.size, header.space, header.orientation
    check_pixels(path, header.size, options.max_pixels)
    if space in _INK:
        return _with_pillow(path, data, options, f"{space} ink colours")
    how = {
        "colorspace": "GRAY" if space == "Gray" else "RGB",
        "fastdct": options.fast,
        "fastupsample": options.fast,
    }
    least = _least(header.size, orientation, options)
    try:
        array = None
        if options.rows is not None and (orientation == 1 or not options.exif):
            array = top_rows(data, header, options.rows, _factor(header.size, least), **how)
        if array is None:
            whole = {} if least is None else {"min_height": least[0], "min_width": least[1]}
            array = simplejpeg.decode_jpeg(data, strict=True, **how, **whole)
    except ValueError as error:
        reason = str(error)
        # libjpeg paints what is missing gray and calls it a warning; strict mode turns that into this error.
        if "premature end" in reason.lower():
            raise problem(path, "a whole JPEG file", f"a file cut off ({reason})", _AGAIN) from error
        if reason.startswith("Corrupt JPEG data") and "extraneous bytes" not in reason:
            raise problem(path, "an undamaged JPEG file", reason, _AGAIN) from error
        return _with_pillow(path, data, options, reason)
    profile = _profile(data) if options.icc == "srgb" else None
    return _finish(
        array,
        orientation,
        options,
        mode="L" if space == "Gray" else "RGB",
        note="",
        profile=profile,
        full=(height, width),
    )


def _least(full: tuple[int, int], orientation: int, options: ReadOptions) -> tuple[int, int] | None:
    """Height and width, as they are stored, that a reduced decoding must keep."""
    asked = options.at_least
    if asked is None:
        return None
    if min(asked) < 1 if isinstance(asked, tuple) else asked < 1:
        wanted = "(height, width) or the longer side, of 1 and more"
        raise InputError(f"expected at_least as {wanted}, got {asked}; correct it")
    if not isinstance(asked, tuple):
        # The shorter side is a pixel short of its share: it was rounded as the longer one was.
        height, width = (asked if n == max(full) else max(1, asked * n // max(full) - 1) for n in full)
        return height, width
    height, width = asked
    turned = options.exif and orientation in (5, 6, 7, 8)
    return (width, height) if turned else (height, width)


def _factor(full: tuple[int, int], least: tuple[int, int] | None) -> int:
    """By how much the decoder makes a photo smaller when it has to keep ``least``."""
    if least is None:
        return 1
    fits = (f for f in (8, 4, 2) if all(-(-n // f) >= k for n, k in zip(full, least, strict=True)))
    return next(fits, 1)


def _profile(data: bytes) -> bytes | None:
    """The embedded colour profile, put together from its segments by Pillow."""
    from PIL import JpegImagePlugin

    try:
        found = JpegImagePlugin.JpegImageFile(io.BytesIO(without_exif(data))).info.get("icc_profile")
    except Exception:  # no profile that can be read is no profile; the pixels came from elsewhere
        return None
    return found if isinstance(found, bytes) else None


def _with_pillow(path: Path, data: bytes, options: ReadOptions, reason: str) -> Picture:
    """Decode what the fast path refuses; `reason` is kept in the note."""
    from PIL import JpegImagePlugin

    try:
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(without_exif(data)))
        check_pixels(path, (image.height, image.width), options.max_pixels)
        mode = image.mode
        profile = image.info.get("icc_profile") if options.icc == "srgb" else None
        inked = ink_to_srgb(image, profile) if profile and mode == "CMYK" else None
        if inked is not None:
            array, profile, reason = np.asarray(inked), None, f"{reason}; colours converted to sRGB"
        else:
            array = np.asarray(image if mode in ("L", "RGB") else image.convert("RGB"))
            profile = None if mode == "CMYK" else profile
    except (CodecError, MemoryError):
        raise
    except Exception as error:
        unusual = unusual_kind(data)
        if unusual:
            do = "convert it to PNG, TIFF or plain JPEG first"
            raise problem(path, "a JPEG that can be decoded here", f"{unusual} ({cause(error)})", do) from error
        raise problem(path, "a whole, undamaged JPEG file", f"{cause(error)} ({reason})", _AGAIN) from error
    return _finish(
        array, jpeg_orientation(data), options, mode=mode, note=f"decoded by Pillow: {reason}", profile=profile
    )


def _finish(
    array: Array,
    orientation: int,
    options: ReadOptions,
    *,
    mode: str,
    note: str,
    profile: bytes | None = None,
    full: tuple[int, int] | None = None,
) -> Picture:
    """Turn the picture upright, bring its colours to sRGB where asked, and name its axes."""
    array, said = to_srgb(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array, profile)
    notes = [text for text in (note, said) if text]
    meta: dict[str, Any] = {"format": "jpeg", "mode": mode, "bit_depth": 8}
    if full is not None and full != array.shape[:2]:
        notes.append(f"decoded at {array.shape[0]} x {array.shape[1]} of {full[0]} x {full[1]}")
    pixels, turned = upright(array, orientation, options)
    if full is not None and full != array.shape[:2]:
        swapped = options.exif and turned["exif_orientation"] in (5, 6, 7, 8)
        meta["full_size"] = full[::-1] if swapped else full
    return Picture(pixels, "yx" if pixels.ndim == 2 else "yxc", None, meta | turned, "; ".join(notes))


def encode_jpeg(picture: Picture, quality: int = QUALITY) -> bytes:
    """Encode gray or RGB uint8 at full chroma resolution (4:4:4)."""
    array = np.ascontiguousarray(picture.array)
    planes = array[..., np.newaxis] if array.ndim == 2 else array
    gray = planes.shape[2] == 1
    encoded: bytes = simplejpeg.encode_jpeg(
        planes,
        quality=quality,
        colorspace="GRAY" if gray else "RGB",
        colorsubsampling="Gray" if gray else "444",
    )
    return encoded
