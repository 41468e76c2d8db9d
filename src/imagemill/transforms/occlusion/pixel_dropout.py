"""Single pixels that are hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Noise
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, number, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import switch
from imagemill.transforms.occlusion._fills import mask_fill_option
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class PixelDropout(Transform):
    """Hide single pixels.

    Which ones belongs to the sample: neither batch nor thread changes it.

    Parameters
    ----------
    share : number, pair or Distribution
        Share of the pixels that are hidden, 0 to 1.
    fill : float
        What stands there, a value of the image.
    per_channel : bool
        Draw for each channel by itself.
    mask_fill : int, optional
        What label maps show there; by default they keep what is hidden. Not with ``per_channel``.

    Targets
    -------
    Image changes (an alpha channel does not); Mask and Map change with ``mask_fill``; all else stays.

    Source
    ------
    Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, applied to
    the input.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.PixelDropout(0.25)], seed=0)(np.ones((100, 100), np.uint8))
    >>> round(float((made == 0).mean()), 2)
    0.25
    """

    share: Random = param((0.0, 0.05), low=0, high=1)
    fill: float = option(0.0, check=number())
    per_channel: bool = option(False, check=switch)
    mask_fill: int | None = mask_fill_option()

    def check(self) -> None:
        if self.per_channel and self.mask_fill is not None:
            raise ParameterError(
                f"expected PixelDropout(mask_fill=...) without per_channel, got mask_fill={self.mask_fill}: label maps "
                "have no channels; leave one of them out"
            )

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        share, none = draws(self.share), np.zeros(frame.n)
        params = np.stack([share, none + self.fill, none, none], axis=1)
        return Noise("impulse", params, draws.stream(), colours(frame), self.per_channel, self.mask_fill)

    def variants(self) -> float:
        """Unlimited, also where the share is fixed."""
        return self._with_coin(1.0 if self.share.bounds == (0, 0) else math.inf)
