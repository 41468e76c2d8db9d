"""What an erasure means, in float64: which pixels lie in its boxes, and what stands there then."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.image_ops import Bools, Erase
from imagemill.core.packed import unpacked
from imagemill.core.randomness import pixel_numbers as numbers

__all__ = ["boxes_of", "erased", "gone", "inside"]

Array = np.ndarray[Any, Any]
_SAME = 0.5
"""Intersection over union from which on a box is that of an object."""


def boxes_of(op: Erase, row: int, shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """The boxes that lie along the axes, cut at the frame; empty ones left out."""
    kept = []
    for box in op.boxes[row].tolist():
        found = tuple(slice(max(low, 0), min(high, n)) for (low, high), n in zip(box, shape, strict=True))
        if all(part.start < part.stop for part in found):
            kept.append(found)
    return kept


def inside(op: Erase, row: int, shape: tuple[int, ...]) -> Bools:
    """Which pixels of a frame are filled: those whose centre lies in the boxes, and those of the region."""
    found = np.zeros(shape, bool) if op.region is None else unpacked(op.region[row], shape)
    if op.turn is None:
        for box in boxes_of(op, row, shape):
            found[box] = True
        return found
    d = len(shape)
    m = op.turn[row]
    q = np.tensordot(m[:d, :d], np.indices(shape, dtype=np.float64), axes=1) + m[:d, d].reshape((d,) + (1,) * d)
    for box in op.boxes[row].astype(np.float64):
        low, high = (edge.reshape((d,) + (1,) * d) - 0.5 for edge in box.T)
        found |= ((q >= low) & (q < high)).all(axis=0)
    return found


def erased(op: Erase, row: int, values: Floats, peak: float) -> Floats:
    """One sample's image with its boxes filled.

    Parameters
    ----------
    values : array, ``(*shape, C)``, float64
        The colours alone.
    peak : float
        White of the values.
    """
    where = inside(op, row, values.shape[:-1])[..., None]
    made: Floats = np.where(where, filling(op, row, values, peak), values)
    return made


def filling(op: Erase, row: int, values: Array, peak: float) -> Floats:
    """What would stand everywhere, if all were erased; broadcasts over the values."""
    if op.fill == "value":
        assert op.values is not None
        own: Floats = op.values[row]
        return own
    if op.fill == "mean":
        found: Floats = values.reshape(-1, values.shape[-1]).mean(axis=0, dtype=np.float64)
        return found
    assert op.stream is not None
    return peak * numbers.uniform(op.stream[row], numbers.EACH_VALUE, values.size).reshape(values.shape)


def hidden(op: Erase, row: int, indices: Floats) -> Bools:
    """Which points ``[k, d]`` lie in a box, or on a pixel of the region."""
    if op.region is not None and op.shape is not None:
        shape = tuple(op.shape[row].tolist())
        near = np.floor(indices + 0.5)
        there = ((near >= 0) & (near < np.array(shape))).all(axis=1)
        found = np.zeros(len(indices), bool)
        found[there] = unpacked(op.region[row], shape)[tuple(near[there].astype(np.int64).T)]
        return found
    if op.turn is not None:
        d = indices.shape[1]
        indices = indices @ op.turn[row, :d, :d].T + op.turn[row, :d, d]
    boxes = op.boxes[row].astype(np.float64)
    low, high = boxes[None, :, :, 0] - 0.5, boxes[None, :, :, 1] - 0.5
    places = indices[:, None, :]
    inside_one: Bools = ((places >= low) & (places < high)).all(axis=2).any(axis=1)
    return inside_one


def gone(op: Erase, row: int, edges: Floats) -> Bools:
    """Which boxes ``(k, 2d)`` belong to objects that are gone: by the object whose box they overlap best.

    Examples
    --------
    >>> objects = np.array([[[1.0, -0.5, -0.5, 3.5, 3.5], [0, 3.5, 3.5, 9.5, 9.5]]])
    >>> op = Erase(np.zeros((1, 1, 2, 2), np.int64), 1, "mean", objects=objects)
    >>> gone(op, 0, np.array([[0, 0, 3, 3.0], [4, 4, 9, 9], [0, 0, 9, 9]])).tolist()
    [True, False, False]
    """
    assert op.objects is not None
    objects = op.objects[row]
    objects = objects[~np.isnan(objects[:, 0])]
    if not len(objects) or not len(edges):
        return np.zeros(len(edges), bool)
    d = edges.shape[1] // 2
    box, other = edges[:, None], objects[None, :, 1:]
    common = np.clip(np.minimum(box[..., d:], other[..., d:]) - np.maximum(box[..., :d], other[..., :d]), 0, None)
    both = common.prod(axis=2)
    either = (box[..., d:] - box[..., :d]).prod(axis=2) + (other[..., d:] - other[..., :d]).prod(axis=2) - both
    share = np.nan_to_num(both / np.where(either > 0, either, 1.0))
    best = share.argmax(axis=1)
    found: Bools = (share[np.arange(len(edges)), best] >= _SAME) & (objects[best, 0] == 1)
    return found
