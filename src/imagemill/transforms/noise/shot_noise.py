"""Noise of single photons."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Noise
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import LogUniform, Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ShotNoise(Transform):
    """Count photons: each value becomes a Poisson number of its own mean.

    ``out = unit * Poisson(x / unit)`` with ``unit = white / photons``; values below 0 count as 0. A number belongs to
    its sample and its pixel: neither batch nor thread changes it.

    Parameters
    ----------
    photons : number, pair or Distribution
        How many make white, 1 to 1,000,000; the fewer, the noisier. White then deviates by ``1 / sqrt(photons)``.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Hasinoff (2014), "Photon, Poisson noise", Computer Vision: A Reference Guide.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.ShotNoise(5)], seed=0)(np.full((30, 40), 102, np.uint8))
    >>> np.unique(made % 51).tolist()
    [0]
    """

    photons: Random = param(LogUniform(100, 2000), low=1, high=1e6, unit="photons")

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        unit = frame.peak / draws(self.photons)
        return Noise("poisson", unit[:, None], draws.stream(), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where the number of photons is fixed."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return "each pixel is drawn by itself" if self.p > 0 else ""
