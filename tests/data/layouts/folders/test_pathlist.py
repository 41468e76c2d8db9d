"""Lists with something behind the paths, as Caffe and its heirs write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import imagemill as im
from imagemill.data.layouts.opening import open_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("img/0.png", "img/1.png", "img/a b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        PIL.Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / name)
    return tmp_path


def listed(folder: Path, *lines: str) -> Path:
    (folder / "train.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "train.txt"


@pytest.mark.parametrize("gap", [" ", "\t", ",", ";", ", "])
def test_a_label_behind_the_path(folder: Path, gap: str) -> None:
    path = listed(folder, f"img/0.png{gap}0", f"img/a b.png{gap}big dog", "img/1.png")
    source = open_source(path)
    assert [(r.key, r.label) for r in source] == [("img/0.png", "0"), ("img/a b.png", "big dog"), ("img/1.png", None)]
    assert any("2 of 3 paths have something behind them" in note for note in source.notes)
    assert im.open(path).classes == ("0", "big dog")


def test_quotes_and_back_slashes(folder: Path) -> None:
    source = open_source(listed(folder, '"img/a b.png" 1', "img\\1.png 0"))
    assert [(r.key, r.label) for r in source] == [("img/a b.png", "1"), ("img/1.png", "0")]


def test_ones_and_zeros_are_several_labels(folder: Path) -> None:
    source = open_source(listed(folder, "img/0.png 1 0 1", "img/1.png 0 0 0"))
    assert [(r.label, r.labels) for r in source] == [(None, ("0", "2")), (None, ())]


def test_numbers_that_are_no_label_are_named(folder: Path) -> None:
    source = open_source(listed(folder, "img/0.png 48,24,19,62,0", "img/1.png 3"))
    assert [r.label for r in source] == [None, "3"]
    assert [p.name for p in source.problems] == ["line 1"]
    assert "make a table" in str(source.problems[0])
