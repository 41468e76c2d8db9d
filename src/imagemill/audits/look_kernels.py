"""Counts that measures of quality are read off, in compiled loops: one trip over the colours, one over the gray values.

Everything is counted in whole numbers, so that means and deviations are exact and no order of summing shows. What is
read off the counts is read here as well: of a small image dozens of calls from Python took longer than all its pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.engine.backends.cpu.compile import exactly

__all__ = ["STEPS", "read_colours", "read_grays"]

STEPS = 4096
"""Of perceived brightness, that its percentiles are counted in: finer than any threshold."""
LAPLACIAN = 4 * 255
"""What a Laplacian of bytes has at most; counted from its negative."""
SECOND = 8 * 255
"""What a second difference both ways has at most."""

_FLAT = 4
"""How far apart the values of a line in a border of one colour are at most."""
_MID_GRAY = (128, 2, 3)
"""What decoders fill a file with that was cut off; how far apart its values are, and its mean lies from it, at most."""

_RED, _GREEN, _BLUE = np.float32(0.241), np.float32(0.691), np.float32(0.068)
_SCALE, _HALF = np.float32((STEPS - 1) / 255), np.float32(0.5)


@exactly
def read_colours(rgb: Any, shares: Any, places: Any, sums: Any) -> int:
    """Read off what colours are like; how many rows at the bottom are flat and mid gray.

    Parameters
    ----------
    rgb : array ``[h, w, 3]`` uint8
    shares : array ``[k]`` float64
        Whose percentiles of perceived brightness are asked for.
    places : array ``[k]`` int64
        Their steps, of `STEPS`.
    sums : array ``[6]`` int64
        As for `_count_colours`, zeros before.
    """
    height, width = rgb.shape[:2]
    bright, rows = np.zeros(STEPS, np.int64), np.empty((height, 3), np.int64)
    _count_colours(rgb, bright, sums, rows)
    for k in range(len(shares)):
        places[k] = _first_above(bright, shares[k] * (height * width - 1))
    return _gray_lines(rows, 3 * width)


@exactly
def read_grays(gray: Any, found: Any) -> float:
    """Read off what gray values are like; their entropy in bits.

    Parameters
    ----------
    gray : array ``[h, w]`` uint8
    found : array ``[13]`` int64
        How many values are that of the next in the row; how many values there are, their sum and that of their squares;
        the same two of the Laplacian; percentiles 1 and 99 of the values; 99 of the absolute Laplacian; the two in the
        middle of the absolute second differences; lines of one colour at both ends, of rows and of columns.
    """
    height, width = gray.shape
    counts, laplacian = np.zeros(256, np.int64), np.zeros(2 * LAPLACIAN + 1, np.int64)
    second = np.zeros(SECOND + 1, np.int64)
    rows, columns = np.empty((height, 2), np.uint8), np.empty((2, width), np.uint8)
    found[0] = _count_grays(gray, counts, laplacian, second, rows, columns)
    size = height * width
    found[1] = size
    found[2], found[3] = _moments(counts)
    found[4], found[5] = _moments(laplacian)
    found[6], found[7] = _first_from(counts, 0.01 * size), _first_from(counts, 0.99 * size)
    for k in range(1, LAPLACIAN + 1):
        laplacian[LAPLACIAN + k] += laplacian[LAPLACIAN - k]
    found[8] = _first_from(laplacian[LAPLACIAN:], 0.99 * size)
    found[9], found[10] = _first_above(second, (size - 1) // 2), _first_above(second, size // 2)
    found[11], found[12] = _edge_lines(rows), _edge_lines(columns.T)
    entropy = 0.0
    for value in range(256):
        if counts[value]:
            share = counts[value] / size
            entropy -= share * np.log2(share)
    return entropy


@exactly.part
def _moments(counts: Any) -> tuple[int, int]:
    """The sum of what was counted, by its place, and of its squares."""
    first, square = 0, 0
    for value in range(len(counts)):
        first += counts[value] * value
        square += counts[value] * value * value
    return first, square


@exactly.part
def _first_from(counts: Any, wanted: Any) -> int:
    """The first place up to which as many are counted."""
    total = 0
    for place in range(len(counts)):
        total += counts[place]
        if total >= wanted:
            return place
    return len(counts)


@exactly.part
def _first_above(counts: Any, wanted: Any) -> int:
    """The first place up to which more are counted."""
    total = 0
    for place in range(len(counts)):
        total += counts[place]
        if total > wanted:
            return place
    return len(counts)


@exactly.part
def _count_colours(rgb: Any, bright: Any, sums: Any, rows: Any) -> None:
    """Count what colours are like.

    Parameters
    ----------
    rgb : array ``[h, w, 3]`` uint8
    bright : array ``[STEPS]`` int64
        How often each step of perceived brightness is there, by the weights of Finley (2006), "HSP color model".
    sums : array ``[6]`` int64
        Of red, of blue, of the largest and of the smallest channel; how many values are under 2, and how many over 253.
    rows : array ``[h, 3]`` int64
        The least and the largest value of each row, and the sum of all.
    """
    height, width = rgb.shape[:2]
    steps, other = np.empty(width, np.int32), np.zeros(STEPS, np.int64)
    red, green, blue = np.empty(width, np.uint8), np.empty(width, np.uint8), np.empty(width, np.uint8)
    for y in range(height):
        # Channels apart fill vectors.
        for x in range(width):
            red[x], green[x], blue[x] = rgb[y, x, 0], rgb[y, x, 1], rgb[y, x, 2]
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


@exactly.part
def _sum_row(red: Any, green: Any, blue: Any, sums: Any, ends: Any) -> None:
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


@exactly.part
def _count_grays(gray: Any, values: Any, laplacian: Any, second: Any, rows: Any, columns: Any) -> int:
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


@exactly.part
def _extremes(here: Any, ends: Any, columns: Any) -> Any:
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


@exactly.part
def _edge_lines(lines: Any) -> int:
    """How many lines ``[n, 2]`` (their least and largest value) at both ends together are of one colour.

    All of them where there is no other line.
    """
    first, last, count = 0, 0, len(lines)
    while first < count and int(lines[first, 1]) - int(lines[first, 0]) <= _FLAT:
        first += 1
    while last < count - first and int(lines[count - 1 - last, 1]) - int(lines[count - 1 - last, 0]) <= _FLAT:
        last += 1
    return first + last


@exactly.part
def _gray_lines(lines: Any, values: Any) -> int:
    """How many lines ``[n, 3]`` (least, largest value and sum of so many) at the end are flat and nearly mid gray."""
    gray, apart, near = _MID_GRAY
    count = 0
    while count < len(lines):
        least, most, total = lines[len(lines) - 1 - count]
        if most - least > apart or abs(total / values - gray) >= near:
            break
        count += 1
    return count
