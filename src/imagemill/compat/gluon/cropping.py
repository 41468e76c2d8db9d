"""Steps that move pixels. Sizes are ``(width, height)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.compat.gluon.steps import Step
from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Affine, Op, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.random_resized_crop import RandomResizedCrop as _RandomResizedCrop
from imagemill.transforms.geometric.resize import Resize as _Resize

__all__ = [
    "CenterCrop",
    "CropResize",
    "RandomCrop",
    "RandomFlipLeftRight",
    "RandomFlipTopBottom",
    "RandomResizedCrop",
    "RandomRotation",
    "Resize",
    "Rotate",
]

_ORDERS = {0: (0, False), 1: (1, False), 2: (1, True), 3: (3, False), 4: (3, False), 9: (1, True), 10: (1, False)}
"""Numbers of interpolations: nearest, linear, area, cubic, Lanczos (as cubic), automatic, random (as linear)."""


@dataclass(frozen=True, slots=True)
class _ShortEdge(Transform):
    """Scale so that the shorter side has a length, the other in proportion, cut to whole pixels."""

    length: int = option(1)
    order: int = option(1)
    antialias: bool = option(False)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        short = frame.shape.min(axis=1, keepdims=True)
        target = np.maximum(1, frame.shape * self.length // short)
        return Affine(geo.resize(frame.shape, target), target, Sampling(self.order, antialias=self.antialias))


@dataclass(frozen=True, slots=True)
class _CropTo(Transform):
    """Cut out a part of some proportions, at most of the size asked for, and bring it to that size."""

    size: tuple[int, int] = option((1, 1))
    random: bool = option(False)
    order: int = option(1)
    antialias: bool = option(False)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        target: Ints = np.tile(np.array(self.size, dtype=np.int64), (frame.n, 1))
        part = target.copy()
        # Too large along one side: less of the other too.
        for axis in (0, 1):
            over = part[:, axis] > frame.shape[:, axis]
            other = 1 - axis
            part[over, other] = np.maximum(1, part[over, other] * frame.shape[over, axis] // part[over, axis])
            part[over, axis] = frame.shape[over, axis]
        room = frame.shape - part
        start = room // 2
        if self.random:
            where = np.stack([draws.uniform(), draws.uniform()], axis=1)
            start = np.minimum((where * (room + 1)).astype(np.int64), room)
            draws.note("top", start[:, 0])
            draws.note("left", start[:, 1])
        matrix = geo.translation(start.astype(np.float64)) @ geo.resize(part, target)
        exact = bool((part == target).all())
        return Affine(matrix, target, Sampling() if exact else Sampling(self.order, antialias=self.antialias))


def _high_wide(size: Any, name: str) -> tuple[int, int]:
    """``(height, width)`` from one length or ``(width, height)``."""
    pair = (size, size) if isinstance(size, int | np.integer) else tuple(size) if isinstance(size, list | tuple) else ()
    if len(pair) != 2 or any(isinstance(v, bool) or not isinstance(v, int | np.integer) or v < 1 for v in pair):
        raise ParameterError(f"expected {name} as one length or (width, height) of at least 1 pixel, got {size!r}")
    return int(pair[1]), int(pair[0])


def _order(interpolation: Any) -> dict[str, Any]:
    if interpolation not in _ORDERS:
        raise ParameterError(f"expected interpolation to be one of {sorted(_ORDERS)}, got {interpolation!r}")
    order, antialias = _ORDERS[interpolation]
    return {"order": order, "antialias": antialias}


@dataclass(frozen=True)
class Resize(Step):
    """Bring to a size; one length with ``keep_ratio`` is that of the shorter side.

    Examples
    --------
    >>> picture = np.zeros((40, 60, 3), np.uint8)
    >>> Resize((30, 20))(picture).shape, Resize(20, keep_ratio=True)(picture).shape
    ((20, 30, 3), (20, 30, 3))
    """

    size: Any
    keep_ratio: bool = False
    interpolation: int = 1

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        high, wide = _high_wide(self.size, "size")
        if self.keep_ratio and isinstance(self.size, int | np.integer):
            return (_ShortEdge(length=high, **_order(self.interpolation)),)
        return (_Resize((high, wide), **_order(self.interpolation)),)


@dataclass(frozen=True)
class CenterCrop(Step):
    """Cut the middle out; of a picture that is too small, the largest part, enlarged.

    Examples
    --------
    >>> CenterCrop((2, 1))(np.arange(12, dtype=np.uint8).reshape(3, 4)).tolist()
    [[5, 6]]
    """

    size: Any
    interpolation: int = 1

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (_CropTo(size=_high_wide(self.size, "size"), **_order(self.interpolation)),)


@dataclass(frozen=True)
class RandomCrop(Step):
    """Cut a random part out, of a picture with ``pad`` black pixels around it where asked for.

    ``pad`` is one number, or pairs ``((above, below), (left, right))``.

    Examples
    --------
    >>> RandomCrop(32, pad=4)(np.zeros((32, 32, 3), np.uint8)).shape
    (32, 32, 3)
    """

    size: Any
    pad: Any = None
    interpolation: int = 1

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        crop = _CropTo(size=_high_wide(self.size, "size"), random=True, **_order(self.interpolation))
        if self.pad is None:
            return (crop,)
        if isinstance(self.pad, int | np.integer):
            return Pad(int(self.pad)), crop
        try:
            (above, below), (left, right), *_ = self.pad
        except (TypeError, ValueError):
            raise ParameterError(
                f"expected pad as one number or ((above, below), (left, right)), got {self.pad!r}"
            ) from None
        return Pad((above, left, below, right)), crop


@dataclass(frozen=True)
class CropResize(Step):
    """Cut the part at ``(x, y)`` out, and resize it where asked for.

    Examples
    --------
    >>> CropResize(1, 0, 2, 1)(np.arange(12, dtype=np.uint8).reshape(3, 4)).tolist()
    [[1, 2]]
    """

    x: int
    y: int
    width: int
    height: int
    size: Any = None
    interpolation: int = 1

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        crop = Crop(box=(self.y, self.x, self.y + self.height, self.x + self.width))
        if self.size is None:
            return (crop,)
        return crop, _Resize(_high_wide(self.size, "size"), **_order(self.interpolation))


@dataclass(frozen=True)
class RandomResizedCrop(Step):
    """A random part of the area with a random aspect, brought to a size.

    Examples
    --------
    >>> RandomResizedCrop((200, 100), scale=(0.1, 1), ratio=(0.5, 2))(np.zeros((40, 60, 3), np.uint8)).shape
    (100, 200, 3)
    """

    size: Any
    scale: Any = (0.08, 1.0)
    ratio: Any = (3 / 4, 4 / 3)
    interpolation: int = 1

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        scale = (self.scale, 1.0) if isinstance(self.scale, int | float) else tuple(self.scale)
        how = _order(self.interpolation)
        size = _high_wide(self.size, "size")
        return (_RandomResizedCrop(size, area=scale, aspect=tuple(self.ratio), **how),)


@dataclass(frozen=True)
class RandomFlipLeftRight(Step):
    """Turn over left to right with probability ``p``.

    Examples
    --------
    >>> RandomFlipLeftRight(p=1)(np.array([[1, 2]], np.uint8)).tolist()
    [[2, 1]]
    """

    p: float = 0.5

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (Flip("x", p=self.p),)


@dataclass(frozen=True)
class RandomFlipTopBottom(Step):
    """Turn over top to bottom with probability ``p``.

    Examples
    --------
    >>> RandomFlipTopBottom(p=1)(np.array([[1], [2]], np.uint8)).tolist()
    [[2], [1]]
    """

    p: float = 0.5

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (Flip("y", p=self.p),)


@dataclass(frozen=True, slots=True)
class _Turn(Transform):
    """Turn about the centre, the picture then scaled so that no corner is empty, or none is lost."""

    degrees: Any = param((0.0, 0.0), low=-360, high=360, unit="degrees")
    zoom: str = option("none")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        degrees = draws(self.degrees)
        linear = geo.rotation(degrees, frame.in_plane, frame.ndim)
        if self.zoom != "none":
            cos, sin = np.abs(geo.cos_sin(degrees))
            size = frame.shape[:, -2:].astype(np.float64)
            # What a turned frame needs along each axis, of what there is.
            need = (cos[:, None] * size + sin[:, None] * size[:, ::-1]) / size
            factor = need.max(axis=1)
            linear = linear * (factor if self.zoom == "out" else 1.0 / factor)[:, None, None]
        matrix = geo.about(linear, frame.centre, frame.rigid)
        return Affine(matrix, frame.shape, Sampling(1, "constant", 0.0))


@dataclass(frozen=True)
class RandomRotation(Step):
    """Turn by degrees between two limits, with black around; for tensors as for pictures.

    ``zoom_in`` enlarges until no black shows, ``zoom_out`` shrinks until no corner is lost.

    Examples
    --------
    >>> RandomRotation((-10, 10))(np.zeros((8, 8, 3), np.uint8)).shape
    (8, 8, 3)
    """

    angle_limits: Any
    zoom_in: bool = False
    zoom_out: bool = False
    rotate_with_proba: float = 1.0

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        if self.zoom_in and self.zoom_out:
            raise ParameterError("expected zoom_in or zoom_out, got both; choose one")
        return (_turn(self.angle_limits, self.zoom_in, self.zoom_out, self.rotate_with_proba),)


@dataclass(frozen=True)
class Rotate(Step):
    """Turn by degrees, with black around.

    Examples
    --------
    >>> Rotate(90)(np.array([[1, 2], [3, 4]], np.uint8)).tolist()
    [[2, 4], [1, 3]]
    """

    rotation_degrees: float
    zoom_in: bool = False
    zoom_out: bool = False

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        if self.zoom_in and self.zoom_out:
            raise ParameterError("expected zoom_in or zoom_out, got both; choose one")
        return (_turn(self.rotation_degrees, self.zoom_in, self.zoom_out, 1.0),)


def _turn(degrees: Any, zoom_in: bool, zoom_out: bool, p: float) -> Transform:
    return _Turn(degrees=degrees, zoom="in" if zoom_in else "out" if zoom_out else "none", p=p)
