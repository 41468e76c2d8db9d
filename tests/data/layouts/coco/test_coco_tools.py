"""COCO files as labelling tools and converters write them, each a small set of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import imagemill as im
from imagemill.data import Source, open_source
from imagemill.data.layouts.base import WriteTarget
from imagemill.data.layouts.coco.coco import Coco
from imagemill.data.layouts.shapes.rle import text_from_counts
from imagemill.data.records.instances import RLE
from imagemill.verbs.scan.scan import scan
from tests.data.pictures import photo

SIZE = {"height": 30, "width": 40}
CAT = [{"id": 1, "name": "cat"}]


def write(path: Path, images: Any, annotations: Any = None, categories: Any = None, **more: Any) -> Path:
    """A file of one thing a picture, unless more is said; the pictures are not made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [{"id": n, "file_name": one, **SIZE} if isinstance(one, str) else one for n, one in enumerate(images)]
    things = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in range(len(listed))]
    told = {"images": listed, "annotations": things if annotations is None else annotations}
    path.write_text(json.dumps({**told, "categories": CAT if categories is None else categories, **more}))
    return path


def one(root: Path, *things: dict[str, Any], size: Any = None, categories: Any = None) -> Source:
    """A set of one picture with some things."""
    photo(root / "a.png")
    image = {"id": 0, "file_name": "a.png", **(SIZE if size is None else size)}
    entries = [{"id": n, "image_id": 0, "category_id": 1, **thing} for n, thing in enumerate(things)]
    write(root / "c.json", [image], entries, categories)
    return open_source(root)


def said(source: Source) -> str:
    return " | ".join([*map(str, source.problems), *source.notes])


def test_the_root_that_roboflow_writes_is_no_class(tmp_path: Path) -> None:
    root = {"id": 0, "name": "cells", "supercategory": "none"}
    kinds = [root, *({"id": n, "name": name, "supercategory": "cells"} for n, name in ((1, "rbc"), (2, "wbc")))]
    things = [{"id": 0, "image_id": 0, "category_id": 2, "bbox": [1, 2, 3, 4]}]
    for part in ("train", "valid", "test"):
        photo(tmp_path / part / "x.rf.1.jpg")
        write(tmp_path / part / "_annotations.coco.json", ["x.rf.1.jpg"], things, kinds)
    source = open_source(tmp_path)
    assert [(r.key, r.split, r.objects[0].category) for r in source if r.objects] == [
        ("test/x.rf.1.jpg", "test", "wbc"),
        ("train/x.rf.1.jpg", "train", "wbc"),
        ("valid/x.rf.1.jpg", "val", "wbc"),
    ]
    assert (source.categories, source.info["category_ids"]) == (("rbc", "wbc"), {"rbc": 1, "wbc": 2})
    assert "'cells' (number 0) stands for the whole set" in said(source)
    assert dict(scan(tmp_path).categories) == {"rbc": 0, "wbc": 3}
    # A class without an example stays one, where it stands above no other.
    flat = [{"id": n, "name": name, "supercategory": "none"} for n, name in ((1, "rbc"), (2, "wbc"))]
    (tmp_path / "flat").mkdir()
    photo(tmp_path / "flat" / "x.jpg")
    write(tmp_path / "flat" / "c.json", ["x.jpg"], things, flat)
    assert open_source(tmp_path / "flat").categories == ("rbc", "wbc")


def test_a_root_of_the_name_of_its_class_goes_and_two_of_one_name_are_one(tmp_path: Path) -> None:
    kinds = [{"id": 0, "name": "pothole", "supercategory": "none"}, {"id": 1, "name": "pothole"}]
    source = one(tmp_path / "a", {"bbox": [1, 1, 2, 2]}, categories=kinds)
    assert (source.info["category_ids"], len(source.records[0].objects or ())) == ({"pothole": 1}, 1)
    both = one(tmp_path / "b", {"bbox": [1, 1, 2, 2]}, {"bbox": [4, 4, 2, 2], "category_id": 0}, categories=kinds)
    assert [t.category for t in both.records[0].objects or ()] == ["pothole", "pothole"]
    assert "'pothole' is listed twice (0 and 1)" in said(both)


@pytest.mark.parametrize(
    "size",
    [{"height": 30.0, "width": 40.0}, {"height": "30", "width": "40"}, {}, {"height": None, "width": None}],
)
def test_sizes_may_be_fractions_text_or_missing(tmp_path: Path, size: dict[str, Any]) -> None:
    source = one(tmp_path, {"bbox": [1.5, 2.0, 3, 4]}, size=size or {"date_captured": 0})
    (record,) = source
    assert (record.size, source.problems) == ((30, 40) if size.get("height") else None, ())
    assert [t.box for t in record.objects or ()] == [(1.5, 2, 3, 4)]
    Coco().write(source, tmp_path / "out", WriteTarget())
    told = json.loads((tmp_path / "out/annotations/instances.json").read_text())
    assert (told["images"][0]["height"], told["images"][0]["width"]) == (30, 40)


RUNS = [0, 3, 27, 3, 1167]  # the first three pixels of the two first columns


@pytest.mark.parametrize(
    ("thing", "box"),
    [
        ({"segmentation": [[4, 5, 9, 5, 9, 8, 4, 8]]}, (4, 5, 5, 3)),
        ({"segmentation": [4, 5, 9, 5, 9, 8, 4, 8]}, (4, 5, 5, 3)),
        ({"segmentation": [[[4, 5], [9, 5], [9, 8], [4, 8]]]}, (4, 5, 5, 3)),
        ({"segmentation": [[4, 5], [9, 5], [9, 8], [4, 8]]}, (4, 5, 5, 3)),
        ({"segmentation": [[4, 5, 9, 5, 9, 8, 4, 8]], "bbox": [0, 0, 0, 0]}, (4, 5, 5, 3)),
        ({"segmentation": [[4, 5, 9, 5, 9, 8, 4, 8]], "bbox": [4, 5, 6, 4]}, (4, 5, 6, 4)),
        ({"segmentation": {"size": [30, 40], "counts": RUNS}}, (0, 0, 2, 3)),
        ({"segmentation": {"size": [30.0, 40.0], "counts": text_from_counts(tuple(RUNS))}, "bbox": []}, (0, 0, 2, 3)),
        ({"bbox": [4, 5, 6, 4], "segmentation": []}, (4, 5, 6, 4)),
        ({"bbox": [4, 5, 6, 4], "segmentation": None, "iscrowd": None}, (4, 5, 6, 4)),
    ],
)
def test_outlines_without_boxes_and_boxes_without_outlines(
    tmp_path: Path, thing: dict[str, Any], box: tuple[float, ...]
) -> None:
    source = one(tmp_path, thing)
    ((found,),) = [r.objects for r in source]
    assert (found.box, found.crowd, source.problems) == (box, False, ())
    told = thing["segmentation"]
    if isinstance(told, dict):
        assert found.rle == RLE(30, 40, tuple(RUNS))
    elif told:
        assert found.polygons == ((4, 5, 9, 5, 9, 8, 4, 8),)


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        ({"bbox": [5, 5, 0, 4]}, "expected a bbox with a width and a height"),
        ({"bbox": [5, 5, -3, 4]}, "sizes of 0 or more"),
        ({"bbox": [500, 5, 3, 4]}, "expected a box within 'a.png'"),
        ({"bbox": [-9, 5, 3, 4]}, "expected a box within 'a.png'"),
        ({"bbox": [float("nan"), 5, 3, 4]}, "list of finite numbers"),
        ({"segmentation": [[1, 1, 5, float("nan"), 3, 3]]}, "list of finite numbers"),
        ({"bbox": [1, 1, 5, 5], "category_id": 77}, "expected category_id to be among the file's own, got 77"),
        ({"bbox": [1, 1, 5, 5], "category_id": None}, "expected category_id to be among the file's own, got None"),
        ({"note": "nothing"}, "expected a bbox, a segmentation or keypoints"),
    ],
)
def test_a_picture_that_lost_its_things_is_not_empty(tmp_path: Path, thing: dict[str, Any], says: str) -> None:
    source = one(tmp_path / "all", thing, *([] if "note" not in thing else [{"bbox": [1e9, 1, 2, 2]}]))
    assert [r.objects for r in source] == [None]
    assert says in said(source)
    assert "1 picture lost everything that was annotated in it" in said(source)
    assert scan(tmp_path / "all").annotated == 0
    # With another thing in it, that one is left; with nothing said of it at all, it is empty.
    some = one(tmp_path / "some", thing, {"bbox": [1, 1, 2, 2]})
    assert [[t.box for t in r.objects or ()] for r in some] == [[(1, 1, 2, 2)]]
    assert says in said(some)
    assert "lost everything" not in said(some)
    assert [r.objects for r in one(tmp_path / "none", size=SIZE)] == [()]


def test_a_part_that_does_not_fit_leaves_the_others(tmp_path: Path) -> None:
    source = one(
        tmp_path,
        {"bbox": [1, 2, 3, 4], "segmentation": [[1, 1, 2, 2]]},
        {"bbox": [1, 2, 3, 4], "segmentation": {"size": [3, 4], "counts": [12]}},
        {"bbox": [1, 2, -3, 4], "segmentation": [[1, 1, 2, 2], [4, 5, 9, 5, 9, 8]]},
        {"bbox": [1, 2, 3, 4], "keypoints": [1, 2, float("inf")]},
    )
    things = source.records[0].objects or ()
    assert [t.box for t in things] == [(1, 2, 3, 4), (1, 2, 3, 4), (4, 5, 5, 3), (1, 2, 3, 4)]
    assert len(source.problems) == 5
    assert all(not t.rle and not t.keypoints for t in things)


def test_categories_that_are_not_listed_are_counted(tmp_path: Path) -> None:
    source = one(tmp_path, *({"bbox": [1, 1, 2, 2], "category_id": n} for n in (1, 5, 5, "x")))
    assert "3 annotations of categories that are not listed (5: 2, 'x': 1)" in said(source)
    assert len(source.problems) == 3


@pytest.mark.parametrize(("in_images", "in_things"), [("a1", "a1"), (1, "1"), (1.0, 1), ("1", 1)])
def test_ids_are_text_numbers_or_both(tmp_path: Path, in_images: Any, in_things: Any) -> None:
    photo(tmp_path / "a.png")
    thing = {"id": "t", "image_id": in_things, "category_id": in_things, "bbox": [1, 2, 3, 4], "iscrowd": "0"}
    write(tmp_path / "c.json", [{"id": in_images, "file_name": "a.png"}], [thing], [{"id": in_images, "name": "cat"}])
    source = open_source(tmp_path)
    ((found,),) = [r.objects for r in source]
    assert (found.category, found.crowd, source.problems) == ("cat", False, ())
    Coco().write(source, tmp_path / "out", WriteTarget())
    assert [len(r.objects or ()) for r in open_source(tmp_path / "out")] == [1]


def test_two_pictures_of_one_id_are_not_annotated_and_one_listed_twice_is_one(tmp_path: Path) -> None:
    for name in "abc":
        photo(tmp_path / f"{name}.png")
    images = [{"id": n, "file_name": f"{name}.png"} for n, name in ((1, "a"), (1, "b"), (2, "c"), (3, "c"))]
    boxes = [(1, [1, 1, 2, 2]), (2, [1, 1, 2, 2]), (3, [1, 1, 2, 2]), (3, [3, 3, 2, 2])]
    things = [{"id": 7, "image_id": n, "category_id": 1, "bbox": box} for n, box in boxes]
    write(tmp_path / "c.json", images, things)
    source = open_source(tmp_path)
    assert [r.objects and [t.box for t in r.objects] for r in source] == [None, None, [(1, 1, 2, 2), (3, 3, 2, 2)]]
    assert "expected each image's id once, got 1 twice" in said(source)
    assert "which two have" in said(source)
    assert "1 pictures are listed twice (c.png)" in said(source)
    assert "2 pictures lost everything" in said(source)


@pytest.mark.parametrize(
    ("json_at", "image_at", "name"),
    [
        ("c.json", "imgs/deep/0.jpg", "0.jpg"),
        ("c.json", "imgs/0.jpg", "imgs\\0.jpg"),
        ("c.json", "imgs/0.jpg", "C:\\work\\set\\imgs\\0.jpg"),
        ("c.json", "imgs/0.jpg", "/somewhere/else/imgs/0.jpg"),
        ("result.json", "images/1a2b3c4d-x y.jpg", "images\\1a2b3c4d-x%20y.jpg"),
        ("result.json", "images/x.jpg", "../../data/media/upload/1/1a2b3c4d-x.jpg"),
        ("annotations/instances_default.json", "images/default/0.jpg", "0.jpg"),
        ("annotations/instances_train2017.json", "train2017/0.jpg", "0.jpg"),
        ("annotations/instances.json", "images/Straße.JPG", "strasse.jpg"),
        ("c.json", "imgs/0.jpg", "http://images.cocodataset.org/imgs/0.jpg"),
        ("c.json", "imgs/0.jpg", "0"),
    ],
)
def test_pictures_are_found_by_what_is_left_of_their_path(
    tmp_path: Path, json_at: str, image_at: str, name: str
) -> None:
    photo(tmp_path / image_at)
    path = write(tmp_path / json_at, [name])
    source = open_source(tmp_path)
    assert (source.layout, [r.key for r in source], source.problems) == ("coco", [image_at], ())
    assert [t.box for r in source for t in r.objects or ()] == [(1, 2, 3, 4)]
    assert source.also_read == (path,)
    assert [r.image for r in open_source(path)] == [tmp_path / image_at]


@pytest.mark.parametrize("field", ["path", "coco_url", "filename"])
def test_the_name_may_be_under_another_word(tmp_path: Path, field: str) -> None:
    photo(tmp_path / "imgs" / "0.jpg")
    value = "http://images.cocodataset.org/val2017/0.jpg" if field == "coco_url" else "0.jpg"
    write(tmp_path / "c.json", [{"id": 0, field: value}])
    assert [(r.key, len(r.objects or ())) for r in open_source(tmp_path)] == [("imgs/0.jpg", 1)]


def test_a_picture_that_is_missing_is_not_another_of_its_name(tmp_path: Path) -> None:
    for name in ("train2017/0.jpg", "val2017/0.jpg", "val2017/1.jpg"):
        photo(tmp_path / name)
    write(tmp_path / "annotations" / "instances_train2017.json", ["0.jpg", "1.jpg"])
    write(tmp_path / "annotations" / "instances_val2017.json", ["0.jpg"])
    source = open_source(tmp_path)
    assert [r.key for r in source] == ["train2017/0.jpg", "val2017/0.jpg"]
    assert "expected the picture '1.jpg'" in said(source)
    for name in ("x/5.jpg", "y/5.jpg"):
        photo(tmp_path / "two" / name)
    write(tmp_path / "two" / "c.json", ["5.jpg", "x/5.jpg"])
    assert [r.key for r in open_source(tmp_path / "two")] == ["x/5.jpg"]
    write(tmp_path / "two" / "c.json", ["5.jpg", "z.jpg"])
    with pytest.raises(im.SourceError, match="got none of 2"):
        open_source(tmp_path / "two", layout="coco")


def test_the_lists_may_be_one_level_down(tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    told = json.loads(write(tmp_path / "c.json", ["a.png"]).read_text())
    for wrapped in ({"data": told, "version": 1}, [told]):
        (tmp_path / "c.json").write_text(json.dumps(wrapped))
        assert [len(r.objects or ()) for r in open_source(tmp_path)] == [1]


def test_captions_and_panoptic_segments_are_recognised(tmp_path: Path) -> None:
    photo(tmp_path / "cap" / "a.png")
    captions = [{"id": n, "image_id": 0, "caption": text} for n, text in enumerate(("A cat.", "A mat."))]
    write(tmp_path / "cap" / "captions_val.json", ["a.png"], captions)
    told = json.loads((tmp_path / "cap" / "captions_val.json").read_text())
    del told["categories"]
    (tmp_path / "cap" / "captions_val.json").write_text(json.dumps(told))
    source = open_source(tmp_path / "cap")
    assert [(r.objects, r.attributes["caption"]) for r in source] == [(None, "A cat.\nA mat.")]
    assert "holds captions and no annotations" in said(source)
    segments = [{"image_id": 0, "file_name": "a.png", "segments_info": [{"id": 1, "category_id": 1, "bbox": [0] * 4}]}]
    photo(tmp_path / "pan" / "a.png")
    write(tmp_path / "pan" / "panoptic_val.json", ["a.png"], segments)
    source = open_source(tmp_path / "pan")
    assert (source.layout, [r.objects for r in source]) == ("coco", [None])
    assert "holds panoptic segments, which are not read" in said(source)
    write(tmp_path / "pan" / "instances_val.json", ["a.png"])
    source = open_source(tmp_path / "pan")
    assert [len(r.objects or ()) for r in source] == [1]
    assert "not read: panoptic_val.json (panoptic segments)" in said(source)


def test_annotations_without_a_place_are_classes_of_pictures(tmp_path: Path) -> None:
    for name in "abc":
        photo(tmp_path / f"{name}.png")
    things = [{"id": n, "image_id": i, "category_id": c} for n, (i, c) in enumerate([(0, 1), (1, 1), (1, 2)])]
    write(tmp_path / "c.json", ["a.png", "b.png", "c.png"], things, [*CAT, {"id": 2, "name": "dog"}])
    source = open_source(tmp_path)
    assert [(r.label, r.labels) for r in source] == [("cat", None), (None, ("cat", "dog")), (None, None)]
    assert dict(scan(tmp_path).classes) == {"cat": 2, "dog": 1}
    assert "categories are classes of pictures" in said(source)


@pytest.mark.parametrize(
    (("values", "keypoints")),
    [
        ([5, 6, 7, 8], ((5, 6, 2), (7, 8, 2))),
        ([5, 6, 0, 0], ((5, 6, 2), (0, 0, 0))),
        ([5, 6, 2.0, 7, 8, 0.3], ((5, 6, 2), (7, 8, 1))),
        ([5, 6, 0.9, 7, 8, 0.0], ((5, 6, 2), (7, 8, 0))),
        ([[5, 6, 2], [7, 8, 1]], ((5, 6, 2), (7, 8, 1))),
    ],
)
def test_keypoints_of_two_values_and_shares_of_visibility(tmp_path: Path, values: Any, keypoints: Any) -> None:
    kinds = [{"id": 1, "name": "cat", "keypoints": ["left_ear", "right_ear"], "skeleton": [[0, 1]]}]
    source = one(tmp_path, {"bbox": [1, 1, 9, 9], "keypoints": values}, categories=kinds)
    assert [t.keypoints for r in source for t in r.objects or ()] == [keypoints]
    assert (source.links, source.problems) == (((0, 1),), ())
    # A skeleton that fits no keypoints does not take the class with it.
    kinds[0]["skeleton"] = [[1, 9]]
    again = one(tmp_path, {"bbox": [1, 1, 9, 9], "keypoints": values}, categories=kinds)
    assert [t.keypoints for r in again for t in r.objects or ()] == [keypoints]
    assert "expected the skeleton of 'cat'" in said(again)


def test_pictures_nobody_annotated_have_a_column_to_leave_them_out_by(tmp_path: Path) -> None:
    for name in "abc":
        photo(tmp_path / "in" / f"{name}.png")
    boxes = [(0, [1, 1, 5, 5]), (1, [1, 1, 0, 5])]
    things = [{"id": n, "image_id": n, "category_id": 1, "bbox": box} for n, box in boxes]
    write(tmp_path / "in" / "c.json", ["a.png", "b.png", "c.png"], things)
    source = open_source(tmp_path / "in")
    assert [(r.objects is None, r.attributes.get("annotated")) for r in source] == [
        (False, None),
        (True, False),
        (False, None),
    ]
    lost = Coco().write(source, tmp_path / "out", WriteTarget()).lost
    assert any("1 pictures nobody annotated: COCO has no mark for them" in one for one in lost)
    assert [r.objects is None for r in open_source(tmp_path / "out")] == [False, True, False]
    im.prepare(tmp_path / "in", tmp_path / "store")
    for place in ("in", "store"):
        dataset = im.open(tmp_path / place)
        with pytest.warns(UserWarning, match=r"1 of 3 pictures were not annotated.* dataset.filter\(pl.col"):
            im.Loader(dataset, batch_size=3, workers=0, split="all").detection()
        kept = dataset.filter(pl.col("annotated").fill_null(True))
        images, _ = next(iter(im.Loader(kept, batch_size=3, workers=0, split="all").detection()))
        assert len(images) == 2
