"""Steps that change values: type, range, colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.compat.gluon.steps import Step, _flat
from imagemill.core.errors import ParameterError
from imagemill.core.ranges import Normal
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.colour.contrast import Contrast
from imagemill.transforms.colour.gray import Gray
from imagemill.transforms.colour.hue import Hue
from imagemill.transforms.colour.lighting import Lighting
from imagemill.transforms.colour.normalize import Normalize as _Normalize
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.saturation import Saturation
from imagemill.transforms.colour.to_dtype import ToDtype
from imagemill.transforms.colour.to_layout import ToLayout
from imagemill.transforms.combine import Sequential

__all__ = [
    "Cast",
    "Normalize",
    "RandomApply",
    "RandomBrightness",
    "RandomColorJitter",
    "RandomContrast",
    "RandomGray",
    "RandomHue",
    "RandomLighting",
    "RandomSaturation",
    "ToTensor",
]


@dataclass(frozen=True)
class Cast(Step):
    """Change the type of the values; they stay what they are.

    Examples
    --------
    >>> Cast("float32")(np.array([[7]], np.uint8))
    array([[7.]], dtype=float32)
    """

    dtype: Any = "float32"

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102  explained on Step, here and below
        return (ToDtype(self.dtype),)


@dataclass(frozen=True)
class ToTensor(Step):
    """Values 0..255 as float32 0..1, channels first.

    Examples
    --------
    >>> ToTensor()(np.full((1, 2, 3), 51, np.uint8)).round(3)[0]
    array([[0.2, 0.2]], dtype=float32)
    """

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return Rescale((0, 255)), ToDtype("float32"), ToLayout("channels_first")


@dataclass(frozen=True)
class Normalize(Step):
    """Subtract ``mean`` and divide by ``std``, one number or one per channel.

    Examples
    --------
    >>> from imagemill.compat.gluon.steps import Compose
    >>> Compose([ToTensor(), Normalize(0.5, 0.25)])(np.full((1, 1, 3), 255, np.uint8)).ravel().tolist()
    [2.0, 2.0, 2.0]
    """

    mean: Any = 0.0
    std: Any = 1.0

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (_Normalize(self.mean, self.std, scale="none"),)


def _about_one(name: str, width: Any) -> tuple[float, float]:
    """From ``1 - width``, at least 0, to ``1 + width``."""
    if isinstance(width, bool) or not isinstance(width, int | float | np.number) or not width >= 0:
        raise ParameterError(f"expected {name} as a number of at least 0, got {width!r}")
    return max(0.0, float(1 - width)), float(1 + width)


def _light(width: Any) -> tuple[float, float]:
    low, high = _about_one("brightness", width)
    # A factor of exactly 0 has no inverse; black is black a hair earlier.
    return max(low, 1e-6), high


def _turn(width: Any) -> tuple[float, float]:
    _, high = _about_one("hue", width)
    degrees = min(180.0, 360.0 * (high - 1))
    return -degrees, degrees


@dataclass(frozen=True)
class RandomBrightness(Step):
    """Multiply by a factor from ``1 - brightness`` to ``1 + brightness``.

    Examples
    --------
    >>> RandomBrightness(0)(np.array([[7]], np.uint8)).tolist()
    [[7]]
    """

    brightness: float

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (Brightness(_light(self.brightness)),)


@dataclass(frozen=True)
class RandomContrast(Step):
    """Move away from the picture's mean gray, or towards it, by a factor about 1.

    Examples
    --------
    >>> RandomContrast(0)(np.array([[7]], np.uint8)).tolist()
    [[7]]
    """

    contrast: float

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (Contrast(_about_one("contrast", self.contrast)),)


@dataclass(frozen=True)
class RandomSaturation(Step):
    """Move away from each pixel's gray, or towards it, by a factor about 1.

    Examples
    --------
    >>> RandomSaturation(0)(np.array([[[7, 8, 9]]], np.uint8)).tolist()
    [[[7, 8, 9]]]
    """

    saturation: float

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (Saturation(_about_one("saturation", self.saturation)),)


@dataclass(frozen=True)
class RandomHue(Step):
    """Turn the colours by up to ``hue`` of the whole circle, either way.

    Examples
    --------
    >>> RandomHue(0)(np.array([[[7, 8, 9]]], np.uint8)).tolist()
    [[[7, 8, 9]]]
    """

    hue: float

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (Hue(_turn(self.hue)),)


@dataclass(frozen=True)
class RandomColorJitter(Step):
    """Brightness, contrast, saturation and hue together, as one colour matrix.

    Examples
    --------
    >>> RandomColorJitter(0.5, 0.5, 0.5, 0.5)(np.zeros((4, 4, 3), np.uint8)).shape
    (4, 4, 3)
    """

    brightness: float = 0
    contrast: float = 0
    saturation: float = 0
    hue: float = 0

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        asked = {
            "brightness": _light(self.brightness) if self.brightness else None,
            "contrast": _about_one("contrast", self.contrast) if self.contrast else None,
            "saturation": _about_one("saturation", self.saturation) if self.saturation else None,
            "hue": _turn(self.hue) if self.hue else None,
        }
        given: dict[str, Any] = {name: pair for name, pair in asked.items() if pair is not None}
        return (ColorJitter(**given),) if given else ()


@dataclass(frozen=True)
class RandomLighting(Step):
    """Shift colours along the directions in which ImageNet's vary most; ``alpha`` is the deviation.

    Examples
    --------
    >>> RandomLighting(0)(np.array([[[7, 8, 9]]], np.uint8)).tolist()
    [[[7, 8, 9]]]
    """

    alpha: float

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        if isinstance(self.alpha, bool) or not isinstance(self.alpha, int | float) or not self.alpha >= 0:
            raise ParameterError(f"expected alpha as a deviation of at least 0, got {self.alpha!r}")
        return (Lighting(Normal(0.0, float(self.alpha)) if self.alpha else 0.0),)


@dataclass(frozen=True)
class RandomGray(Step):
    """Take the colour out with probability ``p``; three channels stay.

    Examples
    --------
    >>> RandomGray(p=1)(np.array([[[100, 200, 0]]], np.uint8)).tolist()
    [[[165, 165, 165]]]
    """

    p: float = 0.5

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        return (Gray((0.21, 0.72, 0.07), p=self.p),)


@dataclass(frozen=True)
class RandomApply(Step):
    """Apply a list of steps, all of them or none, with probability ``p``.

    Examples
    --------
    >>> RandomApply([RandomGray(p=1)], p=0)(np.array([[[1, 2, 3]]], np.uint8)).tolist()
    [[[1, 2, 3]]]
    """

    steps: Any
    p: float = 0.5

    @property
    def transforms(self) -> tuple[Transform, ...]:  # noqa: D102
        steps = list(_flat(self.steps if isinstance(self.steps, Sequence) else [self.steps]))
        if not all(isinstance(step, Step | Transform) for step in steps):
            raise ParameterError("expected steps or transforms to apply, got a function; wrap it in imagemill.Apply")
        inner = [x for step in steps for x in (step.transforms if isinstance(step, Step) else (step,))]
        return (Sequential(tuple(inner), p=self.p),)
