"""Label Studio's JSON and JSON-MIN, its percent, its turned boxes, its brush and its addresses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.data import Source, open_source
from imagemill.data.layouts.shapes.rle import mask_from_rle
from imagemill.data.layouts.tools.labelstudio_brush import brush_mask
from imagemill.verbs.scan.scan import scan
from tests.data.pictures import photo

SIZE = (30, 40)
SIDES = {"original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0}


def region(kind: str, value: dict[str, Any], label: str | None = "cat", key: str = "r1", **more: Any) -> dict[str, Any]:
    value = value if label is None else {**value, kind: [label]}
    return {"id": key, "type": kind, "from_name": "label", "to_name": "image", **SIDES, "value": value, **more}


def rect(x: float, y: float, w: float, h: float, turn: float = 0, **more: Any) -> dict[str, Any]:
    return region("rectanglelabels", {"x": x, "y": y, "width": w, "height": h, "rotation": turn}, **more)


def task(*results: Any, image: str = "/data/upload/1/1a2b3c4d-a.png", **more: Any) -> dict[str, Any]:
    made = {"id": 11, "completed_by": 1, "was_cancelled": False, "ground_truth": False, "result": list(results)}
    return {"id": 1, "annotations": [made], "predictions": [], "data": {"image": image}, **more}


def one(root: Path, *results: Any, picture: str = "images/1a2b3c4d-a.png", **more: Any) -> Source:
    photo(root / picture, 1, (*SIZE, 3))
    (root / "project-1.json").write_text(json.dumps([task(*results, **more)]))
    return open_source(root)


def said(source: Source) -> str:
    return " | ".join([*map(str, source.problems), *source.notes])


def packed(values: Any, sizes: tuple[int, ...] = (3, 4, 8, 16)) -> list[int]:
    """Bytes of a brush, by the description of the format: runs of one value, and short stretches as they are."""
    flat = np.asarray(values, np.uint8).ravel().tolist()
    bits = f"{len(flat):032b}" + f"{7:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    at = 0
    while at < len(flat):
        run = next((n for n in range(at, len(flat)) if flat[n] != flat[at]), len(flat)) - at
        if run > 3:
            run = min(run, 1 << sizes[3])
            bits += "1" + "11" + f"{run - 1:0{sizes[3]}b}" + f"{flat[at]:08b}"
        else:
            run = min(5, len(flat) - at)
            bits += "0" + "00" + f"{run - 1:0{sizes[0]}b}" + "".join(f"{v:08b}" for v in flat[at : at + run])
        at += run
    bits += "0" * (-len(bits) % 8)
    return [int(bits[n : n + 8], 2) for n in range(0, len(bits), 8)]


def test_regions_in_percent(tmp_path: Path) -> None:
    source = one(
        tmp_path,
        rect(10, 20, 25, 30, key="a"),
        rect(50, 50, 25, 10, 90, key="b", label="dog"),
        region("polygonlabels", {"points": [[10, 10], [50, 10], [50, 60]], "closed": True}, key="c"),
        region("ellipselabels", {"x": 50, "y": 50, "radiusX": 10, "radiusY": 20, "rotation": 0}, key="d"),
        region("keypointlabels", {"x": 25, "y": 50, "width": 0.3}, key="e", label="nose"),
    )
    assert (source.layout, source.categories, source.problems) == ("label-studio", ("cat", "dog", "nose"), ())
    plain, turned, outline, oval, nose = source.records[0].objects or ()
    assert plain.box == (4, 6, 10, 9)
    # 10 x 3 pixels from (20, 15), a quarter turn clockwise about that corner: to the left of it, and down.
    assert turned.box == (17, 15, 3, 10)
    assert (outline.polygons, outline.box) == (((4, 3, 20, 3, 20, 18),), (4, 3, 16, 15))
    assert oval.box == (16, 9, 8, 12)
    assert nose.keypoints == ((10, 15, 2),)
    assert source.records[0].size == SIZE
    assert source.also_read == (tmp_path / "project-1.json",)
    assert im.prepare(tmp_path, tmp_path.parent / f"{tmp_path.name}-store").made == 1


def test_points_of_a_box_are_its_keypoints_and_a_shape_may_be_named_apart(tmp_path: Path) -> None:
    shape = {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0}
    source = one(
        tmp_path,
        region("rectangle", shape, None, key="a"),
        region("labels", {**shape, "labels": ["ape"]}, None, key="a"),
        region("keypointlabels", {"x": 25, "y": 10}, "nose", key="b", parentID="a"),
        region("keypointlabels", {"x": 50, "y": 20}, "tail", key="c", parentID="a"),
        {"type": "relation", "from_id": "a", "to_id": "b"},
    )
    ((ape,),) = [r.objects for r in source]
    assert (ape.category, ape.box, ape.keypoints) == ("ape", (0, 0, 20, 15), ((10, 3, 2), (20, 6, 2)))
    assert source.keypoint_names == ("nose", "tail")


@pytest.mark.parametrize("sizes", [(3, 4, 8, 16), (5, 2, 9, 11)])
def test_the_brush(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    mask = np.zeros(SIZE, bool)
    mask[3:9, 5:20] = mask[20, 30] = mask[-1, -1] = True
    rgba = np.zeros((*SIZE, 4), np.uint8)
    rgba[..., 3] = mask * 128
    rgba[..., 0] = np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) % 7  # colour that says nothing
    source = one(tmp_path, region("brushlabels", {"format": "rle", "rle": packed(rgba, sizes)}))
    ((thing,),) = [r.objects for r in source]
    assert thing.rle is not None
    assert np.array_equal(mask_from_rle(thing.rle), mask)
    assert thing.box == (5, 3, 35, 27)
    whole = packed(rgba, sizes)
    for wrong in (whole[:40], [], [1e9], ["x"], [300], packed(rgba[:-1], sizes)):
        with pytest.raises(im.InputError, match="expected"):
            brush_mask(wrong, SIZE)


@pytest.mark.parametrize(
    ("image", "picture"),
    [
        ("/data/upload/1/1a2b3c4d-a.png", "images/1a2b3c4d-a.png"),
        ("/data/upload/1/1a2b3c4d-a.png", "a.png"),
        ("/data/local-files/?d=set%2Fimgs%2Fa.png", "imgs/a.png"),
        ("s3://bucket/some/a.png", "some/a.png"),
        ("https://example.com/some/a%20b.png?sig=1", "a b.png"),
    ],
)
def test_pictures_are_found_by_their_address(tmp_path: Path, image: str, picture: str) -> None:
    source = one(tmp_path, rect(10, 20, 25, 30), image=image, picture=picture)
    assert [(r.key, len(r.objects or ())) for r in source] == [(picture, 1)]


def test_choices_are_classes_and_other_answers_are_columns(tmp_path: Path) -> None:
    choice = {"type": "choices", "from_name": "kind", "to_name": "image", "value": {"choices": ["cat"]}}
    text = {"type": "textarea", "from_name": "words", "to_name": "image", "value": {"text": ["one", "two"]}}
    taxonomy = {"type": "taxonomy", "from_name": "t", "to_name": "image", "value": {"taxonomy": [["pet", "dog"]]}}
    source = one(tmp_path, choice, text, data={"image": "a.png", "site": "north", "n": 3}, picture="a.png")
    (record,) = source
    assert (record.label, record.objects) == ("cat", ())
    assert record.attributes == {"site": "north", "n": 3, "words": "one\ntwo"}
    source = one(tmp_path, choice, taxonomy, data={"picture": "a.png"}, picture="a.png")
    assert source.records[0].labels == ("cat", "pet/dog")


def test_who_annotated_and_who_did_not(tmp_path: Path) -> None:
    tasks = []
    for n, name in enumerate("abcde"):
        photo(tmp_path / f"{name}.png", n, (*SIZE, 3))
        tasks.append(task(rect(10, 20, 25, 30), image=f"{name}.png"))
    tasks[0]["annotations"].append({**tasks[0]["annotations"][0], "ground_truth": True, "result": []})
    tasks[1]["annotations"][0]["was_cancelled"] = True
    tasks[2]["annotations"] = []
    tasks[2]["predictions"] = [{"result": [rect(1, 1, 5, 5)]}]
    tasks[3]["completions"] = tasks[3].pop("annotations")
    tasks[4]["annotations"][0]["result"][0]["value"]["width"] = 0
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    source = open_source(tmp_path)
    assert [r.objects and len(r.objects) for r in source] == [(), None, None, 1, None]
    for words in ("2 tasks that nobody annotated", "1 predictions left", "1 annotations of a task that has several",
                  "1 picture lost everything"):  # fmt: skip
        assert words in said(source)
    assert scan(tmp_path).annotated == 2


def test_json_min(tmp_path: Path) -> None:
    for name in "ab":
        photo(tmp_path / f"{name}.png", 1, (*SIZE, 3))
    sides = {"original_width": SIZE[1], "original_height": SIZE[0]}
    box = {"x": 10, "y": 20, "width": 25, "height": 30, "rotation": 0, "rectanglelabels": ["cat"], **sides}
    told = [
        {"image": "/data/upload/a.png", "id": 1, "label": [box], "annotator": 1, "choice": "good"},
        {"image": "/data/upload/b.png", "id": 2, "choice": {"choices": ["good", "dark"]}, "annotator": 1},
    ]
    (tmp_path / "min.json").write_text(json.dumps(told))
    source = open_source(tmp_path)
    assert source.layout == "label-studio"
    assert [[t.box for t in r.objects or ()] for r in source] == [[(4, 6, 10, 9)], []]
    assert [r.labels for r in source] == [("good",), ("good", "dark")]
    assert source.records[1].objects is None


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    source = one(
        tmp_path,
        rect(10, 20, "wide", 30, key="a"),  # type: ignore[arg-type]
        rect(10, 20, 5, 30, key="b", label=None),
        {**rect(10, 20, 5, 30, key="c"), "image_rotation": 90},
        region("polygonlabels", {"points": [[1, 2], [3, 4]]}, key="d"),
        region("brushlabels", {"rle": [1, 2, 3]}, key="e"),
        rect(300, 20, 5, 30, key="f"),
        {**rect(10, 20, 5, 30, key="g"), "value": "text"},
    )
    assert [r.objects for r in source] == [None]
    assert len(source.problems) == 6
    for content in ("[", "3", '[{"data": 5, "annotations": [{"result": 5}]}]', '[{"data": {}}]', "[" * 5000):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(im.SourceError, match="expected"):
            open_source(tmp_path / "bad.json", layout="label-studio")
    with pytest.raises(im.SourceError, match="got label-studio, which is read only"):
        im.export(tmp_path / "images", tmp_path / "out", "label-studio")
