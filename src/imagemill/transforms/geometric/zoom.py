"""Magnifying and shrinking inside the same frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Border, Op, Order
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis
from imagemill.transforms.base import Fill, Transform, border_option, fill_option, option, order_option, param, sampling
from imagemill.transforms.geometric._common import axis_names, per_axis, switch, whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Zoom(Transform):
    """Magnify (above 1) or shrink (below 1) about the centre; the frame keeps its size.

    Parameters
    ----------
    factor : number, pair, Distribution or mapping from axis to one of these
        Above 0. One factor is shared by all ``axes``, so that shapes keep their proportions; a mapping
        ``{"y": 1.2, "x": (0.9, 1.1)}`` draws one for each axis it names and leaves the others alone.
    axes : str, optional
        The axes that one factor applies to, for example ``"yx"`` to leave the slices of a volume where
        they are. All axes by default.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What the margin around a shrunk image shows;
        ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.
    antialias : bool
        Average when shrinking by more than 2 (orders above 0).

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Hartley and Zisserman (2004), "Multiple View Geometry", 2.4: similarity and affine transformations.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Zoom({"x": 0.5}, border="constant")], seed=0)(np.full((1, 6), 8, np.uint8))
    array([[0, 4, 8, 8, 4, 0]], dtype=uint8)
    """

    factor: PerAxis = param((0.9, 1.1), above=0, per_axis=True)
    axes: str | None = option(None, check=axis_names)
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())
    antialias: bool = option(True, check=switch)

    def check(self) -> None:
        if isinstance(self.factor, Mapping) and self.axes is not None:
            raise ParameterError(
                f"expected Zoom(axes=...) only with one factor, got {self.axes!r} beside a factor per axis; "
                "name the axes in the mapping alone"
            )

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        factor = per_axis(draws, self.factor, "factor", frame, self.axes or frame.axes, 1.0, together=True)
        pull = geo.scaling(1.0 / factor)[:, :-1, :-1]
        smooth = self.antialias and self.order > 0
        mode = sampling(self.order, self.border, self.fill, self.mask_fill, antialias=smooth)
        return Affine(geo.about(pull, frame.centre), frame.shape, mode)
