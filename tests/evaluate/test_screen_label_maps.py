"""Screens and ablations of networks for label maps: Dice and losses by hand, label maps moved, patients kept whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import imagemill as im
from imagemill.evaluate import Data, Recipe, screen
from imagemill.evaluate.comparisons.comparison_page import as_page
from imagemill.evaluate.inputs.arms import Arm
from imagemill.evaluate.recommendations.screen_warnings import read_screen
from imagemill.evaluate.runners.recipe import Trained, held_back
from imagemill.evaluate.runners.torch_runner import TorchRunner
from imagemill.evaluate.screening.probe import Probe
from tests.evaluate.made_up_scans import blocks

QUICK: dict[str, Any] = {"model": "unet", "epochs": 1, "batch_size": 4, "workers": 0, "shipped": False}


class Marking(TorchRunner):
    """A network that marks what is over 100; its loss is the share of pixels that are wrong."""

    name = "marking"

    def train(self, arm: Any, network: Any, data: Any, asked: Any, *rest: Any, **more: Any) -> Trained:
        recipe = next(one for one in rest if isinstance(one, Recipe))
        assert data[1].shape == data[0].shape[:-1]
        said = {one.name: self.predict(one.images) for one in asked}
        return Trained(
            arm.name, 0, {}, images=len(data[0]) * recipe.epochs, predict=self.predict, network=network,
            label_maps=said, losses=self.losses,
        )  # fmt: skip

    def predict(self, images: Any) -> Any:
        return (images[..., 0] > 100).astype(np.uint8)

    def losses(self, images: Any, truth: Any) -> Any:
        return (self.predict(images) != truth).reshape(len(truth), -1).mean(axis=1)


def two_levels(count: int = 16, groups: int | None = None) -> Data:
    """Images 16x12 with a block of 8x6, one half of which is 200 and the other 120, on 20."""
    images, maps = np.full((count, 16, 12, 1), 20, np.uint8), np.zeros((count, 16, 12), np.uint8)
    maps[:, 4:12, 3:9] = 1
    images[:, 4:12, 3:6], images[:, 4:12, 6:9] = 200, 120
    of = None if groups is None else np.array([f"patient {number % groups}" for number in range(count)])
    return Data((images, maps), (images[:2], maps[:2]), ("0", "1"), of)


def test_affinity_is_lost_dice_and_diversity_the_loss_that_is_gained() -> None:
    pipeline = im.Pipeline([im.Invert(), im.Brightness(0.7), im.Shift(pixels={"x": 2}), im.Flip("x")], seed=0)
    found = screen(two_levels(), {"all": pipeline}, runner=Marking(), **QUICK)
    assert (found.measure.name, found.score, found.sure, found.caution) == ("Dice", 1.0, None, "")
    # Darkened, the half of 120 is missed: 24 of 48 pixels of the block, and of 192 of the frame.
    dark = found["Brightness of all"]
    assert dark.affinity.mean == pytest.approx(2 * 24 / (24 + 48) - 1)
    assert dark.diversity.mean == pytest.approx(24 / 192)
    # Inverted, 20 becomes 235, 120 becomes 135, 200 becomes 55: of the block the half of 120 is still marked.
    inverted = found["Invert of all"]
    assert inverted.affinity.mean == pytest.approx(2 * 24 / (24 + 144 + 48) - 1)
    assert inverted.diversity.mean == pytest.approx((144 + 24) / 192)
    # Label maps move with their images, so what follows the pixels loses nothing.
    for name in ("Shift of all", "Flip of all"):
        assert (found[name].affinity.mean, found[name].diversity.mean) == (0.0, 0.0), name
    assert [one.name for one in found.ranked[2:]] == ["Brightness of all", "Invert of all"]
    assert not found.flagged
    assert found.design["one_class_everywhere"] == pytest.approx(2 * 48 / (192 + 48))
    assert "no better than one class for every pixel (Dice 0.400)" in replace(found, score=0.4).caution


def test_intervals_are_students_over_the_dice_of_images_which_makes_no_steps() -> None:
    data = two_levels(16)
    images = data.train[0].copy()
    images[::2, 4:12, 6:9] = 200  # of every other image darkening loses nothing
    data = replace(data, train=(images, data.train[1]))
    found = screen(data, [im.Pipeline([im.Brightness(0.7)])], runner=Marking(), validation=0.5, **QUICK)
    _, held = held_back(np.zeros(16, np.int64), 0.5, 0)
    lost = np.where(held % 2 == 0, 0.0, 2 * 24 / (24 + 48) - 1)
    low, high = stats.t.interval(0.95, len(held) - 1, lost.mean(), stats.sem(lost))
    affinity = found.ranked[0].affinity
    assert (affinity.mean, affinity.low, affinity.high) == pytest.approx((lost.mean(), low, high))


def test_patients_are_held_back_whole_and_are_what_is_counted() -> None:
    data = two_levels(16, groups=4)
    probe = Probe(data, Marking(), None, Recipe(1, 4, 1e-3, 0.25), 3)
    held, kept = (set(part.groups.tolist()) for part in (probe.held, probe.train) if part.groups is not None)
    assert len(held) == 1
    assert len(kept) == 3
    assert not held & kept
    assert (len(probe.held.truth), len(probe.train.truth)) == (4, 12)
    # Two held-back patients of four images each are two that are counted.
    half = screen(data, [im.Pipeline([im.Invert()])], runner=Marking(), validation=0.5, **QUICK)
    assert (half.design["held_back"], half.ranked[0].affinity.pairs) == (8, 2)


def test_volumes_are_asked_about_with_their_spacing_in_all_draws() -> None:
    data = blocks(8, 2, frame=(4, 16, 12))
    data = replace(data, spacing=(np.full((8, 3), (4.0, 1.0, 1.0)), np.full((2, 3), (4.0, 1.0, 1.0))))
    probe = Probe(data, Marking(), None, Recipe(1, 4, 1e-3, 0.25), 0)
    answers = probe.ask(Arm("turned", im.Pipeline([im.Rotate((-30, 30))], seed=0)), draws=3, epochs=1)
    assert answers.held.shape == (3, 2, 1)
    assert answers.train.shape == (6,)
    assert answers.tuned is not None
    assert answers.tuned.shape == (2, 1)
    assert answers.changed.all()
    assert len({tuple(draw.ravel()) for draw in answers.held}) == 3  # each draw is another turn
    assert answers.held.min() > 0.8  # the label map was turned by the same


def test_a_trained_network_tells_the_loss_of_each_label_map() -> None:
    data = blocks(8, 4)
    trained = TorchRunner().train(
        Arm("none"), TorchRunner().network("unet"), (*data.train, None), [], 2, 0, Recipe(1, 4, 0.01, 0.5, workers=0)
    )
    assert trained.losses is not None
    _, held = held_back(np.zeros(8, np.int64), 0.5, 0)
    each = trained.losses(data.train[0][held], data.train[1][held])
    assert each.shape == (4,)
    # The mean over the validation images is what the curve of the training says.
    assert each.mean() == pytest.approx(trained.curve[-1].validation_loss)


def test_a_screen_of_a_unet_ranks_is_kept_and_written(tmp_path: Path) -> None:
    data = blocks(20, 2)
    arms = {"mine": im.Pipeline([im.Invert(), im.Flip("y", p=0.5)], seed=0)}
    how = {**QUICK, "epochs": 8, "learning_rate": 0.01, "tuning": 1, "validation": 0.3}
    found = screen(data, arms, out=tmp_path, **how)
    assert [one.name for one in found.ranked] == ["Flip of mine", "Invert of mine"]
    assert found["Invert of mine"].affinity.high < -0.2
    assert found["Flip of mine"].gain is not None
    held = json.loads((tmp_path / "screen.json").read_text())
    assert held["dice"] == found.score > 0.7
    page = (tmp_path / "report.html").read_text()
    for words in ("in points of Dice", "Not asked of label maps", f"Dice {found.score:.3f} on 6 held-back images"):
        assert words in page, words
    assert "accuracy" not in page.split("<main")[-1].lower()
    assert screen(data, arms, out=tmp_path, **how).to_dict() == found.to_dict()
    # `recommend` reads what a screen of label maps says as well.
    share = (found.score + found["Invert of mine"].affinity.mean) / found.score
    assert read_screen(tmp_path)["Invert"] == (() if share >= 0.5 else (read_screen(found.to_dict())["Invert"][0],))


def test_candidates_that_come_with_imagemill_run_on_volumes_or_say_why_not() -> None:
    data = blocks(6, 2, frame=(4, 16, 12))
    found = screen(data, runner=Marking(), **{**QUICK, "shipped": True, "draws": 1})
    names = {one.name for one in found.ranked}
    assert {"Rotate", "Flip x", "Gamma", "GaussianNoise", "Affine", "RandomResizedCrop"} <= names
    assert all(one.why for one in found.passed_over)
    assert not names & {one.name for one in found.passed_over}


def test_a_comparison_begins_with_a_screen_and_a_pipeline_is_taken_apart() -> None:
    data = blocks(8, 4)
    pair = im.Pipeline([im.Flip("x", p=0.5), im.Brightness((0.8, 1.2))], seed=0)
    how: dict[str, Any] = {"model": "unet", "epochs": 1, "batch_size": 4, "workers": 0}
    first = screen(data, {"pair": pair}, shipped=False, **how)
    compared = im.compare(data, {"pair": pair}, seeds=1, screen=first, **how)
    assert compared.to_dict()["screen"] == first.to_dict()
    assert "affinity, points of Dice" in as_page(compared)
    apart = im.ablate(data, {"pair": pair}, seeds=3, **how)
    one = apart.contribution("Brightness", "alone")
    scores = {arm: [found.score for found in apart.comparison.metrics[arm, "clean"]] for arm in (one.arm, "none")}
    assert one.difference.mean == pytest.approx(np.mean(scores[one.arm]) - np.mean(scores["none"]))
    assert apart._drawn("clean").title == "What each transform does to Dice on clean test images"


def test_a_runner_that_tells_no_losses_is_named() -> None:
    class Silent(Marking):
        name = "silent"

        def train(self, *args: Any, **more: Any) -> Trained:
            return replace(super().train(*args, **more), losses=None)

    with pytest.raises(im.InputError, match="expected a runner that tells the loss of each label map, got 'silent'"):
        screen(two_levels(), [im.Pipeline([im.Invert()])], runner=Silent(), **QUICK)
