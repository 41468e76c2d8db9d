"""Channels that are hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random, whole_count
from imagemill.transforms.base import Transform, number, option, param
from imagemill.transforms.colour._channels import colours, on_colours
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


@dataclass(frozen=True, slots=True)
class ChannelDropout(Transform):
    """Give some channels one value all over.

    At least one channel stays. An image of one channel stays as it is.

    Parameters
    ----------
    channels : whole number, pair or Choice
        How many, 0 or more; all but one at most.
    fill : float
        What they show, a value of the image.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Tompson, Goroshin, Jain, LeCun and Bregler (2015), "Efficient object localization using convolutional networks",
    CVPR: dropout of whole channels, applied to the input.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ChannelDropout(2)], seed=0)(np.array([[[10, 20, 30]]], np.uint8)).astype(bool).sum()
    np.int64(1)
    """

    channels: Random = param(1, low=0, high=10_000, whole="any")
    fill: float = option(0.0, check=number())

    def traits(self) -> Traits:
        return Traits(recolours=True, gains="channel" if self.fill == 0 else "")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = colours(frame)
        dropped = np.minimum(draw_whole(draws, self.channels, "channels"), count - 1)
        # Channels in a random order; the first of them go.
        rank = draws.uniforms(count).T.argsort(axis=1).argsort(axis=1)
        stays = rank >= dropped[:, None]
        for channel in range(count):
            draws.note(f"kept.{channel}", stays[:, channel])
        return on_colours(
            frame, lambda _: ChannelMix.diagonal(stays.astype(np.float64), np.where(stays, 0.0, self.fill))
        )

    def variants(self) -> float:
        """Counted for three colours, since the number of channels is not known before an image comes."""
        ways = {0: 1, 1: 3, 2: 3}
        low, high = (min(int(end), 2) for end in self.channels.bounds)
        spread = range(low, high + 1) if whole_count(self.channels) > 1 else (low,)
        return self._with_coin(float(sum(ways[k] for k in spread)))
