"""Relief."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.filter._kernels import in_plane
from imagemill.transforms.traits import Traits

_SAME = np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]])
_RISE_X = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
_RISE_Y = _RISE_X.T


@dataclass(frozen=True, slots=True)
class Emboss(Transform):
    """Make a relief of brightness, lit from one side: edges that face the light become brighter, others darker.

    ``out = x - strength * rise``, with the rise of the values towards the light per two pixels, by Sobel's kernel.

    Parameters
    ----------
    strength : number, pair or Distribution
        0 (nothing) to 10.
    degrees : number, pair or Distribution, degrees
        Where the light comes from, counter-clockwise from the right; from the upper left by default.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its edges; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Schlag (1994), "Fast embossing effects on raster image data", Graphics Gems IV, added to the image; Sobel's kernel
    as in Gonzalez and Woods (2018), "Digital Image Processing", 3.6.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Emboss(0.5, 180)], seed=0)(np.array([[50, 50, 50, 90, 90, 50, 50]], np.uint8))
    array([[ 50,  50,  70, 110,  70,  30,  50]], dtype=uint8)
    """

    strength: Random = param((0.1, 0.6), low=0, high=10)
    degrees: Random = param(135.0, low=-360, high=360, unit="degrees")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        strength, angle = draws(self.strength), np.deg2rad(draws(self.degrees))
        # Rows count downwards: towards a light from above values rise where they fall with the row.
        x, y = (w[:, None, None] for w in (strength * np.cos(angle), -strength * np.sin(angle)))
        return Filter("convolve", (in_plane(frame, _SAME - x * _RISE_X - y * _RISE_Y),), colours(frame))
