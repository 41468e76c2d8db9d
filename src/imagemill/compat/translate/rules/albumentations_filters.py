"""Albumentations' blurs, noises and holes; names and defaults of 0.1 to 2.0.8."""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules import values
from imagemill.compat.translate.rules.albumentations import RULES
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, is_number, scaled
from imagemill.core.errors import InputError
from imagemill.core.ranges import Choice, LogUniform
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import Sequential
from imagemill.transforms.filter.auto_contrast import AutoContrast
from imagemill.transforms.filter.box_blur import BoxBlur
from imagemill.transforms.filter.clahe import CLAHE
from imagemill.transforms.filter.defocus_blur import DefocusBlur
from imagemill.transforms.filter.emboss import Emboss
from imagemill.transforms.filter.equalize import Equalize
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.filter.median_blur import MedianBlur
from imagemill.transforms.filter.motion_blur import MotionBlur
from imagemill.transforms.filter.sharpen import Sharpen
from imagemill.transforms.filter.unsharp_mask import UnsharpMask
from imagemill.transforms.filter.zoom_blur import ZoomBlur
from imagemill.transforms.noise.gaussian_noise import GaussianNoise
from imagemill.transforms.noise.iso_noise import ISONoise
from imagemill.transforms.noise.salt_and_pepper import SaltAndPepper
from imagemill.transforms.noise.shot_noise import ShotNoise
from imagemill.transforms.occlusion.coarse_dropout import CoarseDropout
from imagemill.transforms.occlusion.erasing import Erasing
from imagemill.transforms.occlusion.grid_mask import GridMask
from imagemill.transforms.occlusion.pixel_dropout import PixelDropout

__all__: list[str] = []
_WHITE = 255.0


def _odd(step: Step, limit: Any) -> list[int]:
    """Sizes of kernels that can be drawn: odd ones from 3 on."""
    low, high = (int(one) for one in (limit if isinstance(limit, list | tuple) else (3, limit)))
    found = [size for size in range(max(low, 3), max(high, 3) + 1) if size % 2]
    if not found:
        raise InputError(f"{step.shown}: expected odd sizes of a kernel in blur_limit, got {limit!r}")
    return found


def _sigma_of(size: int) -> float:
    """The deviation that OpenCV takes for a kernel of a size."""
    return 0.3 * ((size - 1) * 0.5 - 1) + 0.8


@RULES.rule("Blur")
def _blur(step: Step, blur_limit: Any = (3, 7), p: float = 0.5) -> Transform:
    """A box of an odd size."""
    return BoxBlur(Choice(tuple(_odd(step, blur_limit))), p=p)


@RULES.rule("GaussianBlur")
def _gaussian_blur(step: Step, blur_limit: Any = None, sigma_limit: Any = None, p: float = 0.5) -> Transform:
    """By ``sigma``; a kernel's size alone stands for the deviation that OpenCV takes for it."""
    if sigma_limit not in (None, 0):
        return GaussianBlur(
            amount(step, "sigma_limit", (0, sigma_limit) if is_number(sigma_limit) else sigma_limit), p=p
        )
    if blur_limit in (None, 0) and step.version > 1:
        return GaussianBlur((0.5, 3.0), p=p)
    sizes = _odd(step, (3, 7) if blur_limit in (None, 0) else blur_limit)
    return GaussianBlur(Choice(tuple(_sigma_of(size) for size in sizes)), p=p)


@RULES.rule("AdvancedBlur")
def _advanced_blur(
    step: Step,
    blur_limit: Any = (3, 7),
    sigma_x_limit: Any = (0.2, 1.0),
    sigma_y_limit: Any = (0.2, 1.0),
    rotate_limit: Any = 90,
    beta_limit: Any = (0.5, 8.0),
    noise_limit: Any = (0.9, 1.1),
    sigmaX_limit: Any = None,
    sigmaY_limit: Any = None,
    p: float = 0.5,
) -> Transform:
    """A Gaussian with a deviation for each axis; kernels that are turned, boxy or noisy are not built."""
    step.note("a plain Gaussian along y and x")
    x = amount(step, "sigma_x_limit", sigma_x_limit if sigmaX_limit is None else sigmaX_limit)
    y = amount(step, "sigma_y_limit", sigma_y_limit if sigmaY_limit is None else sigmaY_limit)
    return GaussianBlur({"y": y, "x": x}, p=p)


@RULES.rule("MedianBlur")
def _median_blur(step: Step, blur_limit: Any = (3, 7), p: float = 0.5) -> Transform:
    sizes = _odd(step, blur_limit)
    return MedianBlur(Choice(tuple(sizes)) if len(sizes) > 1 else sizes[0], p=p)


@RULES.rule("MotionBlur")
def _motion_blur(
    step: Step,
    blur_limit: Any = (3, 7),
    allow_shifted: bool = True,
    angle_range: Any = (0, 360),
    direction_range: Any = (-1.0, 1.0),
    p: float = 0.5,
) -> Transform:
    """A line one pixel shorter than the kernel, about each pixel."""
    low, high = blur_limit if isinstance(blur_limit, list | tuple) else (3, blur_limit)
    return MotionBlur(
        (float(low) - 1, max(float(high), 3.0) - 1), degrees=amount(step, "angle_range", angle_range), p=p
    )


@RULES.rule("Defocus")
def _defocus(step: Step, radius: Any = (3, 10), alias_blur: Any = (0.1, 0.5), p: float = 0.5) -> Transform:
    """A disc; its rim is smooth by what it covers, which stands for ``alias_blur``."""
    return DefocusBlur(amount(step, "radius", (1, radius) if is_number(radius) else radius), p=p)


@RULES.rule("ZoomBlur")
def _zoom_blur(step: Step, max_factor: Any = (1, 1.31), step_factor: Any = (0.01, 0.03), p: float = 0.5) -> Transform:
    """Ten copies from 1 to the factor."""
    return ZoomBlur(amount(step, "max_factor", (1, max_factor) if is_number(max_factor) else max_factor), p=p)


@RULES.rule("Sharpen", "IAASharpen")
def _sharpen(
    step: Step,
    alpha: Any = (0.2, 0.5),
    lightness: Any = (0.5, 1.0),
    method: str = "kernel",
    kernel_size: int = 5,
    sigma: float = 1.0,
    p: float = 0.5,
) -> Transform:
    """``factor`` is ``1 + 13 alpha``, which is the same kernel; ``lightness`` other than 1 is left out."""
    step.note("brightness stays, whatever lightness says")
    return Sharpen(scaled(amount(step, "alpha", alpha), 13, plus=1), p=p)


@RULES.rule("UnsharpMask")
def _unsharp_mask(
    step: Step,
    blur_limit: Any = (3, 7),
    sigma_limit: Any = 0.0,
    alpha: Any = (0.2, 0.5),
    threshold: float = 10,
    p: float = 0.5,
) -> Transform:
    sigmas: Any = amount(step, "sigma_limit", sigma_limit)
    if sigmas == 0.0:
        sigmas = Choice(tuple(_sigma_of(size) for size in _odd(step, blur_limit)))
    return UnsharpMask(amount(step, "alpha", alpha), sigmas, threshold=float(threshold) / _WHITE, p=p)


@RULES.rule("Emboss", "IAAEmboss")
def _emboss(step: Step, alpha: Any = (0.2, 0.5), strength: Any = (0.2, 0.7), p: float = 0.5) -> Transform:
    """A relief of about the same strength."""
    step.note("the kernel is Sobel's")
    low, high = _pair(amount(step, "alpha", alpha))
    weakest, strongest = _pair(amount(step, "strength", strength))
    return Emboss((low * (0.5 + weakest), high * (0.5 + strongest)), p=p)


def _pair(value: Any) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)


@RULES.rule("CLAHE")
def _clahe(step: Step, clip_limit: Any = 4.0, tile_grid_size: Any = (8, 8), p: float = 0.5) -> Transform:
    limit = amount(step, "clip_limit", (1, clip_limit) if is_number(clip_limit) else clip_limit)
    return CLAHE(limit, tuple(int(one) for one in tile_grid_size), p=p)


@RULES.rule("Equalize")
def _equalize(
    step: Step, mode: str = "cv", by_channels: bool = True, mask: Any = None, mask_params: Any = (), p: float = 0.5
) -> Transform:
    if not by_channels:
        step.note("each channel by itself")
    if mask is not None:
        step.note("the whole image counts, not a mask")
    return Equalize(p=p)


@RULES.rule("AutoContrast")
def _auto_contrast(step: Step, cutoff: float = 0, ignore: Any = None, method: str = "cdf", p: float = 0.5) -> Transform:
    """``cut`` is a share where ``cutoff`` is in hundredths."""
    if method == "cdf":
        step.note("stretched between the extremes; its method 'cdf' is Equalize")
    return AutoContrast(float(cutoff) / 100, p=p)


@RULES.rule("GaussNoise")
def _gauss_noise(
    step: Step,
    var_limit: Any = None,
    mean: Any = None,
    per_channel: bool = True,
    noise_scale_factor: float = 1,
    std_range: Any = None,
    mean_range: Any = (0.0, 0.0),
    p: float = 0.5,
) -> Transform:
    """Version 1 gives variances of 8 bits, version 2 deviations as shares of white."""
    if any(one not in (None, 0, 0.0) for one in (mean_range if isinstance(mean_range, list | tuple) else [mean_range])):
        step.note("the mean is 0")
    if std_range is None and (var_limit is not None or step.version == 1) and not _is_share(var_limit):
        variance = amount(step, "var_limit", (10.0, 50.0) if var_limit is None else var_limit)
        low, high = variance if isinstance(variance, tuple) else (0.0, variance)
        return GaussianNoise((math.sqrt(low) / _WHITE, math.sqrt(high) / _WHITE), per_channel=per_channel, p=p)
    found = std_range or (var_limit if _is_share(var_limit) else (0.2, 0.44))
    return GaussianNoise(amount(step, "std_range", found), per_channel=per_channel, p=p)


def _is_share(value: Any) -> bool:
    """Whether a pair in the place of version 1's variances is one of version 2's deviations."""
    return (
        isinstance(value, list | tuple) and len(value) == 2 and all(is_number(one) and 0 <= one <= 1 for one in value)
    )


@RULES.rule("IAAAdditiveGaussianNoise")
def _additive_gaussian(
    step: Step, loc: float = 0, scale: Any = (2.55, 12.75), per_channel: bool = False, p: float = 0.5
) -> Transform:
    """Deviations of 8 bits."""
    return GaussianNoise(scaled(amount(step, "scale", scale), 1 / _WHITE), per_channel=per_channel, p=p)


@RULES.rule("AdditiveNoise")
def _additive_noise(
    step: Step,
    noise_type: str = "uniform",
    spatial_mode: str = "constant",
    noise_params: Any = None,
    approximation: float = 1.0,
    p: float = 0.5,
) -> Transform:
    """Normal noise of the same deviation."""
    if spatial_mode == "constant":
        raise NoCounterpart("one number for all pixels is GainOffset(1, beta=...); write it")
    step.note(f"normal noise in place of {noise_type} noise, of the usual strength; set std")
    return GaussianNoise(per_channel=spatial_mode == "per_pixel", p=p)


@RULES.rule("ISONoise")
def _iso_noise(step: Step, color_shift: Any = (0.01, 0.05), intensity: Any = (0.1, 0.5), p: float = 0.5) -> Transform:
    """Of the usual strength."""
    step.note("of the usual strength; set shot, read and colour")
    return ISONoise(p=p)


@RULES.rule("ShotNoise")
def _shot_noise(step: Step, scale_range: Any = (0.1, 0.3), p: float = 0.5) -> Transform:
    """``photons`` is one over ``scale``; counted from values as they are, there from linear light."""
    low, high = (float(one) for one in scale_range)
    return ShotNoise((1 / high, 1 / max(low, 1e-6)), p=p)


@RULES.rule("SaltAndPepper")
def _salt_and_pepper(
    step: Step, amount: Any = (0.01, 0.06), salt_vs_pepper: Any = (0.4, 0.6), p: float = 0.5
) -> Transform:
    share, salt = values.amount(step, "amount", amount), values.amount(step, "salt_vs_pepper", salt_vs_pepper)
    return SaltAndPepper(share, salt, p=p)


@RULES.rule("PixelDropout")
def _pixel_dropout(
    step: Step,
    dropout_prob: float = 0.01,
    per_channel: bool = False,
    drop_value: Any = 0,
    mask_drop_value: Any = None,
    p: float = 0.5,
) -> Transform:
    mask = None if mask_drop_value is None or per_channel else int(mask_drop_value)
    value = _hole_fill(step, drop_value)
    if not isinstance(value, float):
        step.note(f"dropped pixels show 0, not drop_value={drop_value!r}")
    return PixelDropout(
        float(dropout_prob),
        fill=value if isinstance(value, float) else 0.0,
        per_channel=per_channel,
        mask_fill=mask,
        p=p,
    )


def _hole_fill(step: Step, value: Any) -> Any:
    """What holes show."""
    if value is None or (isinstance(value, str) and value.startswith("random")):
        return "noise"
    if isinstance(value, str):
        step.note(f"fill={value!r} is the mean of the image")
        return "mean"
    return float(value) if is_number(value) else [float(one) for one in value]


@RULES.rule("CoarseDropout")
def _coarse_dropout(
    step: Step,
    num_holes_range: Any = None,
    hole_height_range: Any = None,
    hole_width_range: Any = None,
    fill: Any = 0,
    fill_mask: Any = None,
    max_holes: Any = None,
    max_height: Any = None,
    max_width: Any = None,
    min_holes: Any = None,
    min_height: Any = None,
    min_width: Any = None,
    fill_value: Any = None,
    mask_fill_value: Any = None,
    p: float = 0.5,
) -> Transform:
    """Sides as shares of the image's; sides in pixels are of the size the pipeline has there, else of 256."""
    if max_holes is not None or is_number(num_holes_range):
        # Version 1: the largest numbers first, then the least.
        most = max_holes if max_holes is not None else num_holes_range
        high = max_height if max_height is not None else hole_height_range
        wide = max_width if max_width is not None else hole_width_range
        holes = (most if min_holes is None else min_holes, most)
        heights = (high if min_height is None else min_height, high)
        widths = (wide if min_width is None else min_width, wide)
    else:
        holes = num_holes_range or ((1, 2) if step.version > 1 else (8, 8))
        usual = (0.1, 0.2) if step.version > 1 else (8, 8)
        heights, widths = hole_height_range or usual, hole_width_range or usual
    mask = fill_mask if fill_mask is not None else mask_fill_value
    return CoarseDropout(
        _whole_span(holes),
        size={"y": _share(step, heights, 0), "x": _share(step, widths, 1)},
        fill=_hole_fill(step, fill_value if fill_value is not None else fill),
        mask_fill=None if mask is None else int(mask),
        p=p,
    )


def _whole_span(value: Any) -> Any:
    low, high = (round(one) for one in value)
    return low if low == high else (low, high)


def _share(step: Step, sides: Any, axis: int) -> Any:
    """Sides of holes as shares of the image's side; whole numbers are pixels."""
    low, high = sides if isinstance(sides, list | tuple) else (sides, sides)
    if isinstance(low, int) and isinstance(high, int) and high >= 1:
        side = step.sides[axis]
        step.note(f"holes of {low} to {high} pixels are shares of {side}; set size for others")
        low, high = low / side, high / side
    low, high = min(float(low), 1.0), min(float(high), 1.0)
    return low if low == high else (low, high)


@RULES.rule("Cutout")
def _cutout(
    step: Step, num_holes: int = 8, max_h_size: int = 8, max_w_size: int = 8, fill_value: Any = 0, p: float = 0.5
) -> Transform:
    """`CoarseDropout`; sides in pixels are of the size the pipeline has there, else of 256."""
    size = {"y": _share(step, int(max_h_size), 0), "x": _share(step, int(max_w_size), 1)}
    return CoarseDropout(int(num_holes), size=size, fill=_hole_fill(step, fill_value), p=p)


@RULES.rule("XYMasking")
def _xy_masking(
    step: Step,
    num_masks_x: Any = 0,
    num_masks_y: Any = 0,
    mask_x_length: Any = 0,
    mask_y_length: Any = 0,
    fill: Any = 0,
    fill_mask: Any = None,
    fill_value: Any = None,
    mask_fill_value: Any = None,
    p: float = 0.5,
) -> Transform:
    """Columns and rows that are hidden."""
    value = _hole_fill(step, fill if fill_value is None else fill_value)
    made: list[Transform] = []
    for axis, count, length in (("x", num_masks_x, mask_x_length), ("y", num_masks_y, mask_y_length)):
        if count:
            lengths = length if isinstance(length, list | tuple) else (0, int(length))
            size = _share(step, tuple(int(one) for one in lengths), "yx".index(axis))
            holes = _whole_span(count if isinstance(count, list | tuple) else (count, count))
            made.append(CoarseDropout(holes, size={axis: size}, fill=value))
    if not made:
        raise InputError(f"{step.shown}: expected num_masks_x or num_masks_y above 0")
    return Sequential(made, p=p)


@RULES.rule("TimeMasking", "FrequencyMasking")
def _band(step: Step, time_mask_param: int = 40, freq_mask_param: int | None = None, p: float = 0.5) -> Transform:
    """A band of columns, or of rows, up to so many pixels wide."""
    axis = "y" if step.call.name.startswith("Freq") else "x"
    most = int(time_mask_param if freq_mask_param is None else freq_mask_param)
    return CoarseDropout(1, size={axis: _share(step, (0, most), "yx".index(axis))}, p=p)


@RULES.rule("GridDropout")
def _grid_dropout(
    step: Step,
    ratio: float = 0.5,
    unit_size_min: Any = None,
    unit_size_max: Any = None,
    holes_number_x: Any = None,
    holes_number_y: Any = None,
    shift_x: int = 0,
    shift_y: int = 0,
    random_offset: bool = True,
    fill_value: Any = 0,
    mask_fill_value: Any = None,
    unit_size_range: Any = None,
    holes_number_xy: Any = None,
    shift_xy: Any = (0, 0),
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """`GridMask` that is not turned; it begins anywhere."""
    cells = unit_size_range or (None if unit_size_min is None else (unit_size_min, unit_size_max))
    number = (holes_number_xy or (holes_number_x,))[0]
    cell: Any = (0.15, 0.4)
    if cells:
        cell = _share(step, tuple(int(one) for one in cells), 0)
    elif number:
        cell = 1 / float(number)
    return GridMask(cell, float(ratio), degrees=0, fill=_hole_fill(step, fill_value if fill is None else fill), p=p)


@RULES.rule("Erasing")
def _erasing(
    step: Step, scale: Any = (0.02, 0.33), ratio: Any = (0.3, 3.3), fill: Any = 0, fill_mask: Any = None, p: float = 0.5
) -> Transform:
    """``scale`` is ``area``, ``ratio`` is ``aspect``."""
    return Erasing(amount(step, "scale", scale), _log(step, ratio), fill=_hole_fill(step, fill), p=p)


def _log(step: Step, ratio: Any) -> Any:
    found = amount(step, "ratio", ratio)
    return LogUniform(*found) if isinstance(found, tuple) else found
