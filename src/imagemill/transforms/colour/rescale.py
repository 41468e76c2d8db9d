"""Values onto 0..1 or -1..1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Fit, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, option
from imagemill.transforms.colour._channels import colours, numbers
from imagemill.transforms.traits import Traits

_TARGETS = ((0.0, 1.0), (-1.0, 1.0))


def _by(name: str, value: Any) -> Any:
    if isinstance(value, str) and value in ("depth", "minmax"):
        return value
    if isinstance(value, list | tuple) and len(value) == 2:
        low, high = numbers()(name, value)
        if low < high:
            return low, high
    raise ParameterError(f"expected {name} to be 'depth', 'minmax' or a pair low < high, got {value!r}")


def read_target(name: str, value: Any) -> Any:
    """A check for the range that values come out in."""
    pair = tuple(value) if isinstance(value, list | tuple) else value
    if pair not in _TARGETS:
        raise ParameterError(f"expected {name} to be (0, 1) or (-1, 1), got {value!r}")
    return tuple(float(v) for v in pair)


@dataclass(frozen=True, slots=True)
class Rescale(Transform):
    """Stretch a range of values onto 0..1 or -1..1, as floating point.

    ``out = to[0] + (to[1] - to[0]) * (x - low) / (high - low)``. Every channel is rescaled, alpha too, since
    the unit of the values changes. Values beyond ``low..high`` come out beyond ``to``.

    Parameters
    ----------
    by : {"depth", "minmax"} or (low, high)
        ``"depth"``: from 0 to white of the image's type, 255 or 65,535. ``"minmax"``: from the smallest to
        the largest value of each image or volume by itself; a constant image becomes ``to[0]``. Or two
        values of the image.
    to : {(0, 1), (-1, 1)}

    Raises
    ------
    ParameterError
        When ``"minmax"`` meets a colour image: it would undo the lighting that tells images apart.

    Targets
    -------
    Image changes; all else stays.

    Source
    ------
    LeCun, Bottou, Orr and Müller (1998), "Efficient BackProp", 4.3.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Rescale()], seed=0)(np.array([[0, 51, 255]], np.uint8)).round(5)
    array([[0. , 0.2, 1. ]], dtype=float32)
    >>> im.Pipeline([im.Rescale("minmax", to=(-1, 1))], seed=0)(np.array([[10, 20, 30]], np.uint8))
    array([[-1.,  0.,  1.]], dtype=float32)
    """

    by: Literal["depth", "minmax"] | tuple[float, float] = option("depth", check=_by)
    to: tuple[float, float] = option((0, 1), check=read_target)

    def traits(self) -> Traits:
        fits = "extremes" if self.by == "minmax" else ""
        white = "needs" if self.by == "depth" else "sets"
        return Traits(fits=fits, leaves_range=self.to[0] < 0, small=True, white=white)

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        start, end = self.to
        if self.by == "minmax":
            if colours(frame) == 3:
                raise ParameterError(
                    f"expected Rescale(by='minmax') to get gray images, got {frame.channels} channels; "
                    "write by='depth', or a pair of values, for colour images. Of the presets, scan is for gray scans; "
                    "photo, crops and segmentation are for colour pictures"
                )
            return Fit("minmax"), self._affine(frame, end - start, start)
        low, high = (0.0, frame.peak) if self.by == "depth" else self.by
        gain = (end - start) / (high - low)
        return self._affine(frame, gain, start - gain * low)

    @staticmethod
    def _affine(frame: Frame, gain: float, offset: float) -> ChannelMix:
        columns = (frame.n, frame.channels)
        return ChannelMix.diagonal(np.full(columns, gain), np.full(columns, offset), leaves_range=True)
