"""YOLO's text files become pixels, and pixels text files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import InputError, SourceError
from imagemill.data import Instance, Record, Source, open_source
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.coco.coco import Coco
from imagemill.data.layouts.yolo.yolo import Yolo, yolo_polygons
from imagemill.data.layouts.yolo.yolo_text import line_of, names_from, read_line
from imagemill.data.records.instances import RLE
from tests.data.pictures import photo


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def small_set(root: Path) -> Path:
    for name in ("images/a.png", "images/b.png", "images/c.png"):
        photo(root / name, 1, (10, 20, 3))
    text(root / "labels" / "a.txt", "1 0.5 0.5 0.5 1", "", "0 0 0 0.1 0.1")
    text(root / "labels" / "b.txt")
    text(root / "data.yaml", "train: images", "names: [dog, cat]")
    return root


def test_boxes_become_pixels_and_an_empty_file_is_a_background(tmp_path: Path) -> None:
    source = open_source(small_set(tmp_path))
    assert (source.layout, source.categories, source.problems) == ("yolo", ("dog", "cat"), ())
    a, b, c = source
    assert a.objects is not None
    assert [(thing.category, thing.box) for thing in a.objects] == [
        ("cat", (5.0, 0.0, 10.0, 10.0)),
        ("dog", (-1.0, -0.5, 2.0, 1.0)),
    ]
    assert (a.size, b.objects, c.objects) == ((10, 20), (), None)
    assert "1 picture without a text file counts as not annotated" in source.describe()
    assert "1 empty text file: backgrounds" in source.describe()
    empty = open_source(tmp_path, extra={"missing": "background"})
    assert [len(r.objects or ()) for r in empty if r.objects is not None] == [2, 0, 0]
    with pytest.raises(InputError, match="expected missing to be 'unknown' or 'background', got 'yes'"):
        open_source(tmp_path, extra={"missing": "yes"})
    assert [r.key for r in open_source(tmp_path / "data.yaml")] == [r.key for r in source]


def test_outlines_have_the_box_around_them() -> None:
    thing = read_line("2 0.1 0.2 0.5 0.2 0.5 0.8", (100, 200), {2: "leaf"})
    assert thing.category == "leaf"
    np.testing.assert_allclose(thing.polygons, [(20, 20, 100, 20, 100, 80)])
    np.testing.assert_allclose(thing.box, (20, 20, 80, 60))
    assert read_line("2 0.5 0.5 1 1 0.9", (4, 4), None).attributes == {"confidence": 0.9}
    assert read_line("0 0.5 0.5 1 1 0.1 0.1 2", (4, 4), None, points=(1, 3)).box == (0, 0, 4, 4)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cat 0.5 0.5 1 1", "expected numbers"),
        ("1.5 0.5 0.5 1 1", "class as a whole number"),
        ("-1 0.5 0.5 1 1", "class as a whole number"),
        ("inf 0.5 0.5 1 1", "class as a whole number"),
        ("0 300 200 50 60", "divide by the size"),
        ("0 nan 0.5 1 1", "divide by the size"),
        ("0 0.5 0.5 -1 1", "relative to width and height|width and height of 0 or more"),
        ("0 0.5 0.5 -0.1 1", "width and height of 0 or more"),
        ("0 0.5 0.5", "a box of 4 numbers or a polygon of pairs, got 2"),
        ("0 .1 .1 .2 .2 .3 .3 .4", "a box of 4 numbers or a polygon of pairs, got 7"),
        ("7 0.5 0.5 1 1", "expected a class among 1 names, got number 7"),
        ("0", "got 0"),
    ],
)
def test_lines_that_are_none_are_refused(line: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_line(line, (10, 10), {0: "cat"})


def test_what_cannot_be_taken_in_is_named(tmp_path: Path) -> None:
    small_set(tmp_path)
    text(tmp_path / "labels" / "a.txt", "1 0.5 0.5 0.5 1", "nonsense", "9 0.5 0.5 0.5 1")
    text(tmp_path / "labels" / "orphan.txt", "1 0.5 0.5 0.5 1")
    (tmp_path / "labels" / "c.txt").write_bytes(b"\xff\xfe\xfd")
    (tmp_path / "images" / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    source = open_source(tmp_path, layout="yolo")
    said = sorted(str(problem) for problem in source.problems)
    assert len(said) == 5, said
    assert any("a.txt line 2" in one for one in said)
    assert any("a.txt line 3" in one and "got number 9" in one for one in said)
    assert any("labels/orphan.txt" in one and "expected a picture" in one for one in said)
    assert any("c.txt" in one and "expected a text file" in one for one in said)
    assert any("images/d.png" in one for one in said)
    assert [r.key for r in source] == ["images/a.png", "images/b.png", "images/c.png"]
    assert len(source.records[0].objects or ()) == 1


def test_splits_come_from_folders_or_lists(tmp_path: Path) -> None:
    for key in ("train/images/a", "valid/images/a"):
        photo(tmp_path / "folders" / f"{key}.png")
        text(tmp_path / "folders" / f"{key.replace('images', 'labels')}.txt", "0 0.5 0.5 1 1")
    found = open_source(tmp_path / "folders")
    assert [(r.key, r.split, len(r.objects or ())) for r in found] == [
        ("train/images/a.png", "train", 1),
        ("valid/images/a.png", "val", 1),
    ]
    listed = small_set(tmp_path / "lists")
    text(listed / "train.txt", "./images/a.png", "images/b.png")
    text(listed / "val.txt", "/somewhere/else/images/c.png", "../../etc/passwd")
    assert [r.split for r in open_source(listed)] == ["train", "train", "val"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("classes.txt", "dog\ncat\n"),
        ("obj.names", "dog\ncat\n"),
        ("class_names.json", '{"labels": {"0": "dog", "1": "cat"}, "other": {"0": "x"}}'),
        ("data.yaml", "names:\n  1: cat\n  0: dog\n"),
    ],
)
def test_names_of_classes_are_found(tmp_path: Path, name: str, content: str) -> None:
    small_set(tmp_path)
    (tmp_path / "data.yaml").unlink()
    (tmp_path / name).write_text(content)
    source = open_source(tmp_path)
    assert source.categories == ("dog", "cat")
    assert name in source.describe()


def test_without_names_numbers_stand_in(tmp_path: Path) -> None:
    small_set(tmp_path)
    (tmp_path / "data.yaml").unlink()
    source = open_source(tmp_path)
    assert source.categories == ("0", "1")
    assert "numbers stand in" in source.describe()


@pytest.mark.parametrize("content", ["[", "{}", "names: [a, a]", "names: !!python/object/apply:os.getcwd []", "\x00"])
def test_names_that_are_none_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "n.yaml").write_text(content)
    with pytest.raises(SourceError, match="class name"):
        names_from(tmp_path / "n.yaml")


def test_one_of_several_folders_of_text_is_chosen(tmp_path: Path) -> None:
    small_set(tmp_path)
    (tmp_path / "labels").rename(tmp_path / "boxes")
    assert len(open_source(tmp_path).records[0].objects or ()) == 2
    text(tmp_path / "outlines" / "a.txt", "0 0 0 1 0 1 1")
    with pytest.raises(SourceError, match="got boxes, outlines; choose one"):
        open_source(tmp_path, layout="yolo")
    chosen = open_source(tmp_path, layout="yolo", extra={"labels": "outlines"})
    assert [thing.polygons for thing in chosen.records[0].objects or ()] == [((0.0, 0.0, 20.0, 0.0, 20.0, 10.0),)]
    with pytest.raises(SourceError, match="in a folder 'none'"):
        open_source(tmp_path, layout="yolo", extra={"labels": "none"})


def test_captions_beside_pictures_are_no_boxes(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    text(tmp_path / "a.txt", "a cat on 2 mats")
    assert open_source(tmp_path).layout == "folder"


EDGES = st.tuples(*[st.floats(0, 1)] * 4)


@given(st.lists(EDGES, max_size=5), st.tuples(st.integers(1, 20_000), st.integers(1, 20_000)))
def test_boxes_come_back_within_a_thousandth_of_a_pixel(
    boxes: list[tuple[float, float, float, float]], size: tuple[int, int]
) -> None:
    height, width = size
    for a, b, c, d in boxes:
        x, y, w, h = min(a, b) * width, min(c, d) * height, abs(a - b) * width, abs(c - d) * height
        line = line_of(0, ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height))
        np.testing.assert_allclose(read_line(line, size, None).box, (x, y, w, h), atol=1e-3)


def _coco_like(root: Path) -> Source:
    """Boxes, outlines in one and two parts, a mask, a crowd, a keypoint."""
    polygon = (1.0, 2.0, 9.0, 2.0, 9.0, 7.5)
    far = (20.0, 20.0, 25.0, 20.0, 25.0, 28.25)
    things = (
        Instance("cat", (1.25, 2.5, 10.125, 7.0)),
        Instance("dog", (1.0, 2.0, 8.0, 5.5), (polygon,)),
        Instance("dog", (1.0, 2.0, 24.0, 26.25), (polygon, far)),
        Instance("cat", (0.0, 0.0, 2.0, 3.0), rle=RLE(30, 40, (0, 3, 27, 3, 1167))),
        Instance("cat", (5.0, 5.0, 9.0, 9.0), crowd=True, attributes={"area": 4}),
        Instance("nose", keypoints=((1.0, 1.0, 2),)),
    )
    records = (
        Record("images/a.png", photo(root / "images" / "a.png", 1), objects=things, split="train", size=(30, 40)),
        Record("images/b.png", photo(root / "images" / "b.png", 2), objects=(), split="val"),
        Record("images/c.png", photo(root / "images" / "c.png", 3), split="val"),
    )
    return Source(root, "made up", records, categories=("nose", "cat", "dog"), info={"licenses": [1]})


def test_what_boxes_cannot_hold_is_named(tmp_path: Path) -> None:
    source = _coco_like(tmp_path / "in")
    written = Yolo().write(source, tmp_path / "out", WriteTarget())
    assert (written.count, written.problems) == (3, ())
    lost = " | ".join(written.lost)
    for words in ("1 crowds: left out", "2 polygons", "1 run-length masks", "1 annotations' keypoints", "(licenses)"):
        assert words in lost
    assert "1 annotations without box" in lost
    assert "1 pictures nobody annotated" in lost
    back = open_source(tmp_path / "out")
    assert back.categories == source.categories
    assert [(r.key, r.split) for r in back] == [
        ("images/train/a.png", "train"),
        ("images/val/b.png", "val"),
        ("images/val/c.png", "val"),
    ]
    kept = source.records[0].objects or ()
    for thing, again in zip(kept[:4], back.records[0].objects or (), strict=True):
        assert thing.category == again.category
        np.testing.assert_allclose(again.box, thing.box, atol=1e-3)
    told = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    assert (told["train"], told["val"], told["names"]) == (
        "images/train",
        "images/val",
        {0: "nose", 1: "cat", 2: "dog"},
    )
    assert [r.objects for r in back][1:] == [(), None]


def test_outlines_come_back_and_parts_are_joined(tmp_path: Path) -> None:
    source = _coco_like(tmp_path / "in")
    written = yolo_polygons().write(source, tmp_path / "out", WriteTarget())
    assert any("1 polygons in parts: joined" in one for one in written.lost)
    assert not any("2 polygons" in one for one in written.lost)
    things = open_source(tmp_path / "out").records[0].objects or ()
    assert [len(thing.polygons) for thing in things] == [0, 1, 1, 0]
    np.testing.assert_allclose(things[1].polygons, (source.records[0].objects or ())[1].polygons, atol=1e-3)
    assert len(things[2].polygons[0]) == 2 * (3 + 3 + 2)
    np.testing.assert_allclose(things[2].box, (1.0, 2.0, 24.0, 26.25), atol=1e-3)


def test_coco_through_yolo_keeps_boxes(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "images" / "a.png")
    boxes = [[0.37, 1.91, 12.5, 8.03], [3, 4, 36.999, 25.5]]
    described: dict[str, Any] = {
        "images": [{"id": 5, "file_name": "a.png", "height": 30, "width": 40}],
        "annotations": [{"id": i, "image_id": 5, "category_id": 44, "bbox": box} for i, box in enumerate(boxes)],
        "categories": [{"id": 44, "name": "x"}, {"id": 2, "name": "y"}],
    }
    (tmp_path / "in" / "c.json").write_text(json.dumps(described))
    first = open_source(tmp_path / "in")
    Yolo().write(first, tmp_path / "yolo", WriteTarget())
    Coco().write(open_source(tmp_path / "yolo"), tmp_path / "coco", WriteTarget())
    back = open_source(tmp_path / "coco")
    assert (back.layout, back.categories) == ("coco", ("y", "x"))
    np.testing.assert_allclose([thing.box for thing in back.records[0].objects or ()], boxes, atol=1e-3)


def test_real_labels_agree_with_the_json_of_the_same_photos(data_root: Path, tmp_path: Path) -> None:
    folder = data_root / "coco_sample"
    names = {"names": folder / "class_names.json"}
    source = open_source(folder, layout="yolo", extra={"labels": "yolo_boxes", **names})
    assert (len(source), source.problems) == (48, ())
    assert [r.key[-7:-4] for r in source if not r.objects] == ["250", "508"]
    truth = {r.key: [t for t in r.objects or () if not t.crowd] for r in open_source(folder)}
    for record in source:
        mine = sorted((t.category, t.box) for t in record.objects or ())
        theirs = sorted((t.category, t.box) for t in truth[record.key])
        assert [name for name, _ in mine] == [name for name, _ in theirs]
        boxes = [np.sort(np.array([box for _, box in side]).ravel()) for side in (mine, theirs)]
        np.testing.assert_allclose(*boxes, atol=0.01)  # the text files have six digits
    outlines = open_source(folder, layout="yolo", extra={"labels": "yolo_polygons", **names})
    assert (len(outlines), outlines.problems) == (48, ())
    assert sum(record.objects == () for record in outlines) == 2
    assert {t.category for r in source for t in r.objects or ()} == {
        t.category for r in outlines for t in r.objects or ()
    }
    written = yolo_polygons().write(outlines, tmp_path / "out", WriteTarget())
    assert written.lost == ()
    for record, again in zip(outlines, open_source(tmp_path / "out"), strict=True):
        for thing, other in zip(record.objects or (), again.objects or (), strict=True):
            assert thing.category == other.category
            np.testing.assert_allclose(other.polygons[0], thing.polygons[0], atol=1e-3)
