"""Quick ways to the numbers and sums that layers of weather are made of.

To the bit wherever a threshold is asked for later; strokes and ice are sums of single precision.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math
from typing import Any, cast

import cv2
import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import Words
from imagemill.engine.altering.weather_layers import Size, Tools
from imagemill.engine.backends.cpu.altering.convolution import trimmed
from imagemill.engine.backends.cpu.altering.line_filter import by_fours, mirrored, weighted
from imagemill.engine.backends.cpu.altering.pixel_noise import fill_normals, fill_words
from imagemill.engine.backends.cpu.compile import compiled, exactly

__all__ = ["QUICK", "uniform"]

Array = np.ndarray[Any, Any]


@compiled
def _unit(words, out):
    for i in range(words.size):
        out[i] = (words[i] + 0.5) * 2.0**-32


def uniform(stream: Words, field: int, count: int) -> Floats:
    """As :func:`imagemill.core.randomness.pixel_numbers.uniform`."""
    words = np.empty(count, np.uint32)
    fill_words(int(stream[0]), int(stream[1]), field, words)
    out = np.empty(count)
    _unit(words, out)
    return out


@exactly
def _clouds(u, decay):
    """As the definition, number by number: the middles of a scale, then its edges."""
    side = len(u)
    made = np.zeros((side, side))
    step, height = side, 1.0
    while step > 1:
        half = step // 2
        for y in range(0, side, step):
            below = y + step if y + step < side else 0
            for x in range(0, side, step):
                right = x + step if x + step < side else 0
                corners = made[y, x] + made[y, right] + made[below, x] + made[below, right]
                made[y + half, x + half] = corners / 4 + height * (2 * u[y + half, x + half] - 1)
        for y in range(0, side, step):
            below, above = (y + step if y + step < side else 0), (y if y else side) - half
            for x in range(0, side, step):
                right, left = (x + step if x + step < side else 0), (x if x else side) - half
                corner, middle = made[y, x], made[y + half, x + half]
                made[y, x + half] = (corner + made[y, right] + middle + made[above, x + half]) / 4 + height * (
                    2 * u[y, x + half] - 1
                )
                made[y + half, x] = (corner + made[below, x] + middle + made[y + half, left]) / 4 + height * (
                    2 * u[y + half, x] - 1
                )
        step, height = half, height / decay**2
    return made


@exactly
def _magnified(layer, height, width, pixels):
    made, line = np.empty((height, width)), np.empty(layer.shape[1])
    lows, shares = np.empty(width, np.int64), np.empty(width)
    for x in range(width):
        place = x / pixels
        lows[x] = min(np.int64(place), layer.shape[1] - 2)
        shares[x] = place - lows[x]
    for y in range(height):
        place = y / pixels
        low = min(np.int64(place), layer.shape[0] - 2)
        share = place - low
        for x in range(line.size):
            line[x] = layer[low, x] + share * (layer[low + 1, x] - layer[low, x])
        for x in range(width):
            first = line[lows[x]]
            made[y, x] = first + shares[x] * (line[lows[x] + 1] - first)
    return made


@compiled
def _ice(cloud, one, two, three, tops, out):
    zero, unit = np.float32(0), np.float32(1)
    for i in range(cloud.size):
        c = np.float32(cloud[i])
        ice = max(max(one[i] * tops[0], two[i] * tops[1]), three[i] * tops[2])
        melted = min(max(unit - np.float32(6) * abs(c + c - unit), zero), unit)
        made = np.float32(0.45) * c + np.float32(0.75) * ice * (np.float32(0.3) + c) - np.float32(0.35) * melted
        out[i] = min(max(np.float32(0.33) + np.float32(0.78) * made, zero), unit)


@compiled
def _distances(inside, most, out):
    """Columns first, then along each row as far as something nearer may lie; all in whole squares."""
    height, width = inside.shape
    far = most + 1
    for x in range(width):
        out[0, x] = far if inside[0, x] else 0
    for y in range(1, height):
        for x in range(width):
            out[y, x] = min(out[y - 1, x] + 1, far) if inside[y, x] else 0
    for y in range(height - 2, -1, -1):
        for x in range(width):
            out[y, x] = min(out[y, x], out[y + 1, x] + 1)
    line = np.empty(width, out.dtype)
    for y in range(height):
        for x in range(width):
            line[x] = out[y, x] * out[y, x]
        for x in range(width):
            best, away = line[x], 1
            while away * away < best and away <= most:
                if x >= away:
                    best = min(best, line[x - away] + away * away)
                if x + away < width:
                    best = min(best, line[x + away] + away * away)
                away += 1
            out[y, x] = best


@compiled
def _padded(layer, rows, columns, out):
    for y in range(rows.size):
        for x in range(columns.size):
            out[y * columns.size + x] = layer[rows[y], columns[x]]


@compiled
def _stroked(flat, wide, offsets, weights, places, height, width, out):
    for y in range(height):
        for t in range(weights.size):
            places[t] = y * wide + offsets[t]
        weighted(flat, places, weights, 0, width, out, y * width)


class _Quick:
    uniform = staticmethod(uniform)

    @staticmethod
    def normal(stream: Words, field: int, count: int) -> Floats:
        out = np.empty(count)
        fill_normals(int(stream[0]), int(stream[1]), field, numbers.normal_table(), out)
        return out

    @staticmethod
    def looked_up(stream: Words, field: int, count: int, table: Floats) -> Floats:
        out = np.empty(count, np.float32)
        fill_normals(int(stream[0]), int(stream[1]), field, table.astype(np.float32), out)
        return cast(Floats, out)

    @staticmethod
    def correlate(layer: Floats, kernel: Floats) -> Floats:
        kernel = trimmed(kernel)
        if 1 in kernel.shape:
            one = np.ones(1)
            along, down = (kernel[0], one) if kernel.shape[0] == 1 else (one, kernel[:, 0])
            found = cv2.sepFilter2D(layer, cv2.CV_64F, along, down, borderType=cv2.BORDER_REFLECT_101)
        else:
            found = cv2.filter2D(layer, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101)
        return np.asarray(found, np.float64)

    @staticmethod
    def strokes(layer: Floats, kernel: Floats) -> Floats:
        kernel = trimmed(kernel)
        (height, width), (down, along) = layer.shape, (side // 2 for side in kernel.shape)
        wide = width + 2 * along
        flat = np.empty((height + 2 * down) * wide, np.float32)
        _padded(
            layer,
            mirrored(np.arange(-down, height + down), height),
            mirrored(np.arange(-along, width + along), width),
            flat,
        )
        taps = np.flatnonzero(kernel)
        weights, offsets = by_fours(kernel.reshape(-1)[taps], taps // kernel.shape[1] * wide + taps % kernel.shape[1])
        out = np.empty(height * width, np.float32)
        _stroked(flat, wide, offsets, weights, np.empty(len(weights), np.int64), height, width, out)
        return cast(Floats, out.reshape(height, width))

    @staticmethod
    def distance(inside: Array, most: float) -> Floats:
        squares = np.empty(inside.shape, np.int32)
        _distances(inside, math.ceil(most), squares)
        found: Floats = np.minimum(np.sqrt(squares), most)
        return found

    @staticmethod
    def clouds(u: Floats, decay: float) -> Floats:
        found: Floats = _clouds(u, decay)
        return found

    @staticmethod
    def magnified(layer: Floats, size: Size, pixels: float) -> Floats:
        found: Floats = _magnified(layer, *size, pixels)
        return found

    @staticmethod
    def ice(cloud: Floats, needles: list[Floats]) -> Floats:
        out = np.empty(cloud.size, np.float32)
        tops = np.array([1 / max(float(one.max()), 1e-12) for one in needles], np.float32)
        one, two, three = (each.reshape(-1) for each in needles)
        _ice(np.ascontiguousarray(cloud).reshape(-1), one, two, three, tops, out)
        return cast(Floats, out.reshape(cloud.shape))


QUICK: Tools = _Quick()
"""numba and OpenCV."""
