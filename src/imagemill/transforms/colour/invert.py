"""Negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform
from imagemill.transforms.colour._channels import on_colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Invert(Transform):
    """Make the negative: black becomes white.

    ``out = white - x``, with white 255 for 8 bits, 65,535 for 16 and 1 for floating point.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 3.2: image negatives.

    Examples
    --------
    >>> import imagemill as im
    >>> im.Pipeline([im.Invert()], seed=0)(np.array([[0, 55, 255]], np.uint8))
    array([[255, 200,   0]], dtype=uint8)
    """

    def traits(self) -> Traits:
        return Traits(recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        def make(count: int) -> ChannelMix:
            return ChannelMix.diagonal(np.full((frame.n, count), -1.0), np.full((frame.n, count), frame.peak))

        return on_colours(frame, make)
