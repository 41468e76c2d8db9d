"""`imagemill stress`: how far images may change before a model fails."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import imagemill as im
from tests.app.terminal import imagemill
from tests.evaluate.made_up import sides
from tests.evaluate.made_up_scans import blocks

MODEL = """
import numpy as np

def predict(images):
    apart = images[..., :4, 0].mean((1, 2)) - images[..., 4:, 0].mean((1, 2))
    return np.stack([apart > 40, apart <= 40], 1).astype(float)
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    data = sides(120)
    im.prepare(im.from_arrays(*data.train, classes=data.classes), tmp_path / "set", split=(0.5, 0.0, 0.5))
    return tmp_path / "set"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "sides.py").write_text(MODEL)
    return tmp_path / "sides.py"


def test_a_line_for_each_change_with_its_range_its_curve_and_the_worst_case(
    store: Path, model: Path, tmp_path: Path
) -> None:
    over = "rotate,brightness:0.1..1,invert,blur"
    said = imagemill("stress", model, store, "--over", over, "--worst", "20,1,3x3", "-o", tmp_path / "out")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("sides: 1.000 [")
    assert "images come as they are stored" in lines[1]
    head = next(place for place, line in enumerate(lines) if line.startswith("change"))
    assert lines[head].split() == ["change", "accuracy", "holds", "95", "%", "from", "to", "lowest", "at"]
    rows = [line.split() for line in lines[head + 1 : head + 5]]
    assert [row[0] for row in rows] == ["rotate", "brightness", "invert", "blur"]
    assert rows[0][1] == "°"
    assert rows[0][2][6] == "█"  # nothing is wrong in the middle of the curve
    assert "▁" in rows[2]
    assert any("worst of 27 turns to 20 degrees with shifts to 1 pixel" in line for line in lines)
    assert "rotate: left (" in said.out
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [one["name"] for one in held["profiles"]] == ["rotate", "brightness", "invert", "blur"]
    assert (tmp_path / "out" / "table.md").read_text().startswith("sides: 1.000")
    assert (tmp_path / "out" / "page.html").read_text().startswith("<!DOCTYPE html>")
    assert (tmp_path / "out" / "curves.png").read_bytes().startswith(b"\x89PNG")
    again = imagemill("stress", model, store, "--over", over, "--worst", "20,1,3x3", "--json")
    assert json.loads(again.out) == held


def test_label_maps_are_asked_for_where_the_data_has_them(tmp_path: Path) -> None:
    images, label_maps = blocks(20, 2).train
    for row, (image, label_map) in enumerate(zip(images, label_maps, strict=True)):
        for folder, array in (("images", image[..., 0]), ("masks", label_map)):
            (tmp_path / "raw" / folder).mkdir(parents=True, exist_ok=True)
            im.data.write_picture(tmp_path / "raw" / folder / f"{row}.png", im.data.Picture(array, "yx"))
    im.prepare(tmp_path / "raw", tmp_path / "set", split=0.5)
    (tmp_path / "blocks.py").write_text("def predict(images):\n    return images[..., 0] > 105\n")
    ask = ("stress", tmp_path / "blocks.py", tmp_path / "set", "--over", "rotate:-20..20/3,brightness", "--worst", "no")
    said = imagemill(*ask)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("blocks: 1.000 [1.000, 1.000] Dice over 10 images")
    head = next(line.split() for line in lines if line.startswith("change"))
    assert head == ["change", "Dice", "holds", "95", "%", "from", "to", "lowest", "at"]
    wrong = imagemill(*ask, "--task", "classification")
    assert wrong.code == 2
    assert "expected one label an image, or a label map for every image" in " ".join(wrong.err.split())


def test_a_part_and_fewer_images_are_taken(store: Path, model: Path) -> None:
    quick = ("--over", "invert", "--worst", "no", "--json")
    counts = [
        json.loads(imagemill("stress", model, store, *more, *quick).out)["images"]
        for more in ((), ("--part", "all"), ("--limit-images", "10"))
    ]
    assert counts == [60, 120, 10]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--over", "rotat"), "did you mean 'rotate'?"),
        (("--part", "val"), "expected a part of the dataset (test, train, or all), got val"),
        (("--worst", "far"), "expected --worst as 30, 30,3px, 30,3px,31x5 or no, got 'far'"),
        (("--worst", "30,3,4x4"), "expected an odd number of turns, such as 5, got 4"),
        (("--scale", "0..2"), "expected a scale of 0..1, 0..255, -1..1, imagenet"),
        (("--preparation", "none.yaml"), "none.yaml"),
    ],
)
def test_what_does_not_fit_is_one_line(store: Path, model: Path, asked: tuple[str, ...], words: str) -> None:
    said = imagemill("stress", model, store, *asked)
    assert said.code == 2
    assert words in " ".join(said.err.split()), said.err
    assert said.err.count("\n") <= 3


def test_a_dataset_that_is_not_prepared_is_named(model: Path, tmp_path: Path) -> None:
    said = imagemill("stress", model, tmp_path)
    assert said.code == 2
    assert "error:" in said.err
