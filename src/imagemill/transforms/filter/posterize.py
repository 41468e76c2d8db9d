"""Fewer levels."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random, whole_count
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


@dataclass(frozen=True, slots=True)
class Posterize(Transform):
    """Keep the highest bits of each value, the others become 0.

    Floating-point values go down to as many even levels below white; white stays.

    Parameters
    ----------
    bits : whole number, pair or Choice
        How many are kept, 1 to 8; with 8 an image of 8 bits stays as it is.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 2.4: intensity resolution.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Posterize(2)], seed=0)(np.array([[0, 63, 64, 130, 255]], np.uint8))
    array([[  0,   0,  64, 128, 192]], dtype=uint8)
    """

    bits: Random = param((3, 6), low=1, high=8, unit="bits", whole="any")

    def traits(self) -> Traits:
        return Traits(apart=True, recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        white = frame.peak + 1 if frame.dtype.kind in "iu" else frame.peak
        return Filter("posterize", (white / 2.0 ** draw_whole(draws, self.bits, "bits"),), colours(frame))

    def variants(self) -> float:
        return self._with_coin(whole_count(self.bits))
