"""A thin metal plate bent at a grid of points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Border, Op, Order, Warp
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import (
    Fill,
    Transform,
    border_option,
    fill_option,
    option,
    order_option,
    param,
    sampling,
)
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits

_FINER = 4
"""Cells of the lattice between two points of the plate."""


def _points(name: str, value: object) -> int:
    count: int = whole_number(low=2)(name, value)
    if count > 10:
        raise ParameterError(f"expected {name} to be 2 to 10, got {value!r}; Elastic has finer grids")
    return count


@dataclass(frozen=True, slots=True)
class ThinPlateSpline(Transform):
    """Move the points of a grid, and everything between them as a thin metal plate bends.

    The points lie evenly from edge to edge, and each moves along both axes by up to ``strength`` times the distance
    between two of them. Turns, shears and stretches of all points together are exact; corners move as well. The plate
    is kept as cubic splines on a grid four times as fine, within a hundredth of the distance between points.

    Parameters
    ----------
    strength : number, pair or Distribution, distance between points
        0 (nothing) to 0.3, beyond which images may fold.
    points : int
        Rows and columns of the grid, 2 to 10.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What lies beyond the edge; ``fill`` and ``mask_fill`` when constant.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays. Pictures alone.

    Source
    ------
    Bookstein (1989), "Principal warps: thin-plate splines and the decomposition of deformations", IEEE TPAMI 11(6).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> out = im.Pipeline([im.ThinPlateSpline(0.2)], seed=0)(np.eye(64))
    >>> out.shape, bool((out != np.eye(64)).any())
    ((64, 64), True)
    """

    strength: Random = param((0.0, 0.2), low=0, high=0.3, unit="of the distance between points")
    points: int = option(4, check=_points)
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def variants(self) -> float:
        """Unlimited: the displacements are continuous even where the strength is fixed."""
        return self._with_coin(1.0 if self.strength.bounds == (0, 0) else math.inf)

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if frame.ndim != 2:
            raise ParameterError(f"expected pictures for ThinPlateSpline, got axes {frame.axes}; use Elastic")
        count = self.points**2
        strength = draws(self.strength)
        moved = 2.0 * draws.uniforms(2 * count).T.reshape(frame.n, 2, count) - 1.0
        distance = frame.shape / (self.points - 1)
        moved *= (strength[:, None] * distance)[:, :, None]
        side = _FINER * (self.points - 1) + 3
        grid = (moved @ _plate(self.points).T).reshape(frame.n, 2, side, side)
        return Warp(grid, sampling(self.order, self.border, self.fill, self.mask_fill))


def _kernel(squared: Floats) -> Floats:
    """``r^2 log r`` of squared distances, 0 at 0."""
    return 0.5 * squared * np.log(np.where(squared > 0, squared, 1.0))


@cache
def _plate(points: int) -> Floats:
    """From displacements of the points to coefficients of the lattice, ``[(cells + 3)^2, points^2]``."""
    ticks = np.linspace(0.0, 1.0, points)
    fixed = np.stack(np.meshgrid(ticks, ticks, indexing="ij"), axis=-1).reshape(-1, 2)
    count = len(fixed)
    # Weights of the points and a plane: the plate passes through all, and the weights do not pull at the plane.
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(((fixed[:, None] - fixed) ** 2).sum(axis=-1))
    system[:count, count:] = np.column_stack([np.ones(count), fixed])
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.inv(system)[:, :count]
    cells = _FINER * (points - 1)
    knots = np.linspace(0.0, 1.0, cells + 1)
    places = np.stack(np.meshgrid(knots, knots, indexing="ij"), axis=-1).reshape(-1, 2)
    basis = np.column_stack([_kernel(((places[:, None] - fixed) ** 2).sum(axis=-1)), np.ones(len(places)), places])
    at_knots = (basis @ weights).reshape(cells + 1, cells + 1, count)
    spline = _coefficients(cells)
    found: Floats = np.einsum("ia,jb,abk->ijk", spline, spline, at_knots).reshape(-1, count)
    return found


def _coefficients(cells: int) -> Floats:
    """From values at the knots of a line to spline coefficients ``[cells + 3, cells + 1]``; straight at the ends."""
    system = np.zeros((cells + 3, cells + 3))
    for knot in range(cells + 1):
        system[knot, knot : knot + 3] = np.array([1.0, 4.0, 1.0]) / 6.0
    system[-2, :3] = system[-1, -3:] = 1.0, -2.0, 1.0
    found: Floats = np.asarray(np.linalg.inv(system)[:, : cells + 1], np.float64)
    return found
