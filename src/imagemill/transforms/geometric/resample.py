"""Bringing scans to given dimensions or to a given spacing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Op, Order, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.transforms.base import OptionalSizes, Transform, option, order_option, sizes
from imagemill.transforms.geometric._common import exactly_one, named_axes, switch, target_shape
from imagemill.transforms.geometric.resize import centred
from imagemill.transforms.traits import Traits


def _lengths(name: str, value: Any) -> tuple[float, ...]:
    listed = tuple(value) if isinstance(value, list | tuple) else (value,)
    real = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in listed)
    if not real or len(listed) not in (1, 2, 3) or not all(0 < v < np.inf for v in listed):
        raise ParameterError(f"expected {name} to be 1, 2 or 3 lengths in millimetres above 0, got {value!r}")
    return tuple(v.item() if isinstance(v, np.generic) else v for v in listed)


@dataclass(frozen=True, slots=True)
class Resample(Transform):
    """Resample a picture or volume to given dimensions, or to a given distance between pixels.

    Exactly one of ``size`` and ``spacing`` is given, both in array order.

    Parameters
    ----------
    size : tuple of int, optional, pixels
        ``(z, y, x)`` for volumes, so that 8 slices of 224 x 224 are ``(8, 224, 224)``; ``(y, x)`` for
        pictures, and for volumes that keep their slices. Outer edges stay outer edges.
    spacing : number or tuple of numbers, optional, millimetres
        One number for all axes, ``(y, x)``, or ``(z, y, x)``. The frame becomes
        ``N * old / new`` pixels long, rounded to whole ones (halves up, at least 1), with exactly the
        spacing asked for. Its centre stays the centre; the outer edges move by up to half a new pixel.
        Without known spacing the old one counts as 1.
    order : {0, 1, 3, 5}
        Spline order for images.
    antialias : bool
        Average when shrinking by more than 2 (orders above 0).

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Unser (1999), "Splines: a perfect fit for signal and image processing", IEEE SPM 16(6).

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> scan = np.zeros((20, 64, 48), np.float32)
    >>> im.Pipeline([im.Resample((8, 32, 32))], seed=0)(scan, axes="zyx").shape
    (8, 32, 32)
    """

    size: OptionalSizes = option(None, check=sizes)
    spacing: Read[float | Sequence[float] | None, tuple[float, ...] | None] = option(None, check=_lengths)
    order: Order = order_option()
    antialias: bool = option(True, check=switch)

    def check(self) -> None:
        exactly_one("Resample", "Resample(size=(8, 224, 224)), for example", size=self.size, spacing=self.spacing)
        if self.size is not None and len(self.size) not in (2, 3):
            raise ParameterError(f"expected Resample(size=...) to be (z, y, x) or (y, x), got {self.size}")

    def traits(self) -> Traits:
        brings = "size" if self.size else "spacing"
        return Traits(moves=True, whole_frame=True, order=self.order, brings=brings, size=self.size or ())

    def draw(self, draws: Draws, frame: Frame) -> Op:
        mode = Sampling(self.order, antialias=self.antialias and self.order > 0)
        if self.size is not None:
            target = target_shape(self.size, frame, "Resample(size=...)")
            return Affine(geo.resize(frame.shape, target), target, mode)
        assert self.spacing is not None
        asked = frame.spacing
        if len(self.spacing) == 1:
            asked[:] = self.spacing
        else:
            asked[:, list(named_axes(self.spacing, frame, "Resample(spacing=...)"))] = self.spacing
        factor = asked / frame.spacing
        target = np.maximum(np.floor(frame.shape / factor + 0.5), 1).astype(np.int64)
        return Affine(centred(factor, frame.shape, target), target, mode)
