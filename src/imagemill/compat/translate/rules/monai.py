"""MONAI's transforms, of arrays and of dictionaries. Source: its documentation and its behaviour.

MONAI's spatial axes are those of its readers: x first. Sizes, axes and amounts by axis are turned round, so that they
are in array order here (z, y, x).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from imagemill.compat.translate.calls import Call
from imagemill.compat.translate.rules.choosing import all_of, one_of, some_of
from imagemill.compat.translate.rules.rule import NoCounterpart, Rules, Step
from imagemill.compat.translate.rules.values import amount, around, border, is_number, order, scaled, span
from imagemill.core.errors import InputError
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.clip_percentiles import ClipPercentiles
from imagemill.transforms.colour.gain_offset import GainOffset
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.standardize import Standardize
from imagemill.transforms.colour.window import Window
from imagemill.transforms.combine import OneOf, Sequential
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.filter.unsharp_mask import UnsharpMask
from imagemill.transforms.geometric.affine import Affine
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.crop_or_pad import CropOrPad
from imagemill.transforms.geometric.elastic import Elastic
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.orient import Orient
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.quarter_turn import QuarterTurn
from imagemill.transforms.geometric.resample import Resample
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.zoom import Zoom
from imagemill.transforms.noise.gaussian_noise import GaussianNoise
from imagemill.transforms.occlusion.coarse_dropout import CoarseDropout

__all__ = ["RULES"]

_AXES = "xyz"
_DICTIONARY = ("d", "D", "Dict")
_FEWEST = 1e-3


class _Monai(Rules):
    """Names of transforms of dictionaries are those of arrays with a letter behind, and begin with their keys."""

    def named(self, call: Call) -> Call:
        """The call of the transform of arrays."""
        for tail in _DICTIONARY:
            plain = call.name.removesuffix(tail)
            if plain != call.name and (plain in self.by_name or plain in self.absent):
                given = {name: value for name, value in call.given.items() if name != "keys"}
                placed = call.positional if "keys" in call.given else call.positional[1:]
                return Call(plain, given, placed, call.where)
        return call


RULES = _Monai(
    "monai",
    ignored=(
        "allow_missing_keys", "dtype", "device", "lazy", "align_corners", "track_meta", "image_only", "meta_keys",
        "meta_key_postfix", "recompute_affine", "map_items", "unpack_items", "log_stats", "overrides", "min_zoom_axes",
    ),
)  # fmt: skip


def _first(step: Step, value: Any) -> Any:
    """The value of the image, where each key has one of its own."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], str):
        return value[0]
    return value


def _order(step: Step, mode: Any) -> int:
    mode = _first(step, mode)
    return mode if mode in (0, 1, 3, 5) and not isinstance(mode, bool) else order(step, mode)


def _turned(value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(reversed(tuple(value)))


def _whole(step: Step, name: str, value: Any) -> tuple[int, ...]:
    """A size in array order."""
    if is_number(value):
        return (int(value),)
    if isinstance(value, list | tuple) and value and all(is_number(one) for one in value):
        if any(one <= 0 for one in value):
            raise NoCounterpart(
                f"{name}={tuple(value)}: lengths that stay as they are (-1) beside others are not built"
            )
        return tuple(int(one) for one in _turned(value))
    raise InputError(f"{step.shown}: expected {name} as whole numbers, got {value!r}")


def _axes(step: Step, axis: Any, every: str = "xy") -> str:
    """Names of axes from their numbers; those of a plane where none is given."""
    numbers = range(len(every)) if axis is None else [axis] if is_number(axis) else list(axis)
    if any(not isinstance(one, int) or not -3 <= one < 3 for one in numbers):
        raise InputError(f"{step.shown}: expected axes of 0, 1 and 2, got {axis!r}")
    return "".join(_AXES[one] for one in numbers)


@RULES.rule("Compose")
def _compose(step: Step, transforms: Any = (), map_items: Any = True, lazy: Any = None) -> list[Transform]:
    """A `Pipeline`; keys are left out, as targets have names of their own."""
    return all_of(step, transforms)


@RULES.rule("OneOf", "RandomOrder")
def _one_of(step: Step, transforms: Any, weights: Any = None, map_items: Any = True) -> list[Transform]:
    if step.call.name == "RandomOrder":
        step.note("all of them run, in the order in which they are listed")
        return all_of(step, transforms)
    return one_of(step, transforms, 1.0, weights=weights)


@RULES.rule("SomeOf")
def _some_of(
    step: Step,
    transforms: Any,
    map_items: Any = True,
    num_transforms: Any = None,
    replace: bool = False,
    weights: Any = None,
) -> list[Transform]:
    if weights is not None or replace:
        step.note("each is as likely as another, and none is drawn twice")
    count = len(transforms) if num_transforms is None else num_transforms
    return some_of(step, transforms, count if isinstance(count, int) else tuple(count))


@RULES.rule(
    "LoadImage", "EnsureChannelFirst", "AddChannel", "AsChannelFirst", "EnsureType", "ToTensor", "ToNumpy",
    "CastToType", "Identity", "SelectItems", "DeleteItems", "CopyItems", "ConcatItems", "ToDevice", "SqueezeDim",
    "SimulateDelay", "AsDiscrete", "Activations", "ToPIL",
)  # fmt: skip
def _identity(step: Step, *_: Any, **__: Any) -> list[Transform]:
    """Nothing to do: reading, channels and tensors are the Dataset's and the Loader's."""
    return []


@RULES.rule("Spacing")
def _spacing(
    step: Step,
    pixdim: Any,
    diagonal: bool = False,
    mode: Any = "bilinear",
    padding_mode: Any = "border",
    scale_extent: Any = False,
) -> Transform:
    """`Resample` to a spacing; label maps by nearest, as ``mode`` says there."""
    values = [float(one) for one in (pixdim if isinstance(pixdim, list | tuple) else [pixdim])]
    return Resample(spacing=tuple(reversed(values)) if len(values) > 1 else values[0], order=_order(step, mode))  # type: ignore[arg-type]


@RULES.rule("Resize")
def _resize(
    step: Step,
    spatial_size: Any,
    size_mode: str = "all",
    mode: Any = "area",
    anti_aliasing: Any = False,
    anti_aliasing_sigma: Any = None,
) -> Transform:
    if size_mode != "all":
        raise NoCounterpart("size_mode='longest' is LongestSide here; write it")
    size = _whole(step, "spatial_size", spatial_size)
    return Resample(size if len(size) > 1 else size * 3, order=_order(step, mode))  # type: ignore[arg-type]


@RULES.rule("SpatialPad")
def _spatial_pad(
    step: Step, spatial_size: Any, method: Any = "symmetric", mode: Any = "constant", value: Any = 0
) -> Transform:
    return Pad(size=_whole(step, "spatial_size", spatial_size), **_margin(step, mode, value))


@RULES.rule("DivisiblePad")
def _divisible_pad(step: Step, k: Any, mode: Any = "constant", method: Any = "symmetric", value: Any = 0) -> Transform:
    return Pad(multiple_of=_whole(step, "k", k), **_margin(step, mode, value))


def _margin(step: Step, mode: Any, value: Any = 0) -> dict[str, Any]:
    found = border(step, _first(step, mode))
    return {"border": found, "fill": float(value or 0)} if found == "constant" else {"border": found}


@RULES.rule("CenterSpatialCrop")
def _center_crop(step: Step, roi_size: Any) -> Transform:
    return Crop(_whole(step, "roi_size", roi_size))


@RULES.rule("RandSpatialCrop")
def _rand_crop(
    step: Step, roi_size: Any, max_roi_size: Any = None, random_center: bool = True, random_size: bool = False
) -> Transform:
    """Of a fixed size; a drawn one makes images of many sizes."""
    if random_size:
        step.note("the size is fixed: roi_size")
    return Crop(_whole(step, "roi_size", roi_size), at="random" if random_center else "centre")


@RULES.rule("ResizeWithPadOrCrop")
def _pad_or_crop(
    step: Step, spatial_size: Any, method: Any = "symmetric", mode: Any = "constant", value: Any = 0
) -> Transform:
    size = _whole(step, "spatial_size", spatial_size)
    return CropOrPad(size, **_margin(step, mode, value))


@RULES.rule("Flip")
def _flip(step: Step, spatial_axis: Any = None) -> list[Transform]:
    return [Flip(axis) for axis in _axes(step, spatial_axis, "xyz")]  # type: ignore[arg-type]


@RULES.rule("RandFlip")
def _rand_flip(step: Step, prob: float = 0.1, spatial_axis: Any = None) -> Transform:
    """Axis 0 is x, axis 1 y, axis 2 z."""
    made: list[Transform] = [Flip(axis) for axis in _axes(step, spatial_axis, "xyz")]  # type: ignore[arg-type]
    return Sequential(made, p=prob) if len(made) > 1 else Flip(_axes(step, spatial_axis, "xyz"), p=prob)  # type: ignore[arg-type]


@RULES.rule("RandAxisFlip")
def _rand_axis_flip(step: Step, prob: float = 0.1) -> Transform:
    return OneOf([Flip("x"), Flip("y"), Flip("z")], p=prob)


@RULES.rule("RandRotate90")
def _rand_rotate_90(step: Step, prob: float = 0.1, max_k: int = 3, spatial_axes: Any = (0, 1)) -> Transform:
    """One to ``max_k`` quarter turns, equally likely."""
    return QuarterTurn(Choice(tuple(range(1, int(max_k) + 1))), _plane(step, spatial_axes), p=prob)


def _plane(step: Step, axes: Any) -> Any:
    """A plane in array order."""
    found = "".join(sorted(_axes(step, axes), reverse=True))
    return {"yx": "yx", "zy": "zy", "zx": "zx"}[found]


@RULES.rule("RandRotate")
def _rand_rotate(
    step: Step,
    range_x: Any = 0.0,
    range_y: Any = 0.0,
    range_z: Any = 0.0,
    prob: float = 0.1,
    keep_size: bool = True,
    mode: Any = "bilinear",
    padding_mode: Any = "border",
) -> Transform:
    """Radians there, degrees here. Of images, ``range_x`` turns in their plane; of volumes, about that axis."""
    how = {"order": _order(step, mode), **_margin(step, padding_mode)}
    given = {"x": range_x, "y": range_y, "z": range_z}
    spans = {axis: scaled(span(step, f"range_{axis}", one), 180 / math.pi) for axis, one in given.items()}
    if around(spans["y"]) and around(spans["z"]):
        step.note("with range_x alone it turns in the plane of images; for volumes about x set plane='zy'")
        return Rotate(spans["x"], p=prob, **how)
    planes = {"x": "zy", "y": "zx", "z": "yx"}
    made = [Rotate(spans[axis], plane=planes[axis], **how) for axis in "xyz" if not around(spans[axis])]  # type: ignore[arg-type]
    return Sequential(made, p=prob)


@RULES.rule("RandZoom")
def _rand_zoom(
    step: Step,
    prob: float = 0.1,
    min_zoom: Any = 0.9,
    max_zoom: Any = 1.1,
    mode: Any = "area",
    padding_mode: Any = "edge",
    keep_size: bool = True,
) -> Transform:
    low, high = (one[0] if isinstance(one, list | tuple) else one for one in (min_zoom, max_zoom))
    if not keep_size:
        step.note("the frame keeps its size")
    return Zoom((float(low), float(high)), order=_order(step, mode), p=prob, **_margin(step, padding_mode))  # type: ignore[arg-type]


@RULES.rule("RandAffine")
def _rand_affine(
    step: Step,
    prob: float = 0.1,
    rotate_range: Any = None,
    shear_range: Any = None,
    translate_range: Any = None,
    scale_range: Any = None,
    spatial_size: Any = None,
    mode: Any = "bilinear",
    padding_mode: Any = "reflection",
    cache_grid: Any = False,
) -> Transform:
    """Radians there, degrees here; ``scale_range`` is added to 1; ``translate_range`` is in pixels."""
    how: dict[str, Any] = {"order": _order(step, mode), **_margin(step, padding_mode)}
    made: list[Transform] = []
    if shear_range:
        step.note("shears are left out")
    turns = _ranges(step, "rotate_range", rotate_range)
    planes = {"x": "zy", "y": "zx", "z": "yx"} if len(turns) > 1 else {"x": "yx"}
    for axis, turn in turns.items():
        if not around(turn):
            made.append(Rotate(scaled(turn, 180 / math.pi), plane=planes[axis], **how))  # type: ignore[arg-type]
    scales = _ranges(step, "scale_range", scale_range)
    if any(not around(one) for one in scales.values()):
        made.append(Zoom({axis: scaled(one, 1, plus=1) for axis, one in scales.items()}, **how))
    moves = _ranges(step, "translate_range", translate_range)
    if any(not around(one) for one in moves.values()):
        made.append(Shift(pixels=dict(moves), **how))
    if spatial_size is not None and not (is_number(spatial_size) and spatial_size < 0):
        made.append(Crop(_whole(step, "spatial_size", spatial_size)))
    return Sequential(made or [Affine()], p=prob)


def _ranges(step: Step, name: str, value: Any) -> dict[str, Any]:
    """An amount for each axis that is named: x first."""
    if value is None:
        return {}
    listed = list(value) if isinstance(value, list | tuple) else [value]
    return {axis: span(step, name, one) for axis, one in zip(_AXES, listed, strict=False)}


@RULES.rule("Rand2DElastic", "Rand3DElastic")
def _elastic(
    step: Step, *_: Any, prob: float = 0.1, mode: Any = "bilinear", padding_mode: Any = "reflection", **__: Any
) -> Transform:
    """Smooth displacements on a grid of the usual strength; ``sigma`` and ``magnitude`` are not translated."""
    step.note("strength and cells are the usual ones of Elastic; set them")
    return Elastic(order=_order(step, mode), p=prob, **_margin(step, padding_mode))  # type: ignore[arg-type]


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


@RULES.rule("Orientation")
def _orientation(step: Step, axcodes: Any = "RAS", as_closest_canonical: bool = False, labels: Any = None) -> Transform:
    return Orient("RAS" if as_closest_canonical else str(axcodes))


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
    return {axis: amount(step, name, one) for axis, one in reversed(list(zip(_AXES, values, strict=False)))}


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
    sides = _whole(step, "spatial_size", spatial_size)
    side = max(step.sides)
    step.note(f"holes of {sides} pixels are shares of {side}; set size for others")
    size = {axis: min(length / side, 1.0) for axis, length in zip("zyx"[-len(sides) :], sides, strict=True)}
    count = holes if max_holes is None else (int(holes), int(max_holes))
    return CoarseDropout(count, size=size if len(sides) > 1 else sides[0] / side, fill=float(fill_value or 0), p=prob)


RULES.without("it has to be run to be known; put imagemill.Apply(function) in its place", "Lambda", "RandLambda")
RULES.without("several patches of one volume come from a sampler, not from a transform", "RandCropByPosNegLabel",
              "RandCropByLabelClasses", "RandSpatialCropSamples", "RandWeightedCrop")  # fmt: skip
RULES.without("it is not built", "CropForeground", "RandHistogramShift", "RandKSpaceSpikeNoise", "RandGibbsNoise",
              "RandGridDistortion", "RandSimulateLowResolution", "RandRicianNoise", "RandBiasField")  # fmt: skip
