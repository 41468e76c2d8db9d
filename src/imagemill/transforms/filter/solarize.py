"""Negative of the lights."""

from __future__ import annotations

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
class Solarize(Transform):
    """Make the negative of all values from a threshold on, as an overexposed film does.

    ``out = white - x`` where ``x >= threshold * white``.

    Parameters
    ----------
    threshold : number, pair or Distribution
        As a share of white, 0 to 1.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Cubuk, Zoph, Mane, Vasudevan and Le (2019), "AutoAugment: learning augmentation strategies from data", CVPR.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Solarize(0.5)], seed=0)(np.array([[0, 100, 127, 128, 255]], np.uint8))
    array([[  0, 100, 127, 127,   0]], dtype=uint8)
    """

    threshold: Random = param((0.4, 1.0), low=0, high=1)

    def traits(self) -> Traits:
        return Traits(apart=True, recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Filter("solarize", (draws(self.threshold) * frame.peak,), colours(frame))
