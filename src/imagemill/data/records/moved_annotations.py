"""Annotations of a picture moved by a pipeline, and what became of each: kept, cut, or outside the frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError
from imagemill.core.targets import Boxes, Instances, Keypoints, Polygons, Target
from imagemill.data.codecs.base import Picture
from imagemill.data.layouts.shapes.polygon_bounds import area_of, bounds_of_polygons, bounds_of_rle
from imagemill.data.layouts.shapes.rle import mask_from_rle, rle_from_mask
from imagemill.data.records.as_targets import keypoint_labels, rings_of
from imagemill.data.records.instances import Instance, Keypoint, Scalar
from imagemill.data.records.orientation import Seen, objects_on
from imagemill.data.records.record import Record

__all__ = ["BOXES", "KEYPOINTS", "POLYGONS", "RUNS", "STORED_AS", "Annotations", "annotations_of", "counts_of"]

BOXES, POLYGONS, RUNS, KEYPOINTS = "boxes", "polygons", "instance masks", "keypoints"
"""What is counted, in the words of reports."""

STORED_AS = {POLYGONS: "outlines", RUNS: "masks of things"}
"""What lists of finished copies on disk call some of them."""

_NEAR = 1.0
"""Pixels by which a box may differ from the one around its polygon, and still be meant as that one."""

_ROUNDING = 1e-6

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """What is annotated in one picture, on its upright pixels.

    Parameters
    ----------
    objects : tuple of Instance
    shape : tuple of int
        Height and width of the picture.
    names : mapping of str to tuple of str
        Names of the keypoints of each category that has some.

    Examples
    --------
    >>> import imagemill as im
    >>> annotations = Annotations((Instance("cat", (1.0, 0.0, 2.0, 2.0)),), (4, 6))
    >>> sample = im.Pipeline([im.Flip("x")], seed=1)(image=np.zeros((4, 6), np.uint8), **annotations.targets())
    >>> annotations.moved(sample.targets, (4, 6))[0][0].box
    (3.0, 0.0, 2.0, 2.0)
    """

    objects: tuple[Instance, ...]
    shape: tuple[int, int]
    names: Mapping[str, Sequence[str]] | None = None

    def targets(self) -> dict[str, Target]:
        """Everything that moves, as targets of a pipeline; names that are not there have nothing to move."""
        found: dict[str, Target] = {}
        boxed = [number for number, annotation in enumerate(self.objects) if annotation.box is not None]
        if boxed:
            rows = [self.objects[number] for number in boxed]
            edges = np.array([annotation.box for annotation in rows])
            found["boxes"] = Boxes(edges, "xywh", [t.category for t in rows], np.array(boxed))
        keypoints = [keypoint for annotation in self.objects for keypoint in annotation.keypoints]
        if keypoints:
            points = np.array(keypoints, dtype=np.float64)
            owner = np.repeat(np.arange(len(self.objects)), [len(annotation.keypoints) for annotation in self.objects])
            labels = keypoint_labels(self.objects, self.names or {})
            found["keypoints"] = Keypoints(points[:, :2], "xy", points[:, 2] > 0, labels, owner)
            # The same points again, for where left and right change places, what is hidden goes with its point.
            found["plain"] = Keypoints(points[:, :2], "xy", points[:, 2] > 1, labels, owner)
        outlined = [number for number, annotation in enumerate(self.objects) if rings_of(annotation)]
        if outlined:
            found["polygons"] = Polygons([rings_of(self.objects[n]) for n in outlined], index=np.array(outlined))
        masked = [number for number, annotation in enumerate(self.objects) if annotation.rle is not None]
        if masked:
            masks = np.stack([self._mask(self.objects[number]) for number in masked])
            found["rle"] = Instances(masks.astype(bool), index=np.array(masked))
        return found

    def _mask(self, annotation: Instance) -> Any:
        runs = annotation.rle
        assert runs is not None
        if (runs.height, runs.width) != self.shape:
            got = f"{runs.height} x {runs.width}"
            raise CodecError(f"expected masks of the picture's size {self.shape}, got one of {got}; correct it")
        return mask_from_rle(runs)

    def moved(self, targets: Mapping[str, Target], shape: tuple[int, int]) -> tuple[tuple[Instance, ...], Counter[str]]:
        """The annotations as they are in the new frame, and what of them is not there any more.

        An annotation of whose box nothing is left is gone, and so is one without a box of which no other part is left.
        A box that was the one around its annotation's polygon or mask stays that.

        Parameters
        ----------
        targets : mapping
            What the pipeline made of `targets`.
        shape : tuple of int
            Height and width of the new picture.

        Returns
        -------
        tuple of Instance, and Counter
            How many boxes, polygons, masks and keypoints are outside the frame.
        """
        parts = _Parts(self.objects, targets, shape, self.names or {})
        left: list[Instance] = []
        gone: Counter[str] = Counter()
        for number, annotation in enumerate(self.objects):
            new = parts.annotation(number)
            if new is not None:
                left.append(new)
            gone.update(_gone(annotation, new))
        return tuple(left), +gone


class _Parts:
    """Moved parts by the number of their annotation."""

    def __init__(
        self,
        objects: Sequence[Instance],
        targets: Mapping[str, Target],
        shape: tuple[int, int],
        names: Mapping[str, Sequence[str]],
    ) -> None:
        self.objects, self.shape = objects, shape
        boxes, polygons, masks = (targets.get(name) for name in ("boxes", "polygons", "rle"))
        self.keypoints = _keypoints(objects, targets.get("keypoints"), targets.get("plain"), names)
        self.boxes: dict[int, Box] = {}
        self.share: dict[int, float] = {}
        if isinstance(boxes, Boxes) and boxes.index is not None and boxes.visibility is not None:
            made = zip(boxes.index.tolist(), boxes.array.tolist(), boxes.visibility.tolist(), strict=True)
            for number, (x, y, w, h), share in made:
                # A row that is only kept for the sake of other rows is no annotation.
                if share > 0:
                    self.boxes[number], self.share[number] = (x, y, w, h), share
        self.polygons: dict[int, list[list[float]]] = {}
        if isinstance(polygons, Polygons):
            self.polygons = dict(zip(np.asarray(polygons.index).tolist(), polygons.flat(), strict=True))
        self.first = np.cumsum([0, *(len(annotation.keypoints) for annotation in objects)]).tolist()
        self.masks: dict[int, Any] = {}
        if isinstance(masks, Instances):
            self.masks = dict(zip(np.asarray(masks.index).tolist(), masks.masks, strict=True))

    def annotation(self, number: int) -> Instance | None:
        """An annotation with its moved parts; None where it is gone."""
        annotation, box = self.objects[number], self.boxes.get(number)
        if annotation.box is not None and box is None:
            return None
        polygons = tuple(map(tuple, self.polygons.get(number, ())))
        mask = self.masks.get(number)
        runs = rle_from_mask(mask) if mask is not None and mask.any() else None
        keypoints = tuple(self.keypoints[self.first[number] : self.first[number + 1]])
        outlined = bool(polygons) or runs is not None
        if box is None and not outlined and not any(keypoint[2] for keypoint in keypoints):
            return None
        new = replace(annotation, polygons=polygons, rle=runs, keypoints=keypoints)
        if box is not None and _hugs(annotation):
            if not outlined:  # the box around the turned box is larger than the annotation, which is outside
                return None
            # Boxes that were asked to stand out of the frame do, and their polygons are cut.
            box = _around(new) if self._is_inside(box) else box
        new = replace(new, box=box)
        return replace(new, attributes=_attributes(annotation, new, self.share.get(number, 1.0)))

    def _is_inside(self, box: Box) -> bool:
        (x, y, w, h), (height, width) = box, self.shape
        return min(x, y) >= -_ROUNDING and x + w <= width + _ROUNDING and y + h <= height + _ROUNDING


def _keypoints(
    objects: Sequence[Instance], points: Target | None, plain: Target | None, names: Mapping[str, Sequence[str]]
) -> list[Keypoint]:
    """Every keypoint in the order of the annotations; one that is not in the frame as unlabelled ones are written."""
    if not isinstance(points, Keypoints) or not isinstance(plain, Keypoints):
        return []
    # A name whose other side the category does not know has no place in its list.
    known = [new == old for new, old in zip(points.labels, keypoint_labels(objects, names), strict=True)]
    rows = zip(points.array.tolist(), points.visible.tolist(), plain.visible.tolist(), known, strict=True)
    return [(x, y, 2 if full else 1) if seen and named else (0.0, 0.0, 0) for (x, y), seen, full, named in rows]


def _around(annotation: Instance) -> Box | None:
    if annotation.polygons:
        return bounds_of_polygons(annotation.polygons)
    return None if annotation.rle is None else bounds_of_rle(annotation.rle)


def _hugs(annotation: Instance) -> bool:
    """Whether a box is the one around its annotation's polygon or mask."""
    around = _around(annotation)
    if around is None or annotation.box is None:
        return False
    ends = [(x, y, x + w, y + h) for x, y, w, h in (around, annotation.box)]
    return bool(max(abs(a - b) for a, b in zip(*ends, strict=True)) <= _NEAR)


def _attributes(old: Instance, new: Instance, share: float) -> Mapping[str, Scalar]:
    """Attributes that follow the shape, so that they do not tell of the picture before."""
    changed: dict[str, Scalar] = {}
    area = old.attributes.get("area")
    if isinstance(area, int | float) and not isinstance(area, bool):
        before, after = area_of(old), area_of(new)
        changed["area"] = area * after / before if before else after
    # As Pascal VOC means it: the box does not hold all of the annotation.
    if old.attributes.get("truncated") in (0, False) and share < 1 - _ROUNDING:
        changed["truncated"] = 1
    return {**old.attributes, **changed}


def _gone(old: Instance, new: Instance | None) -> Counter[str]:
    """How much of an annotation is not there any more."""
    parts = Counter(_counts(old))
    parts.subtract({} if new is None else _counts(new))
    return parts


def _counts(annotation: Instance) -> dict[str, int]:
    return {
        BOXES: int(annotation.box is not None),
        POLYGONS: len(annotation.polygons),
        RUNS: int(annotation.rle is not None),
        KEYPOINTS: sum(keypoint[2] > 0 for keypoint in annotation.keypoints),
    }


def counts_of(objects: Sequence[Instance]) -> Counter[str]:
    """How many boxes, polygons, masks and labelled keypoints there are."""
    total: Counter[str] = Counter()
    for annotation in objects:
        total.update(_counts(annotation))
    return +total


def annotations_of(
    record: Record, picture: Picture, names: Mapping[str, Sequence[str]] | None = None
) -> tuple[Annotations | None, str]:
    """What is annotated in a record's picture, on its pixels as they were read, and what to know about it.

    Raises
    ------
    CodecError
        When it does not fit the picture.
    """
    if record.objects is None:
        return None, ""
    if len(picture.spatial_shape) != 2:
        return None, "annotations in it were left: boxes and polygons are for pictures" if record.objects else ""
    objects, note = objects_on(record, Seen.of(picture))
    height, width = picture.spatial_shape
    return Annotations(objects, (height, width), names), note
