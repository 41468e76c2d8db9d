"""What the command says to people who left something out, and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from imagemill.app.cli import app

WIDE = {"COLUMNS": "200"}


def run(*words: str) -> tuple[int, str]:
    done = CliRunner(env=WIDE).invoke(app, list(words))
    return done.exit_code, done.output


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["augment", "photo.png", "-p", "photo"], "The folder to fill: write -o DIR"),
        (["preview"], "write imagemill preview SRC"),
        (["explore"], "write imagemill explore SRC"),
        (["augment", "photo.png", "-o", "out", "--mask", "m"], "--masks"),
        (["scan", ".", "--layout", "class-folder"], "did you mean 'class-folders'?"),
        (["explian"], "explain"),
    ],
)
def test_what_was_left_out_or_mistyped_is_named_with_what_to_do(words: list[str], meant: str) -> None:
    code, said = run(*words)
    assert code == 2
    assert meant in said


def test_augment_and_replay_say_the_same_to_programs(photo: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    code, said = run("augment", str(photo), "-p", "photo", "-n", "2", "-o", str(to), "--seed", "3", "--json")
    told = json.loads(said)
    assert (code, told["made"], told["failed"], told["seed"], told["out"]) == (0, 2, [], 3, str(to))
    code, said = run("replay", str(to / "recipes.jsonl"), "--verify", "--json")
    assert (code, json.loads(said)) == (0, {"checked": 2, "changed": [], "missing": []})
    next(to.rglob("*.png")).unlink()
    code, said = run("replay", str(to / "recipes.jsonl"), "--verify", "--json")
    assert code == 2
    assert len(json.loads(said)["missing"]) == 1
    again = ["--source", str(photo), "-o", str(tmp_path / "again"), "--all", "--json"]
    assert json.loads(run("replay", str(to / "recipes.jsonl"), *again)[1])["count"] == 2


def test_preview_says_its_draws_to_programs(photo: Path, tmp_path: Path) -> None:
    to = tmp_path / "sheet.png"
    code, said = run("preview", str(photo), "-p", "photo", "--grid", "1x2", "-o", str(to), "--seed", "3", "--json")
    told = json.loads(said)
    assert (code, told["written"], len(told["copies"]), told["key"]) == (0, str(to), 2, "photo.png")
    assert "Rotate" in {one["name"] for one in told["copies"][0]}
