"""The shapes of CVAT's XML files, one element each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.layouts.coco.coco_annotation import whole
from imagemill.data.layouts.tools.tool_shapes import (
    box_shape,
    ellipse_shape,
    flat_points,
    mask_shape,
    number_of,
    polygon_shape,
)
from imagemill.data.records.instances import Instance, Keypoint, Scalar

__all__ = ["SHAPES", "attributes_of", "read_shape"]

SHAPES = frozenset(("box", "polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton", "tag"))
_ENDS = ("xtl", "ytl", "xbr", "ybr")
_CUBOID = tuple(f"{axis}{end}" for end in ("tl1", "bl1", "tr1", "br1", "tl2", "bl2", "tr2", "br2") for axis in "xy")


def read_shape(node: Any, size: tuple[int, int] | None, keypoints: Mapping[str, Sequence[str]]) -> Instance | None:
    """The annotation that an element is; None for a polyline, which is none.

    Parameters
    ----------
    node : Element
        Such as ``<box label="car" xtl="1" ytl="2" xbr="3" ybr="4"/>``.
    size : tuple of int or None
        Height and width of the picture.
    keypoints : mapping
        Names of the points of each skeleton.

    Raises
    ------
    InputError
        When it does not fit.

    Examples
    --------
    >>> from xml.etree.ElementTree import fromstring
    >>> read_shape(fromstring('<box label="car" xtl="1" ytl="2" xbr="4" ybr="4"/>'), None, {}).box
    (1.0, 2.0, 3.0, 2.0)
    """
    label = (node.get("label") or "").strip()
    if not label:
        raise InputError(f"expected a {node.tag} with a label, got none; add it")
    more: dict[str, Any] = {"attributes": attributes_of(node)}
    degrees = number_of(node.get("rotation", 0), "rotation")
    if node.tag == "box":
        return box_shape(label, _numbers(node, _ENDS), degrees, **more)
    if node.tag == "polygon":
        return polygon_shape(label, _points(node, 3), **more)
    if node.tag == "ellipse":
        cx, cy, rx, ry = _numbers(node, ("cx", "cy", "rx", "ry"))
        return ellipse_shape(label, (cx, cy), (rx, ry), degrees, **more)
    if node.tag == "cuboid":
        flat = _numbers(node, _CUBOID)
        return box_shape(label, (min(flat[::2]), min(flat[1::2]), max(flat[::2]), max(flat[1::2])), **more)
    if node.tag == "points":
        placed = _points(node)
        seen = 1 if node.get("occluded") == "1" else 2
        return Instance(
            label, keypoints=tuple((x, y, seen) for x, y in zip(placed[::2], placed[1::2], strict=True)), **more
        )
    if node.tag == "mask":
        left, top, width, height = (int(v) for v in _numbers(node, ("left", "top", "width", "height")))
        return mask_shape(label, _rle(node.get("rle"), height, width), (left, top), size, **more)
    if node.tag == "skeleton":
        return Instance(label, keypoints=_skeleton(node, keypoints.get(label, ())), **more)
    return None


def attributes_of(node: Any, *, plain: bool = False) -> dict[str, Scalar]:
    """What an element says besides its place: its ``<attribute>``s and, unless `plain`, flags of the tool.

    Examples
    --------
    >>> from xml.etree.ElementTree import fromstring
    >>> attributes_of(fromstring('<box occluded="1"><attribute name="colour">red</attribute></box>'))
    {'occluded': 1, 'colour': 'red'}
    """
    found: dict[str, Scalar] = {}
    for name in () if plain else ("occluded", "group_id", "z_order", "rotation"):
        text = node.get(name)
        if text is not None and (name == "occluded" or text not in ("0", "0.0")):
            number = whole(text)
            found[name] = text if number is None else number
    for one in node.findall("attribute"):
        if one.get("name"):
            found[one.get("name")] = (one.text or "").strip()
    return found


def _numbers(node: Any, names: Sequence[str]) -> list[float]:
    return [number_of(node.get(name), f"{name} of a {node.tag}") for name in names]


def _points(node: Any, least: int = 1) -> tuple[float, ...]:
    text = (node.get("points") or "").strip().strip(";")
    return flat_points([pair.split(",") for pair in text.split(";")] if text else [], least)


def _rle(text: str | None, height: int, width: int) -> Any:
    """A mask from an RLE along its rows, background first."""
    lengths = [whole(word) for word in (text or "").split(",")]
    if None in lengths or min(height, width) < 1 or any(length is None or length < 0 for length in lengths):
        raise InputError(f"expected a mask as RLE, got {text!r:.40}; mend that shape")
    runs = np.array(lengths, dtype=np.int64)
    if height * width > 1 << 28 or int(runs.sum()) != height * width:
        raise InputError(f"expected runs that fill {height} x {width}, got a sum of {int(runs.sum())}; mend that shape")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)


def _skeleton(node: Any, names: Sequence[str]) -> tuple[Keypoint, ...]:
    placed: dict[str, Keypoint] = {}
    for point in node.findall("points"):
        x, y = _points(point)[:2]
        hidden = 1 if point.get("occluded") == "1" else 2
        placed[point.get("label", "")] = (0.0, 0.0, 0) if point.get("outside") == "1" else (x, y, hidden)
    keypoints = tuple(placed.get(name, (0.0, 0.0, 0)) for name in names or placed)
    if not any(keypoint[2] for keypoint in keypoints):
        raise InputError("expected a skeleton with a point in the picture, got none; mend or remove it")
    return keypoints
