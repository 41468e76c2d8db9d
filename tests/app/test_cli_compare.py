"""`imagemill compare`: whether an augmentation helps."""

from __future__ import annotations

import html
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


QUICK = ("--model", "dense", "--epochs", "2", "--batch", "16", "--workers", "0")


def test_a_verdict_with_its_interval_and_what_could_have_been_seen(store: Path, mirrored: Path, tmp_path: Path) -> None:
    said = imagemill("compare", store, "-p", mirrored, "-o", tmp_path / "out", "--seeds", "6", *QUICK)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("This design can detect differences from ")
    assert "; half of it would take " in lines[0]
    assert any(line.startswith("mirrored on clean test images: harms, -") for line in lines), said.out
    head = next(line for line in lines if line.startswith("arm"))
    assert head.split() == ["arm", "test", "images", "accuracy", "precision", "recall", "F1", "ECE"]
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    assert held["effects"][0]["these_images"]["verdict"] == "harms"
    again = imagemill("compare", store, "-p", mirrored, "-o", tmp_path / "out", "--seeds", "6", *QUICK, "--json")
    assert json.loads(again.out) == held


def test_the_page_says_what_was_typed_and_quiet_runs_say_nothing_on_the_way(
    store: Path, mirrored: Path, tmp_path: Path
) -> None:
    given = ("compare", store, "-p", mirrored, "-o", tmp_path / "my out", "--seeds", "1", *QUICK)
    said = imagemill(*given, "--stress", "invert", "-q", "--json")
    assert (said.code, said.err) == (0, "")
    page = (tmp_path / "my out" / "report.html").read_text("utf-8")
    command = (
        f"imagemill compare {store} --pipeline {mirrored} --out '{tmp_path / 'my out'}' --model dense --seeds 1 "
        "--epochs 2 --batch 16 --stress invert --workers 0 --quiet --json"
    )
    assert html.escape(command, quote=False) in page
    assert "learning-rate" not in page
    loud = imagemill(*given, "--stress", "invert", "--json")
    assert json.loads(loud.out) == json.loads(said.out)


def test_under_three_seeds_there_is_no_verdict(store: Path, mirrored: Path, tmp_path: Path) -> None:
    said = imagemill("compare", store, "-p", mirrored, "-o", tmp_path / "out", "--seeds", "2", *QUICK)
    assert said.code == 0, said.err
    assert "mirrored on clean test images: no verdict under 3 seeds" in said.out


def test_a_budget_is_minutes_and_what_it_allows_is_said(store: Path, mirrored: Path, tmp_path: Path) -> None:
    asked = ("compare", store, "-p", mirrored, "-o", tmp_path / "out", *QUICK)
    said = imagemill(*asked, "--seeds", "3", "--budget", "60")
    assert said.code == 0, said.err
    assert "about 3 seeds in all will be done within the budget of 60 minutes; they could show" in said.err
    assert " left" in said.err
    wrong = imagemill(*asked, "--budget", "0")
    assert (wrong.code, "expected a budget of minutes above 0, got 0.0" in wrong.err) == (2, True)


def test_what_does_not_fit_is_one_line_and_leaves_no_folder(store: Path, mirrored: Path, tmp_path: Path) -> None:
    said = imagemill("compare", store, "-p", mirrored, "-o", tmp_path / "out", *QUICK, "--stress", "blurr")
    assert said.code == 2
    assert "another change or a pipeline file for test images, got 'blurr'; did you mean 'blur'?" in said.err
    assert not (tmp_path / "out").exists()


def test_nothing_compared_with_itself_is_counted(store: Path, tmp_path: Path) -> None:
    said = imagemill("compare", store, "--null", "2", "--model", "dense", "--epochs", "1")
    assert said.code == 0, said.err
    assert said.out.startswith("3 seeds: false alarms ")
    assert "of 2) [" in said.out
    kept = imagemill(
        "compare", store, "--null", "2", "--model", "dense", "--epochs", "1", "-o", tmp_path / "out", "--json"
    )
    assert json.loads(kept.out) == json.loads((tmp_path / "out" / "results.json").read_text())
    wrong = imagemill("compare", store, "--null", "2", "--stress", "invert")
    assert (wrong.code, "expected --null with --model" in wrong.err) == (2, True)
    missing = imagemill("compare", store)
    assert (missing.code, "give --out OUT" in missing.err) == (2, True)


def test_a_runner_that_is_not_there_is_refused(store: Path, mirrored: Path, tmp_path: Path) -> None:
    said = imagemill("compare", store, "-p", mirrored, "-o", tmp_path / "out", *QUICK, "--runner", "mxnet")
    assert (said.code, "expected a runner of torch, keras" in said.err) == (2, True)


def test_a_pipeline_is_taken_apart(store: Path, tmp_path: Path) -> None:
    im.Pipeline([im.Flip("y", p=0.5), im.Flip("x", p=0.5)], seed=0).to_yaml(tmp_path / "flips.yaml")
    how = ("--ablate", "-o", tmp_path / "out", "--seeds", "6", *QUICK)
    said = imagemill("compare", store, "-p", tmp_path / "flips.yaml", *how)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert any(line.startswith("Flip 2 within on clean test images: harms, -") for line in lines), said.out
    assert any(line.startswith("Flip 2 of flips: seems to change the label: ") for line in lines), said.out
    held = json.loads((tmp_path / "out" / "ablation.json").read_text())
    assert {one["transform"] for one in held["contributions"]} == {"Flip", "Flip 2"}
    wrong = imagemill("compare", store, *how)
    assert (wrong.code, "got 0; give a --pipeline with --ablate" in wrong.err) == (2, True)


def test_a_screen_first_says_what_it_flags_and_the_arms_are_trained_all_the_same(
    store: Path, mirrored: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    given = ("compare", store, "-p", mirrored, "-o", out, "--seeds", "1", "--screen", "-q", *QUICK)
    said = imagemill(*given)
    assert said.code == 0, said.err
    assert said.err.splitlines()[0].split() == ["transform", "affinity", "diversity", "gain"]
    assert "Flip of mirrored: seems to change the label: " in said.err
    assert "Arm 'mirrored': the screen says that Flip seems to change the label: " in said.out
    assert (out / "screen" / "screen.json").is_file()
    assert "The screen before the arms" in (out / "report.html").read_text("utf-8")
    assert imagemill(*given).code == 0  # both go on from what is there
    for more, message in (
        (("--ablate",), "expected --ablate or --screen, got both"),
        (("--processes", "2"), "expected --screen in one process, got several"),
        (("--null", "2"), "got other options"),
    ):
        refused = imagemill(*given, *more)
        assert (refused.code, message in refused.err) == (2, True), refused.err
