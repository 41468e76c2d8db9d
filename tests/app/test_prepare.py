"""`imagemill prepare` and `imagemill split`: what they make, print and refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import imagemill as im
from imagemill.app.cli.prepare import numbers
from imagemill.data.dataset import open as open_dataset
from imagemill.verbs.prepare import prepare
from tests.app.terminal import imagemill
from tests.data.pictures import cut, digests, photo


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for n in range(20):
        photo(tmp_path / "in" / ("cat", "dog")[n % 2] / f"{n}.png", n, (12, 10, 3))
    return tmp_path / "in"


def test_a_training_part_alone_is_divided_and_that_is_said(tmp_path: Path) -> None:
    for n in range(10):
        photo(tmp_path / "in" / "train" / ("cat", "dog")[n % 2] / f"{n}.png", n, (8, 8, 3))
    said = imagemill("prepare", tmp_path / "in", "-o", tmp_path / "out", "--size", "4")
    told = " ".join(said.out.split())
    assert re.search(
        r"parts train \d, val \d, test \d \(stratified by label, in place of the source's own: train\)", told
    )


def test_a_folder_becomes_a_store(tmp_path: Path, source: Path) -> None:
    words = ("--size", "8,6", "--fit", "pad", "--split", "0.6,0.2,0.2", "--seed", "3", "--dtype", "float32")
    said = imagemill("prepare", source, "-o", tmp_path / "out", *words, "--normalize", "unit")
    assert said.code == 0, said.err
    assert re.search(r"made\s+20 in .*/s", said.out)
    assert re.search(r"images\s+8 x 6 x 3 \(yxc\), float32", said.out)
    assert re.search(r"parts\s+train 12, val 4, test 4 \(stratified by label\)", said.out)
    assert re.search(r"classes\s+2: cat, dog", said.out)
    split = (0.6, 0.2, 0.2)
    prepare(source, tmp_path / "python", size=(8, 6), fit="pad", split=split, seed=3, dtype="float32", normalize="unit")
    assert digests(tmp_path / "out") == digests(tmp_path / "python")
    again = imagemill("prepare", source, "-o", tmp_path / "out", *words, "--normalize", "unit")
    assert "nothing to do" in again.out
    other = imagemill("prepare", source, "-o", tmp_path / "out", "--size", "9")
    assert other.code == 2
    assert "--overwrite" in other.err


def test_the_report_as_json(tmp_path: Path, source: Path) -> None:
    cut(source / "cat/0.png", source / "cat/bad.png")
    said = imagemill("prepare", source, "-o", tmp_path / "out", "--size", "8", "--on-error", "skip", "--json")
    report = json.loads(said.out)
    assert (report["made"], report["shape"], report["failed"][0]["key"]) == (20, [8, 8, 3], "cat/bad.png")
    said = imagemill("prepare", source, "-o", tmp_path / "raise", "--size", "8")
    assert said.code == 2
    assert "bad.png" in said.err


def test_a_split_as_a_file(tmp_path: Path, source: Path) -> None:
    said = imagemill("split", source, "--split", "0.2", "--val", "0", "-o", tmp_path / "parts.csv")
    assert said.code == 0, said.err
    assert re.search(r"all\s+16\s+0\s+4", said.out)
    table = pl.read_csv(tmp_path / "parts.csv")
    assert table.columns == ["key", "split", "label"]
    wanted = open_dataset(source).split(0.2, val=0).table
    assert table["split"].to_list() == wanted["split"].to_list()
    said = imagemill("split", source, "--json")
    assert json.loads(said.out)["all"] == {"train": 14, "val": 2, "test": 4}
    assert imagemill("split", source, "-o", tmp_path / "parts.txt").code == 2


def test_how_pictures_are_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.full((4, 6, 4), (9, 9, 9, 0), np.uint8)).save(tmp_path / "in/a.png", exif=exif)
    words = ("--split", "0", "--val", "0", "--unlabeled", "null", "--channels", "rgb", "--json")
    said = imagemill("prepare", tmp_path / "in", "-o", tmp_path / "turned", *words)
    assert json.loads(said.out)["shape"] == [6, 4, 3]
    more = (*words, "--no-exif", "--icc", "srgb", "--background")
    said = imagemill("prepare", tmp_path / "in", "-o", tmp_path / "out", *more, "250,240,0")
    assert json.loads(said.out)["shape"] == [4, 6, 3]
    store = open_dataset(tmp_path / "out")
    assert store.images[0, 0, 0].tolist() == [250, 240, 0]
    asked = json.loads((tmp_path / "out/dataset.json").read_text())["parameters"]
    assert (asked["exif"], asked["icc"], asked["background"]) == (False, "srgb", [250, 240, 0])
    for wrong in ("white", "1,2"):
        said = imagemill("prepare", tmp_path / "in", "-o", tmp_path / "bad", *more, wrong)
        assert (said.code, "background" in said.err, (tmp_path / "bad").exists()) == (2, True, False)
    assert imagemill("prepare", tmp_path / "in", "-o", tmp_path / "bad", "--icc", "adobe").code == 2


def test_words_about_the_source(tmp_path: Path, source: Path) -> None:
    rows = [f"{path.relative_to(tmp_path)};{path.parent.name}" for path in sorted(source.rglob("*.png"))]
    (tmp_path / "rows.csv").write_text("\n".join(["where;kind", *rows]))
    words = [w for o in ("separator=;", "column.image=where", "column.label=kind") for w in ("--option", o)]
    said = imagemill("prepare", tmp_path / "rows.csv", "-o", tmp_path / "out", "--size", "8", "--json", *words)
    assert json.loads(said.out)["classes"] == ["cat", "dog"]
    said = imagemill("split", tmp_path / "rows.csv", "--json", *words)
    assert json.loads(said.out)["all"] == {"train": 14, "val": 2, "test": 4}
    for verb in (("prepare", tmp_path / "rows.csv", "-o", tmp_path / "x"), ("split", tmp_path / "rows.csv")):
        said = imagemill(*verb, "--option", "nothing")
        assert (said.code, "NAME=VALUE" in said.err) == (2, True)


def test_numbers_as_words() -> None:
    assert numbers("size", "8x64x64", int) == (8, 64, 64)
    assert numbers("split", "0.25", float) == 0.25
    for wrong in ("big", "1,,2", ""):
        with pytest.raises(im.InputError, match="--size as numbers"):
            numbers("size", wrong, int)
