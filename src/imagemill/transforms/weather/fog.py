"""Fog."""

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
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Fog(Transform):
    """Lay clouds of fog over the image, which keeps its brightest value.

    ``out = (x + thickness * white * f) * m / (m + thickness * white)`` with clouds ``f`` from 0 to 1 and ``m`` the
    image's brightest value. Where a cloud is thick belongs to the sample: neither batch nor thread changes it. All
    slices of a volume have the same fog.

    Parameters
    ----------
    thickness : number, pair or Distribution
        Of the thickest cloud, in whites, 0 (none) to 10: at 1.5 an eighth of the contrast is left where it is thick.
    decay : number, pair or Distribution
        How quickly clouds become smoother from one scale to the next finer one, 1 (patchy) to 4 (smooth).

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR: fog; clouds of Fournier, Fussell and Carpenter (1982), "Computer rendering of stochastic models", CACM 25(6).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> steps = np.tile(np.array([0, 255], np.uint8), (32, 16))
    >>> made = im.Pipeline([im.Fog(1.5)], seed=0)(steps)
    >>> bool(made.std() < 0.5 * steps.std()), int(made.max()) <= 255
    (True, True)
    """

    thickness: Random = param((0.2, 2.0), low=0, high=10)
    decay: Random = param((1.4, 2.0), low=1, high=4)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Filter("fog", (draws(self.thickness), draws(self.decay), draws.stream()), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where the thickness is fixed."""
        return self._with_coin(1.0 if self.thickness.bounds == (0, 0) else math.inf)
