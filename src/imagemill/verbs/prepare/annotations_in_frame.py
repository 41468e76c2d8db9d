"""Moving annotations along with the pixels of their picture."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import CodecError
from imagemill.core.targets import Mask
from imagemill.data.records.instances import RLE, Instance
from imagemill.engine.annotations.half_planes import within
from imagemill.verbs.prepare.common_frame import Placing

__all__ = ["decoded_rle", "encoded_runs", "moved"]

Points = npt.NDArray[np.float64]


def moved(
    objects: Sequence[Instance],
    numbers: Mapping[str, int],
    placing: Placing,
    picture: tuple[int, int],
) -> list[dict[str, Any]]:
    """Annotations in the coordinates of the frame; those of which nothing is left in it are dropped.

    Parameters
    ----------
    objects : sequence of Instance
        In pixels of the picture as it was read.
    numbers : mapping
        Number of each category.
    placing : Placing
    picture : tuple of int
        Height and width of the picture.

    Returns
    -------
    list of dict
        ``category``, ``box`` (left, top, right, bottom edges) or None, ``polygons``, the keypoints (x, y and 0 not
        labelled, 1 hidden, 2 visible; those that left the frame are 0), ``runs`` or None, ``crowd``, ``index``
        among the given ones, and ``attributes`` as JSON or None.

    Examples
    --------
    >>> from imagemill.verbs.prepare.common_frame import place
    >>> annotations = [Instance("cat", (10.0, 20.0, 30.0, 40.0)), Instance("cat", (0.0, 0.0, 5.0, 5.0))]
    >>> found = moved(annotations, {"cat": 0}, place((100, 200), (50, 50), "crop"), (100, 200))
    >>> found
    []
    >>> moved(annotations, {"cat": 0}, place((100, 200), (50, 50), "stretch"), (100, 200))[0]["box"]
    [2.5, 10.0, 10.0, 30.0]
    """
    found: list[dict[str, Any]] = []
    for index, annotation in enumerate(objects):
        _check(annotation)
        one = _one(annotation, placing, picture)
        if one is None:
            continue
        if annotation.category not in numbers:
            msg = f"expected one of the categories {', '.join(map(repr, numbers))}, got {annotation.category!r}"
            raise CodecError(f"{msg}; mend the annotation, or the list of categories")
        extra = json.dumps(dict(annotation.attributes), sort_keys=True) if annotation.attributes else None
        one |= {"category": numbers[annotation.category], "crowd": annotation.crowd}
        one |= {"index": index, "attributes": extra}
        found.append(one)
    return found


def _check(annotation: Instance) -> None:
    numbers = [*(annotation.box or ()), *itertools.chain(*annotation.polygons, *annotation.keypoints)]
    if not np.isfinite(numbers).all():
        raise CodecError(f"expected finite coordinates of {annotation.category!r}, got {numbers}; mend the annotation")
    if odd := [len(flat) for flat in annotation.polygons if len(flat) % 2]:
        msg = f"expected an x and a y for every corner of {annotation.category!r}, got {odd[0]} numbers"
        raise CodecError(f"{msg}; mend the annotation")


def _one(annotation: Instance, placing: Placing, picture: tuple[int, int]) -> dict[str, Any] | None:
    def there(xy: Points) -> Points:
        return _into_frame(xy, placing)

    height, width = placing.frame
    box = None
    if annotation.box is not None:
        left, top, wide, high = annotation.box
        corners = there(np.array([[left, top], [left + wide, top + high]]))
        low, up = corners.min(axis=0), corners.max(axis=0)
        low, up = np.clip(low, 0, [width, height]), np.clip(up, 0, [width, height])
        if (up <= low).any():
            return None
        box = [*low.tolist(), *up.tolist()]
    polygons = []
    for flat in annotation.polygons:
        corners = there(np.array(flat, dtype=np.float64).reshape(-1, 2))
        inside = within(corners, np.zeros(2), np.array([width, height], dtype=np.float64))
        polygons += [part.ravel().tolist() for part in inside if len(part) >= 3]
    keypoints = _keypoints(annotation, there, width, height)
    runs = None if annotation.rle is None else _moved_rle(annotation.rle, placing, picture)
    # An annotation without a box is there as long as any other part of it is.
    if box is None and not polygons and runs is None and not any(keypoint[2] for keypoint in keypoints):
        return None
    return {"box": box, "polygons": polygons, "joints": keypoints, "runs": runs}


def _into_frame(xy: Points, placing: Placing) -> Points:
    """Picture to frame coordinates, both from the outer corner."""
    scale = np.array([i / w for i, w in zip(placing.inner, placing.window, strict=True)][::-1])
    start, before = np.array(placing.start[::-1]), np.array(placing.before[::-1])
    moved_points: Points = (xy - start) * scale + before
    return moved_points


def _keypoints(annotation: Instance, there: Any, width: int, height: int) -> list[list[float]]:
    """Keypoints; they are indices, while everything else counts from the outer corner."""
    if not annotation.keypoints:
        return []
    given = np.array(annotation.keypoints, dtype=np.float64)
    xy = there(given[:, :2] + 0.5) - 0.5
    inside = ((xy >= -0.5) & (xy <= np.array([width, height]) - 0.5)).all(axis=1)
    seen = np.where(inside, given[:, 2], 0)
    xy[seen == 0] = 0.0  # as unlabelled points are written everywhere
    keypoints: list[list[float]] = np.column_stack([xy, seen]).tolist()
    return keypoints


def _moved_rle(runs: RLE, placing: Placing, picture: tuple[int, int]) -> list[int] | None:
    mask = decoded_rle(runs.counts, (runs.height, runs.width))
    if mask.shape != picture:
        got = f"{runs.height} x {runs.width}"
        raise CodecError(f"expected masks of the picture's size {picture}, got one of {got}; mend the annotation")
    there = placing.pipeline(picture)(mask=Mask(mask), key=0).mask
    return encoded_runs(there) if there.any() else None


def decoded_rle(counts: Sequence[int], shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A mask of 0 and 1 from its runs, which go down the columns, background first.

    Examples
    --------
    >>> decoded_rle((1, 2, 1), (2, 2)).tolist()
    [[0, 1], [1, 0]]
    """
    values = np.arange(len(counts), dtype=np.uint8) & 1
    return np.ascontiguousarray(np.repeat(values, counts).reshape(shape[::-1]).T)


def encoded_runs(mask: npt.NDArray[Any]) -> list[int]:
    """The runs of a mask; what is not 0 is in it.

    Examples
    --------
    >>> encoded_runs(np.array([[0, 1], [1, 0]]))
    [1, 2, 1]
    """
    flat = (mask.T.ravel() != 0).astype(np.int8)
    ends = np.flatnonzero(np.diff(flat, prepend=0)).tolist()
    edges = [0, *ends, flat.size]
    return [b - a for a, b in itertools.pairwise(edges)]
