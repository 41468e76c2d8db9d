"""Hot air between the camera and what it sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Turbulence(Transform):
    """Read each pixel from a place nearby, as through hot air: fine, and it may fold, where `Elastic` is smooth.

    Along ``y`` and ``x`` the place lies off by uniform numbers within ``reach``, smoothed by a Gaussian; all slices
    of a volume alike. A number belongs to its sample and its pixel: neither batch nor thread changes it.

    Parameters
    ----------
    reach : number, pair or Distribution
        Largest distance before smoothing as a share of the image's height, 0 (nothing) to 1. With a ``scale`` of 0.01
        pixels move by 16.3 ``reach`` pixels on average (root of the mean square), whatever the size of the image.
    scale : number, pair or Distribution
        Deviation of the Gaussian as a share of each side, 0 to 0.25.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its outer edges; Mask, Boxes, Keypoints, Label stay, as
    pixels move by few of them and no map leads back.

    Source
    ------
    Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks applied to visual document
    analysis", ICDAR; as Michaelis et al. (2019), "Benchmarking robustness in object detection", have it for any size.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> photo = np.zeros((24, 32, 3), np.uint8)
    >>> im.Pipeline([im.Turbulence()], seed=0)(photo).shape
    (24, 32, 3)
    """

    reach: Random = param((0.0, 0.1), low=0, high=1)
    scale: Random = param(0.01, low=0, high=0.25)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        sides = frame.shape[:, list(frame.in_plane)]
        reach = np.repeat((draws(self.reach) * sides[:, 0])[:, None], 2, axis=1)
        sigma = draws(self.scale)[:, None] * sides
        return Filter("turbulence", (reach, sigma, draws.stream()), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where the reach is fixed."""
        return self._with_coin(1.0 if self.reach.bounds == (0, 0) else math.inf)
