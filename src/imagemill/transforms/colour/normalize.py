"""Normalisation by given means and deviations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.transforms.base import Transform, one_of, option
from imagemill.transforms.colour._channels import Numbers, numbers
from imagemill.transforms.traits import Traits

PRESETS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "mnist": ((0.1307,), (0.3081,)),
}
"""Means and deviations of training images on a scale of 0 to 1, as published with these sets and models."""


_FAR_ABOVE_WHITE = 2.0
"""A mean beyond it is hardly one of images whose white is 1."""

Preset = Literal["imagenet", "clip", "cifar10", "mnist"]


def _mean(name: str, value: Any) -> Any:
    return one_of(*PRESETS)(name, value) if isinstance(value, str) else numbers()(name, value)


@dataclass(frozen=True, slots=True)
class Normalize(Transform):
    """Subtract a mean and divide by a deviation, per channel, as floating point.

    ``out = (x / white - mean) / std``, or ``(x - mean) / std`` with ``scale="none"``.

    Parameters
    ----------
    mean : float, list of float or {"imagenet", "clip", "cifar10", "mnist"}
        One number for all channels or one per channel; a name stands for mean and deviation.
    std : float or list of float
        Above 0; left out when ``mean`` is a name.
    scale : {"depth", "none"}
        Whether mean and deviation are on a scale where white is 1, or in values of the image.

    Raises
    ------
    ParameterError
        When an image has another number of channels. Three numbers also fit RGBA: alpha is then only
        brought to the scale.

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
    >>> im.Pipeline([im.Normalize(0.5, 0.25)], seed=0)(np.array([[0, 51, 255]], np.uint8)).round(5)
    array([[-2. , -1.2,  2. ]], dtype=float32)
    >>> im.Pipeline([im.Normalize("imagenet")], seed=0)(np.zeros((1, 1, 3), np.uint8)).round(2)
    array([[[-2.12, -2.04, -1.8 ]]], dtype=float32)
    """

    mean: Read[Preset | Numbers, Preset | tuple[float, ...]] = option(check=_mean)
    std: Read[Numbers | None, tuple[float, ...] | None] = option(None, check=numbers(above=0))
    scale: Literal["depth", "none"] = option("depth", check=one_of("depth", "none"))

    def check(self) -> None:
        named = isinstance(self.mean, str)
        if named and self.std is not None:
            raise ParameterError(
                f"expected Normalize({self.mean!r}) without std, which the name implies, got std={self.std}; "
                "leave it out"
            )
        if named and self.scale == "none":
            raise ParameterError(
                f"expected Normalize({self.mean!r}) with scale='depth', since it means fractions of white, "
                "got scale='none'; leave scale out"
            )
        if not named and self.std is None:
            raise ParameterError(f"expected Normalize to get std as well as mean={self.mean}; give both, or a name")

    def traits(self) -> Traits:
        return Traits(leaves_range=True, small=True, white="needs" if self.scale == "depth" else "sets")

    def beyond_white(self) -> str:
        if isinstance(self.mean, str) or self.scale != "depth" or max(self.mean) <= _FAR_ABOVE_WHITE:
            return ""
        known = 255 if max(self.mean) <= 255 else 65_535
        got = f"got mean={list(self.mean)}"
        do = f"divide mean and std by {known}, or write scale='none' for values of the image"
        return f"takes mean and std as shares of white, which is 1, {got}: {do}"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        white = frame.peak if self.scale == "depth" else 1.0
        mean, std = PRESETS[self.mean] if isinstance(self.mean, str) else (self.mean, self.std)
        return _normalising(mean, std, white, frame.channels, frame.n)


@lru_cache(maxsize=64)
def _normalising(mean: tuple[float, ...], std: tuple[float, ...], white: float, channels: int, n: int) -> ChannelMix:
    """The op for ``n`` images: nothing is drawn, so it is made once."""
    means, stds = _spread("mean", mean, channels, 0.0), _spread("std", std, channels, 1.0)
    gain, offset = 1.0 / (white * stds), -means / stds
    rows = (n, channels)
    op = ChannelMix.diagonal(np.broadcast_to(gain, rows), np.broadcast_to(offset, rows), leaves_range=True)
    op.matrix.flags.writeable = False
    return op


def _spread(name: str, values: tuple[float, ...], count: int, alpha: float) -> Floats:
    """One number for each of ``count`` channels; ``alpha`` for an alpha channel."""
    if count == 4 and len(values) in (1, 3):
        return np.array([*np.broadcast_to(values, 3), alpha])
    if len(values) not in (1, count):
        raise ParameterError(
            f"expected Normalize({name}=...) to hold 1 number or {count}, one per channel of the image, "
            f"got {len(values)}; give as many as the images have channels"
        )
    return np.array(np.broadcast_to(values, count), dtype=np.float64)
