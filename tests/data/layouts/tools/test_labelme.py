"""labelme's JSON files: every kind of shape, groups, flags, the picture within, and paths of other machines."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import imagemill as im
from imagemill.data import Source, open_source
from imagemill.data.layouts.shapes.rle import mask_from_rle
from imagemill.data.records.loading import load_picture
from imagemill.verbs.scan.scan import scan
from tests.data.pictures import photo

SIZE = (30, 40)


def shape(label: str, points: Any, kind: str | None = "polygon", **more: Any) -> dict[str, Any]:
    told = {"label": label, "points": points, "group_id": None, "description": "", "flags": {}, "mask": None, **more}
    return told if kind is None else {**told, "shape_type": kind}


def write(path: Path, *shapes: Any, picture: str = "a.png", **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"version": "5.4.1", "flags": {}, "shapes": list(shapes), "imagePath": picture, "imageData": None,
            "imageHeight": SIZE[0], "imageWidth": SIZE[1], **more}  # fmt: skip
    path.write_text(json.dumps(told, indent=2), "utf-8")
    return path


def one(root: Path, *shapes: Any, **more: Any) -> Source:
    photo(root / "a.png", 1, (*SIZE, 3))
    write(root / "a.json", *shapes, **more)
    return open_source(root)


def said(source: Source) -> str:
    return " | ".join([*map(str, source.problems), *source.notes])


def png(mask: Any) -> str:
    file = io.BytesIO()
    PIL.Image.fromarray(np.asarray(mask, np.uint8) * 255).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("told", "box", "outline"),
    [
        (shape("cat", [[4, 5], [9, 5], [9, 8]]), (4, 5, 5, 3), (4, 5, 9, 5, 9, 8)),
        (shape("cat", [[4, 5], [9, 5], [9, 8]], None), (4, 5, 5, 3), (4, 5, 9, 5, 9, 8)),
        (shape("cat", [[4, 5], [9, 8]], "rectangle"), (4, 5, 5, 3), None),
        (shape("cat", [[9, 8], [4, 5]], "rectangle"), (4, 5, 5, 3), None),
        (shape("cat", [[4, 8], [9, 5]], "rectangle"), (4, 5, 5, 3), None),
        (shape("cat", [[4, 5], [9, 5], [9, 8], [4, 8]], "rectangle"), (4, 5, 5, 3), None),
        (
            shape("cat", [[6, 2], [10, 5], [6, 8], [2, 5]], "oriented_rectangle"),
            (2, 2, 8, 6),
            (6, 2, 10, 5, 6, 8, 2, 5),
        ),
    ],
)
def test_shapes(tmp_path: Path, told: dict[str, Any], box: Any, outline: Any) -> None:
    source = one(tmp_path, told)
    ((thing,),) = [r.objects for r in source]
    assert (source.layout, thing.category, thing.box, source.problems) == ("labelme", "cat", box, ())
    assert thing.polygons == (() if outline is None else (outline,))
    assert source.records[0].size == SIZE
    assert source.also_read == (tmp_path / "a.json",)
    assert [r.objects for r in open_source(tmp_path / "a.json")] == [(thing,)]


def test_circles_points_and_masks(tmp_path: Path) -> None:
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:5] = True
    source = one(
        tmp_path,
        shape("ball", [[20, 10], [23, 14]], "circle"),
        shape("nose", [[3.5, 4.5]], "point"),
        shape("cat", [[30, 20], [35, 23]], "mask", mask=png(mask)),
        shape("way", [[1, 1], [5, 5], [9, 1]], "linestrip"),
    )
    ball, nose, cat = source.records[0].objects or ()
    assert ball.box == (15, 5, 10, 10)
    corners = np.reshape(ball.polygons[0], (-1, 2))
    np.testing.assert_allclose(np.hypot(*(corners - (20, 10)).T), 5)
    assert (nose.keypoints, nose.box) == (((3.5, 4.5, 2),), None)
    whole = np.zeros(SIZE, bool)
    whole[20:24, 30:36] = mask
    assert cat.rle is not None
    assert np.array_equal(mask_from_rle(cat.rle), whole)
    assert cat.box == (32, 21, 3, 2)
    assert "1 linestrip shapes passed over" in said(source)


def test_shapes_of_a_group_are_one_thing_with_keypoints(tmp_path: Path) -> None:
    photo(tmp_path / "b.png", 2, (*SIZE, 3))
    write(tmp_path / "b.json", shape("dog", [[1, 1], [20, 20]], "rectangle", group_id=1),
          shape("tail", [[15, 3]], "point", group_id=1), picture="b.png")  # fmt: skip
    source = one(
        tmp_path,
        shape("dog", [[2, 2], [12, 12]], "rectangle", group_id=4, flags={"wet": True}),
        shape("nose", [[3, 4]], "point", group_id=4),
        shape("leaf", [[0, 0], [4, 0], [4, 4]], group_id=5),
        shape("leaf", [[10, 10], [14, 10], [14, 14]], group_id=5),
        shape("leaf", [[20, 20], [24, 20], [24, 24]]),
    )
    dog, both, leaf = source.records[0].objects or ()
    assert (dog.keypoints, dog.attributes) == (((3, 4, 2), (0, 0, 0)), {"wet": True, "group_id": 4})
    assert (len(both.polygons), both.box, leaf.box) == (2, (0, 0, 14, 14), (20, 20, 4, 4))
    assert [t.keypoints for t in source.records[1].objects or ()] == [((0, 0, 0), (15, 3, 2))]
    assert source.keypoint_names == ("nose", "tail")


def test_flags_are_classes_of_pictures(tmp_path: Path) -> None:
    photo(tmp_path / "b.png")
    write(tmp_path / "b.json", picture="b.png", flags={"cat": False, "dog": True})
    source = one(tmp_path, flags={"cat": True, "dog": False})
    assert [(r.label, r.labels, r.objects) for r in source] == [("cat", None, None), ("dog", None, None)]
    write(tmp_path / "b.json", picture="b.png", flags={"cat": True, "dog": True})
    assert [(r.label, r.labels) for r in open_source(tmp_path)] == [(None, ("cat",)), (None, ("cat", "dog"))]


@pytest.mark.parametrize(
    ("json_at", "image_at", "name"),
    [
        ("json/a.json", "images/a.png", "..\\images\\a.png"),
        ("json/a.json", "images/a.png", "C:\\work\\images\\a.png"),
        ("json/a.json", "images/a.png", "a.png"),
        ("train/a.json", "train/a.png", "a.png"),
        ("json/a.json", "images/a.png", ""),
    ],
)
def test_pictures_are_found(tmp_path: Path, json_at: str, image_at: str, name: str) -> None:
    photo(tmp_path / image_at)
    write(tmp_path / json_at, shape("cat", [[1, 1], [5, 5]], "rectangle"), picture=name)
    source = open_source(tmp_path)
    assert (source.layout, [(r.key, len(r.objects or ())) for r in source]) == ("labelme", [(image_at, 1)])
    assert source.records[0].split == ("train" if "train" in image_at else None)


def test_the_picture_within_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    pixels = load_picture(photo(tmp_path / "there.png", 3, (*SIZE, 3))).array
    data = base64.b64encode((tmp_path / "there.png").read_bytes()).decode()
    (tmp_path / "there.png").unlink()
    folder = tmp_path / "in"
    write(folder / "a.json", shape("cat", [[1, 1], [5, 5]], "rectangle"), picture="gone.jpg", imageData=data)
    write(folder / "b.json", shape("cat", [[1, 1], [5, 5]], "rectangle"), picture="gone.jpg")
    write(folder / "c.json", picture="gone.jpg", imageData="no base64!")
    source = open_source(folder)
    assert (source.layout, [r.key for r in source]) == ("labelme", ["a.png"])
    assert np.array_equal(load_picture(source.records[0].image).array, pixels)
    assert len(source.problems) == 2
    made = im.prepare(folder, tmp_path / "store", on_error="skip")
    assert made.made == 1


def test_what_is_not_annotated_is_not_empty_and_what_does_not_fit_is_named(tmp_path: Path) -> None:
    for name in "bcd":
        photo(tmp_path / f"{name}.png")
    write(tmp_path / "b.json", picture="b.png")
    write(
        tmp_path / "c.json",
        shape("cat", [[1, 1], [2, 2]]),
        shape("cat", [[1, float("nan")], [2, 2]], "rectangle"),
        shape("", [[1, 1], [2, 2]], "rectangle"),
        shape("cat", [[1, 1], [1, 1]], "circle"),
        shape("cat", [[1, 1], [9, 9]], "mask", mask="AAAA"),
        shape("cat", [[1, 1], [9, 9]], "mask", mask=png(np.ones((99, 99)))),
        shape("cat", [[1, 1], [9, 9]], "spline"),
        shape("cat", [[900, 900], [950, 950]], "rectangle"),
        shape("cat", "none"),
        "no shape",
        picture="c.png",
    )
    source = one(tmp_path, shape("cat", [[1, 1], [5, 5]], "rectangle"))
    assert [r.objects and len(r.objects) for r in source] == [1, (), None, None]
    assert len(source.problems) == 10
    assert all("expected" in str(problem) for problem in source.problems)
    assert "1 picture without a JSON file: nobody annotated them" in said(source)
    assert "1 picture lost everything" in said(source)
    assert scan(tmp_path).annotated == 2


@pytest.mark.parametrize("text", ["{", "[]", '{"shapes": 3, "imagePath": ""}', "[" * 5000, '{"imagePath": "a.png"}'])
def test_files_that_are_none_are_named(tmp_path: Path, text: str) -> None:
    one(tmp_path, shape("cat", [[1, 1], [5, 5]], "rectangle"))
    (tmp_path / "z.json").write_text(text)
    source = open_source(tmp_path)
    assert [len(r.objects or ()) for r in source] == [1]
    with pytest.raises(im.SourceError, match="expected"):
        open_source(tmp_path / "z.json", layout="labelme")


def test_it_is_augmented_into_coco_and_not_written(tmp_path: Path) -> None:
    one(tmp_path / "in", shape("cat", [[4, 5], [9, 5], [9, 8]]), shape("dog", [[1, 1], [5, 5]], "rectangle"))
    im.augment(tmp_path / "in", tmp_path / "out", im.Pipeline([im.Flip("x")], seed=1))
    again = open_source(tmp_path / "out")
    assert (again.layout, [t.box for r in again for t in r.objects or ()]) == ("coco", [(31, 5, 5, 3), (35, 1, 4, 4)])
    with pytest.raises(im.SourceError, match="got labelme, which is read only; choose coco"):
        im.export(tmp_path / "in", tmp_path / "no", "labelme")
