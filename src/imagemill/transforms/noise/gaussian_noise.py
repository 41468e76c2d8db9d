"""Gaussian noise."""

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
class GaussianNoise(Transform):
    """Add normal noise of mean 0, the same strength everywhere.

    ``out = x + std * white * z``. A number belongs to its sample and its pixel: neither batch nor thread changes it.

    Parameters
    ----------
    std : number, pair or Distribution
        Standard deviation as a share of white, 0 to 1000: 0.1 is 25.5 levels of 8 bits, and a tenth of a unit where
        values are floating point.
    per_channel : bool
        A number for each channel of a pixel (coloured noise), or one for all (gray noise).

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Bishop (1995), "Training with noise is equivalent to Tikhonov regularization", Neural Computation 7(1).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> flat = np.full((100, 100), 128, np.uint8)
    >>> noisy = im.Pipeline([im.GaussianNoise(0.1)], seed=0)(flat)
    >>> round(float(noisy.std()) / 255, 2)
    0.1
    """

    std: Random = param((0.0, 0.1), low=0, high=1000)
    per_channel: bool = option(True, check=switch)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        std = draws(self.std) * frame.peak
        none = np.zeros(frame.n)
        shared = none if self.per_channel else none + 1
        return Noise("normal", np.stack([std**2, none, none, shared], axis=1), draws.stream(), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where the strength is fixed."""
        return self._with_coin(1.0 if self.std.bounds == (0, 0) else math.inf)
