"""Exact averages over areas, compiled, for pictures of a few channels."""

from __future__ import annotations

import numpy as np

from imagemill.core.targets import Array
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["averaged_pictures"]


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
