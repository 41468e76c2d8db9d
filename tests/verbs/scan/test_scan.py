"""Scan: the right layout, the right counts, and every unreadable file by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, SourceError
from imagemill.data import Picture, open_source
from imagemill.data.records.instances import Instance
from imagemill.verbs.export.export import export
from imagemill.verbs.scan.scan import scan
from tests.data.pictures import cut, label_map, photo, photos

TWO = ("cat/1.png", "cat/2.png", "dog/1.jpg")


def test_a_folder_of_classes(tmp_path: Path) -> None:
    found = scan(photos(tmp_path, *TWO))
    assert (found.layout, found.title) == ("class-folders", "one folder per class")
    assert "2 folders named like classes" in found.why
    assert [other.layout for other in found.others] == ["folder"]
    assert (found.images, dict(found.classes), found.unlabeled) == (3, {"cat": 2, "dog": 1}, 0)
    assert dict(found.pixels.formats) == {".png": 2, ".jpg": 1}
    assert dict(found.pixels.kinds) == {"RGB uint8": 3}
    assert dict(found.pixels.sizes) == {"30 x 40": 3}
    assert found.pixels.smallest == found.pixels.median == found.pixels.largest == (30, 40)
    assert (found.pixels.opened, found.pixels.bytes, found.unreadable) == (3, 3 * 30 * 40 * 3, ())


def test_remarks_say_what_a_newcomer_should_know(tmp_path: Path) -> None:
    found = scan(photos(tmp_path, *TWO))
    few, parts = found.remarks()
    assert few == "2 classes (cat, dog) with fewer than 100 images: too few to start with"
    assert parts.startswith("no train or test part yet")
    many = replace(found, classes={"cat": 1000, "dog": 999, "emu": 100}, splits={"train": 3}, unlabeled=4)
    short, bare = many.remarks()
    assert short == "2 classes (dog, emu) with fewer than 1,000 images: enough to start, not to be comfortable"
    assert bare == "4 images have no class"
    photo(tmp_path / "cat/3.png", 3, (8, 9))
    assert scan(tmp_path).remarks()[-1] == (
        "2 kinds of pixels are mixed: choose one with prepare --channels and --dtype"
    )


def test_everything_a_set_has_is_counted(tmp_path: Path) -> None:
    source = open_source(photos(tmp_path / "in", *TWO))
    outline = (1.0, 1.0, 5.0, 1.0, 5.0, 5.0)
    things = (
        Instance("eye", (1.0, 2.0, 3.0, 4.0)),
        Instance("nose", (1.0, 1.0, 4.0, 4.0), polygons=(outline,), keypoints=((1.0, 2.0, 2),)),
        Instance("eye", (0.0, 0.0, 9.0, 9.0), crowd=True),
    )
    records = [
        replace(source.records[0], objects=things, split="train", group="p1", attributes={"iso": 100}),
        replace(source.records[1], objects=(), split="test", group="p2"),
        replace(source.records[2], label=None, split="train", group="p2"),
    ]
    export(replace(source, records=tuple(records)), tmp_path / "out", "jsonl")
    found = scan(tmp_path / "out")
    assert list(found.splits.items()) == [("train", 2), ("test", 1)]
    assert (found.groups, found.annotated, found.unlabeled, found.attributes) == (2, 2, 1, ("iso",))
    assert dict(found.categories) == {"eye": 2, "nose": 1}
    assert dict(found.annotations) == {
        "instances": 3, "boxes": 3, "polygons": 1, "with keypoints": 1, "crowds": 1,
    }  # fmt: skip


def test_label_maps_and_their_values(tmp_path: Path) -> None:
    photos(tmp_path, "images/a.png", "images/b.png")
    label_map(tmp_path / "masks/a.png", 1)
    found = scan(tmp_path)
    assert (found.layout, found.masks, found.pixels.labels) == ("image-masks", 1, (0, 1, 2, 3))
    label_map(tmp_path / "masks/b.png", 1, (30, 20))
    (trouble,) = scan(tmp_path).unreadable
    assert trouble.name == "images/b.png"
    assert "expected a mask of the image's size (30, 40), got (30, 20)" in trouble.message


def test_volumes_say_where_they_lie(tmp_path: Path) -> None:
    affine = np.array([[0, 0, 1.5, 0], [0, -1.5, 0, 0], [4.0, 0, 0, 0], [0, 0, 0, 1]])
    im.write_picture(tmp_path / "a.nii.gz", Picture(np.zeros((3, 6, 5), np.float32), "zyx", affine))
    found = scan(tmp_path)
    assert dict(found.pixels.kinds) == {"volume float32": 1}
    assert dict(found.pixels.spacings) == {"4 x 1.5 x 1.5": 1}
    assert found.pixels.largest == (3, 6, 5)


def test_axes_may_be_said(tmp_path: Path) -> None:
    im.write_picture(tmp_path / "a.tif", Picture(np.zeros((5, 30, 40), np.uint8), "zyx"))
    label_map(tmp_path / "a_mask.png")
    assert "(5, 30, 40), got (30, 40)" in str(scan(tmp_path).unreadable[0])
    found = scan(tmp_path, axes="cyx")
    assert (found.unreadable, dict(found.pixels.kinds)) == ((), {"5 channels uint8": 1})


def test_every_unreadable_file_is_named(tmp_path: Path) -> None:
    photos(tmp_path, *(f"cat/{n}.png" for n in range(8)), "dog/1.jpg")
    cut(tmp_path / "cat/3.png", tmp_path / "cat/3.png")
    (tmp_path / "dog/1.jpg").write_bytes(b"")
    found = scan(tmp_path)
    assert [trouble.name for trouble in found.unreadable] == ["cat/3.png", "dog/1.jpg"]
    assert all("expected" in trouble.message for trouble in found.unreadable)
    assert (found.images, found.pixels.opened) == (9, 7)
    assert scan(tmp_path, opened=0).unreadable == ()
    few = scan(tmp_path, opened=3)  # 0, 3 and 6
    assert [trouble.name for trouble in few.unreadable] == ["cat/3.png"]
    assert [t.name for t in scan(tmp_path, opened=None).unreadable] == ["cat/3.png", "dog/1.jpg"]


def test_what_the_layout_cannot_take_in_is_named(tmp_path: Path) -> None:
    photos(tmp_path, "1.png")
    (tmp_path / "a.csv").write_text("file,species\n1.png,cat\nnone.png,dog\n")
    found = scan(tmp_path / "a.csv")
    assert (found.images, len(found.unreadable)) == (1, 1)
    assert "none.png" in str(found.unreadable[0])


def test_the_layout_may_be_said(tmp_path: Path) -> None:
    found = scan(photos(tmp_path, *TWO), layout="folder")
    assert (found.layout, found.why, dict(found.classes)) == ("folder", "you said so", {})
    assert [other.layout for other in found.others] == ["class-folders"]


def test_options_reach_the_layout(tmp_path: Path) -> None:
    photos(tmp_path, "1.png", "2.png")
    (tmp_path / "a.csv").write_text("file,label,kind\n1.png,x,cat\n2.png,x,dog\n")
    assert dict(scan(tmp_path / "a.csv").classes) == {"x": 2}
    assert dict(scan(tmp_path / "a.csv", columns={"label": "kind"}).classes) == {"cat": 1, "dog": 1}


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    scan(photos(tmp_path, *TWO), opened=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_plain_values_are_json(tmp_path: Path) -> None:
    photos(tmp_path, *TWO)
    (tmp_path / "dog/1.jpg").write_bytes(b"")
    plain = json.loads(json.dumps(scan(tmp_path).to_dict(), allow_nan=False))
    assert plain["unreadable"][0]["name"] == "dog/1.jpg"
    assert plain["path"] == str(tmp_path)
    assert plain["pixels"]["formats"] == {".png": 2}
    assert plain["remarks"]


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a number of images to open of 0 or more, got -1"):
        scan(tmp_path, opened=-1)
    with pytest.raises(SourceError, match="where there is nothing"):
        scan(tmp_path / "none")
    with pytest.raises(SourceError, match="got no files"):
        scan(tmp_path)


def test_two_images_in_one_sample_of_a_shard_are_not_taken_silently(tmp_path: Path) -> None:
    import tarfile

    photos(tmp_path / "in", "a.png", "a.jpg", "b.png")
    (tmp_path / "in/a.cls").write_text("1")
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        for name in ("a.png", "a.jpg", "a.cls", "b.png"):
            tar.add(tmp_path / "in" / name, name)
    found = scan(tmp_path / "x.tar")
    assert found.images == 2
    (trouble,) = found.unreadable
    assert "x.tar: a.jpg: expected one image a sample, got also png, which was taken" in str(trouble)


def test_volumes_and_their_label_maps_in_a_shard(tmp_path: Path) -> None:
    affine = np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]]
    for name in ("images/a.nii.gz", "masks/a.nii.gz"):
        im.write_picture(tmp_path / "in" / name, Picture(np.ones((3, 6, 5), np.uint8), "zyx", affine))
    export(tmp_path / "in", tmp_path / "out", "webdataset")
    found = scan(tmp_path / "out")
    assert (found.images, found.masks, found.pixels.labels) == (1, 1, (1,))


# ----------------------------------------------------------------------------------------------- real data

REAL: Mapping[str, dict[str, Any]] = {
    "mnist": {"layout": "idx", "images": 70_000, "splits": {"train": 60_000, "test": 10_000}},
    "mnist/t10k-images-idx3-ubyte.gz": {"layout": "idx", "images": 10_000},
    "cifar10": {"layout": "parquet", "images": 60_000, "splits": {"train": 50_000, "test": 10_000}},
    "cifar10/cifar10-jpeg-test.parquet": {"layout": "parquet", "images": 10_000},
    "cifar10/cifar10-png-test-2000.tar": {"layout": "webdataset", "images": 2_000},
    "pets": {"layout": "class-folders", "images": 300},
    "volumes/acdc": {"layout": "image-masks", "images": 31, "masks": 30, "groups": 15},
    "volumes/hippocampus": {"layout": "image-masks", "images": 48, "masks": 48},
    "volumes/geometry": {"layout": "folder", "images": 8},
    "dicom/series": {"layout": "dicom", "images": 4},
    "dicom/single": {"layout": "dicom", "images": 26},
    "dicom/dicomdir": {"layout": "dicom", "groups": 2},
    "tiff": {"layout": "folder", "images": 11},
    "png16": {"layout": "folder", "images": 2},
    "coco_sample": {
        "layout": "coco", "images": 48,
        "annotations": {"instances": 462, "boxes": 462, "polygons": 456, "masks": 6, "crowds": 6},
    },
    "coco_keypoints/person_keypoints.json": {
        "layout": "coco", "images": 16,
        "annotations": {"instances": 54, "boxes": 54, "polygons": 54, "with keypoints": 36},
    },
    "voc_bccd": {
        "layout": "voc", "images": 72, "splits": {"test": 72}, "categories": {"RBC": 805, "WBC": 71, "Platelets": 69},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(REAL))
def test_real_folders_are_what_their_readme_says(data_root: Path, name: str) -> None:
    found = scan(data_root / name, opened=20)
    for word, value in REAL[name].items():
        got = getattr(found, word)
        assert (dict(got) if isinstance(value, dict) else got) == value, word
    if name != "dicom/dicomdir":
        assert found.unreadable == ()


def test_yolo_beside_coco_is_read_where_it_is_asked_for(data_root: Path) -> None:
    boxes = {"labels": "yolo_boxes", "names": "class_names.json"}
    found = scan(data_root / "coco_sample", layout="yolo", opened=0, extra=boxes)
    assert (found.images, found.annotated) == (48, 46)  # two photos have no text file
    assert found.annotations["instances"] == sum(
        len(file.read_text().splitlines()) for file in (data_root / "coco_sample/yolo_boxes").iterdir()
    )


def test_sixty_thousand_images_are_counted(data_root: Path) -> None:
    assert scan(data_root / "cifar10").images == 60_000
