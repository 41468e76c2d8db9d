"""Volumes: NIfTI-1 and NIfTI-2 (read and written) and FreeSurfer's MGH (read).

Sources: Cox et al. 2004, "A (sort of) new image data format standard: NIfTI-1"; nibabel's documentation for
MGH. A NIfTI array is (i, j, k); volumes here are (z, y, x), which is its transpose, so the columns of the
affine are permuted to match and the world stays RAS+ millimetres.
"""

from __future__ import annotations

import gzip
import io
import itertools
import logging
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.extras import require
from imagemill.data.codecs.base import Array, Codec, Picture, ReadOptions, check_pixels, native, problem
from imagemill.data.codecs.error_guard import guarded
from imagemill.data.codecs.limits import DEFLATE, check_inflation
from imagemill.data.codecs.sniff import kind_of

__all__ = ["NiftiCodec", "nifti_place"]

_AGAIN = "get the file again from where it came from"
_NIFTI_DTYPES = (
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
)
_QFORM = 1e-4  # of a voxel: how far the quaternion may lead away from the affine
_BEHIND = 16 << 20  # bytes after the voxels that are read for the checksum at their end
_FORMS = 0.1  # of a voxel: how far sform and qform may be apart before it is said
_ZOOM = 1e-2  # voxel sizes and affine are rounded apart by less than that
_LEVEL = 3  # of gzip: a tenth larger than level 9 and several times faster
_MGH_HEAD = 284


class NiftiCodec(Codec):
    """Reads ``.nii``, ``.nii.gz``, ``.mgz`` and ``.mgh``; writes ``.nii`` and ``.nii.gz``.

    A fourth axis (time, or several contrasts) becomes channels. The stored integers are kept unless the file
    asks for a real scaling. Written files keep dtype, affine, units and codes; an affine that a quaternion
    cannot hold (with shear, or turned by nearly half a turn) goes into the sform only.

    Where the header's voxel sizes contradict the affine (common in public sets: an sform of ones beside true
    voxel sizes), both are kept as they are, the note says so, and `Picture.spacing` gives the voxel sizes.
    Where both sform and qform are set, the sform says where the volume lies, as everywhere in the field; the note
    says so where the two are more than a tenth of a voxel apart. A file in which neither is set says no place.
    Equal volumes give equal bytes, compressed or not.
    """

    name = "nifti"
    suffixes: tuple[str, ...] = (".nii", ".nii.gz", ".mgz", ".mgh")
    writes: tuple[str, ...] = (".nii", ".nii.gz")
    remarks: Mapping[str, str] = {".nii": "volumes with their affine; also NIfTI-2", ".mgz": "FreeSurfer volumes"}
    needs: Mapping[str, tuple[str, str]] = dict.fromkeys(suffixes, ("nibabel", "medical"))

    @guarded("a whole, readable NIfTI or MGH file")
    def read(self, path: Path, options: ReadOptions, data: bytes | None = None) -> Picture:
        nibabel = require("nibabel", extra="medical")
        with np.errstate(all="ignore"):  # what a damaged header makes of the numbers is checked below
            image, mended = _load(path, nibabel, options.max_pixels, data)
            array, note = _values(image)
            affine = np.asarray(image.affine, np.float64)[:, [2, 1, 0, 3]]
            usable = bool(np.all(np.isfinite(affine))) and abs(np.linalg.det(affine[:3, :3])) >= 1e-12
            meta, place_note = _meta(nibabel, image.header, array.dtype, affine)
        if array.dtype.kind not in "buif":
            do = "convert it to scalar values (for colour: one volume per channel)"
            raise problem(path, "a volume of numbers", f"dtype {array.dtype} (colour or complex)", do)
        array, axes, shape_note = _axes(path, array)
        if options.axes not in (None, axes):
            got = f"{axes!r} in the file"
            raise problem(path, f"axes {options.axes!r}", got, "leave axes out: the file says them")
        if not usable:
            do = "mend its sform or qform"
            raise problem(path, "an affine that can be inverted", f"{image.affine.tolist()}", do)
        notes = [text for text in (shape_note, note, place_note, mended) if text]
        return Picture(array, axes, affine, meta, "; ".join(notes))

    def recognises(self, start: bytes) -> bool:
        return kind_of(start) == self.name

    def header(self, path: Path, data: bytes | None = None) -> tuple[tuple[int, int], int]:
        shape, _ = nifti_place(path, data)
        return (shape[1], shape[2]), 1

    def can_write(self, picture: Picture, suffix: str) -> str | None:
        dtype = picture.array.dtype.name
        if suffix not in self.writes:
            return f"{suffix} is read only; choose .nii.gz"
        if not picture.axes.startswith("z"):
            return f"NIfTI holds volumes, not axes {picture.axes!r}; choose .tiff or .png"
        if dtype not in _NIFTI_DTYPES:
            return f"NIfTI does not hold {dtype}; convert to uint8 or float32, or choose .npy"
        if picture.array.size == 0 or max(picture.array.shape) > 32_767:
            return f"NIfTI-1 holds 1 to 32767 voxels a side, not {picture.array.shape}; choose .tiff"
        return None

    def encode(self, picture: Picture, suffix: str) -> bytes:
        nibabel = require("nibabel", extra="medical")
        axes = (2, 1, 0) if picture.axes == "zyx" else (2, 1, 0, 3)
        array = np.transpose(picture.array, axes)
        affine = None if picture.affine is None else picture.affine[:, [2, 1, 0, 3]]
        # dtype is named: nibabel refuses to guess for int64.
        image = nibabel.Nifti1Image(array, affine, dtype=array.dtype)
        header, old = image.header, dict(picture.meta.get("nifti", {}))
        header.set_xyzt_units(old.get("space_unit", "mm"), old.get("time_unit", "unknown"))
        if array.ndim == 4 and old.get("time_step") is not None:
            header["pixdim"][4] = old["time_step"]
        if old.get("intent_code"):
            header["intent_code"] = old["intent_code"]
            header["intent_name"] = str(old.get("intent_name", "")).encode()[:15]
        if affine is not None:
            _set_codes(image, affine, old)
        raw: bytes = image.to_bytes()
        return gzip.compress(raw, _LEVEL, mtime=0) if suffix == ".nii.gz" else raw


def _set_codes(image: Any, affine: npt.NDArray[np.float64], old: dict[str, Any]) -> None:
    """Write the affine as sform, and as qform too when a quaternion holds it.

    It holds rotation times scaling, and near half a turn not even that: the file keeps three of its four
    numbers in single precision, and the fourth, the root of what is left, loses its digits there.
    """
    sform = int(old.get("sform_code", 0)) or int(old.get("qform_code", 0)) or 1
    qform = int(old.get("qform_code", 0)) or sform
    ratio = old.get("zoom_ratio")
    units = image.header.get_xyzt_units()
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    image.set_qform(affine, code=qform, strip_shears=True, update_affine=False)
    strayed = np.abs(image.header.get_qform()[:3, :3] - affine[:3, :3]) / lengths
    if np.max(strayed) > _QFORM or ratio is not None:
        image.set_qform(None, code=0)
        image.header["pixdim"][1:4] = lengths * np.asarray((1.0, 1.0, 1.0) if ratio is None else ratio[::-1])
    image.set_sform(affine, code=sform, update_affine=False)
    image.header.set_xyzt_units(*units)


def _load(path: Path, nibabel: Any, limit: int, data: bytes | None) -> tuple[Any, str]:
    """Parse the header, check the size, and only then take the whole file; the image, and what was mended in words."""
    with path.open("rb") if data is None else io.BytesIO(data) as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream: Any = gzip.GzipFile(fileobj=file) if zipped else file
        try:
            start = stream.read(1024)
            kind, header, offset, mended = _header(path, nibabel, start)
            shape = tuple(int(n) for n in header.get_data_shape())
            check_pixels(path, shape, limit)
            count = 1
            for length in shape:
                count *= length
            wanted = offset + count * header.get_data_dtype().itemsize
            stored = path.stat().st_size if data is None else len(data)
            check_inflation(path, wanted, stored, DEFLATE if zipped else 1)
            raw = start + stream.read(max(0, wanted - len(start)))
            if len(raw) < wanted:
                got = f"{len(raw):,}: the file is cut off"
                raise problem(path, f"{wanted:,} bytes for a volume of {shape}", got, _AGAIN)
            behind = 0
            while zipped and (more := stream.read(1 << 20)):  # to the end, where gzip keeps its checksum
                behind += len(more)
                if behind > _BEHIND:
                    got = f"more than {_BEHIND:,} behind it"
                    raise problem(path, f"{wanted:,} bytes for a volume of {shape}", got, _AGAIN)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise problem(path, "a whole gzip file", str(error), _AGAIN) from error
    if mended:  # parsed again as it was, nibabel would print what it mends
        head = bytes(header.binaryblock)[: _MGH_HEAD if kind is nibabel.MGHImage else None]
        raw = head + raw[len(head) :]
    return kind.from_bytes(raw), mended


@guarded("a whole, readable NIfTI or MGH file")
def nifti_place(path: Path, data: bytes | None = None) -> tuple[tuple[int, ...], npt.NDArray[np.float64]]:
    """Read shape ``(z, y, x)`` and the affine of a volume from its header alone.

    Parameters
    ----------
    path : Path
    data : bytes or None
        The content, where it is not a file of its own.

    Raises
    ------
    CodecError
    """
    nibabel = require("nibabel", extra="medical")
    with path.open("rb") if data is None else io.BytesIO(data) as file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        start = gzip.GzipFile(fileobj=file).read(1024) if zipped else file.read(1024)
    _, header, _, _ = _header(path, nibabel, start)
    known = isinstance(header, nibabel.Nifti1Header)
    with np.errstate(all="ignore"):  # a damaged header makes no numbers of its place
        affine = np.asarray(header.get_best_affine() if known else header.get_affine(), np.float64)
    shape = (*(int(n) for n in header.get_data_shape()), 1, 1)[:3]
    return shape[::-1], affine[:, [2, 1, 0, 3]]


class _Told:
    """Where nibabel says what it mends in a header, instead of the terminal."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def log(self, level: int, message: str) -> None:
        if level >= logging.WARNING:
            self.words.append(message)


def _mended(header: Any) -> tuple[Any, str]:
    """A header without contradictions, and what was changed in it, in words.

    Raises
    ------
    nibabel.spatialimages.HeaderDataError
        When it cannot be mended.
    """
    told = _Told()
    header.check_fix(logger=told)
    return header, f"header mended: {', '.join(told.words)}" if told.words else ""


def _header(path: Path, nibabel: Any, start: bytes) -> tuple[Any, Any, int, str]:
    """Which of the three formats it is: the class, its header, where the voxels begin, what was mended."""
    if start[344:348] == b"n+1\0":
        header, said = _mended(nibabel.Nifti1Header(start[:348], check=False))
        return nibabel.Nifti1Image, header, int(header.get_data_offset()), said
    if start[4:8] == b"n+2\0":
        header, said = _mended(nibabel.Nifti2Header(start[:540], check=False))
        return nibabel.Nifti2Image, header, int(header.get_data_offset()), said
    if start[344:348] == b"ni1\0":
        got = "the header of a pair (.hdr and .img)"
        raise problem(path, "a single-file NIfTI", got, "convert the pair to .nii.gz first")
    if start[:4] == b"\0\0\0\x01" and len(start) >= _MGH_HEAD:
        header, said = _mended(nibabel.freesurfer.MGHImage.header_class(start[:_MGH_HEAD], check=False))
        return nibabel.MGHImage, header, _MGH_HEAD, said
    do = "check that the file was copied whole and has the right suffix"
    raise problem(path, "a NIfTI or MGH file", f"bytes {start[:8]!r}", do)


def _values(image: Any) -> tuple[Array, str]:
    """Take the stored numbers, scaled only when the header asks for a scaling that changes them."""
    raw = np.asanyarray(image.dataobj.get_unscaled())
    slope = float(getattr(image.dataobj, "slope", 1.0))
    inter = float(getattr(image.dataobj, "inter", 0.0))
    if (slope, inter) == (1.0, 0.0) or raw.dtype.kind not in "uif":
        return raw, ""
    # 24 bits of mantissa hold every 16-bit integer; wider ones need 53.
    exact = np.float32 if raw.dtype.itemsize <= 2 or raw.dtype == np.float32 else np.float64
    scaled = raw.astype(np.float64) * slope + inter
    return scaled.astype(exact), f"stored {raw.dtype.name} scaled by {slope:g} and shifted by {inter:g}"


def _axes(path: Path, array: Array) -> tuple[Array, str, str]:
    """Turn (i, j, k[, t]) into (z, y, x[, c])."""
    shape, note = array.shape, ""
    while array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim == 5 and array.shape[3] == 1:
        array = array[:, :, :, 0, :]
        note = f"{shape[4]} components read as channels"
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
        note = "one slice read as a volume"
    if array.ndim == 3:
        return native(array.T), "zyx", note or f"read as {array.shape[2]} slices"
    if array.ndim == 4:
        note = note or f"read as {array.shape[2]} slices with {array.shape[3]} time points as channels"
        return native(np.transpose(array, (2, 1, 0, 3))), "zyxc", note
    do = "split it into volumes of three or four axes"
    raise problem(path, "a volume of 3 axes, or 4 with time", f"shape {shape}", do)


def _forms_apart(header: Any) -> float:
    """How far the places are apart that sform and qform give to a voxel at most, in voxels."""
    sform, qform = header.get_sform(), header.get_qform()
    ends = [(0, max(0, int(n) - 1)) for n in (*header.get_data_shape(), 1, 1)[:3]]
    corners = np.array([(*place, 1.0) for place in itertools.product(*ends)])
    try:
        found = np.abs((corners @ (np.linalg.inv(sform) @ qform - np.eye(4)).T)[:, :3]).max()
    except np.linalg.LinAlgError:
        return 0.0  # refused as a whole, with its own words
    return float(found) if np.isfinite(found) else 0.0


def _meta(
    nibabel: Any, header: Any, dtype: np.dtype[Any], affine: npt.NDArray[np.float64]
) -> tuple[dict[str, Any], str]:
    """Collect what has to survive a round trip."""
    meta = {"format": "nifti", "mode": dtype.name, "bit_depth": dtype.itemsize * 8}
    if not isinstance(header, nibabel.Nifti1Header):
        return {**meta, "format": "mgh", "nifti": {"space_unit": "mm"}}, ""
    space, time = header.get_xyzt_units()
    qform, sform = int(header["qform_code"]), int(header["sform_code"])
    meta["placed"] = bool(qform or sform)
    nifti: dict[str, Any] = {
        "qform_code": qform,
        "sform_code": sform,
        "space_unit": space,
        "time_unit": time,
        "time_step": float(header["pixdim"][4]) if int(header["dim"][0]) >= 4 else None,
        "intent_code": int(header["intent_code"]),
        "intent_name": bytes(header["intent_name"]).rstrip(b"\0").decode("latin-1"),
    }
    note = "" if qform or sform else "the file says no orientation; nibabel's default is taken"
    if qform and sform and (apart := _forms_apart(header)) > _FORMS:
        note = f"sform and qform are up to {apart:.3g} voxels apart; the sform is taken"
        meta["forms_apart"] = apart
    zooms = np.abs(np.asarray(header["pixdim"][1:4], np.float64))[::-1]
    ratio = zooms / np.linalg.norm(affine[:3, :3], axis=0)
    if np.all(np.isfinite(zooms)) and np.all(zooms > 0) and np.any(np.abs(ratio - 1.0) > _ZOOM):
        nifti["zoom_ratio"] = tuple(float(value) for value in ratio)
        sizes = " x ".join(f"{value:g}" for value in zooms)
        said = f"voxel sizes in the header ({sizes}) contradict the affine; spacing follows the header"
        note = f"{note}; {said}" if note else said
    return {**meta, "nifti": nifti}, note
