"""Barrel and pincushion: the distortion of a lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Border, Op, Order, Warp
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Fill, Transform, border_option, fill_option, option, order_option, param, sampling
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits

_CELLS = 2


@dataclass(frozen=True, slots=True)
class OpticalDistortion(Transform):
    """Bend lines as a lens does: barrels for positive strengths, pincushions for negative ones.

    What is shown at ``p``, counted from the centre in sides of the frame (so that edges lie at one half), is what lies
    at ``p * (1 + strength * |p|^2)``: the first term of the radial model. It is a cubic polynomial, so splines hold it
    exactly. Pictures only: a volume has no lens.

    Parameters
    ----------
    strength : number, pair or Distribution
        -0.6 to 0.6. In the corners, where ``|p|^2`` is one half, places move by half of it.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What lies beyond the edge, which barrels show;
        ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Brown (1971), "Close-range camera calibration", Photogrammetric Engineering 37(8): radial distortion.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> image = np.tile(np.linspace(-0.5, 0.5, 101, dtype=np.float32), (101, 1))
    >>> out = im.Pipeline([im.OpticalDistortion(0.4)], seed=0)(image)
    >>> [round(float(v), 3) for v in out[50, [25, 50, 75]]]  # 0.25 * (1 + 0.4 * 0.25 ** 2) is 0.256
    [-0.256, 0.0, 0.256]
    """

    strength: Random = param((-0.2, 0.2), low=-0.6, high=0.6)
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if frame.ndim != 2:
            raise ParameterError(f"expected pictures for OpticalDistortion, got axes {frame.axes}; use Elastic")
        strength = draws(self.strength)
        grid = strength[:, None, None, None] * frame.shape[:, :, None, None] * _RADIAL
        return Warp(grid, sampling(self.order, self.border, self.fill, self.mask_fill))


def _radial() -> Floats:
    """Spline coefficients ``[2, m, m]`` of ``p |p|^2`` over a frame from -1/2 to 1/2.

    Source: the coefficients of monomials on whole knots are ``i``, ``i^2 - 1/3`` and ``i^3 - i`` (Marsden's identity;
    de Boor (1978), "A practical guide to splines", IX).
    """
    i = np.arange(-1, _CELLS + 2) - _CELLS / 2
    once, squared, cubed = i, i**2 - 1 / 3, i**3 - i
    y = cubed[:, None] + once[:, None] * squared
    return np.stack([y, y.T]) / _CELLS**3


_RADIAL = _radial()
