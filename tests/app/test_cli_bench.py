"""`imagemill bench`: how fast a dataset feeds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import imagemill as im
from tests.app.terminal import imagemill
from tests.feed.makes import jpegs


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return jpegs(tmp_path / "photos", 12)


def bench(photos: Path, *words: object) -> object:
    return imagemill("bench", photos, "--pipeline", "photo", "--size", "32", "--batch", "4", "--seconds", "0.1", *words)


def test_a_row_for_every_number_of_workers_and_one_verdict(photos: Path) -> None:
    said = bench(photos, "--workers", "0,1", "--seed", "7")
    assert said.code == 0, said.err
    assert "12 images, 4 a batch" in said.out
    assert "seed 7" in said.out
    rows = [line.split() for line in said.out.splitlines() if line.strip()[:2] in ("0 ", "1 ")]
    assert [row[0] for row in rows] == ["0", "1"]
    assert all(float(row[1].replace(",", "")) > 1 for row in rows)
    assert "the same pixels for all of them: 12 samples" in said.out
    assert "quickest: workers" in said.out


def test_a_step_shows_the_most_that_any_loader_gives(photos: Path) -> None:
    said = bench(photos, "--workers", "1", "--seed", "7", "--step", "0.005")
    assert said.code == 0, said.err
    assert any(line.split()[:1] == ["replayed"] for line in said.out.splitlines())
    assert "the same pixels for all of them" in said.out
    assert "quickest: workers 1" in said.out
    assert "times as many with batches replayed: no loader gives more" in said.out


def test_a_step_may_be_a_function_of_the_users(photos: Path, tmp_path: Path) -> None:
    made = tmp_path / "my_training.py"
    made.write_text(
        "def step(batch):\n    assert batch.image.shape == (4, 32, 32, 3)\n    seen.append(1)\n\n\nseen = []\n"
    )
    said = bench(photos, "--workers", "0", "--seed", "7", "--step", f"{made}:step")
    assert said.code == 0, said.err
    assert "times as many with batches replayed: no loader gives more" in said.out
    assert any(line.split()[:1] == ["replayed"] for line in said.out.splitlines())
    assert sys.modules.pop("my_training").seen
    for step, expected in {
        f"{made}:stp": "has step",
        f"{tmp_path}/none.py:step": "which is not there",
        "no_such_module_of_mine:step": "expected a module of Python",
        "fast": "seconds from 0, or a function as train.py:step",
    }.items():
        refused = bench(photos, "--step", step)
        assert refused.code == 2
        assert expected in refused.err.replace("\n", " "), refused.err


def test_for_programs(photos: Path) -> None:
    said = bench(photos, "--workers", "1", "--json")
    found = json.loads(said.out)
    assert found["same_samples"] is True
    assert [timing["workers"] for timing in found["timings"]] == [1]
    assert set(found["timings"][0]["shares"]) == {"reading", "augmenting", "compiling", "idle"}


def test_a_part_of_a_prepared_store(photos: Path, tmp_path: Path) -> None:
    im.prepare(photos, tmp_path / "store", size=40, split="auto")
    train = len(im.open(tmp_path / "store").subset("train"))
    said = bench(tmp_path / "store", "--workers", "0", "--subset", "train")
    assert f"{train} images" in said.out
    assert train < 12


def test_samples_that_differ_are_an_exit_status(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = iter("ab")
    monkeypatch.setattr("imagemill.feed.timing.sample_digest", lambda batches: next(digests) * 64)
    said = bench(photos, "--workers", "0,1")
    assert said.code == 1
    assert "not the same pixels" in said.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--workers", "0,,1"), "expected numbers of workers such as 0,1,2 or process:2"),
        (("--workers", "many"), "expected workers as a number of threads"),
        (("--subset", "tain"), "expected the name of a part"),
        (("--decode", "slow"), "expected decode as one of exact, fast"),
    ],
)
def test_what_makes_no_sense_is_refused(photos: Path, words: tuple[str, ...], expected: str) -> None:
    said = bench(photos, *words)
    assert said.code == 2
    assert expected in said.err
