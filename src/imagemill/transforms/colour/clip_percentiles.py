"""Outliers of a scan's values."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, number, option
from imagemill.transforms.colour._percentiles import Above, PercentileClip, above_option, on_values
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ClipPercentiles(Transform):
    """Clip each image or volume at two of its own percentiles: bright vessels and spikes no longer set the scale.

    Parameters
    ----------
    low, high : float, percent
        0 to 100, ``low`` below ``high``.
    above : None, "mean" or number
        Percentiles are those of the values above it: ``0`` leaves out an empty background, ``"mean"`` what is darker
        than the image on the whole. None takes all. Where nothing is above, all count.

    Targets
    -------
    Image changes; all else stays.

    Source
    ------
    Isensee et al. (2021), "nnU-Net", Nature Methods 18, supplement: CT is clipped at the percentiles 0.5 and 99.5.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ClipPercentiles(25, 75)], seed=0)(np.array([[0, 10, 20, 30, 900]], np.int16))
    array([[10, 10, 20, 30, 30]], dtype=int16)
    """

    low: float = option(0.5, check=number(low=0, high=100))
    high: float = option(99.5, check=number(low=0, high=100))
    above: Above = option(None, check=above_option)

    def check(self) -> None:
        if not self.low < self.high:
            raise ParameterError(
                f"expected ClipPercentiles(low, high) with low below high, got {self.low}, {self.high}"
            )

    def traits(self) -> Traits:
        return Traits(recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        return on_values(frame, PercentileClip(self.low, self.high, self.above), "ClipPercentiles", whole=True)
