"""The mean of zoomed views of one image, without a call for each."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.simd import weigh_rgb

__all__ = ["mean_of_views", "only_scale"]

Array = np.ndarray[Any, Any]


def only_scale(matrices: Floats) -> bool:
    """Whether maps of a plane scale and shift its axes, and do nothing else."""
    return not matrices[:, 0, 1].any() and not matrices[:, 1, 0].any()


def mean_of_views(src: Array, matrices: Floats) -> Array:
    """The mean of the views of an image under maps that scale and shift, read linearly with edges that go on.

    Parameters
    ----------
    src : array ``(y, x, C)``
    matrices : array ``(views, 3, 3)``
        From indices of the view to those of the image.

    Returns
    -------
    array ``(y, x, C)``, float32
    """
    height, width, channels = src.shape
    count = len(matrices)
    rows, down = _places(matrices[:, 0, 0], matrices[:, 0, 2], height)
    columns, along = _places(matrices[:, 1, 1], matrices[:, 1, 2], width)
    made = np.empty((height, width * channels + 1), np.float32)
    flat = np.ascontiguousarray(src).reshape(height, width * channels)
    if channels == 3:
        # All views' rows side by side: then a pixel of the mean is one sum of pixels, two of each view.
        first = columns.T + np.arange(count) * width
        index = np.stack([first, first + (width > 1)], axis=2).reshape(width, -1).astype(np.int64)
        shares = np.stack([1 - along.T, along.T], axis=2).reshape(width, -1) / np.float32(count)
        _mean_of_rgb(flat, rows, down, index, shares, np.empty(count * width * 3 + 1, np.float32), made)
        return np.ascontiguousarray(made[:, :-1]).reshape(src.shape)
    # Of every value of a row, not of every pixel; without a sign, so that nothing is asked about indices below 0.
    columns = (columns[..., None] * channels + np.arange(channels)).reshape(count, -1).astype(np.uint32)
    along = np.repeat(along, channels, axis=1)
    total = np.zeros((height, width * channels), np.float32)
    _add_views(flat, channels, rows, down, columns, along, np.empty(width * channels, np.float32), total)
    total /= count
    return total.reshape(src.shape)


def _places(scale: Floats, shift: Floats, length: int) -> tuple[Array, Array]:
    """The first of the two pixels that each is read from, and the weight of the second, ``(views, length)``."""
    places = np.clip(scale[:, None] * np.arange(length) + shift[:, None], 0, length - 1)
    first = np.minimum(places.astype(np.int32), max(length - 2, 0))
    return first, (places - first).astype(np.float32)


@compiled.part
def _mixed_row(one, two, weight, line):
    for i in range(line.size):
        line[i] = np.float32(one[i]) + (np.float32(two[i]) - np.float32(one[i])) * weight


@compiled
def _mean_of_rgb(src, rows, down, index, shares, lines, made):
    """``lines`` holds a row of every view, and one number more; so has each row of ``made``."""
    height, size = src.shape
    for y in range(height):
        for view in range(rows.shape[0]):
            first = rows[view, y]
            second = min(first + 1, height - 1)
            _mixed_row(src[first], src[second], down[view, y], lines[view * size : (view + 1) * size])
        for x in range(index.shape[0]):
            weigh_rgb(lines, index, shares, x, made[y])


@compiled
def _add_views(src, channels, rows, down, columns, along, line, total):
    height, size = src.shape
    last = height - 1
    behind = np.uint32(channels if size > channels else 0)
    for y in range(height):
        for view in range(rows.shape[0]):
            first, weight = rows[view, y], down[view, y]
            second = min(first + 1, last)
            _mixed_row(src[first], src[second], weight, line)
            for i in range(size):
                one = line[columns[view, i]]
                total[y, i] += one + (line[columns[view, i] + behind] - one) * along[view, i]
