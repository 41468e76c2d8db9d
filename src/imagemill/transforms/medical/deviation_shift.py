"""A shift in units of the image's own spread."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, number, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import switch
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class DeviationShift(Transform):
    """Make an image lighter or darker by so many of its own standard deviations, whatever its units are.

    Parameters
    ----------
    shift : number, pair or Distribution, standard deviations
        What is added to every value, -10 to 10.
    per_channel : bool
        Each channel by its own deviation; else all by that of all values.
    above : float, optional
        A value of the image: only pixels above it count and change, such as 0 where scans have an empty background.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    MONAI's ``RandStdShiftIntensity``.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.DeviationShift(0.5, above=0)], seed=0)(np.array([[0.0, 2.0, 6.0]]))
    array([[0., 3., 7.]])
    """

    shift: Random = param((-0.1, 0.1), low=-10, high=10, unit="standard deviations")
    per_channel: bool = option(False, check=switch)
    above: float | None = option(None, check=lambda name, value: None if value is None else number()(name, value))

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        return self._with_coin(1.0 if self.shift.bounds == (0, 0) else min(self.shift.count, math.inf))

    def draw(self, draws: Draws, frame: Frame) -> Op:
        above = np.full(frame.n, np.nan if self.above is None else self.above)
        return Filter("deviations", (draws(self.shift), above, np.full(frame.n, self.per_channel)), colours(frame))
