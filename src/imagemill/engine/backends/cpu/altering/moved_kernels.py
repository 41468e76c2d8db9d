"""Pixels that take the place of neighbours, on the CPU."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from imagemill.core.finite import working
from imagemill.core.geometry import Floats
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import Words
from imagemill.engine.altering.moved_pixels import as_it_was, as_picture
from imagemill.engine.backends.cpu.altering.convolution import convolved, rounded
from imagemill.engine.backends.cpu.altering.pixel_noise import fill_words
from imagemill.engine.backends.cpu.compile import compiled

__all__ = ["glass", "turbulence"]

Array = np.ndarray[Any, Any]


@compiled
def _take(picture, words, reach, times):
    height, width, depth = picture.shape
    both = np.uint64(2 * reach)
    half, shift = np.uint64(1), np.uint64(33)
    for t in range(times):
        for y in range(height - reach, reach, -1):
            for x in range(width - reach, reach, -1):
                at = 2 * ((t * height + y) * width + x)
                # Whole numbers in place of (word + 0.5) / 2**32 times the steps there are: the same floor.
                down = np.int64(((np.uint64(words[at]) << half | half) * both) >> shift) - reach
                right = np.int64(((np.uint64(words[at + 1]) << half | half) * both) >> shift) - reach
                if depth == 3:  # without a loop, which costs more than three values do
                    picture[y, x, 0] = picture[y + down, x + right, 0]
                    picture[y, x, 1] = picture[y + down, x + right, 1]
                    picture[y, x, 2] = picture[y + down, x + right, 2]
                    continue
                for c in range(depth):
                    picture[y, x, c] = picture[y + down, x + right, c]


def glass(src: Array, params: list[Array]) -> Array:
    """As :func:`imagemill.engine.altering.moved_pixels.glassy` between its blurs."""
    reach, times, stream, *kernels = params
    half = len(kernels) // 2
    kind = working(src.dtype)
    made = np.ascontiguousarray(as_picture(convolved(src, kernels[:half], kind)))
    if made.base is not None or made is src:
        made = made.copy()
    if times > 0:
        words = np.empty(2 * int(times) * made.shape[0] * made.shape[1], np.uint32)
        fill_words(int(stream[0]), int(stream[1]), numbers.EACH_PIXEL, words)
        _take(made, words, int(reach), int(times))
    moved = np.ascontiguousarray(as_it_was(made, src.shape))
    return rounded(convolved(moved, kernels[half:], kind), src.dtype)


@compiled.part
def _mirrored(i, n):
    """A place beyond the outer edge, mirrored there."""
    i = i % (2 * n)
    return i if i < n else 2 * n - 1 - i


@compiled
def _swung(words, reach, out):
    """Uniform numbers from ``-reach`` to ``reach``."""
    half = reach - reach + 2.0**-32
    for i in range(out.size):
        out[i] = (2 * ((words[i] + 0.5) * half) - 1) * reach


@compiled.part
def _blend(picture, y0, y1, x0, x1, c, wy, wx, one):
    high = one * picture[y0, x0, c] + wx * (one * picture[y0, x1, c] - one * picture[y0, x0, c])
    low = one * picture[y1, x0, c] + wx * (one * picture[y1, x1, c] - one * picture[y1, x0, c])
    return high + wy * (low - high)


@compiled
def _read(picture, away_y, away_x, one, out):
    """``one`` is a 1 of the precision that is asked for, in which places within a pixel are told too."""
    height, width, depth = picture.shape
    for y in range(height):
        for x in range(width):
            fy, fx = np.floor(away_y[y, x]), np.floor(away_x[y, x])
            wy, wx = away_y[y, x] - fy, away_x[y, x] - fx
            y0, x0 = y + int(fy), x + int(fx)
            y1, x1 = y0 + 1, x0 + 1
            if y0 < 0 or y1 >= height:
                y0, y1 = _mirrored(y0, height), _mirrored(y1, height)
            if x0 < 0 or x1 >= width:
                x0, x1 = _mirrored(x0, width), _mirrored(x1, width)
            if depth == 3:
                out[y, x, 0] = _blend(picture, y0, y1, x0, x1, 0, wy, wx, one)
                out[y, x, 1] = _blend(picture, y0, y1, x0, x1, 1, wy, wx, one)
                out[y, x, 2] = _blend(picture, y0, y1, x0, x1, 2, wy, wx, one)
                continue
            for k in range(depth):
                out[y, x, k] = _blend(picture, y0, y1, x0, x1, k, wy, wx, one)


def _smooth(field: Array, sigma: Floats) -> Array:
    """A Gaussian cut at three deviations, mirrored at the outer edges; as precise as the field."""
    if not sigma.any():
        return field
    reach = [int(3 * s + 0.5) for s in sigma.tolist()]
    weights = [
        np.exp(-0.5 * (np.arange(-r, r + 1) / s) ** 2) if r else np.ones(1) for r, s in zip(reach, sigma, strict=True)
    ]
    down, along = ((w / w.sum()).astype(field.dtype) for w in weights)
    if all(r <= n for r, n in zip(reach, field.shape, strict=True)):
        return np.asarray(cv2.sepFilter2D(field, -1, along, down, borderType=cv2.BORDER_REFLECT))
    # A frame that is smaller than the Gaussian is mirrored more than once, which OpenCV does not do.
    padded = np.pad(field, [(r, r) for r in reach], mode="symmetric")
    made = np.asarray(cv2.sepFilter2D(padded, -1, along, down, borderType=cv2.BORDER_REPLICATE))
    return made[reach[0] : reach[0] + field.shape[0], reach[1] : reach[1] + field.shape[1]]


def turbulence(src: Array, reach: Floats, sigma: Floats, stream: Words) -> Array:
    """As :func:`imagemill.engine.altering.moved_pixels.read_at` at its displacements."""
    kind, half = working(src.dtype), src.dtype == np.float16  # of which compiled code knows nothing
    picture = np.ascontiguousarray(as_picture(src), kind if half else None)
    size = picture.shape[0] * picture.shape[1]
    words = np.empty(2 * size, np.uint32)
    fill_words(int(stream[0]), int(stream[1]), numbers.EACH_PIXEL, words)
    away = []
    for axis, most in enumerate(reach.tolist()):
        swung = np.empty(picture.shape[:2], kind)
        _swung(words[axis * size : (axis + 1) * size], kind.type(most), swung.reshape(-1))
        away.append(_smooth(swung, sigma))
    out = np.empty(picture.shape, kind)
    _read(picture, away[0], away[1], kind.type(1), out)
    return rounded(np.ascontiguousarray(as_it_was(out, src.shape)), src.dtype)
