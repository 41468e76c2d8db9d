"""Polygons, lines, rotated boxes and instance masks as the lines that are drawn of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import cv2
import numpy as np

from imagemill import Instances, Polygons, RotatedBoxes
from imagemill.app.figures.draw_annotations import Outline

__all__ = ["SHAPES", "around", "outlines_of"]

SHAPES = ("polygons", "lines", "rotated_boxes", "instances")
"""Names that they are given under."""


def outlines_of(shapes: Mapping[str, Any], plane: int | None = None) -> tuple[Outline, ...]:
    """The lines of some targets by name; of instance masks in a volume those of one slice.

    Without labels, each object has its number in the place of one, so that objects differ in colour.

    Examples
    --------
    >>> [one.label for one in outlines_of({"polygons": Polygons([[0, 0, 4, 0, 4, 4]], labels=["cat"])})]
    ['cat']
    """
    return tuple(
        Outline(label, part[:, ::-1] - 0.5, getattr(target, "closed", True))
        for target in shapes.values()
        for label, part in _parts(target, plane)
    )


def _parts(target: Any, plane: int | None) -> Iterable[tuple[Hashable, Any]]:
    numbers = range(len(target)) if target.index is None else np.asarray(target.index).tolist()
    labels = list(numbers if target.labels is None else target.labels)
    if isinstance(target, Polygons):
        return [(labels[owner], part) for owner, part in zip(target.owners.tolist(), target.parts, strict=True)]
    if isinstance(target, RotatedBoxes):
        return list(zip(labels, target.corners(), strict=True))
    assert isinstance(target, Instances)
    masks = target.masks if plane is None else target.masks[:, plane]
    return [(label, part) for label, mask in zip(labels, masks, strict=True) for part in around(mask)]


def around(mask: Any) -> list[Any]:
    """Polygons of a mask, in pixels from the outer corner."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [contour.reshape(-1, 2) + 0.5 for contour in found]
