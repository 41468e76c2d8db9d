"""Corners of turned boxes in text files, as DOTA has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import imagemill as im
from imagemill.core.errors import InputError, SourceError
from imagemill.data.layouts.yolo.dota import line_of_dota

PLANE = "10.0 10.0 30.0 12.0 29.0 22.0 9.0 20.0 plane 0"
SHIP = "40 40 50 40 50 60 40 60 large-vehicle 1"


def scene(root: Path, key: str, text: str | None, folder: str = "labelTxt") -> None:
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
    if text is not None:
        label = root / key.replace("images", folder, 1).rpartition(".")[0]
        label.parent.mkdir(parents=True, exist_ok=True)
        label.with_name(label.name + ".txt").write_text(text)


@pytest.mark.parametrize("folder", ["labelTxt", "annfiles", "corners"])
def test_a_folder_as_it_is_published(tmp_path: Path, folder: str) -> None:
    head = "imagesource:GoogleEarth\ngsd:0.15\n"
    scene(tmp_path, "train/images/P0001.png", f"{head}{PLANE}\n{SHIP}\n", folder)
    scene(tmp_path, "val/images/P0002.png", "", folder)
    source = im.open_source(tmp_path)
    assert source.layout == "dota"
    assert source.categories == ("large-vehicle", "plane")
    one, other = source.records
    assert (one.split, other.split) == ("train", "val")
    assert one.attributes == {"imagesource": "GoogleEarth", "gsd": 0.15}
    assert other.objects == ()
    assert one.objects is not None
    assert one.objects[0].polygons == ((10.0, 10.0, 30.0, 12.0, 29.0, 22.0, 9.0, 20.0),)
    assert one.objects[0].box == (9.0, 10.0, 21.0, 12.0)
    assert [thing.attributes for thing in one.objects] == [{"difficult": 0}, {"difficult": 1}]
    assert not source.passed_over


def test_corners_become_turned_boxes(tmp_path: Path) -> None:
    scene(tmp_path, "images/P0001.png", SHIP + "\n")
    (batch,) = list(im.Loader(im.open(tmp_path), im.Pipeline([im.QuarterTurn(1)], seed=1), workers=0))
    corners = [ring for shape in batch.polygons[0].rings for ring in shape]
    turned = im.RotatedBoxes(np.array(corners).reshape(-1, 8), "corners")
    # 10 wide and 20 high around (45, 50); a quarter turn counter-clockwise brings x, y to y, 64 - x.
    x, y = turned.to("long_edge").array[0, :2].round()
    assert (x, y) == (50, 19)
    assert sorted(turned.to("long_edge").array[0, 2:4].round().tolist()) == [10, 20]


def test_what_is_broken_is_named(tmp_path: Path) -> None:
    scene(tmp_path, "images/a.png", f"{PLANE}\n1 2 3 plane\n")
    scene(tmp_path, "images/b.png", "nothing of that kind\n")
    scene(tmp_path, "images/c.png", None)
    (tmp_path / "labelTxt/gone.txt").write_text(PLANE)
    source = im.open_source(tmp_path, layout="dota")
    assert [record.objects is None for record in source.records] == [False, True, True]
    said = " ".join(map(str, source.problems))
    assert "a.txt line 2" in said
    assert "b.txt line 1" in said
    assert "gone.txt" in said
    assert any("2 of 3 pictures have no annotation" in note for note in source.notes)
    with pytest.raises(SourceError, match="read only"):
        im.export(source, tmp_path.parent / f"{tmp_path.name}-out", to="dota")


@pytest.mark.parametrize(
    "line", ["1 2 3 4 5 6 7 8", "1 2 3 4 5 6 7 x plane 0", "1 2 3 4 5 6 7 nan plane 0", "1 2 3 4 5 6 7 8 plane 0 1"]
)
def test_a_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(InputError, match="expected x and y of four corners"):
        line_of_dota(line)


def test_yolo_stays_yolo(tmp_path: Path) -> None:
    scene(tmp_path, "images/a.png", "0 0.1 0.1 0.3 0.1 0.3 0.3 0.1 0.3\n", "labels")
    assert im.open_source(tmp_path).layout.startswith("yolo")
