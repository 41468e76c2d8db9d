"""Small questions to boxes and polygons of one image: which cross themselves, which are the same, which fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Box", "crosses_itself", "overlap", "same_boxes"]

Box = tuple[float, float, float, float]
"""Left, top, width and height, pixels."""
Floats = npt.NDArray[np.float64]
_AT_ONCE = 256
"""Edges that are compared with all others at once: memory grows with the corners and not with their square."""


def crosses_itself(polygon: Sequence[float]) -> bool:
    """Whether two edges of a polygon cross; edges that merely touch do not.

    Parameters
    ----------
    polygon : sequence of float
        ``x1, y1, x2, y2, ...``, closed by itself.

    Notes
    -----
    Source: de Berg et al. (2008), "Computational Geometry", chapter 2: two edges cross where the ends of each lie on
    both sides of the other.

    Examples
    --------
    >>> crosses_itself((0, 0, 4, 4, 4, 0, 0, 4)), crosses_itself((0, 0, 4, 0, 4, 4, 0, 4))
    (True, False)
    """
    start = np.asarray(polygon, np.float64).reshape(-1, 2)
    end = np.roll(start, -1, axis=0)
    for first in range(0, len(start), _AT_ONCE):
        a, b = start[first : first + _AT_ONCE, None], end[first : first + _AT_ONCE, None]
        one = _side(a, b, start) * _side(a, b, end)
        other = _side(start, end, a) * _side(start, end, b)
        if np.any((one < 0) & (other < 0)):
            return True
    return False


def _side(a: Floats, b: Floats, point: Floats) -> Floats:
    """On which side of the line from a to b points lie: 1, 0 or -1."""
    along, to = b - a, point - a
    found: Floats = np.sign(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])
    return found


def overlap(one: Box, others: Floats) -> Floats:
    """Intersection over union of one box with others.

    Parameters
    ----------
    one : Box
    others : array ``[n, 4]``
        Of the same form.

    Examples
    --------
    >>> overlap((0, 0, 2, 2), np.array([[0.0, 0, 2, 2], [0, 0, 1, 2], [5, 5, 1, 1]])).tolist()
    [1.0, 0.5, 0.0]
    """
    x, y, w, h = one
    wide = np.minimum(x + w, others[:, 0] + others[:, 2]) - np.maximum(x, others[:, 0])
    high = np.minimum(y + h, others[:, 1] + others[:, 3]) - np.maximum(y, others[:, 1])
    both = np.maximum(wide, 0) * np.maximum(high, 0)
    union = w * h + others[:, 2] * others[:, 3] - both
    found: Floats = both / np.where(union > 0, union, np.inf)
    return found


def same_boxes(boxes: Sequence[Box], alike: float) -> Iterator[tuple[int, int]]:
    """Pairs of boxes that are the same, each box with the first before it alone.

    Parameters
    ----------
    boxes : sequence of Box
    alike : float
        Intersection over union from which on two are the same.

    Examples
    --------
    >>> list(same_boxes([(0, 0, 10, 10), (5, 5, 10, 10), (0, 0, 10, 10)], 0.9))
    [(0, 2)]
    """
    table = np.asarray(boxes, np.float64).reshape(-1, 4)
    for row in range(1, len(table)):
        same = np.flatnonzero(overlap(boxes[row], table[:row]) >= alike)
        if len(same):
            yield int(same[0]), row
