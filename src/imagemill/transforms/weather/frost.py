"""Frost on the lens."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.filter._kernels import line
from imagemill.transforms.traits import Traits

_DIRECTIONS = 3
"""Ice grows at angles of 60 degrees."""


@dataclass(frozen=True, slots=True)
class Frost(Transform):
    """Let the lens or the window frost over.

    ``out = keep * x + strength * white * ice``. The ice is generated: clouds by midpoint displacement, and needles in
    three directions that are densest where it is cloudy, pale blue where there are three channels. It belongs to the
    sample: neither batch nor thread changes it.

    Parameters
    ----------
    strength : number, pair or Distribution
        How bright the ice is, 0 (none) to 2.
    keep : number, pair or Distribution
        Share of the image that is kept, 0 to 1.
    needles : number, pair or Distribution
        Their length as a share of the shorter side, 0.01 to 0.25; 60 pixels at most.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR: frost, which lays photos of frost over the image. None are shipped here; the texture stands for them.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.Frost(0.6)], seed=0)(np.zeros((40, 40, 3), np.uint8))
    >>> bool((made[..., 2] >= made[..., 0]).all()), bool(made.std() > 5)
    (True, True)
    """

    strength: Random = param((0.2, 0.7), low=0, high=2)
    keep: Random = param((0.6, 1.0), low=0, high=1)
    needles: Random = param((0.06, 0.14), low=0.01, high=0.25)

    def traits(self) -> Traits:
        return Traits(apart=True, white="needs")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        strength, keep = draws(self.strength), draws(self.keep)
        side = frame.shape[:, list(frame.in_plane)].min(axis=1)
        length = np.clip(draws(self.needles) * side, 2, 60)
        turn = draws.uniform() * 180 / _DIRECTIONS
        kernels = [line(length, turn + number * 180 / _DIRECTIONS) for number in range(_DIRECTIONS)]
        return Filter("frost", (keep, strength, np.stack(kernels, axis=1), draws.stream()), colours(frame))

    def variants(self) -> float:
        """Unlimited: the ice is drawn anew for each image."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return "the ice is drawn anew for each image" if self.p > 0 else ""
