"""`imagemill preview`: figures of any input, and words that say how it was read and what was drawn."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

import imagemill as im
from tests.app.terminal import imagemill

RNG = np.random.default_rng(11)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, shape in (("b.png", (40, 60, 3)), ("a.png", (48, 64, 3))):
        im.write_picture(tmp_path / "photos" / name, im.Picture(RNG.integers(0, 256, shape, np.uint8), "yxc"))
    return tmp_path / "photos"


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    described = {
        "images": [{"id": 1, "file_name": "a.png", "height": 48, "width": 64}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 20, 30], "keypoints": [9, 9, 2]}],
        "categories": [{"id": 1, "name": "thing", "keypoints": ["tip"], "skeleton": []}],
    }
    path = tmp_path / "marks.json"
    path.write_text(json.dumps(described), "utf-8")
    return path


def test_a_photo_becomes_a_grid_and_the_values_are_printed(photos, tmp_path):
    said = imagemill(
        "preview", photos / "a.png", "-p", "photo", "--size", "32", "--seed", "3", "-o", tmp_path / "g.png"
    )
    assert said.code == 0, said.err
    assert "48 × 64, 3 channels, uint8, axes yxc" in said.out
    assert "preset photo" in said.out
    assert said.out.count("Rotate") == 9
    figure = im.read_picture(tmp_path / "g.png").array
    assert f"{figure.shape[1]} × {figure.shape[0]} pixels" in said.out
    pipe = im.Pipeline(im.preset("photo", 32), seed=3)
    title = "a.png: preset photo, seed 3, copies 0 to 8"
    picture = im.read_picture(photos / "a.png").array
    np.testing.assert_array_equal(figure, im.grid(pipe, picture, key="a.png", title=title))


def test_the_draws_are_those_of_augment(photos, tmp_path):
    common = (photos, "-p", "photo", "--size", "24", "--seed", "5")
    assert imagemill("augment", *common, "-o", tmp_path / "out", "-n", "2").code == 0
    said = imagemill("preview", *common, "-o", tmp_path / "g.png", "--grid", "1x2")
    assert "the first of 2: a.png" in said.out
    rows = [json.loads(line) for line in (tmp_path / "out" / "recipes.jsonl").read_text().splitlines()]
    for row in rows[:2]:
        turned = next(a["values"]["degrees"] for a in row["applied"] if a["name"] == "Rotate")
        assert f"Rotate {turned:.3g}°".replace("-", "−") in said.out


def test_copies_are_the_pictures_that_augment_writes(photos, tmp_path, monkeypatch):
    seen = []
    module = importlib.import_module("imagemill.app.cli.preview")
    monkeypatch.setattr(module, "sheet_of", lambda made, *_: seen.extend(made) or np.zeros((2, 2, 3), np.uint8))
    common = (photos, "-p", "segmentation", "--size", "24", "--seed", "5")
    assert imagemill("augment", *common, "-o", tmp_path / "out", "-n", "3").code == 0
    said = imagemill("preview", *common, "-o", tmp_path / "g.png", "--grid", "1x3")
    assert "copy" in said.out
    assert "epoch" not in said.out
    rows = [json.loads(line) for line in (tmp_path / "out" / "recipes.jsonl").read_text().splitlines()]
    files = {row["copy"]: row["output"] for row in rows if row["key"] == "a.png"}
    pictures = [im.read_picture(tmp_path / "out" / files[copy]).array for copy in range(3)]
    assert not np.array_equal(pictures[0], pictures[1])
    for one, picture in zip(seen, pictures, strict=True):
        np.testing.assert_array_equal(one.image.array, picture)


def test_masks_boxes_and_points_are_drawn(photos, marks, tmp_path):
    labels = np.zeros((48, 64), np.uint8)
    labels[10:30, 10:40] = 1
    im.write_picture(tmp_path / "masks" / "a.png", im.Picture(labels, "yx"))
    marked = ("--boxes", marks, "--keypoints", marks, "--masks", tmp_path / "masks")
    common = ("preview", photos, "--seed", "3", "--size", "32", "--grid", "1x2")
    plain, full = tmp_path / "plain.png", tmp_path / "full.png"
    said = imagemill(*common, "-o", full, *marked)
    assert said.code == 0, said.err
    assert "1 from marks.json" in said.out
    assert "label map  a.png" in said.out
    assert imagemill(*common, "-o", plain).code == 0
    assert im.read_picture(full).array.shape != im.read_picture(plain).array.shape  # there is a legend now


def test_a_scan_is_taken_for_a_scan(tmp_path):
    scan = RNG.random((6, 40, 30), dtype=np.float32)
    labels = np.zeros((6, 40, 30), np.uint8)
    labels[2:5, 10:20, 10:20] = 2
    affine = np.diag([1.0, 1.0, 5.0, 1.0])[[2, 1, 0, 3]]
    im.write_picture(tmp_path / "s.nii.gz", im.Picture(scan, "zyx", affine))
    im.write_picture(tmp_path / "s_gt.nii.gz", im.Picture(labels, "zyx", affine))
    said = imagemill(
        "preview",
        tmp_path,
        "--masks",
        tmp_path,
        "--before-after",
        "--size",
        "32",
        "--seed",
        "1",
        "-o",
        tmp_path / "g.png",
    )
    assert said.code == 0, said.err
    assert "preset scan" in said.out
    assert "read as 6 slices" in said.out
    assert "s_gt.nii.gz" in said.out
    assert im.read_picture(tmp_path / "g.png").array.shape[1] > 500


@pytest.mark.parametrize("grid", ["3", "0x2", "2x33", "axb", ""])
def test_a_grid_that_cannot_be_is_refused(photos, tmp_path, grid):
    said = imagemill("preview", photos, "--grid", grid, "-o", tmp_path / "g.png")
    assert said.code == 2
    assert "write --grid 2x4" in said.err
    assert not (tmp_path / "g.png").exists()


def test_marks_of_other_pictures_are_refused(photos, marks, tmp_path):
    said = imagemill("preview", photos / "b.png", "--boxes", marks, "-o", tmp_path / "g.png")
    assert said.code == 2
    assert "expected an entry for 'b.png', got none" in said.err
    described = json.loads(marks.read_text())
    described["images"][0]["height"] = 47
    marks.write_text(json.dumps(described))
    said = imagemill("preview", photos / "a.png", "--keypoints", marks, "-o", tmp_path / "g.png")
    assert "a.png: expected a picture of 47 x 64 pixels as its annotations say, got 48 x 64" in said.err
    assert "; mend the annotations, or pass --option rescale=yes to scale them" in said.err


def test_a_format_that_holds_no_figure_and_a_missing_file_are_told(photos, tmp_path):
    said = imagemill("preview", photos, "-o", tmp_path / "g.doc", "--size", "24", "--grid", "1x1")
    assert said.code == 2
    assert ".doc" in said.err
    said = imagemill("preview", tmp_path / "none.png", "-o", tmp_path / "g.png")
    assert said.code == 2
    assert "none.png" in said.err


def test_names_with_brackets_are_printed_as_they_are(tmp_path):
    picture = im.Picture(np.zeros((8, 8), np.uint8), "yx")
    im.write_picture(tmp_path / "[red]x[red].png", picture)
    said = imagemill("preview", tmp_path / "[red]x[red].png", "-p", "gray", "--grid", "1x1", "-o", tmp_path / "g.png")
    assert said.code == 0, said.err
    assert "[red]x[red].png" in said.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("pets",),
        ("coco_sample/images", "--boxes", "coco_sample/instances.json", "--masks", "coco_sample/semantic_masks"),
        ("coco_keypoints/images", "--keypoints", "coco_keypoints/person_keypoints.json", "--before-after"),
        ("volumes/acdc/training/patient001", "--masks", "volumes/acdc/training/patient001"),
        ("png16/depth_uint16.png", "--before-after"),
        ("tiff/imc/E34_imc.tiff", "--pipeline", "segmentation"),
    ],
    ids=lambda arguments: arguments[0].replace("/", "-"),
)
def test_real_data(data_root, tmp_path, arguments):
    paths = [a if a.startswith("--") or a == "segmentation" else data_root / a for a in arguments]
    said = imagemill("preview", *paths, "--seed", "1", "--size", "64", "--grid", "1x2", "-o", tmp_path / "g.png")
    assert said.code == 0, said.err
    figure = im.read_picture(tmp_path / "g.png").array
    assert figure.std() > 10
