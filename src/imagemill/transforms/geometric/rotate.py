"""Turning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Border, Op, Order
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import (
    Fill,
    Transform,
    border_option,
    fill_option,
    one_of,
    option,
    order_option,
    param,
    sampling,
)
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits, reach

# The order in which "all" turns.
_ALL = ("yx", "zx", "zy")


@dataclass(frozen=True, slots=True)
class Rotate(Transform):
    """Turn about the centre of the frame, counter-clockwise for positive degrees.

    Parameters
    ----------
    degrees : number, pair or Distribution, degrees
        A number turns every image by it, a pair is drawn uniformly.
    plane : {"yx", "zy", "zx", "all"}
        The axis that points down and the one that points right; slices of a volume turn together in
        ``"yx"`` (default). ``"zy"`` and ``"zx"`` turn through the slices, rigidly in millimetres.
        ``"all"`` draws one angle for each plane and turns in ``"yx"`` first, then in ``"zx"``, then in
        ``"zy"``, each about axes that stay fixed; a picture has the first only.
    frame : {"keep", "fit"}
        ``"keep"`` cuts the corners off; ``"fit"`` enlarges the view so that nothing is clipped and
        scales it back into the same frame, by one factor for the axes that turn.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What empty corners show; ``fill`` and ``mask_fill`` when constant.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays.

    Source
    ------
    Rotation matrices: any textbook, e.g. Hartley and Zisserman (2004), "Multiple View Geometry", 2.4.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Rotate(90)], seed=0)(np.array([[1, 2], [3, 4]], np.uint8))
    array([[2, 4],
           [1, 3]], dtype=uint8)
    """

    degrees: Random = param((-15.0, 15.0), low=-360, high=360, unit="degrees")
    plane: Literal["yx", "zy", "zx", "all"] = option("yx", check=one_of("yx", "zy", "zx", "all"))
    frame: Literal["keep", "fit"] = option("keep", check=one_of("keep", "fit"))
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def variants(self) -> float:
        """One distribution for all planes of a volume is drawn for each of them."""
        return self._with_coin(self.degrees.count ** (3 if self.plane == "all" else 1))

    def traits(self) -> Traits:
        turns = reach(self.degrees) if self.plane in ("yx", "all") else 0.0
        return Traits(moves=True, order=self.order, border=self.border, turns=turns)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        linear = self._linear(draws, frame)
        fits = self.frame == "fit"
        if fits:
            turning = range(frame.ndim) if self.plane == "all" else frame.plane(self.plane)
            # Columns, so that only steps along the axes that turn grow.
            linear[:, :, list(turning)] *= _fit(linear, frame)[:, None, None]
        matrix = geo.about(linear, frame.centre, frame.rigid)
        mode = sampling(self.order, self.border, self.fill, self.mask_fill, antialias=fits and self.order > 0)
        return Affine(matrix, frame.shape, mode)

    def _linear(self, draws: Draws, frame: Frame) -> geo.Floats:
        """Linear pull maps ``[n, d, d]`` in millimetres."""
        if self.plane != "all":
            return geo.rotation(draws(self.degrees), frame.plane(self.plane), frame.ndim)
        linear = geo.identity(frame.n, frame.ndim)[:, :-1, :-1]
        for plane in _ALL if frame.ndim == 3 else _ALL[:1]:
            linear = linear @ geo.rotation(draws(self.degrees, f"degrees.{plane}"), frame.plane(plane), frame.ndim)
        return linear


def _fit(linear: geo.Floats, frame: Frame) -> geo.Floats:
    """The factor by which the view must widen so that the turned frame still lies inside, ``[n]``."""
    size = frame.shape * frame.rigid
    # A turned box of half sizes h needs |L| h along each axis.
    needed = np.einsum("nij,nj->ni", np.abs(np.swapaxes(linear, 1, 2)), size)
    factors: geo.Floats = np.max(needed / size, axis=1)
    return factors
