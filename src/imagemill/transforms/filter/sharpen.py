"""Sharpness."""

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

_SMOOTH = np.array([[1.0, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13
_SAME = np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]])


@dataclass(frozen=True, slots=True)
class Sharpen(Transform):
    """Make details stronger or weaker: ``out = smooth + factor * (x - smooth)``, smooth over 3x3 pixels.

    Parameters
    ----------
    factor : number, pair or Distribution
        0 (smooth) to 20; 1 changes nothing, 2 doubles the finest details.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its edges; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Haeberli and Voorhies (1994), "Image processing by interpolation and extrapolation", IRIS Universe 28, with the
    kernel of ``PIL.ImageEnhance.Sharpness``.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Sharpen(2)], seed=0)(np.array([[10, 10, 10, 140, 140, 140]], np.uint8))
    array([[ 10,  10,   0, 170, 140, 140]], dtype=uint8)
    """

    factor: Random = param((1.0, 2.5), low=0, high=20)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        factor = draws(self.factor)[:, None, None]
        return Filter("convolve", (in_plane(frame, _SMOOTH + factor * (_SAME - _SMOOTH)),), colours(frame))
