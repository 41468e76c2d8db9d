"""Albumentations' crops, margins and sizes; names and defaults of 0.1 to 2.0.8."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES, edge_of
from imagemill.compat.translate.rules.choosing import together
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, is_number, order, shape
from imagemill.core.errors import InputError
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import OneOf, Sequential
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.random_resized_crop import RandomResizedCrop
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.geometric.shortest_side import LongestSide, ShortestSide

__all__: list[str] = []


@RULES.rule("Resize")
def _resize(
    step: Step,
    height: Any,
    width: Any = None,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    area_for_downscale: Any = None,
    p: float = 1.0,
) -> Transform:
    """Shrinking by more than 2 averages here; ``antialias=False`` is as there."""
    return Resize(shape(step, height, width), order=order(step, interpolation), p=p)  # type: ignore[arg-type]


@RULES.rule("LongestMaxSize")
def _longest_max_size(
    step: Step,
    max_size: Any = None,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    area_for_downscale: Any = None,
    max_size_hw: Any = None,
    p: float = 1.0,
) -> Transform:
    """Sizes in a list are drawn; shrinking by more than 2 averages here."""
    return LongestSide(_sides(step, max_size, max_size_hw), order=order(step, interpolation), p=p)  # type: ignore[arg-type]


@RULES.rule("SmallestMaxSize")
def _smallest_max_size(
    step: Step,
    max_size: Any = None,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    area_for_downscale: Any = None,
    max_size_hw: Any = None,
    p: float = 1.0,
) -> Transform:
    """Sizes in a list are drawn; shrinking by more than 2 averages here."""
    return ShortestSide(_sides(step, max_size, max_size_hw), order=order(step, interpolation), p=p)  # type: ignore[arg-type]


def _sides(step: Step, size: Any, high_wide: Any) -> Any:
    if size is None and high_wide is not None:
        high, wide = high_wide
        if high is not None and wide is not None and high != wide:
            raise NoCounterpart("max_size_hw: sides that are limited by themselves are not built; max_size is")
        size = high if high is not None else wide
    if size is None:
        size = 1024
    return Choice(tuple(size)) if isinstance(size, list | tuple) and len(size) > 1 else shape(step, size)[0]


@RULES.rule("RandomCrop")
def _random_crop(
    step: Step,
    height: Any,
    width: Any = None,
    pad_if_needed: bool = False,
    pad_position: Any = "center",
    border_mode: Any = 0,
    fill: Any = 0,
    fill_mask: Any = 0,
    p: float = 1.0,
) -> list[Transform]:
    """The place is uniform over all whole positions."""
    return _cropped(step, shape(step, height, width), "random", pad_if_needed, border_mode, fill, p)


@RULES.rule("CenterCrop")
def _center_crop(
    step: Step,
    height: Any,
    width: Any = None,
    pad_if_needed: bool = False,
    pad_position: Any = "center",
    border_mode: Any = 0,
    fill: Any = 0,
    fill_mask: Any = 0,
    p: float = 1.0,
) -> list[Transform]:
    return _cropped(step, shape(step, height, width), "centre", pad_if_needed, border_mode, fill, p)


def _cropped(step: Step, size: Any, at: Any, pad: bool, border_mode: Any, fill: Any, p: float) -> list[Transform]:
    crop = Crop(size, at=at)
    made: list[Transform] = [Pad(size=size, **edge_of(step, border_mode, fill, 0, None, None)), crop] if pad else [crop]
    return made if p == 1 else [Sequential(made, p=p)]


@RULES.rule("Crop")
def _crop(
    step: Step,
    x_min: Any = 0,
    y_min: Any = 0,
    x_max: Any = 1024,
    y_max: Any = 1024,
    pad_if_needed: bool = False,
    pad_position: Any = "center",
    border_mode: Any = 0,
    fill: Any = 0,
    fill_mask: Any = 0,
    p: float = 1.0,
) -> Transform:
    return Crop(box=(int(y_min), int(x_min), int(y_max), int(x_max)), p=p)


@RULES.rule("RandomResizedCrop")
def _random_resized_crop(
    step: Step,
    size: Any = None,
    scale: Any = (0.08, 1.0),
    ratio: Any = (0.75, 4 / 3),
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    area_for_downscale: Any = None,
    height: Any = None,
    width: Any = None,
    p: float = 1.0,
) -> Transform:
    """``scale`` is ``area``, ``ratio`` is ``aspect``; shrinking by more than 2 averages here."""
    area, aspect = amount(step, "scale", scale), amount(step, "ratio", ratio)
    size = shape(step, size) if height is None else shape(step, height, width)
    return RandomResizedCrop(size, area=area, aspect=aspect, order=order(step, interpolation), p=p)  # type: ignore[arg-type]


@RULES.rule("RandomSizedCrop")
def _random_sized_crop(
    step: Step,
    min_max_height: Any,
    size: Any = None,
    w2h_ratio: Any = 1.0,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    area_for_downscale: Any = None,
    height: Any = None,
    width: Any = None,
    p: float = 1.0,
) -> Transform:
    """One of five heights from the least to the largest, cut out at random and scaled."""
    low, high = (int(one) for one in min_max_height)
    size = shape(step, size) if height is None else shape(step, height, width)
    heights = sorted({round(low + (high - low) * k / 4) for k in range(5)})
    spline: Any = order(step, interpolation)
    crops = [
        together([Crop((h, round(h * float(w2h_ratio))), at="random"), Resize(size, order=spline)]) for h in heights
    ]
    step.note(f"heights {', '.join(map(str, heights))}, equally likely")
    return OneOf(crops, p=p)


@RULES.rule("PadIfNeeded")
def _pad_if_needed(
    step: Step,
    min_height: Any = 1024,
    min_width: Any = 1024,
    pad_height_divisor: Any = None,
    pad_width_divisor: Any = None,
    position: Any = "center",
    border_mode: Any = None,
    value: Any = None,
    mask_value: Any = None,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 1.0,
) -> Transform:
    if len(step.call.positional) in (3, 4, 5) and pad_height_divisor in range(5) and min_height:
        # Before 0.5 border, fill and the labels' fill came right behind the size; no side is a multiple of 0 to 4.
        border_mode, value, position = pad_height_divisor, pad_width_divisor, "center"
        mask_value = step.call.positional[4] if len(step.call.positional) > 4 else mask_value
        pad_height_divisor = pad_width_divisor = None
    how = edge_of(step, border_mode, value, mask_value, fill, fill_mask)
    at: Any = {"center": "centre"}.get(str(position), str(position))
    if pad_height_divisor is not None or pad_width_divisor is not None:
        multiple = tuple(int(one or 1) for one in (pad_height_divisor, pad_width_divisor))
        return Pad(multiple_of=multiple, at=at, p=p, **how)
    return Pad(size=(int(min_height or 1), int(min_width or 1)), at=at, p=p, **how)


@RULES.rule("Pad")
def _pad(
    step: Step,
    padding: Any = 0,
    fill: Any = 0,
    fill_mask: Any = 0,
    border_mode: Any = 0,
    p: float = 1.0,
) -> Transform:
    how = edge_of(step, border_mode, None, None, fill, fill_mask)
    if is_number(padding):
        return Pad(int(padding), p=p, **how)
    if isinstance(padding, list | tuple) and len(padding) == 2:
        return Pad((int(padding[1]), int(padding[0])), p=p, **how)
    if isinstance(padding, list | tuple) and len(padding) == 4:
        left, above, right, below = (int(one) for one in padding)
        return Pad((above, left, below, right), p=p, **how)
    raise InputError(f"{step.shown}: expected padding as 1, 2 or 4 numbers, got {padding!r}")
