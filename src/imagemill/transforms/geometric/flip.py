"""Mirroring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, one_of, option
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Flip(Transform):
    """Mirror along one axis, exactly: pixels are moved, never computed with.

    Parameters
    ----------
    axis : {"x", "y", "z"}
        ``"x"`` exchanges left and right, ``"y"`` up and down, ``"z"`` the order of slices.
    p : float
        Probability that a sample is mirrored, 0 to 1; ``Flip("x", p=0.5)`` mirrors every other one.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays.

    Source
    ------
    Simard, Steinkraus, Platt (2003), "Best practices for convolutional neural networks applied to visual
    document analysis", ICDAR, on distortions that keep the label.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Flip("x")], seed=0)(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    array([[3, 2, 1],
           [6, 5, 4]], dtype=uint8)
    """

    axis: Literal["x", "y", "z"] = option("x", check=one_of("x", "y", "z"))

    def traits(self) -> Traits:
        return Traits(moves=True, mirrors=self.axis)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Affine(geo.flip(frame.shape, frame.axis(self.axis)), frame.shape)
