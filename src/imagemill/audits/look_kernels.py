"""Counts that measures of quality are read off, in compiled loops: one trip over the colours, one over the gray values.

Everything is counted in whole numbers, so that means and deviations are exact and no order of summing shows.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["LAPLACIAN", "SECOND", "STEPS", "count_colours", "count_grays", "edge_lines", "gray_lines"]

STEPS = 4096
"""Of perceived brightness, that its percentiles are counted in: finer than any threshold."""
LAPLACIAN = 4 * 255
"""What a Laplacian of bytes has at most; counted from its negative."""
SECOND = 8 * 255
"""What a second difference both ways has at most."""

_RED, _GREEN, _BLUE = np.float32(0.241), np.float32(0.691), np.float32(0.068)
_SCALE, _HALF = np.float32((STEPS - 1) / 255), np.float32(0.5)


@njit(nogil=True, cache=True, error_model="numpy")
def count_colours(reds, greens, blues, bright, sums, rows):
    """Count what colours are like.

    Parameters
    ----------
    reds, greens, blues : array ``[h, w]`` uint8
    bright : array ``[STEPS]`` int64
        How often each step of perceived brightness is there, by the weights of Finley (2006), "HSP color model".
    sums : array ``[6]`` int64
        Of red, of blue, of the largest and of the smallest channel; how many values are under 2, and how many over 253.
    rows : array ``[h, 3]`` int64
        The least and the largest value of each row, and the sum of all.
    """
    height, width = reds.shape
    steps, other = np.empty(width, np.int32), np.zeros(STEPS, np.int64)
    for y in range(height):
        red, green, blue = reds[y], greens[y], blues[y]
        _sum_row(red, green, blue, sums, rows[y])
        for x in range(width):
            r, g, b = np.float32(red[x]), np.float32(green[x]), np.float32(blue[x])
            squared = _RED * (r * r) + _GREEN * (g * g) + _BLUE * (b * b)
            steps[x] = np.int32(np.sqrt(squared) * _SCALE + _HALF)
        # Neighbours are alike: counted in one table each would wait for the one before.
        for x in range(0, width - 1, 2):
            bright[steps[x]] += 1
            other[steps[x + 1]] += 1
        if width & 1:
            bright[steps[width - 1]] += 1
    bright += other


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_row(red, green, blue, sums, ends):
    # Sums of 32 bits hold a row, and twice as many of them fit a register.
    reds = greens = blues = highs = lows = black = white = np.uint32(0)
    least, most = np.uint8(255), np.uint8(0)
    for x in range(len(red)):
        r, g, b = red[x], green[x], blue[x]
        high, low = r if r > g else g, r if r < g else g
        high, low = high if high > b else b, low if low < b else b
        reds += np.uint32(r)
        greens += np.uint32(g)
        blues += np.uint32(b)
        highs += np.uint32(high)
        lows += np.uint32(low)
        least, most = low if low < least else least, high if high > most else most
        black += np.uint32(r < 2) + np.uint32(g < 2) + np.uint32(b < 2)
        white += np.uint32(r > 253) + np.uint32(g > 253) + np.uint32(b > 253)
    sums[0] += reds
    sums[1] += blues
    sums[2] += highs
    sums[3] += lows
    sums[4] += black
    sums[5] += white
    ends[0], ends[1], ends[2] = least, most, reds + greens + blues


@njit(nogil=True, cache=True, error_model="numpy")
def count_grays(gray, values, laplacian, second, rows, columns):
    """Count gray values and how they differ from their neighbours; beyond the edge pixels are mirrored at the last one.

    Parameters
    ----------
    gray : array ``[h, w]`` uint8
    values : array ``[256]`` int64
    laplacian : array ``[2 * LAPLACIAN + 1]`` int64
        Of each value from ``-LAPLACIAN`` on.
    second : array ``[SECOND + 1]`` int64
        Of absolute second differences along both axes.
    rows, columns : array ``[h, 2]``, ``[2, w]`` uint8
        The least and the largest value of each.

    Returns
    -------
    int
        How many values are that of the next in the row.
    """
    height, width = gray.shape
    other, others, even = np.zeros(256, np.int64), np.zeros(2 * LAPLACIAN + 1, np.int64), 0
    ends, middle = np.empty(width + 2, np.int16), np.empty(width + 2, np.int16)
    laps, seconds = np.empty(width, np.int16), np.empty(width, np.int16)
    columns[0], columns[1] = 255, 0
    for y in range(height):
        above, below = gray[abs(y - 1)] if height > 1 else gray[0], gray[min(y + 1, 2 * height - 3 - y)]
        here = gray[y]
        even += _extremes(here, rows[y], columns)
        for x in range(width):
            ends[x + 1] = np.int16(above[x]) + np.int16(below[x])
            middle[x + 1] = here[x]
        for line in (ends, middle):
            line[0] = line[min(2, width)]
            line[width + 1] = line[max(width - 1, 1)]
        for x in range(width):
            beside = middle[x] + middle[x + 2]
            laps[x] = ends[x + 1] + beside - 4 * middle[x + 1] + LAPLACIAN
            seconds[x] = abs(ends[x] + ends[x + 2] - 2 * (ends[x + 1] + beside) + 4 * middle[x + 1])
        for x in range(0, width - 1, 2):
            values[here[x]] += 1
            other[here[x + 1]] += 1
            laplacian[laps[x]] += 1
            others[laps[x + 1]] += 1
        if width & 1:
            values[here[width - 1]] += 1
            laplacian[laps[width - 1]] += 1
        for x in range(width):
            second[seconds[x]] += 1
    values += other
    laplacian += others
    return even


@njit(nogil=True, cache=True, error_model="numpy")
def _extremes(here, ends, columns):
    least, most, same = np.uint8(255), np.uint8(0), np.uint32(0)
    low, high = columns[0], columns[1]
    for x in range(len(here)):
        value = here[x]
        least, most = value if value < least else least, value if value > most else most
        low[x] = value if value < low[x] else low[x]
        high[x] = value if value > high[x] else high[x]
    for x in range(len(here) - 1):
        same += np.uint32(here[x] == here[x + 1])
    ends[0], ends[1] = least, most
    return same


@njit(nogil=True, cache=True, error_model="numpy")
def edge_lines(lines, apart):
    """How many lines ``[n, 2]`` (their least and largest value) at both ends together are of values not this far apart.

    All of them where there is no other line.
    """
    first, last, count = 0, 0, len(lines)
    while first < count and int(lines[first, 1]) - int(lines[first, 0]) <= apart:
        first += 1
    while last < count - first and int(lines[count - 1 - last, 1]) - int(lines[count - 1 - last, 0]) <= apart:
        last += 1
    return first + last


@njit(nogil=True, cache=True, error_model="numpy")
def gray_lines(lines, values, gray, apart, near):
    """How many lines ``[n, 3]`` (least, largest value and sum of so many) at the end are flat and nearly of a gray."""
    count = 0
    while count < len(lines):
        least, most, total = lines[len(lines) - 1 - count]
        if most - least > apart or abs(total / values - gray) >= near:
            break
        count += 1
    return count
