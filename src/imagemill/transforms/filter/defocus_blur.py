"""Blur of a lens out of focus."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import OptionalRandom, Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.filter._kernels import disc, in_plane
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class DefocusBlur(Transform):
    """Blur with the mean over a disc, as a lens does that is out of focus, in the plane of ``y`` and ``x``.

    Parameters
    ----------
    radius : number, pair or Distribution, pixels
        Of the disc, 0.1 to 30; up to 0.5 it lies within a pixel and changes nothing. Pixels at its rim count by the
        part of them that is covered.
    softness : number, pair or Distribution, pixels, optional
        Pixels count in whole instead, and the rim is smoothed by a Gaussian of this deviation, above 0 to 2: the
        aliased disc of ImageNet-C.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its edges; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Potmesil and Chakravarty (1981), "A lens and aperture camera model for synthetic image generation", SIGGRAPH: the
    circle of confusion.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> dot = np.zeros((5, 5), np.uint8)
    >>> dot[2, 2] = 100
    >>> im.Pipeline([im.DefocusBlur(1)], seed=0)(dot)
    array([[ 0,  0,  0,  0,  0],
           [ 0,  3, 15,  3,  0],
           [ 0, 15, 32, 15,  0],
           [ 0,  3, 15,  3,  0],
           [ 0,  0,  0,  0,  0]], dtype=uint8)
    """

    radius: Random = param((1.0, 4.0), low=0.1, high=30, unit="pixels")
    softness: OptionalRandom = param(None, above=0, high=2, unit="pixels")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        radius = draws(self.radius)
        kernel = disc(radius, None if self.softness is None else draws(self.softness))
        return Filter("convolve", (in_plane(frame, kernel),), colours(frame))
