"""Quick ways to the numbers and sums that layers of weather are made of: the same numbers to the bit."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import Words
from imagemill.engine.altering.weather_layers import Tools
from imagemill.engine.backends.cpu.altering.convolution import trimmed
from imagemill.engine.backends.cpu.altering.pixel_noise import fill_normals, fill_words
from imagemill.engine.backends.cpu.compile import compiled

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


class _Quick:
    uniform = staticmethod(uniform)

    @staticmethod
    def normal(stream: Words, field: int, count: int) -> Floats:
        out = np.empty(count)
        fill_normals(int(stream[0]), int(stream[1]), field, numbers.normal_table(), out)
        return out

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
    def distance(inside: Array) -> Floats:
        found = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        # Squares of distances are whole numbers; what OpenCV makes of them is a little off, and not always alike.
        exact: Floats = np.sqrt(np.rint(np.asarray(found, np.float64) ** 2))
        return exact


QUICK: Tools = _Quick()
"""numba and OpenCV."""
