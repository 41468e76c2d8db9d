"""Annotations of a record as the targets a pipeline moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from imagemill.core.targets import Boxes, Keypoints
from imagemill.data.records.instances import Instance

__all__ = ["boxes_of", "keypoint_labels", "keypoint_names_of", "keypoints_of", "links_of", "rings_of"]


def boxes_of(objects: Sequence[Instance], *, crowds: bool = False) -> Boxes | None:
    """Boxes in ``xywh`` with category names as labels, or None where there are none; crowds when asked for.

    Examples
    --------
    >>> boxes_of([Instance("cat", (1.0, 0.0, 2.0, 2.0))]).labels
    ['cat']
    """
    chosen = [o for o in objects if o.box is not None and (crowds or not o.crowd)]
    if not chosen:
        return None
    return Boxes(np.array([o.box for o in chosen]), "xywh", [o.category for o in chosen])


def keypoints_of(objects: Sequence[Instance], names: Sequence[str] = ()) -> Keypoints | None:
    """The keypoints of all annotations, row after row, or None where there are none.

    Points that are not labelled stay in their row, not visible, so that rows keep their meaning.

    Parameters
    ----------
    objects : sequence of Instance
    names : sequence of str
        Names of one annotation's keypoints; numbers stand in where they do not fit.

    Examples
    --------
    >>> keypoints_of([Instance("person", keypoints=((5, 6, 2), (0, 0, 0)))], ["nose", "ear"]).visible.tolist()
    [True, False]
    """
    found = [o for o in objects if o.keypoints]
    if not found:
        return None
    points = np.array([keypoint for o in found for keypoint in o.keypoints], dtype=np.float64)
    labels = keypoint_labels(found, {o.category: names for o in found})
    instance = np.repeat(np.arange(len(objects)), [len(o.keypoints) for o in objects])
    return Keypoints(points[:, :2], "xy", points[:, 2] > 0, labels, instance)


def rings_of(annotation: Instance) -> list[tuple[float, ...]]:
    """The polygons of an annotation that have three corners at least: fewer go around nothing.

    Examples
    --------
    >>> rings_of(Instance("cat", polygons=((0, 0, 1, 0, 1, 1), (5, 5, 6, 6))))
    [(0, 0, 1, 0, 1, 1)]
    """
    return [part for part in annotation.polygons if len(part) >= 6]


def keypoint_labels(objects: Sequence[Instance], names: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of all keypoints, annotation after annotation; numbers stand in where those of a category do not fit.

    Examples
    --------
    >>> keypoint_labels([Instance("face", keypoints=((5, 6, 2), (0, 0, 0)))], {"face": ["nose", "ear"]})
    ['nose', 'ear']
    """
    labels: list[str] = []
    for o in objects:
        known = names.get(o.category, ())
        labels += known if len(known) == len(o.keypoints) else map(str, range(len(o.keypoints)))
    return labels


def keypoint_names_of(
    categories: Iterable[str], common: Sequence[str], info: Mapping[str, Any]
) -> dict[str, list[str]]:
    """The names of each category's keypoints: its own where the source says them, else the common ones.

    Examples
    --------
    >>> keypoint_names_of(["cat", "dog"], ["nose"], {"keypoints": {"dog": {"names": ["snout"]}}})
    {'cat': ['nose'], 'dog': ['snout']}
    """
    own = info.get("keypoints")
    own = own if isinstance(own, Mapping) else {}
    found: dict[str, list[str]] = {}
    for name in categories:
        said = own.get(name)
        found[name] = list(map(str, said["names"] if isinstance(said, Mapping) and "names" in said else common))
    return found


def links_of(objects: Sequence[Instance], links: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Rows of `keypoints_of` to join by lines, from the skeleton of one annotation.

    Examples
    --------
    >>> two = [Instance("person", keypoints=((1, 1, 2), (2, 2, 2)))] * 2
    >>> links_of(two, [(0, 1)])
    ((0, 1), (2, 3))
    """
    rows: list[tuple[int, int]] = []
    first = 0
    for o in objects:
        rows += [(first + a, first + b) for a, b in links if max(a, b) < len(o.keypoints)]
        first += len(o.keypoints)
    return tuple(rows)
