"""Objects that a model found in several views, brought back to the image, matched with each other and merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.core.errors import TargetError
from imagemill.core.sample import Sample
from imagemill.core.short_repr import ShortRepr
from imagemill.core.targets import Array, Boxes, Polygons, RotatedBoxes

__all__ = ["Found", "MergedObjects"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

KINDS = ("boxes", "rotated_boxes", "polygons")
_FINE = 256
"""Pixels along the longer side in which the overlap of two polygons is counted."""
_SAID = ("scores", "labels")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MergedObjects(ShortRepr):
    """The objects that several views say together, the surest first.

    Parameters
    ----------
    value : Boxes, RotatedBoxes or Polygons
        In the frame of the image, with their labels.
    scores : array ``[k]``
    count : array of int ``[k]``
        How many views found each.
    views : array of int ``[k]``
        How many views show its middle.
    """

    value: Boxes | RotatedBoxes | Polygons
    scores: Floats
    count: npt.NDArray[np.int64]
    views: npt.NDArray[np.int64]


class Found:
    """What views say, view by view, as detectors of torchvision do: a mapping each with shapes, scores and labels.

    Parameters
    ----------
    merge : {"mean", "max", "vote"}
    overlap : float
        Intersection over union from which on two of one label are the same object.
    """

    def __init__(self, merge: str, overlap: float) -> None:
        self.merge, self.overlap = merge, overlap
        self.kind = ""
        self.shapes: list[Any] = []
        self.said: list[tuple[float, Any, int]] = []
        self.seen: list[Bools] = []

    def add(self, sample: Sample, said: Mapping[str, Any]) -> None:
        """What is said of one view."""
        kind = _kind(said)
        if self.kind not in ("", kind):
            raise TargetError(f"expected {self.kind} of every view, got {kind}; let the model say the same of each")
        self.kind = kind
        given = said[kind] if kind == "polygons" else _plain(said[kind])
        scores, labels = (None if said.get(name) is None else _plain(said[name]) for name in _SAID)
        for name, values in zip(_SAID, (scores, labels), strict=True):
            if values is not None and len(values) != len(given):
                raise TargetError(f"expected a value of {name} for each of {len(given)} {kind}, got {len(values)}")
        rows = list(range(len(given)))
        shapes = {"boxes": Boxes, "rotated_boxes": RotatedBoxes, "polygons": Polygons}[kind](given, labels=rows)
        back: Any = sample.inverse(**{kind: shapes})[kind]
        view = len(self.seen)
        self.seen.append(sample.seen())
        for row, shape in zip(back.labels, _rows(back), strict=True):
            self.shapes.append(shape)
            label = None if labels is None else labels[row].item()
            self.said.append((1.0 if scores is None else float(scores[row]), label, view))

    def merged(self) -> MergedObjects:
        """The objects, each of those that several views found together."""
        found = [self._one(group) for group in self._groups()]
        kept = [one for one in found if self.merge != "vote" or one[2] * 2 > one[3]]
        kept.sort(key=lambda one: -one[1])
        labels = [one[4] for one in kept] if any(label is not None for _, label, _ in self.said) else None
        columns = (np.array([one[at] for one in kept], dtype) for at, dtype in ((1, float), (2, int), (3, int)))
        return MergedObjects(_together(self.kind, [one[0] for one in kept], labels), *columns)

    def _groups(self) -> list[list[int]]:
        """Rows that are one object: the surest begins, and each view gives the one that overlaps it most."""
        groups: list[list[int]] = []
        for row in sorted(range(len(self.said)), key=lambda row: -self.said[row][0]):
            _, label, view = self.said[row]
            best, most = None, self.overlap
            for group in groups:
                if self.said[group[0]][1] != label or any(self.said[other][2] == view for other in group):
                    continue
                share = _overlap(self.kind, self.shapes[group[0]], self.shapes[row])
                if share >= most:
                    best, most = group, share
            if best is None:
                groups.append([row])
            else:
                best.append(row)
        return groups

    def _one(self, group: list[int]) -> tuple[Any, float, int, int, Any]:
        """Shape, score, how many views found it and how many show it, and the label."""
        shapes = [self.shapes[row] for row in group]
        scores = np.array([self.said[row][0] for row in group])
        shape = shapes[0] if self.merge == "max" else _mean(self.kind, shapes, scores)
        views = max(self._views(self.kind, shape), len(group))
        # A box that few of the views found is less sure than one that all of them did.
        score = float(scores[0]) if self.merge == "max" else float(scores.sum() / views)
        return shape, score, len(group), views, self.said[group[0]][1]

    def _views(self, kind: str, shape: Any) -> int:
        x, y = _middle(kind, shape)
        height, width = self.seen[0].shape[-2:]
        at = min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)
        return sum(bool(seen[at]) for seen in self.seen)


def _kind(said: Any) -> str:
    do = "say one of boxes, rotated_boxes and polygons, beside scores and labels, and bring others back by "
    if not isinstance(said, Mapping):
        raise TargetError(
            f"expected a mapping for each view, with boxes, scores and labels, got {type(said).__name__}; "
            f"{do}sample.inverse(...)"
        )
    kinds = [name for name in KINDS if name in said]
    others = [str(name) for name in said if name not in (*KINDS, *_SAID)]
    if len(kinds) != 1 or others:
        more = "lines have no overlap by which they could be matched; " if "lines" in others else ""
        raise TargetError(
            f"expected objects of one kind for each view, got {', '.join(map(str, said))}; {more}{do}"
            f"sample.inverse({(others or ['lines'])[0]}=...)"
        )
    return kinds[0]


def _plain(value: Any) -> Array:
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def _rows(shapes: Any) -> list[Any]:
    if isinstance(shapes, Polygons):
        return list(shapes.rings)
    return list((shapes.corners() if isinstance(shapes, RotatedBoxes) else shapes.array).astype(float))


def _together(kind: str, shapes: list[Any], labels: Any) -> Any:
    if kind == "polygons":
        return Polygons(shapes, labels=labels)
    if kind == "rotated_boxes":
        corners = np.array(shapes).reshape(-1, 8)
        return RotatedBoxes(corners, "corners", labels=labels).to("cxcywha")
    return Boxes(np.array(shapes).reshape(-1, 4), "xyxy", labels=labels)


def _middle(kind: str, shape: Any) -> tuple[float, float]:
    points = np.concatenate(shape) if kind == "polygons" else np.asarray(shape).reshape(-1, 2)
    x, y = (points.min(axis=0) + points.max(axis=0)) / 2
    return float(x), float(y)


def _mean(kind: str, shapes: list[Any], scores: Floats) -> Any:
    """The mean shape, weighted by scores; of polygons, whose corners are no pairs, the one most like the others."""
    weights = scores / scores.sum() if scores.sum() > 0 else np.full(len(scores), 1 / len(scores))
    if kind == "boxes":
        return np.tensordot(weights, np.array(shapes), 1)
    if kind == "rotated_boxes":
        # Corners in the order that lies nearest those of the surest: a box may be read from any of its sides.
        first = shapes[0]
        turned = [min(_orders(one), key=lambda c: float(((c - first) ** 2).sum())) for one in shapes]
        return np.tensordot(weights, np.array(turned), 1)
    alike = [sum(w * _overlap(kind, one, other) for w, other in zip(weights, shapes, strict=True)) for one in shapes]
    return shapes[int(np.argmax(alike))]


def _orders(corners: Floats) -> list[Floats]:
    return [np.roll(way, k, axis=0) for way in (corners, corners[::-1]) for k in range(4)]


def _overlap(kind: str, one: Any, other: Any) -> float:
    """Intersection over union."""
    if kind == "boxes":
        low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
        both = float(np.clip(high - low, 0, None).prod())
        either = float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod()) - both
    elif kind == "rotated_boxes":
        a, b = (np.asarray(corners, np.float32) for corners in (one, other))
        both = float(cv2.intersectConvexConvex(a, b)[0])
        either = float(cv2.contourArea(a) + cv2.contourArea(b)) - both
    else:
        first, second = _drawn(one, other)
        both, either = float((first & second).sum()), float((first | second).sum())
    return both / either if either > 0 else 0.0


def _drawn(one: Sequence[Floats], other: Sequence[Floats]) -> tuple[Bools, Bools]:
    """Two polygons as small pictures of the part of the plane that holds both."""
    points = np.concatenate([*one, *other])
    low = points.min(axis=0)
    scale = (_FINE - 1) / max(float(np.ptp(points, axis=0).max()), 1e-9)
    found = []
    for rings in (one, other):
        picture = np.zeros((_FINE, _FINE), np.uint8)
        cv2.fillPoly(picture, [np.rint((ring - low) * scale).astype(np.int32) for ring in rings], 1)
        found.append(picture > 0)
    return found[0], found[1]
