"""Polygons through the maps of the pixels, cut where the frame or a padding window ends."""

from __future__ import annotations

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core.geometry import Floats
from imagemill.engine.annotations.points import push

__all__ = ["area", "clipped", "densely", "pushed"]

_STEP = 8.0
"""Longest piece of a polygon, in pixels, that goes through a bending map as a straight line."""


def pushed(stages: tuple[maps.Stage, ...], part: Floats) -> Floats:
    """Move a polygon ``(n, d)`` from the input of a chain to its output; a padding window cuts where it stands."""
    segment: list[maps.Stage] = []
    for stage in reversed(stages):
        if isinstance(stage, maps.Window):
            part = push(tuple(segment), part) if len(part) else part
            part = clipped(part, np.full(len(stage.shape), -0.5), np.array(stage.shape) - 0.5)
            segment = []
        else:
            segment.insert(0, stage)
    return push(tuple(segment), part) if len(part) else part


def clipped(part: Floats, low: Floats, high: Floats) -> Floats:
    """The part of a polygon ``(n, d)`` between two corners of a frame.

    Source: Sutherland and Hodgman (1974), "Reentrant polygon clipping", Communications of the ACM 17(1).

    Examples
    --------
    >>> triangle = np.array([[0.0, 0.0], [0.0, 4.0], [4.0, 0.0]])
    >>> clipped(triangle, np.array([-1.0, -1.0]), np.array([2.0, 9.0])).tolist()
    [[2.0, 0.0], [0.0, 0.0], [0.0, 4.0], [2.0, 2.0]]
    """
    for axis in range(part.shape[1]):
        for sign, bound in ((1.0, low[axis]), (-1.0, high[axis])):
            depth = sign * (part[:, axis] - bound)
            if (depth >= 0).all():
                continue
            kept: list[Floats] = []
            for here, this in enumerate(depth):
                before = depth[here - 1]
                if (this >= 0) != (before >= 0):
                    share = before / (before - this)
                    kept.append(part[here - 1] + share * (part[here] - part[here - 1]))
                if this >= 0:
                    kept.append(part[here])
            part = np.array(kept).reshape(-1, part.shape[1])
    return part


def densely(part: Floats) -> Floats:
    """The same polygon with more corners, so that a map that bends lines bends it."""
    ends = np.roll(part, -1, axis=0)
    pieces = np.maximum(1, np.ceil(np.linalg.norm(ends - part, axis=1) / _STEP)).astype(int)
    shares = [np.arange(count)[:, None] / count for count in pieces]
    return np.concatenate([a + share * (b - a) for a, b, share in zip(part, ends, shares, strict=True)])


def area(part: Floats) -> float:
    """Area inside a polygon ``(n, 2)``, by the shoelace formula."""
    one, two = part[:, 0], part[:, 1]
    return float(abs(one @ np.roll(two, -1) - two @ np.roll(one, -1)) / 2)
