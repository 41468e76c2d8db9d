"""What it means that parts of an image change places: of pixels, and of points in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.image_ops import Bools, Exchange

__all__ = ["moved_objects", "moved_points", "swapped"]

Array = np.ndarray[Any, Any]


def swapped(op: Exchange, row: int, src: Array, out: Array | None = None) -> Array:
    """One sample ``(*shape, C)`` with its boxes in each other's places; all channels where the scene moves.

    Parameters
    ----------
    src : array, ``(*shape, C)``
    out : array, ``(*shape, C)``, optional
        Where the result is written; it may be a view with any strides.

    Examples
    --------
    >>> op = Exchange(np.array([[[[0, 0], [0, 2], [1, 1]]]]), 1)
    >>> swapped(op, 0, np.array([[[1], [2], [3]]]))[..., 0]
    array([[3, 2, 1]])
    """
    made = np.empty_like(src) if out is None else out
    made[...] = src
    colours = made if op.masks else made[..., : op.channels]
    for first, other, sides in op.boxes[row].tolist():
        if all(sides):
            one, two = (tuple(slice(at, at + n) for at, n in zip(low, sides, strict=True)) for low in (first, other))
            kept = colours[one].copy()
            colours[one] = colours[two]
            colours[two] = kept
    return made


def moved_points(op: Exchange, row: int, indices: Floats) -> Floats:
    """Where points ``[k, d]`` are afterwards: each with the pixel it lies on."""
    found = indices.copy()
    for first, other, sides in op.boxes[row].astype(np.float64):
        if sides.all():
            one, two = (((found >= low - 0.5) & (found < low + sides - 0.5)).all(axis=1) for low in (first, other))
            found[one] += other - first
            found[two] += first - other
    return found


def moved_objects(op: Exchange, row: int, edges: Floats) -> tuple[Floats, Bools]:
    """How far objects with boxes ``(k, 2d)`` are moved, ``(k, d)``, and which of them are torn, ``(k,)``.

    Examples
    --------
    >>> op = Exchange(np.array([[[[0], [5], [5]]]]), 1)
    >>> moved_objects(op, 0, np.array([[0.5, 3.5], [3, 6], [6, 9]]))
    (array([[ 5.],
           [ 0.],
           [-5.]]), array([False,  True, False]))
    """
    d = edges.shape[1] // 2
    low, high = edges[:, :d], edges[:, d:]
    shift, torn = np.zeros_like(low), np.zeros(len(edges), bool)
    for first, other, sides in op.boxes[row].astype(np.float64):
        if not sides.all():
            continue
        here = low + shift, high + shift
        step = np.zeros_like(shift)
        for start, away in ((first, other - first), (other, first - other)):
            end = start + sides - 0.5
            whole = ((here[0] >= start - 0.5) & (here[1] <= end)).all(axis=1)
            torn |= ((here[0] < end) & (here[1] > start - 0.5)).all(axis=1) & ~whole
            step[whole] = away
        shift += step
    return shift, torn
