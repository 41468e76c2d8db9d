"""Unsharp masking."""

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
from imagemill.transforms.filter._kernels import along, gaussian
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class UnsharpMask(Transform):
    """Sharpen by what a Gaussian blur of ``y`` and ``x`` takes away: ``out = x + amount * (x - blurred)``.

    Parameters
    ----------
    amount : number, pair or Distribution
        0 (nothing) to 10.
    sigma : number, pair or Distribution, pixels
        Standard deviation of the blur, 0 to 100.
    threshold : number, pair or Distribution
        Differences smaller than this share of white, 0 to 1, are left alone, so that noise is not made stronger.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its edges; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.6: unsharp masking and highboost filtering.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.UnsharpMask(1, 1)], seed=0)(np.array([[50, 50, 50, 150, 150, 150]], np.uint8))
    array([[ 49,  44,  20, 180, 156, 151]], dtype=uint8)
    """

    amount: Random = param((0.2, 1.0), low=0, high=10)
    sigma: Random = param((0.5, 2.0), low=0, high=100, unit="pixels")
    threshold: Random = param(0.0, low=0, high=1)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        amount, sigma, threshold = draws(self.amount), draws(self.sigma), draws(self.threshold)
        weights = gaussian(sigma)
        kernels = [along(frame, axis, weights) for axis in frame.in_plane]
        return Filter("sharpen", (amount, np.asarray(threshold * frame.peak), *kernels), colours(frame))
