"""Boxes and polygons cut at the edges of their picture, for layouts that write places as parts of its size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imagemill.data.layouts.export_files import Export
from imagemill.engine.annotations.half_planes import within

__all__ = ["cut_box", "cut_polygon", "share"]

_ROUNDING = 1e-6
_BEYOND = "cut at the edge: trainers refuse pictures with places below 0 or over 1"
_OUTSIDE = "left out: the layout has no place for them"


def share(value: float, length: int) -> float:
    """A place as a part of a length; rounding does not carry it over the edge, where trainers drop the picture.

    Examples
    --------
    >>> share(5, 20), share(20.0000001, 20)
    (0.25, 1.0)
    """
    return min(1.0, max(0.0, value / length))


def cut_box(
    job: Export, box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float] | None:
    """A box within its picture; None for one outside."""
    (x, y, w, h), (height, width) = box, size
    left, top, right, bottom = max(x, 0.0), max(y, 0.0), min(x + w, width), min(y + h, height)
    if left > right or top > bottom or ((left == right and w > 0) or (top == bottom and h > 0)):
        job.lose("boxes outside their picture", _OUTSIDE)
        return None
    if max(left - x, top - y, x + w - right, y + h - bottom) <= _ROUNDING:
        return box
    job.lose("boxes that stand out of their picture", _BEYOND)
    return left, top, right - left, bottom - top


def cut_polygon(job: Export, part: Sequence[float], size: tuple[int, int]) -> list[Sequence[float]]:
    """What of a polygon is within its picture: none of one outside, several parts where a concave one falls apart."""
    corners = np.array(part, dtype=np.float64).reshape(-1, 2)
    far = np.array(size[::-1], dtype=np.float64)
    if (corners >= -_ROUNDING).all() and (corners <= far + _ROUNDING).all():
        return [part]
    inside = [one for one in within(corners, np.zeros(2), far) if len(one) >= 3]
    if not inside:
        job.lose("polygons outside their picture", _OUTSIDE)
        return []
    job.lose("polygons that stand out of their picture", _BEYOND)
    return [one.ravel().tolist() for one in inside]
