"""MONAI's transforms of values."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.monai import AXES, RULES, sizes
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, is_number, scaled, span
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.clip_percentiles import ClipPercentiles
from imagemill.transforms.colour.gain_offset import GainOffset
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.colour.window import Window
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.filter.unsharp_mask import UnsharpMask
from imagemill.transforms.noise.gaussian_noise import GaussianNoise
from imagemill.transforms.occlusion.coarse_dropout import CoarseDropout

__all__: list[str] = []
_FEWEST = 1e-3


@RULES.rule("ScaleIntensity")
def _scale_intensity(
    step: Step, minv: Any = 0.0, maxv: Any = 1.0, factor: Any = None, channel_wise: bool = False
) -> Transform:
    if factor is not None:
        return GainOffset(1 + float(factor), 0)
    if (minv, maxv) not in ((0.0, 1.0), (-1.0, 1.0)):
        raise NoCounterpart(f"onto {minv}..{maxv}: 0..1 and -1..1 are built")
    return Rescale("minmax", to=(float(minv), float(maxv)))


@RULES.rule("ScaleIntensityRange")
def _scale_range(
    step: Step, a_min: float, a_max: float, b_min: Any = None, b_max: Any = None, clip: bool = False
) -> Transform:
    """From a window of values onto 0..1 or -1..1: `Window` where it clips, `Rescale` where values go beyond."""
    target = (0.0 if b_min is None else float(b_min), 1.0 if b_max is None else float(b_max))
    if target not in ((0.0, 1.0), (-1.0, 1.0)):
        raise NoCounterpart(f"onto {target[0]:g}..{target[1]:g}: 0..1 and -1..1 are built")
    if clip:
        return Window((float(a_min) + float(a_max)) / 2, float(a_max) - float(a_min), to=target)
    return Rescale((float(a_min), float(a_max)), to=target)


@RULES.rule("ScaleIntensityRangePercentiles")
def _scale_percentiles(
    step: Step,
    lower: float,
    upper: float,
    b_min: Any = 0.0,
    b_max: Any = 1.0,
    clip: bool = False,
    relative: bool = False,
    channel_wise: bool = False,
) -> list[Transform]:
    """Clipped at two percentiles and stretched onto 0..1 or -1..1."""
    target = (0.0 if b_min is None else float(b_min), 1.0 if b_max is None else float(b_max))
    if target not in ((0.0, 1.0), (-1.0, 1.0)) or relative:
        raise NoCounterpart("onto 0..1 and -1..1 are built, not relative ones")
    if not clip:
        step.note("values beyond the percentiles are clipped")
    return [ClipPercentiles(float(lower), float(upper)), Rescale("minmax", to=target)]


@RULES.rule("NormalizeIntensity")
def _normalize_intensity(
    step: Step, subtrahend: Any = None, divisor: Any = None, nonzero: bool = False, channel_wise: bool = False
) -> Transform:
    """Mean 0 and deviation 1 of each image."""
    if subtrahend is not None or divisor is not None:
        raise NoCounterpart("subtrahend and divisor: write Normalize(mean, std, scale='none')")
    if nonzero:
        step.note("values of 0 and below are moved by the same mean and deviation; there they stay")
        return Standardize(above=0)
    return Standardize(per_channel=channel_wise)


@RULES.rule("RandScaleIntensity")
def _rand_scale(step: Step, factors: Any, prob: float = 0.1, channel_wise: bool = False) -> Transform:
    """A gain of 1 and the factor."""
    gain = scaled(span(step, "factors", factors), 1, plus=1)
    return GainOffset(gain if not isinstance(gain, tuple) else (max(gain[0], _FEWEST), gain[1]), 0, p=prob)


@RULES.rule("RandShiftIntensity")
def _rand_shift(
    step: Step, offsets: Any, safe: bool = False, prob: float = 0.1, channel_wise: bool = False
) -> Transform:
    return GainOffset(1, span(step, "offsets", offsets), p=prob)


@RULES.rule("RandAdjustContrast")
def _rand_contrast(
    step: Step, prob: float = 0.1, gamma: Any = (0.5, 4.5), invert_image: bool = False, retain_stats: bool = False
) -> Transform:
    """A power of values between 0 and white; there between the image's own extremes: rescale first."""
    step.note("between 0 and white: put Rescale('minmax') before it")
    return Gamma(amount(step, "gamma", (0.5, gamma) if is_number(gamma) else gamma), p=prob)


@RULES.rule("AdjustContrast")
def _adjust_contrast(step: Step, gamma: float, invert_image: bool = False, retain_stats: bool = False) -> Transform:
    """As ``RandAdjustContrast``, of every image."""
    step.note("between 0 and white: put Rescale('minmax') before it")
    return Gamma(float(gamma))


@RULES.rule("RandGaussianNoise")
def _gaussian_noise(
    step: Step, prob: float = 0.1, mean: float = 0.0, std: float = 0.1, sample_std: bool = True
) -> Transform:
    """Deviations up to ``std``, in shares of white: of floating point, values."""
    if mean:
        step.note("the mean is 0")
    return GaussianNoise((0.0, float(std)) if sample_std else float(std), p=prob)


@RULES.rule("GaussianSmooth")
def _smooth(step: Step, sigma: Any = 1.0, approx: str = "erf") -> Transform:
    return GaussianBlur(_per_axis(step, "sigma", [sigma] * 3 if is_number(sigma) else list(sigma)))


@RULES.rule("RandGaussianSmooth")
def _rand_smooth(
    step: Step,
    sigma_x: Any = (0.25, 1.5),
    sigma_y: Any = (0.25, 1.5),
    sigma_z: Any = (0.25, 1.5),
    prob: float = 0.1,
    approx: str = "erf",
) -> Transform:
    """A deviation for each axis, in pixels; of images, drop ``z`` from sigma."""
    step.note("sigma names z, for volumes")
    return GaussianBlur(_per_axis(step, "sigma", [sigma_x, sigma_y, sigma_z]), p=prob)


def _per_axis(step: Step, name: str, values: list[Any]) -> dict[str, Any]:
    return {axis: amount(step, name, one) for axis, one in reversed(list(zip(AXES, values, strict=False)))}


@RULES.rule("RandGaussianSharpen")
def _rand_sharpen(step: Step, *_: Any, prob: float = 0.1, **__: Any) -> Transform:
    """`UnsharpMask` of the usual strength."""
    step.note("amount and sigma are the usual ones of UnsharpMask; set them")
    return UnsharpMask(p=prob)


@RULES.rule("RandCoarseDropout")
def _rand_coarse_dropout(
    step: Step,
    holes: int,
    spatial_size: Any,
    dropout_holes: bool = True,
    fill_value: Any = None,
    max_holes: Any = None,
    max_spatial_size: Any = None,
    prob: float = 0.1,
) -> Transform:
    """Sides in pixels are shares of the size the pipeline has there, else of 256."""
    if not dropout_holes:
        raise NoCounterpart("dropout_holes=False, which hides all but the holes")
    sides = sizes(step, "spatial_size", spatial_size)
    side = max(step.sides)
    step.note(f"holes of {sides} pixels are shares of {side}; set size for others")
    size = {axis: min(length / side, 1.0) for axis, length in zip("zyx"[-len(sides) :], sides, strict=True)}
    count = holes if max_holes is None else (int(holes), int(max_holes))
    return CoarseDropout(count, size=size if len(sides) > 1 else sides[0] / side, fill=float(fill_value or 0), p=prob)
