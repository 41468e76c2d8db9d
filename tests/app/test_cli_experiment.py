"""`imagemill experiment`: an experiment from its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import imagemill as im
from imagemill.datasets.local import VARIABLE
from tests.app.terminal import imagemill
from tests.evaluate.made_up import sides

MINE = """\
title: Two sides
size: 8
epochs: 2
batch_size: 16
studies:
  dense:
    model: dense
    arms:
      mirrored: [{Flip: {axis: x, p: 0.5}}]
published:
  dense:
    none: {clean: 1.0}
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    data = sides(120)
    im.prepare(im.from_arrays(*data.train, classes=data.classes), tmp_path / "set", split=(0.6, 0.0, 0.4))
    (tmp_path / "mine.yaml").write_text(MINE)
    return tmp_path / "mine.yaml"


def test_a_file_of_ones_own_runs_and_goes_on(mine: Path, tmp_path: Path) -> None:
    asked = ("experiment", mine, "--data", tmp_path / "set", "-o", tmp_path / "out", "--seeds", "6", "-w", "0")
    said = imagemill(*asked)
    assert said.code == 0, said.err
    assert "Two sides" in said.out
    assert "Not as the experiment is written: seeds 6 in place of 3." in said.out
    assert "mirrored on clean test images: harms" in said.out
    assert said.err.splitlines()[0] == "dense:"
    assert "mirrored, seed 5: loss " in said.err
    assert "imagemill experiment" in (tmp_path / "out" / "dense" / "report.html").read_text()
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    again = imagemill(*asked, "--json")
    assert json.loads(again.out) == held
    assert "loss" not in again.err


def test_without_a_name_the_known_ones_are_listed() -> None:
    said = imagemill("experiment")
    assert said.code == 0
    for words in ("digits", "cifar-flip", "elastic-digits", "demo", "imagemill experiment NAME -o OUT"):
        assert words in said.out


def test_what_is_missing_is_one_line_in_the_words_of_the_command(mine: Path, tmp_path: Path) -> None:
    said = imagemill("experiment", "digits")
    assert (said.code, "give --out OUT" in said.err) == (2, True)
    said = imagemill("experiment", mine, "-o", tmp_path / "out")
    assert (said.code, "got none; give --data DIR" in said.err) == (2, True), said.err
    said = imagemill("experiment", "digit", "-o", tmp_path / "out")
    assert (said.code, "expected an experiment of cifar-flip" in said.err) == (2, True)
    assert not (tmp_path / "out").exists()
