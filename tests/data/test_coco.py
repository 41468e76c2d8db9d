"""What a COCO file says comes out as boxes and keypoints, and what is wrong with it is named."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest

from imagemill.core.errors import SourceError
from imagemill.data.coco import read_coco

GOOD = {
    "info": {"year": 2020},
    "images": [
        {"id": 7, "file_name": "a/one.jpg", "height": 20, "width": 30},
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
        {"id": 2, "name": "cat"},
    ],
}


def write(tmp_path: Path, described: object) -> Path:
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(described), "utf-8")
    return path


def changed(*where: object, to: object) -> dict:
    described = copy.deepcopy(GOOD)
    inner = described
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = to
    return described


def test_boxes_come_with_their_names_and_crowds_when_asked_for(tmp_path):
    image = read_coco(write(tmp_path, GOOD)).find("a/one.jpg")
    boxes = image.boxes()
    assert boxes.format == "xywh"
    assert boxes.labels == ["cat", "person", "person"]
    assert boxes.array[0].tolist() == [1, 2, 3.5, 4]
    assert len(image.boxes(crowds=True)) == 4
    assert image.size == (20, 30)


def test_keypoints_keep_their_rows_and_unlabelled_ones_are_not_visible(tmp_path):
    image = read_coco(write(tmp_path, GOOD)).find("a/one.jpg")
    points = image.keypoints()
    assert points.array.tolist() == [[5, 6], [0, 0], [7, 8], [1, 1], [2, 2], [3, 3]]
    assert points.visible.tolist() == [True, False, True, True, True, True]
    assert points.labels == ["nose", "left", "right"] * 2
    assert image.links() == ((0, 1), (0, 2), (3, 4), (3, 5))


def test_pictures_are_found_by_path_and_else_by_name(tmp_path):
    coco = read_coco(write(tmp_path, GOOD))
    assert coco.find("one.jpg") is coco.find("a/one.jpg") is coco.images["a/one.jpg"]
    assert coco.find("three.jpg") is None
    assert coco.find("two.jpg").boxes() is None
    assert coco.find("two.jpg").keypoints() is None
    assert coco.find("two.jpg").links() == ()


def test_a_name_that_could_be_two_pictures_is_refused(tmp_path):
    coco = read_coco(write(tmp_path, changed("images", 1, "file_name", to="b/one.jpg")))
    assert coco.find("b/one.jpg").size == (10, 10)
    with pytest.raises(SourceError, match=r"expected one entry for 'one.jpg', got a/one.jpg, b/one.jpg"):
        coco.find("one.jpg")


@pytest.mark.parametrize(
    ("where", "to", "says"),
    [
        (("annotations", 0, "bbox"), [1, 2, -3, 4], "annotation 1: expected bbox as left, top, width, height"),
        (("annotations", 0, "bbox"), [1, 2, 3], "annotation 1: expected bbox as left, top, width, height"),
        (("annotations", 0, "bbox"), [1, 2, "3", 4], "expected bbox as a list of finite numbers"),
        (("annotations", 0, "bbox"), [1, 2, float("nan"), 4], "expected bbox as a list of finite numbers"),
        (("annotations", 0, "image_id"), 99, "annotation 1: expected image_id to be among the file's own, got 99"),
        (("annotations", 0, "category_id"), 99, "annotation 1: expected category_id to be among"),
        (("annotations", 1, "keypoints"), [1, 2, 2, 3], "annotation 2: expected 3 numbers for each of 3 keypoints"),
        (("annotations", 1, "keypoints"), [1, 2, 2], "annotation 2: expected 3 numbers for each of 3 keypoints"),
        (("categories", 0, "skeleton"), [[1, 4]], "expected the skeleton of 'person' to count its 3 keypoints from 1"),
        (("images", 0, "height"), 0, "expected every entry under 'images' to have a valid 'height', got 0 at place 0"),
        (("images", 1, "file_name"), "a/one.jpg", "expected each file_name once, got 'a/one.jpg' twice"),
        (("images", 1), 3, "expected objects under 'images', got 3 at place 1"),
        (("annotations",), {}, "expected a list under 'annotations'"),
        (("categories",), None, "expected a list under 'categories'"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, where, to, says):
    with pytest.raises(SourceError) as caught:
        read_coco(write(tmp_path, changed(*where, to=to)))
    assert says in str(caught.value)
    assert "coco.json" in str(caught.value)


@pytest.mark.parametrize(("text", "says"), [("{", "expected JSON"), ("[]", "got a list"), ("\xff", "expected")])
def test_files_that_are_no_coco_are_refused(tmp_path, text, says):
    path = tmp_path / "coco.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SourceError, match=says):
        read_coco(path)
    with pytest.raises(SourceError, match="check the path"):
        read_coco(tmp_path / "none.json")


def test_real_boxes_fit_their_pictures(data_root):
    coco = read_coco(data_root / "coco_sample" / "instances.json")
    assert len(coco.images) == 48
    objects = [o for image in coco.images.values() for o in image.objects]
    assert len(objects) == 462
    assert sum(o.crowd for o in objects) == 6
    for image in coco.images.values():
        boxes = image.boxes(crowds=True)
        if boxes is not None:
            edges = boxes.edges(image.size)
            assert edges.min() >= -0.5 - 1e-6
            assert (edges[:, 2:] <= np.array(image.size) - 0.5 + 1).all()


def test_real_keypoints_are_read(data_root):
    coco = read_coco(data_root / "coco_keypoints" / "person_keypoints.json")
    people = [o for image in coco.images.values() for o in image.objects]
    assert len(people) == 54
    assert sum(len(o.points) > 0 for o in people) == 36
    for image in coco.images.values():
        points = image.keypoints()
        if points is not None:
            assert (points.array[points.visible] < np.array(image.size[::-1])).all()
            assert max(max(link) for link in image.links()) < len(points)
