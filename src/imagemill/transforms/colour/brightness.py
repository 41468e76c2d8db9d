"""Brightness as a gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import on_colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Brightness(Transform):
    """Multiply all values by a factor: the intensity factor. 0 is refused, it would erase the image.

    ``out = factor * x``. Integer images saturate, floating-point images do not.

    Parameters
    ----------
    factor : number, pair or Distribution
        Above 0; above 1 is brighter.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.2.

    Examples
    --------
    >>> import imagemill as im
    >>> im.Pipeline([im.Brightness(1.5)], seed=0)(np.array([[100, 200]], np.uint8))
    array([[150, 255]], dtype=uint8)
    """

    factor: Random = param((0.8, 1.2), above=0)

    def traits(self) -> Traits:
        return Traits(recolours=True, gains="image")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        gain = draws(self.factor)
        return on_colours(frame, lambda c: ChannelMix.diagonal(np.repeat(gain[:, None], c, axis=1)))
