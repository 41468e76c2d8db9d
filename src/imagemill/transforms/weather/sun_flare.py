"""The sun in the picture."""

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
class SunFlare(Transform):
    """Let the sun, or a lamp, shine into the lens: a glow, and ghosts on the line from it through the middle.

    ``out = x + (white - x) * a`` with the light ``a`` of all of them, from 0 to 1.

    Parameters
    ----------
    y, x : number, pair or Distribution
        Where the sun is, as shares of the frame, -0.5 to 1.5: 0 is the top and the left.
    radius : number, pair or Distribution
        Of its core, as a share of the shorter side, 0.01 to 1.
    strength : number, pair or Distribution
        0 (none) to 1 (white in the middle).
    ghosts : int
        How many reflections within the lens, 0 to 16.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hullin, Eisemann, Seidel and Lee (2011), "Physically-based real-time lens flare rendering", ACM TOG 30(4): ghosts
    are images of the aperture on the line through the optical axis. Their places, sizes and colours are drawn here.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.SunFlare(0.2, 0.5, strength=1)], seed=0)(np.zeros((50, 50, 3), np.uint8))
    >>> int(made[10, 25].min()) > 200, int(made[49, 0].max()) < 100
    (True, True)
    """

    y: Random = param((0.0, 0.4), low=-0.5, high=1.5)
    x: Random = param((0.0, 1.0), low=-0.5, high=1.5)
    radius: Random = param((0.05, 0.15), low=0.01, high=1)
    strength: Random = param((0.5, 1.0), low=0, high=1)
    ghosts: int = option(6, check=whole_number(low=0))

    def check(self) -> None:
        if self.ghosts > 16:
            raise ParameterError(f"expected SunFlare(ghosts=...) of 16 at most, got {self.ghosts}")

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        sides = (frame.shape[:, list(frame.in_plane)] - 1).astype(np.float64)
        sun = np.stack([draws(self.y), draws(self.x)], axis=1) * sides
        shorter = np.maximum(sides.min(axis=1), 1)
        radius, strength = draws(self.radius) * shorter, draws(self.strength)
        u = draws.uniforms(5 * self.ghosts).T.reshape(frame.n, self.ghosts, 5)
        ghosts = np.empty((frame.n, self.ghosts, 6))
        # From a little behind the sun to as far on the other side of the middle.
        along = 0.3 + 1.9 * u[..., 0]
        ghosts[..., :2] = sun[:, None] + along[..., None] * (sides / 2 - sun)[:, None]
        ghosts[..., 2] = (0.02 + 0.1 * u[..., 1] ** 2) * shorter[:, None]
        ghosts[..., 3] = strength[:, None] * (0.05 + 0.25 * u[..., 2])
        ghosts[..., 4:] = 0.4 + 0.6 * u[..., 3:]
        return Filter("flare", (sun, radius, strength, ghosts), colours(frame))

    def variants(self) -> float:
        """Unlimited where there are ghosts, which are drawn for each image."""
        if self.strength.bounds == (0, 0):
            return 1.0
        continuous = self.y.count * self.x.count * self.radius.count * self.strength.count
        return self._with_coin(math.inf if self.ghosts else continuous)
