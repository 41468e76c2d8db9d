"""Single wrong values of the spectrum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Spike(Transform):
    """Lay waves over the image, as single wrong values of the spectrum do in MRI.

    Parameters
    ----------
    intensity : number, pair or Distribution
        Height of a wave over the mean magnitude of the image, -10 to 10: what a value as large as so many times the
        middle of the spectrum gives.
    count : int
        How many waves, 1 to 32.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Zhuo and Gullapalli (2006), "MR artifacts, safety, and quality control", RadioGraphics 26(1): spike noise.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.Spike(0.5)], seed=1)(np.ones((16, 16)))
    >>> round(float(made.max()), 2) <= 1.5
    True
    """

    intensity: Random = param((-1.0, 1.0), low=-10, high=10)
    count: int = option(1, check=whole_number(low=1))

    def check(self) -> None:
        if self.count > 32:
            raise ParameterError(f"expected Spike(count=...) of 32 at most, got {self.count}")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        """Unlimited: the number of waves depends on the size of the image."""
        return self._with_coin(1.0 if self.intensity.bounds == (0, 0) else np.inf)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        n, d = frame.shape.shape
        intensity = np.repeat(draws(self.intensity)[:, None], self.count, axis=1)
        places = draws.uniforms(self.count * d).T.reshape(n, self.count, d)
        # As many periods as there are frequencies, from -N/2 on.
        waves = np.floor(places * frame.shape[:, None, :]) - frame.shape[:, None, :] // 2
        return Filter("spikes", (waves, intensity), colours(frame))
