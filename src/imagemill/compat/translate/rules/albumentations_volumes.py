"""Albumentations' transforms of volumes, and dropout on objects; names and defaults of 2.0."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, fill, is_number
from imagemill.core.errors import InputError
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import Sequential
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.elastic import Elastic
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.quarter_turn import QuarterTurn
from imagemill.transforms.occlusion.coarse_dropout import CoarseDropout

__all__: list[str] = []


def _filled(step: Step, value: Any, mask_value: Any) -> dict[str, Any]:
    return {"fill": fill(step, value), "mask_fill": int(mask_value or 0)}


def _zyx(step: Step, name: str, value: Any) -> tuple[int, ...]:
    if isinstance(value, list | tuple) and len(value) == 3 and all(is_number(one) for one in value):
        return tuple(int(one) for one in value)
    raise InputError(f"{step.shown}: expected {name} as three lengths (depth, height, width), got {value!r}")


@RULES.rule("Pad3D")
def _pad_3d(step: Step, padding: Any, fill: Any = 0, fill_mask: Any = 0, p: float = 1.0) -> Transform:
    """One length, one for each axis, or both sides of each (depth, height, width)."""
    how = _filled(step, fill, fill_mask)
    if is_number(padding):
        return Pad((int(padding),) * 3, p=p, **how)
    if isinstance(padding, list | tuple) and len(padding) == 6:
        listed = [int(one) for one in padding]
        return Pad((*listed[::2], *listed[1::2]), p=p, **how)
    return Pad(_zyx(step, "padding", padding), p=p, **how)


@RULES.rule("PadIfNeeded3D")
def _pad_if_needed_3d(
    step: Step,
    min_zyx: Any = None,
    pad_divisor_zyx: Any = None,
    position: Any = "center",
    fill: Any = 0,
    fill_mask: Any = 0,
    p: float = 1.0,
) -> Transform:
    at: Any = {"center": "centre"}.get(str(position), str(position))
    how: dict[str, Any] = {"at": at, "p": p, **_filled(step, fill, fill_mask)}
    if pad_divisor_zyx is not None:
        return Pad(multiple_of=_zyx(step, "pad_divisor_zyx", pad_divisor_zyx), **how)
    return Pad(size=_zyx(step, "min_zyx", min_zyx), **how)


@RULES.rule("CenterCrop3D", "RandomCrop3D")
def _crop_3d(
    step: Step, size: Any, pad_if_needed: bool = False, fill: Any = 0, fill_mask: Any = 0, p: float = 1.0
) -> Transform | list[Transform]:
    sides = _zyx(step, "size", size)
    crop = Crop(sides, at="random" if step.call.name == "RandomCrop3D" else "centre")
    made: list[Transform] = [Pad(size=sides, **_filled(step, fill, fill_mask)), crop] if pad_if_needed else [crop]
    return made if p == 1 else Sequential(made, p=p)


@RULES.rule("CoarseDropout3D")
def _coarse_dropout_3d(
    step: Step,
    num_holes_range: Any = (1, 1),
    hole_depth_range: Any = (0.1, 0.2),
    hole_height_range: Any = (0.1, 0.2),
    hole_width_range: Any = (0.1, 0.2),
    fill: Any = 0,
    fill_mask: Any = None,
    p: float = 0.5,
) -> Transform:
    given = (hole_depth_range, hole_height_range, hole_width_range)
    sides: Any = {axis: amount(step, "hole sizes", one) for axis, one in zip("zyx", given, strict=True)}
    return CoarseDropout(_count(num_holes_range), sides, p=p, **_hidden(fill, fill_mask))


@RULES.rule("ConstrainedCoarseDropout")
def _constrained(
    step: Step,
    num_holes_range: Any = (1, 1),
    hole_height_range: Any = (0.1, 0.2),
    hole_width_range: Any = (0.1, 0.2),
    fill: Any = 0,
    fill_mask: Any = None,
    mask_indices: Any = None,
    bbox_labels: Any = None,
    p: float = 0.5,
) -> Transform:
    """`CoarseDropout` on objects of the mask, or on boxes."""
    step.note("as many holes in all, each on an object that is drawn; there as many on every object")
    sides: Any = {
        "y": amount(step, "hole_height_range", hole_height_range),
        "x": amount(step, "hole_width_range", hole_width_range),
    }
    how: dict[str, Any] = {"p": p, **_hidden(fill, fill_mask)}
    if mask_indices:
        labels = tuple(int(one) for one in mask_indices if int(one) > 0)
        if not labels:
            raise NoCounterpart("mask_indices of the background alone: objects are what is above 0")
        return CoarseDropout(_count(num_holes_range), sides, where="masks", labels=labels, **how)
    if bbox_labels:
        step.note(f"boxes of all labels count, not {bbox_labels!r} alone")
    return CoarseDropout(_count(num_holes_range), sides, where="boxes", **how)


def _count(value: Any) -> Any:
    few, many = (int(one) for one in value)
    return (few, many) if few < many else few


def _hidden(fill: Any, fill_mask: Any) -> dict[str, Any]:
    if isinstance(fill, str):
        if fill not in ("random", "random_uniform"):
            raise NoCounterpart(f"fill={fill!r}: a value, one for each channel, or random")
        filled: Any = "noise"
    else:
        filled = tuple(float(one) for one in fill) if isinstance(fill, list | tuple) else float(fill)
    return {"fill": filled, "mask_fill": None if fill_mask is None else int(fill_mask)}


@RULES.rule("CubicSymmetry")
def _cubic_symmetry(step: Step, p: float = 1.0) -> Transform:
    """Flips and quarter turns in all three planes: each of the 48 comes up, not all as often."""
    step.note("each of the 48 places of a cube comes up, not all of them as often")
    turns = [QuarterTurn(Choice((0, 1, 2, 3)), plane) for plane in ("yx", "zy", "zx")]
    return Sequential([Flip("x", p=0.5), *turns], p=p)


@RULES.rule("GridElasticDeform")
def _grid_elastic(
    step: Step,
    num_grid_xy: Any,
    magnitude: float,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    p: float = 1.0,
) -> Transform:
    """Corners of the grid move by up to ``magnitude`` pixels there, by shares of a cell here."""
    across, down = (max(int(one), 2) for one in num_grid_xy)
    height, width = step.sides
    share = min(float(magnitude) / min(height / down, width / across), 0.4)
    step.note(f"magnitude {magnitude} is strength {share:.2g} of a cell in {height}x{width} pixels; set it")
    return Elastic((0.0, share), cells=(down, across), p=p)
