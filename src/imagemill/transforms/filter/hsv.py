"""Value and saturation, as HSV has them."""

from __future__ import annotations

from dataclasses import dataclass

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class HSV(Transform):
    """Change value and saturation in the colour space HSV; `Brightness` and `Saturation` are quicker, and fuse.

    Value is the largest channel and saturation the share by which the smallest falls below it, of any number of
    channels; both stay within their bounds, and the hue stays. A gray pixel of three channels has the hue of red, so
    that an offset of saturation reddens it, as it does everywhere in this colour space; of other numbers of channels
    it stays gray.

    Parameters
    ----------
    value : number, pair or Distribution
        Share of white that is added to the value, -1 to 1.
    saturation : number, pair or Distribution
        Factor of saturation, 0 (gray) to 100.
    saturation_shift : number, pair or Distribution
        Added to saturation behind the factor, -1 to 1.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Smith (1978), "Color gamut transform pairs", SIGGRAPH: the hexcone model.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> red = np.array([[[200, 100, 100]]], np.uint8)
    >>> im.Pipeline([im.HSV(value=0.2)], seed=0)(red).tolist(), im.Pipeline([im.HSV(0, 2)], seed=0)(red).tolist()
    ([[[251, 126, 126]]], [[[200, 0, 0]]])
    """

    value: Random = param((-0.2, 0.2), low=-1, high=1)
    saturation: Random = param(1.0, low=0, high=100)
    saturation_shift: Random = param(0.0, low=-1, high=1)

    def traits(self) -> Traits:
        return Traits(apart=True, recolours=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        params = draws(self.saturation), draws(self.saturation_shift), draws(self.value)
        return Filter("hsv", params, colours(frame))
