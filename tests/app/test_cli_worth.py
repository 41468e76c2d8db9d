"""`imagemill worth`: how many more real images would do what a pipeline does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import imagemill as im
from tests.app.terminal import imagemill
from tests.evaluate.made_up import sides


@pytest.fixture
def store(tmp_path: Path) -> Path:
    data = sides(120)
    im.prepare(im.from_arrays(*data.train, classes=data.classes), tmp_path / "set", split=(0.6, 0.0, 0.4))
    return tmp_path / "set"


@pytest.fixture
def mirrored(tmp_path: Path) -> Path:
    im.Pipeline([im.Flip("x", p=0.5)], seed=0).to_yaml(tmp_path / "mirrored.yaml")
    return tmp_path / "mirrored.yaml"


QUICK = ("--model", "dense", "--batch", "36", "--workers", "0", "--sizes", "12,36,72", "--steps", "4")


def test_what_could_have_been_seen_then_accuracies_then_a_sentence_a_size(
    store: Path, mirrored: Path, tmp_path: Path
) -> None:
    said = imagemill("worth", store, "-p", mirrored, "-o", tmp_path / "out", "--seeds", "3", *QUICK)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("This design can detect: with 12 images, ")
    assert next(line for line in lines if line.startswith("accuracy of")).split()[-3:] == ["12", "36", "72"]
    sentences = [line for line in lines if line.startswith("mirrored on clean test images, with ")]
    assert [line.split("with ")[1].split()[0] for line in sentences] == ["12", "36"]
    assert "mirrored@36, seed 2: loss " in said.err
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    again = imagemill("worth", store, "-p", mirrored, "-o", tmp_path / "out", "--seeds", "3", *QUICK, "--json")
    assert json.loads(again.out) == held
    assert (tmp_path / "out" / "curves.html").read_text().count("<figure") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sizes", "12,many"), "expected sizes as numbers with commas, such as 300,1000,3000, got '12,many'"),
        (("--sizes", "12,500"), "expected sizes up to the 72 training images, got 500"),
        (("--sizes", "12"), "expected two different sizes or more"),
        (("--epochs", "3"), "expected steps or epochs, got 4 and 3"),
    ],
)
def test_what_does_not_fit_is_one_line_and_leaves_no_folder(
    store: Path, mirrored: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    said = imagemill("worth", store, "-p", mirrored, "-o", tmp_path / "out", *QUICK, *options)
    assert (said.code, words in said.err) == (2, True), said.err
    assert not (tmp_path / "out").exists()


def test_a_folder_is_asked_for(store: Path, mirrored: Path) -> None:
    said = imagemill("worth", store, "-p", mirrored)
    assert (said.code, "give --out OUT" in said.err) == (2, True)
