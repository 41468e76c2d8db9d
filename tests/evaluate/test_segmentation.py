"""Networks for label maps, compared by the Dice of each image: images and volumes, arrays and prepared datasets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.evaluate.comparisons.comparison import compared
from imagemill.evaluate.comparisons.comparison_page import as_page
from imagemill.evaluate.comparisons.differing_label_maps import differing_maps, map_pictures
from imagemill.evaluate.inputs.arms import Population, populations
from imagemill.evaluate.inputs.experiment_data import Data, check_data, read_data, read_wild
from imagemill.evaluate.inputs.scans import moved
from imagemill.evaluate.runners.recipe import Trained
from imagemill.evaluate.runners.torch_networks import NETWORKS, network_named
from imagemill.evaluate.runners.torch_objectives import segmented
from imagemill.evaluate.statistics.overlap import overlap_of
from tests.evaluate.made_up_scans import blocks

FLIP = im.Pipeline([im.Flip("x", p=0.5)], seed=0)
QUICK: dict[str, Any] = {"model": "unet", "seeds": 1, "epochs": 1, "batch_size": 4, "workers": 0, "learning_rate": 0.01}


def test_label_maps_are_learned_and_compared_by_their_dice(tmp_path: Path) -> None:
    found = im.compare(blocks(), [FLIP], out=tmp_path / "out", **{**QUICK, "epochs": 7})
    effect = found.effect("pipeline-1")
    assert effect.measure.name == "Dice"
    assert effect.score > 0.9, found
    assert "points of Dice" in repr(found)
    overlap = found.metrics["none", "clean"][0]
    run = next(run for run in found.runs if run.arm == "none" and run.seed == 0)
    assert run.label_maps["clean"].dtype == np.uint8
    expected = overlap_of(run.label_maps["clean"], blocks().test[1], 2)
    assert overlap.score == expected.score
    held = json.loads((tmp_path / "out" / "results.json").read_text())
    assert held["effects"][0]["dice"] == effect.score
    assert set(held["effects"][0]["classes"][0]) == {"name", "dice", "adjusted_p", "verdict"}
    assert held["effects"][0]["classes"][0]["name"] == "1"  # the background is no class that is counted
    # What was kept is read, and ends in the same.
    told: list[Any] = []
    again = im.compare(blocks(), [FLIP], out=tmp_path / "out", progress=told.append, **{**QUICK, "epochs": 7})
    assert all(step.said is None for step in told)
    assert again.to_dict() == found.to_dict()
    assert run.predict is not None
    np.testing.assert_array_equal(run.predict(blocks().test[0]), run.label_maps["clean"])


def test_the_interval_is_over_seeds_and_that_for_new_patients_over_groups() -> None:
    truth = np.zeros((6, 4, 4), np.uint8)
    truth[:, 1:3, 1:3] = 1
    draws = np.random.default_rng(0)

    def run(arm: str, seed: int) -> Trained:
        maps = truth.copy()
        for row in range(6):  # each patient has two images, of which the network says the same
            maps[row, 1, 1] = draws.random() < 0.5 if arm == "none" else 1
        maps[3:] = maps[:3]
        return Trained(arm, seed, {}, label_maps={"clean": maps})

    runs = [run(arm, seed) for seed in range(4) for arm in ("none", "mended")]
    labels, names = {"clean": truth}, ("0", "1")
    apart = compared({}, runs, labels, names).effect("mended")
    patients = compared({}, runs, labels, names, groups={"clean": np.array([0, 1, 2, 0, 1, 2])}).effect("mended")
    assert patients.here == apart.here
    assert patients.anywhere.mean == pytest.approx(apart.anywhere.mean)
    dices = np.array(
        [
            [2 * (r.label_maps["clean"][k] & truth[k]).sum() / (r.label_maps["clean"][k].sum() + 4) for k in range(3)]
            for r in runs
        ]
    )
    np.testing.assert_allclose(apart.here.mean, (dices[1::2] - dices[::2]).mean(), rtol=1e-12)


@pytest.mark.parametrize("model", ["unet", "unet-slices"])
def test_volumes_are_items_whole_whatever_network_reads_them(model: str) -> None:
    data = blocks(6, 3, frame=(5, 10, 9))
    data = replace(data, spacing=(np.full((6, 3), (5.0, 1.0, 1.0)), np.full((3, 3), (5.0, 1.0, 1.0))))
    turned = im.Pipeline([im.Rotate((-15, 15))], seed=0)
    found = im.compare(data, [turned], **{**QUICK, "model": model})
    overlap = found.metrics["none", "clean"][0]
    assert overlap.dice.shape == (3, 1)
    assert overlap.to_dict()["unit"] == "mm"
    assert found.runs[0].label_maps["clean"].shape == (3, 5, 10, 9)
    assert "HD95 (mm)" in as_page(found)
    with pytest.raises(im.InputError, match=r"expected volumes \[n, z, y, x\] for slices"):
        im.compare(blocks(4, 2), [FLIP], **{**QUICK, "model": "unet-slices"})


def test_images_and_label_maps_are_moved_together_for_stressed_populations_too() -> None:
    data = blocks(4, 3)
    shifted = populations(*data.test, ["shift:2px"])[1]
    np.testing.assert_array_equal(shifted.labels[:, :, 2:], data.test[1][:, :, :-2])
    np.testing.assert_array_equal(shifted.images[:, :, 2:], data.test[0][:, :, :-2])
    # Bright where the map says so, also after a turn that interpolates.
    image, maps = moved(im.Pipeline([im.Rotate(20)], seed=0), data.test[0], data.test[1])
    assert maps is not None
    assert image[..., 0][maps == 1].mean() > 2 * image[..., 0][maps == 0].mean()


def test_a_unet_takes_frames_of_any_size_and_thick_slices() -> None:
    for shape in [(1, 13, 9), (3, 8, 30), (1, 3, 11, 8), (2, 9, 8, 8)]:
        module = NETWORKS["unet"].build(shape, 3)
        assert module(torch.zeros(2, *shape)).shape == (2, 3, *shape[1:])
    with pytest.raises(im.InputError, match="8 pixels a side or more for a U-Net"):
        NETWORKS["unet"].build((1, 6, 7), 2)


def test_the_loss_of_label_maps_is_that_of_a_formula_and_its_score_that_of_the_figures() -> None:
    draws = np.random.default_rng(8)
    logits, truth = draws.normal(size=(3, 3, 4, 5)), draws.integers(0, 3, (3, 4, 5))
    losses, scores = segmented(torch.from_numpy(logits), torch.from_numpy(truth))
    for row in range(3):
        likely = np.exp(logits[row]) / np.exp(logits[row]).sum(0)
        true = np.stack([truth[row] == number for number in range(3)])
        entropy = -np.log(likely[true]).sum() / 20
        soft = [(2 * (likely[k] * true[k]).sum() + 1) / (likely[k].sum() + true[k].sum() + 1) for k in (1, 2)]
        assert losses[row].item() == pytest.approx(entropy + 1 - np.mean(soft))
    np.testing.assert_allclose(scores, overlap_of(logits.argmax(1), truth, 3).items, rtol=1e-6)


def test_a_prepared_dataset_of_label_maps_keeps_its_patients_and_gaps_in_its_values(tmp_path: Path) -> None:
    images, maps = blocks(24, 2).train
    maps = np.where(maps == 1, 255, 0).astype(np.uint8)
    for row, (image, label_map) in enumerate(zip(images, maps, strict=True)):
        name = f"patient{row % 8}_{row}.png"
        for folder, array in (("images", image[..., 0]), ("masks", label_map)):
            (tmp_path / "raw" / folder).mkdir(parents=True, exist_ok=True)
            im.data.write_picture(tmp_path / "raw" / folder / name, im.data.Picture(array, "yx"))
    im.prepare(tmp_path / "raw", tmp_path / "set", split=0.4, group=r"(patient\d+)")
    data = read_data(tmp_path / "set", "segmentation")
    assert (data.task, data.classes, data.spacing) == ("segmentation", ("0", "255"), (None, None))
    assert len(data.train[1]) + len(data.test[1]) == 24
    assert data.test_groups is not None
    assert 2 <= len(set(data.test_groups.tolist())) < len(data.test_groups) == len(data.test[1])
    assert np.unique(data.train[1]).tolist() == [0, 1]
    assert isinstance(read_wild(tmp_path / "set", data), Population)
    with pytest.raises(im.InputError, match="for label maps take a network for segmentation: model 'unet'"):
        im.compare(tmp_path / "set", [FLIP], **{**QUICK, "model": "dense"})


def test_what_no_network_for_label_maps_can_be_measured_on_is_refused() -> None:
    (x, maps), test = blocks(4, 2).train, blocks(4, 2).test
    wrong: list[tuple[Any, str]] = [
        (((x, maps.astype(float)), test), "whole numbers, got float64"),
        (((x[:, :8], maps), test), "label maps of that size"),
        (((x, maps), (test[0], np.zeros_like(test[1]))), r"label maps of the test part, got none of \['1'\]"),
        (((x[:1], maps[:1]), test), "two training images or more, got one"),
        (((x, np.arange(maps.size).reshape(maps.shape)), test), "up to 64 classes, got 768 values"),
        (((x * 40.0, maps), (test[0] * 40.0, test[1])), "floating-point training images from 0 to 1, got"),
    ]
    for given, message in wrong:
        with pytest.raises(im.InputError, match=message):
            im.compare(given, [FLIP], **QUICK)
    with pytest.raises(im.InputError, match="expected data for segmentation"):
        im.compare(((x, np.arange(4)), (test[0], np.arange(2))), [FLIP], **QUICK)
    one = Data((x, maps), test, ("0", "1"), test_groups=np.array(["ann", "ann"]))
    with pytest.raises(im.InputError, match="two groups or more, got 'ann' alone"):
        check_data(one, 1, 1, 1)
    with pytest.raises(im.InputError, match="expected arm 'pipeline-1' to keep images"):
        im.compare(blocks(4, 2), [im.Pipeline([im.Resize(8)])], **QUICK)


def test_a_file_says_that_its_network_is_for_label_maps(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import torch\nTASK = 'segmentation'\n"
        "def build(shape, classes):\n    return torch.nn.Conv2d(shape[0], classes, 3, padding=1)\n"
    )
    assert im.compare(blocks(4, 2), [FLIP], **{**QUICK, "model": file}).effects[0].measure.name == "Dice"
    file.write_text(file.read_text().replace(", padding=1", ""))
    with pytest.raises(im.InputError, match=r"to give \[n, 2, y, x\] for \[n, C, y, x\], got \[2, 2, 14, 10\]"):
        im.compare(blocks(4, 2), [FLIP], **{**QUICK, "model": file})
    file.write_text("TASK = 'detection'\ndef build(s, c): ...")
    with pytest.raises(im.InputError, match="to be 'classification' or 'segmentation', got 'detection'"):
        network_named(file)


def test_the_page_of_label_maps_speaks_of_dice_and_has_no_confusion() -> None:
    page = as_page(im.compare(blocks(6, 3), [FLIP], **{**QUICK, "seeds": 3}))
    assert "Dice less that without augmentation" in page
    assert "HD95 (pixels)" in page
    assert "Confusion before and after" not in page
    assert "accuracy" not in page.split("<main")[-1].split("To do the same again</h2>")[0].lower()
    assert "Dice: flip" in page or "Dice: pipeline-1" in page
    section = page.split("Test images whose label maps became better and worse</h2>")[1].split("<h2")[0]
    assert 0 < section.count("<img") == section.count(" without, ") // 2 <= 8  # each in words too


def test_label_maps_are_shown_beside_the_truth_the_largest_changes_first() -> None:
    truth = np.zeros((4, 3, 8, 8), np.uint8)
    truth[:, 1, 2:6, 2:6] = 1  # most in the middle slice
    truth[:, 0, 0, 0] = 2
    bare, mine = truth.copy(), truth.copy()
    bare[1, 1, 2:6, 2:4] = 0  # half of the block: better with the arm
    bare[2, 1, 2, 2] = 0  # a pixel of it
    mine[3, 1, 2:6, 2:6] = 0  # all of it: worse
    runs = [Trained(arm, 0, {}, label_maps={"clean": maps}) for arm, maps in (("none", bare), ("flip", mine))]
    images = np.full((4, 3, 8, 8, 1), 100, np.uint8)
    images[:, 1] = 200
    asked = Population("clean", images, truth)
    found = differing_maps(runs, "flip", asked, 3)
    assert found is not None
    assert (found.gained.tolist(), found.lost.tolist()) == ([1, 2], [3])
    assert found.bare.tolist() == pytest.approx([1, (2 * 8 / (8 + 16) + 1) / 2, (2 * 15 / 31 + 1) / 2, 1])
    assert found.mine[3] == 0.5
    figure = map_pictures(asked, [1], found)[0]
    assert figure.caption == "image 1: Dice 0.83 without, 1.00 with"
    assert figure.rgb.shape == (96, 4 * 96 + 3 * 4, 3)
    image, true, without, after = (figure.rgb[:, at : at + 96] for at in range(0, 400, 100))
    assert (image == 200).all()
    where = np.kron(truth[1, 1] > 0, np.ones((12, 12), bool))
    np.testing.assert_array_equal((true != 200).any(axis=2), where)
    np.testing.assert_array_equal(after, true)
    np.testing.assert_array_equal((without != 200).any(axis=2), where & (np.arange(96) >= 48))
    np.testing.assert_array_equal(true[30, 30], np.round(200 * 0.4 + np.array([230, 159, 0]) * 0.6))
    diverged = [replace(runs[0], diverged=1), runs[1]]
    assert differing_maps(diverged, "flip", asked, 3) is None


def test_what_is_of_classifiers_alone_says_so_and_what_to_do() -> None:
    data, both = blocks(4, 2), {"both": im.Pipeline([im.Flip("x"), im.Flip("y")])}
    for ask in (
        lambda: im.worth(data, both, model="unet"),
        lambda: im.recommend(data, data.test[0]),
    ):
        with pytest.raises(im.InputError, match="one label each, got label maps; compare, screen and ablate take them"):
            ask()
