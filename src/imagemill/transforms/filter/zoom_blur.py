"""Blur of a lens that zooms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import switch, whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ZoomBlur(Transform):
    """Blur away from the centre, as a lens that zooms in while the shutter is open; slices each by themselves.

    The mean of ``steps`` copies, the first as it is, the last magnified by ``factor``, the others evenly between.

    Parameters
    ----------
    factor : number, pair or Distribution
        Magnification at the end, 1 (no blur) to 3.
    steps : int
        How many copies, 2 to 64; few of them show as separate edges where the zoom is strong.
    once_more : bool
        The image as it is counts twice, as in ImageNet-C.

    Targets
    -------
    Image changes (an alpha channel does not), its edge pixels repeated; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR: zoom blur.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> ring = np.array([[0, 80, 0, 0, 0, 80, 0]], np.uint8)
    >>> im.Pipeline([im.ZoomBlur(1.5, steps=2)], seed=0)(ring)
    array([[40, 53,  0,  0,  0, 53, 40]], dtype=uint8)
    """

    factor: Random = param((1.0, 1.15), low=1, high=3)
    steps: int = option(10, check=whole_number(low=2))
    once_more: bool = option(False, check=switch)

    def check(self) -> None:
        if self.steps > 64:
            raise ParameterError(f"expected ZoomBlur(steps=...) to be 64 at most, got {self.steps}")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        share = np.linspace(0.0, 1.0, self.steps)
        share = np.concatenate([[0.0], share]) if self.once_more else share
        zoom = 1.0 + (draws(self.factor)[:, None] - 1.0) * share
        linear = np.zeros((frame.n, len(share), frame.ndim, frame.ndim))
        for axis in range(frame.ndim):
            linear[..., axis, axis] = 1.0 / zoom if axis in frame.in_plane else 1.0
        each = linear.reshape(-1, frame.ndim, frame.ndim)
        views = geo.about(each, np.repeat(frame.centre, len(share), axis=0))
        return Filter("average", (views.reshape(frame.n, len(share), *views.shape[1:]),), colours(frame))
