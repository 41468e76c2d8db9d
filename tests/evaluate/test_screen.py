"""Screens: planted truths in their order, what is passed over, what it costs, and what is refused before training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.evaluate import Data, Recipe, Screening, screen
from imagemill.evaluate.runners.recipe import Trained
from imagemill.evaluate.runners.torch_networks import Network
from imagemill.evaluate.runners.torch_runner import TorchRunner
from imagemill.evaluate.screening.label_changes import ClassEvidence, over_images
from imagemill.evaluate.screening.screened import Screened
from imagemill.transforms.base import REGISTRY
from tests.evaluate.made_up import sides

MIRROR, HARMLESS = im.Flip("x"), im.Flip("y")
PLANTED = im.Pipeline([MIRROR, HARMLESS, im.Brightness((0.8, 1.2)), im.Flip("x", p=0.5)], seed=0)
QUICK: dict[str, Any] = {"model": "dense", "epochs": 2, "batch_size": 16, "workers": 0}


@pytest.fixture(scope="module")
def planted() -> Screening:
    return screen(sides(160), {"planted": PLANTED}, shipped=False, tuning=1, **QUICK)


def test_a_transform_that_swaps_the_classes_stands_last_and_is_flagged_with_both(planted: Screening) -> None:
    assert [one.name for one in planted.ranked][-2:] == ["Flip 3 of planted", "Flip of planted"]
    assert [one.name for one in planted.flagged] == ["Flip 3 of planted", "Flip of planted"]
    worst = planted["Flip of planted"]
    assert worst.affinity.high < -0.9
    assert {(one.name, one.taken_for) for one in worst.changed_classes} == {("left", "right"), ("right", "left")}
    # A coin decides on half the images; the evidence is of those that changed.
    half = planted["Flip 3 of planted"]
    assert -0.7 < half.affinity.mean < -0.3
    assert min(one.moved.mean for one in half.changed_classes) > 0.3
    assert "left becomes right" in half.flag
    for name in ("Flip 2 of planted", "Brightness of planted"):
        assert abs(planted[name].affinity.mean) < 0.05
        assert planted[name].flag == ""
    assert worst.gain is not None
    assert worst.gain.mean < -0.3  # an epoch of swapped classes unteaches what was learned


def test_the_same_figures_again_and_with_threads_and_others_with_another_seed(planted: Screening) -> None:
    once = screen(sides(160), {"planted": PLANTED}, shipped=False, tuning=1, **{**QUICK, "workers": 2})
    assert once.to_dict() == planted.to_dict()
    other = screen(sides(160), {"planted": PLANTED}, shipped=False, tuning=1, seed=1, **QUICK)
    assert other["Flip of planted"].diversity != planted["Flip of planted"].diversity


def test_the_test_images_are_not_looked_at() -> None:
    data = sides()
    other = Data(data.train, (255 - data.test[0], 1 - data.test[1]), data.classes)
    first, second = (screen(one, [PLANTED], shipped=False, **QUICK).to_dict() for one in (data, other))
    assert first["design"].pop("data") != second["design"].pop("data")
    assert first == second


class Ruled(TorchRunner):
    """A network that knows the rule: which side is brighter, nine times as likely."""

    name = "ruled"

    def train(self, arm: Any, network: Any, data: Any, asked: Any, *rest: Any, **more: Any) -> Trained:
        recipe = next(one for one in rest if isinstance(one, Recipe))
        said = {one.name: self.predict(one.images) for one in asked}
        count = len(data[0]) * recipe.epochs
        return Trained(arm.name, 0, said, images=count, predict=self.predict, network=network)

    def predict(self, images: Any) -> Any:
        right = images[:, :, 4:].mean(axis=(1, 2, 3)) > images[:, :, :4].mean(axis=(1, 2, 3))
        return np.where(right[:, None], [0.1, 0.9], [0.9, 0.1]).astype(np.float32)


def test_figures_of_a_network_that_knows_the_rule() -> None:
    data = sides(100)
    found = screen(data, {"p": PLANTED}, shipped=False, runner=Ruled(), tuning=1, draws=3, **QUICK)
    swapped, kept = found["Flip of p"], found["Flip 2 of p"]
    assert found.score == 1.0
    assert swapped.affinity.mean == -1.0
    # Nine times as sure of the wrong side: log(0.9 / 0.1) more.
    assert swapped.diversity.mean == pytest.approx(np.log(9), rel=1e-6)
    assert [one.moved.mean for one in swapped.changed_classes] == [1.0, 1.0]
    assert (kept.affinity.mean, kept.diversity.mean, kept.gain.mean) == (0, 0, 0)  # type: ignore[union-attr]
    # 80 trained on for 2 epochs, and for one more without and with each of 4.
    assert found.cost.trained == 80 * 2 + 5 * 80
    # 20 held back after each training; draws of them and the 80, 1 for the network as it is and 3 for each of 4.
    assert found.cost.asked == 6 * 20 + (20 + 80) + 4 * (3 * 20 + 80)
    assert found.cost.images == 3 * found.cost.trained + found.cost.asked
    assert found.share_of_arms(3) == found.cost.images / (3 * 5 * 3 * 2 * 80)
    half = found["Flip 3 of p"]
    # The mean over draws of each held-back image, by scipy.
    pipeline = im.Pipeline([im.Flip("x", p=0.5)], seed=0)
    from imagemill.evaluate.runners.recipe import held_back

    images = data.train[0][held_back(data.train[1], 0.2, 0)[1]]
    flipped = [
        (pipeline.batch(images, keys=range(20), epoch=epoch).image != images).any(axis=(1, 2, 3)) for epoch in range(3)
    ]
    low, high = stats.t.interval(0.95, 19, *_mean_and_error(-np.mean(flipped, axis=0)))
    assert (half.affinity.low, half.affinity.high) == pytest.approx((low, high))


def _mean_and_error(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(stats.sem(values))


def test_every_transform_that_comes_with_imagemill_is_ranked_or_passed_over_with_a_reason() -> None:
    found = screen(sides(40), **{**QUICK, "epochs": 1})
    ranked, lost = {one.name for one in found.ranked}, {one.name: one.why for one in found.passed_over}
    assert not ranked & set(lost)
    ours = {name for name, cls in REGISTRY.items() if cls.__module__.startswith("imagemill.")}
    assert {name.split()[0] for name in ranked | set(lost)} == ours
    assert {"Affine", "Flip x", "Flip y", "Invert", "Rotate", "Shift", "Zoom"} <= ranked
    assert lost["Hue"] == "changes no pixel of these images as Hue()"
    assert "got 1; leave it out" in lost["Lighting"]
    assert lost["Resize"].startswith("has no setting of its own: size must be said")
    assert "give uint8 as it gets, got float32" in lost["Standardize"]
    assert f"passed over {len(lost)}: " in repr(found)


def test_transforms_of_a_pipeline_that_fail_alone_are_named_and_the_others_go_on() -> None:
    pipeline = im.Pipeline([im.Crop(6), im.Resize(8), im.Flip("x"), im.Flip("x", p=1.0)], seed=0)
    found = screen(sides(40), {"cut": pipeline}, shipped=False, **{**QUICK, "epochs": 1})
    assert [one.name for one in found.ranked] == ["Flip of cut"]  # the second is the same transform
    assert {one.name: one.why.split(";")[0] for one in found.passed_over} == {
        "Crop of cut": "expected arm 'Crop of cut' to keep images of 8x8x1, got 6x6x1",
        "Resize of cut": "changes no pixel of these images as Resize(size=(8,))",
    }


def test_a_network_that_diverges_with_a_transform_is_said_to_and_one_that_never_learns_is_refused() -> None:
    limit = 0.99

    def build(shape: Any, classes: int) -> Any:
        class Fragile(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.last = torch.nn.Linear(shape[1] * shape[2], classes)

            def forward(self, x: Any) -> Any:
                told = self.last(x.flatten(1))
                return told / 0 if self.training and x.max() > limit else told

        return Fragile()

    how = {**QUICK, "model": Network("fragile", build), "shipped": False, "tuning": 1}
    white = im.Pipeline([im.Brightness(4), im.Flip("y")], seed=0)
    found = screen(sides(), {"white": white}, **how)
    lost = found["Brightness of white"]
    assert (lost.diverged, lost.gain) == (True, None)
    assert lost.flag.endswith("diverged")
    assert not found["Flip of white"].diverged
    json.dumps(found.to_dict(), allow_nan=False)
    limit = 0.0
    with pytest.raises(im.InputError, match="expected a network that learns, got a loss that is no number in epoch 1"):
        screen(sides(), {"white": white}, **how)


class Unsure(Ruled):
    """A network that knows the rule for nine images of ten, and is as sure of the others."""

    def predict(self, images: Any) -> Any:
        said = super().predict(images)
        wrong = images[:, 0, 0, 0] % 10 == 0
        return np.where(wrong[:, None], said[:, ::-1], said)


def test_a_network_that_is_wrong_where_it_is_sure_flags_nothing_and_says_so() -> None:
    found = screen(sides(400), [PLANTED], shipped=False, runner=Unsure(), **QUICK)
    assert 0.8 < found.score < 0.95
    assert found["Flip of pipeline-1"].affinity.mean < -0.6  # the order is as it was
    assert (found.flagged, found.sure) == ((), 0.0)
    assert "no change of the label can be seen: the network is sure of 0% of the held-back images" in repr(found)


def test_a_network_that_learned_nothing_says_so() -> None:
    found = screen(sides(40), [PLANTED], shipped=False, runner=Ruled(), **QUICK)
    assert (found.caution, found.sure) == ("", 1.0)
    assert "the order says nothing" in replace(found, score=0.5).caution


def test_what_does_not_fit_is_refused_before_anything_is_trained() -> None:
    class Never(TorchRunner):
        def train(self, *args: Any, **kwargs: Any) -> Trained:
            raise AssertionError(args)

    wrong: list[tuple[Any, dict[str, Any], str]] = [
        ([], {"shipped": False}, "expected a transform that runs on these images, got none; give a pipeline of others"),
        ([im.Pipeline([im.Resize(4)])], {"shipped": False}, "got none, such as Resize of pipeline-1: expected arm"),
        ([PLANTED], {"tuning": -1}, "expected tuning of 0 or more, got -1"),
        ([PLANTED], {"draws": 0}, "expected draws of 1 or more, got 0"),
        ([PLANTED], {"seed": True}, "expected seed of 0 or more, got True"),
        ([PLANTED], {"validation": 1.0}, "images to hold back between 0 and 1, got 1.0"),
        ([PLANTED], {"epochs": 0}, "expected epochs of 1 or more, got 0"),
        ([PLANTED], {"model": "vgg"}, "expected a model of dense"),
        ([PLANTED], {"model": "unet"}, "expected data for segmentation, which the network is for"),
        ([PLANTED], {"level": 1.5}, "expected a level between 0 and 1"),
        ([PLANTED], {"device": "tpu"}, "expected a device of"),
        ({"a/b": PLANTED}, {}, "names of arms that a file can have"),
    ]
    for pipelines, options, words in wrong:
        with pytest.raises(im.InputError) as error:
            screen(sides(), pipelines, runner=Never(), **{**QUICK, **options})
        assert words in str(error.value)


def test_what_is_written_and_shown(planted: Screening, tmp_path: Path) -> None:
    planted.write(tmp_path / "out")
    held = json.loads((tmp_path / "out" / "screen.json").read_text())
    assert held == json.loads(json.dumps(planted.to_dict()))
    assert "seconds" not in held["cost"]
    table = (tmp_path / "out" / "screen.md").read_text().splitlines()
    assert table[0] == "| transform | affinity | diversity | gain | flag |"
    assert len(table) == 2 + len(planted.ranked)
    lines = repr(planted).splitlines()
    assert lines[0] == "dense, 2 epochs on 128 images, 1.000 of 32 held-back images right; 4 transforms"
    assert lines[-1].startswith("cost: ")
    shown = [label.get_text() for label in planted.plot().axes[0].get_yticklabels()]
    assert sorted(label.partition("\n")[0] for label in shown) == sorted(one.name for one in planted.ranked)
    assert sum("seems to change the label" in label for label in shown) == 2
    assert "Flip 3 of planted" in planted._repr_html_()
    with pytest.raises(KeyError, match="Flip of planted"):
        planted["Zoom"]


def test_steps_are_told() -> None:
    said: list[tuple[int, int]] = []
    screen(sides(40), [PLANTED], shipped=False, progress=lambda *step: said.append(step), **QUICK)
    assert said == [(number, 6) for number in range(7)]


def test_a_screen_that_was_stopped_goes_on_and_ends_in_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {"shipped": False, "tuning": 1, **QUICK}
    whole = screen(sides(60), [PLANTED], out=tmp_path / "whole", **how)
    trained: list[str] = []
    known = TorchRunner.train

    def counted(self: TorchRunner, arm: Any, *rest: Any, **more: Any) -> Trained:
        trained.append(arm.name)
        return known(self, arm, *rest, **more)

    monkeypatch.setattr(TorchRunner, "train", counted)

    def stop(done: int, _: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screen(sides(60), [PLANTED], out=tmp_path / "stopped", progress=stop, **how)
    assert not (tmp_path / "stopped" / "screen.json").exists()
    begun, before = len(trained), [one.name for one in (tmp_path / "stopped" / "answers").iterdir()]
    assert sorted(before) == ["Flip of pipeline-1.npz", "none.npz"]
    again = screen(sides(60), [PLANTED], out=tmp_path / "stopped", **how)
    assert (begun, trained[begun:][:1]) == (3, ["none"])  # the network itself is trained again
    assert "Flip of pipeline-1" not in trained[begun:]
    for name in ("screen.json", "screen.md"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert (again.cost.trained, again.cost.asked) == (whole.cost.trained, whole.cost.asked)
    # What is all there needs no network.
    done = len(trained)
    assert screen(sides(60), [PLANTED], out=tmp_path / "stopped", **how).to_dict() == whole.to_dict()
    assert len(trained) == done
    with pytest.raises(InputError, match=r"expected the design that .* was begun with, got another seed; take another"):
        screen(sides(60), [PLANTED], out=tmp_path / "stopped", seed=1, **how)
    kept = tmp_path / "stopped" / "answers" / "none.npz"
    kept.write_bytes(kept.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"none\.npz .* got a broken file .* delete that file"):
        screen(sides(60), [PLANTED], out=tmp_path / "stopped", **how)


def test_a_comparison_names_arms_with_a_transform_that_a_screen_flags(tmp_path: Path) -> None:
    data = sides(100)
    arms = {
        "one": im.Pipeline([im.Flip("y"), im.Flip("x")]),
        "two": im.Pipeline([im.Flip("x")]),
        "three": im.Pipeline([im.Flip("y")]),
    }
    before = screen(data, arms, shipped=False, runner=Ruled(), **QUICK)
    assert [one.name for one in before.ranked] == ["Flip of one", "Flip 2 of one"]  # each asked about once
    quick: dict[str, Any] = {**QUICK, "seeds": 1, "epochs": 1, "out": tmp_path / "out"}
    found = im.compare(data, arms, screen=before, **quick)
    flag = "seems to change the label: left becomes right (100%), right becomes left (100%)"
    assert found.notes[-2:] == (
        f"arm 'one': the screen says that Flip 2 {flag}",
        f"arm 'two': the screen says that Flip 2 {flag}",
    )
    assert {run.arm for run in found.runs} == {"none", "one", "two", "three"}  # trained all the same
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    assert held["screen"] == json.loads(json.dumps(before.to_dict()))
    page = (tmp_path / "out" / "report.html").read_text()
    section = page.split("The screen before the arms</h2>")[1].split("<h2")[0]
    assert "-100.0" in section.replace("\N{MINUS SIGN}", "-")
    assert section.count("seems to change the label") == 3  # in the table, and for each arm
    plain = im.compare(data, arms, **{**quick, "out": tmp_path / "plain"})
    assert "screen" not in plain.to_dict()
    assert "The screen before" not in (tmp_path / "plain" / "report.html").read_text()


def test_a_network_that_calls_most_classes_one_is_no_witness() -> None:
    said = over_images(np.full(20, 0.5), 0.95)
    evidence = tuple(ClassEvidence(name, "4", said, 0.0) for name in "037")
    found = Screened("Invert", "Invert()", said, said, None, evidence, unclear=True)
    assert not found.changes_label
    assert found.flag == (
        "may change the label or not: 0 (50%), 3 (50%), 7 (50%) are all taken for 4, as a network also does with "
        "images unlike any that it saw"
    )
    assert replace(found, unclear=False).changes_label
    # Four classes of stripes, and a network that takes whatever is bright all over for the last.
    y = np.arange(80) % 4
    x = np.random.default_rng(0).integers(0, 60, (80, 8, 8, 1)).astype(np.uint8)
    for row, label in enumerate(y):
        x[row, 2 * label : 2 * label + 2] += 150

    class Striped(Ruled):
        def predict(self, images: Any) -> Any:
            rows = images.astype(np.float64).mean(axis=(2, 3)).reshape(-1, 4, 2).mean(axis=2)
            said = np.where(images.mean(axis=(1, 2, 3)) > 128, 3, rows.argmax(axis=1))
            return np.where(np.arange(4) == said[:, None], 0.91, 0.03).astype(np.float32)

    data, both = Data((x, y), (x, y), tuple("abcd")), im.Pipeline([im.Invert(), im.Flip("y")], seed=0)
    asked = screen(data, {"p": both}, shipped=False, runner=Striped(), **QUICK)
    assert asked["Invert of p"].flag.startswith(
        "may change the label or not: a (100%), b (100%), c (100%) are all taken"
    )
    assert asked.flagged == (asked["Flip of p"],)
    assert "may change the label or not" in asked.table()
