"""What a COCO file says comes out as records, and what is wrong with it is named."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import SourceError
from imagemill.data import Instance, Record, Source, open_source
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.coco.coco import Coco
from imagemill.data.layouts.coco.coco_json import read_coco
from imagemill.data.layouts.shapes.polygon_bounds import bounds_of_rle
from imagemill.data.records.as_targets import boxes_of, keypoints_of, links_of
from imagemill.data.records.instances import RLE
from tests.data.pictures import photo

GOOD: dict[str, Any] = {
    "info": {"year": 2020},
    "licenses": [{"id": 1, "name": "CC BY"}],
    "images": [
        {"id": 7, "file_name": "a/one.jpg", "height": 20, "width": 30, "license": 1},
        {"id": 8, "file_name": "two.jpg", "height": 10, "width": 10},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 2, "bbox": [1, 2, 3.5, 4], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 1, "bbox": [0, 0, 30, 20], "keypoints": [5, 6, 2, 0, 0, 0, 7, 8, 1]},
        {"id": 3, "image_id": 7, "category_id": 1, "bbox": [0, 0, 3, 3], "keypoints": [0] * 9},
        {"id": 4, "image_id": 7, "category_id": 2, "bbox": [9, 9, 2, 2], "iscrowd": 1},
        {"id": 5, "image_id": 7, "category_id": 1, "keypoints": [1, 1, 2, 2, 2, 2, 3, 3, 2]},
    ],
    "categories": [
        {"id": 1, "name": "person", "keypoints": ["nose", "left", "right"], "skeleton": [[1, 2], [1, 3]]},
        {"id": 2, "name": "cat", "supercategory": "animal"},
    ],
}


def write(path: Path, described: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(described), "utf-8")
    return path


def changed(*where: Any, to: object) -> dict[str, Any]:
    described = copy.deepcopy(GOOD)
    inner: Any = described
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = to
    return described


def simple(*names: str, first: int = 1) -> dict[str, Any]:
    """A set of small pictures with one box each."""
    images = [{"id": first + i, "file_name": name, "height": 30, "width": 40} for i, name in enumerate(names)]
    boxes = [{"id": i["id"], "image_id": i["id"], "category_id": 90, "bbox": [1, 2, 3, 4]} for i in images]
    return {"images": images, "annotations": boxes, "categories": [{"id": 90, "name": "thing"}]}


def test_boxes_come_with_their_names_and_crowds_when_asked_for(tmp_path: Path) -> None:
    entry = read_coco(write(tmp_path / "c.json", GOOD)).find("a/one.jpg")
    assert entry is not None
    boxes = boxes_of(entry.objects)
    assert boxes is not None
    assert (boxes.format, boxes.labels) == ("xywh", ["cat", "person", "person"])
    assert np.asarray(boxes.array)[0].tolist() == [1, 2, 3.5, 4]
    assert len(boxes_of(entry.objects, crowds=True) or ()) == 4
    assert entry.size == (20, 30)


def test_keypoints_keep_their_rows_and_unlabelled_ones_are_not_visible(tmp_path: Path) -> None:
    file = read_coco(write(tmp_path / "c.json", GOOD))
    entry = file.find("a/one.jpg")
    assert entry is not None
    names, links = file.keypoints()
    points = keypoints_of(entry.objects, names)
    assert points is not None
    assert np.asarray(points.array).tolist() == [[5, 6], [0, 0], [7, 8], [1, 1], [2, 2], [3, 3]]
    assert np.asarray(points.visible).tolist() == [True, False, True, True, True, True]
    assert points.labels == ["nose", "left", "right"] * 2
    assert links_of(entry.objects, links) == ((0, 1), (0, 2), (3, 4), (3, 5))


def test_pictures_are_found_by_path_and_else_by_name(tmp_path: Path) -> None:
    coco = read_coco(write(tmp_path / "c.json", GOOD))
    assert coco.find("one.jpg") is coco.find("a/one.jpg") is coco.images["a/one.jpg"]
    assert coco.find("three.jpg") is None
    empty = coco.find("two.jpg")
    assert empty is not None
    assert (boxes_of(empty.objects), keypoints_of(empty.objects), links_of(empty.objects, ((0, 1),))) == (
        None,
        None,
        (),
    )
    twice = read_coco(write(tmp_path / "d.json", changed("images", 1, "file_name", to="b/one.jpg")))
    with pytest.raises(SourceError, match=r"expected one entry for 'one.jpg', got a/one.jpg, b/one.jpg"):
        twice.find("one.jpg")


@pytest.mark.parametrize(
    ("where", "to", "says"),
    [
        (("annotations", 0, "bbox"), [1, 2, -3, 4], "annotation 1: expected bbox as left, top, width, height"),
        (("annotations", 0, "bbox"), [1, 2, 3], "annotation 1: expected bbox as left, top, width, height"),
        (("annotations", 0, "bbox"), [1, 2, "3", 4], "expected bbox as a list of finite numbers"),
        (("annotations", 0, "bbox"), [1, 2, float("nan"), 4], "expected bbox as a list of finite numbers"),
        (("annotations", 0, "image_id"), 99, "annotation 1: expected image_id to be among the file's own, got 99"),
        (("annotations", 0, "category_id"), [], "annotation 1: expected category_id to be among"),
        (("annotations", 0, "segmentation"), [[1, 2, 3, 4]], "expected polygons of 3 or more points"),
        (("annotations", 0, "segmentation"), {"size": [20, 30], "counts": [5]}, "expected runs that fill 20 x 30"),
        (("annotations", 0, "segmentation"), {"size": [2, 3], "counts": [6]}, "runs of a picture of 20 x 30"),
        (("annotations", 1, "keypoints"), [1, 2, 2, 3], "annotation 2: expected 3 numbers for each of 3 keypoints"),
        (("annotations", 1, "keypoints"), [1, 2, 2], "annotation 2: expected 3 numbers for each of 3 keypoints"),
        (("annotations", 1), "text", "expected an object, got 'text'"),
        (("categories", 0, "skeleton"), [[1, 4]], "expected the skeleton of 'person' to count its 3 keypoints from 1"),
        (("categories", 0, "skeleton"), [[1, float("inf")]], "expected the skeleton as pairs of numbers"),
        (("images", 0, "height"), 0, "expected a valid 'height', got 0"),
        (("images", 1, "id"), 7, "expected each image's id once, got 7 twice"),
        (("images", 1), 3, "expected an object, got 3"),
    ],
)
def test_what_does_not_fit_is_named_and_the_rest_is_read(
    tmp_path: Path, where: tuple[Any, ...], to: object, says: str
) -> None:
    file = read_coco(write(tmp_path / "coco.json", changed(*where, to=to)))
    assert says in str(file.problems[0])
    assert "coco.json" in str(file.problems[0])
    assert len(file.images) >= 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "expected JSON"),
        (b"[]", "got a list"),
        (b"\xff", "expected"),
        (b"[" * 100_000, "cannot be parsed"),
        (b'{"images": [], "annotations": {}, "categories": []}', "expected a list under 'annotations'"),
        (b'{"images": [], "annotations": []}', "expected a list under 'categories'"),
    ],
)
def test_files_that_are_no_coco_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "coco.json").write_bytes(content)
    with pytest.raises(SourceError, match=says):
        read_coco(tmp_path / "coco.json")
    with pytest.raises(SourceError, match="check the path"):
        read_coco(tmp_path / "none.json")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value in nested lists and objects."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(inner, (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(list(places(GOOD))), JSON)
def test_any_value_anywhere_is_taken_in_or_named(
    tmp_path_factory: pytest.TempPathFactory, where: tuple[Any, ...], to: object
) -> None:
    path = write(tmp_path_factory.mktemp("c") / "c.json", changed(*where, to=to))
    try:
        file = read_coco(path)
    except SourceError:
        return
    assert sum(len(image.objects or ()) for image in file.images.values()) <= 5


@pytest.mark.parametrize(
    ("json_at", "images_at"),
    [
        ("instances.json", "images/"),
        ("annotations/instances.json", "images/"),
        ("annotations/instances_train2017.json", "train2017/"),
        ("annotations/instances_train.json", "images/train/"),
        ("train/_annotations.coco.json", "train/"),
        ("set.json", ""),
    ],
)
def test_pictures_are_found_beside_the_file(tmp_path: Path, json_at: str, images_at: str) -> None:
    photo(tmp_path / images_at / "one.png")
    write(tmp_path / json_at, simple("one.png"))
    source = open_source(tmp_path)
    assert (source.layout, [r.key for r in source], source.problems) == ("coco", [f"{images_at}one.png"], ())
    assert source.records[0].split == ("train" if "train" in json_at else None)
    assert [r.image for r in open_source(tmp_path / json_at)] == [r.image for r in source]


def test_files_of_several_splits_are_one_source(tmp_path: Path) -> None:
    for split, number in (("train", 1), ("val", 5)):
        photo(tmp_path / split / "same.png", number)
        write(tmp_path / "annotations" / f"instances_{split}.json", simple("same.png", first=number))
    write(tmp_path / "annotations" / "person_keypoints_val.json", simple("same.png"))
    source = open_source(tmp_path)
    assert [(r.key, r.split) for r in source] == [("train/same.png", "train"), ("val/same.png", "val")]
    assert "not read: person_keypoints_val.json" in source.describe()
    other = open_source(tmp_path, extra={"annotations": "person_keypoints_val.json"})
    assert [r.key for r in other] == ["val/same.png"]


def test_two_files_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    for folder, box in (("x", [1, 1, 2, 2]), ("y", [3, 3, 4, 4])):
        photo(tmp_path / folder / "one.png")
        described = simple("one.png")
        described["annotations"][0]["bbox"] = box
        write(tmp_path / folder / "instances.json", described)
    source = open_source(tmp_path)
    assert [(r.key, [thing.box for thing in r.objects or ()]) for r in source] == [("x/one.png", [(1, 1, 2, 2)])]
    assert "not read: instances.json" in source.describe()


def test_pictures_that_are_missing_or_lead_out_are_problems(tmp_path: Path) -> None:
    photo(tmp_path / "secret.png")
    photo(tmp_path / "set" / "images" / "one.png")
    (tmp_path / "set" / "images" / "link.png").symlink_to(tmp_path / "secret.png")
    names = ("one.png", "gone.png", "../../secret.png", str(tmp_path / "secret.png"), "link.png", "a\0b")
    write(tmp_path / "set" / "c.json", simple(*names))
    source = open_source(tmp_path / "set")
    assert [r.key for r in source] == ["images/one.png"]
    said = [str(problem) for problem in source.problems]
    assert "expected the picture 'gone.png'" in said[0]
    assert all("pass outside=True" in text for text in said[1:4])
    assert len(said) == 5
    allowed = open_source(tmp_path / "set", outside=True)
    assert len(allowed) == 4
    assert all(".." not in r.key and not r.key.startswith("/") for r in allowed)


def test_a_file_without_any_of_its_pictures_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "c.json", simple("one.png"))
    with pytest.raises(SourceError, match=r"got none of 1; pass extra=\{'images': FOLDER\}"):
        open_source(tmp_path / "c.json", layout="coco")
    photo(tmp_path / "elsewhere" / "one.png")
    found = open_source(tmp_path / "c.json", extra={"images": tmp_path / "elsewhere"})
    assert [r.key for r in found] == ["elsewhere/one.png"]


def _full(root: Path) -> Source:
    photo(root / "images" / "a" / "one.png", 1, (20, 30, 3))
    photo(root / "images" / "two.png", 2, (10, 10, 3))
    described = changed("images", 0, "file_name", to="a/one.png")
    described["images"][1]["file_name"] = "two.png"
    described["annotations"][0]["segmentation"] = [[1, 2, 4.5, 2, 4.5, 6], [0, 0, 1, 0, 1, 1]]
    described["annotations"][3]["segmentation"] = {"size": [20, 30], "counts": [100, 20, 480]}
    described["annotations"].append(
        {"id": 9, "image_id": 8, "category_id": 2, "bbox": [0, 0, 1, 1], "area": 1, "note": "odd"}
        | {"segmentation": {"size": [10, 10], "counts": "0T3"}}
    )
    write(root / "instances.json", described)
    return open_source(root)


def _same(a: Source, b: Source) -> None:
    """Equal records, apart from the areas that had to be made up."""
    for one, other in zip(a, b, strict=True):
        assert (one.key, one.split, one.label, one.labels, one.group, one.size) == (
            *(other.key, other.split, other.label, other.labels, other.group, other.size),
        )
        assert dict(one.attributes) == {k: other.attributes[k] for k in one.attributes}
        assert len(one.objects or ()) == len(other.objects or ())
        for thing, again in zip(one.objects or (), other.objects or (), strict=True):
            assert thing.box in (None, again.box)
            assert (thing.category, thing.polygons, thing.rle, thing.keypoints, thing.crowd) == (
                *(again.category, again.polygons, again.rle, again.keypoints, again.crowd),
            )
            assert dict(thing.attributes) == {k: again.attributes[k] for k in thing.attributes}
    assert (a.categories, a.keypoint_names, a.links) == (b.categories, b.keypoint_names, b.links)
    assert a.info == b.info


def test_written_again_it_says_the_same(tmp_path: Path) -> None:
    source = _full(tmp_path / "in")
    assert (len(source), source.problems) == (2, ())
    assert source.records[1].objects[0].rle == RLE(10, 10, (0, 100))
    assert source.records[1].objects[0].attributes["note"] == "odd"
    assert source.info["category_ids"] == {"person": 1, "cat": 2}
    assert source.info["licenses"] == GOOD["licenses"]
    assert source.keypoint_names == ("nose", "left", "right")
    written = Coco().write(source, tmp_path / "out", WriteTarget())
    assert (written.count, written.lost, written.problems) == (2, (), ())
    _same(source, open_source(tmp_path / "out"))
    for record in source:
        assert (tmp_path / "out" / record.key).read_bytes() == Path(str(record.image)).read_bytes()


def test_gaps_in_the_numbers_of_categories_stay(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "one.png")
    described = simple("one.png")
    described["categories"] = [{"id": 90, "name": "thing"}, {"id": 3, "name": "rare"}]
    write(tmp_path / "in" / "c.json", described)
    source = open_source(tmp_path / "in")
    assert source.categories == ("rare", "thing")
    Coco().write(source, tmp_path / "out", WriteTarget())
    told = json.loads((tmp_path / "out" / "annotations" / "instances.json").read_text())
    assert {c["name"]: c["id"] for c in told["categories"]} == {"thing": 90, "rare": 3}
    assert [a["category_id"] for a in told["annotations"]] == [90]
    assert told["annotations"][0]["area"] == 12


def test_records_of_other_layouts_keep_split_label_and_group(tmp_path: Path) -> None:
    records = tuple(
        Record(
            f"{split}/x.png",
            photo(tmp_path / "in" / split / "x.png"),
            label="cat/tabby",
            labels=("a", "b"),
            split=split,
            group="p1",
            objects=(Instance("eye", keypoints=((1.0, 2.0, 2), (0.0, 0.0, 0))), Instance("ear", (1.0, 1.0, 2.0, 2.0))),
            attributes={"iso": 100, "lens": "wide"},
            size=(30, 40),
        )
        for split in ("test", "train")
    )
    source = Source(tmp_path / "in", "made up", records, keypoint_names=("in", "out"), categories=("eye", "ear"))
    written = Coco().write(source, tmp_path / "out", WriteTarget())
    assert written.lost == ()
    back = open_source(tmp_path / "out")
    assert [r.key for r in back] == ["images/test/x.png", "images/train/x.png"]
    for record, again in zip(records, back, strict=True):
        assert (again.label, again.labels, again.group, again.split) == ("cat/tabby", ("a", "b"), "p1", record.split)
        assert {name: again.attributes[name] for name in record.attributes} == record.attributes
        assert again.objects is not None
        assert again.objects[0].keypoints == record.objects[0].keypoints
        assert again.objects[1].box == (1.0, 1.0, 2.0, 2.0)


def test_real_boxes_fit_their_pictures(data_root: Path) -> None:
    source = open_source(data_root / "coco_sample")
    assert (source.layout, len(source), len(source.categories), source.problems) == ("coco", 48, 80, ())
    objects = [thing for record in source for thing in record.objects or ()]
    assert (len(objects), sum(o.crowd for o in objects), sum(o.rle is not None for o in objects)) == (462, 6, 6)
    for record in source:
        boxes = boxes_of(record.objects or (), crowds=True)
        if boxes is not None:
            assert record.size is not None
            edges = boxes.edges(record.size)
            assert edges.min() >= -0.5 - 1e-6
            assert (edges[:, 2:] <= np.array(record.size) - 0.5 + 1).all()


def test_real_masks_lie_in_the_box_that_the_file_says(data_root: Path) -> None:
    source = open_source(data_root / "coco_sample")
    crowds = [thing for record in source for thing in record.objects or () if thing.rle is not None]
    for thing in crowds:
        assert thing.rle is not None
        # The file's boxes of crowds go from the first pixel to the last, and do not cover that one.
        left, top, width, height = bounds_of_rle(thing.rle) or (0, 0, 0, 0)
        assert (left, top, width - 1, height - 1) == thing.box


def test_real_sets_written_again_say_the_same(data_root: Path, tmp_path: Path) -> None:
    source = open_source(data_root / "coco_sample")
    assert Coco().write(source, tmp_path / "out", WriteTarget()).lost == ()
    _same(source, open_source(tmp_path / "out"))
    people = open_source(data_root / "coco_keypoints", extra={"annotations": "person_keypoints.json"})
    counts = Counter(bool(thing.keypoints) for record in people for thing in record.objects or ())
    assert (counts[True], counts.total(), len(people.keypoint_names), len(people.links)) == (36, 54, 17, 19)
    assert Coco().write(people, tmp_path / "people", WriteTarget()).lost == ()
    _same(people, open_source(tmp_path / "people"))
