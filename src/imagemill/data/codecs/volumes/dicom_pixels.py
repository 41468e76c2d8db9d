"""The pixels of a DICOM file: decompressed, in true colours, with the modality's own numbers.

Sources: DICOM PS3.5, annex A (transfer syntaxes) and 8.2; PS3.3, C.7.6.3 (Image Pixel Module), C.11.1 (Modality LUT).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.extras import require
from imagemill.data.codecs.base import Array, problem

__all__ = ["SEGMENTATION", "frame_count", "modality_values", "stored_frames"]

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
_JPEG = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")
_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
_RLE = "1.2.840.10008.1.2.5"


def frame_count(dataset: Any) -> int:
    """How many frames a data set declares; 1 where it says nothing."""
    try:
        return max(1, int(dataset.get("NumberOfFrames") or 1))
    except (TypeError, ValueError):
        return 1


def stored_frames(path: Path, dataset: Any) -> Array:
    """Decompress all frames, as they are stored: ``(n, y, x)`` or ``(n, y, x, samples)``.

    JPEG is decoded by Pillow, RLE by pydicom, JPEG lossless, JPEG-LS and JPEG 2000 by imagecodecs: one decoder a
    syntax, so that the pixels do not depend on what else is installed.

    Raises
    ------
    CodecError
    """
    pixels = require("pydicom.pixels", extra="medical")
    syntax = dataset.file_meta.TransferSyntaxUID
    count, samples = frame_count(dataset), int(dataset.get("SamplesPerPixel") or 1)
    shape = (count, int(dataset.Rows), int(dataset.Columns), *((samples,) if samples > 1 else ()))
    if not syntax.is_encapsulated:
        array = np.asarray(pixels.pixel_array(dataset, raw=True))
    elif syntax == _RLE:
        array = np.asarray(pixels.pixel_array(dataset, raw=True, decoding_plugin="pydicom"))
    elif syntax in _JPEG and int(dataset.BitsAllocated) == 8:
        array = np.asarray(pixels.pixel_array(dataset, raw=True, decoding_plugin="pillow"))
    else:
        array = _with_imagecodecs(path, dataset, str(syntax), count)
    if array.size != int(np.prod(shape)):
        got = f"{array.shape}"
        raise problem(path, f"pixels of shape {shape}", got, "get the file again from where it came from")
    return np.ascontiguousarray(array.reshape(shape))


def _with_imagecodecs(path: Path, dataset: Any, syntax: str, count: int) -> Array:
    """Decode frame by frame; the sign bit is put where the data set says."""
    encaps = require("pydicom.encaps", extra="medical")
    codecs = require("imagecodecs", extra="medical")
    decoders: dict[str, Callable[[bytes], Array]] = {
        **dict.fromkeys(_LOSSLESS, codecs.jpegsof3_decode),
        **dict.fromkeys(_JPEG_LS, codecs.jpegls_decode),
        **dict.fromkeys(_JPEG_2000, codecs.jpeg2k_decode),
        **dict.fromkeys(_JPEG, lambda data: codecs.jpeg_decode(data, bitspersample=int(dataset.BitsStored))),
    }
    decode = decoders.get(syntax)
    if decode is None:
        named = dataset.file_meta.TransferSyntaxUID.name
        do = "convert it to an uncompressed transfer syntax first"
        raise problem(path, "a transfer syntax that can be decoded", f"{named!r}", do)
    table = dataset.get("ExtendedOffsetTable")
    more = {}
    if table is not None:
        more["extended_offsets"] = (table, dataset.ExtendedOffsetTableLengths)
    frames = encaps.generate_frames(dataset.PixelData, number_of_frames=count, **more)
    array = np.stack([np.asarray(decode(frame)) for frame in frames])
    if len(array) != count:
        raise problem(path, f"{count} frames", f"{len(array)}", "get the file again from where it came from")
    bits, width = int(dataset.BitsStored), int(dataset.BitsAllocated)
    wanted = np.dtype(f"{'i' if int(dataset.PixelRepresentation) else 'u'}{width // 8}")
    if wanted.kind == "i" and array.dtype.kind == "u":
        spare = 8 * array.dtype.itemsize - bits
        shifted = (array << spare).view(np.dtype(f"i{array.dtype.itemsize}"))  # the sign is bit `bits - 1`
        array = shifted >> spare
    return array.astype(wanted)


def modality_values(path: Path, dataset: Any, frames: Array, *, labels: bool, notes: list[str]) -> Array:
    """Turn stored values into brightness, colours, or what the modality measured (Hounsfield units, dose...).

    Parameters
    ----------
    path : Path
    dataset : pydicom.Dataset
    frames : array
        As `stored_frames` gives them.
    labels : bool
        Whether indices and counts are wanted as they are stored.
    notes : list of str
        What was done is added here.
    """
    photometric = str(dataset.get("PhotometricInterpretation", "MONOCHROME2")).strip()
    if labels:
        return frames
    if photometric == "PALETTE COLOR":
        pixels = require("pydicom.pixels", extra="medical")
        notes.append("palette read as RGB")
        return _eight_bits(np.asarray(pixels.apply_color_lut(frames, dataset)))
    if photometric in ("YBR_FULL", "YBR_FULL_422"):
        pixels = require("pydicom.pixels", extra="medical")
        notes.append(f"{photometric} read as RGB")
        return np.asarray(pixels.convert_color_space(frames, "YBR_FULL", "RGB"))
    if photometric in ("RGB", "YBR_RCT", "YBR_ICT"):
        return frames
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        do = "convert it to RGB first"
        raise problem(path, "gray, RGB, YBR or palette colours", f"{photometric!r}", do)
    if photometric == "MONOCHROME1" and frames.dtype.kind in "iu":
        low, high = _range(dataset, frames)
        frames = (low + high - frames.astype(np.int64)).astype(frames.dtype)
        notes.append("white is zero: inverted")
    return _rescale(dataset, frames, notes)


def _range(dataset: Any, frames: Array) -> tuple[int, int]:
    """Smallest and largest value that the stored bits can hold."""
    bits = int(dataset.get("BitsStored") or 8 * frames.dtype.itemsize)
    if int(dataset.get("PixelRepresentation") or 0):
        return -(1 << bits - 1), (1 << bits - 1) - 1
    return 0, (1 << bits) - 1


def _rescale(dataset: Any, frames: Array, notes: list[str]) -> Array:
    """Apply the modality's table, or slope and intercept: of the file, or of each frame."""
    if dataset.get("ModalityLUTSequence"):
        pixels = require("pydicom.pixels", extra="medical")
        notes.append("through the table of the modality")
        return np.asarray(pixels.apply_modality_lut(frames, dataset))
    count = len(frames)
    factors = [_factor(dataset, number) for number in range(count)]
    if all(factor == (1.0, 0.0) for factor in factors):
        return frames
    slopes, inters = np.array(factors).T
    same = len(set(factors)) == 1
    said = f"by {slopes[0]:g} and shifted by {inters[0]:g}" if same else "frame by frame"
    notes.append(f"stored values scaled {said}")
    if frames.dtype.kind in "iu" and np.all(slopes == np.rint(slopes)) and np.all(inters == np.rint(inters)):
        return _whole(dataset, frames, slopes.astype(np.int64), inters.astype(np.int64))
    fine = frames.dtype.itemsize > 2 and frames.dtype != np.float32
    scaled: Array = frames.astype(np.float64) * slopes[:, None, None] + inters[:, None, None]
    return scaled if fine else scaled.astype(np.float32)


def _whole(dataset: Any, frames: Array, slopes: Array, inters: Array) -> Array:
    """Scale by whole numbers, exactly, in the smallest integers that hold what the stored bits can become."""
    low, high = _range(dataset, frames)
    values: Array = frames.astype(np.int64) * slopes[:, None, None] + inters[:, None, None]
    ends = np.concatenate([low * slopes + inters, high * slopes + inters])
    kinds = [np.dtype(name) for name in ("uint8", "int16", "uint16", "int32", "int64")]
    kind = next((k for k in kinds if np.iinfo(k).min <= ends.min() and ends.max() <= np.iinfo(k).max), kinds[-1])
    # 16 stored bits and an intercept go beyond 16 bits on paper only: Hounsfield units never do.
    if kind.itemsize > 2 and values.min() >= -32_768 and values.max() <= 32_767:
        kind = np.dtype(np.int16)
    return values.astype(kind)


def _eight_bits(colours: Array) -> Array:
    """Take the upper half of 16 bits where the lower half says nothing, as most palettes are written."""
    if colours.dtype != np.uint16:
        return colours
    low, high = colours & 255, colours >> 8
    return high.astype(np.uint8) if not low.any() or np.array_equal(low, high) else colours


def _factor(dataset: Any, frame: int) -> tuple[float, float]:
    """Slope and intercept of one frame."""
    dose = dataset.get("DoseGridScaling")
    if dose is not None:
        return float(dose), 0.0
    own = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    shared = dataset.get("SharedFunctionalGroupsSequence") or ()
    groups = [*own[frame : frame + 1], *shared[:1]]
    holders = [holder for group in groups for holder in group.get("PixelValueTransformationSequence") or ()]
    for holder in (*holders, dataset):
        slope, inter = holder.get("RescaleSlope"), holder.get("RescaleIntercept")
        if slope is not None and inter is not None:
            # A slope of 0 would wipe the picture out; it is a known mistake of converters and means none.
            return float(slope) or 1.0, float(inter)
    return 1.0, 0.0
