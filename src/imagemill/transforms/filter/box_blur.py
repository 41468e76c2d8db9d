"""Averages over boxes."""

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
from imagemill.transforms.filter._kernels import UNITS, along, box, widths
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class BoxBlur(Transform):
    """Blur with the mean over a box.

    Parameters
    ----------
    width : number, pair, Distribution, or mapping from axis to one
        Length of the box, 1 (no blur) to 200 pixels; of pixels that it covers in part that part counts.
    unit : {"pixels", "millimetres"}
        In pixels one number is for ``y`` and ``x``, and slices do not blend; in millimetres it is for all axes, each by
        its own spacing. A mapping names the axes itself.

    Targets
    -------
    Image changes (an alpha channel does not), mirrored at its edges; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.5: box kernels. Widths between whole pixels: Gwosdek et al.
    (2012), "Theoretical foundations of Gaussian convolution by extended box filtering", SSVM.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.BoxBlur({"x": 3})], seed=0)(np.array([[0, 0, 0, 90, 0, 0]], np.uint8))
    array([[ 0,  0, 30, 30, 30,  0]], dtype=uint8)
    """

    width: PerAxis = param((1.0, 5.0), low=1, high=200, per_axis=True)
    unit: Literal["pixels", "millimetres"] = option("pixels", check=one_of(*UNITS))

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        width = widths(draws, self.width, "width", self.unit, frame, 1.0)
        kernels = [along(frame, a, box(width[:, a])) for a in range(frame.ndim) if (width[:, a] > 1).any()]
        return Filter("convolve", tuple(kernels), colours(frame))

    def variants(self) -> float:
        return self._with_coin(math.prod(d.count for _, d, _ in self.distributions()))
