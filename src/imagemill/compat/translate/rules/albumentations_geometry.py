"""Albumentations' transforms that move pixels; names and defaults of 0.1 to 2.0.8."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES, edge_of
from imagemill.compat.translate.rules.bending import elastic
from imagemill.compat.translate.rules.rule import Step
from imagemill.compat.translate.rules.values import amount, around, is_number, order, scaled, span
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import OneOf, Sequential
from imagemill.transforms.geometric.affine import Affine
from imagemill.transforms.geometric.elastic import Elastic
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.grid_distortion import GridDistortion
from imagemill.transforms.geometric.optical_distortion import OpticalDistortion
from imagemill.transforms.geometric.perspective import Perspective
from imagemill.transforms.geometric.quarter_turn import QuarterTurn
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.transpose import D4, Transpose
from imagemill.transforms.geometric.zoom import Zoom

__all__: list[str] = []
_TALLEST_CORNER = 0.33
_MOST_BENT = 0.6
_SMALLEST = 0.01


def _zoom(step: Step, limit: Any) -> Any:
    """1 and the limit; an image of no size is none."""
    found = scaled(span(step, "scale_limit", limit), 1, plus=1)
    if isinstance(found, tuple) and found[0] < _SMALLEST < found[1]:
        step.note(f"zooms begin at {_SMALLEST}")
        return _SMALLEST, found[1]
    return found


@RULES.rule("HorizontalFlip", "IAAFliplr", "TimeReverse")
def _horizontal_flip(step: Step, p: float = 0.5) -> Transform:
    return Flip("x", p=p)


@RULES.rule("VerticalFlip", "IAAFlipud")
def _vertical_flip(step: Step, p: float = 0.5) -> Transform:
    return Flip("y", p=p)


@RULES.rule("Flip")
def _flip(step: Step, p: float = 0.5) -> Transform:
    """Left and right, up and down, or both, equally likely."""
    return OneOf([Flip("x"), Flip("y"), Sequential([Flip("x"), Flip("y")])], p=p)


@RULES.rule("Transpose")
def _transpose(step: Step, p: float = 0.5) -> Transform:
    return Transpose(p=p)


@RULES.rule("RandomRotate90")
def _random_rotate_90(step: Step, p: float | None = None) -> Transform:
    """Version 1 turns every other image unless told otherwise, version 2 every one."""
    return QuarterTurn(p=(0.5 if step.version == 1 else 1.0) if p is None else p)


@RULES.rule("D4", "SquareSymmetry")
def _d4(step: Step, p: float = 1.0) -> Transform:
    return D4(p=p)


@RULES.rule("Rotate")
def _rotate(
    step: Step,
    limit: Any = (-90, 90),
    interpolation: Any = 1,
    border_mode: Any = None,
    value: Any = None,
    mask_value: Any = None,
    rotate_method: Any = "largest_box",
    crop_border: bool = False,
    mask_interpolation: Any = 0,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """Counter-clockwise for positive degrees, as there."""
    how = edge_of(step, border_mode, value, mask_value, fill, fill_mask)
    kept: Any = "crop" if crop_border else "keep"
    turn: Any = span(step, "limit", limit)
    return Rotate(turn, frame=kept, order=order(step, interpolation), p=p, **how)  # type: ignore[arg-type]


@RULES.rule("SafeRotate")
def _safe_rotate(
    step: Step,
    limit: Any = (-90, 90),
    interpolation: Any = 1,
    border_mode: Any = None,
    value: Any = None,
    mask_value: Any = None,
    rotate_method: Any = "largest_box",
    mask_interpolation: Any = 0,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """The frame is enlarged so that nothing is cut off, and brought back to its size."""
    how = edge_of(step, border_mode, value, mask_value, fill, fill_mask)
    turn: Any = span(step, "limit", limit)
    return Rotate(turn, frame="fit", order=order(step, interpolation), p=p, **how)  # type: ignore[arg-type]


@RULES.rule("ShiftScaleRotate")
def _shift_scale_rotate(
    step: Step,
    shift_limit: Any = (-0.0625, 0.0625),
    scale_limit: Any = (-0.1, 0.1),
    rotate_limit: Any = (-45, 45),
    interpolation: Any = 1,
    border_mode: Any = None,
    value: Any = None,
    mask_value: Any = None,
    shift_limit_x: Any = None,
    shift_limit_y: Any = None,
    rotate_method: Any = "largest_box",
    mask_interpolation: Any = 0,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """One `Affine`: ``scale_limit`` is added to 1 and becomes ``zoom``."""
    both = span(step, "shift_limit", shift_limit)
    x = both if shift_limit_x is None else span(step, "shift_limit_x", shift_limit_x)
    y = both if shift_limit_y is None else span(step, "shift_limit_y", shift_limit_y)
    how = edge_of(step, border_mode, value, mask_value, fill, fill_mask)
    return Affine(
        degrees=span(step, "rotate_limit", rotate_limit),
        zoom=_zoom(step, scale_limit),
        shift=both if x == y == both else {"y": y, "x": x},
        order=order(step, interpolation),  # type: ignore[arg-type]
        p=p,
        **how,
    )


@RULES.rule("Affine", "IAAAffine")
def _affine(
    step: Step,
    scale: Any = None,
    translate_percent: Any = None,
    translate_px: Any = None,
    rotate: Any = None,
    shear: Any = None,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    cval: Any = 0,
    cval_mask: Any = 0,
    mode: Any = None,
    fit_output: bool = False,
    keep_ratio: bool = False,
    rotate_method: Any = "largest_box",
    balanced_scale: bool = False,
    border_mode: Any = None,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> list[Transform]:
    """Scale, turn, shear and shift in the order they have there, as few `Affine` as that takes; one step in all."""
    how = edge_of(step, mode if border_mode is None else border_mode, cval, cval_mask, fill, fill_mask)
    if mode is None and border_mode is None:
        how = edge_of(step, 0, cval, cval_mask, fill, fill_mask)
    if fit_output:
        step.note("fit_output is left out: the frame keeps its size")
    same: dict[str, Any] = {"order": order(step, interpolation), **how}
    zoom: Any = _by_axis(step, "scale", 1.0 if scale is None else scale)
    zoom = zoom["x"] if keep_ratio or (zoom["x"] == zoom["y"] and is_number(zoom["x"])) else zoom
    turn = float(rotate) if is_number(rotate) else amount(step, "rotate", rotate or 0.0)
    lean = {axis: scaled(one, -1) for axis, one in _by_axis(step, "shear", shear or 0.0).items()}
    leans = any(not around(one) for one in lean.values())
    if leans and all(not around(one) for one in lean.values()):
        step.note("rows slide first and columns then; both at once there")
    moved = _by_axis(step, "translate_percent", translate_percent or 0.0)
    made: list[Transform] = []
    if isinstance(zoom, dict) and (leans or not around(turn)):
        made.append(Affine(zoom=zoom, **same))
        zoom = 1.0
    if leans and not around(turn):
        made.append(Affine(degrees=turn, **same))
        turn = 0.0
    made.append(Affine(degrees=turn, zoom=zoom, shear=lean if leans else 0.0, shift=moved, **same))
    if translate_px is not None:
        made.append(Shift(pixels=_by_axis(step, "translate_px", translate_px), **same))
    return made if p == 1 else [Sequential(made, p=p) if len(made) > 1 else dataclasses.replace(made[0], p=p)]


def _by_axis(step: Step, name: str, value: Any) -> dict[str, Any]:
    """One amount for each of ``y`` and ``x``."""
    if not isinstance(value, dict):
        return dict.fromkeys("yx", amount(step, name, value))
    rest = 1.0 if name == "scale" else 0.0
    return {axis: amount(step, f"{name}[{axis!r}]", value.get(axis, rest)) for axis in "yx"}


@RULES.rule("RandomScale")
def _random_scale(
    step: Step,
    scale_limit: Any = (-0.1, 0.1),
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    area_for_downscale: Any = None,
    p: float = 0.5,
) -> Transform:
    """`Zoom` by 1 and ``scale_limit``: the frame keeps its size here, there it grows and shrinks."""
    step.note("the frame keeps its size; a crop or a resize behind it is not needed for that")
    zoom = _zoom(step, scale_limit)
    return Zoom(zoom, order=order(step, interpolation), border="constant", p=p)  # type: ignore[arg-type]


@RULES.rule("Perspective", "IAAPerspective")
def _perspective(
    step: Step,
    scale: Any = (0.05, 0.1),
    keep_size: bool = True,
    pad_mode: Any = None,
    pad_val: Any = 0,
    mask_pad_val: Any = 0,
    fit_output: bool = False,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    border_mode: Any = 0,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """Corners move inwards by uniform amounts of the same mean; there by the absolute value of normal ones."""
    found = scaled(amount(step, "scale", (0.0, scale) if is_number(scale) else scale), math.sqrt(8 / math.pi))
    if not keep_size or fit_output:
        step.note("the frame keeps its size")
    high = found[1] if isinstance(found, tuple) else found
    if high > _TALLEST_CORNER:
        step.note(f"corners move by {_TALLEST_CORNER} of a side at most")
        found = (min(found[0], _TALLEST_CORNER), _TALLEST_CORNER) if isinstance(found, tuple) else _TALLEST_CORNER
    how = edge_of(step, border_mode if pad_mode is None else pad_mode, pad_val, mask_pad_val, fill, fill_mask)
    return Perspective(found, order=order(step, interpolation), p=p, **how)  # type: ignore[arg-type]


@RULES.rule("ElasticTransform")
def _elastic(
    step: Step,
    alpha: Any = 1,
    sigma: Any = 50,
    alpha_affine: Any = None,
    interpolation: Any = 1,
    border_mode: Any = None,
    value: Any = None,
    mask_value: Any = None,
    approximate: bool = False,
    same_dxdy: bool = False,
    mask_interpolation: Any = 0,
    noise_distribution: Any = "gaussian",
    keypoint_remapping_method: Any = "mask",
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> list[Transform]:
    """Smooth displacements by splines on a grid; as strong and as fine as there on images of the known size."""
    bent = elastic(step, alpha, sigma, uniform=noise_distribution == "uniform")
    how = edge_of(step, border_mode, value, mask_value, fill, fill_mask)
    spline: Any = order(step, interpolation)
    made: list[Transform] = [Elastic(**bent, order=spline, **how)]
    if alpha_affine:
        reach = float(alpha_affine) / max(step.sides)
        step.note(f"alpha_affine {alpha_affine} is an Affine of about the same reach")
        degrees = math.degrees(reach)
        made.insert(0, Affine(
            degrees=(-degrees, degrees), zoom=(1 - reach, 1 + reach), shift=(-reach, reach), order=spline, **how
        ))  # fmt: skip
    return [Sequential(made, p=p)] if len(made) > 1 else [Elastic(**bent, order=spline, p=p, **how)]


@RULES.rule("PiecewiseAffine", "IAAPiecewiseAffine")
def _piecewise_affine(
    step: Step,
    scale: Any = (0.03, 0.05),
    nb_rows: Any = 4,
    nb_cols: Any = 4,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    cval: Any = 0,
    cval_mask: Any = 0,
    mode: Any = "constant",
    absolute_scale: bool = False,
    keypoints_threshold: Any = 0.01,
    keypoint_remapping_method: Any = "mask",
    border_mode: Any = 0,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """Smooth displacements on a grid of as many cells, in place of plane triangles."""
    rows, columns = (round(_middle(amount(step, "cells", n))) for n in (nb_rows, nb_cols))
    strength = scaled(amount(step, "scale", scale), 2 * max(rows, columns))
    step.note("the cells bend smoothly here, as planes there")
    low, high = strength if isinstance(strength, tuple) else (strength, strength)
    how = edge_of(step, border_mode, cval, cval_mask, fill, fill_mask)
    cells = (max(rows, 2), max(columns, 2))
    spline: Any = order(step, interpolation)
    return Elastic((min(low, 0.4), min(high, 0.4)), cells=cells, order=spline, p=p, **how)


def _middle(value: float | tuple[float, float]) -> float:
    return sum(value) / 2 if isinstance(value, tuple) else value


@RULES.rule("GridDistortion")
def _grid_distortion(
    step: Step,
    num_steps: int = 5,
    distort_limit: Any = (-0.3, 0.3),
    interpolation: Any = 1,
    border_mode: Any = None,
    value: Any = None,
    mask_value: Any = None,
    normalized: bool = True,
    mask_interpolation: Any = 0,
    keypoint_remapping_method: Any = "mask",
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """Widths of columns and rows are drawn between both limits; here they change smoothly and fill the frame."""
    reach = span(step, "distort_limit", distort_limit)
    strongest = max(abs(one) for one in reach) if isinstance(reach, tuple) else abs(reach)
    how = edge_of(step, border_mode, value, mask_value, fill, fill_mask)
    spline: Any = order(step, interpolation)
    return GridDistortion(min(strongest, 0.9), cells=max(int(num_steps), 2), order=spline, p=p, **how)


@RULES.rule("OpticalDistortion")
def _optical_distortion(
    step: Step,
    distort_limit: Any = (-0.05, 0.05),
    shift_limit: Any = 0,
    interpolation: Any = 1,
    border_mode: Any = None,
    value: Any = None,
    mask_value: Any = None,
    mask_interpolation: Any = 0,
    mode: str = "camera",
    keypoint_remapping_method: Any = "mask",
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """The first radial term, one and a half times as strong, which moves the corners as far as both terms there."""
    if shift_limit not in (0, None, (0, 0)):
        step.note("the centre stays; put Shift behind it")
    if mode != "camera":
        step.note(f"mode {mode!r} is the radial model")
    reach = scaled(span(step, "distort_limit", distort_limit), 1.5)
    low, high = reach if isinstance(reach, tuple) else (reach, reach)
    if max(abs(low), abs(high)) > _MOST_BENT:
        step.note(f"strengths end at {_MOST_BENT}")
    strength = max(low, -_MOST_BENT), min(high, _MOST_BENT)
    how = edge_of(step, border_mode, value, mask_value, fill, fill_mask)
    spline: Any = order(step, interpolation)
    return OpticalDistortion(strength if low < high else strength[0], order=spline, p=p, **how)


@RULES.rule("ThinPlateSpline")
def _thin_plate(
    step: Step,
    scale_range: Any = (0.2, 0.4),
    num_control_points: int = 4,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    keypoint_remapping_method: Any = "mask",
    border_mode: Any = 0,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    """`Elastic` over as many points; displacements are uniform here and normal there."""
    step.note("a B-spline surface over as many points, displaced as far")
    reach = amount(step, "scale_range", scale_range)
    cells = max(int(num_control_points) - 1, 2)
    # Normal displacements of a share of half the side there; cells of the frame here.
    low, high = (min(one / 2 * cells / 10, 0.45) for one in (reach if isinstance(reach, tuple) else (reach, reach)))
    spline: Any = order(step, interpolation)
    return Elastic(
        (low, high), cells=cells, order=spline, p=p, **edge_of(step, border_mode, None, None, fill, fill_mask)
    )
