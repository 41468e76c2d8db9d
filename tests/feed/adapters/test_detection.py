"""Detection sets: boxes with their classes in every framework, and the targets of detectors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from imagemill.feed.making.carried_annotations import filled

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

DATA = Path(os.environ.get("IMAGEMILL_DATA", ""))
real = pytest.mark.skipif(not os.environ.get("IMAGEMILL_DATA"), reason="IMAGEMILL_DATA names no folder")


def scene(root: Path, count: int = 5) -> Path:
    """Bright rectangles on black in the COCO layout: outlines and runs that are the boxes."""
    (root / "images").mkdir(parents=True)
    images, things = [], []
    for n in range(count):
        pixels = np.zeros((40, 60, 3), np.uint8)
        name = f"{n}.png"
        for k in range(n % 3 + 1):
            x, y, w, h = 4 + 18 * k, 6 + 3 * n, 10 + k, 8
            pixels[y : y + h, x : x + w] = 100 + 50 * k
            mask = np.zeros((40, 60), np.uint8)
            mask[y : y + h, x : x + w] = 1
            flat = mask.T.ravel()
            edges = np.flatnonzero(np.diff(flat, prepend=0, append=0))
            runs = np.diff([0, *edges.tolist(), flat.size]).tolist()
            ring = [x, y, x + w, y, x + w, y + h, x, y + h]
            thing = {"id": len(things), "image_id": 100 + n, "category_id": (7, 3, 9)[k], "bbox": [x, y, w, h]}
            thing |= {"area": w * h / 2, "iscrowd": int(k == 1)}
            thing["segmentation"] = {"size": [40, 60], "counts": runs} if k == 1 else [ring]
            things.append(thing)
        im.write_picture(root / "images" / name, im.Picture(pixels, "yxc"))
        images.append({"id": 100 + n, "file_name": name, "height": 40, "width": 60})
    kinds = [{"id": 7, "name": "car"}, {"id": 3, "name": "ape"}, {"id": 9, "name": "bus"}]
    said = {"images": images, "annotations": things, "categories": kinds}
    (root / "instances.json").write_text(json.dumps(said), encoding="utf-8")
    return root


PIPE = im.Pipeline([im.Flip("x", p=0.5), im.Crop((30, 30)), im.Resize((60, 60)), im.ToLayout("channels_first")], seed=1)
"""Some of the boxes are lost, and others cut."""


@pytest.mark.parametrize("workers", [0, "process:1"])
@pytest.mark.parametrize("prepared", [False, True])
def test_targets_of_detectors_agree_with_the_pixels(tmp_path: Path, workers: Any, prepared: bool) -> None:
    where = scene(tmp_path / "in")
    if prepared:
        im.prepare(where, tmp_path / "store", size=(40, 60))
        where = tmp_path / "store"
    loader = Loader(where, PIPE, split="all", batch_size=5, workers=workers, shuffle=False)
    assert loader.classes == loader.categories == ("ape", "car", "bus")
    found, ids = 0, set()
    with loader:
        for _ in range(3):
            for images, targets in loader.detection():
                for image, target in zip(images, targets, strict=True):
                    ids.add(target["image_id"])
                    check(image.numpy(), {k: v.numpy() for k, v in target.items() if k != "image_id"})
                    found += len(target["boxes"])
    assert ids == set(range(5) if prepared else range(100, 105))
    assert 9 <= found < 27, "expected the crop to leave some of nine boxes out"


def check(image: Any, target: dict[str, Any]) -> None:
    assert {name: value.dtype.name for name, value in target.items()} == {
        "boxes": "float32",
        "labels": "int64",
        "iscrowd": "int64",
        "area": "float32",
        "masks": "uint8",
    }
    assert len({len(value) for value in target.values()}) == 1
    grey = {1: 150, 2: 100, 3: 200}  # ape, car, bus
    for box, label, crowd, area, mask in zip(*(target[n] for n in ("boxes", "labels", "iscrowd", "area", "masks"))):  # noqa: B905
        assert crowd == (label == 1)
        assert area == pytest.approx((box[2] - box[0]) * (box[3] - box[1]) / 2)
        rows, columns = np.nonzero(mask)
        found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        assert np.abs(np.array(found) - box).max() <= 0.5
        left, top, right, bottom = np.round(box).astype(int)
        inside = image[0, top + 2 : bottom - 2, left + 2 : right - 2]
        assert inside.size == 0 or (inside == grey[int(label)]).all(), "expected boxes, classes and masks in one order"


def test_every_framework_gets_classes_with_boxes(tmp_path: Path) -> None:
    loader = Loader(scene(tmp_path / "in"), PIPE, batch_size=5, workers=0, shuffle=False)
    names = {"ape": 0, "car": 1, "bus": 2}
    right = [[names[label] for label in boxes.labels] for boxes in loader.batch(0, epoch=0).boxes]
    image, boxes, label = next(iter(loader.torch(("image", "boxes", "label"))))
    assert [one.tolist() for one in label] == right
    assert all(one.dtype == torch.int64 and len(one) == len(box) for one, box in zip(label, boxes, strict=True))
    assert image.shape == (5, 3, 60, 60)
    loader.set_epoch(0)
    plain = next(iter(loader.numpy()))
    assert sorted(plain) == ["box_label", "boxes", "image", "instances", "polygons"]
    assert [one.tolist() for one in plain["box_label"]] == right
    with pytest.raises(im.InputError, match="columns of image, boxes, polygons, instances, box_label, got"):
        next(iter(loader.torch(("mask",))))


def test_points_come_with_their_names_and_by_thing() -> None:
    points = im.Keypoints([[2, 3], [6, 3]], labels=["left_eye", "right_eye"])
    item = {"image": np.zeros((8, 10, 3), np.uint8), "keypoints": points}
    loader = Loader([item] * 2, im.Pipeline([im.Flip("x")], seed=0), batch_size=2, workers=0)
    found = next(iter(loader.torch()))
    assert found["keypoint_name"] == [["left_eye", "right_eye"]] * 2
    assert found["keypoints"][0].tolist() == [[3.0, 3.0], [7.0, 3.0]]


@pytest.mark.parametrize("prepared", [False, True])
def test_polygons_and_masks_come_with_their_boxes(tmp_path: Path, prepared: bool) -> None:
    where = scene(tmp_path / "in")
    if prepared:
        im.prepare(where, tmp_path / "store", size=(40, 60))
        where = tmp_path / "store"
    seen = 0
    loader = Loader(where, PIPE.replace(boxes=im.BoxRules(tight=True)), split="all", batch_size=5, workers=0)
    for batch in loader:
        for boxes, polygons, masks in zip(batch.boxes, batch.polygons, batch.instances, strict=True):
            around = dict(zip(polygons.index.tolist(), polygons.bounds.tolist(), strict=True))
            around |= dict(zip(masks.index.tolist(), masks.bounds[:, [1, 0, 3, 2]].tolist(), strict=True))
            assert around.keys() == set(boxes.index.tolist()), "what is gone is gone in all"
            for number, box in zip(boxes.index.tolist(), boxes.array, strict=True):
                np.testing.assert_allclose(box, around[number])
                seen += 1
    assert seen > 3


def test_what_is_no_detection_set_is_refused(tmp_path: Path) -> None:
    loader = Loader((np.zeros((2, 8, 8, 3), np.uint8),), batch_size=2, workers=0)
    with pytest.raises(im.InputError, match="expected a column of boxes, got image"):
        next(iter(loader.detection()))


def test_items_of_ones_own_with_boxes() -> None:
    class Items(list[Any]):
        classes = ("cat", "dog")

    item = {
        "image": np.zeros((8, 10, 3), np.uint8),
        "boxes": im.Boxes([[1, 2, 5, 6], [3, 3, 3, 4]], labels=["dog", "cat"]),
    }
    loader = Loader(Items([item]), im.Pipeline([im.Flip("x")], seed=0), batch_size=1, workers=0)
    _, (target,) = next(iter(loader.detection()))
    assert target["boxes"].tolist() == [[5.0, 2.0, 9.0, 6.0]], "expected no box without extent"
    assert (target["labels"].tolist(), target["area"].tolist(), target["image_id"]) == ([2], [16.0], 0)
    assert "masks" not in target
    first = next(iter(loader.detection(first=0)))[1][0]
    assert first["labels"].tolist() == [1]


def test_outlines_are_filled_as_opencv_does_at_sixteen_times_the_size() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        ring = rng.uniform(-5, 45, (rng.integers(3, 9), 2))
        large = np.zeros((40 * 16, 40 * 16), np.uint8)
        cv2.fillPoly(large, [np.round(ring * 16 - 0.5).astype(np.int32)], 1)
        centres = large[8::16, 8::16]
        assert (filled([ring], (40, 40)) != centres).mean() < 0.02, "expected edges at most to differ"


@real
@pytest.mark.parametrize(
    ("name", "file", "count"), [("coco_sample", "instances.json", 462), ("coco_keypoints", "person_keypoints.json", 54)]
)
def test_real_sets_agree_with_their_files(name: str, file: str, count: int) -> None:
    said = json.loads((DATA / name / file).read_text("utf-8"))
    ids = sorted(category["id"] for category in said["categories"])
    things: dict[int, list[Any]] = {}
    for thing in said["annotations"]:
        things.setdefault(thing["image_id"], []).append(thing)
    dataset = im.open(DATA / name, extra={"annotations": file})
    pipe = im.Pipeline([im.ToLayout("channels_first")], seed=0)
    seen = 0
    for _, (target,) in Loader(dataset, pipe, batch_size=1, workers=0, channels="rgb").detection():
        right = things.get(target["image_id"], [])
        assert len(right) == len(target["boxes"]) == len(target["masks"])
        for at, thing in enumerate(right):
            x, y, w, h = thing["bbox"]
            assert np.abs(target["boxes"][at].numpy() - [x, y, x + w, y + h]).max() < 1e-3
            assert ids[int(target["labels"][at]) - 1] == thing["category_id"]
            assert int(target["iscrowd"][at]) == thing["iscrowd"]
            assert float(target["area"][at]) == pytest.approx(thing["area"], rel=1e-4)
            if thing["area"] > 400 and not thing["iscrowd"]:  # the areas of crowds are not those of their runs
                assert float(target["masks"][at].sum()) == pytest.approx(thing["area"], rel=0.08)
            if thing.get("keypoints"):
                points = np.array(thing["keypoints"]).reshape(-1, 3)
                found = target["keypoints"][at].numpy()
                assert np.array_equal(found[:, 2] > 0, points[:, 2] > 0)
                assert np.array_equal(found[points[:, 2] > 0, :2], points[points[:, 2] > 0, :2])
        seen += len(right)
    assert seen == count


@real
def test_voc_has_classes_and_no_masks() -> None:
    loader = Loader(DATA / "voc_bccd", PIPE, split="all", batch_size=8, workers=0)
    assert loader.classes == ("Platelets", "RBC", "WBC")
    _, targets = next(iter(loader.detection()))
    assert {label for target in targets for label in target["labels"].tolist()} <= {1, 2, 3}
    assert all("masks" not in target for target in targets)
