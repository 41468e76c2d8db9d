"""Gamma curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op, Pointwise
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import LogUniform, Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Gamma(Transform):
    """Bend values by a power, black and white staying where they are.

    ``out = white * (x / white) ** gamma``; negative values count as 0.

    Parameters
    ----------
    gamma : number, pair or Distribution
        Above 0; below 1 is brighter, above 1 darker.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.2: power-law transformations.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Gamma(2)], seed=0)(np.array([[0, 51, 102, 255]], np.uint8))
    array([[  0,  10,  41, 255]], dtype=uint8)
    """

    gamma: Random = param(LogUniform(0.8, 1.25), above=0)

    def traits(self) -> Traits:
        return Traits(recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        gamma = draws(self.gamma)
        return Pointwise("gamma", np.stack([np.full(frame.n, frame.peak), gamma], axis=1), colours(frame))
