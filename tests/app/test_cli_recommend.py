"""`imagemill recommend`: from two prepared sets to a pipeline file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import imagemill as im
from tests.app.terminal import imagemill
from tests.evaluate.drawn import glyphs


@pytest.fixture
def store(tmp_path: Path) -> Path:
    images, labels = glyphs(150, 0)
    im.prepare(im.from_arrays(images, labels, classes=("a", "b")), tmp_path / "set", split=(0.8, 0.0, 0.2))
    return tmp_path / "set"


def wild(tmp_path: Path, pixels: int) -> Path:
    images, labels = glyphs(80, 2)
    moved = im.Pipeline([im.Shift(pixels={"x": pixels}, whole=True)], seed=0).batch(images).image
    im.prepare(im.from_arrays(moved, labels, classes=("a", "b")), tmp_path / "wild")
    return tmp_path / "wild"


def test_a_proposal_is_said_written_and_taken_by_compare(store: Path, tmp_path: Path) -> None:
    mine, to = wild(tmp_path, 3), tmp_path / "proposal.yaml"
    said = imagemill("recommend", store, "--wild", mine, "-o", to)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[1] == "propose Shift(pixels={'x': {'choice': [0, 1, 2, 3]}}, whole=True)"
    assert lines[2].startswith("  position x: median ")
    assert f"imagemill compare {store} -p {to} --wild {mine} -o compared" in said.out
    quick = (
        "--model",
        "dense",
        "--epochs",
        "1",
        "--batch",
        "16",
        "--workers",
        "0",
        "--seeds",
        "1",
        "-o",
        tmp_path / "out",
    )
    compared = imagemill("compare", store, "-p", to, "--wild", mine, *quick)
    assert compared.code == 0, compared.err
    assert "proposal on wild test images: no verdict" in compared.out


def test_the_same_as_json(store: Path, tmp_path: Path) -> None:
    said = imagemill("recommend", store, "--wild", wild(tmp_path, 3), "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["proposed"][0]["closes"] == ["position x"]


def test_nothing_to_propose_writes_nothing_and_ends_with_1(store: Path, tmp_path: Path) -> None:
    said = imagemill("recommend", store, "--wild", wild(tmp_path, 0), "-o", tmp_path / "proposal.yaml")
    assert said.code == 1, said.err
    assert "nothing to propose" in said.out
    assert not (tmp_path / "proposal.yaml").exists()


def test_a_network_is_asked_what_it_takes(store: Path, tmp_path: Path) -> None:
    code = "import numpy as np\n\ndef predict(images):\n    thick = (images > 100).sum(axis=(1, 2, 3)) > 20\n"
    (tmp_path / "counts.py").write_text(code + "    return np.stack([~thick, thick], axis=1).astype(float)\n")
    said = imagemill("recommend", store, "--wild", wild(tmp_path, 2), "--model", tmp_path / "counts.py")
    assert said.code == 1, said.err
    assert "nothing needed: position x: " in said.out
    assert "the network holds for shift.x from " in said.out


def test_what_does_not_fit_is_one_line(store: Path, tmp_path: Path) -> None:
    wrong = imagemill("recommend", store, "--wild", store, "-o", tmp_path / "proposal.txt")
    assert (wrong.code, "expected a file that ends in .yaml, .yml or .json" in wrong.err) == (2, True)
    lost = imagemill("recommend", store, "--wild", tmp_path / "nowhere")
    assert (lost.code, lost.err.count("\n")) == (2, 1)
