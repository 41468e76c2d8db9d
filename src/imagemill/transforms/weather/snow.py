"""Snow."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.filter._kernels import trail
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Snow(Transform):
    """Let it snow: flakes with trails, and everything bleached.

    Flakes are what of normal numbers with deviation 0.3 about ``level`` reaches ``threshold``, as bright as the
    number is (1 is white). They leave a trail, and lie on the image a second time turned by half. Where a flake is
    belongs to the sample: neither batch nor thread changes it.

    Parameters
    ----------
    level : number, pair or Distribution
        Brightness of the air, -1 to 1; the nearer to ``threshold``, the more flakes.
    threshold : number, pair or Distribution
        From which on it is a flake, 0 to 2.
    size : number, pair or Distribution, pixels
        Of a flake, 1 to 20.
    length : number, pair or Distribution, pixels
        Of the trail, 0 to 60.
    fade : number, pair or Distribution, pixels
        Deviation of the half Gaussian by which the trail fades, above 0 to 60.
    degrees : number, pair or Distribution, degrees
        Where trails lead, counter-clockwise from the right: 270 is down.
    bleach : number, pair or Distribution
        From 0 to 1, how far values go to ``max(x, 1.5 gray + 0.5 white)``.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR: snow.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> night = np.zeros((40, 40, 3), np.uint8)
    >>> made = im.Pipeline([im.Snow(0.4, 0.6, bleach=0)], seed=0)(night)
    >>> bool((made == 0).any()), int(made.max()) > 100
    (True, True)
    """

    level: Random = param((0.1, 0.4), low=-1, high=1)
    threshold: Random = param((0.6, 0.9), low=0, high=2)
    size: Random = param((2.0, 4.0), low=1, high=20, unit="pixels")
    length: Random = param((10.0, 24.0), low=0, high=60, unit="pixels")
    fade: Random = param((3.0, 10.0), above=0, high=60, unit="pixels")
    degrees: Random = param((225.0, 315.0), low=-360, high=360, unit="degrees")
    bleach: Random = param((0.1, 0.4), low=0, high=1)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        level, threshold, size = draws(self.level), draws(self.threshold), draws(self.size)
        kernel = trail(draws(self.length), draws(self.fade), draws(self.degrees))
        params = (level, threshold, size, draws(self.bleach), kernel, draws.stream())
        return Filter("snow", params, colours(frame))

    def variants(self) -> float:
        """Unlimited: each flake is drawn by itself."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return "each flake is drawn by itself" if self.p > 0 else ""
