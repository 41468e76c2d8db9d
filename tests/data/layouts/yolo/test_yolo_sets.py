"""YOLO folders as Ultralytics, Roboflow, Darknet and labelling tools write them, and keypoints in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import imagemill as im
from imagemill.data import Instance, Record, Source, open_source
from imagemill.data.layouts.yolo.yolo_read import keypoint_names
from imagemill.verbs.export.export import export
from imagemill.verbs.scan.scan import scan
from tests.data.pictures import photo

BOX = "1 0.5 0.5 0.5 0.4"


def text(path: Path, *lines: str, end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def pair(root: Path, image: str, label: str, *lines: str, end: str = "\n") -> None:
    photo(root / image, 1, (20, 40, 3))
    text(root / label, *(lines or (BOX,)), end=end)


def said(source: Source) -> str:
    return " | ".join([*map(str, source.problems), *source.notes])


def described(root: Path, **told: Any) -> None:
    (root / "data.yaml").write_text(yaml.safe_dump(told, sort_keys=False))


ROBOFLOW = {"train": "../train/images", "val": "../valid/images", "test": "../test/images", "nc": 2}


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ({**ROBOFLOW, "names": ["dog", "cat"]}, ("dog", "cat")),
        ({**ROBOFLOW, "names": {0: "dog", 1: "cat"}}, ("dog", "cat")),
        ({**ROBOFLOW, "names": {"0": "dog", "1": "cat"}}, ("dog", "cat")),
        (ROBOFLOW, ("0", "1")),
        ({"train": "/content/gdrive/My Drive/set/train/images", "val": "C:\\data\\valid\\images", "nc": 2}, ("0", "1")),
        ({"path": "/somebody/else/set", "train": ["train/images"], "val": "valid/images", "nc": 2}, ("0", "1")),
    ],
)
def test_shapes_of_a_description(tmp_path: Path, told: dict[str, Any], names: tuple[str, ...]) -> None:
    for part in ("train", "valid"):
        pair(tmp_path, f"{part}/images/a.jpg", f"{part}/labels/a.txt", end="\r\n")
    described(tmp_path, **told)
    for source in (open_source(tmp_path), open_source(tmp_path / "data.yaml")):
        assert (source.layout, source.categories) == ("yolo", names)
        assert [(r.key, r.split) for r in source] == [("train/images/a.jpg", "train"), ("valid/images/a.jpg", "val")]
        assert [t.box for r in source for t in r.objects or ()] == [(10, 6, 20, 8)] * 2
        assert source.problems == ()
    assert tmp_path / "data.yaml" in source.also_read
    assert tmp_path / "train/labels/a.txt" in source.also_read


def test_folders_of_any_name_are_parts_by_the_description(tmp_path: Path) -> None:
    for name in ("part1", "part2", "held"):
        pair(tmp_path, f"images/{name}/a.jpg", f"labels/{name}/a.txt")
    told = {"train": ["images/part1", "images/part2"], "val": "images/held", "names": ["dog", "cat"]}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(told))
    assert [r.split for r in open_source(tmp_path)] == ["val", "train", "train"]
    assert dict(scan(tmp_path).splits) == {"train": 2, "val": 1}
    # What is said of all pictures twice says nothing; a folder that is not there is said.
    (tmp_path / "mine.yaml").write_text(
        yaml.safe_dump({"train": "images", "val": "images", "test": "more", "nc": 2, "names": ["dog", "cat"]})
    )
    source = open_source(tmp_path)
    assert [r.split for r in source] == [None] * 3
    assert "mine.yaml names more, where no picture is" in said(source)


def test_lists_of_another_machine_are_parts(tmp_path: Path) -> None:
    for name in "abc":
        pair(tmp_path, f"images/{name}.jpg", f"labels/{name}.txt")
    described(tmp_path, train="lists/autosplit_train.txt", val="./lists/autosplit_val.txt", names=["dog", "cat"])
    text(tmp_path / "lists/autosplit_train.txt", "/content/set/images/a.jpg", "./images/b.jpg", "images/gone.jpg")
    text(tmp_path / "lists/autosplit_val.txt", "D:\\set\\images\\c.jpg", end="\r\n")
    source = open_source(tmp_path)
    assert [r.split for r in source] == ["train", "train", "val"]
    assert "1 lines of lists/autosplit_train.txt, lists/autosplit_val.txt name no picture" in said(source)


def test_darknet(tmp_path: Path) -> None:
    for name in "ab":
        pair(tmp_path, f"data/obj/{name}.jpg", f"data/obj/{name}.txt")
    text(tmp_path / "data/obj.names", "dog", "cat")
    text(tmp_path / "data/train.txt", "data/obj/a.jpg")
    text(tmp_path / "data/valid.txt", "data/obj/b.jpg")
    text(tmp_path / "data/obj.data", "classes= 2", "train = data/train.txt", "valid = data/valid.txt",
         "names = /home-of/darknet/data/obj.names", "backup = backup/")  # fmt: skip
    source = open_source(tmp_path)
    assert (source.categories, source.problems) == (("dog", "cat"), ())
    assert [(r.split, len(r.objects or ())) for r in source] == [("train", 1), ("val", 1)]
    assert "class names from data/obj.names" in said(source)


@pytest.mark.parametrize("name", ["train/_darknet.labels", "classes.txt", "images/classes.txt", "sub/obj.names"])
def test_names_without_a_description(tmp_path: Path, name: str) -> None:
    where = "train" if "train" in name else "images"
    pair(tmp_path, f"{where}/a.jpg", f"{where}/a.txt")
    text(tmp_path / name, "dog", "cat", end="\r\n")
    source = open_source(tmp_path)
    assert (source.layout, source.categories, source.problems) == ("yolo", ("dog", "cat"), ())
    assert [t.category for r in source for t in r.objects or ()] == ["cat"]


def test_a_wrapped_set_with_marks_and_tabs_of_windows(tmp_path: Path) -> None:
    for part in ("train", "val"):
        pair(tmp_path / "around/set", f"images/{part}/a.jpg", f"labels/{part}/a.txt")
        (tmp_path / f"around/set/labels/{part}/a.txt").write_bytes(b"\xef\xbb\xbf0\t0.5\t0.5\t0.5\t0.4\r\n")
    told = {"path": "../datasets/set", "train": "images/train", "val": "images/val", "names": {0: "person"}}
    (tmp_path / "around/set/coco8.yaml").write_text(yaml.safe_dump(told))
    source = open_source(tmp_path)
    assert (source.layout, source.problems, source.categories) == ("yolo", (), ("person",))
    assert [(r.split, [t.box for t in r.objects or ()]) for r in source] == [
        ("train", [(10, 6, 20, 8)]),
        ("val", [(10, 6, 20, 8)]),
    ]


def test_columns_of_predictions_and_lines_that_are_lost(tmp_path: Path) -> None:
    pair(tmp_path, "images/a.jpg", "labels/a.txt", f"{BOX} 0.9", "0 0.5 0.5 1 1 0.3")
    pair(tmp_path, "images/b.jpg", "labels/b.txt", "7 0.5 0.5 1 1", "0 0.5 0.5 0 0.1", "0 1.4 0.5 0.1 0.1")
    pair(tmp_path, "images/c.jpg", "labels/c.txt", "0 0.5 0.5 1 1 0.9 12")
    described(tmp_path, names=["dog", "cat"])
    source = open_source(tmp_path)
    assert [r.objects and [t.attributes["confidence"] for t in r.objects] for r in source] == [[0.9, 0.3], None, None]
    assert "2 boxes with a sixth number, taken for the confidence" in said(source)
    assert "2 pictures lost everything" in said(source)
    for words in ("got number 7", "a width and a height", "a box within the picture", "places relative to width"):
        assert words in said(source)
    assert len(source.problems) == 4


def test_outlines_and_turned_boxes(tmp_path: Path) -> None:
    out = tmp_path.parent / f"{tmp_path.name}-out"
    turned = "0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5"
    pair(tmp_path, "images/a.jpg", "labels/a.txt", turned, "1 0.1 0.1 0.2 0.1 0.2 0.3")
    described(tmp_path, names=["dog", "cat"])
    first, second = open_source(tmp_path).records[0].objects or ()
    np.testing.assert_allclose(first.polygons, [(20, 2, 36, 10, 20, 18, 4, 10)])
    np.testing.assert_allclose(first.box, (4, 2, 32, 16))
    assert len(second.polygons[0]) == 6
    assert im.augment(tmp_path, out, im.Pipeline([im.Flip("x")], seed=1)).made == 1
    flipped = (open_source(out).records[0].objects or ())[0]
    corners = sorted(np.reshape(flipped.polygons[0], (-1, 2)).tolist())
    np.testing.assert_allclose(corners, [(4, 10), (20, 2), (20, 18), (36, 10)], atol=1e-6)


POSE = "0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.25 1 0 0 0"
JOINTS = ((10.0, 10.0, 2), (30.0, 5.0, 1), (0.0, 0.0, 0))


@pytest.mark.parametrize(
    (("told", "line", "keypoints")),
    [
        ({"kpt_shape": [3, 3]}, POSE, JOINTS),
        ({"kpt_shape": [3, 2]}, "0 0.5 0.5 0.5 0.5 0.25 0.5 0.75 0.25 0 0", (*JOINTS[:1], (30, 5, 2), JOINTS[2])),
        ({"kpt_shape": [3, 3]}, "0 0.5 0.5 0.5 0.5 0.25 0.5 0.9 0.75 0.25 0.2 0 0 0", JOINTS),
        ({}, POSE, JOINTS),
    ],
)
def test_keypoints_are_read(tmp_path: Path, told: dict[str, Any], line: str, keypoints: Any) -> None:
    pair(tmp_path, "images/a.jpg", "labels/a.txt", line, "0 0.5 0.5 1 1" + " 0" * (len(line.split()) - 5))
    described(tmp_path, names=["ape"], **told)
    source = open_source(tmp_path)
    things = source.records[0].objects or ()
    assert (things[0].keypoints, things[0].box) == (keypoints, (10, 5, 20, 10))
    assert ("as every third number is a visibility" in said(source)) == (not told)


def test_a_shape_of_keypoints_that_is_none_and_lines_that_do_not_fit_are_named(tmp_path: Path) -> None:
    pair(
        tmp_path, "images/a.jpg", "labels/a.txt", "0 0.5 0.5 1 1 0.1 0.1 0.3 0.1", BOX, "0 0.5 0.5 1 1 nan 0.5 2 1 1 1"
    )
    described(tmp_path, names=["ape", "man"], kpt_shape=[2, 3])
    source = open_source(tmp_path)
    assert [len(r.objects or ()) for r in source] == [1]
    assert "expected a box and 2 keypoints of 3 numbers, got 8" in said(source)
    assert "expected keypoints relative to width and height" in said(source)
    described(tmp_path, names=["ape", "man"], kpt_shape=[2, 5])
    assert "expected kpt_shape as [count, 2] or [count, 3], got [2, 5]" in said(open_source(tmp_path))


def test_flip_idx_says_which_points_change_places(tmp_path: Path) -> None:
    out = tmp_path.parent / f"{tmp_path.name}-out"
    pair(tmp_path, "images/a.jpg", "labels/a.txt", "0 0.5 0.5 0.5 0.5 0.25 0.5 2 0.75 0.25 1 0.5 0.5 2")
    described(tmp_path, names=["ape"], kpt_shape=[3, 3], flip_idx=[1, 0, 2])
    source = open_source(tmp_path)
    assert source.keypoint_names == ("left 0", "right 0", "2")
    assert "named left and right after flip_idx" in said(source)
    im.augment(tmp_path, out, im.Pipeline([im.Flip("x")], seed=1))
    told = yaml.safe_load((out / "data.yaml").read_text())
    assert (told["kpt_shape"], told["flip_idx"]) == ([3, 3], [1, 0, 2])
    (thing,) = open_source(out).records[0].objects or ()
    # An index x of 40 columns becomes 39 - x, and what was the right point is the left one now.
    assert thing.keypoints == ((9.0, 5.0, 1), (29.0, 10.0, 2), (19.0, 10.0, 2))


def test_names_of_keypoints() -> None:
    person = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    names, notes = keypoint_names({"flip_idx": person}, 17, [0])
    assert (names[0][:3], names[0][-1], notes) == (["nose", "left_eye", "right_eye"], "right_ankle", [])
    own = {"kpt_names": {0: ["nose", "l_ear", "r_ear"]}}
    assert keypoint_names({**own, "flip_idx": [0, 2, 1]}, 3, [0]) == ({0: ["nose", "l_ear", "r_ear"]}, [])
    assert keypoint_names(own, 3, [0]) == ({0: ["nose", "l_ear", "r_ear"]}, [])
    for wrong in ([0, 1], [0, 0, 1], [1, 2, 0], "210"):
        found, notes = keypoint_names({"flip_idx": wrong}, 3, [0])
        assert found == {0: ["0", "1", "2"]}
        assert notes[0].startswith("flip_idx is no exchange of 3 keypoints")


def test_keypoints_come_back(tmp_path: Path) -> None:
    face = Instance("face", (2.0, 2.0, 20.0, 10.0), keypoints=((10.25, 5.0, 2), (4.0, 3.5, 1), (0.0, 0.0, 0)))
    alone = Instance("face", None, keypoints=((5.0, 5.0, 2), (9.0, 11.0, 2), (0.0, 0.0, 0)))
    point = Instance("face", None, keypoints=((5.0, 5.0, 2), (0.0, 0.0, 0), (0.0, 0.0, 0)))
    things = (face, Instance("hat", (1.0, 1.0, 4.0, 4.0)), alone)
    records = tuple(
        Record(f"{n}.png", photo(tmp_path / "in" / f"{n}.png", n, (20, 40, 3)), objects=objects)
        for n, objects in enumerate([things, (), None, (point,)])
    )
    names = ("nose", "left_eye", "right_eye")
    source = Source(tmp_path / "in", "made up", records, categories=("face", "hat"), keypoint_names=names)
    lost = " | ".join(export(source, tmp_path / "out", "yolo-pose").lost)
    for words in (
        "2 boxes of annotations with keypoints alone",
        "1 annotations without box",
        "1 pictures of which everything",
    ):
        assert words in lost
    back = open_source(tmp_path / "out")
    assert (back.keypoint_names, back.problems) == (names, ())
    assert [r.objects and len(r.objects) for r in back] == [3, (), None, None]
    assert [t.keypoints for t in back.records[0].objects or ()] == [face.keypoints, (), alone.keypoints]
    np.testing.assert_allclose((back.records[0].objects or ())[2].box, (5, 5, 4, 6))
    told = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert (told["flip_idx"], told["kpt_names"][1]) == ([0, 2, 1], list(names))


def test_only_crowds_are_no_background(tmp_path: Path) -> None:
    crowd = Instance("cat", (1.0, 1.0, 5.0, 5.0), crowd=True)
    records = (Record("a.png", photo(tmp_path / "in/a.png"), objects=(crowd,)),)
    made = export(Source(tmp_path / "in", "made up", records, categories=("cat",)), tmp_path / "out", "yolo")
    assert not (tmp_path / "out/labels/a.txt").exists()
    assert any(one.startswith("1 pictures of which everything was left out") for one in made.lost)
