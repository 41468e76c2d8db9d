"""Standardisation of each sample by itself."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Fit, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, number, one_of, option
from imagemill.transforms.colour._percentiles import Above, ZScoreAbove, above_option, on_values
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Standardize(Transform):
    """Give each image or volume mean 0 and deviation 1, as floating point.

    ``out = (x - mean) / (std + epsilon)``, mean and deviation taken over the pixels of the sample as it
    arrives here. Every channel takes part, alpha too: drop it first.

    Parameters
    ----------
    per_channel : bool
        Whether each channel has its own mean and deviation, or all share one.
    centre : bool
        Whether to subtract the mean.
    scale : bool
        Whether to divide by the deviation.
    epsilon : float
        At least 0, added to the deviation so that a constant image gives zeros.
    above : None, "mean" or number
        Mean and deviation are those of the values above it, and all values are moved by them: ``0`` for scans with an
        empty background, ``"mean"`` for what is brighter than the image on the whole. None takes all. What is counted
        is decided pixel by pixel, so it stops fusing, and goes with all channels together.

    Targets
    -------
    Image changes; all else stays.

    Source
    ------
    LeCun, Bottou, Orr and Müller (1998), "Efficient BackProp", 4.3.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Standardize()], seed=0)(np.array([[10, 30]], np.uint8)).round(4)
    array([[-1.,  1.]], dtype=float32)
    """

    per_channel: bool = option(False, check=one_of(True, False))
    centre: bool = option(True, check=one_of(True, False))
    scale: bool = option(True, check=one_of(True, False))
    epsilon: float = option(1e-7, check=number(low=0))
    above: Above = option(None, check=above_option)

    def check(self) -> None:
        if self.above is not None and self.per_channel:
            raise ParameterError("expected Standardize(above=...) for all channels together, got per_channel=True")
        if not self.centre and not self.scale:
            raise ParameterError("expected Standardize to centre or to scale, got neither; leave it out instead")

    def traits(self) -> Traits:
        return Traits(fits="deviation", fits_channels=self.per_channel, leaves_range=True, small=True, white="sets")

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        if self.above is not None:
            score = ZScoreAbove(self.centre, self.scale, self.epsilon, self.above)
            return on_values(frame, score, "Standardize")
        return Fit("zscore", self.per_channel, self.epsilon, self.centre, self.scale)
