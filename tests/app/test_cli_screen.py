"""`imagemill screen`: which transforms are worth an arm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import imagemill as im
from tests.app.terminal import imagemill
from tests.evaluate.made_up import sides

QUICK = ("--model", "dense", "--epochs", "2", "--batch", "16", "--workers", "0")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    data = sides(120)
    im.prepare(im.from_arrays(*data.train, classes=data.classes), tmp_path / "set", split=(0.6, 0.0, 0.4))
    return tmp_path / "set"


def test_a_table_with_flags_what_was_passed_over_and_the_cost(store: Path, tmp_path: Path) -> None:
    im.Pipeline([im.Flip("x"), im.Flip("y"), im.Hue()], seed=0).to_yaml(tmp_path / "flips.yaml")
    how = ("-p", tmp_path / "flips.yaml", "--no-shipped", *QUICK)
    said = imagemill("screen", store, *how, "-o", tmp_path / "out")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].split() == ["transform", "affinity", "diversity", "gain"]
    assert [line.split(" of ")[0] for line in lines[1:3]] == ["Flip 2", "Flip"]
    assert any(line.startswith("Flip of flips: seems to change the label: ") for line in lines), said.out
    assert "left out: Hue of flips: changes no pixel of these images as Hue()" in said.out
    assert any(line.startswith("cost: ") and "as an arm with 3 seeds" in line for line in lines), said.out
    held = json.loads((tmp_path / "out" / "screen.json").read_text())
    again = imagemill("screen", store, *how, "--json")
    assert json.loads(again.out) == held


def test_what_does_not_fit_is_one_line(store: Path, tmp_path: Path) -> None:
    im.Pipeline([im.Hue()], seed=0).to_yaml(tmp_path / "hue.yaml")
    said = imagemill("screen", store, "-p", tmp_path / "hue.yaml", "--no-shipped", *QUICK)
    assert said.code == 2
    assert "got none, such as Hue of hue: changes no pixel of these images as Hue()" in said.err
