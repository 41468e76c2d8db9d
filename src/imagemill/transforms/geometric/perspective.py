"""Perspective: the picture seen from another place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Affine, Border, Op, Order
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Fill, Transform, border_option, fill_option, option, order_option, param, sampling
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits

# Corners of a frame that reaches from -1/2 to 1/2, in (y, x): the centre is 0, where no depth can vanish.
_CORNERS = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])


@dataclass(frozen=True, slots=True)
class Perspective(Transform):
    """Move the four corners of the picture inwards, each by its own amount, and the picture with them.

    Pictures only: a volume has no viewer.

    Parameters
    ----------
    strength : number, pair or Distribution, fraction of the side length
        0 to 0.33. Each corner moves inwards along ``y`` and along ``x`` by independent uniform amounts of
        0 to ``strength`` times the side. Below one third the corners always span a convex quadrangle; a
        dented one would put the horizon into the picture.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What lies around the picture; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Hartley and Zisserman (2004), "Multiple View Geometry", 2.3 and 4.1: a homography from four points.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Perspective(0.3)], seed=0)(np.zeros((6, 8, 3), np.uint8)).shape
    (6, 8, 3)
    """

    strength: Random = param((0.0, 0.25), low=0, high=0.33, unit="of the side")
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def variants(self) -> float:
        """Unlimited: the corners are continuous even where the strength is fixed."""
        return self._with_coin(1.0 if self.strength.bounds == (0, 0) else math.inf)

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if frame.ndim != 2:
            raise ParameterError(f"expected pictures for Perspective, got axes {frame.axes}; use Affine or Elastic")
        strength = draws(self.strength)
        inwards = draws.uniforms(8).T.reshape(frame.n, 4, 2) * strength[:, None, None]
        corners = _CORNERS - np.sign(_CORNERS) * inwards
        unit = homography(corners, np.broadcast_to(_CORNERS, corners.shape))
        # Conjugated by the map from indices to the unit frame. Not normalised by its last entry: that is the
        # depth at index 0, which may vanish; the depth at the centre is 1.
        to_unit = geo.scaling(1.0 / frame.shape) @ geo.translation(-frame.centre)
        from_unit = geo.translation(frame.centre) @ geo.scaling(frame.shape.astype(np.float64))
        matrix = np.where((strength > 0)[:, None, None], from_unit @ unit @ to_unit, geo.identity(frame.n, 2))
        return Affine(matrix, frame.shape, sampling(self.order, self.border, self.fill, self.mask_fill))


def homography(source: Floats, target: Floats) -> Floats:
    """Projective maps ``[n, 3, 3]`` that take four points each to four others.

    Parameters
    ----------
    source, target : array, ``[n, 4, 2]``
        No three of the four on a line. The depth at the origin must not vanish: it is set to 1.

    Examples
    --------
    >>> square = np.array([[[0.0, 0], [0, 1], [1, 0], [1, 1]]])
    >>> bool(np.allclose(homography(square, 2 * square)[0], np.diag([2, 2, 1])))
    True
    """
    n = len(source)
    system = np.zeros((n, 8, 8))
    for i in range(2):
        rows = system[:, 4 * i : 4 * i + 4]
        rows[..., 3 * i : 3 * i + 2] = source
        rows[..., 3 * i + 2] = 1.0
        rows[..., 6:] = -target[..., i : i + 1] * source
    right = np.swapaxes(target, 1, 2).reshape(n, 8, 1)
    solved = np.linalg.solve(system, right)[..., 0]
    return np.concatenate([solved, np.ones((n, 1))], axis=1).reshape(n, 3, 3)
