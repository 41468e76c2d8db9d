"""Pictures that are spoken of and not there: "raise" stops for them, in every verb; "skip" names them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

import imagemill as im
from imagemill.app.cli import app

FLIP = im.Pipeline([im.Flip("x")], seed=1)


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    PIL.Image.fromarray(values).save(path)


def coco(folder: Path) -> Path:
    picture(folder / "a.png", 1)
    images = [{"id": n, "file_name": name, "height": 8, "width": 8} for n, name in enumerate(("a.png", "gone.png"))]
    things = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 4, 4], "iscrowd": 0} for n in range(2)]
    told = {"images": images, "annotations": things, "categories": [{"id": 1, "name": "x"}]}
    (folder / "annotations.json").write_text(json.dumps(told))
    return folder


def table(folder: Path) -> Path:
    picture(folder / "a.png", 1)
    (folder / "t.csv").write_text("file,label\na.png,x\ngone.png,y\n")
    return folder / "t.csv"


def voc(folder: Path) -> Path:
    picture(folder / "JPEGImages/a.png", 1)
    (folder / "Annotations").mkdir()
    for name in ("a", "gone"):
        (folder / f"Annotations/{name}.xml").write_text(
            "<annotation><object><name>x</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox>"
            "</object></annotation>"
        )
    return folder


def yolo(folder: Path) -> Path:
    picture(folder / "images/a.png", 1)
    (folder / "labels").mkdir()
    for name in ("a", "gone"):
        (folder / f"labels/{name}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "data.yaml").write_text("names: [x]\n")
    return folder


def listed(folder: Path) -> Path:
    picture(folder / "a.png", 1)
    (folder / "l.txt").write_text("a.png\ngone.png\n")
    return folder / "l.txt"


SETS: dict[str, Callable[[Path], Path]] = {"coco": coco, "csv": table, "voc": voc, "yolo": yolo, "list": listed}


@pytest.mark.parametrize("kind", SETS)
def test_raise_stops_and_skip_goes_on(tmp_path: Path, kind: str) -> None:
    source = SETS[kind](tmp_path / "in")
    with pytest.raises(im.ImagemillError, match="gone"):
        im.augment(source, tmp_path / "aug", FLIP)
    assert not (tmp_path / "aug").exists() or kind == "list"
    with pytest.raises(im.ImagemillError, match="gone"):
        im.prepare(source, tmp_path / "store", split=0, val=0, unlabeled="null")
    with pytest.raises(im.ImagemillError, match="gone"):
        list(im.Loader(source, batch_size=2, workers=0, seed=1, on_error="raise"))
    report = im.augment(source, tmp_path / "aug", FLIP, on_error="skip")
    assert (report.made + report.present, len(report.failed)) == (1, 1)
    told = im.prepare(source, tmp_path / "store", split=0, val=0, unlabeled="null", on_error="skip")
    assert (told.made + told.reused, len(told.failed)) == (1, 1)


def test_the_command_says_what_goes_on_without(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["prepare", str(table(tmp_path / "in")), "-o", str(tmp_path / "out")])
    text = f"{said.output} {said.exception}"
    assert said.exit_code != 0
    assert "got none for 1" in text
    assert "--on-error skip" in text


def test_other_problems_do_not_stop(tmp_path: Path) -> None:
    folder = yolo(tmp_path / "in")
    (folder / "labels/gone.txt").unlink()
    (folder / "labels/a.txt").write_text("0 0.5 0.5 0.5 0.5\nnot a line\n")
    assert im.augment(folder, tmp_path / "out", FLIP).made == 1
