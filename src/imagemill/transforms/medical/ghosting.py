"""Copies that a moving or pulsing body leaves along the phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import axis_names
from imagemill.transforms.medical._axes import drawn_axis
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Ghosting(Transform):
    """Leave faint copies along an axis, as breath and pulse do in MRI: every so many lines of the spectrum are weaker.

    Parameters
    ----------
    count : whole number, pair or Choice
        How many copies, 2 to 64: every ``count``-th line is weakened. Rounded.
    intensity : number, pair or Distribution
        By how much, 0 to 1.
    kept : number, pair or Distribution
        Share of the spectrum, in its middle, that stays as it is, 0 to 1. At 0 that is the mean alone.
    axes : str, optional
        The axes to draw one of, such as ``"yx"``; all by default.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Axel, Summers, Kressel and Charles (1986), "Respiratory effects in two-dimensional Fourier transform MR imaging",
    Radiology 160(3).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> bar = np.zeros((1, 8))
    >>> bar[0, 2] = 8
    >>> im.Pipeline([im.Ghosting(2, 0.5, axes="x")], seed=0)(bar).round(2).tolist()
    [[0.5, 0.5, 6.5, 0.5, 0.5, 0.5, -1.5, 0.5]]
    """

    count: Random = param((4, 10), low=2, high=64)
    intensity: Random = param((0.5, 1.0), low=0, high=1)
    kept: Random = param(0.0, low=0, high=1)
    axes: str | None = option(None, check=axis_names)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = np.rint(draws(self.count)).astype(np.int64)
        intensity, kept = draws(self.intensity), draws(self.kept)
        return Filter("ghosts", (drawn_axis(draws, self.axes, frame), count, intensity, kept), colours(frame))
