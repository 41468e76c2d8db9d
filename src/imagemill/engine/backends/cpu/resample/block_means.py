"""Means over blocks of whole pixels, of pictures of bytes: what OpenCV's area filter gives, by vectors.

The rows of a block are added first, over bytes that lie side by side, then the pixels along the line of sums. All
sums are whole numbers, in 16 bits where they fit.
"""

# Vector code is written for a type, so the arguments of intrinsics have no one type to declare.
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba.core import cgutils
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.simd import bytes_at, pointers
from imagemill.engine.chains import integer_index

__all__ = ["block_means", "takes_blocks"]

Array = np.ndarray[Any, Any]

_LANES = 4
"""Numbers that are read for a pixel of three values or four."""
_CHANNELS = (1, 3, 4)
_MOST = 1 << 16
"""Pixels of a block: sums of more would leave the whole numbers that single precision holds."""


def takes_blocks(dtype: np.dtype[Any], channels: int, factors: tuple[int, ...]) -> bool:
    """Whether blocks of these sides are averaged here; OpenCV has vectors of its own for 2x2."""
    fit = len(factors) == 2 and factors != (2, 2) and factors[0] * factors[1] <= _MOST
    return bool(dtype == np.uint8 and channels in _CHANNELS and fit)


def block_means(
    src: Array,
    factors: tuple[int, int],
    out: Array | None = None,
    *,
    border: str = "nearest",
    fill: npt.ArrayLike = 0.0,
) -> Array:
    """Means over blocks of whole pixels; what the border shows fills up the last ones.

    Parameters
    ----------
    src : array of uint8 ``(y, x, C)``
        Of 1, 3 or 4 channels.
    factors : tuple of int
        Sides of a block.
    out : array of uint8, C-contiguous, optional
        Written and returned.
    border : str
    fill : float or ``(C,)``

    Returns
    -------
    array of uint8 ``(blocks down, blocks along, C)``
        Halves are rounded to even where the share of a pixel is exact in single precision, as OpenCV rounds them.

    Examples
    --------
    >>> block_means(np.arange(10, dtype=np.uint8).reshape(1, 10, 1), (1, 4))[0, :, 0].tolist()
    [2, 6, 9]
    """
    (height, width, channels), (down, along) = src.shape, factors
    pitch = src.strides[0]
    if src.strides[1:] != (channels, 1) or pitch < channels * width:
        src, pitch = np.ascontiguousarray(src), channels * width
    if out is None:
        out = np.empty((-(-height // down), -(-width // along), channels), np.uint8)
    filled = np.clip(np.rint(np.broadcast_to(fill, channels)), 0, 255).astype(np.uint8)
    line = np.empty(out.shape[1] * along * channels + _LANES, np.uint16 if 255 * down * along < 1 << 16 else np.uint32)
    sums = np.empty(out.shape[1] * channels + _LANES, line.dtype)
    _means(
        src.__array_interface__["data"][0], pitch, (height, width, channels), factors,
        _folded(height, out.shape[0] * down, border), _folded(width, out.shape[1] * along, border),
        filled, line, sums, out.reshape(-1),
    )  # fmt: skip
    return out


@lru_cache(maxsize=256)
def _folded(size: int, whole: int, border: str) -> Array:
    """Which pixels the border shows behind the last one, up to whole blocks; -1 for the fill value."""
    return integer_index(np.arange(size, whole), size, border)


@compiled
def _means(address, pitch, size, factors, below, beside, fill, line, sums, out):
    """Rows down into a line of sums, the line along, and one product a mean."""
    height, width, channels = size
    down, along = factors
    values, made = channels * width, sums.size - _LANES
    # By its address, since a picture may lie within another, and as one array of bytes.
    src = bytes_at(address, (height - 1) * pitch + values)
    share = np.float32(1.0 / (down * along))
    o = 0
    for y in range(out.size // made):
        first = y * down
        whole = min(down, height - first)
        _set(src, first * pitch, pitch, whole, values, line)
        for t in range(whole, down):
            row = below[first + t - height]
            if row >= 0:
                _add(src, row * pitch, values, line)
            else:
                for x in range(values):
                    line[x] += fill[x % channels]
        if beside.size > 0:
            _beyond(line, values, beside, channels, fill, down)
        if channels == 1:
            _numbers(line, along, made, sums)
        else:
            _pixels(line, along, channels, made, sums)
        for x in range(np.uintp(made)):
            # By way of 32 bits, of which there are instructions for both conversions.
            out[np.uintp(o) + x] = np.uint8(np.int32(np.rint(np.float32(np.int32(sums[x])) * share)))
        o += made


@compiled.part
def _set(src, at, pitch, rows, count, line):
    """The sum of the first rows of a block that the picture has."""
    n, p, q = np.uintp(count), np.uintp(at), np.uintp(at + pitch)
    if rows == 1:
        for x in range(n):
            line[x] = src[p + x]
        return
    kind = line.dtype.type
    for x in range(n):
        line[x] = kind(src[p + x]) + kind(src[q + x])
    for t in range(2, rows):
        _add(src, at + t * pitch, count, line)


@compiled.part
def _add(src, at, count, line):
    p = np.uintp(at)
    for x in range(np.uintp(count)):
        line[x] += src[p + x]


@compiled.part
def _beyond(line, values, beside, channels, fill, down):
    """What the border shows beside the line: sums of the same rows."""
    for k in range(beside.size):
        for c in range(channels):
            one = down * fill[c]
            if beside[k] >= 0:
                one = line[beside[k] * channels + c]
            line[values + k * channels + c] = one


@compiled.part
def _numbers(line, along, count, sums):
    """One channel. Steps that are written out are read as vectors."""
    n, kind = np.uintp(count), line.dtype.type
    if along == 1:
        for x in range(n):
            sums[x] = line[x]
    elif along == 2:
        for x in range(n):
            p = np.uintp(2) * x
            sums[x] = line[p] + line[p + np.uintp(1)]
    elif along == 3:
        for x in range(n):
            p = np.uintp(3) * x
            sums[x] = line[p] + line[p + np.uintp(1)] + line[p + np.uintp(2)]
    elif along == 4:
        for x in range(n):
            p = np.uintp(4) * x
            sums[x] = line[p] + line[p + np.uintp(1)] + line[p + np.uintp(2)] + line[p + np.uintp(3)]
    else:
        for x in range(n):
            p = x * np.uintp(along)
            total = kind(0)
            for t in range(np.uintp(along)):
                total += line[p + t]
            sums[x] = total


@compiled.part
def _pixels(line, along, channels, count, sums):
    """Three channels or four."""
    one, taps = np.uintp(channels), np.uintp(along)
    step = one * taps
    columns = np.uintp(count // channels)
    if along == 1:
        for x in range(np.uintp(count)):
            sums[x] = line[x]
    elif along == 2:
        for x in range(columns):
            _two(line, x * step, one, taps, sums, x * one)
    elif along == 3:
        for x in range(columns):
            _three(line, x * step, one, taps, sums, x * one)
    elif along == 4:
        for x in range(columns):
            _four(line, x * step, one, taps, sums, x * one)
    else:
        for x in range(columns):
            _any(line, x * step, one, taps, sums, x * one)


def _summed(count: int) -> Any:
    """The sum of ``count`` neighbouring pixels; of any number where it is 0."""

    @intrinsic
    def emitted(typing, line, at, step, taps, out, o):
        del typing
        signature = numba.types.void(line, at, step, taps, out, o)

        def generate(context, builder, signature, arguments):
            pixels, target = pointers(context, builder, signature, arguments, (0, 4))
            at, step, taps, _, o = arguments[1:]
            kind = signature.args[0].dtype
            four, size = ir.VectorType(context.get_value_type(kind), _LANES), kind.bitwidth // 8

            def load(tap):
                place = builder.gep(pixels, [builder.add(at, builder.mul(tap, step))])
                return builder.load(builder.bitcast(place, four.as_pointer()), align=size)

            if count:
                total = load(ir.Constant(taps.type, 0))
                for tap in range(1, count):
                    total = builder.add(total, load(ir.Constant(taps.type, tap)))
            else:
                sums = cgutils.alloca_once_value(builder, ir.Constant(four, [0] * _LANES))
                with cgutils.for_range(builder, taps) as loop:
                    builder.store(builder.add(builder.load(sums), load(loop.index)), sums)
                total = builder.load(sums)
            builder.store(total, builder.bitcast(builder.gep(target, [o]), four.as_pointer()), align=size)
            return context.get_dummy_value()

        return signature, generate

    return emitted


def _summed_plain(line, at, step, taps, out, o):
    for c in range(_LANES):
        out[o + c] = sum(line[int(at) + int(step) * t + c] for t in range(int(taps)))


_PLAIN = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]  # set at run time
_any, _two, _three, _four = (_summed_plain if _PLAIN else _summed(count) for count in (0, 2, 3, 4))
"""``(line, at, step, taps, out, o)``: the sum of the pixels ``at``, ``at + step`` and so on, ``taps`` of them, into
``out[o : o + 4]``. A pixel of three values has one number less than is read and written."""
