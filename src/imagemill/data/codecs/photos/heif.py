"""HEIF, as phones take it (HEIC), through pi-heif.

The one wheel that decodes it and cannot encode, so it carries no GPL code: libheif and libde265 under LGPL-3. It is an
extra of its own because that is no permissive licence; see docs/design/dependencies.md.
"""

from __future__ import annotations

import importlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.data.codecs.base import Picture, ReadOptions, check_pixels, problem
from imagemill.data.codecs.channels import upright
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.photos.exif import exif_orientation
from imagemill.data.codecs.photos.icc_profiles import to_srgb

__all__ = ["heif_size", "read_heif"]


def _opened(path: Path, data: bytes) -> Any:
    """The file with its header read and no pixels decoded.

    A file of this kind is one among others that can be read: without the package it is named and left out like a
    damaged one, instead of ending the work on all of them.
    """
    try:
        library = importlib.import_module("pi_heif")
    except ModuleNotFoundError as error:
        got = "a HEIF image, as phones take them, without the package that decodes them"
        do = "do: pip install 'imagemill[heif]', or convert it to JPEG or PNG first"
        raise problem(path, "a picture that can be decoded here", got, do) from error
    return library.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True, bgr_mode=False)


@guarded("a whole, undamaged HEIF file")
def heif_size(path: Path, data: bytes) -> tuple[tuple[int, int], int]:
    """Height and width as they are stored, and the orientation that EXIF asks for.

    Raises
    ------
    CodecError
    """
    image = _opened(path, data)
    return (int(image.size[1]), int(image.size[0])), 1


@guarded("a whole, undamaged HEIF file")
def read_heif(path: Path, data: bytes, options: ReadOptions) -> Picture:
    """Decode the main picture of a HEIF file, in 8 bits a sample.

    Its own turning instructions are part of the format and always carried out.

    Raises
    ------
    CodecError
        When it is cut off, damaged or too large, or pi-heif is not installed.
    """
    image = _opened(path, data)
    width, height = image.size
    check_pixels(path, (height, width), options.max_pixels)
    array = np.array(image)
    bits = int(image.info.get("bit_depth", 8))
    notes = [f"first of {len(image)} pictures"] if len(image) > 1 else []
    notes += [f"{bits} bits a sample read as 8"] if bits > 8 else []
    if options.icc == "srgb" and not options.labels:
        profile = image.info.get("icc_profile")
        array, said = to_srgb(array, profile if isinstance(profile, bytes) else None)
        notes += [said] if said else []
    # libheif has turned the pixels already, as irot and imir ask for; EXIF repeats it for those who do not know them.
    pixels, turned = upright(array, exif_orientation(b""), options)
    meta = {"format": "heif", "mode": image.mode, "bit_depth": bits, **turned}
    return Picture(pixels, "yx" if pixels.ndim == 2 else "yxc", None, meta, "; ".join(notes))
