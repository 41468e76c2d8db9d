"""A random rising curve over an image's own range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Floats, Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


@dataclass(frozen=True, slots=True)
class HistogramShift(Transform):
    """Bend an image's tones by a random rising curve: how bright each tissue is changes, not their order.

    Parameters
    ----------
    points : int, pair or Distribution
        How many points the curve of straight lines has, evenly spaced over the image's own range from its least to its
        largest value, 3 to 64. Each but the outermost two is drawn between the one before it and where the one behind
        it stands undrawn.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Billot et al. (2020), "A learning strategy for contrast-agnostic MRI segmentation", MIDL, on contrasts that a
    network is not to learn; the curve is that of MONAI's ``RandHistogramShift``.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> ramp = np.linspace(0, 1, 50).reshape(5, 10)
    >>> made = im.Pipeline([im.HistogramShift(5)], seed=1)(ramp)
    >>> bool((np.diff(made.ravel()) >= 0).all()), float(made.min()), float(made.max())
    (True, 0.0, 1.0)
    """

    points: Random = param((5, 15), low=3, high=64, whole="any")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        """Unlimited: heights are continuous."""
        return self._with_coin(math.inf)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = draw_whole(draws, self.points, "points")
        # As many as the most there could be are drawn, so that a curve is the same whatever the batch.
        most = int(self.points.bounds[1])
        lots = draws.uniforms(most - 2)
        heights: Floats = np.minimum(np.arange(most)[None] / (count[:, None] - 1), 1.0)
        for at in range(1, most - 1):
            low, high = heights[:, at - 1], np.minimum((at + 1) / (count - 1), 1.0)
            heights[:, at] = np.where(at < count - 1, low + (high - low) * lots[at - 1], heights[:, at])
        return Filter("range curve", (heights, count), colours(frame))
