"""Multiplicative noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Noise
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import switch
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class SpeckleNoise(Transform):
    """Multiply each value by a normal number of mean 1, as coherent light, ultrasound and radar do.

    ``out = x * (1 + std * z)``. A number belongs to its sample and its pixel: neither batch nor thread changes it.

    Parameters
    ----------
    std : number, pair or Distribution
        Standard deviation of the factor, 0 to 10.
    per_channel : bool
        A number for each channel of a pixel, or one for all, which keeps its hue.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Jain (1989), "Fundamentals of Digital Image Processing", 8.13: speckle noise, multiplicative.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.SpeckleNoise(0.3)], seed=0)(np.array([[0.0, 0.0, 0.0]]))
    array([[0., 0., 0.]])
    """

    std: Random = param((0.0, 0.2), low=0, high=10)
    per_channel: bool = option(True, check=switch)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        std, none = draws(self.std), np.zeros(frame.n)
        shared = none if self.per_channel else none + 1
        return Noise("normal", np.stack([none, none, std**2, shared], axis=1), draws.stream(), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where the strength is fixed."""
        return self._with_coin(1.0 if self.std.bounds == (0, 0) else math.inf)
