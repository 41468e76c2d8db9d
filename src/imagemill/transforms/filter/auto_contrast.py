"""Stretching to black and white."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class AutoContrast(Transform):
    """Stretch each channel so that its darkest value becomes black and its brightest white.

    ``out = white * (x - low) / (high - low)``, with white 255 for 8 bits, 65,535 for 16 and 1 for floating point. A
    channel of one value stays.

    Parameters
    ----------
    cut : number, pair or Distribution
        Share of the values, 0 to 0.49, that is left out at either end when ``low`` and ``high`` are looked for. Integer
        images saturate there, floating-point images do not.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.2: contrast stretching, with the cut of
    ``PIL.ImageOps.autocontrast``.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.AutoContrast()], seed=0)(np.array([[50, 60, 100]], np.uint8))
    array([[  0,  51, 255]], dtype=uint8)
    """

    cut: Random = param(0.0, low=0, high=0.49)

    def traits(self) -> Traits:
        return Traits(apart=True, recolours=True, fits="extremes", fits_channels=True, white="sets")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Filter("stretch", (draws(self.cut),), colours(frame))
