"""Shadows that something casts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Shadow(Transform):
    """Cast shadows with straight edges and a soft rim.

    Each is a convex shape about a place in the frame whose corners lie on an ellipse about it, at random angles.

    Parameters
    ----------
    darkness : number, pair or Distribution
        Share of the light that is taken away, 0 (none) to 1 (black).
    size : number, pair or Distribution
        Of the ellipse, as a share of each side, 0.05 to 2.
    count : int
        How many shadows, 1 to 8; where they overlap it is darker.
    corners : int
        Of each, 3 to 12.
    rim : number, pair or Distribution, pixels
        Over which the light falls off, 0.5 (sharp) to 100.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Blajovici, Kiss, Bonus and Varga (2011), "Shadow detection and removal from a single image": a shadow takes a
    share of the light, less so within its penumbra.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.Shadow(0.5)], seed=0)(np.full((40, 40), 200, np.uint8))
    >>> int(made.min()), int(made.max())
    (100, 200)
    """

    darkness: Random = param((0.3, 0.6), low=0, high=1)
    size: Random = param((0.4, 1.0), low=0.05, high=2)
    count: int = option(1, check=whole_number(low=1))
    corners: int = option(5, check=whole_number(low=3))
    rim: Random = param((1.0, 6.0), low=0.5, high=100, unit="pixels")

    def check(self) -> None:
        if self.count > 8:
            raise ParameterError(f"expected Shadow(count=...) of 8 at most, got {self.count}")
        if self.corners > 12:
            raise ParameterError(f"expected Shadow(corners=...) of 12 at most, got {self.corners}")

    def traits(self) -> Traits:
        return Traits(apart=True, recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        rim, dark, size = draws(self.rim), draws(self.darkness), draws(self.size)
        sides = frame.shape[:, list(frame.in_plane)].astype(np.float64)
        outlines = np.empty((frame.n, self.count, self.corners, 2))
        for number in range(self.count):
            middle = draws.uniforms(2).T * sides
            # One corner in each sector, so that the shape holds its middle.
            turn = (np.arange(self.corners) + draws.uniforms(self.corners).T * 0.9) * (2 * np.pi / self.corners)
            away = np.stack([np.sin(turn), np.cos(turn)], axis=-1) * (size[:, None] * sides / 2)[:, None]
            outlines[:, number] = middle[:, None] + away
        return Filter("shadow", (outlines, np.repeat(dark[:, None], self.count, axis=1), rim), colours(frame))

    def variants(self) -> float:
        """Unlimited: the shapes are drawn for each image."""
        return self._with_coin(1.0 if self.darkness.bounds == (0, 0) else math.inf)
