"""Standardisation of each sample by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.content import Array, labelled
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Cast, Filter, Fit, Op, floating
from imagemill.core.packed import packed
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.asked_content import all_maps, asked, name_of_target
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
    mask : str, optional
        Mean and deviation are those of the foreground of this label map (labels above 0), such as ``"mask"``, as it is
        at this place of the pipeline; all values are moved by them. Where it has no foreground in view they are those
        of all. It stops fusing. The recipe shows the share of the image that is inside.

    Raises
    ------
    InputError
        When no such label map came along.

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
    mask: str | None = option(None, check=name_of_target)

    def check(self) -> None:
        if self.above is not None and self.per_channel:
            raise ParameterError("expected Standardize(above=...) for all channels together, got per_channel=True")
        if self.above is not None and self.mask is not None:
            raise ParameterError("expected Standardize with above or with a mask, got both; drop one of them")
        if not self.centre and not self.scale:
            raise ParameterError("expected Standardize to centre or to scale, got neither; leave it out instead")

    def traits(self) -> Traits:
        return Traits(fits="deviation", fits_channels=self.per_channel, leaves_range=True, small=True, white="sets")

    def reads(self) -> str:
        return "" if self.mask is None else "masks"

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        if self.mask is not None:
            return Cast(floating(frame.dtype)), self._within(draws, frame)
        if self.above is not None:
            score = ZScoreAbove(self.centre, self.scale, self.epsilon, self.above)
            return on_values(frame, score, "Standardize")
        return Fit("zscore", self.per_channel, self.epsilon, self.centre, self.scale)

    def _within(self, draws: Draws, frame: Frame) -> Filter:
        """The score of a part of each image."""
        known = asked(frame, self.mask or "mask", "Standardize", None, all_maps(frame, self.mask))
        part = [np.zeros(tuple(shape), bool) for shape in frame.shape.tolist()]
        for row, maps in enumerate(known or ()):
            part[row] = labelled(maps)
        draws.note("inside", [one.mean() for one in part])
        settings = (self.per_channel, self.centre, self.scale, self.epsilon)
        each: list[Array] = [np.full(frame.n, one, np.float64) for one in settings]
        params: tuple[Array, ...] = (packed(part), *each)
        return Filter("zscore within", params, frame.channels)
