"""Equalisation of the histogram."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Equalize(Transform):
    """Spread the values of each channel evenly over the scale, by their cumulative histogram.

    Unsigned integers are spread from 0 to white, other types from their own smallest to their own largest value. A
    channel of one value stays. A volume is equalised as a whole.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.3: histogram equalisation.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Equalize()], seed=0)(np.array([[100, 101, 102, 103, 103, 103]], np.uint8))
    array([[  0,  51, 102, 255, 255, 255]], dtype=uint8)
    """

    def traits(self) -> Traits:
        return Traits(apart=True, recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Filter("equalize", (), colours(frame))
