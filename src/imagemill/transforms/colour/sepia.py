"""The brown of old photographs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import on_rgb
from imagemill.transforms.traits import Traits

BROWN = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


@dataclass(frozen=True, slots=True)
class Sepia(Transform):
    """Give an RGB image the brown of old photographs. Gray images stay as they are.

    Parameters
    ----------
    strength : number, pair or Distribution
        0 (nothing) to 1 (all brown).

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    W3C, "Filter Effects Module Level 1": the filter ``sepia``.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Sepia(1)], seed=0)(np.array([[[100, 100, 100]]], np.uint8))
    array([[[135, 120,  94]]], dtype=uint8)
    """

    strength: Random = param((0.3, 1.0), low=0, high=1)

    def traits(self) -> Traits:
        return Traits(recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        strength = draws(self.strength)[:, None, None]
        return on_rgb(frame, "Sepia", lambda: np.eye(3) + strength * (BROWN - np.eye(3)))
