"""Albumentations' transforms that put other images in."""

from __future__ import annotations

from typing import Any

from imagemill.compat.translate.rules.albumentations import RULES
from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.compat.translate.rules.values import amount, fill, order, shape
from imagemill.transforms.base import Transform
from imagemill.transforms.geometric.shortest_side import LongestSide, ShortestSide
from imagemill.transforms.mixing.mixup import MixUp
from imagemill.transforms.mixing.mosaic import Mosaic

__all__: list[str] = []


@RULES.rule("Mosaic")
def _mosaic(
    step: Step,
    grid_yx: Any = (2, 2),
    target_size: Any = (512, 512),
    cell_shape: Any = (512, 512),
    center_range: Any = (0.3, 0.7),
    fit_mode: str = "cover",
    interpolation: Any = 1,
    mask_interpolation: Any = 0,
    fill: Any = 0,
    fill_mask: Any = 0,
    metadata_key: Any = "mosaic_metadata",
    p: float = 0.5,
) -> list[Transform]:
    """Of four; the other three are samples of the epoch, in place of ``metadata_key``'s.

    ``center_range`` is where the window lies on the grid there; here ``centre`` is where the four meet in the result.
    """
    if tuple(grid_yx) != (2, 2):
        raise NoCounterpart(f"a grid of {tuple(grid_yx)}; Mosaic is one of (2, 2)")
    target, cell = shape(step, target_size), shape(step, cell_shape)
    length = max(cell) if fit_mode == "cover" else min(cell)
    side = ShortestSide if fit_mode == "cover" else LongestSide
    step.note("the other three pictures are samples of the epoch; those that stay alone are scaled to a cell as well")
    if cell[0] != cell[1]:
        step.note(f"pictures are scaled by one side, to {length} pixels, where the cell has two")
    return [
        side(length, order=order(step, interpolation)),  # type: ignore[arg-type]
        Mosaic(target, _centre(step, center_range, target, cell), fill=_one(step, fill), mask_fill=int(fill_mask), p=p),
    ]


def _centre(step: Step, value: Any, target: tuple[int, ...], cell: tuple[int, ...]) -> Any:
    """Where the pictures meet, as a share of the result.

    A window of ``t`` pixels whose place goes from 0 to 1 over a grid of two cells of ``c`` has the seam at ``c`` from
    its edge first, and at ``t - c`` last.
    """
    found = amount(step, "center_range", value)
    low, high = found if isinstance(found, tuple) else (found, found)
    seams: dict[str, Any] = {}
    for axis, whole, part in zip("yx", target, cell, strict=True):
        places = (part / whole - at * (2 * part / whole - 1) for at in (low, high))
        ends = sorted(round(min(max(place, 0.0), 1.0), 9) for place in places)
        seams[axis] = ends[0] if ends[0] == ends[1] else (ends[0], ends[1])
    return seams["y"] if seams["y"] == seams["x"] else seams


def _one(step: Step, value: Any) -> float:
    """One value for all channels."""
    found = fill(step, value)
    if isinstance(found, tuple):
        step.note(f"fill={value!r}: one value for all channels, their mean")
        return sum(found) / len(found)
    return found


@RULES.rule("MixUp", reads=True)
def _mixup(
    step: Step,
    reference_data: Any = None,
    read_fn: Any = None,
    mix_coef_return_name: Any = "mix_coef",
    alpha: float = 0.4,
    p: float = 0.5,
) -> Transform:
    """The partner is another sample of the epoch, in place of ``reference_data``'s; labels are weighted as well."""
    step.note("partners are samples of the epoch, not of reference_data; label maps are refused, maps of shares mix")
    return MixUp(float(alpha), p=float(p))
