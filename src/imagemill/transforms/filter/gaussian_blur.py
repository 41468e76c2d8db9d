"""Gaussian blur."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis
from imagemill.transforms.base import Transform, one_of, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.filter._kernels import UNITS, along, gaussian, widths
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class GaussianBlur(Transform):
    """Blur with a Gaussian.

    Parameters
    ----------
    sigma : number, pair, Distribution, or mapping from axis to one
        Standard deviation, 0 (no blur) to 100 pixels. The Gaussian ends at four of them.
    unit : {"pixels", "millimetres"}
        In pixels one number is for ``y`` and ``x``, and slices do not blend; in millimetres it is for all axes, each by
        its own spacing. A mapping names the axes itself.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its edges; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.5: Gaussian lowpass kernels.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> dot = np.zeros((1, 7), np.uint8)
    >>> dot[0, 3] = 200
    >>> im.Pipeline([im.GaussianBlur({"x": 1.0})], seed=0)(dot)
    array([[ 2, 11, 48, 80, 48, 11,  2]], dtype=uint8)
    """

    sigma: PerAxis = param((0.1, 2.0), low=0, high=100, per_axis=True)
    unit: Literal["pixels", "millimetres"] = option("pixels", check=one_of(*UNITS))

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        sigma = widths(draws, self.sigma, "sigma", self.unit, frame, 0.0)
        kernels = [along(frame, axis, gaussian(sigma[:, axis])) for axis in range(frame.ndim) if sigma[:, axis].any()]
        return Filter("convolve", tuple(kernels), colours(frame))

    def variants(self) -> float:
        return self._with_coin(math.prod(d.count for _, d, _ in self.distributions()))
