"""MONAI's transforms of values."""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules.functions import onto, open_above
from imagemill.compat.translate.rules.monai import AXES, RULES, sizes
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, is_number, scaled, span
from imagemill.core.errors import InputError
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.clip_percentiles import ClipPercentiles
from imagemill.transforms.colour.contrast import Contrast
from imagemill.transforms.colour.gain_offset import GainOffset
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.normalize import Normalize
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.colour.window import Window
from imagemill.transforms.filter.equalize import Equalize
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.filter.median_blur import MedianBlur
from imagemill.transforms.filter.unsharp_mask import UnsharpMask
from imagemill.transforms.medical.bias_field import BiasField
from imagemill.transforms.medical.deviation_shift import DeviationShift
from imagemill.transforms.medical.gibbs_ringing import GibbsRinging
from imagemill.transforms.medical.histogram_shift import HistogramShift
from imagemill.transforms.medical.low_resolution import LowResolution
from imagemill.transforms.medical.spike import Spike
from imagemill.transforms.noise.gaussian_noise import GaussianNoise
from imagemill.transforms.occlusion.coarse_dropout import CoarseDropout

__all__: list[str] = []
_FEWEST = 1e-3


@RULES.rule("ScaleIntensity")
def _scale_intensity(
    step: Step, minv: Any = 0.0, maxv: Any = 1.0, factor: Any = None, channel_wise: bool = False
) -> list[Transform]:
    if factor is not None:
        return [GainOffset(1 + float(factor), 0)]
    if channel_wise:
        step.note("channels are stretched together")
    if minv is None or maxv is None:
        raise NoCounterpart("minv and maxv of None with no factor")
    return [Rescale("minmax"), *onto(float(minv), float(maxv))]


@RULES.rule("ScaleIntensityRange")
def _scale_range(
    step: Step, a_min: float, a_max: float, b_min: Any = None, b_max: Any = None, clip: bool = False
) -> list[Transform]:
    """From a window of values onto another: `Window` where it clips, `Rescale` where values go beyond."""
    low, high = (0.0 if b_min is None else float(b_min), 1.0 if b_max is None else float(b_max))
    first, last = float(a_min), float(a_max)
    made = Window((first + last) / 2, last - first) if clip else Rescale((first, last))
    return [made, *onto(low, high)]


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
    """Clipped at two percentiles and stretched."""
    if relative:
        raise NoCounterpart("relative=True: ranges that depend on the percentiles")
    if not clip:
        step.note("values beyond the percentiles are clipped")
    target = (0.0 if b_min is None else float(b_min), 1.0 if b_max is None else float(b_max))
    return [ClipPercentiles(float(lower), float(upper)), Rescale("minmax"), *onto(*target)]


@RULES.rule("ClipIntensityPercentiles")
def _clip_percentiles(
    step: Step,
    lower: Any = None,
    upper: Any = None,
    sharpness_factor: Any = None,
    channel_wise: bool = False,
    return_clipping_values: bool = False,
) -> Transform:
    """Of the whole image; the edge is hard."""
    if sharpness_factor is not None:
        step.note("values are cut off, not bent")
    return ClipPercentiles(0.0 if lower is None else float(lower), 100.0 if upper is None else float(upper))


@RULES.rule("NormalizeIntensity")
def _normalize_intensity(
    step: Step, subtrahend: Any = None, divisor: Any = None, nonzero: bool = False, channel_wise: bool = False
) -> Transform:
    """Mean 0 and deviation 1 of each image."""
    if subtrahend is not None or divisor is not None:
        mean, std = (_numbers(one, default) for one, default in ((subtrahend, 0.0), (divisor, 1.0)))
        return Normalize(mean, std, scale="none")
    if nonzero:
        step.note("values of 0 and below are moved by the same mean and deviation; there they stay")
        return Standardize(above=0)
    return Standardize(per_channel=channel_wise)


def _numbers(value: Any, default: float) -> Any:
    if value is None:
        return default
    return float(value) if is_number(value) else [float(one) for one in value]


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


@RULES.rule("RandStdShiftIntensity")
def _rand_std_shift(
    step: Step, factors: Any, prob: float = 0.1, nonzero: bool = False, channel_wise: bool = False
) -> Transform:
    """`DeviationShift` by as many deviations."""
    return _deviations(step, span(step, "factors", factors), prob, nonzero=nonzero, each=channel_wise)


@RULES.rule("StdShiftIntensity")
def _std_shift(step: Step, factor: float, nonzero: bool = False, channel_wise: bool = False) -> Transform:
    return _deviations(step, float(factor), 1.0, nonzero=nonzero, each=channel_wise)


def _deviations(step: Step, shift: Any, p: float, *, nonzero: bool, each: bool) -> Transform:
    if nonzero:
        step.note("values of 0 and below stay; there only those of 0 do")
    return DeviationShift(shift, per_channel=bool(each), above=0.0 if nonzero else None, p=p)


@RULES.rule("RandScaleIntensityFixedMean")
def _fixed_mean(
    step: Step, prob: float = 0.1, factors: Any = 0, fixed_mean: bool = True, preserve_range: bool = False
) -> Transform:
    """`Contrast` about the mean, by 1 and the factor."""
    gain = scaled(span(step, "factors", factors), 1, plus=1)
    return _about_mean(step, gain, prob, fixed=fixed_mean, clipped=preserve_range)


@RULES.rule("ScaleIntensityFixedMean")
def _scaled_about_mean(
    step: Step, factor: float = 0, preserve_range: bool = False, fixed_mean: bool = True, channel_wise: bool = False
) -> Transform:
    """`Contrast` about the mean, by 1 and the factor."""
    return _about_mean(step, 1 + float(factor), 1.0, fixed=fixed_mean, clipped=preserve_range)


def _about_mean(step: Step, gain: Any, p: float, *, fixed: bool, clipped: bool) -> Transform:
    if clipped:
        step.note("values are not cut to the range that the image had; put ClipPercentiles behind it")
    low = gain[0] if isinstance(gain, tuple) else gain
    if low < 0:
        gain = (0.0, gain[1]) if isinstance(gain, tuple) else 0.0
    return Contrast(gain, "mean", p=p) if fixed else GainOffset(gain, 0, p=p)


@RULES.rule("ThresholdIntensity")
def _threshold(step: Step, threshold: float, above: bool = True, cval: float = 0.0) -> list[Transform]:
    """Values below a limit become that limit: a `Window` that is open above."""
    if not above or float(threshold) != float(cval):
        raise NoCounterpart("other than from below to the threshold itself; nearest is Window, or imagemill.Apply")
    return open_above(float(threshold))


@RULES.rule("HistogramNormalize")
def _histogram_normalize(
    step: Step, num_bins: int = 256, min: Any = 0, max: Any = 255, mask: Any = None, mask_key: Any = None
) -> list[Transform]:
    """`Equalize` of as many levels as the image has, between the same ends."""
    if mask is not None or mask_key is not None:
        raise NoCounterpart("a mask: the histogram is that of the whole image; nearest is MatchLandmarks(above=...)")
    return [Equalize(), Rescale("minmax"), *onto(float(min), float(max))]


@RULES.rule("RandSmoothFieldAdjustIntensity")
def _smooth_field(
    step: Step,
    spatial_size: Any,
    rand_size: Any,
    pad: int = 0,
    mode: Any = "area",
    prob: float = 0.1,
    gamma: Any = (0.1, 1.0),
) -> Transform:
    """`BiasField`: a smooth factor within about the same limits."""
    found = amount(step, "gamma", gamma)
    low, high = found if isinstance(found, tuple) else (found, found)
    step.note("a polynomial's field; its mean is about 1, there it lies between both limits")
    return BiasField(min(max(abs(math.log(max(one, _FEWEST))) for one in (low, high)) / 2, 5.0), p=prob)


@RULES.rule("ShiftIntensity")
def _shift(step: Step, offset: float, safe: bool = False) -> Transform:
    return GainOffset(1, float(offset))


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
    """In pixels, along x, y and z; beyond the edge lies the mirrored image here, 0 there."""
    return GaussianBlur(_per_axis(step, "sigma", [sigma] * 3 if is_number(sigma) else list(sigma)))


@RULES.rule("MedianSmooth")
def _median_smooth(step: Step, radius: Any = 1) -> Transform:
    """A cube of that many pixels to each side; of images, drop ``axes``. Edge pixels are repeated, there 0."""
    sides = set(radius if isinstance(radius, list | tuple) else [radius])
    if len(sides) > 1:
        raise NoCounterpart(f"radius={radius!r}: one for all axes")
    step.note("axes names z, for volumes")
    return MedianBlur(2 * int(sides.pop()) + 1, axes="zyx")


@RULES.rule("RandGaussianSmooth")
def _rand_smooth(
    step: Step,
    sigma_x: Any = (0.25, 1.5),
    sigma_y: Any = (0.25, 1.5),
    sigma_z: Any = (0.25, 1.5),
    prob: float = 0.1,
    approx: str = "erf",
) -> Transform:
    """A deviation for each axis, in pixels; of images, drop ``z``. Beyond the edge lies the mirrored image, 0 there."""
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
    return CoarseDropout(
        count,
        size=size if len(sides) > 1 else sides[0] / side,
        fill="noise" if isinstance(fill_value, list | tuple) else float(fill_value or 0),
        p=prob,
    )


@RULES.rule("GaussianSharpen")
def _sharpen(step: Step, *_: Any, **__: Any) -> Transform:
    """`UnsharpMask` of the usual strength."""
    step.note("amount and sigma are the usual ones of UnsharpMask; set them")
    return UnsharpMask()


@RULES.rule("RandBiasField")
def _bias_field(step: Step, degree: int = 3, coeff_range: Any = (0.0, 0.1), prob: float = 0.1) -> Transform:
    """A polynomial of the same degree, in powers where there are Legendre's, with coefficients on both sides of 0."""
    found = amount(step, "coeff_range", coeff_range)
    strongest = max(abs(one) for one in (found if isinstance(found, tuple) else (found,)))
    step.note("powers in place of Legendre's polynomials; coefficients on both sides of 0")
    return BiasField(strongest, int(degree), p=prob)


@RULES.rule("RandSimulateLowResolution")
def _low_resolution(
    step: Step,
    prob: float = 0.1,
    downsample_mode: Any = "nearest",
    upsample_mode: Any = "trilinear",
    zoom_range: Any = (0.5, 1.0),
) -> Transform:
    """``factor`` is one over the zoom; down by the nearest and up by straight lines."""
    low, high = sorted(float(one) for one in zoom_range)
    return LowResolution((1 / high, 1 / low) if low < high else 1 / low, p=prob)


@RULES.rule("RandHistogramShift")
def _histogram_shift(step: Step, num_control_points: Any = 10, prob: float = 0.1) -> Transform:
    listed = tuple(num_control_points) if isinstance(num_control_points, list | tuple) else (num_control_points,)
    if not all(is_number(one) for one in listed) or len(listed) > 2:
        raise InputError(f"{step.shown}: expected num_control_points as a number or a pair, got {num_control_points!r}")
    low, high = min(map(int, listed)), max(map(int, listed))
    return HistogramShift(low if low == high else (low, high), p=prob)


@RULES.rule("RandGibbsNoise", "GibbsNoise")
def _gibbs(step: Step, alpha: Any = None, prob: float | None = None) -> Transform:
    """Cut off about the frequency 0; there half a frequency beside it where lengths are even."""
    alone = step.call.name.startswith("Gibbs")
    given = (0.1 if alone else (0.0, 1.0)) if alpha is None else alpha
    return GibbsRinging(amount(step, "alpha", given), p=1.0 if alone else 0.1 if prob is None else prob)


@RULES.rule("KSpaceSpikeNoise")
def _one_spike(step: Step, loc: Any, k_intensity: Any = None) -> Transform:
    """One wave of the usual height, anywhere in the spectrum."""
    step.note("one wave of the usual height, anywhere; set intensity")
    return Spike()


@RULES.rule("RandKSpaceSpikeNoise")
def _spike(step: Step, prob: float = 0.1, intensity_range: Any = None, channel_wise: bool = True) -> Transform:
    """One wave of the usual height; there by the logarithm of the spectrum's magnitude."""
    step.note("one wave of the usual height; set intensity")
    return Spike(p=prob)
