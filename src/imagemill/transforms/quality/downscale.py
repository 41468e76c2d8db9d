"""A lower resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, one_of, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Downscale(Transform):
    """Let the picture have fewer pixels along ``y`` and ``x``, in its own size: `LowResolution` for photos.

    Parameters
    ----------
    scale : number, pair or Distribution
        Share of the pixels of each side that is left, 0.01 to 1 (all); whole pixels, rounded down, at least 1.
    down : {"mean", "box", "nearest"}
        A pixel is the mean of what it covers; the mean of the pixels whose middles it covers, as Pillow's box filter
        has it; or the value nearest to its middle, which leaves steps.
    up : {"nearest", "linear"}
        Back as blocks (pixelated), or by straight lines (soft).

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR: pixelate, which is a box and blocks.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> ramp = np.array([[0, 10, 20, 30]] * 2, np.uint8)
    >>> im.Pipeline([im.Downscale(0.5)], seed=0)(ramp).tolist()
    [[5, 5, 25, 25], [5, 5, 25, 25]]
    """

    scale: Random = param((0.25, 0.75), low=0.01, high=1)
    down: Literal["mean", "box", "nearest"] = option("mean", check=one_of("mean", "box", "nearest"))
    up: Literal["nearest", "linear"] = option("nearest", check=one_of("nearest", "linear"))

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        fewer = frame.shape.copy()
        plane = list(frame.in_plane)
        # A little more, so that 0.3 of 10 is 3 and not 2.
        fewer[:, plane] = np.maximum(frame.shape[:, plane] * draws(self.scale)[:, None] + 1e-9, 1).astype(np.int64)
        how = [("nearest", "mean", "box").index(self.down), self.up == "linear"]
        return Filter("lower", (fewer, np.tile(np.array(how, np.int64), (frame.n, 1))), colours(frame))
