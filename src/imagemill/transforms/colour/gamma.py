"""Gamma curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op, Pointwise
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import LogUniform, Random
from imagemill.transforms.base import Transform, one_of, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Gamma(Transform):
    """Bend values by a power, black and white staying where they are.

    ``out = white * (x / white) ** gamma``; negative values count as 0. Or within the range of the image's own values,
    for scans that have no white.

    Parameters
    ----------
    gamma : number, pair or Distribution
        Above 0; below 1 is brighter, above 1 darker.
    within : {"white", "range"}
        Between 0 and white, or between the smallest and the largest value of each channel, whatever they are.
    inverted : bool
        Within the range, bend the bright end instead of the dark one.
    keep : bool
        Within the range, bring mean and deviation of each channel back to what they were.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.2: power-law transformations.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Gamma(2)], seed=0)(np.array([[0, 51, 102, 255]], np.uint8))
    array([[  0,  10,  41, 255]], dtype=uint8)
    """

    gamma: Random = param(LogUniform(0.8, 1.25), above=0)

    within: Literal["white", "range"] = option("white", check=one_of("white", "range"))
    inverted: bool = option(False, check=one_of(False, True))
    keep: bool = option(False, check=one_of(False, True))

    def check(self) -> None:
        if self.within == "white" and (self.inverted or self.keep):
            raise ParameterError("expected Gamma(inverted=..., keep=...) with within='range', got within='white'")

    def traits(self) -> Traits:
        return Traits(apart=True) if self.within == "range" else Traits(recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        gamma = draws(self.gamma)
        if self.within == "range":
            inverted, keep = (np.full(frame.n, float(said)) for said in (self.inverted, self.keep))
            return Filter("range gamma", (gamma, inverted, keep), colours(frame))
        return Pointwise("gamma", np.stack([np.full(frame.n, frame.peak), gamma], axis=1), colours(frame))
