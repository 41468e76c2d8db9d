"""Saturation: distance from gray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import luma_weights, on_rgb
from imagemill.transforms.traits import Traits

_EYE = np.eye(3)
_GRAY = np.tile(luma_weights(3), (3, 1))


def saturations(factor: Floats) -> Floats:
    """Matrices ``[n, 3, 3]`` on red, green and blue for factors ``[n]``."""
    f = factor[:, None, None]
    return f * _EYE + (1.0 - f) * _GRAY


@dataclass(frozen=True, slots=True)
class Saturation(Transform):
    """Move each pixel away from its own gray, or towards it; luma stays, and so does a gray image.

    ``out = factor * x + (1 - factor) * luma(x)``, ``luma = 0.299 R + 0.587 G + 0.114 B``. Integer images
    saturate, floating-point images do not.

    Parameters
    ----------
    factor : number, pair or Distribution
        At least 0; 0 is gray, above 1 is more colourful.

    Raises
    ------
    ParameterError
        When an image has neither 1 nor 3 colour channels.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Haeberli (1993), "Matrix operations for image processing"; weights of ITU-R BT.601.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Saturation(0)], seed=0)(np.array([[[200, 100, 0]]], np.uint8))
    array([[[118, 118, 118]]], dtype=uint8)
    """

    factor: Random = param((0.8, 1.2), low=0)

    def traits(self) -> Traits:
        return Traits(recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        factor = draws(self.factor)
        return on_rgb(frame, "Saturation", lambda: saturations(factor))
