"""WebP compression."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random, whole_count
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


@dataclass(frozen=True, slots=True)
class WebP(Transform):
    """Write the image as lossy WebP and read it again, with all that the codec leaves out.

    Pictures of 8 bits and three colours are bit for bit what Pillow writes and reads at that quality with its quickest
    method. Other numbers of channels, volumes and other types go through as they do in `JPEG`.

    Parameters
    ----------
    quality : int, pair or Choice
        1, the smallest file, to 100.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Bankoski et al. (2011), "VP8 data format and decoding guide", RFC 6386: its key frames.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> noisy = im.Pipeline([im.GaussianNoise(0.1)], seed=0)(np.full((32, 32, 3), 128, np.uint8))
    >>> made = im.Pipeline([im.WebP(10)], seed=0)(noisy)
    >>> bool(made.std() < noisy.std())
    True
    """

    quality: Random = param((30, 90), low=1, high=100, whole="any")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Filter("webp", (draw_whole(draws, self.quality, "quality"),), colours(frame))

    def variants(self) -> float:
        return self._with_coin(whole_count(self.quality))
