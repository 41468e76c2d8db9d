"""Which pixels lie in boxes that are turned in the plane of y and x: each box looks at the pixels about it alone."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math

import numpy as np

from imagemill.core.image_ops import Bools, Erase
from imagemill.engine.altering import erase_values
from imagemill.engine.backends.cpu.compile import exactly

__all__ = ["fill_where", "inside", "straight"]


@exactly
def _mark(m, back, boxes, where):
    height, width = where.shape
    for k in range(len(boxes)):
        y0, y1 = boxes[k, 0, 0] - 0.5, boxes[k, 0, 1] - 0.5
        x0, x1 = boxes[k, 1, 0] - 0.5, boxes[k, 1, 1] - 0.5
        if y0 >= y1 or x0 >= x1:
            continue
        top, bottom, left, right = np.inf, -np.inf, np.inf, -np.inf
        for y in (y0, y1):
            for x in (x0, x1):
                py, px = back[0, 0] * y + back[0, 1] * x + back[0, 2], back[1, 0] * y + back[1, 1] * x + back[1, 2]
                top, bottom, left, right = min(top, py), max(bottom, py), min(left, px), max(right, px)
        # A pixel more on each side: what is inside is decided below.
        for i in range(max(math.floor(top) - 1, 0), min(math.ceil(bottom) + 2, height)):
            for j in range(max(math.floor(left) - 1, 0), min(math.ceil(right) + 2, width)):
                qy, qx = m[0, 0] * i + m[0, 1] * j + m[0, 2], m[1, 0] * i + m[1, 1] * j + m[1, 2]
                if y0 <= qy < y1 and x0 <= qx < x1:
                    where[i, j] = True


@exactly
def fill_where(pixels, where, fill):
    """The leading channels of ``(n, C)`` where it is asked for."""
    for i in range(len(pixels)):
        if where[i]:
            for c in range(len(fill)):
                pixels[i, c] = fill[c]


def inside(op: Erase, row: int, shape: tuple[int, ...]) -> Bools:
    """As :func:`imagemill.engine.altering.erase_values.inside`; slices of volumes are alike."""
    assert op.turn is not None
    boxes, m = op.boxes[row], op.turn[row]
    if len(shape) == 3:
        plain = np.eye(4)
        plain[1:, 1:] = m[1:, 1:]
        if (boxes[:, 0] != (0, shape[0])).any() or (m != plain).any():
            return erase_values.inside(op, row, shape)
        boxes, m = boxes[:, 1:], m[1:, 1:]
    where = np.zeros(shape[-2:], np.bool_)
    _mark(np.ascontiguousarray(m), np.linalg.inv(m), np.ascontiguousarray(boxes), where)
    return where if len(shape) == 2 else np.broadcast_to(where, shape)


def straight(op: Erase, row: int, shape: tuple[int, ...]) -> list[tuple[slice, ...]] | None:
    """The same as slices, empty ones left out, where boxes of a picture are moved and not turned; None elsewhere."""
    assert op.turn is not None
    m = op.turn[row]
    d = len(shape)
    if d != 2 or m[0, 1] or m[1, 0] or min(m[0, 0], m[1, 1]) <= 0:
        return None
    edges = op.boxes[row] - 0.5
    spans = []
    for axis, n in enumerate(shape):
        # The places of pixels, to the last bit as `_mark` has them; they ascend.
        places = m[axis, axis] * np.arange(n, dtype=np.float64) + m[axis, 2]
        spans.append(np.searchsorted(places, edges[:, axis]).tolist())
    pairs = zip(*spans, strict=True)
    return [(slice(*y), slice(*x)) for y, x in pairs if y[0] < y[1] and x[0] < x[1]]
