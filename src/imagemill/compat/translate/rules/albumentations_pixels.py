"""Albumentations' transforms of values; names and defaults of 0.1 to 2.0.8."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES
from imagemill.compat.translate.rules.rule import Step
from imagemill.compat.translate.rules.values import amount, is_number, scaled, span
from imagemill.core.ranges import Normal
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.channel_dropout import ChannelDropout
from imagemill.transforms.colour.channel_gain import ChannelGain
from imagemill.transforms.colour.channel_shift import ChannelShift
from imagemill.transforms.colour.channel_shuffle import ChannelShuffle
from imagemill.transforms.colour.color_jitter import ColorJitter
from imagemill.transforms.colour.color_temperature import ColorTemperature
from imagemill.transforms.colour.gain_offset import GainOffset
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.gray import Gray
from imagemill.transforms.colour.invert import Invert
from imagemill.transforms.colour.lighting import Lighting
from imagemill.transforms.colour.normalize import Normalize
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.sepia import Sepia
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.colour.to_dtype import ToDtype
from imagemill.transforms.colour.to_layout import ToLayout
from imagemill.transforms.colour.tone_curve import ToneCurve
from imagemill.transforms.combine import Sequential
from imagemill.transforms.filter.posterize import Posterize
from imagemill.transforms.filter.solarize import Solarize
from imagemill.transforms.noise.speckle_noise import SpeckleNoise

__all__: list[str] = []
_WHITE = 255.0
_DARKEST = 1e-3


@RULES.rule("RandomBrightnessContrast")
def _brightness_contrast(
    step: Step,
    brightness_limit: Any = (-0.2, 0.2),
    contrast_limit: Any = (-0.2, 0.2),
    brightness_by_max: bool = True,
    ensure_safe_range: bool = False,
    p: float = 0.5,
) -> Transform:
    """``alpha`` is 1 and the contrast, ``beta`` the brightness times white: of images of 8 bits."""
    if not brightness_by_max:
        step.note("brightness is a share of white, not of the image's mean")
    alpha = scaled(span(step, "contrast_limit", contrast_limit), 1, plus=1)
    beta = scaled(span(step, "brightness_limit", brightness_limit), _WHITE)
    step.note("offsets are of 8 bits; for floating point divide beta by 255")
    return GainOffset(_above(alpha), beta, p=p)


@RULES.rule("RandomBrightness")
def _brightness(step: Step, limit: Any = (-0.2, 0.2), p: float = 0.5) -> Transform:
    """An offset of a share of white: of images of 8 bits."""
    step.note("offsets are of 8 bits; for floating point divide beta by 255")
    return GainOffset(1, scaled(span(step, "limit", limit), _WHITE), p=p)


@RULES.rule("RandomContrast")
def _contrast(step: Step, limit: Any = (-0.2, 0.2), p: float = 0.5) -> Transform:
    """A gain about black, as there."""
    return Brightness(_above(scaled(span(step, "limit", limit), 1, plus=1)), p=p)


def _above(value: Any) -> Any:
    """Without 0, which would erase the image."""
    if isinstance(value, tuple):
        return max(value[0], _DARKEST), max(value[1], _DARKEST)
    return max(value, _DARKEST)


@RULES.rule("RandomGamma")
def _gamma(step: Step, gamma_limit: Any = (80, 120), eps: Any = None, p: float = 0.5) -> Transform:
    """Hundredths there, a power here."""
    limit = gamma_limit if isinstance(gamma_limit, list | tuple) else (gamma_limit, gamma_limit)
    return Gamma(_above(scaled(amount(step, "gamma_limit", limit), 0.01)), p=p)


@RULES.rule("HueSaturationValue")
def _hue_saturation_value(
    step: Step,
    hue_shift_limit: Any = (-20, 20),
    sat_shift_limit: Any = (-30, 30),
    val_shift_limit: Any = (-20, 20),
    p: float = 0.5,
) -> Transform:
    """Degrees are twice OpenCV's; saturation and value are factors of the same reach at half of white."""
    step.note("hue turns in YIQ, saturation and value are factors; there they are added to HSV")
    hue = scaled(span(step, "hue_shift_limit", hue_shift_limit), 2)
    saturation = scaled(span(step, "sat_shift_limit", sat_shift_limit), 1 / 127.5, plus=1)
    value = scaled(span(step, "val_shift_limit", val_shift_limit), 1 / 127.5, plus=1)
    return ColorJitter(brightness=_above(value), saturation=_above(saturation), hue=_within(hue), p=p)


def _within(degrees: Any) -> Any:
    low, high = degrees if isinstance(degrees, tuple) else (degrees, degrees)
    low, high = max(low, -180.0), min(high, 180.0)
    return low if low == high else (low, high)


@RULES.rule("ColorJitter")
def _color_jitter(
    step: Step, brightness: Any = 0.2, contrast: Any = 0.2, saturation: Any = 0.2, hue: Any = 0.2, p: float = 0.5
) -> Transform:
    """A number is a range about 1; hue 1 is 360 degrees. Clipped once, at the end."""
    if step.version > 1:
        hue = 0.5 if "hue" not in step.call.given and len(step.call.positional) < len("bcsh") else hue
    factors: dict[str, Any] = {
        name: span(step, name, value, about=1, low=0)
        for name, value in (("brightness", brightness), ("contrast", contrast), ("saturation", saturation))
    }
    factors["brightness"] = _above(factors["brightness"])
    return ColorJitter(**factors, hue=_within(scaled(span(step, "hue", hue), 360)), p=p)


@RULES.rule("ToGray")
def _to_gray(step: Step, num_output_channels: int = 3, method: str = "weighted_average", p: float = 0.5) -> Transform:
    if num_output_channels != 3:
        step.note("the number of channels stays; for one channel call the pipeline with channels='gray'")
    if method not in ("weighted_average", "average"):
        step.note(f"method {method!r} is the weighted average")
    return Gray("mean" if method == "average" else "bt601", p=p)


@RULES.rule("ToRGB")
def _to_rgb(step: Step, num_output_channels: int = 3, p: float = 1.0) -> list[Transform]:
    """Nothing to do for RGB; for gray images call the pipeline with ``channels="rgb"``."""
    step.note("for gray images call the pipeline with channels='rgb'")
    return []


@RULES.rule("InvertImg")
def _invert(step: Step, p: float = 0.5) -> Transform:
    return Invert(p=p)


@RULES.rule("FancyPCA")
def _fancy_pca(step: Step, alpha: float = 0.1, p: float = 0.5) -> Transform:
    """Along the directions in which ImageNet's colours vary; there along those of the image itself."""
    step.note("the directions are ImageNet's, not the image's own")
    return Lighting(Normal(0.0, float(alpha)), p=p)


@RULES.rule("MultiplicativeNoise")
def _multiplicative_noise(
    step: Step, multiplier: Any = (0.9, 1.1), per_channel: bool = False, elementwise: bool = False, p: float = 0.5
) -> Transform:
    factor = amount(step, "multiplier", multiplier)
    if elementwise:
        return _speckle(factor, p, per_channel=per_channel)
    return ChannelGain(factor, p=p) if per_channel else Brightness(_above(factor), p=p)


def _speckle(factor: Any, p: float, *, per_channel: bool) -> Transform:
    """A factor for each pixel, with the mean and the deviation of a uniform one."""
    low, high = factor if isinstance(factor, tuple) else (factor, factor)
    middle = (low + high) / 2
    noise = SpeckleNoise((high - low) / math.sqrt(12) / middle, per_channel=per_channel)
    return Sequential([Brightness(middle), noise], p=p) if middle != 1 else dataclasses.replace(noise, p=p)


@RULES.rule("Normalize")
def _normalize(
    step: Step,
    mean: Any = (0.485, 0.456, 0.406),
    std: Any = (0.229, 0.224, 0.225),
    max_pixel_value: Any = 255.0,
    normalization: str = "standard",
    p: float = 1.0,
) -> Transform | list[Transform]:
    """``max_pixel_value`` 1 is ``scale="none"``, what is white of the image's type is ``scale="depth"``."""
    if normalization in ("image", "image_per_channel"):
        return Standardize(per_channel=normalization.endswith("channel"), p=p)
    if normalization.startswith("min_max"):
        if normalization.endswith("channel"):
            step.note("channels are stretched together")
        return Rescale("minmax", p=p)
    if mean is None or std is None:
        return Rescale("depth", p=p)
    centre, deviation = _numbers(mean), _numbers(std)
    if max_pixel_value in (255, 65535, None):
        return Normalize(centre, deviation, scale="depth", p=p)
    by = float(max_pixel_value)
    return Normalize(_times(centre, by), _times(deviation, by), scale="none", p=p)


def _numbers(value: Any) -> Any:
    return float(value) if is_number(value) else [float(one) for one in value]


def _times(value: Any, by: float) -> Any:
    return value * by if isinstance(value, float) else [one * by for one in value]


@RULES.rule("ToFloat")
def _to_float(step: Step, max_value: Any = None, p: float = 1.0) -> Transform:
    if max_value in (None, 255, 65535):
        return Rescale("depth", p=p)
    return Rescale((0, float(max_value)), p=p)


@RULES.rule("FromFloat")
def _from_float(step: Step, dtype: Any = "uint8", max_value: Any = None, p: float = 1.0) -> Transform | list[Transform]:
    if p == 0:
        return []
    if max_value not in (None, 255, 65535):
        step.note(f"white is that of {dtype}, not {max_value}")
    named: Any = str(dtype)
    return ToDtype(named, scale=True, p=p)


@RULES.rule("ToTensorV2", "ToTensor3D")
def _to_tensor_v2(step: Step, transpose_mask: bool = False, p: float = 1.0) -> Transform:
    """Channels first, as an array; ``torch.from_numpy`` makes the tensor."""
    step.note("channels come first, in an array: torch.from_numpy, or Loader's torch(), makes the tensor")
    return ToLayout("channels_first")


@RULES.rule("ToTensor")
def _to_tensor(
    step: Step, num_classes: int = 1, sigmoid: bool = True, normalize: Any = None, p: float = 1.0
) -> list[Transform]:
    """From 0 to 1, channels first; and normalised where it says so."""
    if isinstance(normalize, dict):
        mean, std = _numbers(normalize["mean"]), _numbers(normalize["std"])
        return [Sequential([Normalize(mean, std), ToLayout("channels_first")])]
    return [Rescale("depth"), ToLayout("channels_first")]


@RULES.rule("ChannelDropout")
def _channel_dropout(
    step: Step, channel_drop_range: Any = (1, 1), fill_value: Any = 0, fill: Any = None, p: float = 0.5
) -> Transform:
    low, high = (int(one) for one in channel_drop_range)
    value = fill_value if fill is None else fill
    return ChannelDropout(low if low == high else (low, high), fill=float(value), p=p)


@RULES.rule("ChannelShuffle")
def _channel_shuffle(step: Step, p: float = 0.5) -> Transform:
    return ChannelShuffle(p=p)


@RULES.rule("RGBShift")
def _rgb_shift(
    step: Step,
    r_shift_limit: Any = (-20, 20),
    g_shift_limit: Any = (-20, 20),
    b_shift_limit: Any = (-20, 20),
    p: float = 0.5,
) -> Transform:
    """Values of 8 bits there, shares of white here."""
    limits = [span(step, "shift_limit", one) for one in (r_shift_limit, g_shift_limit, b_shift_limit)]
    widest = max(limits, key=lambda one: one[1] - one[0] if isinstance(one, tuple) else 0.0)
    if any(one != widest for one in limits):
        step.note("all channels are drawn from the widest of the three ranges")
    return ChannelShift(scaled(widest, 1 / _WHITE), p=p)


@RULES.rule("ToSepia")
def _to_sepia(step: Step, p: float = 0.5) -> Transform:
    return Sepia(1.0, p=p)


@RULES.rule("PlanckianJitter")
def _planckian_jitter(
    step: Step,
    mode: str = "blackbody",
    temperature_limit: Any = None,
    sampling_method: str = "uniform",
    p: float = 0.5,
) -> Transform:
    """A black body's light by its temperature."""
    if mode != "blackbody":
        step.note("the light is a black body's")
    low, high = (3000, 15000) if temperature_limit is None else temperature_limit
    return ColorTemperature((float(low), float(high)), p=p)


@RULES.rule("RandomToneCurve")
def _tone_curve(step: Step, scale: float = 0.1, per_channel: bool = False, p: float = 0.5) -> Transform:
    """Control values move by up to two deviations."""
    if per_channel:
        step.note("one curve for all channels")
    reach = min(2 * float(scale), 1 / 3)
    return ToneCurve((-reach, reach), (-reach, reach), p=p)


@RULES.rule("Posterize")
def _posterize(step: Step, num_bits: Any = 4, p: float = 0.5) -> Transform:
    if isinstance(num_bits, list | tuple) and num_bits and isinstance(num_bits[0], list | tuple):
        step.note("all channels keep as many bits as the first")
        num_bits = num_bits[0]
    low, high = (int(one) for one in (num_bits if isinstance(num_bits, list | tuple) else (num_bits, num_bits)))
    return Posterize(max(low, 1) if low == high else (max(low, 1), high), p=p)


@RULES.rule("Solarize")
def _solarize(step: Step, threshold: Any = None, threshold_range: Any = None, p: float = 0.5) -> Transform:
    """A share of white here; ``threshold`` of version 1 is of 8 bits."""
    if threshold_range is not None:
        return Solarize(amount(step, "threshold_range", threshold_range), p=p)
    found = amount(step, "threshold", 0.5 if threshold is None else threshold)
    largest = found[1] if isinstance(found, tuple) else found
    return Solarize(scaled(found, 1 / _WHITE) if largest > 1 else found, p=p)
