"""Drops on the lens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random, normal_quantile
from imagemill.transforms.base import Transform, one_of, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Spatter(Transform):
    """Spatter the lens with water, which brightens, or with mud, which hides.

    Drops are where smoothed normal numbers are highest. Water is ``x + strength * white * w * colour`` with a relief
    ``w`` that is lit from one side; mud is ``x * (1 - w) + white * w * colour`` where smoothed drops are at least 0.8
    thick. Where a drop is belongs to the sample: neither batch nor thread changes it.

    Parameters
    ----------
    cover : number, pair or Distribution
        Share of the image under drops, 0.001 to 0.9; of mud about a quarter of a half is left when rims are cut.
    sigma : number, pair or Distribution, pixels
        How large drops are: deviation of the Gaussian that smooths the numbers, 0.5 to 20.
    strength : number, pair or Distribution
        How bright water or how opaque mud is, 0 (nothing) to 1.
    kind : {"water", "mud"}
        Pale turquoise, or brown; gray where there are not three channels.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR: spatter. The relief of water is this library's.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.Spatter(0.5, 2, 1, kind="mud")], seed=0)(np.full((60, 60, 3), 200, np.uint8))
    >>> bool((made == 200).any()), int(made.min()) < 60
    (True, True)
    """

    cover: Random = param((0.05, 0.3), low=0.001, high=0.9)
    sigma: Random = param((1.5, 4.0), low=0.5, high=20, unit="pixels")
    strength: Random = param((0.4, 0.8), low=0, high=1)
    kind: Literal["water", "mud"] = option("water", check=one_of("water", "mud"))

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        z = normal_quantile(1 - draws(self.cover))
        return Filter(self.kind, (z, draws(self.sigma), draws(self.strength), draws.stream()), colours(frame))

    def variants(self) -> float:
        """Unlimited, also where all is fixed."""
        return self._with_coin(1.0 if self.strength.bounds == (0, 0) else math.inf)
