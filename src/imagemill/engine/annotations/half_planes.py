"""Closed and open lines in a plane, cut at straight edges. What falls apart comes out in parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import Floats

Numbers = npt.NDArray[np.integer[Any]]

__all__ = ["cut", "cut_line", "within"]


def within(ring: Floats, low: Floats, high: Floats, *, closed: bool = True) -> list[Floats]:
    """What of a ring (or an open line) ``(n, d)`` lies between two corners of a frame.

    Examples
    --------
    >>> u = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 2.0], [1.0, 2.0], [1.0, 4.0], [9.0, 4.0], [9.0, 6.0], [0.0, 6.0]])
    >>> [part.min(axis=0).tolist() for part in within(u, np.array([5.0, 0.0]), np.array([9.0, 9.0]))]
    [[5.0, 0.0], [5.0, 4.0]]
    """
    parts = [ring]
    for axis in range(ring.shape[1]):
        for sign, bound in ((1.0, low[axis]), (-1.0, high[axis])):
            found = []
            for part in parts:
                depth = sign * (part[:, axis] - bound)
                found += cut(part, depth) if closed else cut_line(part, depth)
            parts = found
    return parts


def cut(ring: Floats, depth: Floats) -> list[Floats]:
    """The parts of a ring ``(n, d)`` where ``depth``, given at its corners, is at least 0.

    Along the cutting edge the boundary goes in and out in turns, so that crossings belong together in pairs in the
    order in which they lie. Where that does not close (a ring that crosses itself), all stay one ring, which runs
    along the edge and back.

    Source: Sutherland and Hodgman (1974), "Reentrant polygon clipping", Communications of the ACM 17(1), for one edge
    after the other.
    """
    inside = depth >= 0
    if inside.all():
        return [ring]
    if not inside.any():
        return []
    n = len(ring)
    at = np.flatnonzero(inside != np.roll(inside, -1))
    # Ways in and out alternate; begin with one in.
    at = np.roll(at, -1) if inside[at[0]] else at
    crossings = _crossings(ring, depth, at, (at + 1) % n)
    pieces = []
    for k in range(0, len(at), 2):
        first, last = int(at[k]) + 1, int(at[k + 1])
        places = np.arange(first, last + 1 + (n if last < first else 0)) % n
        pieces.append(np.concatenate([crossings[k : k + 1], ring[places], crossings[k + 1 : k + 2]]))
    if len(pieces) == 1:
        return pieces
    return _joined(pieces, crossings)


def _joined(pieces: list[Floats], crossings: Floats) -> list[Floats]:
    """Pieces, each from the way in ``2 k`` to the way out ``2 k + 1``, closed along the edge."""
    far = np.abs(crossings - crossings[0]).sum(axis=1).argmax()
    order = np.argsort((crossings - crossings[0]) @ (crossings[far] - crossings[0]), kind="stable")
    partner = np.empty(len(order), np.int64)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    if (partner[1::2] % 2).any():
        return [np.concatenate(pieces)]
    found, left = [], set(range(len(pieces)))
    while left:
        start = here = min(left)
        chain = []
        while here in left:
            left.remove(here)
            chain.append(pieces[here])
            here = int(partner[2 * here + 1]) // 2
        if here != start:
            return [np.concatenate(pieces)]
        found.append(np.concatenate(chain))
    return found


def cut_line(line: Floats, depth: Floats) -> list[Floats]:
    """The parts of an open line ``(n, d)`` where ``depth``, given at its corners, is at least 0.

    Examples
    --------
    >>> zigzag = np.array([[0.0, 0.0], [0.0, 2.0], [1.0, 2.0], [1.0, 0.0]])
    >>> [part.tolist() for part in cut_line(zigzag, 1 - zigzag[:, 1])]
    [[[0.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 0.0]]]
    """
    inside = depth >= 0
    if inside.all():
        return [line]
    at = np.flatnonzero(inside[:-1] != inside[1:])
    crossings = _crossings(line, depth, at, at + 1)
    found, ends = [], [-1, *at.tolist(), len(line) - 1]
    for k in range(len(ends) - 1):
        first, last = ends[k] + 1, ends[k + 1]
        if not inside[first]:
            continue
        before = crossings[k - 1 : k] if k else crossings[:0]
        after = crossings[k : k + 1] if k < len(at) else crossings[:0]
        part = np.concatenate([before, line[first : last + 1], after])
        if len(part) > 1:
            found.append(part)
    return found


def _crossings(points: Floats, depth: Floats, one: Numbers, two: Numbers) -> Floats:
    """Where the pieces between two corners each cross the edge."""
    share = depth[one] / (depth[one] - depth[two])
    found: Floats = points[one] + share[:, None] * (points[two] - points[one])
    return found
