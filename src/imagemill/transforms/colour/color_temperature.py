"""Light of another colour temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import LUMA, colours, needs_rgb, on_colours
from imagemill.transforms.traits import Traits

DAYLIGHT = 6500.0
"""Kelvin, at which nothing changes."""

TO_RGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)
"""CIE XYZ to linear sRGB: IEC 61966-2-1."""

LOCUS = {
    "x": ([-3.0258469, 2.1070379, 0.2226347, 0.240390], [-0.2661239, -0.2343589, 0.8776956, 0.179910]),
    "y": (
        [3.0817580, -5.87338670, 3.75112997, -0.37001483],
        [-0.9549476, -1.37418593, 2.09137015, -0.16748867],
        [-1.1063814, -1.34811020, 2.18555832, -0.20219683],
    ),
}
"""Coefficients of the Planckian locus, highest power first: ``x`` of 1000 / kelvin above 4,000 and below; ``y`` of
``x`` above 4,000, above 2,222, and below."""


@dataclass(frozen=True, slots=True)
class ColorTemperature(Transform):
    """Light an RGB image as a black body of another temperature would: a gain for each channel, white's luma kept.

    Gray images stay as they are.

    Parameters
    ----------
    kelvin : number, pair or Distribution, kelvin
        1,700 to 25,000: below 6,500 warmer (redder), above it colder (bluer).

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Kim et al. (2002), "Design of advanced color temperature control system for HDTV applications", Journal of the
    Korean Physical Society 41(6): the Planckian locus. As gains: von Kries (1902), "Chromatic adaptation".

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ColorTemperature(3500)], seed=0)(np.array([[[100, 100, 100]]], np.uint8))
    array([[[121,  96,  66]]], dtype=uint8)
    """

    kelvin: Random = param((4500.0, 9000.0), low=1700, high=25_000, unit="kelvin")

    def traits(self) -> Traits:
        return Traits(recolours=True, gains="channel")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        kelvin = draws(self.kelvin)
        if colours(frame) == 1:
            return ChannelMix.diagonal(np.ones((frame.n, 1)))
        needs_rgb(frame, "ColorTemperature")
        return on_colours(frame, lambda _: ChannelMix.diagonal(gains(kelvin)))


def gains(kelvin: Floats) -> Floats:
    """Gains ``[n, 3]`` of red, green and blue values as they are stored, from those of light."""
    light = _light(kelvin) / _light(np.full(1, DAYLIGHT))
    # Stored values are about the root of order 2.2 of light.
    found = np.maximum(light, 0.0) ** (1 / 2.2)
    made: Floats = found / (found * LUMA).sum(axis=1, keepdims=True)
    return made


def _light(kelvin: Floats) -> Floats:
    x, y = chromaticity(kelvin)
    xyz = np.stack([x / y, np.ones_like(x), (1 - x - y) / y], axis=1)
    # Summed row by row: a product of matrices may round a row by how many there are.
    found: Floats = (xyz[:, None, :] * TO_RGB).sum(axis=2)
    return found


def chromaticity(kelvin: Floats) -> tuple[Floats, Floats]:
    """CIE 1931 ``x`` and ``y`` of black bodies, 1,667 to 25,000 kelvin.

    Examples
    --------
    >>> [part.round(3).tolist() for part in chromaticity(np.array([2856.0]))]
    [[0.447], [0.408]]
    """
    t = 1000.0 / kelvin
    cold = kelvin > 4000
    x = np.where(cold, *(np.polyval(row, t) for row in LOCUS["x"]))
    far, near, nearest = (np.polyval(row, x) for row in LOCUS["y"])
    y = np.where(cold, far, np.where(kelvin > 2222, near, nearest))
    return x, y
