"""Detectors of PyTorch: a list of pictures and a list of dicts, as those of torchvision take them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.core.targets import Boxes
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.making.carried_annotations import numbered

__all__ = ["converter"]


def converter(first: int, *, masks: bool) -> Callable[[LoadedBatch], Any]:
    """What turns a batch into pictures and targets.

    Parameters
    ----------
    first : int
        Number of the first category.
    masks : bool
        Whether to give masks where there are any.
    """
    require("torch", extra="torch")
    # No function within a function: other processes could not get it.
    return partial(_convert, first=first, masks=masks)


def _convert(batch: LoadedBatch, *, first: int, masks: bool) -> Any:
    torch = require("torch", extra="torch")
    if "boxes" not in batch.columns:
        raise InputError(
            f"expected a column of boxes, got {', '.join(batch.columns)}; open a dataset with boxes, such as COCO"
        )
    images = [torch.from_numpy(np.array(image)) for image in batch.image]
    targets = [
        {name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in one.items()}
        for one in (_target(batch, row, first, masks=masks) for row in range(len(batch)))
    ]
    return images, targets


def _target(batch: LoadedBatch, row: int, first: int, *, masks: bool) -> dict[str, Any]:
    boxes: Boxes = batch.boxes[row]
    if boxes.format != "xyxy":
        raise InputError(f"expected boxes in 'xyxy' for a detector, got {boxes.format!r}; convert them (boxes.to)")
    # Detectors refuse boxes without extent.
    edges = boxes.array
    kept = np.flatnonzero((edges[:, 2:] > edges[:, :2]).all(axis=1))
    edges = edges[kept]
    index = np.arange(len(boxes))[kept] if boxes.index is None else np.asarray(boxes.index)[kept]
    labels = numbered([] if boxes.labels is None else boxes.labels, batch.categories)
    if not isinstance(labels, np.ndarray) or len(labels) != len(boxes):
        do = "give every box a label, and the dataset an attribute `classes` with all names"
        raise InputError(f"{batch.keys[row]}: expected a class for each box, got {labels!r:.80}; {do}")
    area = (edges[:, 2] - edges[:, 0]) * (edges[:, 3] - edges[:, 1])
    annotations = batch.annotations[row] if "annotations" in batch.columns else None
    objects = None if annotations is None else [annotations.objects[at] for at in index.tolist()]
    crowd = [False] * len(index) if objects is None else [annotation.crowd for annotation in objects]
    if objects is not None:
        area = area * np.array([_share(annotation) for annotation in objects], np.float64)
    key = batch.keys[row]
    found: dict[str, Any] = {
        "boxes": edges.astype(np.float32),
        "labels": labels[kept] + first,
        "image_id": (-1 if isinstance(key, str) else int(key)) if annotations is None else annotations.image_id,
        "iscrowd": np.array(crowd, np.int64),
        "area": area.astype(np.float32),
    }
    if masks and "instances" in batch.columns:
        found["masks"] = _masks(batch.instances[row], index)
    if "keypoints" in batch.columns:
        found["keypoints"] = _keypoints(batch.keypoints[row], index)
    return found


def _masks(instances: Any, index: Any) -> Any:
    """Masks ``[n, h, w]`` of the annotations asked for, empty for those without one."""
    found = np.zeros((len(index), *instances.shape), np.uint8)
    rows = {number: row for row, number in enumerate(np.asarray(instances.index).tolist())}
    for at, number in enumerate(index.tolist()):
        if number in rows:
            found[at] = instances.array[rows[number]]
    return found


def _share(annotation: Any) -> float:
    """How much of its box an annotation covers, as the source says; all of it where that says nothing."""
    said = annotation.attributes.get("area")
    size = annotation.box[2] * annotation.box[3]
    return float(said) / size if isinstance(said, int | float) and size > 0 else 1.0


def _keypoints(points: Any, index: Any) -> Any:
    """Points by annotation ``[n, k, 3]``: x, y, and 1 where it is seen; zeros for those that are not."""
    belongs = np.zeros(len(points), np.int64) if points.instance is None else np.asarray(points.instance)
    counts = np.bincount(belongs) if len(belongs) else np.zeros(1, np.int64)
    found = np.zeros((len(index), int(counts.max()), 3), np.float32)
    for at, annotation in enumerate(index.tolist()):
        rows = np.flatnonzero(belongs == annotation)
        seen = np.asarray(points.visible)[rows]
        found[at, : len(rows), :2] = np.where(seen[:, None], points.array[rows], 0.0)
        found[at, : len(rows), 2] = seen
    return found
