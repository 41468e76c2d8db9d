"""MONAI's transforms that move pixels."""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules.monai import AXES, RULES, axes_of, margin, sizes, spline_of
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import around, is_number, scaled, span
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import OneOf, Sequential
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

__all__: list[str] = []


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
    return Resample(spacing=tuple(reversed(values)) if len(values) > 1 else values[0], order=spline_of(step, mode))  # type: ignore[arg-type]


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
    size = sizes(step, "spatial_size", spatial_size)
    return Resample(size if len(size) > 1 else size * 3, order=spline_of(step, mode))  # type: ignore[arg-type]


@RULES.rule("SpatialPad")
def _spatial_pad(
    step: Step, spatial_size: Any, method: Any = "symmetric", mode: Any = "constant", value: Any = 0
) -> Transform:
    return Pad(size=sizes(step, "spatial_size", spatial_size), **margin(step, mode, value))


@RULES.rule("DivisiblePad")
def _divisible_pad(step: Step, k: Any, mode: Any = "constant", method: Any = "symmetric", value: Any = 0) -> Transform:
    return Pad(multiple_of=sizes(step, "k", k), **margin(step, mode, value))


@RULES.rule("CenterSpatialCrop")
def _center_crop(step: Step, roi_size: Any) -> Transform:
    return Crop(sizes(step, "roi_size", roi_size))


@RULES.rule("RandSpatialCrop")
def _rand_crop(
    step: Step, roi_size: Any, max_roi_size: Any = None, random_center: bool = True, random_size: bool = False
) -> Transform:
    """Of a fixed size; a drawn one makes images of many sizes."""
    if random_size:
        step.note("the size is fixed: roi_size")
    return Crop(sizes(step, "roi_size", roi_size), at="random" if random_center else "centre")


@RULES.rule("ResizeWithPadOrCrop")
def _pad_or_crop(
    step: Step, spatial_size: Any, method: Any = "symmetric", mode: Any = "constant", value: Any = 0
) -> Transform:
    size = sizes(step, "spatial_size", spatial_size)
    return CropOrPad(size, **margin(step, mode, value))


@RULES.rule("Flip")
def _flip(step: Step, spatial_axis: Any = None) -> list[Transform]:
    return [Flip(axis) for axis in axes_of(step, spatial_axis, "xyz")]  # type: ignore[arg-type]


@RULES.rule("RandFlip")
def _rand_flip(step: Step, prob: float = 0.1, spatial_axis: Any = None) -> Transform:
    """Axis 0 is x, axis 1 y, axis 2 z."""
    made: list[Transform] = [Flip(axis) for axis in axes_of(step, spatial_axis, "xyz")]  # type: ignore[arg-type]
    return Sequential(made, p=prob) if len(made) > 1 else Flip(axes_of(step, spatial_axis, "xyz"), p=prob)  # type: ignore[arg-type]


@RULES.rule("RandAxisFlip")
def _rand_axis_flip(step: Step, prob: float = 0.1) -> Transform:
    return OneOf([Flip("x"), Flip("y"), Flip("z")], p=prob)


@RULES.rule("RandRotate90")
def _rand_rotate_90(step: Step, prob: float = 0.1, max_k: int = 3, spatial_axes: Any = (0, 1)) -> Transform:
    """One to ``max_k`` quarter turns, equally likely."""
    return QuarterTurn(Choice(tuple(range(1, int(max_k) + 1))), _plane(step, spatial_axes), p=prob)


def _plane(step: Step, axes: Any) -> Any:
    """A plane in array order."""
    found = "".join(sorted(axes_of(step, axes), reverse=True))
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
    how = {"order": spline_of(step, mode), **margin(step, padding_mode)}
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
    return Zoom((float(low), float(high)), order=spline_of(step, mode), p=prob, **margin(step, padding_mode))  # type: ignore[arg-type]


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
    how: dict[str, Any] = {"order": spline_of(step, mode), **margin(step, padding_mode)}
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
        made.append(Crop(sizes(step, "spatial_size", spatial_size)))
    return Sequential(made or [Affine()], p=prob)


def _ranges(step: Step, name: str, value: Any) -> dict[str, Any]:
    """An amount for each axis that is named: x first."""
    if value is None:
        return {}
    listed = list(value) if isinstance(value, list | tuple) else [value]
    return {axis: span(step, name, one) for axis, one in zip(AXES, listed, strict=False)}


@RULES.rule("Rand2DElastic", "Rand3DElastic")
def _elastic(
    step: Step, *_: Any, prob: float = 0.1, mode: Any = "bilinear", padding_mode: Any = "reflection", **__: Any
) -> Transform:
    """Smooth displacements on a grid of the usual strength; ``sigma`` and ``magnitude`` are not translated."""
    step.note("strength and cells are the usual ones of Elastic; set them")
    return Elastic(order=spline_of(step, mode), p=prob, **margin(step, padding_mode))  # type: ignore[arg-type]


@RULES.rule("Orientation")
def _orientation(step: Step, axcodes: Any = "RAS", as_closest_canonical: bool = False, labels: Any = None) -> Transform:
    return Orient("RAS" if as_closest_canonical else str(axcodes))
