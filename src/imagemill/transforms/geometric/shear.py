"""Shearing: rows slide sideways, or columns up and down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Border, Op, Order
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis
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
from imagemill.transforms.geometric._common import per_axis, whole_number
from imagemill.transforms.traits import Traits

STEEPEST = 80.0
"""Largest angle in degrees; at 90 the image would be infinitely long."""


@dataclass(frozen=True, slots=True)
class Shear(Transform):
    """Slide lines along an axis in proportion to their distance from the centre.

    In the plane ``"yx"``, ``{"x": a}`` moves each row to the right by ``tan(a)`` times its distance below
    the centre, ``{"y": a}`` moves each column down by ``tan(a)`` times its distance to the right of the
    centre; distances are in millimetres when the spacing is known. With both, rows slide first. Areas
    are kept.

    Parameters
    ----------
    degrees : number, pair, Distribution or mapping from axis to one of these, degrees
        -80 to 80. Without a mapping, lines slide along the second axis of the plane: rows, sideways.
    plane : {"yx", "zy", "zx"}
        The axis that points down and the one that points right.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What empty corners show; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Hartley and Zisserman (2004), "Multiple View Geometry", 2.4: affine transformations.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> image = np.array([[0, 9, 0], [0, 9, 0], [0, 9, 0]], np.uint8)
    >>> im.Pipeline([im.Shear(45, order=0)], seed=0)(image)
    array([[9, 0, 0],
           [0, 9, 0],
           [0, 0, 9]], dtype=uint8)
    """

    degrees: PerAxis = param((-10.0, 10.0), low=-STEEPEST, high=STEEPEST, unit="degrees", per_axis=True)
    plane: Literal["yx", "zy", "zx"] = option("yx", check=one_of("yx", "zy", "zx"))
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        check_plane(self.degrees, "Shear(degrees=...)", self.plane)

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        linear = shear_pull(draws, self.degrees, "degrees", self.plane, frame)
        matrix = geo.about(linear, frame.centre, frame.rigid)
        return Affine(matrix, frame.shape, sampling(self.order, self.border, self.fill, self.mask_fill))


def check_plane(value: Any, shown: str, plane: str) -> None:
    """Refuse a mapping that names an axis outside the plane."""
    if isinstance(value, Mapping) and not set(value) <= set(plane):
        raise ParameterError(
            f"expected {shown} to name axes of the plane {plane!r}, got {', '.join(value)}; set plane=... to match"
        )


def shear_pull(draws: Draws, value: Any, field: str, plane: str, frame: Frame) -> geo.Floats:
    """Linear pull map ``[n, d, d]`` of a drawn shear, in millimetres."""
    down, right = frame.plane(plane)
    slope = np.tan(np.deg2rad(per_axis(draws, value, field, frame, plane[1], 0.0, together=True)))
    rows = geo.identity(frame.n, frame.ndim)[:, :-1, :-1]
    columns = rows.copy()
    rows[:, right, down] = -slope[:, right]
    columns[:, down, right] = -slope[:, down]
    return rows @ columns
