"""VIA: the JSON and CSV files of the VGG Image Annotator, versions 1 and 2.

Format: Dutta and Zisserman (2019), "The VIA Annotation Software for Images, Audio and Video", and the tool's own files:
a project (under ``_via_img_metadata``), its annotations as JSON, or a CSV with a row for each region.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.base import Guess, Layout, Look, ReadSource, Source, WriteTarget, Written
from imagemill.data.layouts.guess.annotation_files import is_via
from imagemill.data.layouts.tools.json_file import load_json
from imagemill.data.layouts.tools.tool_shapes import (
    box_shape,
    ellipse_shape,
    flat_points,
    number_of,
    polygon_shape,
)
from imagemill.data.layouts.tools.tool_source import TOOLS_HOLD, Gathering, Said, read_only
from imagemill.data.records.instances import Instance, Scalar

__all__ = ["Via"]

_CATEGORY = ("label", "class", "category", "name", "type", "object", "object_name")

Entry = tuple[str, Any, list[tuple[Any, Any]]]
"""Name of a picture, its attributes, and shape and attributes of each region."""


class Via(Layout):
    """The files of the VGG Image Annotator."""

    name = "via"
    title = "VGG Image Annotator (VIA) JSON or CSV with its images (read only)"
    holds = TOOLS_HOLD - {"rle", "split", "group"}
    place = 160
    recognised = (
        "JSON or CSV of the VGG Image Annotator, versions 1 and 2. `--option category=NAME` says which attribute "
        "of a region is its class."
    )

    def guess(self, look: Look) -> Guess | None:
        """Say whether there is such a JSON or CSV file."""
        found = _files(look)
        if not found:
            return None
        return Guess(0.97, f"{', '.join(path.name for path in found[:3])}: regions of pictures, as VIA has them")

    def read(self, look: Look, options: ReadSource) -> Source:
        """Read regions as annotations.

        ``extra={"category": NAME}`` says which attribute of a region is its class; else it is one called label, class,
        category, name or type, or the only one. Attributes of pictures are columns, or their class where one is
        called so. Polylines are passed over and counted.
        """
        taking = Gathering(self.name, look, options)
        read: list[tuple[Path, Entry]] = []
        for path in _files(look) or [look.path]:
            taking.also_read.append(path)
            read += [(path, entry) for entry in _entries(path)]
        category = _category((told for _, (_, _, regions) in read for _, told in regions), options)
        for path, (name, told, regions) in read:
            said = Said(f"{path.name}: {name}", name, attributes=_plain(told))
            label = next((said.attributes.pop(k) for k in _CATEGORY if isinstance(said.attributes.get(k), str)), None)
            said.classes = () if not label else (str(label),)
            said.objects = list(_annotations(regions, said, taking, category))
            taking.add(said, taking.key_of(path))
        return taking.source()

    def write(self, source: Source, out: Path, options: WriteTarget) -> Written:
        """Refuse: it is only read."""
        read_only(self.name)


def _files(look: Look) -> list[Path]:
    paths = [path for key, path in look.ending(".json", ".csv") if key.count("/") <= 2]
    return [path for path in paths[:64] if is_via(path)]


def _entries(path: Path) -> Iterable[Entry]:
    """The pictures of one file."""
    if path.suffix.lower() == ".csv":
        yield from _rows(path)
        return
    told = load_json(path, "VIA JSON")
    if isinstance(told, Mapping) and isinstance(told.get("_via_img_metadata"), Mapping):
        told = told["_via_img_metadata"]
    if not isinstance(told, Mapping | list):
        raise SourceError(f"{path}: expected pictures with regions, got {told!r:.60}; give VIA's file")
    for entry in told.values() if isinstance(told, Mapping) else told:
        if isinstance(entry, Mapping) and isinstance(entry.get("filename"), str):
            regions = entry.get("regions") or []
            listed = list(regions.values()) if isinstance(regions, Mapping) else regions
            yield entry["filename"], entry.get("file_attributes"), [_pair(one) for one in listed]


def _pair(region: Any) -> tuple[Any, Any]:
    told = region if isinstance(region, Mapping) else {}
    return told.get("shape_attributes"), told.get("region_attributes")


def _rows(path: Path) -> Iterable[Entry]:
    found: dict[str, Entry] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                name = row.get("filename") or ""
                if not name or name.startswith("#"):
                    continue
                entry = found.setdefault(name, (name, _loaded(row.get("file_attributes")), []))
                shape = _loaded(row.get("region_shape_attributes"))
                if shape:
                    entry[2].append((shape, _loaded(row.get("region_attributes"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: expected a CSV file of VIA, got {error}; save it as UTF-8") from error
    yield from found.values()


def _loaded(text: str | None) -> Any:
    try:
        return json.loads(text) if text and text.strip() else {}
    except (ValueError, RecursionError):
        return text


def _category(regions: Iterable[Any], options: ReadSource) -> str | None:
    """Which attribute is the class; None where there is none."""
    asked = options.extra.get("category")
    counts = Counter(str(name) for told in regions if isinstance(told, Mapping) for name in told)
    if asked is not None:
        if asked not in counts:
            names = ", ".join(counts) or "none"
            raise SourceError(f"expected category as an attribute of regions, got {asked!r}; choose one of {names}")
        return str(asked)
    usual = [name for word in _CATEGORY for name in counts if name.casefold() == word]
    return usual[0] if usual else next(iter(counts)) if len(counts) == 1 else None


def _plain(told: Any) -> dict[str, Scalar]:
    """Attributes as plain values; of boxes to tick those that are ticked."""
    found: dict[str, Scalar] = {}
    for name, value in told.items() if isinstance(told, Mapping) else ():
        if isinstance(value, Mapping):
            value = "|".join(str(option) for option, ticked in value.items() if ticked)
        if isinstance(value, str | int | float) and value != "":
            found[str(name)] = value
    return found


def _annotations(
    regions: Sequence[tuple[Any, Any]], said: Said, taking: Gathering, category: str | None
) -> Iterable[Instance]:
    for number, (shape, told) in enumerate(regions):
        attributes = _plain(told)
        label = str(attributes.pop(category, "") if category else "")
        if not label:
            label = "object"
            taking.left["regions without a class, read as 'object' (--option category=NAME names the attribute)"] += 1
        try:
            annotation = _shape(shape, label, attributes)
        except InputError as error:
            said.lost += 1
            taking.problem(f"{said.where} region {number}", str(error))
            continue
        if annotation is None:
            said.lost += 1
            taking.left["polyline regions passed over: lines enclose nothing"] += 1
        else:
            yield annotation


def _shape(shape: Any, label: str, attributes: Mapping[str, Scalar]) -> Instance | None:
    if not isinstance(shape, Mapping):
        raise InputError(f"expected a region with a shape, got {shape!r:.60}; mend it")
    kind = shape.get("name")
    more: dict[str, Any] = {"attributes": attributes}

    def of(*names: str) -> list[float]:
        return [number_of(shape.get(name), name) for name in names]

    if kind == "rect":
        x, y, width, height = of("x", "y", "width", "height")
        return box_shape(label, (x, y, x + width, y + height), **more)
    if kind == "circle":
        cx, cy, radius = of("cx", "cy", "r")
        return ellipse_shape(label, (cx, cy), (radius, radius), **more)
    if kind == "ellipse":
        cx, cy, rx, ry = of("cx", "cy", "rx", "ry")
        radians = number_of(shape.get("theta") or 0, "theta")
        return ellipse_shape(label, (cx, cy), (rx, ry), radians * 57.29577951308232, **more)
    if kind == "point":
        x, y = of("cx", "cy")
        return Instance(label, keypoints=((x, y, 2),), **more)
    if kind in ("polygon", "polyline"):
        xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
        if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
            raise InputError(f"expected as many x as y of a {kind}, got {xs!r:.30} and {ys!r:.30}; mend that region")
        flat = flat_points([list(pair) for pair in zip(xs, ys, strict=True)], 3 if kind == "polygon" else 1)
        return polygon_shape(label, flat, **more) if kind == "polygon" else None
    raise InputError(f"expected a shape of VIA (rect, polygon, circle...), got {kind!r:.40}; draw it anew")


LAYOUTS: tuple[Layout, ...] = (Via(),)
