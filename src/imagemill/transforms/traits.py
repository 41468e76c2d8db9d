"""What a transform says of itself to those who judge pipelines: rules read these words and never a class's name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Reach", "Traits", "reach", "reaches"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a transform moves an image along one axis at most, in one of three units; the others are 0.

    Parameters
    ----------
    fraction : float
        Of the frame's length.
    pixels : float
    millimetres : float
    """

    fraction: float = 0.0
    pixels: float = 0.0
    millimetres: float = 0.0

    def share(self, length: float | None, spacing: float = 1.0) -> float:
        """As a fraction of a frame of ``length`` pixels; what needs a length counts as 0 where none is known."""
        if length is None:
            return self.fraction
        return self.fraction + (self.pixels + self.millimetres / spacing) / length


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a transform does. Everything is no, none or nothing unless it is said.

    Parameters
    ----------
    moves : bool
        Pixels go elsewhere: geometry.
    whole_frame : bool
        ... and all of the frame stays in view, each part as large a share of it as before: flips, turns by right
        angles, and scaling.
    recolours : bool
        Values change, on a scale from black to white: colour.
    gains : {"", "image", "channel"}
        The change, or a part of it, is one gain and offset for the image, or one for each channel: what a
        rescale by the image's own values takes back.
    fits : {"", "deviation", "extremes"}
        Rescales by the image's own mean and deviation, or by its smallest and largest value.
    fits_channels : bool
        ... each channel by its own.
    leaves_range : bool
        Values are no picture's afterwards: black is not 0, or white not white.
    small : bool
        Values are a few units at most afterwards; whole numbers would lose them.
    whole : bool
        Values become whole numbers as they are, without a change of scale.
    white : {"", "needs", "sets"}
        The result depends on which value of the image is white, and on black being 0; or values come out on a scale of
        their own, whatever they were.
    brings : {"", "size", "spacing"}
        All images come out in one size, or with one spacing.
    size : tuple of int
        That size, in pixels.
    order : int or None
        Spline order by which pixels are interpolated; None where they are not, or where it has no opinion.
    border : str
        What empty edges show.
    mirrors : str
        Axes along which images may be mirrored.
    changes_every : int, epochs
        Mirrors in turn, with a change every so many epochs; 0 where it does not.
    turns : float
        Largest angle in degrees by which images may turn in the plane that is looked at.
    shifts : mapping from axis to Reach
        How far images may move.
    apart : bool
        Runs as a step of its own: it reads neighbours or the whole image, adds noise or fills parts.
    layout : bool
        Says how the result lies in memory, nothing of the image.
    exclusive : bool
        A combination of which one child runs at most on each image.
    fans : bool
        Its children each make a version of the image, and the result is their weighted sum; it has ``shares``.
    chooses : bool
        Chooses among its children by the label of each sample.
    group : int
        How many samples of a batch it puts together, 1, 2 or 4; see :class:`~imagemill.core.blend_ops.Blend`.
    mixes : {"", "values", "area", "tiles", "objects"}
        What it puts together of them: weighted values, a part of each by area, pictures side by side, or objects.
    """

    moves: bool = False
    whole_frame: bool = False
    recolours: bool = False
    gains: str = ""
    fits: str = ""
    fits_channels: bool = False
    leaves_range: bool = False
    small: bool = False
    whole: bool = False
    white: str = ""
    brings: str = ""
    size: tuple[int, ...] = ()
    order: int | None = None
    border: str = ""
    mirrors: str = ""
    changes_every: int = 0
    turns: float = 0.0
    shifts: Mapping[str, Reach] = field(default_factory=dict)
    apart: bool = False
    layout: bool = False
    exclusive: bool = False
    fans: bool = False
    chooses: bool = False
    group: int = 1
    mixes: str = ""


def reach(value: Any) -> float:
    """The largest magnitude of a parameter, over all axes it is given for; 0 when it is not set.

    Examples
    --------
    >>> from imagemill.core.ranges import Range
    >>> reach(Range(-30, 10)), reach({"y": Range(1, 1), "x": Range(2, 5)}), reach(None)
    (30.0, 5.0, 0.0)
    """
    return max(_each(value, "-").values(), default=0.0)


def reaches(axes: str, **amounts: Any) -> dict[str, Reach]:
    """How far some parameters move an image along each axis.

    Parameters
    ----------
    axes : str
        The axes that one distribution stands for.
    **amounts
        ``fraction``, ``pixels`` or ``millimetres``: a distribution, a mapping from axis to one, or None.

    Examples
    --------
    >>> from imagemill.core.ranges import Range
    >>> reaches("yx", pixels={"y": Range(-5, 3)}, fraction=None)
    {'y': Reach(fraction=0.0, pixels=5.0, millimetres=0.0)}
    """
    found: dict[str, Reach] = {}
    for unit, value in amounts.items():
        found |= {axis: Reach(**{unit: amount}) for axis, amount in _each(value, axes).items()}
    return found


def _each(value: Any, axes: str) -> dict[str, float]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {axis: max(map(abs, one.bounds)) for axis, one in value.items()}
    return dict.fromkeys(axes, max(map(abs, value.bounds)))


def turn_of(matrix: Any) -> float:
    """The angle in degrees, without its sign, of the turn in the last two axes of a matrix ``(d+1, d+1)``.

    A map that mirrors is taken for a mirror along x and a turn.
    """
    linear = np.asarray(matrix, dtype=np.float64)[-3:-1, -3:-1]
    left, _, right = np.linalg.svd(linear)
    # A mirror along x changes the sign of the second column alone, and the first one tells the angle.
    nearest = left @ right
    return abs(math.degrees(math.atan2(nearest[1, 0], nearest[0, 0])))
