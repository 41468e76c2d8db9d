"""The noise of magnitude images."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Noise
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class RicianNoise(Transform):
    """Add the noise of magnetic resonance magnitude images: normal noise in both channels of a complex signal.

    ``out = sqrt((x + std * white * z1) ** 2 + (std * white * z2) ** 2)`` with standard normal ``z1`` and ``z2``. Where
    there is no signal that is Rayleigh noise, of mean 1.253 std; where it is strong, nearly normal. Nothing comes out
    below 0: values are magnitudes, so use it before a standardisation. Numbers belong to their sample and their pixel:
    neither batch nor thread changes them.

    Parameters
    ----------
    std : number, pair or Distribution
        Standard deviation of each channel as a share of white, 0 to 1000; in units of the image where values are
        floating point.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Gudbjartsson and Patz (1995), "The Rician distribution of noisy MRI data", Magnetic Resonance in Medicine 34(6).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> empty = np.zeros((200, 200))
    >>> noisy = im.Pipeline([im.RicianNoise(0.1)], seed=0)(empty)
    >>> round(float(noisy.mean()), 2), bool(noisy.min() >= 0)
    (0.13, True)
    """

    std: Random = param((0.0, 0.1), low=0, high=1000)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        std = draws(self.std) * frame.peak
        return Noise("rician", std[:, None], draws.stream(), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where the strength is fixed."""
        return self._with_coin(1.0 if self.std.bounds == (0, 0) else math.inf)
