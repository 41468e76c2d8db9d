"""Noise of a camera at high sensitivity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Noise
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ISONoise(Transform):
    """Add what a camera's sensor adds at high sensitivity: noise of photons and of reading, partly coloured.

    ``out = x + sqrt(shot^2 * white * x + read^2 * white^2) * z``, where the share ``colour`` of the variance is each
    channel's own and the rest common to all channels of a pixel. A number belongs to its sample and its pixel: neither
    batch nor thread changes it.

    Parameters
    ----------
    shot : number, pair or Distribution
        Standard deviation at white that comes of counting photons, as a share of white, 0 to 10.
    read : number, pair or Distribution
        Standard deviation of reading, alike in shadows and lights, as a share of white, 0 to 10.
    colour : number, pair or Distribution
        From 0, gray noise, to 1, each channel by itself.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Foi, Trimeche, Katkovnik and Egiazarian (2008), "Practical Poissonian-Gaussian noise modeling and fitting for
    single-image raw-data", IEEE TIP 17(10).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.ISONoise(shot=0.1, read=0, colour=0)], seed=0)
    >>> made = pipe(np.full((50, 50, 3), 128, np.uint8))
    >>> bool((made[..., 0] == made[..., 2]).all()), made.std().round() == np.round(0.1 * np.sqrt(128 * 255))
    (True, np.True_)
    """

    shot: Random = param((0.01, 0.06), low=0, high=10)
    read: Random = param((0.0, 0.02), low=0, high=10)
    colour: Random = param((0.3, 0.9), low=0, high=1)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        shot, read, colour = draws(self.shot), draws(self.read), draws(self.colour)
        peak = frame.peak
        columns = [(read * peak) ** 2, shot**2 * peak, np.zeros(frame.n), 1.0 - colour]
        return Noise("normal", np.stack(columns, axis=1), draws.stream(), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where the strength is fixed."""
        return self._with_coin(1.0 if self.shot.bounds == self.read.bounds == (0, 0) else math.inf)
