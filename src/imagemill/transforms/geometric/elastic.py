"""Smooth random deformation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
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
from imagemill.transforms.geometric._common import axis_names, whole_number, wholes
from imagemill.transforms.traits import Traits

# A little below each of the bounds in core.maps.FOLDING: nothing comes near to folding.
STRONGEST = {1: 0.66, 2: 0.48, 3: 0.40}
"""Largest strength by the number of axes that move."""


@dataclass(frozen=True, slots=True)
class Elastic(Transform):
    """Deform smoothly, without folding: cubic B-splines over a coarse lattice of random displacements.

    Each control point is displaced along each axis by a uniform number of -strength to strength times the
    length of a lattice cell. No point of the image moves farther than that.

    Parameters
    ----------
    strength : number, pair or Distribution, lattice cells
        From 0 to 0.48 for pictures and 0.40 for volumes (or as many as 0.66 when only one of ``axes``
        moves). Beyond these bounds a deformation may fold, and is refused.
    cells : int or tuple of int
        Number of lattice cells along each axis of the frame, whatever its size; more cells make finer,
        smaller deformations.
    axes : str, optional
        The axes along which points move, all by default; ``"yx"`` deforms within slices only, though
        differently from slice to slice. Displacements are in pixels of each axis: along an axis of few,
        thick slices a cell is few pixels long, and so are they.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What lies beyond the edge; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Rueckert et al. (1999), "Nonrigid registration using free-form deformations", IEEE TMI 18(8). Bounds:
    Choi and Lee (2000), "Injectivity conditions of 2D and 3D uniform cubic B-spline functions", Graphical
    Models 62.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Elastic(0.3, cells=4)], seed=0)(np.zeros((32, 40), np.uint8)).shape
    (32, 40)
    """

    strength: Random = param((0.0, 0.25), low=0, unit="lattice cells")
    cells: Sizes = option(5, check=wholes(1, 2, 3, low=1))
    axes: str | None = option(None, check=axis_names)
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        self._refuse_folds(2 if self.axes is None else len(self.axes))

    def _refuse_folds(self, moving: int) -> None:
        _, high = self.strength.bounds
        if high > STRONGEST[moving]:
            raise ParameterError(
                f"expected Elastic(strength=...) within 0..{STRONGEST[moving]:g} lattice cells where "
                f"{moving} axes move, got {self.strength}; "
                "more would fold, fewer cells make larger deformations"
            )

    def variants(self) -> float:
        """Unlimited: the displacements are continuous even where the strength is fixed."""
        return self._with_coin(1.0 if self.strength.bounds == (0, 0) else math.inf)

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        moving = [frame.axis(name) for name in frame.axes if self.axes is None or name in self.axes]
        for name in self.axes or "":
            frame.axis(name)
        self._refuse_folds(len(moving))
        cells = self.cells * frame.ndim if len(self.cells) == 1 else self.cells
        if len(cells) != frame.ndim:
            raise ParameterError(
                f"expected Elastic(cells=...) to hold one number or {frame.ndim} for axes {frame.axes}, "
                f"got {self.cells}"
            )
        lattice = tuple(c + 3 for c in cells)
        strength = draws(self.strength)
        grid = np.zeros((frame.n, frame.ndim, *lattice))
        grid[:, moving] = _uniform(draws, (len(moving), *lattice))
        reach = strength[:, None] * frame.shape / np.asarray(cells)
        grid *= reach.reshape(frame.n, frame.ndim, *[1] * frame.ndim)
        return Warp(grid, sampling(self.order, self.border, self.fill, self.mask_fill))


def _uniform(draws: Draws, shape: tuple[int, ...]) -> Floats:
    """Uniform numbers in (-1, 1), ``[n, *shape]``."""
    flat = draws.uniforms(int(np.prod(shape)))
    return 2.0 * flat.T.reshape(-1, *shape) - 1.0
