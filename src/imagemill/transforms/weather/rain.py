"""Rain."""

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
from imagemill.transforms.filter._kernels import line
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Rain(Transform):
    """Let it rain: streaks of one direction, and a darker day.

    A drop moves while the shutter is open, so that it is a streak that lets the background shine through:
    ``out = dim * x * (1 - a) + 0.8 * white * a`` with the streak's opacity ``a``. Where a drop is belongs to the
    sample: neither batch nor thread changes it.

    Parameters
    ----------
    amount : number, pair or Distribution
        Share of the pixels at which a drop is, 0 (none) to 0.2.
    length : number, pair or Distribution, pixels
        Of the streaks, 1 to 60.
    degrees : number, pair or Distribution, degrees
        Their direction, counter-clockwise from the right; 90 is upright.
    strength : number, pair or Distribution
        Opacity of the heaviest drops, 0 to 1.
    dim : number, pair or Distribution
        What is left of the light, 0 to 1.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Garg and Nayar (2007), "Vision and rain", International Journal of Computer Vision 75(1): streaks brighter than
    what is behind them, mixed with it by how long the drop covered the pixel.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.Rain(0.01, 8, 90, dim=1)], seed=0)(np.full((50, 50), 60, np.uint8))
    >>> int(made.min()), int(made.max()) > 60
    (60, True)
    """

    amount: Random = param((0.001, 0.01), low=0, high=0.2)
    length: Random = param((8.0, 24.0), low=1, high=60, unit="pixels")
    degrees: Random = param((75.0, 105.0), low=-360, high=360, unit="degrees")
    strength: Random = param((0.3, 0.7), low=0, high=1)
    dim: Random = param((0.7, 0.9), low=0, high=1)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        amount = draws(self.amount)
        kernel = line(draws(self.length), draws(self.degrees))
        params = (amount, draws(self.strength), draws(self.dim), kernel, draws.stream())
        return Filter("rain", params, colours(frame))

    def variants(self) -> float:
        """Unlimited: each drop is drawn by itself."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return "each drop is drawn by itself" if self.p > 0 else ""
