"""Channels in another order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform
from imagemill.transforms.colour._channels import colours, linear, on_colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ChannelShuffle(Transform):
    """Put the colour channels into a random order, all of them equally likely.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Fisher and Yates (1938), "Statistical Tables": a random permutation, here by ranks of uniform numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> sorted(im.Pipeline([im.ChannelShuffle()], seed=0)(np.array([[[10, 20, 30]]], np.uint8)).ravel().tolist())
    [10, 20, 30]
    """

    def traits(self) -> Traits:
        return Traits(recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = colours(frame)
        order = draws.uniforms(count).T.argsort(axis=1)
        for channel in range(count):
            draws.note(f"from.{channel}", order[:, channel])
        return on_colours(frame, lambda _: linear(np.eye(count)[order]))

    def variants(self) -> float:
        """Counted for three colours, since the number of channels is not known before an image comes."""
        return self._with_coin(float(math.factorial(3)))
