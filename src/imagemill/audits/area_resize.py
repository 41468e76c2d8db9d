"""Photos made a little smaller by the means of the areas that pixels cover, in a third of OpenCV's time."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.engine.shipped_kernels import njit

__all__ = ["made_smaller"]

_TAPS = 3
"""Pixels that one of less than twice their size covers at most."""


def made_smaller(rgb: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A photo ``[h, w, 3]`` of at most this height and width, each pixel the mean of what it covers.

    The values are those of ``cv2.resize`` with ``INTER_AREA``, but for ties between two of them.

    Examples
    --------
    >>> photo = np.arange(5 * 5 * 3, dtype=np.uint8).reshape(5, 5, 3)
    >>> made_smaller(photo, (4, 4))[0, :, 0].tolist()
    [4, 7, 11, 14]
    """
    (height, width), (high, wide) = rgb.shape[:2], size
    if not (high < height < 2 * high and wide < width < 2 * wide and min(height, width) >= _TAPS):
        return np.asarray(cv2.resize(rgb, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    out = np.empty((high, wide, 3), np.uint8)
    _area(np.ascontiguousarray(rgb), *_shares(height, high), *_shares(width, wide), out)
    return out


@lru_cache(maxsize=64)
def _shares(length: int, fewer: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """For each of fewer pixels the first that it covers ``[fewer]``, and how much of it three of them are."""
    edges = np.arange(fewer + 1) * (length / fewer)
    first = np.minimum(edges[:-1].astype(np.int64), length - _TAPS)
    pixels = first[:, None] + np.arange(_TAPS)
    low, high = np.maximum(pixels, edges[:-1, None]), np.minimum(pixels + 1, edges[1:, None])
    shares = np.maximum(high - low, 0)
    return first, (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


@njit(nogil=True, error_model="numpy")
def _area(rgb, top, down, left, across, out):
    values = rgb.shape[1] * 3
    line = np.empty(values, np.float32)
    for y in range(len(out)):
        line[:] = 0
        for k in range(_TAPS):
            share, row = down[y, k], rgb[top[y] + k].reshape(values)
            if share > 0:
                for x in range(values):
                    line[x] += share * np.float32(row[x])
        for x in range(out.shape[1]):
            # Three shares written out: a loop over them takes three times as long.
            at, one, two, three = 3 * left[x], across[x, 0], across[x, 1], across[x, 2]
            for channel in range(3):
                k = at + channel
                value = one * line[k] + two * line[k + 3] + three * line[k + 6]
                out[y, x, channel] = np.uint8(np.int32(value + np.float32(0.5)))
