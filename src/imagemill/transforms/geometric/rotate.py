"""Turning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
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
    frame : {"keep", "fit", "grow", "crop"}
        ``"keep"`` cuts the corners off; ``"fit"`` enlarges the view so that nothing is clipped and
        scales it back into the same frame, by one factor for the axes that turn. ``"grow"`` makes the frame so
        large that all is in it (``expand=True`` elsewhere), ``"crop"`` so small that no empty corner is: the largest
        upright rectangle of pixel centres within the turned ones. Both keep the scale, and sizes depend on the
        angle: for a batch, put `Resize` or a crop behind, which becomes one resample with it.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What empty corners show; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Rotation matrices: any textbook, e.g. Hartley and Zisserman (2004), "Multiple View Geometry", 2.4. The largest
    rectangle touches two sides of the turned one with opposite corners where that is long and narrow (a half of the
    short side is then the height of each corner), all four sides otherwise: plane geometry.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Rotate(90)], seed=0)(np.array([[1, 2], [3, 4]], np.uint8))
    array([[2, 4],
           [1, 3]], dtype=uint8)
    >>> turned = im.Pipeline([im.Rotate(45, frame="grow")], seed=0)(np.zeros((100, 200), np.uint8))
    >>> turned.shape  # 300 / sqrt(2), and what is begun counts
    (213, 213)
    """

    degrees: Random = param((-15.0, 15.0), low=-360, high=360, unit="degrees")
    plane: Literal["yx", "zy", "zx", "all"] = option("yx", check=one_of("yx", "zy", "zx", "all"))
    frame: Literal["keep", "fit", "grow", "crop"] = option("keep", check=one_of("keep", "fit", "grow", "crop"))
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        if self.plane == "all" and self.frame == "crop":
            raise ParameterError('expected Rotate(frame="crop") for one plane, got plane="all"; crop behind it instead')

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
        if self.frame not in ("grow", "crop"):
            return Affine(matrix, frame.shape, mode)
        shape = _grown(linear, frame) if self.frame == "grow" else _inner(linear, frame, frame.plane(self.plane))
        # The middle stays the middle.
        return Affine(matrix @ geo.translation(frame.centre - (shape - 1) / 2.0), shape, mode)

    def _linear(self, draws: Draws, frame: Frame) -> geo.Floats:
        """Linear pull maps ``[n, d, d]`` in millimetres."""
        if self.plane != "all":
            return geo.rotation(draws(self.degrees), frame.plane(self.plane), frame.ndim)
        linear = geo.identity(frame.n, frame.ndim)[:, :-1, :-1]
        for plane in _ALL if frame.ndim == 3 else _ALL[:1]:
            linear = linear @ geo.rotation(draws(self.degrees, f"degrees.{plane}"), frame.plane(plane), frame.ndim)
        return linear


_ROUNDING = 1e-6
"""Pixels by which a size may miss a whole number that it stands for."""


def _extent(linear: geo.Floats, size: geo.Floats) -> geo.Floats:
    """How far a turned box of ``size`` reaches along each axis, ``[n, d]``."""
    # A turned box of half sizes h needs |L| h along each axis.
    found: geo.Floats = np.einsum("nij,nj->ni", np.abs(np.swapaxes(linear, 1, 2)), size)
    return found


def _grown(linear: geo.Floats, frame: Frame) -> geo.Ints:
    """Shapes ``[n, d]`` that hold all of the turned frame."""
    found = _extent(linear, frame.shape * frame.rigid) / frame.rigid
    return np.ceil(found - _ROUNDING).astype(np.int64)


def _inner(linear: geo.Floats, frame: Frame, plane: tuple[int, int]) -> geo.Ints:
    """Shapes ``[n, d]`` of the largest frame whose pixel centres all lie among those of the turned one."""
    down, right = plane
    reach = (frame.shape - 1) * frame.rigid
    height, width = reach[:, down], reach[:, right]
    cos, sin = np.abs(linear[:, down, down]), np.abs(linear[:, down, right])
    short, long = np.minimum(height, width), np.maximum(height, width)
    narrow = short <= 2.0 * sin * cos * long + _ROUNDING
    with np.errstate(divide="ignore", invalid="ignore"):
        along, across = short / (2.0 * sin), short / (2.0 * cos)
        part = cos**2 - sin**2
        wide = np.where(narrow, np.where(width >= height, along, across), (width * cos - height * sin) / part)
        high = np.where(narrow, np.where(width >= height, across, along), (height * cos - width * sin) / part)
    shape = frame.shape.copy()
    for axis, length in ((down, high), (right, wide)):
        shape[:, axis] = np.maximum(np.floor(length / frame.rigid[:, axis] + _ROUNDING), 0).astype(np.int64) + 1
    return shape


def _fit(linear: geo.Floats, frame: Frame) -> geo.Floats:
    """The factor by which the view must widen so that the turned frame still lies inside, ``[n]``."""
    size = frame.shape * frame.rigid
    factors: geo.Floats = np.max(_extent(linear, size) / size, axis=1)
    return factors
