"""JPEG compression."""

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
class JPEG(Transform):
    """Write the image as JPEG and read it again, with all that the codec leaves out.

    Pictures of 8 bits, gray or of three colours, are bit for bit what Pillow writes and reads at that quality, with
    chroma at half the resolution (4:2:0). Of any other number of channels each goes through as a gray picture, an alpha
    channel not at all, and of a volume each slice by itself. Other types go through on a scale of 256 levels, from
    black to white, or from the image's smallest value to its largest where some lie beyond, as those of scans do.

    Parameters
    ----------
    quality : int, pair or Choice
        1, the smallest file, to 100, as of the IJG's library.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Wallace (1992), "The JPEG still picture compression standard", IEEE Transactions on Consumer Electronics 38(1).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> gray = np.full((16, 16), 128, np.uint8)
    >>> gray[5, 5] = 255
    >>> made = im.Pipeline([im.JPEG(10)], seed=0)(gray)
    >>> made.shape, bool((made[8:] == 128).all()), int(made[5, 5]) < 255
    ((16, 16), True, True)
    """

    quality: Random = param((30, 90), low=1, high=100, whole="any")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Filter("jpeg", (draw_whole(draws, self.quality, "quality"),), colours(frame))

    def variants(self) -> float:
        return self._with_coin(whole_count(self.quality))
