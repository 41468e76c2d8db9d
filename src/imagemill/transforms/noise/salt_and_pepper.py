"""White and black specks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Noise
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import switch
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class SaltAndPepper(Transform):
    """Make some pixels white and some black.

    Which ones belongs to the sample: neither batch nor thread changes it.

    Parameters
    ----------
    amount : number, pair or Distribution
        Share of the pixels that change, 0 to 1.
    salt : number, pair or Distribution
        Share of those that become white, 0 to 1; the others become black.
    per_channel : bool
        Draw for each channel by itself, which makes coloured specks.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Gonzalez and Woods (2018), "Digital Image Processing", 5.2: impulse noise.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.SaltAndPepper(0.2)], seed=0)(np.full((100, 100), 99, np.uint8))
    >>> np.unique(made).tolist(), round(float((made != 99).mean()), 1)
    ([0, 99, 255], 0.2)
    """

    amount: Random = param((0.0, 0.06), low=0, high=1)
    salt: Random = param(0.5, low=0, high=1)
    per_channel: bool = option(False, check=switch)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        amount, salt = draws(self.amount), draws(self.salt)
        black, white = np.zeros(frame.n), np.full(frame.n, frame.peak)
        params = np.stack([amount * (1 - salt), black, amount * salt, white], axis=1)
        return Noise("impulse", params, draws.stream(), colours(frame), self.per_channel)

    def variants(self) -> float:
        """Unlimited, also where the amount is fixed."""
        return self._with_coin(1.0 if self.amount.bounds == (0, 0) else math.inf)
