"""What speaks for two small pictures being copies, once they were aligned.

Detail counts by how well and in how many places it agrees: two birds before the sky agree in their outline alone, two
frogs of one photo in every spot. Colours that agree speak for a pair; where they do not, the gray values of the one are
also told from a blend of the channels of the other, as after a shift of the hue.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.audits.alignment import solved, warped
from imagemill.audits.neighbours import by_threads
from imagemill.engine.shipped_kernels import njit

__all__ = ["MEASURES", "log_odds", "measured"]

MEASURES = ("left", "detail", "places", "left_blended", "detail_blended", "places_blended", "far", "colour")
"""What `measured` measures of a pair."""

_CHUNK = 1024
_PLANES = 4
_FINEST, _BROADEST = 0.8, 2.0
"""Detail lies between Gaussian filters of these deviations, in pixels."""
_FEWEST = 64
"""Pixels that have to overlap."""
_FAST = {"contract", "reassoc", "nsz"}


def measured(
    small: npt.NDArray[np.uint8],
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    move: npt.NDArray[np.float64],
    frame: npt.NDArray[np.float64],
    threads: int,
) -> npt.NDArray[np.float64]:
    """What pairs have in common, `MEASURES` of each.

    Parameters
    ----------
    small : array ``[n, s, s, 3]`` uint8
    first, second : array of int64
        Rows.
    move : array ``[m, 6]``
        That takes the first to the second.
    frame : array ``[m, 4]``
        What of the first counts.
    threads : int

    Returns
    -------
    array ``[m, 8]``
        Share of the variance of the second that the first leaves unexplained; correlation of the detail; number of
        pixels that the common detail is spread over (its participation ratio, ``(sum e)^2 / sum e^2``); the same three
        for the best blend of the channels of the first; root mean square difference of the colours; their correlation.
    """
    found = np.zeros((len(first), len(MEASURES)))

    def chunk(at: int) -> None:
        part = slice(at, at + _CHUNK)
        _measure(small, first[part], second[part], move[part], frame[part], found[part])

    by_threads(chunk, range(0, len(first), _CHUNK), threads)
    return found


def log_odds(measures: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How much speaks for each pair, as log odds among pairs of nearest pictures.

    The weights are those of a logistic regression on 183 pairs of CIFAR-10's training and test images that were judged
    by eye, 55 of them the same photo.

    Examples
    --------
    >>> alike, unlike = [0.01, 0.97, 150, 0.01, 0.97, 150, 3, 0.9], [0.1, 0.7, 60, 0.08, 0.72, 60, 30, 0]
    >>> [bool(one > 0) for one in log_odds(np.array([alike, unlike]))]
    [True, False]
    """
    whole = _gray(measures[:, 0:3]) + np.maximum(5.84 * measures[:, 7] - 0.14 * measures[:, 6], 0.0)
    blended = _gray(measures[:, 3:6]) - _BLENDED
    return np.asarray(np.maximum(whole, blended), np.float64)


_BLENDED = 0.5
"""What a blend costs: four weights explain a little more of any picture than one."""


def _gray(measures: npt.NDArray[Any]) -> npt.NDArray[Any]:
    left, detail, places = measures.T
    agreed = 1.8 * np.arctanh(detail.clip(0.0, 0.999)) + 0.95 * np.log(places.clip(1.0, None))
    return np.asarray(agreed - 2.43 * np.log10(left.clip(1e-6, 1.0)) - 13.1)


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _filtered(plane, sigma, out):
    """Gaussian filter, ends repeated, cut off at two and a half deviations."""
    side = plane.shape[0]
    radius = max(1, int(2.5 * sigma + 0.5))
    taps = np.empty(radius + 1, np.float32)
    for k in range(radius + 1):
        taps[k] = np.exp(-(k**2) / (2.0 * sigma * sigma))
    taps /= 2 * taps.sum() - taps[0]
    # Taps are the same on both sides, and a row is filtered as it is made.
    row = np.empty(side + 2 * radius, np.float32)
    here = row[radius : radius + side]
    for y in range(side):
        for x in range(side):
            here[x] = taps[0] * plane[y, x]
        for k in range(1, radius + 1):
            above, below, tap = plane[max(y - k, 0)], plane[min(y + k, side - 1)], taps[k]
            for x in range(side):
                here[x] += tap * (above[x] + below[x])
        row[:radius], row[radius + side :] = here[0], here[side - 1]
        for x in range(side):
            out[y, x] = taps[0] * here[x]
        for k in range(1, radius + 1):
            before, behind, tap = row[radius - k :], row[radius + k :], taps[k]
            for x in range(side):
                out[y, x] += tap * (before[x] + behind[x])


@njit(nogil=True, error_model="numpy")
def _split(rgb, out):
    """Gray values, red and blue less gray, and the brightest channel, which no shift of the hue changes."""
    side = rgb.shape[0]
    for y in range(side):
        for x in range(side):
            red, green, blue = float(rgb[y, x, 0]), float(rgb[y, x, 1]), float(rgb[y, x, 2])
            gray = 0.299 * red + 0.587 * green + 0.114 * blue
            out[0, y, x], out[1, y, x], out[2, y, x] = gray, red - gray, blue - gray
            out[3, y, x] = max(red, green, blue)


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _means(one, other, inner, count):
    """Means of two planes where they overlap."""
    mean_one, mean_other = 0.0, 0.0
    for y in range(len(inner)):
        mean_one += _dot(one[y], inner[y])
        mean_other += _dot(other[y], inner[y])
    return np.float32(mean_one / count), np.float32(mean_other / count)


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _agreement(one, other, inner, count):
    """Correlation of two planes where they overlap, and the number of pixels that what is common is spread over."""
    side = len(inner)
    mean_one, mean_other = _means(one, other, inner, count)
    power_one, power_other, both, square, absolute = 0.0, 0.0, 0.0, 0.0, 0.0
    for y in range(side):
        of_one = of_other = of_both = squares = sizes = np.float32(0.0)
        for x in range(side):
            a, b = (one[y, x] - mean_one) * inner[y, x], (other[y, x] - mean_other) * inner[y, x]
            common = a * b
            of_one += a * a
            of_other += b * b
            of_both += common
            sizes += abs(common)
            squares += common * common
        power_one += float(of_one)
        power_other += float(of_other)
        both += float(of_both)
        absolute += float(sizes)
        square += float(squares)
    if power_one < 1e-3 * count or power_other < 1e-3 * count:
        return 0.0, 1.0
    return both / np.sqrt(power_one * power_other), absolute * absolute / (square + 1e-9)


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _blend(planes, other, inner, count, out):
    """The blend of planes that is nearest to another plane where they overlap (least squares)."""
    rows, side = _PLANES + 1, len(inner)
    normal, right = np.zeros((rows, rows)), np.zeros(rows)
    weighted = np.empty((rows, side), np.float32)
    for y in range(side):
        for x in range(side):
            for k in range(_PLANES):
                weighted[k, x] = planes[k, y, x] * inner[y, x]
            weighted[_PLANES, x] = inner[y, x]
        for i in range(rows):
            right[i] += _dot(weighted[i], other[y])
            for j in range(min(i + 1, _PLANES)):
                normal[i, j] += _dot(weighted[i], planes[j, y])
        normal[_PLANES, _PLANES] += weighted[_PLANES].sum()
    for i in range(rows):
        normal[i, i] += count  # a gray value or so: planes that are alike are not played against each other
    solved(normal, right)
    for y in range(side):
        out[y] = 0.0
        for k in range(_PLANES):
            share = np.float32(right[k])
            for x in range(side):
                out[y, x] += share * planes[k, y, x]


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _dot(one, other):
    total = np.float32(0.0)
    for x in range(len(one)):
        total += one[x] * other[x]
    return total


@njit(nogil=True, error_model="numpy")
def _eroded(inside, out):
    """Where the neighbours overlap as well; how many pixels that are."""
    side, count = len(inside), np.float32(0.0)
    row = np.empty(side + 2, np.float32)
    for y in range(side):
        above, here, below = inside[max(y - 1, 0)], inside[y], inside[min(y + 1, side - 1)]
        row[0] = row[side + 1] = 1.0
        for x in range(side):
            row[x + 1] = above[x] * here[x] * below[x]
        for x in range(side):
            out[y, x] = row[x] * row[x + 1] * row[x + 2]
            count += out[y, x]
    return int(count)


@njit(nogil=True, error_model="numpy")
def _detail(plane, broad, out):
    """What is finer than what was filtered."""
    for y in range(len(plane)):
        for x in range(len(plane)):
            out[y, x] = plane[y, x] - broad[y, x]


@njit(nogil=True, error_model="numpy")
def _is_gray(planes):
    """Whether red and blue differ nowhere from gray, but for rounding."""
    for k in (1, 2):
        for y in range(planes.shape[1]):
            for x in range(planes.shape[2]):
                if abs(planes[k, y, x]) > 1e-3:
                    return False
    return True


@njit(nogil=True, error_model="numpy")
def _measure(small, first, second, move, frame, found):
    side = small.shape[1]
    work = np.empty((4, _PLANES, side, side), np.float32)
    one, other, made, fine = work[0], work[1], work[2], work[3]
    more = np.empty((7, side, side), np.float32)
    target, broad, detail, own = more[0], more[1], more[2], more[3]
    blend, inside, inner = more[4], more[5], more[6]
    for i in range(len(first)):
        _split(small[first[i]], one)
        _split(small[second[i]], other)
        found[i, 0], found[i, 3] = 1.0, 1.0
        # Of a gray picture every blend is the picture itself.
        gray = _is_gray(one)
        kept = 1 if gray else _PLANES
        warped(one[:kept], move[i], frame[i], made, inside)
        if gray:
            made[1:] = 0.0
        count = _eroded(inside, inner)
        if count < _FEWEST:
            continue
        # A window that was stretched lacks the finest detail of what it is compared with.
        area = abs(move[i, 2] * move[i, 5] - move[i, 3] * move[i, 4])
        scale = min(max(np.sqrt(area), 0.5), 1.0)
        _filtered(other[0], _FINEST / scale, target)
        _filtered(other[0], _BROADEST / scale, broad)
        _detail(target, broad, detail)
        for k in range(kept):
            _filtered(made[k], _FINEST / scale, fine[k])
        if not gray:
            _blend(fine, target, inner, count, blend)
        for start in (0, 3):
            if start == 3 and gray:
                for k in range(3):
                    found[i, 3 + k] = found[i, k]
                continue
            plane = fine[0] if start == 0 else blend
            rho, _ = _agreement(plane, target, inner, count)
            found[i, start] = 1.0 - max(rho, 0.0) ** 2
            _filtered(plane, np.sqrt(_BROADEST**2 - _FINEST**2) / scale, broad)
            _detail(plane, broad, own)
            found[i, start + 1], found[i, start + 2] = _agreement(own, detail, inner, count)
        if not (gray and _is_gray(other)):
            found[i, 6], found[i, 7] = _colours(made, other, inner, count, more)


@njit(nogil=True, fastmath=_FAST, error_model="numpy")
def _colours(made, other, inner, count, work):
    """Root mean square difference of the colours, and their correlation, both differences together."""
    side = len(inner)
    one, another = work[0], work[1]
    far, power_one, power_other, both = 0.0, 0.0, 0.0, 0.0
    for k in (1, 2):
        _filtered(made[k], 1.5, one)
        _filtered(other[k], 1.5, another)
        mean_one, mean_other = _means(one, another, inner, count)
        for y in range(side):
            for x in range(side):
                weight = inner[y, x]
                far += weight * (one[y, x] - another[y, x]) ** 2
                a, b = (one[y, x] - mean_one) * weight, (another[y, x] - mean_other) * weight
                power_one += a * a
                power_other += b * b
                both += a * b
    return np.sqrt(far / (2 * count)), both / np.sqrt(power_one * power_other + 1e-9)
