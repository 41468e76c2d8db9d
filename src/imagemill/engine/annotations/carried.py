"""Annotations of one sample through a plan: opened, moved step by step, closed at the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.annotated.rotated_boxes import rectangles_around, turned_around
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats
from imagemill.core.image_ops import Exchange
from imagemill.core.keypoint_names import Swap, exchange
from imagemill.core.targets import Boxes, Instances, Keypoints, Polygons, RotatedBoxes
from imagemill.engine.annotations import points
from imagemill.engine.annotations.boxes import Outlines, grouped
from imagemill.engine.annotations.rings import Rings, finest
from imagemill.engine.plan import Alter, Pass, Plan

__all__ = ["CARRIED"]

_LOOKED_AT = 4096
"""Pixels of an object from which on only some are asked whether they are still in the frame."""

Moved = Callable[[Any], Any]
"""Takes what a kind carries between steps through all steps of the plan."""


def _boxes(plan: Plan, row: int, boxes: Boxes, through: Moved, rules: BoxRules, swap: Swap) -> Boxes:
    """Boxes through the geometry, cut at the frame, those of which too little is left dropped."""
    edges = boxes.edges(tuple(plan.in_shape[row].tolist()))
    shape = tuple(plan.shape[row].tolist())
    d = len(shape)
    groups = grouped(_chains(plan, row), edges)

    def moved(*, cuts: bool) -> tuple[Floats, Floats]:
        """Edges and share of each box: of what is seen in the frame, or of the whole."""
        found, share = np.empty_like(edges), np.ones(len(edges))
        for pieces, index in groups:
            outlines = through(Outlines.of(edges[index], pieces=pieces, cuts=cuts))
            found[index], share[index] = outlines.seen(shape) if cuts else (outlines.whole(), 1.0)
        return found, share

    left, share = moved(cuts=True)
    # What is gone has edges that are no numbers, and no share.
    keep = rules.keep((left[:, d:] - left[:, :d]).prod(axis=1), share)
    if not rules.clip:
        left = moved(cuts=False)[0]
    if rules.keep_empty and not keep.all():
        left, share = left.copy(), np.where(keep, share, 0.0)
        place = np.clip(moved(cuts=False)[0][~keep, :d], -0.5, np.array(shape) - 0.5)
        left[~keep] = np.concatenate([place, place], axis=1)
        keep = np.ones(len(boxes), bool)
    index = np.flatnonzero(keep)
    return boxes.like(left[index], shape, index, share[index])


def _keypoints(plan: Plan, row: int, keypoints: Keypoints, through: Moved, rules: BoxRules, swap: Swap) -> Keypoints:
    """Keypoints through the geometry; those that left the frame are not visible, names change sides in a mirror."""
    indices, seen = through((keypoints.indices(plan.in_shape.shape[1]), keypoints.visible))
    inside = points.inside(indices, tuple(plan.shape[row].tolist()))
    seen = seen & inside
    labels = keypoints.labels
    swap = swap if keypoints.swap is None else keypoints.swap
    swapped = exchange(labels, len(keypoints), swap, keypoints.instance) if swap else None
    if swapped is not None and sum(map(points.mirrors, _chains(plan, row))) % 2:
        order, renamed = swapped
        indices, seen, inside = indices[order], seen[order], inside[order]
        labels = labels if renamed is None else np.array(renamed) if isinstance(labels, np.ndarray) else renamed
    return keypoints.like(indices, seen, inside, labels)


def _polygons(plan: Plan, row: int, given: Polygons, through: Moved, rules: BoxRules, swap: Swap) -> Polygons:
    """Polygons and lines through the geometry, cut at the frame, those of which too little is left dropped."""
    moved, seen, size = _outlines(plan, row, given.parts, given.owners, len(given), through, rules, closed=given.closed)
    keep = rules.keep(size if given.closed else np.full(len(size), np.inf), seen.share)
    if keep.all() and _is_still(plan, row, seen):
        return given.only(np.arange(len(given)))  # not even rounded
    rings = [[ring[:, ::-1] + 0.5 for ring in rings] for rings in moved.by_owner()]
    if rules.keep_empty:
        rings = [one if there else [] for one, there in zip(rings, keep.tolist(), strict=True)]
        share, keep = np.where(keep, seen.share, 0.0), np.ones(len(given), bool)
    else:
        share = seen.share
    index = np.flatnonzero(keep)
    return given.like([rings[i] for i in index.tolist()], index, share[index])


def _rotated(plan: Plan, row: int, given: RotatedBoxes, through: Moved, rules: BoxRules, swap: Swap) -> RotatedBoxes:
    """Rotated boxes through the geometry, those that the frame cuts around what is left, at their angle."""
    count = len(given)
    corners = given.corners() if given.format != "corners" else rectangles_around(given.corners())
    owner = np.arange(count)
    whole, seen, size = _outlines(plan, row, corners, owner, count, through, replace(rules, clip=False))
    around = _rectangles(whole, _pushed(_chains(plan, row), corners[..., ::-1] - 0.5))
    keep = rules.keep(size, seen.share)
    if keep.all() and _is_still(plan, row, seen):
        return given.only(np.arange(count))
    if rules.clip:
        for i in np.flatnonzero((seen.share < 1) & (seen.share > 0)).tolist():
            left = np.concatenate(seen.by_owner()[i]) if i in seen.owner else None
            around[i] = around[i] if left is None else turned_around(left, around[i])
    share = np.where(keep, seen.share, 0.0)
    if rules.keep_empty and not keep.all():
        limit = np.array(plan.shape[row]) - 0.5
        around[~keep] = np.clip(np.nan_to_num(around[~keep].mean(axis=1, keepdims=True)), -0.5, limit)
        keep = np.ones(count, bool)
    index = np.flatnonzero(keep)
    return given.like(around[index][..., ::-1] + 0.5, index, share[index])


def _is_still(plan: Plan, row: int, seen: Rings) -> bool:
    """Whether nothing moved them and nothing cut them."""
    apart = any(isinstance(s, Alter) and isinstance(s.op, Exchange) and s.reaches_masks for s in plan.steps)
    return not apart and not any(_chains(plan, row)) and bool((seen.share == 1).all())


def _pushed(chains: list[tuple[maps.Stage, ...]], places: Floats) -> Floats:
    """Places ``(..., d)`` moved by all maps, as if nothing ended anywhere."""
    moved = places.reshape(-1, places.shape[-1])
    for chain in chains:
        moved = points.push(chain, moved)
    return moved.reshape(places.shape)


def _rectangles(whole: Rings, corners: Floats) -> Floats:
    """The smallest rectangles ``(k, 4, 2)`` in index coordinates around moved rings, whose corners went to these."""
    if len(whole.lengths) == len(corners) and (whole.lengths == 4).all():
        # In x and y, where the corners are named in order.
        return rectangles_around(whole.points.reshape(-1, 4, 2)[..., ::-1])[..., ::-1]
    found = np.full(corners.shape, np.nan)
    for i, rings in enumerate(whole.by_owner()):
        if rings:
            outline = np.concatenate(rings)[None, :, ::-1]
            found[i] = rectangles_around(outline, corners[i : i + 1, :, ::-1])[0, :, ::-1]
    return found


def _outlines(
    plan: Plan,
    row: int,
    parts: Any,
    owner: Any,
    count: int,
    through: Moved,
    rules: BoxRules,
    *,
    closed: bool = True,
) -> tuple[Rings, Rings, Floats]:
    """Moved rings of x and y from the outer corner: as asked for, as far as they are seen, and the size of that."""
    shape = tuple(plan.shape[row].tolist())
    if len(shape) != 2:
        raise InputError(
            "expected polygons and rotated boxes with a picture, got a volume; pass instance masks instead"
        )
    tolerance = finest(_chains(plan, row), shape)
    rings = [np.asarray(part)[:, ::-1] - 0.5 for part in parts]

    def moved(*, cuts: bool) -> Rings:
        given = Rings.of(rings, owner, count, closed=closed, cuts=cuts, tolerance=tolerance)
        found: Rings = through(given)
        return found

    cut = moved(cuts=True)
    seen = cut.seen(shape)
    return seen if rules.clip else moved(cuts=False), seen, seen.size()


def _instances(plan: Plan, row: int, given: Instances, through: Moved, rules: BoxRules, swap: Swap) -> Instances:
    """Instance masks through the geometry, those of which too little is left dropped."""
    shape = tuple(plan.in_shape[row].tolist())
    if given.shape != shape:
        hint = "" if len(given.shape) == len(shape) else "; say ids='all' of a map of a volume"
        raise InputError(f"expected instance masks of the picture's size {shape}, got {given.shape}{hint}")
    made = given.like(through(given.canonical()), np.arange(len(given)), np.ones(len(given)))
    area = made.area
    share = _shares(given, _chains(plan, row), tuple(plan.shape[row].tolist()))
    share = np.where(area > 0, np.maximum(share, 1e-9), 0.0)
    keep = rules.keep(area.astype(np.float64), share)
    made = replace(made, visibility=share if given.visibility is None else share * np.asarray(given.visibility))
    return made.emptied(~keep) if rules.keep_empty else made.only(np.flatnonzero(keep))


def _shares(given: Instances, chains: list[tuple[maps.Stage, ...]], shape: tuple[int, ...]) -> Floats:
    """Which share of the pixels of each object is still in the frame."""
    places, owner = given.places(_LOOKED_AT)
    there = np.ones(len(places), bool)
    for chain in chains:
        there &= points.kept(chain, places)
        places = points.push(chain, places)
    there &= points.inside(places, shape)
    total = np.bincount(owner, minlength=len(given))
    return np.bincount(owner, there, minlength=len(given)) / np.maximum(total, 1)


def _chains(plan: Plan, row: int) -> list[tuple[maps.Stage, ...]]:
    """The map of each step that resamples."""
    return [s.resample.chain(row) for s in plan.steps if isinstance(s, Pass) and s.resample is not None]


CARRIED: dict[str, Callable[[Plan, int, Any, Moved, BoxRules, Swap], Any]] = {
    Boxes.kind: _boxes,
    Keypoints.kind: _keypoints,
    Polygons.kind: _polygons,
    RotatedBoxes.kind: _rotated,
    Instances.kind: _instances,
}
"""How each kind of annotation goes in and comes out."""
