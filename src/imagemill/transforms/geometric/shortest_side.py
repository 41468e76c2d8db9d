"""Bringing the shorter or the longer side of an image to a length, the other in proportion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Affine, Op, Order, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Distribution, Random, whole_count
from imagemill.transforms.base import Transform, option, order_option, param
from imagemill.transforms.geometric._common import switch, whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ShortestSide(Transform):
    """Scale so that the shorter side has a length; the other follows in proportion.

    Both sides come out in whole pixels, at least 1; outer edges stay outer edges. The slices of a volume are kept.

    Parameters
    ----------
    length : whole number, pair or Distribution, pixels
        At least 1; drawn numbers are rounded to whole pixels.
    longest : int, optional, pixels
        The longer side may not come out longer than this: then it gets this length, and the shorter one follows.
    order : {0, 1, 3, 5}
        Spline order for images.
    antialias : bool
        Average when shrinking by more than 2 (orders above 0).

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    He, Zhang, Ren, Sun (2016), "Deep residual learning for image recognition", CVPR, 3.4: the shorter side drawn from
    256 to 480.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> photo = np.zeros((300, 500, 3), np.uint8)
    >>> im.Pipeline([im.ShortestSide(240)], seed=0)(photo).shape
    (240, 400, 3)
    >>> im.Pipeline([im.ShortestSide(240, longest=300)], seed=0)(photo).shape
    (180, 300, 3)
    """

    length: Random = param(low=1, unit="pixels")
    longest: int | None = option(None, check=whole_number(low=1))
    order: Order = order_option()
    antialias: bool = option(True, check=switch)

    def check(self) -> None:
        if self.longest is not None and self.longest < self.length.bounds[0]:
            raise ParameterError(
                f"expected ShortestSide(longest=...) of at least the length {self.length}, got {self.longest}; "
                "write LongestSide for the longer side alone"
            )

    def variants(self) -> float:
        return self._with_coin(whole_count(self.length))

    def traits(self) -> Traits:
        return Traits(moves=True, whole_frame=True, order=self.order)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        sides = frame.shape[:, list(frame.in_plane)]
        factor = _drawn(draws, self.length) / sides.min(axis=1)
        if self.longest is not None:
            factor = np.minimum(factor, self.longest / sides.max(axis=1))
        return _scaled(factor, frame, self.order, antialias=self.antialias)


@dataclass(frozen=True, slots=True)
class LongestSide(Transform):
    """Scale so that the longer side has a length; the other follows in proportion.

    Both sides come out in whole pixels, at least 1; outer edges stay outer edges. The slices of a volume are kept.

    Parameters
    ----------
    length : whole number, pair or Distribution, pixels
        At least 1; drawn numbers are rounded to whole pixels.
    enlarge : bool
        Whether an image that is smaller is made larger; False leaves it as it is.
    order : {0, 1, 3, 5}
        Spline order for images.
    antialias : bool
        Average when shrinking by more than 2 (orders above 0).

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Ren, He, Girshick, Sun (2015), "Faster R-CNN", NeurIPS, 3.3: images re-scaled with their proportions kept.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.LongestSide(250)], seed=0)(np.zeros((300, 500, 3), np.uint8)).shape
    (150, 250, 3)
    """

    length: Random = param(low=1, unit="pixels")
    enlarge: bool = option(True, check=switch)
    order: Order = order_option()
    antialias: bool = option(True, check=switch)

    def variants(self) -> float:
        return self._with_coin(whole_count(self.length))

    def traits(self) -> Traits:
        return Traits(moves=True, whole_frame=True, order=self.order)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        factor = _drawn(draws, self.length) / frame.shape[:, list(frame.in_plane)].max(axis=1)
        if not self.enlarge:
            factor = np.minimum(factor, 1.0)
        return _scaled(factor, frame, self.order, antialias=self.antialias)


def _drawn(draws: Draws, length: Distribution) -> Floats:
    """Whole pixels (halves up), as the recipe shows them."""
    found: Floats = np.floor(draws(length) + 0.5)
    draws.note("length", found)
    return found


def _scaled(factor: Floats, frame: Frame, order: int, *, antialias: bool) -> Op:
    target = frame.shape.copy()
    plane = list(frame.in_plane)
    target[:, plane] = np.maximum(np.floor(frame.shape[:, plane] * factor[:, None] + 0.5), 1)
    return Affine(geo.resize(frame.shape, target), target, Sampling(order, antialias=antialias and order > 0))
