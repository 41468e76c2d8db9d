"""Boxes, keypoints and polygons of one sample through a plan: opened, moved step by step, closed at the frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core.box_rules import BoxRules
from imagemill.core.geometry import Floats
from imagemill.core.keypoint_names import Swap, exchange
from imagemill.core.polygons import Polygons
from imagemill.core.targets import Boxes, Keypoints
from imagemill.engine.annotations import outlines as polygons
from imagemill.engine.annotations import points
from imagemill.engine.annotations.boxes import Outlines, bending, grouped
from imagemill.engine.plan import Pass, Plan

__all__ = ["CARRIED"]

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


def _polygons(plan: Plan, row: int, outlines: Polygons, through: Moved, rules: BoxRules, swap: Swap) -> Polygons:
    """Polygons through the geometry, cut at the frame, those without any area left dropped."""
    parts = [part[:, ::-1] - 0.5 for part in outlines.parts]
    if bending(_chains(plan, row)):
        parts = [polygons.densely(part) for part in parts]
    parts = through(parts)
    shape = plan.shape[row]
    cut = [polygons.clipped(part, np.full(len(shape), -0.5), shape - 0.5) for part in parts]
    left = [i for i, part in enumerate(cut) if len(part) >= 3 and polygons.area(part) > 0]
    return Polygons([cut[i][:, ::-1] + 0.5 for i in left], np.asarray(outlines.index)[left])


def _chains(plan: Plan, row: int) -> list[tuple[maps.Stage, ...]]:
    """The map of each step that resamples."""
    return [s.resample.chain(row) for s in plan.steps if isinstance(s, Pass) and s.resample is not None]


CARRIED: dict[str, Callable[[Plan, int, Any, Moved, BoxRules, Swap], Any]] = {
    Boxes.kind: _boxes,
    Keypoints.kind: _keypoints,
    Polygons.kind: _polygons,
}
"""How each kind of annotation goes in and comes out."""
