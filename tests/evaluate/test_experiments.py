"""Experiments as files: what they say, where their images come from, and what is written beside published figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError, ParameterError
from imagemill.datasets.catalogue import SOURCES
from imagemill.datasets.local import VARIABLE
from imagemill.evaluate import known_experiments, read_experiment, run_experiment
from imagemill.evaluate.experiments import experiment_images
from imagemill.evaluate.experiments import run_experiment as run_module
from imagemill.evaluate.experiments.experiment_images import fewer, images_of
from imagemill.evaluate.inputs.experiment_data import Data
from tests.evaluate.made_up import sides
from tests.local_server import serving
from tests.made_up_sets import tiny_mnist

SMALL = """\
title: Two sides
size: 8
seeds: 3
epochs: 2
batch_size: 16
stress: [invert]
studies:
  alone: {model: dense}
  mirrored:
    model: dense
    arms:
      flip:
        - Flip: {axis: x, p: 0.5}
published:
  alone:
    none: {clean: 0.9, invert: 0.1}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize("name", known_experiments())
def test_every_known_experiment_can_be_read_and_its_arms_run_on_its_images(name: str) -> None:
    found = read_experiment(name)
    assert found.name == name
    assert found.data in SOURCES
    channels = 3 if found.data == "cifar10" else 1
    images = np.random.default_rng(0).integers(0, 255, (4, found.size, found.size, channels)).astype(np.uint8)
    for study in found.studies:
        for arm in study.arms.values():
            made = arm.batch(images, keys=range(4), epoch=0).image
            assert (made.shape, made.dtype) == (images.shape, images.dtype)


def test_the_digits_are_the_six_networks_and_two_augmented_rows() -> None:
    found = read_experiment("digits")
    rows = [(study.name, arm) for study in found.studies for arm in ("none", *study.arms)]
    assert len(rows) == 8
    assert (found.epochs, found.batch_size, found.seeds) == (10, 32, 3)
    assert found.published["cnn", "width shift", "shift:4px"] == 0.98
    assert found.published["dense", "none", "invert"] == 0.02


def test_an_experiment_writes_its_figures_beside_the_published_ones(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    steps = []
    hard = sides(noise=250)  # so that networks differ from seed to seed
    found = run_experiment(small, data=hard, out=out, workers=0, progress=lambda *said: steps.append(said))
    held = json.loads((out / "results.json").read_text())
    assert held == json.loads(json.dumps(found.to_dict()))
    assert list(held["studies"]) == ["alone", "mirrored"]
    assert held["changes"] == []
    assert held["published"][0] == {"study": "alone", "arm": "none", "population": "clean", "accuracy": 0.9}
    assert [e["arm"] for e in held["studies"]["mirrored"]["effects"]] == ["flip", "flip"]
    lines = (out / "table.md").read_text().splitlines()
    row = next(place for place, line in enumerate(lines) if line.startswith("| alone | none | 3 |"))
    right = [one.accuracy for one in found.comparisons["alone"].metrics["none", "clean"]]
    assert len(set(right)) > 1
    assert f"| {np.mean(right):.3f} ± {np.std(right, ddof=1):.3f} |" in lines[row]
    assert lines[row + 1] == "| | published | | 0.9 | 0.1 |"
    assert "64 training images (10% of them held back for the curves), 40 test images, 3 seeds, 2 epochs" in lines[2]
    assert "## mirrored" in lines
    assert "## alone" not in lines
    assert all("<html" in (out / study / "report.html").read_text() for study in ("alone", "mirrored"))
    assert len(steps) == (3 + 6) * 2
    assert {study for study, _ in steps} == {"alone", "mirrored"}


def test_an_experiment_goes_on_and_ends_in_the_same_bytes(small: Path, tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    run_experiment(small, data=sides(), out=whole, workers=0)

    def stop(study: str, step: Any) -> None:
        if (study, step.number) == ("mirrored", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_experiment(small, data=sides(), out=stopped, workers=0, progress=stop)
    assert list(json.loads((stopped / "results.json").read_text())["studies"]) == ["alone"]
    steps = []
    run_experiment(small, data=sides(), out=stopped, workers=0, progress=lambda *said: steps.append(said))
    trained = [(study, step.number) for study, step in steps if step.said is not None]
    assert trained[0] == ("mirrored", 3)
    assert (stopped / "results.json").read_bytes() == (whole / "results.json").read_bytes()


def test_what_is_asked_otherwise_is_said(small: Path, tmp_path: Path) -> None:
    asked = {"seeds": 1, "epochs": 1, "images": 32, "only": ["alone"], "model": "dense-1024", "batch_size": 16}
    found = run_experiment(small, data=sides(), out=tmp_path / "out", workers=0, **asked)
    assert found.changes == (
        "epochs 1 in place of 2",
        "network dense-1024 in place of dense",
        "32 of 64 training images",
        "only alone",
        "seeds 1 in place of 3",
    )
    assert found.comparisons["alone"].design["model"] == "dense-1024"
    assert found.comparisons["alone"].design["train_images"] == 32
    assert "Not as the experiment is written: epochs 1 in place of 2" in (tmp_path / "out" / "table.md").read_text()
    with pytest.raises(ParameterError, match="expected studies of alone, mirrored, got cnn"):
        run_experiment(small, data=sides(), out=tmp_path / "o", only=["cnn"])


def test_networks_that_were_trained_before_stay_in_the_table_with_the_seeds_they_have(
    small: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"data": sides(), "out": tmp_path / "out", "workers": 0}
    run_experiment(small, only=["mirrored"], seeds=1, **how)
    steps: list[Any] = []
    both = run_experiment(small, only=["alone"], progress=lambda *said: steps.append(said), **how)
    assert {study for study, _ in steps} == {"alone"}
    assert list(both.comparisons) == ["alone", "mirrored"]  # as in the file
    assert both.changes == ("seeds 1 in place of 3 (mirrored)",)
    table = (tmp_path / "out" / "table.md").read_text()
    assert "1 to 3 seeds" in table
    assert "| alone | none | 3 |" in table
    assert "| mirrored | flip | 1 |" in table
    # A run that is not complete does not count, and what was trained otherwise is named.
    (tmp_path / "out" / "alone" / "runs" / "none-1.npz").unlink()
    again = run_experiment(small, only=["mirrored"], **how)
    assert again.changes == ("seeds 1 in place of 3 (alone)",)
    other = run_experiment(small, only=["mirrored"], epochs=1, **{**how, "out": tmp_path / "other"})
    assert other.changes[1] == "only mirrored"
    later = run_experiment(small, only=["alone"], **{**how, "out": tmp_path / "other"})
    assert later.changes[0].startswith("nothing of mirrored, which is there from before otherwise: expected the design")
    assert later.changes[1] == "only alone"


def test_a_budget_is_shared_among_the_networks_and_says_what_it_left_out(small: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"data": sides(), "out": tmp_path / "out", "workers": 0}
    with pytest.raises(InputError, match=r"expected a budget in which one seed of 2 arms can be trained"):
        run_experiment(small, budget=1e-9, **how)
    found = run_experiment(small, budget=60, **how)
    assert [one.design["seeds"] for one in found.comparisons.values()] == [3, 3]
    assert found.changes == ()
    (tmp_path / "out" / "mirrored" / "runs" / "flip-2.npz").unlink()
    ended = run_experiment(small, budget=1e-9, **how)  # what is there needs no time
    assert [one.design["seeds"] for one in ended.comparisons.values()] == [3, 2]
    assert "mirrored: the budget of 1.66667e-05 minutes ended it with 2 seeds of 3 done" in ended.text()
    with pytest.raises(ParameterError, match="expected a budget of minutes above 0, got 0"):
        run_experiment(small, budget=0, **how)


def test_a_network_gets_an_equal_share_of_what_is_left(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, known = [], run_module.compare

    def compared(*what: Any, budget: float, **how: Any) -> Any:
        given.append(budget)
        return known(*what, **how)

    monkeypatch.setattr(run_module, "compare", compared)
    run_experiment(small, data=sides(), out=tmp_path / "out", workers=0, seeds=1, epochs=1, budget=600)
    assert given == [pytest.approx(300, abs=5), pytest.approx(600, abs=10)]


def test_fewer_images_are_drawn_by_class_and_a_larger_draw_holds_the_smaller() -> None:
    y = np.repeat(np.arange(3), [60, 30, 10])
    x = np.arange(100, dtype=np.uint8).reshape(-1, 1, 1, 1) * np.ones((1, 4, 4, 1), np.uint8)
    data = Data((x, y), (x, y), ("a", "b", "c"))
    drawn = {count: fewer(data, count) for count in (20, 50, 100)}
    assert np.bincount(drawn[20].train[1]).tolist() == [12, 6, 2]
    assert np.bincount(drawn[50].train[1]).tolist() == [30, 15, 5]
    kept = {count: set(one.train[0][:, 0, 0, 0].tolist()) for count, one in drawn.items()}
    assert kept[20] < kept[50] < kept[100]
    assert drawn[50].test[0] is data.test[0]
    for count in (5, 101):
        with pytest.raises(InputError, match="expected 6 to 100 training images"):
            fewer(data, count)


def _written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_images_come_from_the_original_files_a_prepared_store_any_layout_or_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = replace(read_experiment("digits"), size=28)
    original = _written(tmp_path / "sets" / "mnist", tiny_mnist())
    first = images_of(digits, original, tmp_path / "store")
    assert (len(first.train[1]), len(first.test[1])) == (6, 4)
    again = images_of(digits, tmp_path / "store", tmp_path / "unused")
    assert not (tmp_path / "unused").exists()
    above = images_of(digits, tmp_path / "sets", tmp_path / "second")
    im.export(original, tmp_path / "folders", "split-folders")
    folders = images_of(digits, tmp_path / "folders", tmp_path / "third")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "sets"))
    named = images_of(digits, None, tmp_path / "fourth")
    for other in (again, above, named):
        assert other.digest == first.digest
    assert sorted(folders.train[0].sum(axis=(1, 2, 3))) == sorted(first.train[0].sum(axis=(1, 2, 3)))


def test_images_without_parts_are_divided_as_the_experiment_says(tmp_path: Path) -> None:
    data = sides(40)
    im.export(im.from_arrays(*data.train, classes=data.classes), tmp_path / "folders", "class-folders")
    own = replace(read_experiment("demo"), name="own", data="", test=0.25)
    found = images_of(own, tmp_path / "folders", tmp_path / "store")
    assert (len(found.train[1]), len(found.test[1])) == (30, 10)
    assert np.bincount(found.test[1]).tolist() == [5, 5]


def test_images_that_do_not_belong_to_an_experiment_are_refused(tmp_path: Path) -> None:
    digits = read_experiment("digits")
    with pytest.raises(InputError, match=r"expected handwritten digits .* give data='DIR' .* download=True \(12 MB"):
        images_of(digits, None, tmp_path / "store", cache=tmp_path / "cache")
    data = sides(40)
    im.prepare(im.from_arrays(*data.train, classes=data.classes), tmp_path / "sides", split=(0.6, 0.0, 0.4))
    with pytest.raises(InputError, match="expected images of 28x28 for digits, got 8x8"):
        images_of(digits, tmp_path / "sides", tmp_path / "store")
    with pytest.raises(InputError, match=r"expected handwritten digits .*, got the classes left, right"):
        images_of(replace(digits, size=8), tmp_path / "sides", tmp_path / "store")
    im.export(im.from_arrays(*data.train, classes=data.classes), tmp_path / "folders", "class-folders")
    with pytest.raises(InputError, match="got the classes left, right"):
        images_of(digits, tmp_path / "folders", tmp_path / "store")
    assert not (tmp_path / "store").exists()
    with pytest.raises(InputError, match="expected a folder with the images of own, got none"):
        images_of(replace(digits, name="own", data=""), None, tmp_path / "store")


def test_images_are_downloaded_when_asked_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as server:
        loan, asked = server.offer(SOURCES["mnist"], tiny_mnist()), server.asked
        monkeypatch.setattr(experiment_images, "SOURCES", {**SOURCES, "mnist": loan})
        digits = read_experiment("digits")
        with pytest.raises(InputError, match="download=True"):
            images_of(digits, None, tmp_path / "store", cache=tmp_path / "cache", private=True)
        assert asked == []
        found = images_of(digits, None, tmp_path / "store", cache=tmp_path / "cache", private=True, download=True)
        assert len(found.train[1]) == 6
        assert len(asked) == 4
        images_of(digits, None, tmp_path / "other", cache=tmp_path / "cache", private=True)
        assert len(asked) == 4


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("[]", "expected a mapping with title, data"),
        ("studys: {}", "got also studys"),
        ("title: x", "expected studies by name"),
        ("data: nist\nstudies: {a: {model: dense}}", "expected data of .*mnist.*, or none, got 'nist'"),
        ("seeds: 0\nstudies: {a: {model: dense}}", "expected a whole number above 0 for 'seeds', got 0"),
        ("epochs: 1.5\nstudies: {a: {model: dense}}", "expected a whole number above 0 for 'epochs', got 1.5"),
        ("test: 1\nstudies: {a: {model: dense}}", "expected a share between 0 and 1 for 'test', got 1"),
        ("learning_rate: true\nstudies: {a: {model: dense}}", "expected a number above 0 for 'learning_rate'"),
        ("studies: {a/b: {model: dense}}", "expected a name that a folder can have for a study, got 'a/b'"),
        ("studies: {a: {}}", "expected study 'a' to say a model"),
        ("studies: {a: {model: dense, arm: {}}}", "got also arm"),
        ("studies: {a: {model: dense, arms: [1]}}", "expected arms of study 'a' by name"),
        ("studies: {a: {model: dense, arms: {f: [{Flop: {}}]}}}", "arm 'f' of study 'a'.*Flop"),
        ("stress: blur\nstudies: {a: {model: dense}}", "expected a list under 'stress'"),
        ("stress: [nothing]\nstudies: {a: {model: dense}}", "expected invert, shift:4px.* got 'nothing'"),
        ("studies: {a: {model: dense}}\npublished: {a: {flip: {clean: 1}}}", "got 'a', 'flip', 'clean'"),
        ("studies: {a: {model: dense}}\npublished: {a: {none: {clean: 98}}}", "accuracy from 0 to 1, got 98"),
        ("studies: {a: {model: dense}}\npublished: {a: 0.9}", "expected a mapping under published of 'a', got 0.9"),
        ("studies: {a: {model: dense}", "expected YAML"),
    ],
)
def test_a_file_that_says_no_experiment_is_refused_by_its_name(tmp_path: Path, said: str, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(said)
    with pytest.raises(InputError, match=f"(?s)mine.yaml: .*{words}"):
        read_experiment(path)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"expected an experiment of cifar-flip, demo, digits, .* got 'digit'"):
        read_experiment("digit")
    with pytest.raises(InputError, match=r"nowhere\.yaml"):
        read_experiment("nowhere.yaml")
    study = replace(read_experiment("digits").studies[0], name="data")
    wrong = replace(read_experiment("digits"), studies=(study,))
    with pytest.raises(InputError, match="expected no study called 'data'"):
        run_experiment(wrong, data=sides(), out="unused")
