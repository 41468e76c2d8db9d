"""Batches of networks in training: prepared once or by the loader, they are the same bytes in the same order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.core.errors import InputError, ParameterError
from imagemill.evaluate.inputs.arms import read_arms
from imagemill.evaluate.runners import training_batches as module
from imagemill.evaluate.runners.ranks import Ranks
from imagemill.evaluate.runners.recipe import Recipe, held_back, preparation
from imagemill.evaluate.runners.torch_asking import learns_from_one
from imagemill.evaluate.runners.torch_device import flushing
from imagemill.evaluate.runners.training_batches import numbered, training_batches
from tests.evaluate.made_up import sides
from tests.evaluate.made_up_scans import blocks

DRAWS = np.random.default_rng(3)
PHOTOS = DRAWS.integers(0, 256, (23, 6, 5, 3)).astype(np.uint8), DRAWS.integers(0, 4, 23), None
LABEL_MAPS = DRAWS.random((9, 7, 6, 1), np.float32), DRAWS.integers(0, 3, (9, 7, 6)).astype(np.uint8), None
VOLUMES = (
    DRAWS.integers(0, 999, (5, 4, 6, 5, 1)).astype(np.uint16),
    DRAWS.integers(0, 2, (5, 4, 6, 5)).astype(np.uint8),
    DRAWS.random((5, 3)) + 0.5,
)


def _epochs(given: tuple[Any, ...], count: int, layout: Any, recipe: Recipe, ranks: Ranks) -> list[list[Any]]:
    with training_batches(given, None, preparation(layout), 7, recipe, ranks) as batches:
        found = [list(batches) for _ in range(count)]
        assert [len(epoch) for epoch in found] == [len(batches)] * count
        assert batches.rows == len(given[0])
    return found


@pytest.mark.parametrize("given", [PHOTOS, LABEL_MAPS, VOLUMES])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("ranks", [Ranks(), Ranks(1, 2)])
def test_what_is_prepared_once_is_what_the_loader_makes(
    given: tuple[Any, ...], layout: str, ranks: Ranks, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(batch_size=4, workers=0)
    monkeypatch.setattr(module, "_SEVERAL", 4)
    quick = _epochs(given, 2, layout, recipe, ranks)
    monkeypatch.setattr(module, "_BYTES", 0)
    loaded = _epochs(given, 2, layout, recipe, ranks)
    for mine, theirs in zip(quick, loaded, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            assert (one.together, one.repeated) == (other.together, other.repeated)
            for array, expected in ((one.images, other.images), (one.truth, other.truth)):
                assert array.dtype == expected.dtype
                np.testing.assert_array_equal(array, expected)
    # Every epoch has every image once, in another order.
    assert not np.array_equal(quick[0][0].images, quick[1][0].images)
    if ranks.world == 1:
        together = np.concatenate([batch.truth for batch in quick[1]])
        np.testing.assert_array_equal(np.sort(together.ravel()), np.sort(given[1].ravel()))
        assert [batch.together for batch in quick[0]][-1] == len(given[0]) % 4 or 4


@pytest.mark.parametrize(("model", "data"), [("dense", sides(33, 12)), ("unet", blocks())])
def test_a_comparison_is_the_same_file_either_way(
    model: str, data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def results(name: str) -> bytes:
        arms = [im.Pipeline([im.Flip("x", p=0.5)], seed=0)]
        im.compare(data, arms, model=model, seeds=1, epochs=2, batch_size=8, workers=0, out=tmp_path / name)
        return (tmp_path / name / "results.json").read_bytes()

    quick = results("quick")
    monkeypatch.setattr(module, "_BYTES", 0)
    assert results("loaded") == quick


def test_prepared_images_are_made_once_and_only_where_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    known = module.moved
    monkeypatch.setattr(module, "moved", lambda *given: made.append(len(given[1])) or known(*given))
    monkeypatch.setattr(module, "_SEVERAL", 10)
    recipe = Recipe(batch_size=4, workers=0)
    _epochs(PHOTOS, 3, "channels_first", recipe, Ranks())
    assert made == [10, 10, 3]
    monkeypatch.setattr(module, "_BYTES", PHOTOS[0].size * 4 - 1)
    _epochs(PHOTOS, 1, "channels_first", recipe, Ranks())
    assert made == [10, 10, 3]


def test_an_augmented_arm_is_augmented_anew_in_every_epoch() -> None:
    turned = im.Pipeline([im.Rotate((-90, 90))], seed=0)
    with training_batches(PHOTOS, turned, preparation(), 7, Recipe(batch_size=23, workers=0)) as batches:
        first, second = (next(iter(batches)) for _ in range(2))
    rows = [np.argsort(one.truth, kind="stable") for one in (first, second)]
    assert not np.allclose(first.images[rows[0]].sum((1, 2, 3)), second.images[rows[1]].sum((1, 2, 3)))
    with (
        pytest.raises(im.InputError, match="2 processes can share evenly"),
        training_batches(PHOTOS, None, preparation(), 7, replace(Recipe(), batch_size=3), Ranks(0, 2)),
    ):
        pass


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="a processor that cannot")
def test_tiny_numbers_are_zeros_within_and_numbers_again_behind() -> None:
    tiny = torch.full((1,), 1e-310, dtype=torch.float64)
    assert (tiny * 1.0).item() > 0
    with flushing():
        assert (tiny * 1.0).item() == 0
        with flushing():
            assert (tiny * 1.0).item() == 0
        assert (tiny * 1.0).item() == 0
    assert (tiny * 1.0).item() > 0
    with pytest.raises(ZeroDivisionError), flushing():
        raise ZeroDivisionError
    assert (tiny * 1.0).item() > 0


NORMED = """
import torch
def build(shape, classes):
    nn = torch.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, classes))
"""


@pytest.mark.parametrize("prepared", [True, False])
def test_a_last_batch_of_one_image_is_left_out_where_the_network_cannot_learn_from_it(
    prepared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not prepared:
        monkeypatch.setattr(module, "_BYTES", 0)
    (tmp_path / "normed.py").write_text(NORMED)
    data = sides(27, 12)  # of which 25 are left by validation: three batches of 8, and one image
    how: dict[str, Any] = {"seeds": 1, "epochs": 2, "batch_size": 8, "workers": 0}
    found = im.compare(data, [im.Pipeline([im.Flip("x")])], model=tmp_path / "normed.py", **how)
    kept = len(held_back(data.train[1], 0.1, 0)[0])
    assert kept % 8 == 1
    assert [run.images for run in found.runs] == [2 * kept - 2] * 2
    assert found.notes[-1] == (
        f"the network cannot be trained on a batch of one image, which is what {kept} images in batches of 8 end with: "
        "one image is left out in each epoch, drawn anew"
    )
    plain = im.compare(data, [im.Pipeline([im.Flip("x")])], model="dense", **how)
    assert [run.images for run in plain.runs] == [2 * kept] * 2
    assert not any("one image" in note for note in plain.notes)
    with pytest.raises(im.InputError, match="got one image at a time, which it fails on"):
        im.compare(data, [im.Pipeline([im.Flip("x")])], model=tmp_path / "normed.py", **{**how, "batch_size": 1})


def test_worth_says_at_which_sizes_an_image_was_left_out_and_of_how_many_networks(tmp_path: Path) -> None:
    (tmp_path / "normed.py").write_text(NORMED)
    how: dict[str, Any] = {"sizes": (9, 16, 17), "seeds": 2, "epochs": 2, "batch_size": 8, "workers": 0}
    arms = {"flip": im.Pipeline([im.Flip("y")])}
    found = im.worth(sides(20, 12), arms, model=tmp_path / "normed.py", out=tmp_path / "out", **how)
    # 9 and 17 are a batch or two of 8 and one image more. Networks of a seed: both at 9 and 16, at 17 the reference.
    said = (
        "the network cannot be trained on a batch of one image, which is what 9 and 17 images in batches of 8 end "
        "with: one image is left out in each epoch, drawn anew (6 of 10 networks)"
    )
    assert found.notes == (said,)
    assert said in repr(found)
    assert said in (tmp_path / "out" / "curves.html").read_text()
    assert found.to_dict()["notes"] == [said]
    # What was kept says the same again.
    assert im.worth(sides(20, 12), arms, model=tmp_path / "normed.py", out=tmp_path / "out", **how).notes == (said,)
    assert im.worth(sides(20, 12), arms, model="dense", **how).notes == ()


def test_what_is_tried_on_one_image_leaves_the_network_and_its_draws_alone() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.BatchNorm1d(64), torch.nn.Dropout(0.5))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    images = np.zeros((3, 8, 8, 1), np.uint8)
    assert not learns_from_one(network, images, 64)
    spatial = torch.nn.Sequential(torch.nn.BatchNorm2d(1), torch.nn.Dropout(0.5), torch.nn.Flatten())
    assert learns_from_one(spatial, images, 64)
    assert not learns_from_one(torch.nn.Sequential(spatial, torch.nn.Flatten(0)), images, 64)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.training
    assert spatial[0].num_batches_tracked == 0


@pytest.mark.parametrize("mix", [im.MixUp(0.8), im.CutMix()], ids=["mixup", "cutmix"])
def test_what_is_mixed_comes_with_shares_of_all_classes(mix: im.Transform) -> None:
    images, labels, _ = PHOTOS
    recipe = Recipe(batch_size=5, workers=0)
    with training_batches(
        (images, labels, None), im.Pipeline([mix]), preparation("channels_last"), 7, recipe, classes=numbered(6)
    ) as batches:
        made = list(batches)
    truth = np.concatenate([one.truth for one in made])
    assert truth.shape == (23, 6)
    assert truth.dtype == np.float32
    np.testing.assert_allclose(truth.sum(axis=1), 1, atol=1e-6)
    assert ((truth > 0).sum(axis=1) == 2).any(), "some are of two classes"


def test_the_loss_of_shares_is_the_weighted_sum_of_the_losses() -> None:
    from imagemill.evaluate.runners.torch_objectives import classified

    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]])
    shares = torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]])
    losses, scores = classified(logits, shares)
    whole = [classified(logits, torch.full((2,), number))[0] for number in range(3)]
    wanted = sum(shares[:, number] * whole[number] for number in range(3))
    torch.testing.assert_close(losses, wanted)
    torch.testing.assert_close(scores, torch.tensor([0.7, 0.6]))


BY_NAME = {"cat": [im.Invert()], "dog": ()}


def test_pipelines_go_by_the_names_of_classes() -> None:
    images, labels = np.full((6, 4, 4, 1), 10, np.uint8), np.array([0, 1, 0, 1, 1, 0])
    arms = read_arms({"by class": im.Pipeline([im.PerClass(BY_NAME)], seed=0)}, None, ("cat", "dog"))
    given = images, labels, None
    with training_batches(
        given, arms[1].pipeline, (), 7, Recipe(batch_size=6, workers=0), classes=arms[1].classes
    ) as one:
        (batch,) = list(one)
    assert sorted(batch.truth.tolist()) == [0, 0, 0, 1, 1, 1]
    for image, label in zip(batch.images, batch.truth.tolist(), strict=True):
        assert set(image.ravel().tolist()) == {10 if label else 245}


def test_what_mixes_behind_a_choice_by_class_gives_shares_of_all_classes() -> None:
    images, labels = np.full((6, 4, 4, 1), 10, np.uint8), np.array([0, 1, 0, 1, 1, 0])
    pipe = im.Pipeline([im.PerClass(BY_NAME, default=()), im.MixUp(weight=0.75)], seed=0)
    recipe = Recipe(batch_size=6, workers=0)
    with training_batches((images, labels, None), pipe, (), 7, recipe, classes=("cat", "dog", "cow")) as batches:
        (batch,) = list(batches)
    assert batch.truth.shape == (6, 3)
    assert batch.truth.dtype == np.float32
    np.testing.assert_allclose(batch.truth.sum(axis=1), 1)
    # A cat is 245 and a dog 10, so the pixels say the same shares as the labels do.
    np.testing.assert_allclose(batch.images[:, 0, 0, 0], 10 + 235 * batch.truth[:, 0], atol=1)


def test_arms_that_cannot_be_trained_are_refused_before_anything_is() -> None:
    wrong = im.Pipeline([im.PerClass({"cat": [im.Invert()], "dgo": ()})], seed=0)
    with pytest.raises(InputError, match="expected PerClass to list classes of the dataset, cat, dog, got 'dgo'"):
        read_arms({"wrong": wrong}, None, ("cat", "dog"))
    pairs = im.Pipeline([im.MixUp(labels="pairs")], seed=0)
    with pytest.raises(InputError, match="expected arm 'pairs' to mix labels as shares of classes"):
        read_arms({"pairs": pairs}, None, ("cat", "dog"))
    with pytest.raises(ParameterError, match="'none' is the arm without augmentation, which is always there"):
        read_arms({"none": wrong, "other": wrong})
