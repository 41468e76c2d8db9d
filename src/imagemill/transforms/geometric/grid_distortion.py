"""Stretching and squeezing the rows and columns of a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Border, Op, Order, Warp
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import (
    Fill,
    Sizes,
    Transform,
    border_option,
    fill_option,
    option,
    order_option,
    param,
    sampling,
)
from imagemill.transforms.geometric._common import whole_number, wholes
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class GridDistortion(Transform):
    """Stretch and squeeze the columns and rows of a grid, each by its own factor; the outer edges stay where they are.

    Every column gets a width of ``1 + u`` with ``u`` uniform between ``-strength`` and ``strength``, rows likewise, and
    all widths are scaled so that they fill the frame. The change from one column to the next is smooth, and nothing
    folds. Slices of a volume are all distorted alike and keep their places.

    Parameters
    ----------
    strength : number, pair or Distribution
        0 (nothing) to 0.9.
    cells : int or pair of int
        Rows and columns of the grid, 2 or more.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What lies beyond the edge; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Rueckert et al. (1999), "Nonrigid registration using free-form deformations", IEEE TMI 18(8), for the splines; a
    spline whose coefficients rise, rises: de Boor (1978), "A practical guide to splines", XI.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> image = np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    >>> out = im.Pipeline([im.GridDistortion(0.5)], seed=0)(image)
    >>> int(out[0, 0]), int(out[0, -1]), bool((np.diff(out[0].astype(int)) >= 0).all())
    (0, 31, True)
    """

    strength: Random = param((0.0, 0.3), low=0, high=0.9)
    cells: Sizes = option(5, check=wholes(1, 2, low=2))
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def variants(self) -> float:
        """Unlimited: the widths are continuous even where the strength is fixed."""
        return self._with_coin(1.0 if self.strength.bounds == (0, 0) else math.inf)

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        cells = self.cells * 2 if len(self.cells) == 1 else self.cells
        strength = draws(self.strength)
        plane = frame.in_plane
        lattice = [1 + 3] * (frame.ndim - 2) + [count + 3 for count in cells]
        grid = np.zeros((frame.n, frame.ndim, *lattice))
        for axis, count in zip(plane, cells, strict=True):
            widths = 1.0 + strength[:, None] * (2.0 * draws.uniforms(count).T - 1.0)
            shape = [frame.n, *[1] * frame.ndim]
            shape[1 + axis] = count + 3
            cell = frame.shape[:, axis] / count
            grid[:, axis] = (_displaced(widths) * cell[:, None]).reshape(shape)
        return Warp(grid, sampling(self.order, self.border, self.fill, self.mask_fill))


def _displaced(widths: Floats) -> Floats:
    """Spline coefficients ``[n, m + 3]`` of the displacement, in cells, for columns of widths ``[n, m]``.

    The coefficients of the place itself rise by a width from one to the next, so the place rises. Those beyond the ends
    mirror the first and last width, which holds the ends still.
    """
    n, count = widths.shape
    widths = widths * (count / widths.sum(axis=1, keepdims=True))
    steps = np.concatenate([widths[:, :1], widths, widths[:, -1:]], axis=1)
    places = np.concatenate([np.zeros((n, 1)), np.cumsum(steps, axis=1)], axis=1)
    # The value at an end is (a + 4 b + c) / 6 of three coefficients in equal steps, which is the middle one.
    places -= places[:, 1:2]
    found: Floats = places - np.arange(-1, count + 2)
    return found
