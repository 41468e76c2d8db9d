"""Cutting out a part."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Affine, Bools, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import OptionalSizes, Transform, one_of, option, sizes
from imagemill.transforms.geometric._common import (
    PLACES,
    SIZED,
    Place,
    exactly_one,
    named_axes,
    offsets,
    target_shape,
    wholes,
)
from imagemill.transforms.traits import Traits


def _too_small(beyond: Bools, frame: Frame) -> Bools:
    """The images, of those chosen, that a crop does not fit into."""
    found: Bools = np.any(beyond, axis=1)
    return found if frame.chosen is None else found & frame.chosen


@dataclass(frozen=True, slots=True)
class Crop(Transform):
    """Cut out whole pixels, exactly; the crop never leaves the frame.

    Parameters
    ----------
    size : int or tuple of int, optional, pixels
        One length for a square, ``(y, x)``, or ``(z, y, x)`` for volumes. With one or two lengths a volume
        keeps all its slices.
    at : {"centre", "random", "top_left", "top_right", "bottom_left", "bottom_right"}
        Where. A random place is uniform over all whole positions; at a corner the slices of a volume are
        centred. Where the centre falls between two positions, the upper left one is taken.
    box : tuple of int, optional, pixels
        Instead of a size: ``(y0, x0, y1, x1)``, first pixel and the one after the last;
        ``(z0, y0, x0, z1, y1, x1)`` for volumes.

    Raises
    ------
    InputError
        When an image is smaller than the crop.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Krizhevsky, Sutskever, Hinton (2012), "ImageNet classification with deep convolutional neural
    networks", NeurIPS, 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    >>> im.Pipeline([im.Crop(2)], seed=0)(image)
    array([[ 5,  6],
           [ 9, 10]], dtype=uint8)
    >>> im.Pipeline([im.Crop(box=(0, 1, 1, 4))], seed=0)(image)
    array([[1, 2, 3]], dtype=uint8)
    """

    size: OptionalSizes = option(None, check=sizes)
    at: Place = option("centre", check=one_of(*PLACES))
    box: tuple[int, ...] | None = option(None, check=wholes(4, 6, low=0))

    def check(self) -> None:
        exactly_one("Crop", "Crop(size=(224, 224)), for example", size=self.size, box=self.box)
        if self.size is not None and len(self.size) > 3:
            raise ParameterError(f"expected Crop(size=...) to hold 1, 2 or 3 lengths, got {self.size}")
        if self.box is None:
            return
        if self.at != "centre":
            raise ParameterError(f"expected Crop(at=...) only with a size, got {self.at!r} beside a box; drop one")
        half = len(self.box) // 2
        if any(a >= b for a, b in zip(self.box[:half], self.box[half:], strict=True)):
            raise ParameterError(f"expected Crop(box=...) as (y0, x0, y1, x1) with y0 < y1 and x0 < x1, got {self.box}")

    def variants(self) -> float:
        """As for any transform; how many places there are to draw from depends on the image."""
        return self._with_coin(math.inf) if self.at == "random" else Transform.variants(self)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True, brings="size" if self.size else "", size=self.size or ())

    def draw(self, draws: Draws, frame: Frame) -> Op:
        start, shape = self._boxed(frame) if self.size is None else self._sized(draws, frame)
        return Affine(geo.translation(start.astype(np.float64)), shape)

    def _sized(self, draws: Draws, frame: Frame) -> tuple[Ints, Ints]:
        assert self.size is not None
        shape = target_shape(self.size, frame, "Crop(size=...)")
        small = _too_small(shape > frame.shape, frame)
        if small.any():
            raise InputError(
                f"expected images of at least {tuple(shape[small][0].tolist())} for Crop(size={self.size}), "
                f"got {tuple(frame.shape[small][0].tolist())}; put Pad or Resize before it"
            )
        axes = named_axes(self.size, frame, "Crop(size=...)")
        return offsets(frame.shape - shape, self.at, draws, frame, axes), shape

    def _boxed(self, frame: Frame) -> tuple[Ints, Ints]:
        assert self.box is not None
        half = len(self.box) // 2
        axes = list(named_axes(self.box[:half], frame, "half of Crop(box=...)"))
        start, stop = np.zeros_like(frame.shape), frame.shape.copy()
        start[:, axes], stop[:, axes] = self.box[:half], self.box[half:]
        small = _too_small(stop > frame.shape, frame)
        if small.any():
            raise InputError(
                f"expected images that hold Crop(box={self.box}), "
                f"got {tuple(frame.shape[small][0].tolist())}; put Pad or Resize before it"
            )
        return start, stop - start
