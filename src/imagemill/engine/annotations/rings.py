"""Rings and lines through the maps of the pixels: bent where the map bends them, cut where a window or the frame ends.

All rings of a sample are moved together, as one array of corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from imagemill.core import coordinate_maps as maps
from imagemill.core import geometry as geo
from imagemill.core.annotated.polygons import ring_area
from imagemill.core.geometry import Floats
from imagemill.engine.annotations.half_planes import cut, cut_line, within
from imagemill.engine.annotations.points import push

__all__ = ["Rings", "finest"]

TOLERANCE = 0.1
"""Pixels of the frame that comes out by which a bent edge may leave the straight pieces it is carried as."""
_HALVINGS = 7
"""Most times that an edge is halved, beside the pieces it begins as."""
_HORIZON = 1e-3
"""Share of the largest distance from the horizon of a perspective, below which nothing is carried on."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """Rings on their way.

    Parameters
    ----------
    points : array, ``(p, 2)``
        Corners of all rings, one ring after the other, in index coordinates.
    lengths : array of int, ``(r,)``
        How many corners each ring has.
    owner : array of int, ``(r,)``
        The annotation that each ring is of.
    share : array, ``(k,)``
        How much of each annotation has been left by the windows it went through, 0 to 1.
    closed : bool
    cuts : bool
        Whether padding windows cut; without, rings go on whole.
    tolerance : float
        Pixels, of where the rings are, by which bent edges may be missed.
    """

    points: Floats
    lengths: Ints
    owner: Ints
    share: Floats
    closed: bool = True
    cuts: bool = True
    tolerance: float = TOLERANCE

    @classmethod
    def of(
        cls,
        rings: Sequence[Floats],
        owner: Ints,
        count: int,
        *,
        closed: bool = True,
        cuts: bool = True,
        tolerance: float,
    ) -> Rings:
        """Rings ``(n, 2)`` in index coordinates, of ``count`` annotations."""
        points = np.concatenate([*rings, np.zeros((0, 2))])
        lengths = np.array([len(ring) for ring in rings], np.int64)
        return cls(points, lengths, owner, np.ones(count), closed, cuts, tolerance)

    def rings(self) -> list[Floats]:
        """Each ring by itself."""
        return np.split(self.points, np.cumsum(self.lengths)[:-1]) if len(self.lengths) else []

    def by_owner(self) -> list[list[Floats]]:
        """The rings of each annotation."""
        found: list[list[Floats]] = [[] for _ in self.share]
        for ring, owner in zip(self.rings(), self.owner.tolist(), strict=True):
            found[owner].append(ring)
        return found

    def around(self) -> Floats:
        """The upright box ``(k, 4)`` around each annotation's rings; ``nan`` where there are none."""
        found = np.full((len(self.share), 4), np.nan)
        for i, rings in enumerate(self.by_owner()):
            if rings:
                points = np.concatenate(rings)
                found[i] = np.concatenate([points.min(axis=0), points.max(axis=0)])
        return found

    def size(self) -> Floats:
        """Area of each annotation's rings, of lines the length."""
        measured = [ring_area(ring) if self.closed else _length(ring) for ring in self.rings()]
        found: Floats = np.zeros(len(self.share))
        np.add.at(found, self.owner, measured)
        return found

    def pushed(self, stages: tuple[maps.Stage, ...]) -> Rings:
        """Moved from the input of a chain to its output; a padding window cuts where it stands."""
        here = self
        for stage in reversed(stages):
            if not len(here.points):
                return here
            if isinstance(stage, maps.Window):
                here = here.seen(stage.shape) if self.cuts else here
            elif isinstance(stage, maps.Matrix):
                here = here._before_horizon(stage) if stage.projective else here
                here = replace(here, points=push((stage,), here.points))
            else:
                here = here._bent(stage)
        return here

    def seen(self, shape: tuple[int, ...]) -> Rings:
        """What of them lies inside a frame; the share of each annotation that is left is taken down."""
        upper = np.array(shape) - 0.5
        outside = ((self.points < -0.5) | (self.points > upper)).any(axis=1)
        if not outside.any():
            return self
        touched = np.add.reduceat(outside, self._starts()) > 0
        return self._parted(touched, lambda ring: within(ring, np.full(2, -0.5), upper, closed=self.closed))

    # ------------------------------------------------------------------------------------------- parts of it

    def _starts(self) -> Ints:
        return np.cumsum(self.lengths) - self.lengths

    def _parted(self, touched: npt.NDArray[np.bool_], parts: object) -> Rings:
        """With some rings replaced by what is left of them."""
        before = self.size()
        rings, owner = list[Floats](), list[int]()
        for ring, of, is_cut in zip(self.rings(), self.owner.tolist(), touched.tolist(), strict=True):
            left = [one for one in parts(ring) if self._counts(one)] if is_cut else [ring]  # type: ignore[operator]
            rings += left
            owner += [of] * len(left)
        made = Rings.of(rings, np.array(owner, np.int64), len(self.share), tolerance=self.tolerance)
        made = replace(made, closed=self.closed, cuts=self.cuts)
        after = made.size()
        share = np.where(before > 0, np.minimum(1.0, after / np.where(before > 0, before, 1.0)), after > 0)
        return replace(made, share=self.share * share)

    def _counts(self, ring: Floats) -> bool:
        return ring_area(ring) > 0 if self.closed else _length(ring) > 0

    def _before_horizon(self, stage: maps.Matrix) -> Rings:
        """What is in front of the horizon of a perspective: the rest is nowhere."""
        last = geo.inverse(stage.m)[-1]
        distance = self.points @ last[:-1] + last[-1]
        # The frame itself is on one side of it, and so is its origin.
        sign = 1.0 if last[-1] >= 0 else -1.0
        depth = sign * distance - _HORIZON * abs(last[-1])
        if (depth >= 0).all():
            return self
        touched = np.add.reduceat(depth < 0, self._starts()) > 0

        def parts(ring: Floats) -> list[Floats]:
            there = sign * (ring @ last[:-1] + last[-1]) - _HORIZON * abs(last[-1])
            return cut(ring, there) if self.closed else cut_line(ring, there)

        return self._parted(touched, parts)

    def _bent(self, stage: maps.Displace) -> Rings:
        """Through a map that bends, with as many more corners as follow it."""
        cell = min(n / c for n, c in zip(stage.shape, stage.cells, strict=True)) / 2
        here, _ = self._finer(np.maximum(1, np.ceil(self._edge_lengths() / cell)).astype(np.int64))
        points, moved = here.points, push((stage,), here.points)
        open_edges = here._is_edge()
        for _ in range(_HALVINGS):
            at = np.flatnonzero(open_edges)
            if not at.size:
                break
            ends = here._next()[at]
            middle = (points[at] + points[ends]) / 2
            bent = push((stage,), middle)
            far = np.linalg.norm(bent - (moved[at] + moved[ends]) / 2, axis=1) > self.tolerance
            at, middle, bent = at[far], middle[far], bent[far]
            ring = np.repeat(np.arange(len(here.lengths)), here.lengths)[at]
            lengths = here.lengths + np.bincount(ring, minlength=len(here.lengths))
            open_edges = np.zeros(len(points), bool)
            open_edges[at] = True
            points, moved = np.insert(points, at + 1, middle, axis=0), np.insert(moved, at + 1, bent, axis=0)
            open_edges = np.insert(open_edges, at + 1, True)
            here = replace(here, points=points, lengths=lengths)
        return replace(here, points=moved)

    def _finer(self, pieces: Ints) -> tuple[Rings, Ints]:
        """With each edge cut into so many equal pieces."""
        pieces = np.where(self._is_edge(), pieces, 1)
        if (pieces == 1).all():
            return self, pieces
        start = np.repeat(np.arange(len(pieces)), pieces)
        share = (np.arange(len(start)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[start]
        ends = self._next()[start]
        points = self.points[start] + share[:, None] * (self.points[ends] - self.points[start])
        lengths = np.add.reduceat(pieces, self._starts())
        return replace(self, points=points, lengths=lengths), pieces

    def _next(self) -> Ints:
        """The corner behind each: behind the last of a ring comes its first."""
        found = np.arange(1, len(self.points) + 1)
        ends = np.cumsum(self.lengths) - 1
        found[ends] = self._starts()
        return found

    def _is_edge(self) -> npt.NDArray[np.bool_]:
        """Whether a piece goes from each corner to the next: not from the end of an open line."""
        found = np.ones(len(self.points), bool)
        if not self.closed:
            found[np.cumsum(self.lengths) - 1] = False
        return found

    def _edge_lengths(self) -> Floats:
        return np.asarray(np.linalg.norm(self.points[self._next()] - self.points, axis=1))


def _length(line: Floats) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def finest(chains: Sequence[tuple[maps.Stage, ...]], shape: tuple[int, ...]) -> float:
    """The tolerance, in pixels of where a map bends, that is kept in the frame that comes out.

    Parameters
    ----------
    chains : sequence of chains
        In the order in which they run.
    shape : tuple of int
        Of the frame that comes out.
    """
    grown, found = 1.0, 1.0
    middle = (np.array(shape) - 1) / 2
    # From the output on backwards: by how much the matrices behind a bend magnify.
    for stage in (stage for chain in reversed(chains) for stage in chain):
        if isinstance(stage, maps.Matrix):
            d = len(middle)
            weight = stage.m[-1] @ np.append(middle, 1.0)
            there = geo.apply(stage.m, middle[None])[0]
            slope = (stage.m[:d, :d] - np.outer(there, stage.m[-1, :d])) / weight
            least = float(np.linalg.svd(slope, compute_uv=False)[-1])
            grown, middle = grown / max(least, 1e-6), there
        elif not isinstance(stage, maps.Window):
            found = max(found, grown)
    return TOLERANCE / found
