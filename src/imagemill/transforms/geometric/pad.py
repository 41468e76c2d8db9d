"""Adding a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Affine, Border, Op, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Fill, OptionalSizes, Transform, border_option, fill_option, one_of, option, sizes
from imagemill.transforms.geometric._common import (
    PLACES,
    SIZED,
    Place,
    exactly_one,
    named_axes,
    offsets,
    target_shape,
    whole_number,
    wholes,
)
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Pad(Transform):
    """Put the image into a larger frame, pixel for pixel.

    Exactly one of ``pixels``, ``size`` and ``multiple_of`` says how large. One or two lengths speak of the
    plane, three of all axes of a volume.

    Parameters
    ----------
    pixels : int or tuple of int, optional, pixels
        At least 0: on every side; ``(y, x)`` or ``(z, y, x)`` on both sides of each axis; or all sides,
        ``(above, left, below, right)``, for volumes ``(z0, y0, x0, z1, y1, x1)``.
    size : int or tuple of int, optional, pixels
        The least size of the frame. What is already larger stays as it is.
    multiple_of : int or tuple of int, optional, pixels
        Pad to the next multiple, as networks with poolings need it.
    at : {"centre", "random", "top_left", "top_right", "bottom_left", "bottom_right"}
        Where the image lies in the frame, for ``size`` and ``multiple_of``; as in ``Crop``.
    border : {"constant", "nearest", "reflect", "mirror", "wrap"}
        What the margin shows;
        ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant. A constant margin stays what
        it is whatever geometry comes before and after it.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    He, Zhang, Ren, Sun (2016), "Deep residual learning for image recognition", CVPR, 4.2: four pixels on
    every side, then a random crop.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Pad((0, 1), fill=9)], seed=0)(np.array([[1, 2]], np.uint8))
    array([[9, 1, 2, 9]], dtype=uint8)
    >>> im.Pipeline([im.Pad(size=(1, 5), at="top_left", border="wrap")], seed=0)(np.array([[1, 2]], np.uint8))
    array([[1, 2, 1, 2, 1]], dtype=uint8)
    """

    pixels: OptionalSizes = option(None, check=wholes(1, 2, 3, 4, 6, low=0))
    size: OptionalSizes = option(None, check=sizes)
    multiple_of: OptionalSizes = option(None, check=sizes)
    at: Place = option("centre", check=one_of(*PLACES))
    border: Border = border_option("constant")
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        given = {"pixels": self.pixels, "size": self.size, "multiple_of": self.multiple_of}
        exactly_one("Pad", "Pad(4) or Pad(multiple_of=32), for example", **given)
        if self.pixels is not None and self.at != "centre":
            raise ParameterError(f"expected Pad(at=...) only with size or multiple_of, got {self.at!r} beside pixels")

    def variants(self) -> float:
        """As for any transform; how many places there are to draw from depends on the image."""
        return self._with_coin(math.inf) if self.at == "random" else Transform.variants(self)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True, border=self.border)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        before, shape = self._sides(frame) if self.pixels is not None else self._grown(draws, frame)
        matrix = geo.translation((-before).astype(np.float64))
        if self.border != "constant":
            return Affine(matrix, shape, Sampling(border=self.border))
        grows = np.any(shape > frame.shape, axis=1)
        return Affine(matrix, shape, Sampling(fill=self.fill, mask_fill=self.mask_fill), window=grows)

    def _sides(self, frame: Frame) -> tuple[Ints, Ints]:
        """Pixels before the image and shape of the frame, both ``[n, d]``, from ``pixels``."""
        assert self.pixels is not None
        half = len(self.pixels) // 2
        sided = len(self.pixels) in (4, 6)
        first, second = (self.pixels[:half], self.pixels[half:]) if sided else (self.pixels, self.pixels)
        axes = list(named_axes(first, frame, "Pad(pixels=...) per side"))
        before, after = np.zeros_like(frame.shape), np.zeros_like(frame.shape)
        before[:, axes], after[:, axes] = first, second
        return before, frame.shape + before + after

    def _grown(self, draws: Draws, frame: Frame) -> tuple[Ints, Ints]:
        """The same from ``size`` or ``multiple_of``."""
        shown = "Pad(size=...)" if self.size is not None else "Pad(multiple_of=...)"
        asked = self.size or self.multiple_of
        assert asked is not None
        shape = target_shape(asked, frame, shown)
        axes = named_axes(asked, frame, shown)
        if self.size is None:
            shape[:, list(axes)] *= -(-frame.shape[:, list(axes)] // shape[:, list(axes)])
        shape = np.maximum(shape, frame.shape)
        return offsets(shape - frame.shape, self.at, draws, frame, axes), shape
