"""Label Studio: a JSON file of tasks with the results of their annotators, and the pictures that it was given.

Format: "Export annotations" of Label Studio's documentation (https://labelstud.io/guide/export), JSON and JSON-MIN.
Places and lengths are in percent of the picture's width and height; what is turned is turned clockwise about its first
corner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError
from imagemill.data.codecs.registry import is_readable_name
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.coco.coco_annotation import whole
from imagemill.data.layouts.guess.annotation_files import is_tasks
from imagemill.data.layouts.shapes.image_lookup import plain_name
from imagemill.data.layouts.tools.json_file import load_json
from imagemill.data.layouts.tools.labelstudio_brush import brush_mask
from imagemill.data.layouts.tools.tool_shapes import (
    box_shape,
    ellipse_shape,
    flat_points,
    mask_shape,
    number_of,
    polygon_shape,
)
from imagemill.data.layouts.tools.tool_source import TOOLS_HOLD, Gathering, Said, read_only
from imagemill.data.records.instances import Instance, Keypoint

__all__ = ["LabelStudio"]

_LABELS = ("rectanglelabels", "polygonlabels", "keypointlabels", "brushlabels", "ellipselabels", "labels")
_IMAGES = ("image", "img", "picture", "photo", "url", "file", "path")
_OF_CLASSES = ("choices", "taxonomy")
_OF_TASK = frozenset(("id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "created_by"))


class LabelStudio(Layout):
    """Label Studio's JSON exports of tasks with pictures."""

    name = "label-studio"
    title = "Label Studio JSON with its images (read only)"
    holds = TOOLS_HOLD - {"split", "group"}
    place = 150
    recognised = (
        "JSON of tasks with results (also JSON-MIN and `completions`). Pictures are found by the end of their "
        "address. Choices are classes of the picture, other data columns; the first annotation of a task is read, "
        "predictions are not."
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether there is a JSON file of tasks with results."""
        found = _files(look)
        if not found:
            return None
        names = ", ".join(path.name for path in found[:3]) + (", ..." if len(found) > 3 else "")
        return Guess(0.97, f"{names}: JSON of tasks with results, as Label Studio has it")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read regions as annotations, choices as classes of pictures, and the other data of a task as columns.

        Of several annotations of one task the first is taken (one marked as ground truth before others); predictions
        are left. ``extra={"images": FOLDER}`` says where the pictures are.
        """
        taking = Gathering(self.name, look, options)
        tasks: list[tuple[Said, list[Any], Path]] = []
        keypoints: dict[str, dict[str, None]] = defaultdict(dict)
        for path in _files(look) or [look.path]:
            told = load_json(path, "Label Studio JSON")
            taking.also_read.append(path)
            for number, task in enumerate(told if isinstance(told, list) else [told]):
                where = f"{path.name}: task {task.get('id', number) if isinstance(task, Mapping) else number}"
                try:
                    said, results = _task(task, where, taking)
                except InputError as error:
                    taking.problem(where, str(error))
                    continue
                tasks.append((said, results, path))
        read = [(said, _regions(results, said, taking), path) for said, results, path in tasks]
        for _, regions, _ in read:
            for region in regions:
                if region.owner is not None:
                    keypoints[region.owner.annotation.category][region.annotation.category] = None
        for said, regions, path in read:
            if said.objects is not None:
                said.objects = list(_annotations(regions, keypoints))
            taking.add(said, taking.key_of(path))
        return taking.source(keypoints={category: list(names) for category, names in keypoints.items()})

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Refuse: it is only read."""
        read_only(self.name)


class _Region:
    """An annotation, and the one that it is a point of."""

    def __init__(self, annotation: Instance) -> None:
        self.annotation = annotation
        self.owner: _Region | None = None


def _files(look: Look) -> list[Path]:
    paths = [path for key, path in look.ending(".json") if key.count("/") <= 2]
    return [path for path in paths[:64] if is_tasks(path)]


def _task(task: Any, where: str, taking: Gathering) -> tuple[Said, list[Any]]:
    """What a task says of its picture besides regions, and its results."""
    if not isinstance(task, Mapping):
        raise InputError(f"expected a task with data, got {task!r:.60}; mend it")
    data = task.get("data")
    if not isinstance(data, Mapping):  # JSON-MIN: data and results side by side
        results = [r for name, value in task.items() if isinstance(value, list) for r in _minimal(name, value)]
        said = _of_data({k: v for k, v in task.items() if k not in _OF_TASK}, where)
        said.objects = None if not results and not any(isinstance(v, list) for v in task.values()) else []
        choice = task.get("choice", task.get("choices"))
        said.classes = _names({"choices": choice}) if choice else ()
        for name in ("choice", "choices"):
            said.attributes.pop(name, None)
        return said, results
    said = _of_data(data, where)
    given = task.get("annotations", task.get("completions"))
    made = [one for one in (given if isinstance(given, list) else []) if isinstance(one, Mapping)]
    kept = [one for one in made if not one.get("was_cancelled") and isinstance(one.get("result"), list)]
    kept.sort(key=lambda one: not one.get("ground_truth"))
    taking.left["predictions left: only what people annotated is read"] += bool(task.get("predictions"))
    taking.left["annotations of a task that has several left: the first is read"] += max(0, len(kept) - 1)
    if not kept:
        said.objects = None
        taking.left["tasks that nobody annotated"] += 1
        return said, []
    return said, list(kept[0]["result"])


def _of_data(data: Mapping[str, Any], where: str) -> Said:
    texts = {str(k): v for k, v in data.items() if isinstance(v, str) and v.strip()}
    named = [k for k in _IMAGES if k in texts] + [k for k, v in texts.items() if is_readable_name(Path(plain_name(v)))]
    if not named:
        raise InputError(f"expected a task with a picture such as data.image, got {sorted(texts)[:5]}; leave it out")
    plain = {k: v for k, v in data.items() if k != named[0] and isinstance(v, str | int | float | bool)}
    return Said(where, texts[named[0]], attributes=plain)


def _minimal(name: str, values: list[Any]) -> Iterable[dict[str, Any]]:
    """Results of JSON-MIN, where a region is its own value."""
    for number, value in enumerate(values):
        if isinstance(value, Mapping) and any(label in value for label in (*_LABELS, *_OF_CLASSES)):
            sides = {side: value.get(side) for side in ("original_width", "original_height")}
            yield {"id": f"{name} {number}", "value": value, **sides}


def _regions(results: Sequence[Any], said: Said, taking: Gathering) -> list[_Region]:
    """The regions of one annotation; choices go to the picture, other answers to its columns."""
    names: dict[Any, tuple[str, ...]] = {}
    shapes: dict[Any, Mapping[str, Any]] = {}
    for place, result in enumerate(results):
        value = result.get("value") if isinstance(result, Mapping) else None
        if not isinstance(value, Mapping):
            continue  # a relation between two regions
        if said.size is None:
            sides = [whole(result.get(side)) for side in ("original_height", "original_width")]
            said.size = (sides[0] or 0, sides[1] or 0) if all(side and side > 0 for side in sides) else None
        key = result.get("id", place)
        found = tuple(name for label in _LABELS for name in _names({label: value.get(label)}))
        names[key] = tuple(dict.fromkeys((*names.get(key, ()), *found)))
        if {"x", "points", "rle"} & set(value):
            shapes.setdefault(key, result)
        elif not found:
            _answer(result, value, said)
    regions: dict[Any, _Region] = {}
    for key, result in shapes.items():
        try:
            regions[key] = _Region(_region(result, names[key], said.size))
        except InputError as error:
            said.lost += 1
            taking.problem(f"{said.where} region {key}", str(error))
    for key, region in regions.items():
        parent = regions.get(shapes[key].get("parentID"))
        if parent is not None and parent is not region and _is_point(region) and not _is_point(parent):
            region.owner = parent
    return list(regions.values())


def _is_point(region: _Region) -> bool:
    return bool(region.annotation.keypoints)


def _answer(result: Mapping[str, Any], value: Mapping[str, Any], said: Said) -> None:
    """An answer about the picture as a whole."""
    classes = [name for kind in _OF_CLASSES for name in _names({kind: value.get(kind)})]
    if classes:
        said.classes = tuple(dict.fromkeys((*said.classes, *classes)))
        return
    for kind in ("text", "rating", "number"):
        told = value.get(kind)
        told = "\n".join(map(str, told)) if isinstance(told, list) else told
        if isinstance(told, str | int | float):
            said.attributes[str(result.get("from_name", kind))] = told


def _names(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Names in a value; levels of a taxonomy are joined."""
    found: list[str] = []
    for told in value.values():
        told = told.get("choices", []) if isinstance(told, Mapping) else told
        for one in told if isinstance(told, list) else [told]:
            if isinstance(one, list):
                found.append("/".join(map(str, one)))
            elif isinstance(one, str) and one:
                found.append(one)
    return tuple(found)


def _region(result: Mapping[str, Any], names: tuple[str, ...], size: tuple[int, int] | None) -> Instance:
    if not names:
        raise InputError("expected a region with a label, got none; give it one or remove it")
    if size is None:
        raise InputError("expected original_width and original_height, got none; export the task again")
    if whole(result.get("image_rotation", 0)) not in (0, None):
        got = result.get("image_rotation")
        raise InputError(f"expected a picture that was not turned in the tool, got {got} degrees; annotate it upright")
    value, (height, width) = result["value"], size
    more: dict[str, Any] = {"attributes": {"also": "|".join(names[1:])} if len(names) > 1 else {}}
    label = names[0]
    if isinstance(value.get("rle"), list):
        return mask_shape(label, brush_mask(value["rle"], size), (0, 0), size, **more)
    if "points" in value:
        flat = flat_points(value["points"], 3)
        return polygon_shape(label, [v * (height if n % 2 else width) / 100 for n, v in enumerate(flat)], **more)
    x, y = (number_of(value.get(axis), axis) * side / 100 for axis, side in (("x", width), ("y", height)))
    degrees = number_of(value.get("rotation") or 0, "rotation")
    if "radiusX" in value:
        rx, ry = number_of(value["radiusX"], "radiusX"), number_of(value.get("radiusY"), "radiusY")
        return ellipse_shape(label, (x, y), (rx * width / 100, ry * height / 100), degrees, **more)
    if "height" in value:
        w, h = number_of(value.get("width"), "width"), number_of(value["height"], "height")
        return box_shape(label, (x, y, x + w * width / 100, y + h * height / 100), degrees, (x, y), **more)
    return Instance(label, keypoints=((x, y, 2),), **more)


def _annotations(regions: Sequence[_Region], keypoints: Mapping[str, Iterable[str]]) -> Iterable[Instance]:
    """Regions as annotations, with those that are points of another among its keypoints."""
    points: dict[int, dict[str, Keypoint]] = defaultdict(dict)
    for region in regions:
        if region.owner is not None:
            points[id(region.owner)][region.annotation.category] = region.annotation.keypoints[0]
    for region in regions:
        if region.owner is not None:
            continue
        placed = points.get(id(region))
        names = keypoints.get(region.annotation.category, ())
        joined = tuple(placed.get(name, (0.0, 0.0, 0)) for name in names) if placed else region.annotation.keypoints
        yield replace(region.annotation, keypoints=joined)


LAYOUTS: tuple[Layout, ...] = (LabelStudio(),)
