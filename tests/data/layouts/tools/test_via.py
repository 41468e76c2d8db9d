"""The files of the VGG Image Annotator, as project, JSON and CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from imagemill.data import open_source
from tests.data.pictures import photo

SHAPES = (
    ({"name": "rect", "x": 4, "y": 5, "width": 6, "height": 3}, (4, 5, 6, 3)),
    ({"name": "polygon", "all_points_x": [4, 9, 9], "all_points_y": [5, 5, 8]}, (4, 5, 5, 3)),
    ({"name": "circle", "cx": 20, "cy": 10, "r": 5}, (15, 5, 10, 10)),
    ({"name": "ellipse", "cx": 20, "cy": 10, "rx": 5, "ry": 3, "theta": 0}, (15, 7, 10, 6)),
    ({"name": "point", "cx": 3, "cy": 4}, None),
)


def entry(name: str = "a.png", told: Any = None, **more: Any) -> dict[str, Any]:
    told = {"class": "cat"} if told is None else told
    regions = [{"shape_attributes": shape, "region_attributes": told} for shape, _ in SHAPES]
    return {"filename": name, "size": 123, "regions": regions, "file_attributes": {}, **more}


def write(root: Path, told: Any) -> None:
    photo(root / "a.png")
    (root / "via.json").write_text(json.dumps(told))


@pytest.mark.parametrize("form", ["project", "json", "version 1", "csv", "list"])
def test_forms(tmp_path: Path, form: str) -> None:
    one = entry()
    if form == "version 1":
        one["regions"] = {str(n): region for n, region in enumerate(one["regions"])}
    told: Any = {"a.png123": one}
    told = {"_via_settings": {}, "_via_img_metadata": told, "_via_attributes": {}} if form == "project" else told
    write(tmp_path, [one] if form == "list" else told)
    if form == "csv":
        (tmp_path / "via.json").unlink()
        with (tmp_path / "via_region_data.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["filename", "file_size", "file_attributes", "region_count", "region_id",
                           "region_shape_attributes", "region_attributes"])  # fmt: skip
            for n, (shape, _) in enumerate(SHAPES):
                rows.writerow(["a.png", 123, "{}", len(SHAPES), n, json.dumps(shape), '{"class": "cat"}'])
    source = open_source(tmp_path)
    assert (source.layout, source.problems, source.categories) == ("via", (), ("cat",))
    things = source.records[0].objects or ()
    assert [t.box for t in things] == [box for _, box in SHAPES]
    assert things[1].polygons == ((4, 5, 9, 5, 9, 8),)
    assert things[4].keypoints == ((3, 4, 2),)


@pytest.mark.parametrize(
    ("told", "extra", "category", "attributes"),
    [
        ({"Type": {"cat": True, "dog": False}}, {}, "cat", {}),
        ({"species": "cat"}, {}, "cat", {}),
        ({"species": "cat", "age": 3}, {"category": "species"}, "cat", {"age": 3}),
        ({"species": "cat", "age": "old"}, {}, "object", {"species": "cat", "age": "old"}),
        ({}, {}, "object", {}),
    ],
)
def test_which_attribute_is_the_class(
    tmp_path: Path, told: Any, extra: Any, category: str, attributes: dict[str, Any]
) -> None:
    write(tmp_path, {"a": entry(told=told, file_attributes={"label": "outdoors", "by": "me"})})
    source = open_source(tmp_path, extra=extra)
    (record,) = source
    assert (record.label, record.attributes) == ("outdoors", {"by": "me"})
    assert {(t.category, tuple(t.attributes.items())) for t in record.objects or ()} == {
        (category, tuple(attributes.items()))
    }
    assert ("regions without a class" in source.describe()) == (category == "object")


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    shapes: list[Any] = [{"name": "rect", "x": 1}, {"name": "rect", "x": 1, "y": 1, "width": 0, "height": 4}, None,
                         {"name": "polygon", "all_points_x": [1], "all_points_y": [1, 2]}, {"name": "blob"},
                         {"name": "polyline", "all_points_x": [1, 2], "all_points_y": [1, 2]}]  # fmt: skip
    regions = [{"shape_attributes": shape, "region_attributes": {"name": "cat"}} for shape in shapes]
    write(tmp_path, {"a": entry(regions=regions), "b": entry("gone.png"), "c": 5})
    source = open_source(tmp_path)
    assert [r.objects for r in source] == [None]
    assert len(source.problems) == 6
    assert "1 polyline regions passed over" in source.describe()
    with pytest.raises(
        im.SourceError, match="expected category as an attribute of regions, got 'x'; choose one of name"
    ):
        open_source(tmp_path, extra={"category": "x"})
    with pytest.raises(im.SourceError, match="got via, which is read only"):
        im.export(tmp_path / "a.png", tmp_path / "out", "via")
