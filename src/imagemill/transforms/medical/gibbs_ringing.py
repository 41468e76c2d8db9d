"""Ringing at edges."""

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
class GibbsRinging(Transform):
    """Let edges ring, as in MRI where too few high frequencies were measured.

    Parameters
    ----------
    cut : number, pair or Distribution
        Share of the spectrum's radius that is left out, from the outermost frequency on, 0 to 1: 0 leaves all, 1
        nothing but the mean. The radius is half the diagonal of a square on the longest side.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Morelli et al. (2011), "An image-based approach to understanding the physics of MR artifacts", RadioGraphics 31(3).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> edge = np.repeat([[0.0] * 16 + [1.0] * 16], 32, axis=0)
    >>> made = im.Pipeline([im.GibbsRinging(0.8)], seed=1)(edge)
    >>> bool(made.max() > 1.05), bool(made.min() < -0.05)
    (True, True)
    """

    cut: Random = param((0.2, 0.6), low=0, high=1)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        return self._with_coin(1.0 if self.cut.bounds == (0, 0) else min(self.cut.count, math.inf))

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Filter("truncated", (draws(self.cut),), colours(frame))
