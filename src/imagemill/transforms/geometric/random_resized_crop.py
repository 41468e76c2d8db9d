"""A random part of the image, scaled to one size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame, Ints
from imagemill.core.ops import Affine, Op, Order, Sampling
from imagemill.core.ramp import Ramp, in_epoch
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Distribution, LogUniform, Random, Range
from imagemill.transforms.base import Sizes, Transform, option, order_option, param, sizes
from imagemill.transforms.geometric._common import SIZED, switch, target_shape
from imagemill.transforms.traits import Traits

TRIES = 10


@cache
def _sampling(order: int, antialias: bool) -> Sampling:  # noqa: FBT001  # kept by position
    return Sampling(order, antialias=antialias and order > 0)


@cache
def _one_shape(high: int, wide: int) -> Ints:
    shape = np.array([[high, wide]])
    shape.flags.writeable = False
    return shape


@dataclass(frozen=True, slots=True)
class RandomResizedCrop(Transform):
    """Cut out a random part of the area with a random aspect, and scale it to ``size``.

    The part is made of whole pixels and lies inside the image. Area and aspect are drawn up to ten times
    until the part fits; when none of them does, the largest centred part whose aspect is in range is
    taken. The slices of a volume are all kept, and cut alike.

    Parameters
    ----------
    size : int or tuple of int, pixels
        ``(y, x)``; one length for a square.
    area : number, pair or Distribution, fraction of the image
        Above 0 to 1.
    aspect : number, pair or Distribution, width / height
        Above 0. A pair (or ``Range``) is drawn uniformly in the logarithm, so that tall and wide parts
        are equally likely.
    order : {0, 1, 3, 5}
        Spline order for images.
    antialias : bool
        Average when shrinking by more than 2 (orders above 0).

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Szegedy et al. (2015), "Going deeper with convolutions", CVPR, section 6; the ten tries are those of
    torchvision's transform of the same name.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.RandomResizedCrop((200, 200), area=(0.1, 1), aspect=(0.5, 2))], seed=0)
    >>> pipe(np.zeros((375, 500, 3), np.uint8)).shape
    (200, 200, 3)
    """

    size: Sizes = option(check=sizes)
    area: Random = param((0.08, 1.0), above=0, high=1, unit="of the image")
    aspect: Random = param(LogUniform(3 / 4, 4 / 3), above=0)
    order: Order = order_option()
    antialias: bool = option(True, check=switch)

    def check(self) -> None:
        if len(self.size) > 2:
            raise ParameterError(f"expected RandomResizedCrop(size=...) to hold one length or (y, x), got {self.size}")
        aspect = self.aspect.mapped(_by_logarithm) if isinstance(self.aspect, Ramp) else _by_logarithm(self.aspect)
        object.__setattr__(self, "aspect", aspect)

    def variants(self) -> float:
        """Unlimited: the place is drawn even where area and aspect are fixed."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True, order=self.order, brings="size", size=self.size)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        sampling = _sampling(self.order, self.antialias)
        if frame.n == 1 and frame.ndim == 2:
            high, wide = self.size if len(self.size) == 2 else self.size * 2
            return Affine(self._matrix(draws, frame, high, wide), _one_shape(high, wide), sampling)
        shape = target_shape(self.size, frame, "RandomResizedCrop(size=...)")
        start, part = self._part(draws, frame)
        return Affine(geo.translation(start.astype(np.float64)) @ geo.resize(part, shape), shape, sampling)

    def _numbers(self, draws: Draws) -> tuple[Floats, Floats, Floats]:
        """Areas and aspects of all tries, ``[TRIES, n]``, and where in the free space the part begins, ``[2, n]``."""
        # A fixed number of requests, so that what one image gets never depends on another's luck.
        lots = draws.uniforms(2 * TRIES + 2)
        return draws.of(self.area, lots[:TRIES]), draws.of(self.aspect, lots[TRIES:-2]), lots[-2:]

    def _part(self, draws: Draws, frame: Frame) -> tuple[Ints, Ints]:
        """First pixel and shape of the part, both ``[n, d]``."""
        plane = frame.in_plane
        whole = frame.shape[:, plane[0] :]
        area, aspect, lots = draws.shared(self._numbers)
        tried = self._tried(area, aspect, whole)
        fits = ((tried >= 1) & (tried <= whole)).all(axis=-1)
        chosen = tried[fits.argmax(axis=0), np.arange(frame.n)]
        free = whole - chosen
        place = np.floor(lots.T * (free + 1))
        lost = ~fits.any(axis=0)
        if lost.any():
            chosen[lost] = self._largest(whole[lost], *in_epoch(self.aspect, draws.epoch).bounds)
            place[lost] = (whole[lost] - chosen[lost]) // 2
        start, part = np.zeros_like(frame.shape), frame.shape.copy()
        start[:, plane[0] :] = place
        part[:, plane[0] :] = chosen
        draws.note("area", chosen[:, 0] * chosen[:, 1] / (whole[:, 0] * whole[:, 1]))
        draws.note("aspect", chosen[:, 1] / chosen[:, 0])
        return start, part

    def _matrix(self, draws: Draws, frame: Frame, high: int, wide: int) -> Floats:
        """The same for one picture, to the bit, in plain numbers: arrays of one number cost ten times as much."""
        height, width = frame.shape[0].tolist()
        areas, aspects, lots = draws.shared(self._numbers)
        for area, aspect in zip(areas[:, 0].tolist(), aspects[:, 0].tolist(), strict=True):
            pixels = area * (height * width)
            tall, broad = round(math.sqrt(pixels / aspect)), round(math.sqrt(pixels * aspect))
            if 1 <= tall <= height and 1 <= broad <= width:
                down, right = (
                    math.floor(lots[0, 0] * (height - tall + 1)),
                    math.floor(lots[1, 0] * (width - broad + 1)),
                )
                break
        else:
            tall, broad = map(int, self._largest(frame.shape, *in_epoch(self.aspect, draws.epoch).bounds)[0])
            down, right = (height - tall) // 2, (width - broad) // 2
        draws.note("area", [tall * broad / (height * width)])
        draws.note("aspect", [broad / tall])
        y, x = tall / high, broad / wide
        return np.array([[[y, 0.0, 0.5 * (y - 1.0) + down], [0.0, x, 0.5 * (x - 1.0) + right], [0.0, 0.0, 1.0]]])

    def _tried(self, area: Floats, aspect: Floats, whole: Ints) -> Floats:
        """Heights and widths of all tries, ``[TRIES, n, 2]``."""
        pixels = area * (whole[:, 0] * whole[:, 1])
        tried = np.empty((*pixels.shape, 2))
        np.divide(pixels, aspect, out=tried[..., 0])
        np.multiply(pixels, aspect, out=tried[..., 1])
        np.sqrt(tried, out=tried)
        return np.rint(tried, out=tried)

    @staticmethod
    def _largest(whole: Ints, low: float, high: float) -> Floats:
        """The largest part whose aspect is in range, ``[n, 2]``."""
        height, width = whole[:, 0], whole[:, 1]
        tall, wide = np.minimum(height, np.rint(width / low)), np.minimum(width, np.rint(height * high))
        largest: Floats = np.maximum(np.stack([tall, wide], axis=1), 1.0)
        return largest


def _by_logarithm(aspect: Distribution) -> Distribution:
    """A pair is drawn so that wide and tall are as likely."""
    fair = isinstance(aspect, Range) and aspect.low < aspect.high
    return LogUniform(*aspect.bounds) if fair else aspect
