"""Albumentations' transforms that move the edges of the frame; names and defaults of 0.1 to 2.1."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES, edge_of
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, is_number, order, shape
from imagemill.core.errors import InputError
from imagemill.transforms.base import Transform
from imagemill.transforms.combine import Sequential
from imagemill.transforms.geometric.crop_and_pad import CropAndPad
from imagemill.transforms.geometric.pad import Pad
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.geometric.shortest_side import LongestSide

__all__: list[str] = []


@RULES.rule("CropAndPad", "IAACropAndPad")
def _crop_and_pad(
    step: Step,
    px: Any = None,
    percent: Any = None,
    pad_mode: Any = 0,
    pad_cval: Any = 0,
    pad_cval_mask: Any = 0,
    keep_size: bool = True,
    sample_independently: bool = True,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    border_mode: Any = None,
    fill: Any = None,
    fill_mask: Any = None,
    p: float = 1.0,
) -> Transform:
    """Pixels or shares of the side, of all edges or of each (above, right, below, left)."""
    if (px is None) == (percent is None):
        raise InputError(f"{step.shown}: expected px or percent, got {'neither' if px is None else 'both'}")
    name, value = ("percent", percent) if px is None else ("px", px)
    how: dict[str, Any] = edge_of(
        step, pad_mode if border_mode is None else border_mode, pad_cval, pad_cval_mask, fill, fill_mask
    )
    how |= {"unit": "share" if px is None else "pixels", "keep_size": bool(keep_size)}
    if keep_size:
        how["order"] = order(step, interpolation)
    if isinstance(value, list | tuple) and len(value) == 4:
        above, right, below, left = (amount(step, name, one) for one in value)
        how["after"] = {"y": below, "x": right}
        return CropAndPad({"y": above, "x": left}, p=p, **how)
    together = not sample_independently and not is_number(value)
    return CropAndPad(amount(step, name, value), together=together, p=p, **how)


@RULES.rule("RandomCropFromBorders")
def _random_crop_from_borders(
    step: Step,
    crop_left: float = 0.1,
    crop_right: float = 0.1,
    crop_top: float = 0.1,
    crop_bottom: float = 0.1,
    p: float = 1.0,
) -> Transform:
    """`CropAndPad` inward, without scaling back."""
    above, left, below, right = (
        (-float(most), 0.0) if most else 0.0 for most in (crop_top, crop_left, crop_bottom, crop_right)
    )
    after: Any = {"y": below, "x": right}
    return CropAndPad({"y": above, "x": left}, after, keep_size=False, p=p)


@RULES.rule("LetterBox")
def _letter_box(
    step: Step,
    size: Any,
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    area_for_downscale: Any = None,
    fill: Any = 0,
    fill_mask: Any = 0,
    position: Any = "center",
    p: float = 1.0,
) -> Transform | list[Transform]:
    """`Resize` with ``fit="pad"``; elsewhere than in the middle, `LongestSide` of a square and `Pad`."""
    sides, spline = shape(step, size), order(step, interpolation)
    how: dict[str, Any] = edge_of(step, 0, None, None, fill, fill_mask)
    filled = {name: how[name] for name in ("fill", "mask_fill") if name in how}
    at: Any = {"center": "centre"}.get(str(position), str(position))
    if at == "centre":
        return Resize(sides, fit="pad", order=spline, p=p, **filled)  # type: ignore[arg-type]
    if sides[0] != sides[1]:
        raise NoCounterpart(f"position={position!r} in a frame that is no square")
    made: list[Transform] = [LongestSide(sides[0], order=spline), Pad(size=sides, at=at, **filled)]  # type: ignore[arg-type]
    return made if p == 1 else Sequential(made, p=p)
