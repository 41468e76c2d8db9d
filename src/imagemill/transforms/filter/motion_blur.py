"""Blur along a line."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import OptionalRandom, Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.filter._kernels import in_plane, line, trail
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class MotionBlur(Transform):
    """Blur as if the camera had moved along a line while the shutter was open, in the plane of ``y`` and ``x``.

    Parameters
    ----------
    length : number, pair or Distribution, pixels
        Of the way, 0 (no blur) to 60.
    degrees : number, pair or Distribution, degrees
        Direction of the way, counter-clockwise from the right. There is no front and back: 180 degrees is 0 again.
    fade : number, pair or Distribution, pixels, optional
        Every point leaves a trail in that direction, which fades by half a Gaussian of this deviation, above 0 to 60.
        By default the movement is even and the blur lies to both sides.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its edges; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 5.6: degradation by uniform linear motion. Trails:
    ImageMagick's motion blur, as Hendrycks and Dietterich (2019), "Benchmarking neural network robustness", ICLR, use
    it.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.MotionBlur(2, 0)], seed=0)(np.array([[0, 0, 0, 80, 0, 0, 0]], np.uint8))
    array([[ 0,  0, 20, 40, 20,  0,  0]], dtype=uint8)
    """

    length: Random = param((0.0, 9.0), low=0, high=60, unit="pixels")
    degrees: Random = param((0.0, 180.0), low=-360, high=360, unit="degrees")
    fade: OptionalRandom = param(None, above=0, high=60, unit="pixels")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        length, degrees = draws(self.length), draws(self.degrees)
        kernel = line(length, degrees) if self.fade is None else trail(length, draws(self.fade), degrees)
        return Filter("convolve", (in_plane(frame, kernel),), colours(frame))
