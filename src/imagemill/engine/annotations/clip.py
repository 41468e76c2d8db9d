"""Closed lines cut at a frame, in compiled code."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.shipped_kernels import njit


def clipped(ring: Floats, upper: Floats) -> Floats:
    """The part of a closed line of points ``(n, d)`` inside ``-0.5 .. upper``.

    Source: Sutherland and Hodgman (1974), "Reentrant polygon clipping", Communications of the ACM 17(1).

    Examples
    --------
    >>> triangle = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]])
    >>> clipped(triangle, np.array([2.0, 9.0])).tolist()
    [[0.0, 0.0], [0.0, 4.0], [2.0, 2.0], [2.0, 0.0]]
    """
    found: Floats = _clipped(np.ascontiguousarray(ring), upper)
    return found


def area(ring: Floats) -> float:
    """Of what a closed line ``(n, 2)`` goes around (Gauss's shoelace).

    Examples
    --------
    >>> area(np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]]))
    8.0
    """
    return float(_area(np.ascontiguousarray(ring)))


@njit(nogil=True)
def _clipped(ring, upper):
    points = ring
    for axis in range(ring.shape[1]):
        for sign, bound in ((1.0, -0.5), (-1.0, upper[axis])):
            count = len(points)
            # Each point may be kept, and each piece of the line may cross the bound.
            kept = np.empty((2 * count, ring.shape[1]))
            n = 0
            for i in range(count):
                j = (i + 1) % count
                depth, next_depth = sign * (points[i, axis] - bound), sign * (points[j, axis] - bound)
                if depth >= 0:
                    # Number by number: of rows, numba compiles messages about shapes as well, for seconds.
                    for a in range(ring.shape[1]):
                        kept[n, a] = points[i, a]
                    n += 1
                if (depth >= 0) != (next_depth >= 0):
                    # The place where the line crosses the bound.
                    share = depth / (depth - next_depth)
                    for a in range(ring.shape[1]):
                        kept[n, a] = points[i, a] + share * (points[j, a] - points[i, a])
                    n += 1
            points = kept[:n]
    return points


@njit(nogil=True)
def _area(ring):
    total = 0.0
    for i in range(len(ring)):
        a, b = ring[i], ring[(i + 1) % len(ring)]
        total += a[0] * b[1] - a[1] * b[0]
    return abs(total) / 2
