"""Contrast about a pivot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import luma_weights, on_colours, per_channel
from imagemill.transforms.traits import Traits


def contrast_shares(factor: Floats, count: int) -> Floats:
    """What the means of ``c`` colours add to each of them, ``[n, c, c]``, for contrasts ``[n]`` about mean luma."""
    return (1.0 - factor)[:, None, None] * np.ones((count, 1)) * luma_weights(count)


def _own_shares(factor: Floats, count: int) -> Floats:
    """The same about the mean of each."""
    return (1.0 - factor)[:, None, None] * np.eye(count)


def _pivot(name: str, value: Any) -> Any:
    if isinstance(value, str) and value in ("mean", "each", "middle"):
        return value
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value):
        return value.item() if isinstance(value, np.generic) else value
    raise ParameterError(f"expected {name} to be 'mean', 'each', 'middle' or a number, got {value!r}")


@dataclass(frozen=True, slots=True)
class Contrast(Transform):
    """Move all values away from a pivot, or towards it.

    ``out = factor * x + (1 - factor) * pivot``. Integer images saturate, floating-point images do not.

    Parameters
    ----------
    factor : number, pair or Distribution
        At least 0; above 1 is more contrast, 0 leaves the pivot alone.
    pivot : {"mean", "each", "middle"} or float
        ``"mean"``: the mean luma of the picture as it arrives here (weights of BT.601 for RGB, equal ones
        for any other number of channels). ``"each"``: of each channel its own mean. ``"middle"``: half of white. Or a
        value of the image.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Haeberli and Voorhies (1994), "Image processing by interpolation and extrapolation", IRIS Universe 28.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Contrast(2)], seed=0)(np.array([[90, 110]], np.uint8))
    array([[ 80, 120]], dtype=uint8)
    >>> im.Pipeline([im.Contrast(2, pivot=90)], seed=0)(np.array([[90, 110]], np.uint8))
    array([[ 90, 130]], dtype=uint8)
    """

    factor: Random = param((0.8, 1.2), low=0)
    pivot: Literal["mean", "each", "middle"] | float = option("mean", check=_pivot)

    def traits(self) -> Traits:
        white = "needs" if self.pivot == "middle" else ""
        return Traits(recolours=True, gains="image", white=white)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        factor = draws(self.factor)
        if self.pivot in ("mean", "each"):
            shares = contrast_shares if self.pivot == "mean" else _own_shares
            return on_colours(
                frame, lambda c: ChannelMix(ChannelMix.diagonal(per_channel(factor, c)).matrix, shares(factor, c))
            )
        pivot = frame.peak / 2.0 if self.pivot == "middle" else float(self.pivot)
        offset = (1.0 - factor) * pivot
        return on_colours(frame, lambda c: ChannelMix.diagonal(per_channel(factor, c), per_channel(offset, c)))
