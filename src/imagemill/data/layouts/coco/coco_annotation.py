"""The parts of one annotation of a COCO file: box, polygons or mask, keypoints, in the shapes that tools write them.

A part that does not fit is left out and named; the rest of the annotation is kept as long as anything of it is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons, bounds_of_rle
from imagemill.data.layouts.shapes.rle import counts_from_text
from imagemill.data.records.instances import RLE, Instance, Keypoint, Scalar

__all__ = ["read_annotation", "scalars", "visibility", "whole"]

_OF_ANNOTATION = frozenset(("image_id", "category_id", "bbox", "segmentation", "keypoints", "num_keypoints", "iscrowd"))

Polygons = tuple[tuple[float, ...], ...]


def read_annotation(
    entry: Mapping[str, Any], category: str, keypoints: int, size: tuple[int, int] | None
) -> tuple[Instance | None, list[str]]:
    """One annotation, and what of it did not fit; None where nothing is left.

    Parameters
    ----------
    entry : mapping
        As the file has it.
    category : str
        Its name.
    keypoints : int
        How many keypoints the category has; 0 where that is not said.
    size : tuple of int or None
        Height and width of the picture.

    Examples
    --------
    >>> annotation, faults = read_annotation({"segmentation": [0, 0, 4, 0, 4, 3]}, "cat", 0, None)
    >>> annotation.box, annotation.polygons, faults
    ((0.0, 0.0, 4.0, 3.0), ((0.0, 0.0, 4.0, 0.0, 4.0, 3.0),), [])
    """
    faults: list[str] = []
    polygons: Polygons = ()
    runs: RLE | None = None
    points: tuple[Keypoint, ...] = ()
    box: tuple[float, float, float, float] | None = None
    told = entry.get("segmentation")
    try:
        if isinstance(told, Mapping):
            runs = _runs(told, size)
        elif told:
            polygons = _polygons(told, faults)
    except InputError as error:
        faults.append(str(error))
    around = bounds_of_polygons(polygons) or (None if runs is None else bounds_of_rle(runs))
    try:
        box = _box(entry.get("bbox"), outlined=around is not None)
    except InputError as error:
        faults.append(str(error))
    try:
        points = _keypoints(entry.get("keypoints") or [], keypoints)
    except InputError as error:
        faults.append(str(error))
    if box is None and around is None and not points:
        return None, faults or ["expected a bbox, a segmentation or keypoints with something in it, got none; add it"]
    crowd = entry.get("iscrowd")
    is_crowd = crowd is True or bool(whole(crowd))
    return Instance(category, box or around, polygons, runs, points, is_crowd, scalars(entry, _OF_ANNOTATION)), faults


def scalars(entry: Mapping[str, Any], known: frozenset[str]) -> dict[str, Scalar]:
    """The plain values of an entry besides those that are known."""
    return {str(k): v for k, v in entry.items() if k not in known and isinstance(v, str | int | float | bool)}


def whole(value: Any) -> int | None:
    """A whole number, also where it is written as ``640.0`` or as text; None where it is none.

    Examples
    --------
    >>> whole(640.0), whole("640"), whole(640.5), whole(True)
    (640, 640, None, None)
    """
    if isinstance(value, int):
        return None if isinstance(value, bool) else value
    try:
        number = float(value) if isinstance(value, str | float) else math.nan
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and number.is_integer() else None


def _box(told: Any, *, outlined: bool) -> tuple[float, float, float, float] | None:
    if not told or (outlined and told == [0, 0, 0, 0]):  # what tools write for a box that they do not know
        return None
    numbers = _numbers("bbox", told)
    if len(numbers) != 4 or min(numbers[2:]) < 0:
        raise InputError(
            f"expected bbox as left, top, width, height with sizes of 0 or more, got {numbers}; mend that entry"
        )
    if min(numbers[2:]) == 0:
        raise InputError(f"expected a bbox with a width and a height, got {numbers}, which holds nothing; mend it")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _polygons(told: Any, faults: list[str]) -> Polygons:
    """Polygons as a list of flat lists; also one flat list, and corners as pairs."""
    if not isinstance(told, list):
        raise InputError(f"expected segmentation as polygons or runs, got {told!r:.60}; mend that entry")
    if not any(isinstance(part, list | Mapping) for part in told):
        told = [told]  # one polygon that is not in a list of its own
    elif all(isinstance(part, list) and len(part) == 2 and not isinstance(part[0], list) for part in told):
        told = [told]  # one polygon of pairs
    parts = []
    for part in told:
        try:
            flat = _numbers("segmentation", _flat(part))
            if len(flat) < 6 or len(flat) % 2:
                raise InputError(
                    f"expected polygons of 3 or more points (x, y each), got {len(flat)} numbers; mend that entry"
                )
        except InputError as error:
            faults.append(str(error))
        else:
            parts.append(tuple(flat))
    return tuple(parts)


def _flat(part: Any) -> Any:
    if isinstance(part, list) and part and all(isinstance(pair, list) for pair in part):
        return [number for pair in part for number in pair]
    return part


def _runs(told: Mapping[str, Any], size: tuple[int, int] | None) -> RLE:
    shape, counts = told.get("size"), told.get("counts")
    sides = [whole(side) for side in shape] if isinstance(shape, list) else []
    if len(sides) != 2 or not all(side is not None and 0 < side < 1 << 20 for side in sides):
        raise InputError(f"expected runs with a size of height and width, got {shape!r:.60}; mend that entry")
    height, width = (int(side or 0) for side in sides)
    # Of a photo that EXIF turns, both orientations are right.
    if size is not None and (height, width) not in (size, size[::-1]):
        raise InputError(f"expected runs of a picture of {size[0]} x {size[1]}, got {[height, width]}; mend that entry")
    if isinstance(counts, str):
        return RLE(height, width, counts_from_text(counts))
    lengths = [whole(count) for count in counts] if isinstance(counts, list) else [None]
    if None in lengths:
        raise InputError(f"expected runs as whole numbers or text, got {counts!r:.60}; mend that entry")
    return RLE(height, width, tuple(int(count or 0) for count in lengths))


def _keypoints(told: Any, count: int) -> tuple[Keypoint, ...]:
    """Keypoints as x, y and visibility; also as x and y alone, where all that are not 0, 0 are visible."""
    flat = _numbers("keypoints", _flat(told))
    if count:
        pairs = len(flat) == 2 * count
        fits = pairs or len(flat) in (0, 3 * count)
    else:
        pairs = len(flat) % 3 != 0 and len(flat) % 2 == 0
        fits = pairs or len(flat) % 3 == 0
    if not fits:
        wanted = f"3 numbers for each of {count} keypoints" if count else "3 numbers per keypoint"
        raise InputError(f"expected {wanted} (x, y, visibility), got {len(flat)}; mend that entry")
    if pairs:
        keypoints = tuple((x, y, 2 * ((x, y) != (0, 0))) for x, y in zip(flat[::2], flat[1::2], strict=True))
    else:
        keypoints = tuple((x, y, visibility(v)) for x, y, v in zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    # People too small to label have only zeros: they hold no point at all.
    return keypoints if any(keypoint[2] > 0 for keypoint in keypoints) else ()


def visibility(value: float) -> int:
    """Visibility 0, 1 or 2; a share (how sure somebody was) counts as visible from a half, and as hidden below.

    Examples
    --------
    >>> visibility(2.0), visibility(0.8), visibility(0.2), visibility(-1.0)
    (2, 2, 1, 0)
    """
    if value.is_integer():
        return min(2, max(0, int(value)))
    return 0 if value < 0 else 2 if value >= 0.5 else 1


def _numbers(name: str, values: Any) -> list[float]:
    if not isinstance(values, Sequence) or isinstance(values, str) or not all(map(_is_finite, values)):
        raise InputError(f"expected {name} as a list of finite numbers, got {values!r:.60}; mend that entry")
    return [float(v) for v in values]


def _is_finite(value: Any) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
