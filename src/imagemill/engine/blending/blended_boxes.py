"""Boxes and keypoints of several samples as one, with what is still seen of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.annotated.annotation_rows import known_rows
from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.errors import InputError
from imagemill.core.geometry import Floats, Ints
from imagemill.core.targets import ANNOTATIONS, Boxes, Instances, Keypoints, Polygons, RotatedBoxes
from imagemill.engine.annotations.rings import TOLERANCE, Rings

__all__ = ["Place", "annotations_together", "covered", "cut", "keypoints_together", "numbers_taken"]

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where one part of a blend is shown.

    Parameters
    ----------
    step : int
        Whose part: 0 for the sample's own, else its place in the group from the sample's by exclusive or.
    weight : float
        Of the part.
    first : int
        Number of the part's first annotation among those of all parts.
    offset : array of int, ``(d,)``
        Pixel ``p`` of the result shows pixel ``p + offset`` of the part.
    region : array of int, ``(d, 2)``
        First pixel of the result that shows it, and the one behind the last.
    later : sequence of array of int, ``(d, 2)``
        Regions of parts that stand over it.
    hidden : bool array ``(*shape)``, optional
        Pixels of the result that show something else, where those are no boxes.
    """

    step: int
    weight: float
    first: int
    offset: Ints
    region: Ints
    later: Sequence[Ints] = ()
    hidden: Bools | None = None

    def corners(self, size: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Lower and upper corner of what is shown of a part of a size, in index coordinates of the result."""
        low = np.maximum(self.region[:, 0], -self.offset)
        high = np.minimum(self.region[:, 1], np.array(size) - self.offset)
        return low - 0.5, np.maximum(low, high) - 0.5


def cut(edges: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Edges ``(k, 2d)`` within two corners, and the share of each box that is left.

    Examples
    --------
    >>> cut(np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([0.0, 3.0]), np.array([9.0, 9.0]))
    (array([[0., 3., 4., 4.]]), array([0.25]))
    """
    d = len(low)
    left = np.clip(edges, np.tile(low, 2), np.tile(high, 2))
    return left, _share(left, edges, d)


def _share(left: Floats, edges: Floats, d: int) -> Floats:
    size, rest = edges[:, d:] - edges[:, :d], left[:, d:] - left[:, :d]
    flat = size <= 0
    return np.asarray(np.where(flat, left[:, :d] == edges[:, :d], rest / np.where(flat, 1.0, size)).prod(axis=1))


def covered(edges: Floats, region: Ints) -> tuple[Floats, Floats]:
    """The upright boxes around what a region leaves of some boxes ``(k, 2d)``, and the share of each that it leaves.

    Examples
    --------
    >>> covered(np.array([[-0.5, -0.5, 3.5, 3.5]]), np.array([[0, 4], [2, 9]]))
    (array([[-0.5, -0.5,  3.5,  1.5]]), array([0.5]))
    >>> covered(np.array([[-0.5, -0.5, 3.5, 3.5]]), np.array([[1, 4], [2, 9]]))
    (array([[-0.5, -0.5,  3.5,  3.5]]), array([0.625]))
    """
    d = len(region)
    low, high = (np.asarray(end, np.float64) for end in (region[:, 0] - 0.5, region[:, 1] - 0.5))
    _, both = cut(edges, low, high)
    spans = (edges[:, :d] >= low) & (edges[:, d:] <= high)
    left = edges.copy()
    for axis in range(d):
        others = np.delete(spans, axis, axis=1).all(axis=1)
        begins = others & (low[axis] <= edges[:, axis]) & (high[axis] > edges[:, axis])
        ends = others & (high[axis] >= edges[:, d + axis]) & (low[axis] < edges[:, d + axis])
        left[begins, axis] = np.minimum(high[axis], edges[begins, d + axis])
        left[ends, d + axis] = np.maximum(low[axis], edges[ends, axis])
    gone = both >= 1
    left[gone, d:] = left[gone, :d]
    left[:, d:] = np.maximum(left[:, d:], left[:, :d])
    return left, 1.0 - both


def _under(edges: Floats, hidden: Bools) -> tuple[Floats, Floats]:
    """The upright boxes around what some pixels do not hide of boxes ``(k, 2d)``, and the share that is left."""
    d = hidden.ndim
    left, share = edges.copy(), np.ones(len(edges))
    for k, box in enumerate(edges):
        first = np.maximum(np.floor(box[:d] + 0.5), 0).astype(int)
        last = np.minimum(np.ceil(box[d:] + 0.5), hidden.shape).astype(int)
        part = ~hidden[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
        if not part.size or part.all():
            continue
        share[k] = part.mean()
        seen = np.argwhere(part)
        if not len(seen):
            left[k, d:] = left[k, :d]
            continue
        left[k, :d] = np.maximum(box[:d], seen.min(axis=0) + first - 0.5)
        left[k, d:] = np.minimum(box[d:], seen.max(axis=0) + first + 0.5)
    return left, share


def annotations_together(
    parts: Sequence[Any],
    places: Sequence[Place],
    sizes: Sequence[tuple[int, ...]],
    shape: tuple[int, ...],
    rules: BoxRules,
) -> Any:
    """Boxes, polygons, rotated boxes or instance masks of several samples in one frame.

    All rows are there, those of which too little is seen without visibility. Columns ``source`` and ``weight`` say
    whose each is, and its part's weight.
    """
    place = _PLACED[parts[0].kind]
    made = [
        _told(place(target, where, size, shape, rules), where)
        for target, where, size in zip(parts, places, sizes, strict=True)
    ]
    return _joined(made)


def _told(target: Any, place: Place) -> Any:
    """A part's annotations with their numbers among all, whose they are, and how much they count."""
    columns = dict(target.columns)
    columns["source"] = np.asarray(columns.get("source", np.zeros(len(target), np.int64))) ^ place.step
    columns["weight"] = np.asarray(columns.get("weight", np.ones(len(target)))) * place.weight
    index, dropped = known_rows(target) + place.first, target.dropped + place.first
    return replace(target, columns=columns, index=index, dropped=dropped)


def _boxes(boxes: Boxes, place: Place, size: tuple[int, ...], shape: tuple[int, ...], rules: BoxRules) -> Boxes:
    d = len(shape)
    whole = boxes.edges(size) - np.tile(place.offset, 2)
    low, high = place.corners(size)
    left, share = cut(whole, low, high)
    for region in place.later:
        left, rest = covered(left, region)
        share = share * rest
    if place.hidden is not None:
        left, rest = _under(left, place.hidden)
        share = share * rest
    keep = rules.keep((left[:, d:] - left[:, :d]).prod(axis=1), share)
    if not rules.clip:
        left = whole.copy()
    point = np.clip(whole[~keep, :d], -0.5, np.array(shape) - 0.5)
    left[~keep] = np.concatenate([point, point], axis=1)
    return boxes.like(left, shape, np.arange(len(boxes)), np.where(keep, share, 0.0))


def _polygons(
    polygons: Polygons, place: Place, size: tuple[int, ...], shape: tuple[int, ...], rules: BoxRules
) -> Polygons:
    low, high = place.corners(size)
    rings = [part[:, ::-1] - 0.5 - place.offset for part in polygons.parts]
    seen = _seen(rings, polygons.owners, len(polygons), low, high, closed=polygons.closed)
    keep = rules.keep(seen.size() if polygons.closed else np.full(len(polygons), np.inf), seen.share)
    shown = seen if rules.clip else _seen(rings, polygons.owners, len(polygons), None, None, closed=polygons.closed)
    back = 0.5 + (low + 0.5 if rules.clip else 0.0)
    listed = [
        [ring[:, ::-1] + np.broadcast_to(back, 2)[::-1] for ring in one] if there else []
        for one, there in zip(shown.by_owner(), keep.tolist(), strict=True)
    ]
    return polygons.like(listed, np.arange(len(polygons)), np.where(keep, seen.share, 0.0))


def _rotated(
    boxes: RotatedBoxes, place: Place, size: tuple[int, ...], shape: tuple[int, ...], rules: BoxRules
) -> RotatedBoxes:
    """Rotated boxes are moved whole, and judged by what is seen of them."""
    low, high = place.corners(size)
    corners = boxes.corners() - place.offset[::-1]
    rings = list(corners[..., ::-1] - 0.5)
    seen = _seen(rings, np.arange(len(boxes)), len(boxes), low, high, closed=True)
    keep = rules.keep(seen.size(), seen.share)
    return boxes.like(corners, np.arange(len(boxes)), np.where(keep, seen.share, 0.0))


def _seen(
    rings: Sequence[Floats], owners: Ints, count: int, low: Floats | None, high: Floats | None, *, closed: bool
) -> Rings:
    """Rings in index coordinates as far as they lie between two corners, counted from the lower one."""
    first = np.zeros(2) if low is None else low + 0.5
    made = Rings.of([ring - first for ring in rings], owners, count, closed=closed, tolerance=TOLERANCE)
    return made if low is None or high is None else made.seen(tuple((high - low).tolist()))


def _instances(
    things: Instances, place: Place, size: tuple[int, ...], shape: tuple[int, ...], rules: BoxRules
) -> Instances:
    """Instance masks as a stack: what is seen of each."""
    masks = things.masks
    whole = np.maximum(masks.sum(axis=tuple(range(1, masks.ndim))), 1)
    low, high = place.corners(size)
    first, last = np.ceil(low).astype(int), np.ceil(high).astype(int)
    there = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    here = tuple(slice(a, b) for a, b in zip(first + place.offset, last + place.offset, strict=True))
    made = np.zeros((len(things), *shape), bool)
    made[(slice(None), *there)] = masks[(slice(None), *here)]
    for region in place.later:
        made[(slice(None), *(slice(max(int(a), 0), max(int(b), 0)) for a, b in region))] = False
    if place.hidden is not None:
        made &= ~place.hidden
    area = made.sum(axis=tuple(range(1, made.ndim)))
    keep = rules.keep(area.astype(np.float64), area / whole)
    made[~keep] = False
    stack = Instances(made, None, things.labels, things.index, things.columns, things.visibility, things.dropped)
    return stack.like(np.moveaxis(made, 0, -1), np.arange(len(things)), np.where(keep, area / whole, 0.0))


_PLACED: dict[str, Any] = {
    Boxes.kind: _boxes,
    Polygons.kind: _polygons,
    RotatedBoxes.kind: _rotated,
    Instances.kind: _instances,
}
"""How each kind of annotation of one part is brought to where it is shown."""


def _joined(made: Sequence[Any]) -> Any:
    """The rows of several targets of one kind one behind the other."""
    first = made[0]
    for other in made[1:]:
        if getattr(other, "format", "") != getattr(first, "format", "") or _form(other) != _form(first):
            raise InputError(f"expected {first.kind} of one format to mix, got {_form(first)} and {_form(other)}")
        if set(other.columns) != set(first.columns) or (other.labels is None) != (first.labels is None):
            said = [sorted({*one.columns, *(["labels"] if one.labels is not None else [])}) for one in (first, other)]
            raise InputError(f"expected the same columns of the {first.kind} of all samples that are mixed, got {said}")
    rows = {
        "labels": _chained([one.labels for one in made]),
        "index": np.concatenate([known_rows(one) for one in made]),
        "columns": {name: _chained([one.columns[name] for one in made]) for name in first.columns},
        "visibility": np.concatenate([np.asarray(one.visibility) for one in made]),
        "dropped": np.concatenate([one.dropped for one in made]).astype(np.int64),
    }
    if isinstance(first, Polygons):
        return Polygons(tuple(rings for one in made for rings in one.rings), first.closed, **rows)
    array = np.concatenate([one.array for one in made])
    return Instances(array, None, **rows) if isinstance(first, Instances) else replace(first, array=array, **rows)


def _form(target: Any) -> str:
    """What else has to be alike in what is put together."""
    if isinstance(target, Polygons):
        return "closed polygons" if target.closed else "open lines"
    return str(getattr(target, "format", ""))


def _chained(columns: Sequence[Any]) -> Any:
    """Columns one behind the other: an array of arrays, a list of anything else."""
    if columns[0] is None:
        return None
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.concatenate(columns)
    return [value for column in columns for value in column]


def keypoints_together(parts: Sequence[Keypoints], places: Sequence[Place], shape: tuple[int, ...]) -> Keypoints:
    """The keypoints of several samples in one frame; those that something hides are not visible.

    Columns ``source`` and ``weight`` say whose each point is, and its part's weight.
    """
    made = [_points(points, place, shape) for points, place in zip(parts, places, strict=True)]
    first = made[0]
    for other in made[1:]:
        if other.format != first.format or (other.labels is None) != (first.labels is None) or other.swap != first.swap:
            raise InputError(
                "expected the keypoints of all samples that are mixed in one format, all with names or none"
            )
    return replace(
        first,
        array=np.concatenate([one.array for one in made]),
        visible=np.concatenate([one.visible for one in made]),
        inside=np.concatenate([one.inside for one in made if one.inside is not None]),
        labels=_chained([one.labels for one in made]),
        instance=np.concatenate([one.instance for one in made]),
        columns={name: np.concatenate([one.columns[name] for one in made]) for name in first.columns},
    )


def _points(points: Keypoints, place: Place, shape: tuple[int, ...]) -> Keypoints:
    found = points.indices(len(shape)) - place.offset
    inside = ((found >= -0.5) & (found <= np.array(shape) - 0.5)).all(axis=1)
    if points.inside is not None:
        inside &= points.inside
    seen = inside & _within(found, place.region)
    for region in place.later:
        seen &= ~_within(found, region)
    if place.hidden is not None:
        pixel = np.clip(np.rint(found).astype(int), 0, np.array(shape) - 1)
        seen &= ~place.hidden[tuple(pixel.T)]
    belongs = np.zeros(len(points), np.int64) if points.instance is None else np.asarray(points.instance)
    columns = dict(points.columns)
    columns["source"] = np.asarray(columns.get("source", np.zeros(len(points), np.int64))) ^ place.step
    columns["weight"] = np.asarray(columns.get("weight", np.ones(len(points)))) * place.weight
    moved = points.like(found, np.asarray(points.visible, bool) & seen, np.asarray(inside, bool), points.labels)
    return replace(moved, instance=belongs + place.first, columns=columns)


def _within(points: Floats, region: Ints) -> Bools:
    return np.asarray(((points >= region[:, 0] - 0.5) & (points < region[:, 1] - 0.5)).all(axis=1))


def numbers_taken(target: Any) -> int:
    """How many numbers a sample's annotations of one kind take: one more than the largest that any of them has."""
    if target.kind in ANNOTATIONS:
        return 1 + max([*known_rows(target).tolist(), *target.dropped.tolist()], default=-1)
    if isinstance(target, Keypoints):
        return 1 + int(max(target.instance, default=-1)) if target.instance is not None else int(len(target) > 0)
    return 0
