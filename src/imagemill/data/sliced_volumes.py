"""Volumes of which parts are read: memory holds what is asked for, where the format allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.core.short_repr import ShortRepr
from imagemill.core.targets import Array, Image, Mask
from imagemill.data.codecs.base import Picture, ReadOptions
from imagemill.data.codecs.npy import axes_by_rank, load_npy
from imagemill.data.records.loading import load_picture
from imagemill.data.records.record import Stored

__all__ = ["SlicedVolume", "open_volume"]

Floats = npt.NDArray[np.float64]
_SPATIAL = ("yx", "zyx")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SlicedVolume(ShortRepr):
    """A volume, or a picture, that is read part by part.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of all axes.
    axes : str
        ``"zyx"``, ``"zyxc"``, ``"yx"`` or ``"yxc"``.
    dtype : numpy dtype
    affine : array ``(d+1, d+1)`` or None
        Index to world.
    how : {"mapped", "pages", "array", "whole"}
        What is read: bytes of a mapped file, pages, parts of an array-like such as a dataset of HDF5, or, because
        nothing less can be decoded, the whole file when it is opened.
    part : callable
        Takes a tuple of slices, one for each axis.
    """

    name: str
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    affine: Floats | None
    how: str
    part: Callable[[tuple[slice, ...]], Array] = field(repr=False)

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Lengths of the axes that are places."""
        return self.shape[: len(self.axes.removesuffix("c"))]

    def read(self, start: Sequence[int], size: Sequence[int], fill: float = 0) -> Array:
        """The part that begins at an index and has a size; beyond the volume stands ``fill``.

        Examples
        --------
        >>> open_volume(np.arange(12).reshape(3, 4), "yx").read((-1, 2), (3, 3), fill=9).tolist()
        [[9, 9, 9], [2, 3, 9], [6, 7, 9]]
        """
        d = len(self.spatial_shape)
        if len(start) != d or len(size) != d:
            raise InputError(f"expected a start and a size of {d} numbers for {self.name}, got {start} and {size}")
        low = [max(0, int(a)) for a in start]
        high = [min(int(n), int(a) + int(m)) for a, m, n in zip(start, size, self.shape, strict=False)]
        if any(b <= a for a, b in zip(low, high, strict=True)):
            return np.full((*size, *self.shape[d:]), fill, self.dtype)
        inner = np.asarray(self.part((*map(slice, low, high), *[slice(None)] * (len(self.shape) - d))))
        if inner.shape[:d] == tuple(size):
            return np.array(inner, dtype=self.dtype)
        out = np.full((*size, *self.shape[d:]), fill, self.dtype)
        out[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))] = inner
        return out


def open_volume(where: Any, axes: str | None = None) -> SlicedVolume:
    """Open a volume so that parts of it can be read without the rest.

    Parameters
    ----------
    where : path, array-like, Image, Mask or Stored
        ``.nii`` that is not compressed and ``.npy`` are mapped; of stacks in TIFF the pages that are needed are read;
        array-likes (memory maps, datasets of h5py, arrays of zarr) are asked for their parts. Any other file
        (``.nii.gz``, DICOM, NRRD) is decoded whole: ``how`` says which it was.
    axes : str, optional
        Of an array-like; two axes are ``"yx"``, three ``"zyx"`` if nothing is said.

    Raises
    ------
    CodecError
        When the file cannot be read.
    InputError
        When axes do not fit.

    Examples
    --------
    >>> volume = open_volume(np.zeros((8, 30, 40), np.int16))
    >>> volume.how, volume.axes, volume.read((2, 10, 10), (4, 8, 8)).shape
    ('array', 'zyx', (4, 8, 8))
    """
    if isinstance(where, Image | Mask):
        named = where.named(axes)
        array = where.canonical(named)
        spatial = "zyx"[-(array.ndim - 1) :]
        array, letters = (array, spatial + "c") if "c" in named else (array[..., 0], spatial)
        affine = None if where.affine is None and where.spacing is None else where.affine_matrix(spatial)
        return _of_array(where.kind, array, letters, affine)
    if isinstance(where, str | Path):
        return _of_file(Path(where), axes)
    if isinstance(where, Stored):
        return _whole(where.name, load_picture(where, ReadOptions(axes=axes)))
    if not hasattr(where, "shape") or not hasattr(where, "dtype") or not hasattr(where, "__getitem__"):
        raise InputError(f"expected a path or something with parts, such as an array, got {type(where).__name__}")
    found = axes or {2: "yx", 3: "zyx", 4: "zyxc"}.get(len(where.shape), "")
    if found.removesuffix("c") not in _SPATIAL or len(found) != len(where.shape):
        raise InputError(
            f"expected axes 'yx', 'zyx', 'yxc' or 'zyxc' for an array of shape {tuple(where.shape)}, got {axes!r}; "
            "wrap one whose axes stand otherwise: Image(array, 'yxz')"
        )
    return _of_array("array", where, found, None)


def _of_array(name: str, array: Any, axes: str, affine: Floats | None) -> SlicedVolume:
    shape = tuple(map(int, array.shape))
    return SlicedVolume(name, shape, axes, np.dtype(array.dtype), affine, "array", array.__getitem__)


def _whole(name: str, picture: Picture) -> SlicedVolume:
    array = picture.array
    return SlicedVolume(name, array.shape, picture.axes, array.dtype, picture.affine, "whole", array.__getitem__)


def _of_file(path: Path, axes: str | None) -> SlicedVolume:
    suffix = path.name.lower()
    found = None
    if axes is None and suffix.endswith(".npy"):
        found = _npy(path)
    elif axes is None and suffix.endswith(".nii"):
        found = _nifti(path)
    elif axes is None and suffix.endswith((".tif", ".tiff")):
        found = _tiff(path)
    return found or _whole(str(path), load_picture(path, ReadOptions(axes=axes)))


def _npy(path: Path) -> SlicedVolume | None:
    stored = load_npy(path)
    if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "buif" or not stored.size:
        return None  # what it is then, the codec says better
    axes, _ = axes_by_rank(path, stored.shape)
    if axes.removesuffix("c") not in _SPATIAL:
        return None
    dtype = stored.dtype.newbyteorder("=")
    return SlicedVolume(str(path), stored.shape, axes, dtype, None, "mapped", stored.__getitem__)


def _nifti(path: Path) -> SlicedVolume | None:
    nibabel = require("nibabel", extra="medical")
    try:
        image = nibabel.load(path)
        proxy = image.dataobj
        shape, stored, offset = tuple(map(int, proxy.shape)), np.dtype(proxy.dtype), int(proxy.offset)
        mapped = np.memmap(path, stored, "r", offset, shape, "F")
    except Exception:  # damaged: the codec says how, and what to do
        return None
    affine = np.asarray(image.affine, np.float64)[:, [2, 1, 0, 3]]
    if len(shape) != 3 or stored.kind not in "uif" or not np.isfinite(affine).all():
        return None
    slope, inter = float(proxy.slope), float(proxy.inter)
    scaled = (slope, inter) != (1.0, 0.0)
    dtype = stored.newbyteorder("=")
    if scaled:
        dtype = np.dtype(np.float32 if stored.itemsize <= 2 or stored == np.float32 else np.float64)

    def part(region: tuple[slice, ...]) -> Array:
        raw = np.asarray(mapped[region[::-1]]).T
        return (raw.astype(np.float64) * slope + inter).astype(dtype) if scaled else raw

    return SlicedVolume(str(path), shape[::-1], "zyx", dtype, affine, "mapped", part)


def _tiff(path: Path) -> SlicedVolume | None:
    tifffile = require("tifffile", extra="tiff")
    try:
        with tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            shape, dtype = tuple(map(int, series.shape)), np.dtype(series.dtype)
            plain = len(shape) == 3 and len(series.pages) == shape[0] and series.keyframe.samplesperpixel == 1
            plain = plain and series.keyframe.photometric.name == "MINISBLACK" and dtype.kind in "buif"
            first = load_picture(path).axes if plain and shape[0] <= 4 else "zyx"
    except Exception:  # damaged: the codec says how, and what to do
        return None
    if not plain or first != "zyx":
        return None

    def part(region: tuple[slice, ...]) -> Array:
        with tifffile.TiffFile(path) as tif:
            pages = tif.series[0].pages
            return np.stack([pages[z].asarray()[region[1:]] for z in range(region[0].start, region[0].stop)])

    return SlicedVolume(str(path), shape, "zyx", dtype.newbyteorder("="), None, "pages", part)
