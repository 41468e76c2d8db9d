"""From a decoded picture to pixels of the size and type that a dataset holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Matrix
from imagemill.core.errors import CodecError, InputError
from imagemill.core.geometry import resize
from imagemill.core.ops import Fit
from imagemill.core.targets import Array
from imagemill.data.codecs.base import Picture
from imagemill.verbs.prepare.area_average import averaged
from imagemill.verbs.prepare.common_frame import Placing

__all__ = ["DTYPES", "DType", "Normalize", "Values", "gaps_in", "resized", "same_form", "value_plan"]

DType = Literal["uint8", "uint16", "float16", "float32"]
Normalize = Literal["none", "unit", "symmetric", "minmax"]
DTYPES: tuple[str, ...] = get_args(DType)
_STRETCH = Fit("minmax")
_WHITE = {"uint8": 255.0, "uint16": 65535.0, "bool": 1.0}


@dataclass(frozen=True, slots=True)
class Values:
    """What numbers a dataset holds for the numbers of a picture.

    Parameters
    ----------
    dtype : str
        Of `DTYPES`.
    normalize : {"none", "unit", "symmetric", "minmax"}
        Values as they are, 0 to 1 or -1 to 1 by bit depth (white is 255 or 65,535), or 0 to 1 by the smallest and
        largest value of each scan.

    Examples
    --------
    >>> Values("float32", "symmetric").of(np.array([0, 255], np.uint8), "yx").tolist()
    [-1.0, 1.0]
    >>> Values("uint8").of(np.array([0, 65535], np.uint16), "yx").tolist()
    [0, 255]
    """

    dtype: str
    normalize: str = "none"

    def of(self, array: Array, axes: str) -> Array:
        """The values of a picture.

        Floating point is reached by a cast before any arithmetic, in float32; float16 rounds once more at the end.

        Raises
        ------
        CodecError
            When the picture's type says nothing of where white is, and that is needed.
        """
        wanted = np.dtype(self.dtype)
        if array.dtype == bool:
            array = array.astype(np.uint8) * np.uint8(255)
        if wanted.kind == "u":
            return _whole(array, wanted)
        values = array.astype(np.float32)
        if self.normalize == "minmax":
            values = _minmax(values, axes, array.dtype)
        elif self.normalize != "none":
            white = np.float32(_white(array.dtype, f"normalize={self.normalize!r}"))
            values = values / white if self.normalize == "unit" else values * (2 / white) - np.float32(1)
        with np.errstate(over="ignore"):
            cast = values.astype(wanted)
        if wanted == np.float16 and not np.isfinite(cast).all() and np.isfinite(values).all():
            got = f"{values.min():g} to {values.max():g}"
            raise CodecError(f"expected values that float16 holds, got {got}; choose dtype='float32'")
        return cast


def _white(dtype: np.dtype[Any], why: str) -> float:
    white = _WHITE.get(dtype.name)
    if white is None:
        do = "normalize='minmax' goes by the values of each scan, dtype='float32' keeps them"
        raise CodecError(f"expected 8 or 16 bits without sign for {why}, got {dtype}; {do}")
    return white


def _whole(array: Array, wanted: np.dtype[Any]) -> Array:
    """Another bit depth: white stays white."""
    if array.dtype == wanted:
        return array
    white = _white(array.dtype, f"dtype={wanted.name!r}")
    if wanted == np.uint16:
        return array.astype(np.uint16) * np.uint16(257)
    return np.rint(array * (255.0 / white)).astype(np.uint8)


def _minmax(values: npt.NDArray[np.float32], axes: str, source: np.dtype[Any]) -> npt.NDArray[np.float32]:
    if axes.endswith("c") and values.shape[-1] in (3, 4) and axes.startswith("y"):
        do = "stretching each picture would undo its lighting: choose normalize='unit'"
        raise CodecError(f"expected scans or gray pictures for normalize='minmax', got colour; {do}")
    from imagemill.engine.colour_values import fitted, moved

    flat = values[..., None]
    made: npt.NDArray[np.float32] = moved(_STRETCH, fitted(_STRETCH, flat, source), flat)[..., 0]
    return made


def value_plan(dtype: str | None, normalize: str, *, standardized: bool, first: Picture) -> Values:
    """Decide the numbers of a dataset by what was asked for and its first picture.

    Parameters
    ----------
    dtype : str or None
        None: float32 where values are normalised or standardised, else the picture's own where it is 8 or 16
        bits without sign, else float32.
    normalize : str
    standardized : bool
        Whether statistics are to be applied to the pixels.
    first : Picture

    Raises
    ------
    InputError
        For unknown words, and whole numbers that are to be normalised.
    """
    if normalize not in get_args(Normalize):
        known = ", ".join(get_args(Normalize))
        raise InputError(f"expected normalize to be one of {known}, got {normalize!r}; choose one of these")
    if dtype is None:
        whole = normalize == "none" and not standardized and first.array.dtype.name in _WHITE
        dtype = first.array.dtype.name.replace("bool", "uint8") if whole else "float32"
    if dtype not in DTYPES:
        raise InputError(f"expected dtype to be one of {', '.join(DTYPES)}, got {dtype!r}; choose one of these")
    if dtype.startswith("u") and normalize != "none":
        do = "choose dtype='float32', or keep whole numbers and normalise when loading"
        raise InputError(f"expected a floating dtype for normalize={normalize!r}, got {dtype!r}; {do}")
    return Values(dtype, normalize)


def resized(picture: Picture, placing: Placing, *, compiled: bool = False) -> Array:
    """The pixels of a picture in its place in the frame, zero around it.

    Axes that shrink are averaged over the area that falls on each pixel; axes that grow are interpolated by cubic
    splines. Whole numbers are rounded and saturated.

    Parameters
    ----------
    picture : Picture
    placing : Placing
        For its spatial shape.
    compiled : bool
        Whether compiled code may be loaded for averages of pictures.

    Returns
    -------
    array
        Of the picture's type, or float64 where that is none of those that images have.

    Examples
    --------
    >>> from imagemill.verbs.prepare.common_frame import place
    >>> four = Picture(np.array([[0, 2, 4, 6]], np.uint8), "yx")
    >>> resized(four, place((1, 4), (1, 2), "stretch")).tolist()
    [[1, 5]]
    """
    array = _usual(picture.array)
    cut = tuple(slice(a, b) for a, b in zip(placing.start, placing.stop, strict=True))
    part = array[cut]
    lower = tuple(min(w, i) for w, i in zip(placing.window, placing.inner, strict=True))
    part = _shrunk(part, lower, compiled=compiled)
    if lower != placing.inner:
        part = _grown(part, picture.axes, placing.inner)
    if placing.inner == placing.frame:
        return np.ascontiguousarray(part)
    out = np.zeros((*placing.frame, *part.shape[len(placing.frame) :]), part.dtype)
    out[tuple(slice(b, b + i) for b, i in zip(placing.before, placing.inner, strict=True))] = part
    return out


def gaps_in(array: Array, placing: Placing) -> Array:
    """Where pixels in the frame are made of values that are not finite.

    Parameters
    ----------
    array : array of floating point
        The picture as it was read.
    placing : Placing
        For its spatial shape.

    Returns
    -------
    array of bool
        Of the shape that `resized` gives. An averaged pixel is one of them when any of its share is; where an axis
        grows, those whose nearest pixel is.

    Examples
    --------
    >>> from imagemill.verbs.prepare.common_frame import place
    >>> gaps_in(np.array([[0, np.nan, 4, 6]]), place((1, 4), (1, 2), "stretch")).tolist()
    [[True, False]]
    """
    cut = tuple(slice(a, b) for a, b in zip(placing.start, placing.stop, strict=True))
    lower = tuple(min(w, i) for w, i in zip(placing.window, placing.inner, strict=True))
    whole = _shrunk(np.isfinite(array[cut]).astype(np.float32), lower) > 1 - 1e-6
    for axis, (old, new) in enumerate(zip(lower, placing.inner, strict=True)):
        whole = np.take(whole, ((np.arange(new) + 0.5) * (old / new)).astype(np.int64), axis=axis)
    out = np.zeros((*placing.frame, *whole.shape[len(placing.frame) :]), bool)
    out[tuple(slice(b, b + i) for b, i in zip(placing.before, placing.inner, strict=True))] = ~whole
    return out


def _usual(array: Array) -> Array:
    name = array.dtype.name
    if name == "bool":
        return array.astype(np.uint8) * np.uint8(255)
    return array if name in ("uint8", "uint16", "int16", "float32", "float64") else array.astype(np.float64)


def _shrunk(part: Array, shape: tuple[int, ...], *, compiled: bool = False) -> Array:
    """Average each axis down to a length that is at most its own."""
    if part.shape[: len(shape)] == shape:
        return part
    if part.dtype.kind in "ui":
        return averaged(part, shape, compiled=compiled)
    channels = part.shape[len(shape)] if part.ndim > len(shape) else 1
    if len(shape) == 2 and channels <= 4:
        import cv2

        small = cv2.resize(np.ascontiguousarray(part), shape[::-1], interpolation=cv2.INTER_AREA)
        return small.reshape(*shape, *part.shape[2:])  # OpenCV drops a single channel
    values = part.astype(np.float64)
    for axis, length in enumerate(shape):
        if length < values.shape[axis]:
            values = _shrunk_axis(values, axis, length)
    return values.astype(part.dtype)


def _shrunk_axis(values: Array, axis: int, length: int) -> Array:
    """Average one axis down; as a sparse product, whose result does not depend on how many threads there are."""
    front = np.moveaxis(values, axis, 0)
    flat = np.ascontiguousarray(front).reshape(len(front), -1)
    made: Array = _areas(len(front), length) @ flat
    return np.moveaxis(made.reshape(length, *front.shape[1:]), 0, axis)


@lru_cache(maxsize=64)
def _areas(old: int, new: int) -> Any:
    """Share of each old pixel in each new one, sparse ``(new, old)``; rows sum to 1."""
    from scipy.sparse import csr_array

    edges = np.arange(new + 1) * (old / new)
    left = np.maximum(edges[:-1, None], np.arange(old))
    right = np.minimum(edges[1:, None], np.arange(1, old + 1))
    shares = np.maximum(right - left, 0.0)
    return csr_array(shares / shares.sum(axis=1, keepdims=True))


def _grown(part: Array, axes: str, shape: tuple[int, ...]) -> Array:
    """Interpolate to a larger frame; values stay within those of the picture's type."""
    from imagemill.engine.backends.cpu.choose import resample

    planes = part if axes.endswith("c") else part[..., np.newaxis]
    # As a pipeline with a Resize alone would, without loading all that can draw and plan.
    made: Array = resample(planes, (_enlarging(part.shape[: len(shape)], shape),), shape, order=3, border="nearest")
    return made.reshape(*shape, *part.shape[len(shape) :])


@lru_cache(maxsize=64)
def _enlarging(old: tuple[int, ...], new: tuple[int, ...]) -> Matrix:
    return Matrix(resize(np.array([old]), np.array([new]))[0])


def same_form(picture: Picture) -> Picture:
    """A picture without a channel axis of length one: gray is gray, however it is stored."""
    if picture.channels == 1:
        return replace(picture, array=picture.array[..., 0], axes=picture.axes.removesuffix("c"))
    return picture
