"""Common corruptions at five severities, each made of ordinary transforms with the published parameters.

Source: Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and
perturbations", ICLR, with the parameters of the ImageNet-C code for images of 224 pixels. Elastic transform and
pixelate are those of Michaelis et al. (2019), "Benchmarking robustness in object detection: autonomous driving when
winter is coming", which are for images of any size.

Not the same: frost is a generated texture and no photo; drops of water are lit by another relief.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Choice, Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour.contrast import Contrast
from imagemill.transforms.combine import Selection
from imagemill.transforms.filter.defocus_blur import DefocusBlur
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.filter.hsv import HSV
from imagemill.transforms.filter.motion_blur import MotionBlur
from imagemill.transforms.filter.zoom_blur import ZoomBlur
from imagemill.transforms.noise.gaussian_noise import GaussianNoise
from imagemill.transforms.noise.salt_and_pepper import SaltAndPepper
from imagemill.transforms.noise.shot_noise import ShotNoise
from imagemill.transforms.noise.speckle_noise import SpeckleNoise
from imagemill.transforms.quality.downscale import Downscale
from imagemill.transforms.quality.glass_blur import GlassBlur
from imagemill.transforms.quality.jpeg_compression import JPEG
from imagemill.transforms.quality.turbulence import Turbulence
from imagemill.transforms.traits import Traits
from imagemill.transforms.weather.fog import Fog
from imagemill.transforms.weather.frost import Frost
from imagemill.transforms.weather.snow import Snow
from imagemill.transforms.weather.spatter import Spatter
from imagemill.transforms.whole_numbers import draw_whole

__all__ = ["COMMON", "EXTRA", "SEVERITIES", "Corruption", "corruptions"]

SEVERITIES = (1, 2, 3, 4, 5)

_EVERYWHERE = (-45.0, 45.0)
_DOWN = (225.0, 315.0)


def _spatter(cover: float, sigma: float, strength: float, kind: str) -> Transform:
    return Spatter(cover, sigma, strength, kind=kind)  # type: ignore[arg-type]  # one of the two words


def _snow(level: float, threshold: float, size: float, radius: int, fade: float, kept: float) -> Transform:
    return Snow(level, threshold, size, 2 * radius, fade, _DOWN, 1 - kept)


_TABLE: dict[str, tuple[Callable[..., Transform], tuple[tuple[Any, ...], ...]]] = {
    "gaussian_noise": (GaussianNoise, ((0.08,), (0.12,), (0.18,), (0.26,), (0.38,))),
    "shot_noise": (ShotNoise, ((60,), (25,), (12,), (5,), (3,))),
    "impulse_noise": (
        lambda amount: SaltAndPepper(amount, per_channel=True),
        ((0.03,), (0.06,), (0.09,), (0.17,), (0.27,)),
    ),
    "defocus_blur": (DefocusBlur, ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5))),
    "glass_blur": (GlassBlur, ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2))),
    "motion_blur": (
        lambda radius, sigma: MotionBlur(2 * radius, _EVERYWHERE, fade=sigma),
        ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    ),
    "zoom_blur": (
        lambda factor, steps: ZoomBlur(factor, steps=steps, once_more=True),
        ((1.11, 12), (1.15, 16), (1.20, 11), (1.24, 13), (1.30, 11)),
    ),
    "snow": (
        _snow,
        (
            (0.1, 0.5, 3, 10, 4, 0.8),
            (0.2, 0.5, 2, 12, 4, 0.7),
            (0.55, 0.9, 4, 12, 8, 0.7),
            (0.55, 0.85, 4.5, 12, 8, 0.65),
            (0.55, 0.85, 2.5, 12, 12, 0.55),
        ),
    ),
    "frost": (
        lambda kept, strength: Frost(strength, kept),
        ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
    ),
    "fog": (Fog, ((1.5, 2), (2.0, 2), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))),
    "brightness": (HSV, ((0.1,), (0.2,), (0.3,), (0.4,), (0.5,))),
    "contrast": (lambda factor: Contrast(factor, pivot="each"), ((0.4,), (0.3,), (0.2,), (0.1,), (0.05,))),
    "elastic_transform": (
        lambda alpha: Turbulence(0.005 * alpha, 0.01),
        ((12.5,), (16.25,), (21.25,), (25.0,), (30.0,)),
    ),
    "pixelate": (lambda scale: Downscale(scale, "box"), ((0.6,), (0.5,), (0.4,), (0.3,), (0.25,))),
    "jpeg_compression": (JPEG, ((25,), (18,), (15,), (10,), (7,))),
    "speckle_noise": (SpeckleNoise, ((0.15,), (0.2,), (0.35,), (0.45,), (0.6,))),
    "gaussian_blur": (GaussianBlur, ((1,), (2,), (3,), (4,), (6,))),
    "spatter": (
        _spatter,
        (
            (0.03, 4, 0.44, "water"),
            (0.14, 3, 0.53, "water"),
            (0.24, 2, 0.57, "water"),
            (0.5, 1, 1.0, "mud"),
            (0.57, 1, 1.0, "mud"),
        ),
    ),
    "saturate": (
        lambda gain, shift: HSV(0, gain, shift),
        ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
    ),
}
"""What makes the transform of a corruption, and with what for each severity.

Shares under drops follow from the published thresholds: so much of normal numbers about 0.65 (0.67 at severity 5) with
deviation 0.3 (0.4), smoothed by that sigma, lies above 0.69, 0.68, 0.68, 0.65 and 0.65. The strength of water is such
that a dark image becomes as much brighter on average as by the ImageNet-C code.
"""

COMMON = tuple(_TABLE)[:15]
"""The fifteen over which the mean corruption error is taken, in the paper's order."""
EXTRA = tuple(_TABLE)[15:]
"""Four more, which the paper keeps for choosing among methods."""

_SUBSETS = {
    "common": COMMON,
    "extra": EXTRA,
    "all": COMMON + EXTRA,
    "noise": COMMON[:3],
    "blur": COMMON[3:7],
    "weather": COMMON[7:11],
    "digital": COMMON[11:],
}


def corruptions(subset: str = "all") -> tuple[str, ...]:
    """Names of corruptions.

    Parameters
    ----------
    subset : {"all", "common", "extra", "noise", "blur", "weather", "digital"}
        ``common`` are the fifteen of the mean corruption error, ``extra`` four more, the others parts of ``common``.

    Raises
    ------
    ParameterError
        For another subset.

    Examples
    --------
    >>> import imagemill as im
    >>> len(im.corruptions()), im.corruptions("weather")
    (19, ('snow', 'frost', 'fog', 'brightness'))
    """
    if subset not in _SUBSETS:
        raise ParameterError(f"expected a subset of corruptions of {', '.join(_SUBSETS)}, got {subset!r}")
    return _SUBSETS[subset]


def _named(shown: str, value: Any) -> Any:
    spelled = value.lower().replace("-", "_").replace(" ", "_") if isinstance(value, str) else value
    if not isinstance(spelled, str) or spelled not in _TABLE:
        near = difflib.get_close_matches(str(spelled), list(_TABLE), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"names: {', '.join(_TABLE)}"
        raise ParameterError(f"expected {shown} to be a corruption, got {value!r}; {hint}")
    return spelled


@cache
def _made(name: str, severity: int) -> Transform:
    """The transform of a corruption; always the same one, as parameters are known by their identity."""
    make, settings = _TABLE[name]
    return make(*settings[severity - 1])


@dataclass(frozen=True, slots=True)
class Corruption(Transform):
    """One of nineteen common corruptions at a severity of 1 to 5, to test with and not to train with.

    It stands for an ordinary transform with the published parameters, such as ``Fog(2.5, 1.7)`` for fog at severity 3.
    For images of any size from 28 x 28 on and any number of channels. Integers saturate; floating-point images do not.

    Parameters
    ----------
    name : str
        One of :func:`corruptions`; hyphens and spaces stand for underscores.
    severity : int, pair or Choice
        1 to 5; the whole numbers of a pair are drawn.

    Targets
    -------
    Image changes (an alpha channel does not); Mask, Boxes, Keypoints, Label stay.

    Source
    ------
    Hendrycks and Dietterich (2019), "Benchmarking neural network robustness to common corruptions and perturbations",
    ICLR. Frost is a generated texture here, and no photo.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> photo = np.full((32, 32, 3), 200, np.uint8)
    >>> im.Pipeline([im.Corruption("contrast", severity=5)], seed=0)(photo).std()
    np.float64(0.0)
    """

    name: str = option(check=_named)
    severity: Random = param((1, 5), low=1, high=5, whole="any")

    def _severities(self) -> tuple[int, ...]:
        """Those that can be drawn."""
        if isinstance(self.severity, Choice):
            return tuple(sorted({round(value) for value in self.severity.values}))
        low, high = (round(bound) for bound in self.severity.bounds)
        return tuple(range(low, high + 1))

    def children(self) -> tuple[Transform, ...]:
        return tuple(_made(self.name, severity) for severity in self._severities())

    def select(self, draws: Draws) -> Selection:
        """The transform of the severity that was drawn."""
        drawn = draw_whole(draws, self.severity, "severity")
        return [np.rint(drawn) == severity for severity in self._severities()]

    def chances(self) -> tuple[float, ...]:
        severities = self._severities()
        if not isinstance(self.severity, Choice):
            return (1 / len(severities),) * len(severities)
        weights = self.severity.weights or (1.0,) * len(self.severity.values)
        shares = [
            sum(w for v, w in zip(self.severity.values, weights, strict=True) if round(v) == s) for s in severities
        ]
        return tuple(share / sum(weights) for share in shares)

    def variants(self) -> float:
        return self._with_coin(sum(child.variants() for child in self.children()))

    def runs(self) -> tuple[int, int]:
        each = [child.runs() for child in self.children()]
        low, high = min(low for low, _ in each), max(high for _, high in each)
        return (low if self.p == 1 else 0, high if self.p > 0 else 0)

    def rule(self) -> str:
        return f"{self.name} at exactly one of these severities" if len(self._severities()) > 1 else "this runs"

    def traits(self) -> Traits:
        return Traits(exclusive=True)
