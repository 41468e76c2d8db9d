"""Annotations on their way to a detector: what of them no target of a pipeline holds, and their masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.targets import Boxes, Instances, Keypoints, Label, Target
from imagemill.data.backing import is_mask_of
from imagemill.data.layouts.shapes.image_lookup import ANNOTATED
from imagemill.data.records.instances import Instance
from imagemill.verbs.prepare.annotations_in_frame import decoded_rle

__all__ = ["Annotations", "annotations_of", "filled", "not_annotated", "numbered", "with_names"]

Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Annotations:
    """What is annotated in one picture; ``boxes.index`` says which of them a box is.

    Parameters
    ----------
    image_id : int
        The picture's number in the source where it has one, or else in the dataset.
    objects : tuple of Instance
    """

    image_id: int
    objects: tuple[Instance, ...]


def not_annotated(rows: Any) -> int:
    """How many rows of a dataset are marked as pictures that nobody annotated, among others that somebody did."""
    table = getattr(getattr(rows, "dataset", None), "table", None)
    if table is None or ANNOTATED not in table.columns:
        return 0
    return sum(value is False for value in table[ANNOTATED].to_list())


def annotations_of(annotations: Annotations, shape: tuple[int, int], *, masks: bool) -> dict[str, Target]:
    """The annotations as a target that nothing changes, and their masks as one that follows the geometry.

    Parameters
    ----------
    annotations : Annotations
    shape : pair of int
        Height and width of the picture.
    masks : bool
        Whether to draw the masks.

    Returns
    -------
    dict
        ``annotations``, and ``instances``: the masks of all annotations with a polygon or a mask of this picture.
    """
    if not masks:
        return {"annotations": Label(annotations)}
    index: list[int] = []
    found: list[Any] = []
    for at, annotation in enumerate(annotations.objects):
        if is_mask_of(annotation.rle, shape) and annotation.rle is not None:
            found.append(decoded_rle(annotation.rle.counts, shape))
        elif annotation.polygons:
            found.append(filled([np.asarray(flat, np.float64).reshape(-1, 2) for flat in annotation.polygons], shape))
        else:
            continue
        index.append(at)
    stack = np.stack(found) if found else np.zeros((0, *shape), np.uint8)
    return {"annotations": Label(annotations), "instances": Instances(stack, index=np.array(index, np.int64))}


def filled(rings: Sequence[npt.NDArray[np.float64]], shape: tuple[int, int]) -> Bits:
    """The pixels whose centres lie within any of some polygons ``(k, 2)`` in x and y from the outer corner.

    Within one polygon by the rule of even and odd.

    Examples
    --------
    >>> filled([np.array([[1.0, 0.0], [3.0, 0.0], [3.0, 1.0], [1.0, 1.0]])], (2, 4)).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    height, width = shape
    steps = np.zeros((height, width + 1), np.int64)
    for ring in rings:
        x, y = ring.T
        right, below = np.roll(x, -1), np.roll(y, -1)
        # Rows whose centres an edge crosses, the upper end counted and the lower not.
        first = np.clip(np.ceil(np.minimum(y, below) - 0.5), 0, height).astype(np.int64)
        count = np.clip(np.ceil(np.maximum(y, below) - 0.5), 0, height).astype(np.int64) - first
        edge = np.repeat(np.arange(len(ring)), count)
        row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count)
        share = (row + 0.5 - y[edge]) / (below - y)[edge]
        at = x[edge] + share * (right - x)[edge]
        order = np.lexsort((at, row))
        column = np.clip(np.ceil(at[order] - 0.5), 0, width).astype(np.int64)
        # Each row is crossed an even number of times: in and out, in turns.
        np.add.at(steps, (row[order], column), 1 - 2 * (np.arange(len(column)) % 2))
    return (steps.cumsum(axis=1)[:, :width] > 0).astype(np.uint8)


def numbered(labels: Any, categories: Sequence[str]) -> Any:
    """Labels of boxes as numbers of their categories; as they are where they are no such names."""
    found = list(labels)
    if found and all(isinstance(label, str) for label in found):
        numbers = {name: number for number, name in enumerate(categories)}
        if not all(label in numbers for label in found):
            return found
        found = [numbers[label] for label in found]
    return np.array(found, np.int64) if all(isinstance(label, int | np.integer) for label in found) else found


def with_names(columns: Mapping[str, Any], categories: Sequence[str]) -> dict[str, Any]:
    """Columns with those that say what boxes and points are: ``box_label`` and ``keypoint_name`` for each picture.

    Of a video they are lists with one entry for each frame, as its boxes and points are.
    """
    found = {name: column for name, column in columns.items() if name != "annotations"}
    for column in columns.values():
        if not isinstance(column, list) or not column:
            continue
        each = [one for value in column for one in (value if isinstance(value, list) else [value])]
        if each and all(isinstance(one, Boxes) and one.labels is not None for one in each):
            found.setdefault(
                "box_label", [_of_each(boxes, lambda b: numbered(b.labels, categories)) for boxes in column]
            )
        elif each and all(isinstance(one, Keypoints) and one.labels is not None for one in each):
            found.setdefault(
                "keypoint_name", [_of_each(points, lambda k: list(map(str, k.labels))) for points in column]
            )
    return found


def _of_each(value: Any, of: Callable[[Any], Any]) -> Any:
    """What is said of an annotation, or of that of each frame."""
    return [of(one) for one in value] if isinstance(value, list) else of(value)
