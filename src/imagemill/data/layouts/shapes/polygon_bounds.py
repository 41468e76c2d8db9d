"""Small geometry of annotations: bounds, areas, polygons in parts. Pixels from the picture's outer corner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imagemill.data.records.instances import RLE, Instance

__all__ = ["area_of", "bounds_of_polygons", "bounds_of_rle", "joined", "polygon_area"]

Box = tuple[float, float, float, float]


def bounds_of_polygons(polygons: Sequence[Sequence[float]]) -> Box | None:
    """Left, top, width and height around polygons; None without any.

    Examples
    --------
    >>> bounds_of_polygons([(1, 2, 4, 2, 4, 8)])
    (1.0, 2.0, 3.0, 6.0)
    """
    if not polygons:
        return None
    xs = [x for part in polygons for x in part[0::2]]
    ys = [y for part in polygons for y in part[1::2]]
    return float(min(xs)), float(min(ys)), float(max(xs) - min(xs)), float(max(ys) - min(ys))


def bounds_of_rle(runs: RLE) -> Box | None:
    """Left, top, width and height around a mask; None where it is empty.

    Examples
    --------
    >>> bounds_of_rle(RLE(2, 3, (3, 1, 2)))
    (1.0, 1.0, 1.0, 1.0)
    """
    ends = np.cumsum(np.array(runs.counts, dtype=np.int64))
    first, last = ends[:-1:2], ends[1::2] - 1
    first, last = first[last >= first], last[last >= first]
    if not len(first):
        return None
    # A run that goes on in the next column touches the bottom and the top.
    whole = bool((first // runs.height != last // runs.height).any())
    top = 0 if whole else int((first % runs.height).min())
    bottom = runs.height if whole else int((last % runs.height).max()) + 1
    left, right = int(first[0]) // runs.height, int(last[-1]) // runs.height + 1
    return float(left), float(top), float(right - left), float(bottom - top)


def polygon_area(part: Sequence[float]) -> float:
    """Area inside one polygon in pixels, by the shoelace formula.

    Examples
    --------
    >>> polygon_area((0, 0, 4, 0, 4, 3, 0, 3))
    12.0
    """
    points = np.asarray(part, dtype=np.float64).reshape(-1, 2)
    x, y = points[:, 0], points[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)


def area_of(annotation: Instance) -> float:
    """Area of an annotation in pixels: of its mask, else within its polygons, else of its box.

    Examples
    --------
    >>> area_of(Instance("cat", (0.0, 0.0, 4.0, 3.0)))
    12.0
    """
    if annotation.rle is not None:
        return float(sum(annotation.rle.counts[1::2]))
    if annotation.polygons:
        return sum(map(polygon_area, annotation.polygons))
    return 0.0 if annotation.box is None else annotation.box[2] * annotation.box[3]


def joined(polygons: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """One polygon through all parts of an annotation.

    Each part is reached and left again by the same straight seam between the two nearest corners, which has no area.

    Examples
    --------
    >>> joined([(0, 0, 1, 0, 0, 1), (5, 0, 6, 0, 6, 1)])
    (0.0, 0.0, 1.0, 0.0, 5.0, 0.0, 6.0, 0.0, 6.0, 1.0, 5.0, 0.0, 1.0, 0.0, 0.0, 1.0)
    """
    whole = np.asarray(polygons[0], dtype=np.float64).reshape(-1, 2)
    for part in polygons[1:]:
        points = np.asarray(part, dtype=np.float64).reshape(-1, 2)
        distances = ((whole[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
        here, there = np.unravel_index(int(distances.argmin()), distances.shape)
        ring = np.concatenate((points[there:], points[: there + 1]))
        whole = np.concatenate((whole[: here + 1], ring, whole[here:]))
    return tuple(float(value) for value in whole.reshape(-1))
