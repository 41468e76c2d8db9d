"""A smooth curve of tones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op, Pointwise
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ToneCurve(Transform):
    """Lift or lower shadows and lights along a smooth curve, black and white staying where they are.

    A cubic Bezier curve with control values ``1/3 + shadows`` and ``2/3 + lights`` of white, at a third and two thirds
    of it: rising everywhere. Both up is brighter, apart more contrast.

    Parameters
    ----------
    shadows, lights : number, pair or Distribution
        By how much the control values move, as shares of white, -1/3 to 1/3.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Farin (2002), "Curves and Surfaces for CAGD", 4: Bezier curves, as the tone curves of photo editors.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ToneCurve(-0.2, 0.2)], seed=0)(np.array([[0, 64, 128, 192, 255]], np.uint8))
    array([[  0,  50, 128, 206, 255]], dtype=uint8)
    """

    shadows: Random = param((-0.15, 0.15), low=-1 / 3, high=1 / 3)
    lights: Random = param((-0.15, 0.15), low=-1 / 3, high=1 / 3)

    def traits(self) -> Traits:
        return Traits(recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        low, high = 1 / 3 + draws(self.shadows), 2 / 3 + draws(self.lights)
        return Pointwise("bezier", np.stack([np.full(frame.n, frame.peak), low, high], axis=1), colours(frame))
