"""Brightness, contrast, saturation and hue as one transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import OptionalRandom
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours, needs_rgb, on_colours
from imagemill.transforms.colour.contrast import contrast_shares
from imagemill.transforms.colour.hue import hues
from imagemill.transforms.colour.saturation import saturations
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue, in this order, as one colour matrix.

    Equal to Brightness, Contrast about the mean luma, Saturation and Hue one after the other, without
    clipping in between. That is also why no order is drawn: unclipped, the four commute, and every order
    gives the same image. As everywhere, a number is fixed and a pair is drawn: ``brightness=(0.6, 1.4)``.

    Parameters
    ----------
    brightness : number, pair or Distribution, optional
        Factor above 0.
    contrast : number, pair or Distribution, optional
        Factor of at least 0.
    saturation : number, pair or Distribution, optional
        Factor of at least 0; leaves a gray image alone.
    hue : number, pair or Distribution, optional, degrees
        From -180 to 180; leaves a gray image alone.

    Raises
    ------
    ParameterError
        When none of the four is given, or saturation or hue meets an image with neither 1 nor 3 colour channels.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Howard (2013), "Some improvements on deep convolutional neural network based image classification".

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.ColorJitter(brightness=1.5, contrast=2)], seed=0)
    >>> pipe(np.array([[40, 60]], np.uint8))
    array([[ 45, 105]], dtype=uint8)
    """

    brightness: OptionalRandom = param(None, above=0)
    contrast: OptionalRandom = param(None, low=0)
    saturation: OptionalRandom = param(None, low=0)
    hue: OptionalRandom = param(None, low=-180, high=180, unit="degrees")

    def check(self) -> None:
        if self.brightness is None and self.contrast is None and self.saturation is None and self.hue is None:
            raise ParameterError(
                "expected ColorJitter to get brightness, contrast, saturation or hue, got none of them; "
                "write, say, ColorJitter(brightness=(0.8, 1.2))"
            )

    def traits(self) -> Traits:
        gains = self.brightness is not None or self.contrast is not None
        return Traits(recolours=True, gains="image" if gains else "")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        drawn = [None if d is None else draws(d) for d in (self.brightness, self.contrast, self.saturation, self.hue)]
        brightness, contrast, saturation, hue = drawn
        if colours(frame) == 1:
            saturation = hue = None  # a gray image has none
        if saturation is not None:
            needs_rgb(frame, "ColorJitter(saturation=...)")
        if hue is not None:
            needs_rgb(frame, "ColorJitter(hue=...)")

        def make(count: int) -> ChannelMix:
            matrix = np.zeros((frame.n, count, count + 1))
            colour = matrix[:, :, :count]
            colour[:] = np.eye(count) if saturation is None else saturations(saturation)
            if hue is not None:
                colour[:] = hues(hue) @ colour
            pivot = None
            if contrast is not None:
                # Saturation and hue leave grays alone, and so the gray that contrast adds.
                colour *= contrast[:, None, None]
                pivot = contrast_shares(contrast, count)
            if brightness is not None:
                colour *= brightness[:, None, None]
                pivot = None if pivot is None else pivot * brightness[:, None, None]
            return ChannelMix(matrix, pivot)

        return on_colours(frame, make)
