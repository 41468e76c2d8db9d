"""Hue as a turn of the chroma plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Floats, Frame, rotation
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import luma_weights, on_rgb
from imagemill.transforms.traits import Traits


def to_yiq() -> Floats:
    """RGB to YIQ: ``I = 0.74 (R-Y) - 0.27 (B-Y)``, ``Q = 0.48 (R-Y) + 0.41 (B-Y)``."""
    y = luma_weights(3)
    red, blue = np.array([1.0, 0.0, 0.0]) - y, np.array([0.0, 0.0, 1.0]) - y
    return np.stack([y, 0.74 * red - 0.27 * blue, 0.48 * red + 0.41 * blue])


def hues(degrees: Floats) -> Floats:
    """Matrices ``[n, 3, 3]`` on red, green and blue that turn hue by degrees ``[n]``."""
    forth = to_yiq()
    back = np.linalg.inv(forth)
    # Hue grows clockwise in (I, Q): red at 20 degrees, green at 242, blue at 136. `rotation` pulls, so it
    # already has the sign of a clockwise turn.
    change = rotation(degrees, (1, 2), 3) - np.eye(3)
    # The change is added to the identity, so that no turn is the identity bit for bit.
    matrices: Floats = np.eye(3) + back @ change @ forth
    return matrices


@dataclass(frozen=True, slots=True)
class Hue(Transform):
    """Turn the hue of every colour, keeping luma: red towards yellow and green for positive degrees.

    ``out = M^-1 R M x`` with ``M`` from RGB to YIQ and ``R`` a turn of its (I, Q) plane. Grays stay, and so does
    a gray image. The map is linear, so it costs nothing beside other colour transforms; the angle of HSV is
    another one: a turn by 60 degrees here moves the hue of HSV by 43 to 84. Integer images saturate,
    floating-point images do not.

    Parameters
    ----------
    degrees : number, pair or Distribution, degrees
        From -180 to 180.

    Raises
    ------
    ParameterError
        When an image has neither 1 nor 3 colour channels.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Haeberli (1993), "Matrix operations for image processing"; YIQ of NTSC: 47 CFR 73.682 (a) (20).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Hue(60)], seed=0)(np.array([[[150, 90, 90], [80, 80, 80]]], np.uint8))
    array([[[120, 116,  33],
            [ 80,  80,  80]]], dtype=uint8)
    """

    degrees: Random = param((-18.0, 18.0), low=-180, high=180, unit="degrees")

    def traits(self) -> Traits:
        return Traits(recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        degrees = draws(self.degrees)
        return on_rgb(frame, "Hue", lambda: hues(degrees))
