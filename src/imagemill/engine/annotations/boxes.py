"""Boxes through the maps of the pixels: carried as what they really become, made upright once, at the end.

A turned box is no upright box. It is carried as the polygon of its corners (with more points along the edges
where a map bends them) and cut at the frame *before* the upright box around it is taken, so a box that is
partly outside hugs what is left of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from imagemill.core import coordinate_maps as maps
from imagemill.core.geometry import Floats
from imagemill.engine.annotations.points import push

_TOLERANCE = 0.1
"""Pixels by which, by a generous estimate, a bent edge may leave the straight pieces it is carried as.

Bounds of boxes came out a fifth of that beside those of dense polygons, and closer.
"""
_PIECES = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96])
"""Into how many pieces edges are cut: few numbers, so that many boxes share one."""
_MOST = {2: 96, 3: 32}

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Boxes on their way.

    Parameters
    ----------
    points : array, ``(k, m, d)``
        Points on the surface of each box; ``nan`` for a box that is gone.
    pieces : int
        Into how many straight pieces each edge is cut, because some map bends it; 1 where none does.
    share : array, ``(k,)``
        How much of each box has been left by the windows it went through, 0 to 1.
    cuts : bool
        Whether padding windows cut; without, boxes go on whole.
    """

    points: Floats
    pieces: int
    share: Floats
    cuts: bool = True

    @classmethod
    def of(cls, edges: Floats, *, pieces: int = 1, cuts: bool = True) -> Outlines:
        """The boundaries of upright boxes ``(k, 2d)``."""
        d = edges.shape[1] // 2
        low, high = edges[:, None, :d], edges[:, None, d:]
        return cls(low + (high - low) * _lattice(d, pieces), pieces, np.ones(len(edges)), cuts)

    def without(self, lost: npt.NDArray[np.bool_]) -> Outlines:
        """The same, but for some that are gone."""
        if not lost.any():
            return self
        points = np.where(lost.reshape(-1, 1, 1), np.nan, self.points)
        return Outlines(points, self.pieces, np.where(lost, 0.0, self.share), self.cuts)

    def pushed(self, stages: tuple[maps.Stage, ...]) -> Outlines:
        """Moved from the input of a chain to its output; a padding window cuts where it stands."""
        outlines, segment = self, list[maps.Stage]()
        for stage in reversed(stages):
            if isinstance(stage, maps.Window):
                if self.cuts:
                    outlines, segment = outlines._moved(tuple(segment))._through(stage.shape), []
            else:
                segment.insert(0, stage)
        return outlines._moved(tuple(segment))

    def _moved(self, stages: tuple[maps.Stage, ...]) -> Outlines:
        if not stages or not self.points.size:
            return self
        _, m, d = self.points.shape
        there = ~np.isnan(self.points).any(axis=(1, 2))
        points = np.full_like(self.points, np.nan)
        points[there] = push(stages, self.points[there].reshape(-1, d)).reshape(-1, m, d)
        return Outlines(points, self.pieces, self.share, self.cuts)

    def _through(self, shape: tuple[int, ...]) -> Outlines:
        """Cut at a window: what juts out of it goes on as the upright box around what is left, the rest as it is."""
        edges, share = self.seen(shape)
        if share is self.share:
            return self
        left = Outlines.of(edges, pieces=self.pieces)
        cut = np.any(edges != self.whole(), axis=1).reshape(-1, 1, 1)
        return Outlines(np.where(cut, left.points, self.points), self.pieces, share)

    def whole(self) -> Floats:
        """The upright boxes ``(k, 2d)`` around each, wherever it lies."""
        return np.concatenate([self.points.min(axis=1), self.points.max(axis=1)], axis=1)

    def within(self, shape: tuple[int, ...]) -> Floats:
        """The upright boxes ``(k, 2d)`` around what lies inside a frame; ``nan`` where nothing does."""
        return self.seen(shape)[0]

    def seen(self, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
        """The upright boxes around what lies inside a frame, and the share of each box that does."""
        d = len(shape)
        upper = np.array(shape, dtype=np.float64) - 0.5
        edges = self.whole()
        inside = ((edges[:, :d] >= -0.5) & (edges[:, d:] <= upper)).all(axis=1)
        if inside.all():
            return edges, self.share
        part: Floats = np.array(inside, dtype=np.float64)
        out = np.flatnonzero(~inside & ~np.isnan(edges[:, 0]))
        points, around = self.points[out], edges[out, None]
        # Most maps turn nothing: then cutting a box is cutting its edges, for all of them at once.
        if ((points == around[..., :d]) | (points == around[..., d:])).all():
            edges[out], part[out] = _cut_upright(edges[out], upper)
        else:
            for i in out.tolist():
                edges[i], part[i] = self._cut(self.points[i], edges[i], upper)
        return edges, part * self.share

    def _cut(self, points: Floats, edges: Floats, upper: Floats) -> tuple[Floats, float]:
        # Here, so that plans can be made without loading a compiler.
        from imagemill.engine.annotations.clip import area, clipped

        d = len(upper)
        if d == 3 and self.pieces > 1:
            # The faces are curved: the box around the whole, cut, is an upper bound of what is left.
            left = np.clip(edges, -0.5, np.tile(upper, 2))
            before, after = (float(np.prod(e[d:] - e[:d])) for e in (edges, left))
        else:
            rings = [clipped(points[ring], upper) for ring in _rings(d, self.pieces)]
            kept = np.concatenate(rings + ([_corners_inside(points, upper)] if d == 3 else []))
            if not len(kept):
                return np.full(2 * d, np.nan), 0.0
            left = np.concatenate([kept.min(axis=0), kept.max(axis=0)])
            before, after = (_volume(points), _volume(kept)) if d == 3 else (area(points), area(kept))
        # A box without extent must itself lie inside; any other must keep some.
        flat = edges[d:] == edges[:d]
        if flat.all() or not ((left[d:] > left[:d]) | flat).all():
            return np.full(2 * d, np.nan), 0.0
        # Of a box without area, what is left of its length is not told: it is there.
        return left, min(1.0, after / before) if before > 0 else 1.0


def _cut_upright(edges: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Upright boxes ``(k, 2d)`` cut at a frame, and the share of each that is left; ``nan`` and 0 where nothing is."""
    d = len(upper)
    low, high = edges[:, :d], edges[:, d:]
    left = np.clip(edges, -0.5, np.tile(upper, 2))
    size, rest = high - low, left[:, d:] - left[:, :d]
    # An axis along which a box has no extent must itself lie inside; any other must keep some.
    flat = size == 0
    there = np.all(np.where(flat, low == left[:, :d], rest > 0), axis=1).reshape(-1, 1)
    share = np.where(flat.any(axis=1), 1.0, (rest / np.where(flat, 1.0, size)).prod(axis=1))
    return np.where(there, left, np.nan), np.where(there[:, 0], share, 0.0)


@cache
def _lattice(d: int, pieces: int) -> Floats:
    """Points on the surface of the unit box ``(m, d)``: a ring in the plane, a lattice in space."""
    if d == 2:
        steps = np.arange(pieces) / pieces
        one, none = np.ones_like(steps), np.zeros_like(steps)
        sides = [(none, steps), (steps, one), (one, 1 - steps), (1 - steps, none)]
        return np.concatenate([np.stack(side, axis=1) for side in sides])
    ticks = np.linspace(0.0, 1.0, pieces + 1)
    lattice = np.array(np.meshgrid(ticks, ticks, ticks, indexing="ij")).reshape(3, -1).T
    surface: Floats = lattice[((lattice == 0) | (lattice == 1)).any(axis=1)]
    return surface


@cache
def _rings(d: int, pieces: int) -> tuple[Indices, ...]:
    """Which points, in order, make a closed line: the outline in the plane, the six faces in space."""
    if d == 2:
        return (np.arange(len(_lattice(2, pieces))),)
    corners = _lattice(3, 1)
    rings = []
    for axis in range(3):
        for side in (0.0, 1.0):
            face = np.flatnonzero(corners[:, axis] == side)
            # Of the four, in order of index, the last two change places to make a ring.
            rings.append(face[[0, 1, 3, 2]])
    return tuple(rings)


def _volume(points: Floats) -> float:
    """Of the convex body with these corners; 0 where it is flat."""
    extent = points.max(axis=0) - points.min(axis=0)
    if len(points) < 4 or not (extent > 0).all():
        return 0.0
    from scipy.spatial import ConvexHull, QhullError  # here: only boxes in volumes that are cut need it

    try:
        return float(ConvexHull(points).volume)
    except QhullError:  # flat, and turned
        return 0.0


def _corners_inside(points: Floats, upper: Floats) -> Floats:
    """Corners of the frame that lie inside a convex body given by the eight corners of a moved box."""
    frame = -0.5 + _lattice(3, 1) * (upper + 0.5)
    middle = points.mean(axis=0)
    inside = np.ones(len(frame), dtype=bool)
    for ring in _rings(3, 1):
        a, b, c = points[ring[:3]]
        normal = np.cross(b - a, c - a)
        inside &= (frame - a) @ normal * ((middle - a) @ normal) >= 0
    return frame[inside]


def bending(chains: Sequence[tuple[maps.Stage, ...]]) -> bool:
    """Whether any of these chains bends a straight line."""
    return any(isinstance(stage, maps.Displace) for chain in chains for stage in chain)


def grouped(chains: Sequence[tuple[maps.Stage, ...]], edges: Floats) -> list[tuple[int, Indices]]:
    """Boxes ``(k, 2d)`` by the number of pieces that their edges must be cut into to follow the maps' bends."""
    if not bending(chains) or not len(edges):
        return [(1, np.arange(len(edges)))]
    d = edges.shape[1] // 2
    # An edge of length l, cut into n, leaves its n pieces by at most l ** 2 / n ** 2 / 8 times its second derivative.
    wanted = np.sqrt(_bends(chains, edges) / (8 * _TOLERANCE))
    most = int(np.searchsorted(_PIECES, _MOST[d]))
    # Of what is no number (behind the horizon of a perspective) all that can be had.
    kind = np.searchsorted(_PIECES[:most], np.nan_to_num(wanted, nan=np.inf))
    return [(int(_PIECES[i]), np.flatnonzero(kind == i)) for i in np.unique(kind).tolist()]


def _bends(chains: Sequence[tuple[maps.Stage, ...]], edges: Floats) -> Floats:
    """Second derivative ``(k,)`` of the most bent edge of each box, over 0 to 1 along it, in pixels that come out.

    Estimated from the second differences of the lattices, along the edges as the matrices alone move them.
    """
    d = edges.shape[1] // 2
    corners = Outlines.of(edges).points
    found, longest = np.zeros(len(edges)), np.linalg.norm(edges[:, d:] - edges[:, :d], axis=1)
    for stage in (stage for chain in chains for stage in reversed(chain)):
        if isinstance(stage, maps.Matrix):
            before = longest
            corners = push((stage,), corners.reshape(-1, d)).reshape(corners.shape)
            longest = np.linalg.norm(np.ptp(corners, axis=1), axis=1)
            found = found * (longest / np.maximum(before, 1e-9))
        elif isinstance(stage, maps.Displace):
            per_cell = np.array(stage.cells) / stage.shape
            curve = [np.abs(np.diff(stage.grid, 2, axis=1 + a)).max() * per_cell[a] ** 2 for a in range(d)]
            # Where a map squeezes, its inverse stretches, bends and all.
            stretch = 1 / max(0.25, 1 - 1.8 * stage.strength)
            sides = np.abs(corners[:, _edges(d)[0]] - corners[:, _edges(d)[1]])
            found = found + stretch * ((sides @ np.sqrt(curve)) ** 2).max(axis=1)
    return found


@cache
def _edges(d: int) -> tuple[Indices, Indices]:
    """The corners of a box that its edges begin and end at."""
    corners = _lattice(d, 1)
    one, two = np.nonzero(np.triu(np.abs(corners[:, None] - corners).sum(axis=2) == 1))
    return one, two
