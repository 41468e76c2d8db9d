"""Albumentations' compression, resolution, glass and weather; names and defaults of 0.1 to 2.0.8."""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES
from imagemill.compat.translate.rules.rule import Step
from imagemill.compat.translate.rules.values import amount, is_number
from imagemill.core.errors import InputError
from imagemill.transforms.base import Transform
from imagemill.transforms.quality.downscale import Downscale
from imagemill.transforms.quality.glass_blur import GlassBlur
from imagemill.transforms.quality.jpeg_compression import JPEG
from imagemill.transforms.quality.webp_compression import WebP
from imagemill.transforms.weather.fog import Fog
from imagemill.transforms.weather.rain import Rain
from imagemill.transforms.weather.shadow import Shadow
from imagemill.transforms.weather.snow import Snow
from imagemill.transforms.weather.spatter import Spatter
from imagemill.transforms.weather.sun_flare import SunFlare

__all__: list[str] = []

_OWN = "drawn by this library's own way, so that images look alike and are not the same"


def _pair(step: Step, name: str, value: Any, low: Any, high: Any, usual: tuple[float, float]) -> tuple[float, float]:
    """A range that was two arguments in version 1."""
    if value is None:
        return (usual[0] if low is None else float(low), usual[1] if high is None else float(high))
    found = amount(step, name, value)
    return found if isinstance(found, tuple) else (found, found)


def _quality(found: tuple[float, float]) -> Any:
    low, high = (min(max(round(one), 1), 100) for one in found)
    return low if low == high else (low, high)


@RULES.rule("ImageCompression")
def _image_compression(
    step: Step,
    compression_type: Any = "jpeg",
    quality_range: Any = None,
    quality_lower: Any = None,
    quality_upper: Any = None,
    p: float = 0.5,
) -> Transform:
    """JPEG or WebP by the same quality; Pillow writes here what OpenCV writes there."""
    if is_number(compression_type) and step.call.positional and not isinstance(quality_range, list | tuple):
        # Version 1: both ends of the quality first, then what is compressed.
        quality_lower, compression_type = compression_type, "jpeg"
        quality_upper, quality_range = (quality_range if is_number(quality_range) else quality_upper), None
    kind = str(getattr(compression_type, "name", compression_type)).rpartition(".")[2].lower()
    quality = _quality(_pair(step, "quality_range", quality_range, quality_lower, quality_upper, (99, 100)))
    if kind not in ("jpeg", "webp", "0", "1"):
        raise InputError(f"{step.shown}: expected compression_type jpeg or webp, got {compression_type!r}")
    return WebP(quality, p=p) if kind in ("webp", "1") else JPEG(quality, p=p)


@RULES.rule("JpegCompression")
def _jpeg_compression(step: Step, quality_lower: Any = 99, quality_upper: Any = 100, p: float = 0.5) -> Transform:
    """By the same quality."""
    return JPEG(_quality((float(quality_lower), float(quality_upper))), p=p)


_NEAREST = (0, 6, "nearest", "nearest_exact")


@RULES.rule("Downscale")
def _downscale(
    step: Step,
    scale_range: Any = None,
    interpolation_pair: Any = None,
    scale_min: Any = None,
    scale_max: Any = None,
    interpolation: Any = None,
    p: float = 0.5,
) -> Transform:
    """By the same scale; interpolations other than nearest are the mean down, and straight lines up."""
    if is_number(scale_range):
        scale_min, scale_max, scale_range = scale_range, interpolation_pair, None
        interpolation_pair = None
    low, high = _pair(step, "scale_range", scale_range, scale_min, scale_max, (0.25, 0.25))
    both = interpolation_pair if interpolation_pair is not None else interpolation
    pair = both if isinstance(both, dict) else {"downscale": both, "upscale": both}
    down, up = (getattr(one, "value", one) for one in (pair.get("downscale"), pair.get("upscale")))
    if any(one not in (None, 1, 3, "linear", "area", *_NEAREST) for one in (down, up)):
        step.note("cubic and Lanczos interpolation are straight lines")
    nearest = [one is None or one in _NEAREST for one in (down, up)]
    return Downscale(
        low if low == high else (low, high),
        "nearest" if nearest[0] else "mean",
        "nearest" if nearest[1] else "linear",
        p=p,
    )


@RULES.rule("GlassBlur")
def _glass_blur(
    step: Step, sigma: float = 0.7, max_delta: int = 4, iterations: int = 2, mode: str = "fast", p: float = 0.5
) -> Transform:
    """By the same numbers; steps are drawn evenly from -max_delta to max_delta - 1, as mode 'exact' does."""
    return GlassBlur(float(sigma), int(max_delta), int(iterations), p=p)


_SLANT = 90.0
_RAINS = {"drizzle": 0.008, "heavy": 0.004, "torrential": 0.006, "default": 0.002, None: 0.002}
"""Share of the pixels at which a drop begins, about as many as there."""
_LENGTHS = {"drizzle": 10.0, "heavy": 30.0, "torrential": 60.0, "default": 20.0, None: 20.0}


@RULES.rule("RandomRain")
def _rain(
    step: Step,
    slant_range: Any = None,
    drop_length: Any = None,
    drop_width: int = 1,
    drop_color: Any = (200, 200, 200),
    blur_value: int = 7,
    brightness_coefficient: float = 0.7,
    rain_type: Any = "default",
    slant_lower: Any = None,
    slant_upper: Any = None,
    p: float = 0.5,
) -> Transform:
    """Of about as many drops, as long, slanted and dim; width and colour of drops and the blur are left out."""
    step.note(f"{_OWN}; drop_width, drop_color and blur_value are left out")
    if is_number(slant_range):
        slant_lower, slant_upper, slant_range = slant_range, drop_length, None
        drop_length = None
    low, high = _pair(step, "slant_range", slant_range, slant_lower, slant_upper, (-10, 10))
    length = float(drop_length) if drop_length is not None else _LENGTHS.get(rain_type, 20.0)
    return Rain(
        _RAINS.get(rain_type, 0.002), min(max(length, 1.0), 60.0), (_SLANT - high, _SLANT - low),
        dim=min(max(float(brightness_coefficient), 0.0), 1.0), p=p,
    )  # fmt: skip


@RULES.rule("RandomFog")
def _fog(
    step: Step,
    alpha_coef: float = 0.08,
    fog_coef_range: Any = None,
    fog_coef_lower: Any = None,
    fog_coef_upper: Any = None,
    p: float = 0.5,
) -> Transform:
    """Clouds of twice ``fog_coef`` in whites; ``alpha_coef`` is left out."""
    step.note(f"{_OWN}; alpha_coef is left out")
    low, high = _pair(step, "fog_coef_range", fog_coef_range, fog_coef_lower, fog_coef_upper, (0.3, 1.0))
    return Fog((2 * low, 2 * high), p=p)


@RULES.rule("RandomSnow")
def _snow(
    step: Step,
    brightness_coeff: float = 2.5,
    snow_point_range: Any = None,
    method: str = "bleach",
    snow_point_lower: Any = None,
    snow_point_upper: Any = None,
    p: float = 0.5,
) -> Transform:
    """Bleached by ``snow_point``, with flakes, which method 'bleach' has not; ``brightness_coeff`` is left out."""
    step.note(f"{_OWN}; brightness_coeff is left out" + ("; flakes fall, too" if method == "bleach" else ""))
    low, high = _pair(step, "snow_point_range", snow_point_range, snow_point_lower, snow_point_upper, (0.1, 0.3))
    return Snow(bleach=(low, high), p=p)


@RULES.rule("RandomShadow")
def _shadow(
    step: Step,
    shadow_roi: Any = (0, 0.5, 1, 1),
    num_shadows_limit: Any = None,
    shadow_dimension: int = 5,
    shadow_intensity_range: Any = (0.5, 0.5),
    num_shadows_lower: Any = None,
    num_shadows_upper: Any = None,
    p: float = 0.5,
) -> Transform:
    """As dark, with as many corners, and always as many as there are at most; anywhere in the image."""
    _, most = _pair(step, "num_shadows_limit", num_shadows_limit, num_shadows_lower, num_shadows_upper, (1, 2))
    step.note(f"{_OWN}; always {round(most)} of them, anywhere in the image")
    darkness = amount(step, "shadow_intensity_range", shadow_intensity_range)
    corners = min(max(int(shadow_dimension), 3), 12)
    return Shadow(darkness, count=min(max(round(most), 1), 8), corners=corners, p=p)


@RULES.rule("RandomSunFlare")
def _sun_flare(
    step: Step,
    flare_roi: Any = (0, 0, 1, 0.5),
    src_radius: int = 400,
    src_color: Any = (255, 255, 255),
    angle_range: Any = (0, 1),
    num_flare_circles_range: Any = None,
    method: str = "overlay",
    angle_lower: Any = None,
    angle_upper: Any = None,
    num_flare_circles_lower: Any = None,
    num_flare_circles_upper: Any = None,
    p: float = 0.5,
) -> Transform:
    """In the same part of the image, white, with as many ghosts as at most, on the line through the middle."""
    _, most = _pair(
        step, "num_flare_circles_range", num_flare_circles_range, num_flare_circles_lower, num_flare_circles_upper,
        (6, 10)
    )  # fmt: skip
    step.note(f"{_OWN}; white, always with {round(most)} ghosts, which lie on the line through the middle")
    left, top, right, bottom = (float(one) for one in flare_roi)
    # Light falls off from the middle there: its core is about a fifth of the radius.
    radius = min(max(0.2 * float(src_radius) / min(step.sides), 0.01), 1.0)
    return SunFlare((top, bottom), (left, right), radius, ghosts=min(max(round(most), 0), 16), p=p)


@RULES.rule("Spatter")
def _spatter(
    step: Step,
    mean: Any = (0.65, 0.65),
    std: Any = (0.3, 0.3),
    gauss_sigma: Any = (2, 2),
    cutout_threshold: Any = (0.68, 0.68),
    intensity: Any = (0.6, 0.6),
    mode: Any = "rain",
    color: Any = None,
    p: float = 0.5,
) -> Transform:
    """With the share of the image under drops that mean, std, sigma and threshold come to; in its own colours."""
    step.note(_OWN + ("; in its own colour" if color is not None else ""))
    middle, spread, sigma, threshold, strength = (
        _mean(amount(step, name, value))
        for name, value in (
            ("mean", mean), ("std", std), ("gauss_sigma", gauss_sigma), ("cutout_threshold", cutout_threshold),
            ("intensity", intensity),
        )
    )  # fmt: skip
    # Normal numbers that a Gaussian has smoothed deviate by so much less.
    smoothed = spread / (2 * math.sqrt(math.pi) * max(sigma, 0.5))
    cover = 0.5 * math.erfc((threshold - middle) / (max(smoothed, 1e-9) * math.sqrt(2)))
    modes = [mode] if isinstance(mode, str) else list(mode)
    kind = "mud" if modes == ["mud"] else "water"
    if len(modes) > 1:
        step.note("water, where it is one of several kinds there")
    size = min(max(sigma, 0.5), 20.0)
    return Spatter(min(max(cover, 0.001), 0.9), size, 1.0 if kind == "mud" else min(strength, 1.0), kind=kind, p=p)  # type: ignore[arg-type]  # one of the two words


def _mean(value: Any) -> float:
    return sum(value) / 2 if isinstance(value, tuple) else float(value)
