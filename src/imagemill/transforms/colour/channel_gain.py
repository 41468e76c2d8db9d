"""A gain for each channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random, Range, Read
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import Numbers, colours, numbers, on_colours
from imagemill.transforms.traits import Traits

_USUAL = Range(0.8, 1.2)


@dataclass(frozen=True, slots=True)
class ChannelGain(Transform):
    """Multiply each colour channel by its own factor: a coloured light.

    ``out[c] = gain[c] * x[c]``. Integer images saturate, floating-point images do not.

    Parameters
    ----------
    gains : number, pair or Distribution
        At least 0; drawn for each channel independently.
    each : list of float, optional
        Fixed factors of at least 0, one per colour channel, instead of drawn ones.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    von Kries (1902), "Chromatic adaptation": the diagonal model of a change of light.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ChannelGain(each=[1.5, 1, 0.5])], seed=0)(np.array([[[100, 100, 100]]], np.uint8))
    array([[[150, 100,  50]]], dtype=uint8)
    """

    gains: Random = param(_USUAL, low=0)
    each: Read[Numbers | None, tuple[float, ...] | None] = option(None, check=numbers(low=0))

    def check(self) -> None:
        if self.each is not None and self.gains != _USUAL:
            raise ParameterError(
                f"expected ChannelGain to get gains or each, got gains={self.gains} and each={self.each}; "
                "leave one of them out"
            )

    def traits(self) -> Traits:
        return Traits(recolours=True, gains="channel")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = colours(frame)
        if self.each is None:
            gains = np.stack([draws(self.gains, f"gains.{c}") for c in range(count)], axis=1)
            return on_colours(frame, lambda _: ChannelMix.diagonal(gains))
        if len(self.each) != count:
            raise ParameterError(
                f"expected ChannelGain(each=...) to hold {count} numbers, one per colour channel, "
                f"got {len(self.each)}; give one for each"
            )
        fixed = np.tile(self.each, (frame.n, 1))
        return on_colours(frame, lambda _: ChannelMix.diagonal(fixed))

    def variants(self) -> float:
        """Counted for three colours, since the number of channels is not known before an image comes."""
        return self._with_coin(1.0 if self.each is not None else self.gains.count**3)
