"""labelme: a JSON file beside each picture, with its shapes, flags, and often the picture itself.

Format: the files of labelme (Wada, https://github.com/wkentaro/labelme). Coordinates count from the picture's outer
corner; shapes of one ``group_id`` are one annotation, and points of a group are its keypoints.
"""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import CodecError, InputError, SourceError
from imagemill.data.codecs.sniff import sniff
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.coco.coco_annotation import whole
from imagemill.data.layouts.guess.annotation_files import is_labelme
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_polygons
from imagemill.data.layouts.tools.json_file import load_json
from imagemill.data.layouts.tools.tool_shapes import (
    box_shape,
    ellipse_shape,
    flat_points,
    mask_shape,
    polygon_shape,
)
from imagemill.data.layouts.tools.tool_source import TOOLS_HOLD, Gathering, Said, read_only
from imagemill.data.records.instances import Instance, Keypoint
from imagemill.data.records.record import Blob

__all__ = ["Labelme"]

_LINES = ("line", "linestrip")


class Labelme(Layout):
    """labelme's JSON files, one for each picture."""

    name = "labelme"
    title = "labelme JSON beside each image (read only)"
    holds = TOOLS_HOLD - {"split", "group"}
    place = 130
    recognised = (
        "JSON files with `shapes` and `imagePath`, one for each picture; a picture that is not there is taken from "
        "`imageData`. Shapes of one `group_id` are one annotation, with points as its keypoints; flags are classes of "
        "the picture. Lines are passed over and counted."
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether JSON files hold shapes and the path of a picture."""
        files = _files(look)
        some = files[:: max(1, len(files) // 8)][:8]
        found = sum(is_labelme(path) for path in some)
        if not found or 2 * found < len(some):
            return None
        return Guess(
            0.97, f"{len(files)} JSON file{'s' * (len(files) > 1)} with shapes and an imagePath, as of labelme"
        )

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read shapes as annotations, and flags as classes of pictures.

        Lines are passed over and counted: they enclose nothing. ``extra={"images": FOLDER}`` says where pictures are.
        """
        taking = Gathering(self.name, look, options)
        keypoints: dict[str, dict[str, None]] = defaultdict(dict)
        read: list[tuple[Path, Said, list[_Group]]] = []
        for path in _files(look):
            if look.is_folder and not is_labelme(path):
                continue
            taking.also_read.append(path)
            try:
                said, groups = _said(load_json(path, "labelme JSON"), path, taking)
            except (SourceError, InputError) as error:
                taking.problem(path.name, str(error))
                continue
            read.append((path, said, groups))
            for group in groups:
                if (owner := _owner(group)) is not None:
                    keypoints[owner.category] |= dict.fromkeys(t.category for kind, t in group if kind == "point")
        # How many keypoints an annotation has is known when all files are read.
        for path, said, groups in read:
            if said.objects is not None:
                said.objects = [one for group in groups for one in _annotations(group, keypoints)]
            taking.add(said, taking.key_of(path))
        if look.is_folder:
            taking.rest("without a JSON file")
        return taking.source(keypoints={category: list(names) for category, names in keypoints.items()})

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Refuse: it is only read."""
        read_only(self.name)


_Group = list[tuple[str, Instance]]
"""Shapes of one group, each with its kind."""


def _files(look: Look) -> list[Path]:
    return [path for _, path in look.ending(".json")]


def _said(told: Any, path: Path, taking: Gathering) -> tuple[Said, list[_Group]]:
    if not isinstance(told, Mapping) or not isinstance(told.get("shapes"), list):
        raise InputError(f"{path.name}: expected an object with shapes, got {told!r:.60}; give labelme's file")
    sides = [whole(told.get(side)) for side in ("imageHeight", "imageWidth")]
    size = (sides[0] or 0, sides[1] or 0) if all(side and side > 0 for side in sides) else None
    name = told.get("imagePath")
    said = Said(path.name, name if isinstance(name, str) and name.strip() else path.stem, size)
    said.embedded = _embedded(told.get("imageData"), path)
    flags = told.get("flags")
    if isinstance(flags, Mapping):
        said.classes = tuple(str(name) for name, value in flags.items() if value is True)
        if flags and not told["shapes"]:
            said.objects = None  # a set whose pictures are sorted, not drawn upon
    groups: dict[Any, _Group] = defaultdict(list)
    for place, shape in enumerate(told["shapes"]):
        try:
            kind, annotation = _annotation(shape, size)
        except InputError as error:
            said.lost += 1
            taking.problem(f"{path.name}: shape {place}", str(error))
            continue
        if annotation is None:
            said.lost += 1
            taking.left[f"{kind} shapes passed over: lines enclose nothing"] += 1
            continue
        group = shape.get("group_id")
        groups[group if isinstance(group, int | str) else ("alone", place)].append((kind, annotation))
    return said, list(groups.values())


def _annotation(shape: Any, size: tuple[int, int] | None) -> tuple[str, Instance | None]:
    """What kind of shape it is, and the annotation; None for lines."""
    if not isinstance(shape, Mapping) or not isinstance(shape.get("label"), str) or not shape["label"].strip():
        raise InputError(f"expected a shape with a label, got {shape!r:.60}; mend it")
    label, kind, points = shape["label"].strip(), str(shape.get("shape_type") or "polygon"), shape.get("points")
    flags = shape.get("flags")
    told = {str(k): v for k, v in (flags.items() if isinstance(flags, Mapping) else ()) if isinstance(v, bool)}
    group, text = shape.get("group_id"), shape.get("description")
    if isinstance(group, int | str):
        told["group_id"] = group  # type: ignore[assignment]
    if isinstance(text, str) and text:
        told["description"] = text  # type: ignore[assignment]
    more: dict[str, Any] = {"attributes": told}
    if kind in _LINES:
        return kind, None
    if kind == "mask":
        left, top, *_ = flat_points(points, 2)
        return kind, mask_shape(label, _mask(shape.get("mask"), size), (round(left), round(top)), size, **more)
    if kind in ("point", "points"):
        flat = flat_points(points)
        seen: tuple[Keypoint, ...] = tuple((x, y, 2) for x, y in zip(flat[::2], flat[1::2], strict=True))
        return kind, Instance(label, keypoints=seen, **more)
    if kind == "circle":
        cx, cy, x, y = flat_points(points, 2)[:4]
        radius = float(np.hypot(x - cx, y - cy))
        return kind, ellipse_shape(label, (cx, cy), (radius, radius), **more)
    if kind == "rectangle":
        flat = flat_points(points, 2)
        if len(flat) == 4:
            return kind, box_shape(label, flat, **more)
        return kind, box_shape(label, (min(flat[::2]), min(flat[1::2]), max(flat[::2]), max(flat[1::2])), **more)
    if kind in ("polygon", "rotation", "oriented_rectangle"):
        return kind, polygon_shape(label, flat_points(points, 3), **more)
    raise InputError(f"expected a shape of labelme (polygon, rectangle, circle...), got {kind!r:.40}; draw it anew")


def _owner(group: _Group) -> Instance | None:
    """The annotation that the points of a group belong to; None where there are no points, or no one annotation."""
    others = [annotation for kind, annotation in group if kind != "point"]
    return others[0] if others and len(others) < len(group) and len({t.category for t in others}) == 1 else None


def _annotations(group: _Group, keypoints: Mapping[str, Iterable[str]]) -> list[Instance]:
    """The annotations of one group: polygons of one label are parts of one, and points its keypoints."""
    points = [annotation for kind, annotation in group if kind == "point"]
    annotations: list[Instance] = []
    parts: dict[str, list[Instance]] = defaultdict(list)
    for kind, annotation in group:
        if kind == "polygon":
            parts[annotation.category].append(annotation)
        elif kind != "point":
            annotations.append(annotation)
    for same in parts.values():
        flat = tuple(annotation.polygons[0] for annotation in same)
        annotations.append(replace(same[0], box=bounds_of_polygons(flat), polygons=flat))
    if _owner(group) is None or len(annotations) != 1:
        return [*annotations, *points]
    placed = {point.category: point.keypoints[0] for point in points}
    return [
        replace(
            annotations[0],
            keypoints=tuple(placed.get(name, (0.0, 0.0, 0)) for name in keypoints[annotations[0].category]),
        )
    ]


def _mask(told: Any, size: tuple[int, int] | None) -> Any:
    """The pixels of a mask, which is a PNG in base64."""
    import PIL.Image

    try:
        data = base64.b64decode(told if isinstance(told, str) else "", validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if size is None or image.height > size[0] + 1 or image.width > size[1] + 1:
                    raise InputError(f"expected a mask within {size}, got {image.height} x {image.width}; draw it anew")
                return np.asarray(image.convert("L")) > 0
    except InputError:
        raise
    # Pillow's parsers raise what they like on damaged data.
    except Exception as error:
        raise InputError(f"expected a mask as PNG in base64, got {told!r:.30}: {error}; draw it anew") from error


def _embedded(told: Any, path: Path) -> Blob | None:
    """The picture within the file, read when it is needed."""
    if not isinstance(told, str) or not told:
        return None
    try:
        kind = sniff(base64.b64decode(told[:4096], validate=True))
    except (binascii.Error, ValueError):
        return None
    suffix = {"jpeg": ".jpg"}.get(kind or "", f".{kind}" if kind else ".png")
    return Blob(f"{path.stem}{suffix}", suffix, partial(_decoded, path))


def _decoded(path: Path) -> bytes:
    try:
        return base64.b64decode(load_json(path, "labelme JSON")["imageData"], validate=True)
    except (SourceError, KeyError, TypeError, ValueError) as error:
        raise CodecError(f"{path}: expected the picture under imageData, got {error}; mend that file") from error


LAYOUTS: tuple[Layout, ...] = (Labelme(),)
