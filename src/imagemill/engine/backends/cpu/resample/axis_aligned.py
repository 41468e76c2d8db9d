"""Maps that scale axes apart: crop, resize, zoom and their flips, one axis after the other.

``cv2.resize`` serves whole-pixel windows; a window that starts between pixels gets tables of indices and
weights per axis, made here and summed by one compiled kernel. Both 2-D and 3-D, any number of channels.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.block_means import block_means, takes_blocks
from imagemill.engine.backends.cpu.resample.samplers import finish
from imagemill.engine.backends.cpu.resample.slices import paint
from imagemill.engine.backends.cpu.resample.splines import coefficient_dtype, coefficients
from imagemill.engine.backends.cpu.simd import weigh_rgb
from imagemill.engine.chains import AxisAligned, integer_index

Array = np.ndarray[Any, Any]
Floats = npt.NDArray[np.float64]
Table = tuple[npt.NDArray[np.int64], Floats, Floats]
"""Indices ``(m, taps)``, weights ``(m, taps)``, and the weight per sample that falls on the fill value."""

_CV2_LINEAR = frozenset(map(np.dtype, ("uint8", "uint16", "int16", "float32", "float64")))


def integer_window(aligned: AxisAligned, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> list[slice] | None:
    """The block of whole input pixels that the output's outer edges enclose, or None."""
    if len(in_shape) != 2 or aligned.perm != (0, 1) or min(aligned.scale) <= 0:
        return None
    block = []
    for scale, offset, n, m in zip(aligned.scale, aligned.offset, in_shape, out_shape, strict=True):
        start = offset + 0.5 - 0.5 * scale
        stop = start + scale * m
        low, high = round(start), round(stop)
        if abs(start - low) + abs(stop - high) > 1e-6 or low < 0 or high > n or high <= low:
            return None
        block.append(slice(low, high))
    return block


def cv2_exact(block: list[slice], in_shape: tuple[int, ...], out_shape: tuple[int, ...], border: str) -> bool:
    """Whether ``cv2.resize`` of the block alone shows what the whole image would.

    Enlarging reads half a pixel beyond the block, where cv2 repeats the block's edge: right only at the
    image's own edge, under a border that repeats it too.
    """
    for part, n, m in zip(block, in_shape, out_shape, strict=True):
        if m > part.stop - part.start and (part != slice(0, n) or border not in ("nearest", "reflect")):
            return False
    return max(*in_shape, *out_shape) < 32767


def cv2_resizes(dtype: np.dtype[Any], channels: int) -> bool:
    """Whether ``cv2.resize`` takes this kind of image."""
    return dtype in _CV2_LINEAR and channels <= 4


def resize_block(src: Array, block: list[slice], aligned: AxisAligned, out: Array, *, area: bool) -> None:
    """Resize whole pixels straight into ``out``, with OpenCV or as means of blocks of them."""
    part = src[block[0], block[1]]
    if area:
        factors = part.shape[0] // out.shape[0], part.shape[1] // out.shape[1]
        if takes_blocks(part.dtype, part.shape[2], factors):
            block_means(part, factors, out)
            paint(out, aligned.boxes)
            return
    target = out
    if out.shape[-1] == 1:
        part, target = part[..., 0], out[..., 0]
    how = cv2.INTER_AREA if area else cv2.INTER_LINEAR
    result = cv2.resize(part, (out.shape[1], out.shape[0]), dst=target, interpolation=how)
    if result is not target:
        target[...] = result
    paint(out, aligned.boxes)


class Separable:
    """Resampling axis by axis through weight tables, which are worked out for the first image and kept for others.

    Parameters
    ----------
    aligned : AxisAligned
    out_shape : tuple of int
    order : {0, 1, 3, 5}
    border : str
    factors : tuple of float per input axis, or None
        Axes with a factor above 1 are averaged by area.
    """

    __slots__ = ("_aligned", "_border", "_factors", "_found", "_order", "_out_shape", "_source_axis")

    def __init__(
        self,
        aligned: AxisAligned,
        out_shape: tuple[int, ...],
        order: int,
        border: str,
        factors: tuple[float, ...] | None,
    ) -> None:
        self._aligned, self._out_shape, self._order, self._border = aligned, out_shape, order, border
        self._factors = factors
        self._source_axis = [aligned.perm.index(axis) for axis in range(len(aligned.perm))]
        self._found: tuple[tuple[int, ...], np.dtype[Any], Taps] | None = None

    def run(self, src: Array, out: Array, fill: Floats) -> None:
        """Resample ``src``, ``(*shape, C)``, into ``out``; integers are rounded half to even and saturated.

        Parameters
        ----------
        src : array, ``(*shape, C)``
        out : array, ``(*out_shape, C)``
        fill : array, ``(C,)``
        """
        d = len(self._source_axis)
        work = src.transpose(*self._source_axis, d)
        dtype = coefficient_dtype(src.dtype)
        known = self._found
        if known is None or known[0] != work.shape or known[1] != dtype:
            area = self._area(work.shape)
            others = [o for o in range(d) if o not in area]
            if self._order > 1 and others:
                self._splines(work, area, others, fill, out, dtype)
                return
            tables = area | self._interpolating(work.shape, others, 0)
            known = self._found = work.shape, dtype, Taps.of(tables, work.shape, dtype)
        combine(work, known[2], fill, out)
        paint(out, self._aligned.boxes)

    def _area(self, shape: tuple[int, ...]) -> dict[int, Table]:
        aligned, area = self._aligned, {}
        for o, i in enumerate(self._source_axis):
            if self._factors is not None and self._factors[i] > 1.0:
                q = _places(aligned.scale[i], self._out_shape[o], aligned.offset[i])
                area[o] = area_taps(q, abs(float(aligned.scale[i])), shape[o], self._border)
        return area

    def _interpolating(self, shape: tuple[int, ...], axes: list[int], pad: int) -> dict[int, Table]:
        tables = {}
        for o in axes:
            i = self._source_axis[o]
            q = _places(self._aligned.scale[i], self._out_shape[o], self._aligned.offset[i] + pad)
            if self._order > 1 or len(q) != shape[o] or not np.array_equal(q, np.arange(len(q))):
                tables[o] = spline_taps(q, self._order, shape[o], self._border)
        return tables

    def _splines(
        self, work: Array, area: dict[int, Table], others: list[int], fill: Floats, out: Array, dtype: np.dtype[Any]
    ) -> None:
        # Area comes before interpolation, so that a spline is fitted to the pixels that are left.
        if area:
            small = tuple(self._out_shape[o] if o in area else n for o, n in enumerate(work.shape[:-1]))
            room = np.empty((*small, work.shape[-1]), dtype)
            work = combine(work, Taps.of(area, work.shape, dtype), fill, room)
        work, pad = coefficients(work, self._order, self._border, tuple(others), fill)
        tables = self._interpolating(work.shape, others, pad)
        combine(work, Taps.of(tables, work.shape, dtype), fill, out)
        paint(out, self._aligned.boxes)


def _places(scale: float, n: int, offset: float) -> Floats:
    return np.asarray(scale * np.arange(n) + offset, np.float64)


def spline_taps(q: Floats, order: int, n: int, border: str) -> Table:
    """Tables of B-spline interpolation at coordinates ``q`` of an axis of ``n`` pixels or coefficients."""
    if order == 0:
        index = integer_index(np.floor(q + 0.5).astype(np.int64)[:, None], n, border)
        weights = np.ones_like(index, np.float64)
    else:
        if border == "nearest":
            q = np.clip(q, 0.0, n - 1.0)
        low = np.floor(q)
        taps = np.arange(order + 1)
        index = integer_index(low.astype(np.int64)[:, None] - order // 2 + taps, n, border)
        weights = spline_weights(q - low, order)
    return _fold_lost(index, weights)


def spline_weights(fraction: Floats, order: int) -> Floats:
    """What the pixels about a place count in a B-spline, ``(n, order + 1)``, the leftmost first.

    Parameters
    ----------
    fraction : array, ``(n,)``
        How far a place is from the pixel at or before it, below 1.
    order : int

    Notes
    -----
    Source: de Boor (1972), "On calculating with B-splines", Journal of Approximation Theory 6(1), for knots at whole
    numbers: each degree is a blend of the one before.

    Examples
    --------
    >>> spline_weights(np.array([0.0, 0.5]), 3).round(4).tolist()
    [[0.1667, 0.6667, 0.1667, 0.0], [0.0208, 0.4792, 0.4792, 0.0208]]
    """
    weights = np.zeros((len(fraction), order + 1))
    weights[:, 0] = 1.0
    for degree in range(1, order + 1):
        moved = weights[:, :degree] * ((fraction[:, None] + (degree - 1 - np.arange(degree))) / degree)
        weights[:, :degree] -= moved
        weights[:, 1 : degree + 1] += moved
    return weights


def area_taps(q: Floats, width: float, n: int, border: str) -> Table:
    """Tables of box averages of ``width`` pixels about coordinates ``q``."""
    low = q - width / 2
    pixel = np.floor(low + 0.5).astype(np.int64)[:, None] + np.arange(int(np.ceil(width)) + 1)
    overlap = np.minimum(pixel + 0.5, (low + width)[:, None]) - np.maximum(pixel - 0.5, low[:, None])
    return _fold_lost(integer_index(pixel, n, border), np.maximum(overlap, 0.0) / width)


def _fold_lost(index: npt.NDArray[np.int64], weights: Floats) -> Table:
    lost = np.where(index < 0, weights, 0.0)
    return np.maximum(index, 0), weights - lost, lost.sum(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """Tables as the compiled kernel reads them.

    Parameters
    ----------
    cut : tuple of slice
        The part of the source that is read.
    along : three triples of arrays
        Indices, weights and what falls on the fill value, for z, y and x; empty where an axis stays as it is.
    """

    cut: tuple[slice, ...]
    along: tuple[tuple[Array, Array, Array], ...]

    @classmethod
    def of(cls, tables: dict[int, Table], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Taps:
        """Of a table per axis, for a source ``(*shape, C)``; sums are of ``dtype``."""
        d = len(shape) - 1
        low, cut = [0] * d, [slice(None)] * d
        for axis, (index, _, _) in tables.items():
            if index.size:
                low[axis] = int(index.min())
                cut[axis] = slice(low[axis], int(index.max()) + 1)
        listed = [*[None] * (3 - d), *(tables.get(axis) for axis in range(d))]
        bases = [*[0] * (3 - d), *low]
        return cls(tuple(cut), tuple(_settled(t, base, dtype) for t, base in zip(listed, bases, strict=True)))


def combine(work: Array, taps: Taps, fill: Floats, out: Array) -> Array:
    """All tables applied to ``work`` ``(*shape, C)`` in one go; ``out``, C-contiguous, is written and returned."""
    if out.size == 0:
        return out
    d = work.ndim - 1
    part = np.ascontiguousarray(work[taps.cut])
    channels = part.shape[d]
    lines = part.reshape(-1, part.shape[d - 2], part.shape[d - 1] * channels)
    z, y, x = taps.along
    dtype = z[1].dtype
    limits = (1.0, -1.0)
    if out.dtype.kind != "f":
        limits = float(np.iinfo(out.dtype).min), float(np.iinfo(out.dtype).max)
    width = lines.shape[2]
    # A number more than a row has: pixels of three values are read, and written, as vectors of four.
    room = (
        np.empty((lines.shape[1] if len(z[0]) else 0, width), dtype),
        np.empty(width + 1, dtype),
        np.empty((1, out.shape[d - 1] * channels + 1), dtype),
    )
    flat = out.reshape(-1, out.shape[d - 2], out.shape[d - 1] * channels)
    # Kernels read what they are given, but are compiled once more for a read-only array.
    source = lines if lines.flags.writeable else lines.copy()
    combine_rows(
        source, z, y, x, fill.astype(dtype), np.tile(fill, width // channels).astype(dtype), limits, flat, room
    )
    return out


def _settled(table: Table | None, low: int, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """A table over the part that is read; an empty one leaves its axis alone."""
    if table is None:
        return np.empty((0, 1), np.int64), np.empty((0, 1), dtype), np.empty(0, dtype)
    index, weights, lost = table
    return np.ascontiguousarray(index - low), np.ascontiguousarray(weights, dtype), np.ascontiguousarray(lost, dtype)


@compiled
def combine_rows(src, along_z, along_y, along_x, fill, filled, limits, out, room):
    """Planes, then rows, then samples: the first two in long loops over what lies side by side.

    ``src`` and ``out`` are ``(z, y, x * channels)``.
    """
    plane, wide, acc = room
    low, high = limits
    deep = len(along_z[0]) > 0
    size = out.shape[2]
    row = wide[: len(wide) - 1]
    flat = out.reshape(-1)
    o = 0
    for z in range(out.shape[0]):
        if deep:
            # Whole planes as lines: views of one row of each would have strides that the compiler does not know.
            _sum_lines(src.reshape(src.shape[0], -1), along_z, z, filled, plane.reshape(-1))
        for y in range(out.shape[1]):
            if deep:
                _one_row(plane, along_y, y, filled, row)
            else:
                _one_row(src[z], along_y, y, filled, row)
            if len(along_x[0]) > 0:
                _sum_samples(wide, along_x, fill, acc[0])
            else:
                for k in range(size):
                    acc[0, k] = row[k]
            finish(acc, size, low, high, flat, o)
            o += size


@compiled.part
def _one_row(lines, table, y, filled, out):
    if len(table[0]) > 0:
        _sum_lines(lines, table, y, filled, out)
    else:
        line = lines[y]
        for b in range(len(out)):
            out[b] = line[b]


@compiled.part
def _sum_lines(lines, table, m, filled, out):
    """``out = sum_t weights[m, t] * lines[index[m, t]] + lost[m] * filled``, two taps at a time."""
    index, weights, lost = table
    real = out.dtype.type
    taps = index.shape[1]
    n = len(out)
    one = lines[index[m, 0]]
    w0 = weights[m, 0]
    if taps == 1:
        for b in range(n):
            out[b] = w0 * real(one[b])
    else:
        two = lines[index[m, 1]]
        w1 = weights[m, 1]
        for b in range(n):
            out[b] = w0 * real(one[b]) + w1 * real(two[b])
    for t in range(2, taps, 2):
        one = lines[index[m, t]]
        w0 = weights[m, t]
        if t + 1 < taps:
            two = lines[index[m, t + 1]]
            w1 = weights[m, t + 1]
            for b in range(n):
                out[b] += w0 * real(one[b]) + w1 * real(two[b])
        elif w0 != 0.0:
            for b in range(n):
                out[b] += w0 * real(one[b])
    if lost[m] != 0.0:
        # A line of several rows; what lies beyond is given for one.
        for first in range(0, n, len(filled)):
            for b in range(len(filled)):
                out[first + b] += lost[m] * filled[b]


@compiled.part
def _sum_samples(row, table, fill, out):
    index, weights, lost = table
    taps = index.shape[1]
    channels = len(fill)
    if channels == 1 and taps == 2:
        for x in range(len(lost)):
            a, b = row[np.uintp(index[x, 0])], row[np.uintp(index[x, 1])]
            out[x] = weights[x, 0] * a + weights[x, 1] * b + lost[x] * fill[0]
    elif channels == 3:
        for x in range(len(lost)):
            weigh_rgb(row, index, weights, x, out)
            if lost[x] != 0.0:
                for c in range(3):
                    out[3 * x + c] += lost[x] * fill[c]
    else:
        for x in range(len(lost)):
            for c in range(channels):
                total = lost[x] * fill[c]
                for t in range(taps):
                    total += weights[x, t] * row[np.uintp(index[x, t] * channels + c)]
                out[x * channels + c] = total


def write(work: Array, out: Array) -> None:
    """Copy float samples into ``out``; integers are rounded half to even and saturated."""
    if out.dtype.kind == "f":
        out[...] = work
    else:
        bounds = np.iinfo(out.dtype)
        np.copyto(out, np.clip(np.rint(work), bounds.min, bounds.max), casting="unsafe")
