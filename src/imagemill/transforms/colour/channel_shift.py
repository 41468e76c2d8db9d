"""An offset for each channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours, on_colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ChannelShift(Transform):
    """Add a number of its own to each colour channel.

    ``out[c] = x[c] + shift[c] * white``. Integer images saturate, floating-point images do not.

    Parameters
    ----------
    shift : number, pair or Distribution
        Share of white, -1 to 1; drawn for each channel independently.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 7.5: colour corrections channel by channel.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ChannelShift(0.2)], seed=0)(np.array([[[100, 100, 250]]], np.uint8))
    array([[[151, 151, 255]]], dtype=uint8)
    """

    shift: Random = param((-0.08, 0.08), low=-1, high=1)

    def traits(self) -> Traits:
        return Traits(recolours=True, gains="channel", white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        shift = np.stack([draws(self.shift, f"shift.{c}") for c in range(colours(frame))], axis=1)
        return on_colours(frame, lambda _: ChannelMix.diagonal(np.ones_like(shift), shift * frame.peak))

    def variants(self) -> float:
        """Counted for three colours, since the number of channels is not known before an image comes."""
        return self._with_coin(self.shift.count**3)
