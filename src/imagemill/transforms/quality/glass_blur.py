"""Blur of bubbled glass."""

from __future__ import annotations

import math
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
from imagemill.transforms.filter._kernels import along, gaussian
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


@dataclass(frozen=True, slots=True)
class GlassBlur(Transform):
    """See through bubbled glass: a blur, pixels that are taken from nearby, and the blur again.

    From the lower right to the upper left each pixel takes the colour that stands ``-reach`` to ``reach - 1`` rows and
    columns away by then; ``times`` over. Which ones belongs to the sample and the pixel: neither batch nor thread
    changes it. All slices of a volume are seen through the same glass.

    Parameters
    ----------
    sigma : number, pair or Distribution, pixels
        Of the Gaussian, 0 (none) to 10.
    reach : int, pair or Choice, pixels
        0 (nothing moves) to 16. A margin of as many pixels stays where it is.
    times : int
        1 to 8.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay, as pixels move by few of them.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR: glass blur. As in its published images a pixel is copied, and not exchanged.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> ramp = np.tile(np.arange(0, 200, 10, dtype=np.uint8), (20, 1))
    >>> made = im.Pipeline([im.GlassBlur(0, reach=2)], seed=0)(ramp)
    >>> set(np.unique(made)) <= set(np.unique(ramp)), bool((made != ramp).any())
    (True, True)
    """

    sigma: Random = param((0.4, 1.2), low=0, high=10, unit="pixels")
    reach: Random = param((1, 3), low=0, high=16, unit="pixels", whole="any")
    times: int = option(2, check=whole_number(low=1))

    def check(self) -> None:
        if self.times > 8:
            raise ParameterError(f"expected GlassBlur(times=...) to be 8 at most, got {self.times}")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        weights = gaussian(draws(self.sigma))
        kernels = [along(frame, axis, weights) for axis in frame.in_plane]
        reach = draw_whole(draws, self.reach, "reach").astype(np.int64)
        times = np.where(reach > 0, self.times, 0)
        return Filter("glass", (reach, times, draws.stream(), *kernels, *kernels), colours(frame))

    def variants(self) -> float:
        """Unlimited where pixels move: each is drawn by itself."""
        return self._with_coin(math.inf if self.reach.bounds[1] > 0 else self.sigma.count)
