"""Lighting as a gain and an offset."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import on_colours, per_channel
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class GainOffset(Transform):
    """Multiply all values and add to them, alike in all colours.

    ``out = alpha * x + beta``. Integer images saturate, floating-point images do not.

    Parameters
    ----------
    alpha : number, pair or Distribution
        Gain, above 0: 0 would erase the image.
    beta : number, pair or Distribution
        Offset in values of the image: grey levels of 0 to 255 for 8 bits, fractions of white for floating
        point.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.2.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.GainOffset(2, beta=-60)], seed=0)(np.array([[20, 100, 200]], np.uint8))
    array([[  0, 140, 255]], dtype=uint8)
    """

    alpha: Random = param((0.8, 1.2), above=0)
    beta: Random = param(0, unit="values of the image")

    def traits(self) -> Traits:
        return Traits(recolours=True, gains="image")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        alpha, beta = draws(self.alpha), draws(self.beta)
        return on_colours(frame, lambda c: ChannelMix.diagonal(per_channel(alpha, c), per_channel(beta, c)))
