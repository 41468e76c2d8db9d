"""Bringing images of any size to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Affine, Op, Order, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Fill, Sizes, Transform, fill_option, one_of, option, order_option, sizes
from imagemill.transforms.geometric._common import named_axes, switch, target_shape, whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Resize(Transform):
    """Scale to a size in pixels; the outer edges of the frame stay outer edges.

    Parameters
    ----------
    size : int or tuple of int, pixels
        One length for a square, ``(y, x)``, or ``(z, y, x)`` for volumes. With one or two lengths a volume
        keeps all its slices.
    fit : {"stretch", "crop", "pad"}
        ``"stretch"`` lets the proportions go. ``"crop"`` scales by one factor until the frame is covered and
        cuts off what juts out, equally on both sides. ``"pad"`` scales by one factor until all fits in, to
        the nearest whole pixel, and centres it on ``fill`` and ``mask_fill``.
    order : {0, 1, 3, 5}
        Spline order for images.
    antialias : bool
        Average when shrinking by more than 2 (orders above 0).
    fill, mask_fill
        What stands beside the image with ``fit="pad"``.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Unser (1999), "Splines: a perfect fit for signal and image processing", IEEE SPM 16(6).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Resize((1, 4))], seed=0)(np.array([[0, 8]], np.uint8))
    array([[0, 2, 6, 8]], dtype=uint8)
    >>> im.Pipeline([im.Resize(4, fit="pad")], seed=0)(np.array([[8, 8], [8, 8], [8, 8], [8, 8]], np.uint8))
    array([[0, 8, 8, 0],
           [0, 8, 8, 0],
           [0, 8, 8, 0],
           [0, 8, 8, 0]], dtype=uint8)
    """

    size: Sizes = option(check=sizes)
    fit: Literal["stretch", "crop", "pad"] = option("stretch", check=one_of("stretch", "crop", "pad"))
    order: Order = order_option()
    antialias: bool = option(True, check=switch)
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        if len(self.size) > 3:
            raise ParameterError(f"expected Resize(size=...) to hold 1, 2 or 3 lengths, got {self.size}")

    def traits(self) -> Traits:
        return Traits(moves=True, whole_frame=self.fit == "stretch", order=self.order, brings="size", size=self.size)

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        target = target_shape(self.size, frame, "Resize(size=...)")
        # No opinion on borders: the frame is filled, and what was said before about its outside still holds.
        mode = Sampling(self.order, antialias=self.antialias and self.order > 0)
        if self.fit == "stretch":
            return Affine(geo.resize(frame.shape, target), target, mode)
        axes = list(named_axes(self.size, frame, "Resize(size=...)"))
        ratio = frame.shape[:, axes] / target[:, axes]
        if self.fit == "crop":
            factor = np.ones(frame.shape.shape)
            factor[:, axes] = ratio.min(axis=1, keepdims=True)
            return Affine(centred(factor, frame.shape, target), target, mode)
        inner = frame.shape.copy()
        scaled = np.rint(frame.shape[:, axes] / ratio.max(axis=1, keepdims=True)).astype(np.int64)
        inner[:, axes] = np.clip(scaled, 1, target[:, axes])
        before = (target - inner) // 2
        return (
            Affine(geo.resize(frame.shape, inner), inner, mode),
            Affine(
                geo.translation((-before).astype(np.float64)),
                target,
                Sampling(fill=self.fill, mask_fill=self.mask_fill),
                window=np.any(inner < target, axis=1),
            ),
        )


def centred(factor: geo.Floats, shape: Ints, target: Ints) -> geo.Floats:
    """Pull matrices that step by ``factor`` input pixels and take the centre of one frame to another's."""
    matrix = geo.scaling(factor)
    matrix[:, :-1, -1] = (shape - 1) / 2.0 - factor * (target - 1) / 2.0
    return matrix
