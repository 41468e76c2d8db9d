"""MONAI's transforms that move pixels."""

from __future__ import annotations

import math
from typing import Any

from imagemill.compat.translate.rules.bending import elastic
from imagemill.compat.translate.rules.monai import AXES, RULES, axes_of, first, margin, sizes, spline_of
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, around, is_number, scaled, span
from imagemill.core.errors import InputError
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import OneOf, Sequential
from imagemill.transforms.geometric.affine import Affine
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.crop_and_pad import CropAndPad
from imagemill.transforms.geometric.crop_or_pad import CropOrPad
from imagemill.transforms.geometric.elastic import Elastic
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.grid_distortion import GridDistortion
from imagemill.transforms.geometric.orient import Orient
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.quarter_turn import QuarterTurn
from imagemill.transforms.geometric.resample import Resample
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.shortest_side import LongestSide
from imagemill.transforms.geometric.zoom import Zoom

__all__: list[str] = []
_ROUND = 360.0
_MOST_BENT = 0.4
"""Of a cell, by which nothing folds."""
_TURNS: Any = (("x", "zy", 1), ("y", "zx", -1), ("z", "yx", 1))
"""Axis, plane in array order, and the sign of turns there, in the order in which they are run."""


@RULES.rule("Spacing")
def _spacing(
    step: Step,
    pixdim: Any,
    diagonal: bool = False,
    mode: Any = "bilinear",
    padding_mode: Any = "border",
    scale_extent: Any = False,
) -> Transform:
    """`Resample` to a spacing, without an average over what is left out; label maps by nearest."""
    values = [float(one) for one in (pixdim if isinstance(pixdim, list | tuple) else [pixdim])]
    return Resample(
        spacing=tuple(reversed(values)) if len(values) > 1 else values[0], order=spline_of(step, mode), antialias=False
    )


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
        return LongestSide(
            int(spatial_size[0] if isinstance(spatial_size, list | tuple) else spatial_size),
            order=spline_of(step, mode),
        )
    how = first(step, mode)
    smooth = bool(anti_aliasing) or str(getattr(how, "value", how)) == "area"
    return Resample(sizes(step, "spatial_size", spatial_size), order=spline_of(step, mode), antialias=smooth)


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
    """An odd length in an even one, or the other way, begins one pixel earlier here."""
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


@RULES.rule("Flip", "FlipBox")
def _flip(step: Step, spatial_axis: Any = None) -> list[Transform]:
    return [Flip(axis) for axis in axes_of(step, spatial_axis, "xyz")]  # type: ignore[arg-type]


@RULES.rule("RandFlip", "RandFlipBox")
def _rand_flip(step: Step, prob: float = 0.1, spatial_axis: Any = None) -> Transform:
    """Axis 0 is x, axis 1 y, axis 2 z."""
    made: list[Transform] = [Flip(axis) for axis in axes_of(step, spatial_axis, "xyz")]  # type: ignore[arg-type]
    return Sequential(made, p=prob) if len(made) > 1 else Flip(axes_of(step, spatial_axis, "xyz"), p=prob)  # type: ignore[arg-type]


@RULES.rule("RandAxisFlip")
def _rand_axis_flip(step: Step, prob: float = 0.1) -> Transform:
    return OneOf([Flip("x"), Flip("y"), Flip("z")], p=prob)


@RULES.rule("RandRotate90", "RandRotateBox90")
def _rand_rotate_90(step: Step, prob: float = 0.1, max_k: int = 3, spatial_axes: Any = (0, 1)) -> Transform:
    """One to ``max_k`` quarter turns from the first axis to the second, equally likely."""
    plane, sign = _plane(step, spatial_axes)
    return QuarterTurn(Choice(tuple(sorted(sign * k % 4 for k in range(1, int(max_k) + 1)))), plane, p=prob)


def _plane(step: Step, axes: Any) -> tuple[Any, int]:
    """A plane in array order, and the sign of turns in it: from x to y there, from y to x here."""
    named = axes_of(step, axes)
    return "".join(sorted(named, reverse=True)), -1 if named == "".join(sorted(named)) else 1


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
    spans = {axis: _degrees(step, span(step, f"range_{axis}", one)) for axis, one in given.items()}
    if around(spans["y"]) and around(spans["z"]):
        step.note("with range_x alone it turns in the plane of images; for volumes about x set plane='zy'")
        return Rotate(spans["x"], p=prob, **how)
    made = [
        Rotate(scaled(spans[axis], sign), plane=plane, **how) for axis, plane, sign in _TURNS if not around(spans[axis])
    ]
    return Sequential(made, p=prob)


def _degrees(step: Step, radians: Any) -> Any:
    """In degrees; what goes round more than once is any angle."""
    found = scaled(radians, 180 / math.pi)
    if isinstance(found, tuple) and found[1] - found[0] >= _ROUND:
        step.note(f"{radians} radians are any angle")
        return (-_ROUND / 2, _ROUND / 2)
    return found if isinstance(found, tuple) else math.remainder(found, _ROUND)


@RULES.rule("RandZoom", "RandZoomBox")
def _rand_zoom(
    step: Step,
    prob: float = 0.1,
    min_zoom: Any = 0.9,
    max_zoom: Any = 1.1,
    mode: Any = "area",
    padding_mode: Any = "edge",
    keep_size: bool = True,
) -> Transform:
    """The image is brought to a whole number of pixels there and cut; here the zoom is exact."""
    if not keep_size:
        step.note("the frame keeps its size")
    return Zoom(_zooms(step, min_zoom, max_zoom), order=spline_of(step, mode), p=prob, **margin(step, padding_mode))


def _zooms(step: Step, least: Any, most: Any) -> Any:
    """One range for all axes, or one for each, x first."""
    pairs = [one if isinstance(one, list | tuple) else [one] for one in (least, most)]
    if max(len(one) for one in pairs) == 1:
        return amount(step, "zoom", (pairs[0][0], pairs[1][0]))
    count = max(len(one) for one in pairs)
    lows, highs = (list(one) * (count if len(one) == 1 else 1) for one in pairs)
    return {axis: amount(step, "zoom", both) for axis, *both in zip(AXES, lows, highs, strict=False)}


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
) -> list[Transform]:
    """Radians there, degrees here. Scales and shifts there are those of the grid that looks into the image.

    So a scale above 1 shrinks what is seen, and a shift moves it the other way; both are turned round here.
    """
    how: dict[str, Any] = {"order": spline_of(step, mode), **margin(step, padding_mode)}
    made = _affine_parts(step, how, rotate_range, shear_range, translate_range, scale_range)
    return [Sequential(made or [Affine()], p=prob), *_framed(step, spatial_size, padding_mode)]


def _framed(step: Step, size: Any, padding_mode: Any) -> list[Transform]:
    """The size that every image has then, chosen or not."""
    if size is None or (is_number(size) and size < 0):
        return []
    return [CropOrPad(sizes(step, "spatial_size", size), **margin(step, padding_mode))]


def _affine_parts(
    step: Step, how: dict[str, Any], rotate: Any, shear: Any, translate: Any, scale: Any
) -> list[Transform]:
    """A turn, a shift and a zoom, of those that are asked for."""
    made: list[Transform] = []
    if any(not around(one) for one in _ranges(step, "shear_range", shear).values()):
        step.note("shears are left out")
    turns = _ranges(step, "rotate_range", rotate)
    for axis, plane, sign in _TURNS if len(turns) > 1 else (("x", "yx", 1),):
        if not around(turn := turns.get(axis, 0.0)):
            made.append(Rotate(scaled(_degrees(step, turn), sign), plane=plane, **how))  # type: ignore[arg-type]
    moves = _ranges(step, "translate_range", translate)
    if any(not around(one) for one in moves.values()):
        made.append(Shift(pixels={axis: scaled(one, -1) for axis, one in moves.items()}, **how))
    scales = _ranges(step, "scale_range", scale)
    if any(not around(one) for one in scales.values()):
        made.append(Zoom({axis: _pulled(one) for axis, one in scales.items()}, **how))
    return made


def _pulled(scale: Any) -> Any:
    """What is 1.25 of the grid there magnifies by 0.8 here."""
    found = scaled(scale, 1, plus=1)
    low, high = found if isinstance(found, tuple) else (found, found)
    if low <= 0:
        raise InputError(f"expected a scale_range above -1, got {scale!r}")
    return (1 / high, 1 / low) if low < high else 1 / low


def _ranges(step: Step, name: str, value: Any) -> dict[str, Any]:
    """An amount for each axis that is named: x first."""
    if value is None:
        return {}
    listed = list(value) if isinstance(value, list | tuple) else [value]
    return {axis: span(step, name, 0 if one is None else one) for axis, one in zip(AXES, listed, strict=False)}


@RULES.rule("Rand2DElastic")
def _elastic_of_pictures(
    step: Step,
    spacing: Any,
    magnitude_range: Any,
    prob: float = 0.1,
    rotate_range: Any = None,
    shear_range: Any = None,
    translate_range: Any = None,
    scale_range: Any = None,
    spatial_size: Any = None,
    mode: Any = "bilinear",
    padding_mode: Any = "reflection",
) -> list[Transform]:
    """`Elastic` with cells of ``spacing`` pixels on images of the known size, displaced as far; then the rest of it."""
    how: dict[str, Any] = {"order": spline_of(step, mode), **margin(step, padding_mode)}
    lengths = [float(one) for one in reversed(spacing if isinstance(spacing, list | tuple) else [spacing] * 2)]
    cells = tuple(min(max(round(n / one), 2), 32) for n, one in zip(step.sides, lengths, strict=True))
    strength = _at_most(step, scaled(amount(step, "magnitude_range", magnitude_range), 1 / min(lengths)))
    step.note(f"{cells} cells, of images of {step.sides[0]}x{step.sides[1]} pixels; set them for others")
    made = _affine_parts(step, how, rotate_range, shear_range, translate_range, scale_range)
    one: Any = cells[0] if len(set(cells)) == 1 else cells
    bent = Sequential([Elastic(strength, cells=one, **how), *made], p=prob)
    return [bent, *_framed(step, spatial_size, padding_mode)]


@RULES.rule("Rand3DElastic")
def _elastic_of_volumes(
    step: Step,
    sigma_range: Any,
    magnitude_range: Any,
    prob: float = 0.1,
    rotate_range: Any = None,
    shear_range: Any = None,
    translate_range: Any = None,
    scale_range: Any = None,
    spatial_size: Any = None,
    mode: Any = "bilinear",
    padding_mode: Any = "reflection",
) -> list[Transform]:
    """`Elastic`, as strong and as fine as smoothed noise is there on volumes of the known size; then the rest of it."""
    how: dict[str, Any] = {"order": spline_of(step, mode), **margin(step, padding_mode)}
    sigma = [float(one) for one in (sigma_range if isinstance(sigma_range, list | tuple) else [sigma_range])]
    bent = elastic(step, magnitude_range, sum(sigma) / len(sigma), uniform=True, axes=3)
    made = _affine_parts(step, how, rotate_range, shear_range, translate_range, scale_range)
    return [Sequential([Elastic(**bent, **how), *made], p=prob), *_framed(step, spatial_size, padding_mode)]


def _at_most(step: Step, strength: Any) -> Any:
    """A strength that folds nothing."""
    high = strength[1] if isinstance(strength, tuple) else strength
    if high <= _MOST_BENT:
        return strength
    step.note(f"displacements end at {_MOST_BENT} of a cell")
    return (min(strength[0], _MOST_BENT), _MOST_BENT) if isinstance(strength, tuple) else _MOST_BENT


@RULES.rule("RandSmoothDeform")
def _smooth_deform(
    step: Step,
    spatial_size: Any,
    rand_size: Any,
    pad: int = 0,
    field_mode: Any = "area",
    prob: float = 0.1,
    def_range: Any = 1.0,
    grid_dtype: Any = None,
    grid_mode: Any = "nearest",
    grid_padding_mode: Any = "border",
) -> Transform:
    """`Elastic` with as many cells, displaced by up to the same share of half of the image."""
    cells = tuple(max(one, 2) for one in sizes(step, "rand_size", rand_size))
    reach = max(abs(one) for one in (def_range if isinstance(def_range, list | tuple) else [def_range]))
    strength = _at_most(step, float(reach) / 2 * min(cells))
    return Elastic(strength, cells=cells, order=spline_of(step, grid_mode), p=prob, **margin(step, grid_padding_mode))


@RULES.rule("Orientation")
def _orientation(step: Step, axcodes: Any = "RAS", as_closest_canonical: bool = False, labels: Any = None) -> Transform:
    return Orient("RAS" if as_closest_canonical else str(axcodes))


@RULES.rule("Rotate90", "RotateBox90")
def _rotate_90(step: Step, k: int = 1, spatial_axes: Any = (0, 1)) -> Transform:
    """From the first axis to the second."""
    plane, sign = _plane(step, spatial_axes)
    times = sign * int(k) % 4
    return QuarterTurn(times, plane) if times else Flip("x", p=0)


@RULES.rule("Rotate")
def _rotate(
    step: Step, angle: Any, keep_size: bool = True, mode: Any = "bilinear", padding_mode: Any = "border"
) -> list[Transform]:
    """Radians there, degrees here; one angle turns in the plane, three about x, y and z."""
    how = {"order": spline_of(step, mode), **margin(step, padding_mode)}
    if not keep_size:
        step.note("the frame keeps its size")
    if is_number(angle):
        return [Rotate(math.degrees(angle), **how)]
    return [
        Rotate(sign * math.degrees(one), plane=plane, **how)
        for one, (_, plane, sign) in zip(angle, _TURNS, strict=False)
        if one
    ]


@RULES.rule("Zoom", "ZoomBox")
def _zoom(step: Step, zoom: Any, mode: Any = "area", padding_mode: Any = "edge", keep_size: bool = True) -> Transform:
    """The image is brought to a whole number of pixels there and cut; here the zoom is exact."""
    if not keep_size:
        step.note("the frame keeps its size")
    factors: Any = float(zoom) if is_number(zoom) else {axis: float(one) for axis, one in zip(AXES, zoom, strict=False)}
    return Zoom(factors, order=spline_of(step, mode), **margin(step, padding_mode))


@RULES.rule("BorderPad")
def _border_pad(step: Step, spatial_border: Any, mode: Any = "constant", value: Any = 0) -> Transform:
    """One length, one for each axis, or two for each axis, x first."""
    how = margin(step, mode, value)
    if is_number(spatial_border):
        return Pad(int(spatial_border), **how)
    listed = [int(one) for one in spatial_border]
    if len(listed) in (4, 6):
        below, above = listed[::2], listed[1::2]
        return Pad((*reversed(below), *reversed(above)), **how)
    return Pad(tuple(reversed(listed)) if len(listed) > 1 else listed[0], **how)


@RULES.rule("SpatialCrop")
def _spatial_crop(
    step: Step,
    roi_center: Any = None,
    roi_size: Any = None,
    roi_start: Any = None,
    roi_end: Any = None,
    roi_slices: Any = None,
) -> Transform:
    """From the first pixel to the one after the last."""
    if roi_center is not None and roi_size is not None:
        roi_start = [int(c) - int(s) // 2 for c, s in zip(roi_center, roi_size, strict=True)]
        roi_end = [start + int(s) for start, s in zip(roi_start, roi_size, strict=True)]
    if roi_start is None or roi_end is None:
        raise NoCounterpart("roi_slices: write Crop(box=...)")
    start, end = ([max(int(one), 0) for one in reversed(list(ends))] for ends in (roi_start, roi_end))
    return Crop(box=(*start, *end))


@RULES.rule("RandGridDistortion")
def _rand_grid_distortion(
    step: Step,
    num_cells: Any = 5,
    prob: float = 0.1,
    distort_limit: Any = (-0.03, 0.03),
    mode: Any = "bilinear",
    padding_mode: Any = "border",
) -> Transform:
    """Widths of cells change smoothly here, and fill the frame."""
    cells = num_cells if is_number(num_cells) else max(num_cells)
    reach = span(step, "distort_limit", distort_limit)
    strongest = max(abs(one) for one in (reach if isinstance(reach, tuple) else (reach,)))
    how: dict[str, Any] = {"order": spline_of(step, mode), **margin(step, padding_mode)}
    return GridDistortion(min(strongest, 0.9), cells=max(int(cells), 2), p=prob, **how)


@RULES.rule("Affine")
def _affine(
    step: Step,
    rotate_params: Any = None,
    shear_params: Any = None,
    translate_params: Any = None,
    scale_params: Any = None,
    affine: Any = None,
    spatial_size: Any = None,
    mode: Any = "bilinear",
    padding_mode: Any = "reflection",
    normalized: bool = False,
) -> list[Transform]:
    """``RandAffine`` with amounts that are not drawn."""
    if affine is not None:
        raise NoCounterpart("a matrix: write Affine with degrees, zoom and shift")
    fixed = [
        None if value is None else [(one, one) for one in (value if isinstance(value, list | tuple) else [value])]
        for value in (rotate_params, shear_params, translate_params)
    ]
    factors = (
        None if scale_params is None else scale_params if isinstance(scale_params, list | tuple) else [scale_params]
    )
    scale = None if factors is None else [(float(one) - 1, float(one) - 1) for one in factors]
    made: Any = _rand_affine(step, 1.0, *fixed, scale, spatial_size, mode, padding_mode)
    return list(made)


@RULES.rule("CenterScaleCrop")
def _centre_scale_crop(step: Step, roi_scale: Any) -> Transform:
    """`CropAndPad` inward by the same share on both sides of each axis, to whole pixels."""
    listed = [float(roi_scale)] * len(AXES) if is_number(roi_scale) else [float(one) for one in roi_scale]
    step.note("amounts name z, for volumes" if len(listed) == len(AXES) else "amounts are for the axes that are named")
    inward: Any = {axis: -(1 - one) / 2 for axis, one in zip(AXES, listed, strict=False) if 0 < one < 1}
    amounts: Any = inward or 0
    return CropAndPad(amounts, amounts, keep_size=False)
