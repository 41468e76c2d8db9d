"""Colour photos of 8 bits: one affine map, then colour, for any number of photos in one compiled call.

Which passes and samples go this way, and what they are in numbers; :mod:`photo_kernels` does the work. Photos are
handed over by their address: they may lie anywhere and have any size, and Python is paid once for all of them.
"""

from __future__ import annotations

import math
import threading
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.engine import colour_values as values
from imagemill.engine.backends.cpu.batches.level_windows import boxed
from imagemill.engine.backends.cpu.batches.photo_kernels import run
from imagemill.engine.backends.cpu.batches.small import LIMIT
from imagemill.engine.backends.cpu.colour.mix import mixing
from imagemill.engine.backends.protocol import Rasters
from imagemill.engine.chains import BORDERS, fill_vector
from imagemill.engine.plan import Colour, Matrices, Pass, Resample, kept, once
from imagemill.engine.sampling import SHRINK_LIMIT

Array = np.ndarray[Any, Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

OUT = (np.dtype(np.uint8), np.dtype(np.float32))
_TINY = 1e-9
"""What the end of a crop may be off the edge of the picture by rounding."""
_FARTHEST = 2.0**20
"""Sides and offsets beyond this would not be exact in the kernel's 64-bit places and float32 fractions."""


class _Rooms(threading.local):
    """Scratch memory of one thread, as large as the largest photo it made."""

    def __init__(self) -> None:
        self.room = np.empty(0, np.float32)

    def of(self, size: int) -> Array:
        if len(self.room) < size:
            self.room = np.empty(size, np.float32)
        return self.room


_ROOMS = _Rooms()


class _Geometry(NamedTuple):
    """Maps of a batch, a row for each sample.

    Parameters
    ----------
    pull : array, ``[n, 2, 3]``
    small, large : array of bool, ``[n]``
        Which samples go this way, where pictures are small and where they are not: then not what only moves.
    boxes : array of int, ``[n, 4]``, or None
        What is shown of the result where there are windows, and what lies beyond.
    """

    pull: Floats
    small: Bools
    large: Bools
    boxes: Ints | None = None
    beyond: float | tuple[float, ...] = 0.0


_LAST = np.array([0.0, 0.0, 1.0])
ONE = np.ones(1, bool)
"""That a photo is known to go this way."""
_PLAIN = np.concatenate(
    [np.eye(3).ravel(), np.zeros(3), [-np.inf, np.inf], np.ones(3), np.zeros(3), [0, 255], np.zeros(9)]
)


@kept
def _maps(step: Resample) -> _Geometry | None:
    """The maps of a batch; None where none of its samples goes this way."""
    sampling = step.sampling
    if sampling.order not in (None, 1):
        return None
    if len(step.links) != 1 or not isinstance(step.links[0], Matrices):
        return _through_windows(step)
    m = step.links[0].m
    if m.shape[-1] != 3:
        return None
    if m.strides[0] == 0:
        return _map_of_all(m, step)
    pull = np.ascontiguousarray(m[:, :2])
    size = np.abs(pull)
    every = np.logical_and.reduce
    plain = every(m[:, 2] == _LAST, axis=1) & (np.maximum.reduce(size, axis=(1, 2)) < _FARTHEST)
    linear = size[:, :, :2]
    if sampling.antialias:
        enough = every(np.add.reduce(linear * linear, axis=2) <= SHRINK_LIMIT**2, axis=1)
        plain &= enough if enough.all() else enough | _averages(step, pull)
    moves = (np.add.reduce(linear, axis=(1, 2)) == 2.0) & every(pull == np.rint(pull), axis=(1, 2))
    return _Geometry(pull, plain, plain & ~moves)


def _through_windows(step: Resample) -> _Geometry | None:
    """The same for what was padded, where rows stay rows and edges are repeated. Small pictures have their own way."""
    (sizes,) = once(step.in_shape)
    if (step.sampling.border or "nearest") != "nearest" or (sizes[:, 0] * sizes[:, -1] <= LIMIT).any():
        return None
    found = boxed(step, _FARTHEST)
    return None if found is None else _Geometry(found.pull, found.taken, found.taken, found.boxes, found.fill)


def _averages(step: Resample, pull: Floats) -> Bools:
    """Which maps keep rows and cover pixels of the picture alone, or the nearest of them: those the kernel averages."""
    scale, offset = pull[:, (0, 1), (0, 1)], pull[:, :, 2]
    ends = np.stack([offset, offset + scale * (step.shape - 1)])
    reach = 0.5 * np.abs(scale)
    within = (ends.min(axis=0) - reach >= -0.5 - _TINY) & (ends.max(axis=0) + reach <= step.in_shape - 0.5 + _TINY)
    level = (pull[:, 0, 1] == 0.0) & (pull[:, 1, 0] == 0.0)
    return np.asarray(level & (within.all(axis=1) | ((step.sampling.border or "nearest") == "nearest")))


def _map_of_all(m: Floats, step: Resample) -> _Geometry:
    """The same where all rows are one, in plain numbers: this runs for each photo of another size than the last."""
    first, second, last = m[0].tolist()
    plain = last == [0.0, 0.0, 1.0] and all(abs(number) < _FARTHEST for number in first + second)
    (a, b, _), (c, d, _) = first, second
    if step.sampling.antialias and max(a * a + b * b, c * c + d * d) > SHRINK_LIMIT**2:
        near = (step.sampling.border or "nearest") == "nearest"
        sizes = zip(step.shape[0].tolist(), step.in_shape[0].tolist(), strict=True)
        along = zip((a, d), (first[2], second[2]), sizes, strict=True)
        plain &= b == 0.0 and c == 0.0 and (near or all(_within(s, o, *lengths) for s, o, lengths in along))
    moves = abs(a) + abs(b) + abs(c) + abs(d) == 2.0 and all(map(float.is_integer, first + second))
    n = len(m)
    return _Geometry(m[:, :2], _flags(plain, n), _flags(plain and not moves, n))


def _within(scale: float, offset: float, count: int, n: int) -> bool:
    """Whether places along an axis of ``n`` pixels cover no more than these."""
    ends, reach = (offset, offset + scale * (count - 1)), 0.5 * abs(scale)
    return min(ends) - reach >= -0.5 - _TINY and max(ends) + reach <= n - 0.5 + _TINY


@lru_cache(maxsize=64)
def _flags(value: bool, n: int) -> Bools:  # noqa: FBT001  # kept by position
    return np.full(n, value)


@kept
def _numbers(colour: Colour) -> tuple[Floats, Bools] | None:
    """Matrix, offset, limits, gain and offset, final limits, pivot, ``[n, 31]``; and which samples are this simple.

    The first 22 as :func:`imagemill.engine.backends.cpu.colour.mix_loops.packed` has them.
    """
    mix = mixing(colour) if colour.dtype in OUT else None
    if mix is None or mix.a.shape[1] != 3:
        return None
    n = len(mix.a)
    found = np.zeros((n, 31))
    found[:, :9], found[:, 9:12] = mix.a.reshape(n, 9), mix.b
    found[:, 12], found[:, 13] = mix.low, mix.high
    found[:, 14:17], found[:, 17:20] = mix.a2.diagonal(axis1=1, axis2=2), mix.b2
    found[:, 20:22] = values.max_range(colour.dtype) if colour.dtype.kind == "u" else (-math.inf, math.inf)
    if mix.pivot is not None:
        found[:, 22:] = mix.pivot.reshape(n, 9)
    return found, mix.scales


def may(step: Pass, dtype: np.dtype[Any], channels: int) -> bool:
    """Whether there may be samples of a pass that go this way."""
    if step.resample is None or dtype != np.uint8 or channels != 3 or _maps(step.resample) is None:
        return False
    return step.colour is None or _numbers(step.colour) is not None


def takes(step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> bool:
    """Whether a sample goes this way."""
    # As `_chosen`, in plain numbers: this runs once for each photo of a folder.
    if len(in_shape) != 2 or step.resample is None or dtype != np.uint8 or channels != 3:
        return False
    found = _maps(step.resample)
    if found is None or min(in_shape) < 4 or max(in_shape) > _FARTHEST:
        return False
    if not (found.small if in_shape[0] * in_shape[1] <= LIMIT else found.large)[row]:
        return False
    if step.colour is None:
        return True
    mixed = _numbers(step.colour)
    return mixed is not None and bool(mixed[1][row])


def _chosen(step: Pass, rows: slice, sizes: Ints) -> Bools:
    """Which samples go this way. Pixels that only move are exact here too, but quicker as slices unless few."""
    assert step.resample is not None
    found = _maps(step.resample)
    assert found is not None
    chosen = np.where(sizes[:, 0] * sizes[:, 1] <= LIMIT, found.small[rows], found.large[rows])
    chosen &= (sizes >= 4).all(axis=1) & (sizes <= _FARTHEST).all(axis=1)
    if step.colour is None:
        return chosen
    mixed = _numbers(step.colour)
    assert mixed is not None
    return chosen & mixed[1][rows]


def image(step: Pass, row: int, src: Array, out: Array) -> bool:
    """Run one photo that :func:`takes` this way; False where ``out`` has other strides than it fills.

    Parameters
    ----------
    step : Pass
    row : int
    src : array ``(y, x, 3)``
    out : array ``(y, x, 3)``
    """
    planes = out.transpose(2, 0, 1)
    apart = planes.flags.c_contiguous
    if not apart and not out.flags.c_contiguous:
        return False
    assert step.resample is not None
    geometry = _maps(step.resample)
    assert geometry is not None
    mixed = None if step.colour is None else _numbers(step.colour)
    numbers = _PLAIN[None] if mixed is None else mixed[0][row : row + 1]
    sampling, kept = step.resample.sampling, src if src.flags.c_contiguous else np.ascontiguousarray(src)
    address = np.array([kept.__array_interface__["data"][0]], np.uintp)
    boxes = _whole(out.shape[:2], 1) if geometry.boxes is None else geometry.boxes[row : row + 1]
    run(
        address, np.array([kept.shape[:2]], np.int64), geometry.pull[row : row + 1], ONE,
        BORDERS[sampling.border or "nearest"], _three_values(sampling.fill), boxes, _three_in_range(geometry.beyond),
        sampling.antialias, out.shape[:2], numbers,
        planes.reshape(1, 3, -1) if apart else out.reshape(1, -1), _ROOMS.of(out.size + 24),
    )  # fmt: skip
    return True


@lru_cache(maxsize=64)
def _three_values(fill: float | tuple[float, ...]) -> tuple[float, float, float]:
    first, second, third = fill_vector(fill, 3).tolist()
    return first, second, third


@lru_cache(maxsize=64)
def _three_in_range(fill: float | tuple[float, ...]) -> tuple[float, float, float]:
    """What stands beyond a window. A picture stays in its range, though a fill may lie beyond."""
    first, second, third = np.clip(fill_vector(fill, 3), 0.0, 255.0).tolist()
    return first, second, third


@lru_cache(maxsize=64)
def _whole(shape: tuple[int, int], n: int) -> Ints:
    """Boxes of ``n`` samples that show all of them."""
    return np.tile(np.array([0, shape[0], 0, shape[1]], np.int64), (n, 1))


def images(step: Pass, rows: slice, src: Rasters, out: Array) -> list[int] | None:
    """Run those of many samples that :func:`takes` this way, in one call.

    Parameters
    ----------
    step : Pass
        For which there :func:`may` be any.
    rows : slice
        Samples of the batch, as many as ``src`` holds.
    src : arrays ``(y, x, 3)``
        Of any sizes.
    out : array, ``(k, y, x, 3)``

    Returns
    -------
    list of int or None
        Positions within ``rows`` that are left to other kernels; None where ``out`` has other strides than it fills.
    """
    assert step.resample is not None
    kept_alive, addresses, sizes = _places(src)
    if len(sizes) != len(out):
        raise InputError(f"expected room for {len(sizes)} photos, got room for {len(out)}")
    planes = out.transpose(0, 3, 1, 2)
    apart = planes.flags.c_contiguous
    if not apart and not out.flags.c_contiguous:
        return None
    chosen = _chosen(step, rows, sizes)
    geometry = _maps(step.resample)
    assert geometry is not None
    mixed = None if step.colour is None else _numbers(step.colour)
    numbers = np.tile(_PLAIN, (len(sizes), 1)) if mixed is None else mixed[0][rows]
    sampling = step.resample.sampling
    boxes = _whole(out.shape[1:3], len(out)) if geometry.boxes is None else geometry.boxes[rows]
    run(
        addresses, sizes, geometry.pull[rows], chosen, BORDERS[sampling.border or "nearest"],
        _three_values(sampling.fill), boxes, _three_in_range(geometry.beyond), sampling.antialias,
        out.shape[1:3], numbers, planes.reshape(len(out), 3, -1) if apart else out.reshape(len(out), -1),
        _ROOMS.of(out[0].size + 24),
    )  # fmt: skip
    del kept_alive  # not before: nothing else may hold the memory that was read
    return np.flatnonzero(~chosen).tolist()


def _places(src: Rasters) -> tuple[Any, npt.NDArray[np.uintp], Ints]:
    """Where samples lie in memory, and their heights and widths; first of all, what must be kept while they are read.

    Addresses, as an array that may not be written to would be a type of its own for the compiler, and those of several
    sizes are no array.
    """
    if isinstance(src, np.ndarray):
        kept: Any = src if src[0].flags.c_contiguous else np.ascontiguousarray(src)
        # Signed until they are addresses: of a batch that was reversed each sample lies in front of the one before it.
        addresses = kept.__array_interface__["data"][0] + kept.strides[0] * np.arange(len(kept), dtype=np.int64)
        return kept, addresses.astype(np.uintp), np.tile(np.array(kept.shape[1:3], np.int64), (len(kept), 1))
    # Whoever is handed an address cannot see what is there.
    strange = [one for one in src if one.dtype != np.uint8 or one.ndim != 3 or one.shape[2] != 3]
    if strange:
        got = f"{strange[0].dtype} of shape {strange[0].shape}"
        raise InputError(f"expected colour photos (y, x, 3) of uint8 only, got {got}; pass others on their own")
    kept = [one if one.flags.c_contiguous else np.ascontiguousarray(one) for one in src]
    places = [one.__array_interface__["data"][0] for one in kept]
    return kept, np.array(places, np.uintp), np.array([one.shape[:2] for one in kept], np.int64)
