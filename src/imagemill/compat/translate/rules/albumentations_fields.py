"""Albumentations' parts that change places, fields of light and ringing, and other names of what there is."""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES
from imagemill.compat.translate.rules.rule import Step
from imagemill.compat.translate.rules.values import amount
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.channel_shuffle import ChannelShuffle
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.combine import Sequential
from imagemill.transforms.filter.median_blur import MedianBlur
from imagemill.transforms.medical.bias_field import BiasField
from imagemill.transforms.medical.gibbs_ringing import GibbsRinging
from imagemill.transforms.mixing.copy_paste import CopyPaste
from imagemill.transforms.occlusion.grid_shuffle import GridShuffle
from imagemill.transforms.weather.fog import Fog
from imagemill.transforms.weather.shadow import Shadow
from imagemill.transforms.weather.sun_flare import SunFlare

__all__: list[str] = []

_DEGREES = {"linear": 1, "corner": 2, "gaussian": 2}
_WIDEST = 360.0


@RULES.rule("RandomGridShuffle")
def _grid_shuffle(step: Step, grid: Any = (3, 3), p: float = 0.5) -> Transform:
    """`GridShuffle`: equal tiles, pixels that are over stay."""
    return GridShuffle(tuple(int(one) for one in grid), p=p)


@RULES.rule("GridShuffle3D")
def _grid_shuffle_3d(step: Step, grid_zyx: Any = (2, 2, 2), p: float = 0.5) -> Transform:
    """`GridShuffle` of three lengths: equal tiles, voxels that are over stay."""
    return GridShuffle(tuple(int(one) for one in grid_zyx), p=p)


@RULES.rule("RingingOvershoot")
def _ringing(
    step: Step, blur_limit: Any = (7, 15), cutoff: Any = (math.pi / 4, math.pi / 2), p: float = 0.5
) -> Transform:
    """`GibbsRinging` with the same frequencies cut off, rings as wide as the image, not as the kernel."""
    found = amount(step, "cutoff", cutoff)
    low, high = found if isinstance(found, tuple) else (found, found)
    # Radians a pixel; the radius of the spectrum is half the diagonal of a square of one cycle a pixel.
    cuts = tuple(min(max(1 - one / (math.pi * math.sqrt(2)), 0.0), 1.0) for one in (high, low))
    step.note("the kernel is not cut to blur_limit")
    return GibbsRinging(cuts if cuts[0] < cuts[1] else cuts[0], p=p)  # type: ignore[arg-type]


@RULES.rule("Illumination")
def _illumination(
    step: Step,
    mode: str = "linear",
    intensity_range: Any = (0.01, 0.2),
    effect_type: str = "both",
    angle_range: Any = (0, 360),
    center_range: Any = (0.1, 0.9),
    sigma_range: Any = (0.2, 1.0),
    p: float = 0.5,
) -> Transform:
    """`BiasField`: light that falls off along a line or from a place, by about as much."""
    step.note("lighter and darker parts alike, in any direction; draws of its own")
    return BiasField(amount(step, "intensity_range", intensity_range), _DEGREES.get(mode, 2), p=p)


@RULES.rule("PlasmaBrightnessContrast")
def _plasma(
    step: Step,
    brightness_range: Any = (-0.3, 0.3),
    contrast_range: Any = (-0.3, 0.3),
    plasma_size: int = 256,
    roughness: float = 3.0,
    p: float = 0.5,
) -> Transform:
    """`BiasField`: brightness that changes smoothly over the image, by about as much."""
    step.note("brightness changes over the image, contrast does not; smooth, whatever the roughness")
    reach = max(abs(float(one)) for one in brightness_range)
    return BiasField((0.0, reach) if reach else 0.0, 3, p=p)


@RULES.rule("PlasmaShadow")
def _plasma_shadow(
    step: Step,
    shadow_intensity_range: Any = (0.3, 0.7),
    plasma_size: int = 256,
    roughness: float = 3.0,
    p: float = 0.5,
) -> Transform:
    """`Shadow`: as dark, with straight edges."""
    step.note("one shadow with straight edges, in place of a cloudy one")
    return Shadow(amount(step, "shadow_intensity_range", shadow_intensity_range), p=p)


@RULES.rule("PhotoMetricDistort")
def _photometric(
    step: Step,
    brightness_range: Any = (0.875, 1.125),
    contrast_range: Any = (0.5, 1.5),
    saturation_range: Any = (0.5, 1.5),
    hue_range: Any = (-0.05, 0.05),
    distort_p: float = 0.5,
    p: float = 0.5,
) -> Transform:
    """Each runs with chance ``distort_p``; channels are not exchanged."""
    low, high = (_WIDEST * float(one) for one in hue_range)
    parts: list[Transform] = [
        ColorJitter(brightness=amount(step, "brightness_range", brightness_range), p=distort_p),
        ColorJitter(contrast=amount(step, "contrast_range", contrast_range), p=distort_p),
        ColorJitter(saturation=amount(step, "saturation_range", saturation_range), p=distort_p),
        ColorJitter(hue=(low, high), p=distort_p),
    ]
    return Sequential(parts, p=p)


@RULES.rule("ModeFilter")
def _mode_filter(step: Step, kernel_range: Any = (5, 5), p: float = 0.5) -> Transform:
    """`MedianBlur` of the same size: the middle value, there the most frequent one."""
    side = int(max(kernel_range)) | 1
    step.note("the middle value of the neighbours, not the most frequent one")
    return MedianBlur(side, p=p)


@RULES.rule("ChannelSwap")
def _channel_swap(step: Step, p: float = 0.5, **_: Any) -> Transform:
    """`ChannelShuffle`: any order."""
    return ChannelShuffle(p=p)


@RULES.rule("AtmosphericFog", "LensFlare", "CopyAndPaste")
def _of_usual_strength(step: Step, p: float = 0.5, **_: Any) -> Transform:
    """`Fog`, `SunFlare` and `CopyPaste` of the usual strength."""
    step.note("of the usual strength; set its parameters")
    if step.call.name == "CopyAndPaste":
        return CopyPaste(p=p)
    return Fog(p=p) if step.call.name == "AtmosphericFog" else SunFlare(p=p)
