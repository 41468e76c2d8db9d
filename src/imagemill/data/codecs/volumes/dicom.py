"""DICOM, one file: a picture, or a volume where the file has several frames.

Source: DICOM PS3.3, PS3.5 and PS3.10 (https://www.dicomstandard.org/current).
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.core.extras import require
from imagemill.data.codecs.base import Array, Codec, Picture, ReadOptions, check_pixels, native, problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.sniff import kind_of
from imagemill.data.codecs.volumes.dicom_geometry import Plane, frame_planes, stack_planes
from imagemill.data.codecs.volumes.dicom_pixels import (
    SEGMENTATION,
    frame_count,
    modality_values,
    stored_frames,
)

__all__ = ["DicomCodec", "is_dicom", "load_dataset", "no_pixels", "read_frames"]

_AGAIN = "get the file again from where it came from"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_INFLATED = 1 << 31
_ELEMENTS = 20_000
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# Data sets without the 128 bytes and "DICM" before them begin with one of these groups, in one of two byte orders.
_BARE = (b"\x02\x00", b"\x08\x00", b"\x00\x08")


class DicomCodec(Codec):
    """Reads ``.dcm``; several files of one series are a source of their own.

    Stored values become what the modality measured (slope and intercept, Hounsfield units); MONOCHROME1 is inverted;
    palettes and YBR become RGB; overlays are left out; display windows are not applied. A file of one frame is a
    picture, of several a volume ``zyx`` (or ``zyxc`` in colour), sorted by position and with its place in the world
    where the file says them; a cine without places has its frames as ``z``, and the note says so. A binary
    segmentation becomes a label map of its segments' numbers.
    """

    name = "dicom"
    suffixes: tuple[str, ...] = (".dcm", ".dicom", ".ima")
    writes: tuple[str, ...] = ()
    remarks: Mapping[str, str] = {".dcm": "one file; a series is a source"}
    needs: Mapping[str, tuple[str, str]] = dict.fromkeys(suffixes, ("pydicom", "medical"))

    @guarded("a whole, readable DICOM file")
    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        dataset = load_dataset(path, data)
        why = no_pixels(dataset)
        if why:
            raise problem(path, "a DICOM file with pixels", why, "leave it out, or give the images it refers to")
        shape = (frame_count(dataset), int(dataset.Rows), int(dataset.Columns))
        check_pixels(path, shape, options.max_pixels)
        picture = _picture(path, dataset, options)
        if options.axes not in (None, picture.axes):
            got = f"{picture.axes!r} in the file"
            raise problem(path, f"axes {options.axes!r}", got, "leave axes out: the file says them")
        return picture

    def recognises(self, start: bytes) -> bool:
        return kind_of(start) == self.name

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        dataset = load_dataset(path, data, pixels=False)
        if dataset.get("Rows") and dataset.get("Columns"):
            return (int(dataset.Rows), int(dataset.Columns)), 1
        raise problem(path, "an image", no_pixels(dataset), "leave it out")

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        return f"{suffix} is read only; choose {'.nii.gz' if picture.axes.startswith('z') else '.png or .tiff'}"

    def encode(self, picture: Picture, suffix: str) -> bytes:
        raise CodecError(f"expected a format that can be written, got {suffix}; choose .nii.gz")


def is_dicom(start: bytes, *, bare: bool = False) -> bool:
    """Whether the first bytes are those of a DICOM file.

    Parameters
    ----------
    start : bytes
        At least 132 of them.
    bare : bool
        Whether a data set without its preamble counts too.

    Examples
    --------
    >>> is_dicom(bytes(128) + b"DICM")
    True
    """
    return start[128:132] == b"DICM" or (bare and start[:2] in _BARE and start[3:4] == b"\x00")


@guarded("a whole, readable DICOM file")
def load_dataset(path: Path, data: bytes | None = None, *, pixels: bool = True) -> Any:
    """Read a data set.

    Parameters
    ----------
    path : Path
    data : bytes or None
        The content, where it is not a file of its own.
    pixels : bool
        Whether the pixels are wanted too.

    Raises
    ------
    CodecError
    MissingExtra
    """
    pydicom = require("pydicom", extra="medical")
    with path.open("rb") if data is None else io.BytesIO(data) as file:
        start = file.read(4096)
        file.seek(0)
        if not is_dicom(start, bare=True):
            do = "check that the file was copied whole and has the right suffix"
            raise problem(path, "a DICOM file", f"bytes {start[:8]!r}", do)
        if _DEFLATED.encode() in start:
            _check_deflated(path, file)
        reader = require("pydicom.filereader", extra="medical")
        dataset = reader.read_partial(file, _Guard(stop=not pixels), force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            # Without a preamble the parser finds out by itself how the data set is written.
            implicit, little = dataset.original_encoding
            kinds = pydicom.uid
            plain = kinds.ExplicitVRLittleEndian if little else kinds.ExplicitVRBigEndian
            dataset.file_meta.TransferSyntaxUID = kinds.ImplicitVRLittleEndian if implicit else plain
        if pixels:
            _check_end(path, dataset)
        return dataset


class _Guard:
    """Counts elements while they are read: bytes of zero are elements too, millions of them take minutes."""

    def __init__(self, *, stop: bool) -> None:
        self.stop, self.count = stop, 0

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        self.count += 1
        if self.count > _ELEMENTS:
            raise ValueError(f"more than {_ELEMENTS:,} elements")
        return self.stop and tag in _PIXEL_TAGS


def _check_end(path: Path, dataset: Any) -> None:
    """Refuse a data set whose last element is cut off; the parser takes what is there."""
    last = dataset.get_item(max(dataset.keys())) if len(dataset) else None
    value, length = getattr(last, "value", None), getattr(last, "length", None)
    if isinstance(value, bytes) and length is not None and len(value) < length < 0xFFFFFFFF:
        got = f"{len(value):,}: the file is cut off"
        raise problem(path, f"{length:,} bytes in the last element", got, _AGAIN)


def _check_deflated(path: Path, file: Any) -> None:
    """Refuse a deflated data set that would fill the memory; the parser inflates all of it at once."""
    require("pydicom", extra="medical")
    reader = require("pydicom.filereader", extra="medical")
    file.seek(132)
    meta = reader._read_file_meta_info(file)
    if str(meta.get("TransferSyntaxUID", "")) == _DEFLATED:
        body = zlib.decompressobj(-zlib.MAX_WBITS)
        size, rest = 0, file.read()
        while rest and size <= _INFLATED:
            size += len(body.decompress(rest, 1 << 24))
            rest = body.unconsumed_tail
        if size <= _INFLATED and not body.eof:
            raise problem(path, "a whole deflated data set", "one that is cut off", _AGAIN)
        if size > _INFLATED:
            raise problem(path, f"at most {_INFLATED:,} bytes when inflated", "more", "check what wrote it")
    file.seek(0)


def no_pixels(dataset: Any) -> str:
    """Say what a data set is that holds no pixels; empty when it holds some."""
    has = any(name in dataset for name in _PIXELS)
    if has and dataset.get("Rows") and dataset.get("Columns"):
        return ""
    uid = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    named = str(getattr(uid, "name", uid) or "an object of unknown kind")
    return f"{named}, which holds no pixels" if not has else f"{named} that says no rows and columns"


@guarded("a whole, readable DICOM file")
def read_frames(path: Path, options: ReadOptions, notes: list[str]) -> Array:
    """Read the pixels of one file ``(n, y, x[, c])``, for a series that puts files together.

    Raises
    ------
    CodecError
    """
    dataset = load_dataset(path)
    if no_pixels(dataset):
        raise problem(path, "a slice with pixels", no_pixels(dataset), _AGAIN)
    check_pixels(path, (frame_count(dataset), int(dataset.Rows), int(dataset.Columns)), options.max_pixels)
    return modality_values(path, dataset, stored_frames(path, dataset), labels=options.labels, notes=notes)


def _picture(path: Path, dataset: Any, options: ReadOptions) -> Picture:
    notes: list[str] = []
    frames = stored_frames(path, dataset)
    segments = str(dataset.get("SOPClassUID", "")) == SEGMENTATION and dataset.get("SegmentationType") == "BINARY"
    planes = frame_planes(dataset, len(frames))
    affine = None
    if segments:
        frames, planes = _label_frames(dataset, frames, planes, notes)
    else:
        frames = modality_values(path, dataset, frames, labels=options.labels, notes=notes)
    meta = {
        "format": "dicom",
        "mode": str(dataset.get("PhotometricInterpretation", "")),
        "bit_depth": int(dataset.get("BitsStored") or 8 * frames.dtype.itemsize),
        "exif_orientation": 1,
        "dicom": _facts(dataset),
    }
    colour = "c" if frames.ndim == 4 else ""
    if len(frames) == 1:
        return Picture(native(frames[0]), "yx" + colour, None, meta, "; ".join(notes))
    if planes is not None and len(planes) == len(frames):
        stack = stack_planes(planes)
        if stack.affine is not None:
            frames, affine = frames[list(stack.order)], stack.affine
        notes.append(f"{len(frames)} frames read as slices z" + (f"; {stack.fault}" if stack.fault else ""))
    else:
        notes.append(f"{len(frames)} frames without places read as slices z")
    return Picture(native(frames), "zyx" + colour, affine, meta, "; ".join(notes))


def _label_frames(
    dataset: Any, frames: Array, planes: list[Plane] | None, notes: list[str]
) -> tuple[Array, list[Plane] | None]:
    """Make one label map of the frames of a segmentation, which has a frame for each segment and slice."""
    groups = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    shared = dataset.get("SharedFunctionalGroupsSequence") or ()
    numbers = []
    for group in [*groups] or [None] * len(frames):
        found = [h for g in (group, *shared[:1]) if g is not None for h in g.get("SegmentIdentificationSequence") or ()]
        numbers.append(int(found[0].ReferencedSegmentNumber) if found else 1)
    kind = np.uint8 if max(numbers) < 256 else np.uint16
    if planes is None or len(numbers) != len(frames):
        return frames.astype(np.uint8), None
    depths: dict[float, int] = {}
    for plane in planes:
        depths.setdefault(round(float(plane.position @ planes[0].normal), 3), len(depths))
    labels = np.zeros((len(depths), *frames.shape[1:]), kind)
    kept: dict[int, Plane] = {}
    overlap = 0
    for frame, plane, number in zip(frames, planes, numbers, strict=True):
        row = depths[round(float(plane.position @ planes[0].normal), 3)]
        kept[row] = plane
        overlap += int(np.count_nonzero((labels[row] != 0) & (frame != 0)))
        labels[row][frame != 0] = number
    names = {int(s.SegmentNumber): str(s.get("SegmentLabel", "")) for s in dataset.get("SegmentSequence") or ()}
    said = ", ".join(f"{n} {names.get(n, '')}".strip() for n in sorted(set(numbers)))
    notes.append(f"segments as labels: {said}")
    if overlap:
        notes.append(f"{overlap} pixels lie in several segments: the last one counts")
    return labels, [kept[row] for row in range(len(depths))]


def _facts(dataset: Any) -> dict[str, Any]:
    """What is worth keeping of the header: nothing that names a person."""
    found: dict[str, Any] = {}
    for name, word in (
        ("modality", "Modality"),
        ("window_centre", "WindowCenter"),
        ("window_width", "WindowWidth"),
        ("position", "ImagePositionPatient"),
        ("orientation", "ImageOrientationPatient"),
        ("pixel_spacing", "PixelSpacing"),
    ):
        value = dataset.get(word)
        if value is not None and value != "":
            several = not isinstance(value, str) and hasattr(value, "__iter__")
            found[name] = [float(v) for v in value] if several else value if isinstance(value, str) else float(value)
    return found
