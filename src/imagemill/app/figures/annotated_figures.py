"""Annotated pictures: what is marked in them, and what a pipeline leaves of each, as `augment` would write it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from imagemill import Image, Mask, Pipeline
from imagemill.app.figures.draw_annotations import Outline
from imagemill.app.figures.figure import Shown
from imagemill.app.figures.shape_outlines import around
from imagemill.data import Annotations, boxes_of, keypoint_labels, keypoints_of, links_of, mask_from_rle

__all__ = ["shown_annotations", "shown_draws"]

Links = Sequence[tuple[int, int]]


def shown_annotations(image: Image, mask: Mask | None, annotations: Annotations, links: Links) -> Shown:
    """A picture with its label map and all that is annotated in it; `links` join the keypoints of one annotation."""
    objects = annotations.objects
    points = keypoints_of(objects)
    if points is not None:
        points = replace(points, labels=keypoint_labels(objects, annotations.names or {}))
    outlines = [
        (annotation.category, np.reshape(part, (-1, 2))) for annotation in objects for part in annotation.polygons
    ]
    for annotation in objects:
        if annotation.rle is not None:
            outlines += [(annotation.category, part) for part in around(mask_from_rle(annotation.rle))]
    return Shown(
        image,
        mask,
        boxes_of(objects, crowds=True),
        points,
        outlines=tuple(Outline(name, part[:, ::-1] - 0.5) for name, part in outlines),
        links=links_of(objects, links),
    )


def shown_draws(
    pipeline: Pipeline, source: Shown, annotations: Annotations, links: Links, key: str | int, epochs: Iterable[int]
) -> list[Shown]:
    """What a pipeline makes of a picture and the annotations in it, in each of some epochs."""
    made: list[Shown] = []
    given: dict[str, Any] = {n: target for n, target in source.targets.items() if n in ("image", "mask")}
    given |= annotations.targets()
    for epoch in epochs:
        sample = pipeline(**given, key=key, epoch=epoch)
        image: Any = sample.targets["image"]
        mask: Any = sample.targets.get("mask")
        height, width = image.canonical().shape[:2]
        objects, _ = annotations.moved(sample.targets, (height, width))
        left = replace(annotations, objects=objects, shape=(height, width))
        made.append(replace(shown_annotations(image, mask, left, links), applied=sample.applied))
    return made
