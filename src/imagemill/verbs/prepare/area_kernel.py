"""Exact averages over areas, compiled, for pictures of a few channels."""

# Vector code is written for a type, so the arguments of intrinsics have no one type to declare.
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numba.core import cgutils
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

from imagemill.core.targets import Array
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.simd import bytes_at, pointers

__all__ = ["averaged_photo", "averaged_pictures"]

_LANES = 4
"""Numbers that are read for a pixel of three values."""


def averaged_photo(values: Array, shape: tuple[int, int]) -> Array:
    """Average a photo of three channels of bytes, or a part of one where it lies; as :func:`averaged_pictures`.

    Parameters
    ----------
    values : array of uint8 ``(y, x, 3)``
        Of at most 16,843,009 pixels, so that all sums are below 2**32.
    shape : tuple of int

    Examples
    --------
    >>> averaged_photo(np.arange(36, dtype=np.uint8).reshape(3, 4, 3)[:, 1:], (1, 1)).tolist()
    [[[18, 19, 20]]]
    """
    (height, width), pitch = values.shape[:2], values.strides[0]
    if values.strides[1:] != (3, 1) or pitch < 3 * width:
        values, pitch = np.ascontiguousarray(values), 3 * width
    out = np.empty((*shape, 3), np.uint8)
    first, units = _spans(height, shape[0])
    at, shares = _columns(width, shape[1])
    _averaged(values.__array_interface__["data"][0], pitch, (height, width), first, units, at, shares, out)
    return out


@lru_cache(maxsize=256)
def _spans(old: int, new: int) -> tuple[Array, Array]:
    """Where the pixels begin that each output pixel spans, and how many units of each of them are inside.

    Examples
    --------
    >>> first, units = _spans(5, 2)
    >>> first.tolist(), units.tolist()
    ([0, 2], [[2, 2, 1], [1, 2, 2]])
    """
    begin = np.arange(new) * old
    first = begin // new
    taps = int(((begin + old - 1) // new - first).max()) + 1
    pixel = first[:, None] + np.arange(max(taps, 2))
    units = np.minimum((pixel + 1) * new, begin[:, None] + old) - np.maximum(pixel * new, begin[:, None])
    return first, np.maximum(units, 0).astype(np.uint32)


@lru_cache(maxsize=256)
def _columns(old: int, new: int) -> tuple[Array, Array]:
    """The same for columns of three values, each unit in all lanes."""
    first, units = _spans(old, new)
    return (3 * first).astype(np.uintp), np.repeat(units, _LANES, axis=1)


@compiled
def _averaged(address, pitch, size, first, units, at, shares, out):
    """Rows down into a line of sums, and the line along: whole numbers, many at a time, divided once."""
    height, width = size[0], 3 * size[1]
    # By its address, since a photo may lie within another, and as one array of bytes.
    src = bytes_at(address, (height - 1) * pitch + width)
    made = out.reshape(-1)
    taps = shares.shape[1] // _LANES
    # Columns that span fewer pixels than others count the further ones as nothing, beyond the line too.
    row, sums = np.zeros(width + 3 * taps + 1, np.uint32), np.empty(3 * at.size + 1, np.uint32)
    line = row[:width]
    for y in range(first.size):
        begin = first[y] * pitch
        upper = src[begin : begin + width]
        # The last row of a span that is shorter than others may be none of the photo's.
        if units[y, 1] > 0:
            begin += pitch
        _set(upper, units[y, 0], src[begin : begin + width], units[y, 1], line)
        for t in range(2, units.shape[1]):
            if units[y, t] > 0:
                begin += pitch
                _add(src[begin : begin + width], units[y, t], line)
        if taps == 2:
            for x in range(at.size):
                _two(row, at, shares, x, taps, sums)
        elif taps == 3:
            for x in range(at.size):
                _three(row, at, shares, x, taps, sums)
        else:
            for x in range(at.size):
                _any(row, at, shares, x, taps, sums)
        _divided(sums, 2.0 * size[0] * size[1], made[3 * at.size * y : 3 * at.size * (y + 1)])


@compiled.part
def _set(pixels: Array, unit: int, below: Array, other: int, line: Array) -> None:
    for x in range(line.size):
        line[x] = np.uint32(unit * pixels[x] + other * below[x])


@compiled.part
def _add(pixels: Array, unit: int, line: Array) -> None:
    for x in range(line.size):
        line[x] = np.uint32(line[x] + unit * pixels[x])


@compiled.part
def _divided(sums: Array, twice: float, out: Array) -> None:
    share, half = 1.0 / twice, 0.5 * twice + 0.25
    for x in range(out.size):
        out[x] = np.uint8((2.0 * sums[x] + half) * share)


def _summed(count: int) -> Any:
    """The weighted sum of ``count`` neighbouring pixels of three values; of any number where it is 0."""

    @intrinsic
    def emitted(typing, line, at, shares, x, taps, out):
        del typing
        signature = numba.types.void(line, at, shares, x, taps, out)

        def generate(context, builder, signature, arguments):
            pixels, places, weights, target = pointers(context, builder, signature, arguments, (0, 1, 2, 5))
            x, taps = arguments[3], arguments[4]
            four = ir.VectorType(ir.IntType(32), _LANES)

            def number(value):
                return ir.Constant(x.type, value)

            def load(pointer, place):
                return builder.load(builder.bitcast(builder.gep(pointer, [place]), four.as_pointer()), align=4)

            start = builder.load(builder.gep(places, [x]))
            share = builder.mul(builder.mul(x, taps), number(_LANES))

            def part(tap):
                values = load(pixels, builder.add(start, builder.mul(tap, number(3))))
                return builder.mul(values, load(weights, builder.add(share, builder.mul(tap, number(_LANES)))))

            if count:
                total = part(number(0))
                for tap in range(1, count):
                    total = builder.add(total, part(number(tap)))
            else:
                sums = cgutils.alloca_once_value(builder, ir.Constant(four, [0] * _LANES))
                with cgutils.for_range(builder, taps) as loop:
                    builder.store(builder.add(builder.load(sums), part(loop.index)), sums)
                total = builder.load(sums)
            place = builder.gep(target, [builder.mul(x, number(3))])
            builder.store(total, builder.bitcast(place, four.as_pointer()), align=4)
            return context.get_dummy_value()

        return signature, generate

    return emitted


def _summed_plain(line, at, shares, x, taps, out):
    for c in range(3):
        out[3 * x + c] = sum(line[int(at[x]) + 3 * t + c] * shares[x, _LANES * t] for t in range(taps))


_PLAIN = bool(numba.config.DISABLE_JIT)  # type: ignore[attr-defined]  # set at run time
_any, _two, _three = (_summed_plain if _PLAIN else _summed(count) for count in (0, 2, 3))
"""``(line, at, shares, x, taps, out)``: the sum of ``taps`` pixels of ``line`` from ``at[x]`` on, each by its share of
``shares``, into ``out[3 * x : 3 * x + 3]``. One number more is read and written."""


@compiled
def averaged_pictures(src: Array, channels: int, out: Array) -> None:
    """Average a picture down; the numbers of :func:`~imagemill.verbs.prepare.area_average.averaged`.

    All sums are whole numbers below 2**53, which float64 holds exactly, so that any order of adding gives the same.

    Parameters
    ----------
    src : array of int ``(y, x * channels)``
        At most 16 bits, in C order.
    channels : int
    out : array ``(y, x * channels)``
        Of the same type.
    """
    height, width = src.shape[0], src.shape[1] // channels
    rows, columns = out.shape[0], out.shape[1] // channels
    # Where the pixels of a column begin, how many follow, and how much of the first and of the last is inside.
    at, more = np.empty(columns, np.int64), np.empty(columns, np.int64)
    begins, ends = np.empty(columns), np.empty(columns)
    for column in range(columns):
        left, right = column * width // columns, ((column + 1) * width - 1) // columns
        at[column], more[column] = left * channels, right - left
        begins[column] = min((left + 1) * columns, (column + 1) * width) - column * width
        ends[column] = (column + 1) * width - right * columns
    line = np.empty(src.shape[1])
    for row in range(rows):
        _line(src, row, rows, line)
        if channels == 3:
            _colours(line, at, more, begins, ends, 2.0 * height * width, out[row])
        else:
            _values(line, channels, at, more, begins, ends, 2.0 * height * width, out[row])


@compiled.part
def _line(src: Array, row: int, rows: int, line: Array) -> None:
    """The sum over the rows that an output row spans."""
    height = src.shape[0]
    first, last = row * height // rows, ((row + 1) * height - 1) // rows
    a = float(min((first + 1) * rows, (row + 1) * height) - row * height)
    b, whole = float((row + 1) * height - last * rows), float(rows)
    if last == first:
        for x in range(line.size):
            line[x] = a * src[first, x]
    elif last == first + 1:
        for x in range(line.size):
            line[x] = a * src[first, x] + b * src[last, x]
    else:
        for x in range(line.size):
            line[x] = a * src[first, x] + whole * src[first + 1, x] + b * src[last, x]
        for y in range(first + 2, last):
            for x in range(line.size):
                line[x] += whole * src[y, x]


@compiled.part
def _colours(line: Array, at: Array, more: Array, begins: Array, ends: Array, twice: float, out: Array) -> None:
    """Three channels at once."""
    whole = float(at.size)
    # A quarter is less than half of the unit, so rounding never lifts a quotient onto the next whole number.
    share, half = 1.0 / twice, 0.5 * twice + 0.25
    for column in range(at.size):
        x, weight = at[column], begins[column]
        r, g, b = weight * line[x], weight * line[x + 1], weight * line[x + 2]
        for _ in range(1, more[column]):
            x += 3
            r += whole * line[x]
            g += whole * line[x + 1]
            b += whole * line[x + 2]
        if more[column] > 0:
            x, weight = x + 3, ends[column]
            r += weight * line[x]
            g += weight * line[x + 1]
            b += weight * line[x + 2]
        out[3 * column] = np.floor((2.0 * r + half) * share)
        out[3 * column + 1] = np.floor((2.0 * g + half) * share)
        out[3 * column + 2] = np.floor((2.0 * b + half) * share)


@compiled.part
def _values(
    line: Array, channels: int, at: Array, more: Array, begins: Array, ends: Array, twice: float, out: Array
) -> None:
    whole, share, half = float(at.size), 1.0 / twice, 0.5 * twice + 0.25
    for column in range(at.size):
        for c in range(channels):
            x = at[column] + c
            total = begins[column] * line[x]
            for _ in range(1, more[column]):
                x += channels
                total += whole * line[x]
            if more[column] > 0:
                total += ends[column] * line[x + channels]
            out[column * channels + c] = np.floor((2.0 * total + half) * share)
