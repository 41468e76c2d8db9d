"""Medians over boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Choice, Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import axis_names
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class MedianBlur(Transform):
    """Replace each value by the median of the box about it: specks go, edges stay.

    Parameters
    ----------
    size : odd whole number or Choice of them, pixels
        Length of the box, 1 (nothing) to 99.
    axes : str, optional
        The axes along which the box extends, ``"yx"`` by default; ``"zyx"`` for cubes of volumes.

    Targets
    -------
    Image changes (an alpha channel does not), its edge pixels repeated; Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Huang, Yang and Tang (1979), "A fast two-dimensional median filtering algorithm", IEEE TASSP 27(1).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.MedianBlur(3)], seed=0)(np.array([[10, 10, 255, 10, 40, 40]], np.uint8))
    array([[10, 10, 10, 40, 40, 40]], dtype=uint8)
    """

    size: Random = param(Choice((3, 5)), low=1, high=99, unit="pixels", whole="odd")
    axes: str | None = option(None, check=axis_names)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        sides = np.ones((frame.n, frame.ndim), np.int64)
        sides[:, [frame.axis(name) for name in self.axes or "yx"]] = draws(self.size)[:, None]
        return Filter("median", (sides,), colours(frame))
