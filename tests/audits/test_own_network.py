"""Wrong labels told by networks that are trained on the images themselves, each image by one that never saw it."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.audits.networks import one_training, own_network, told_by_networks
from imagemill.audits.networks.small_network import small_network
from imagemill.core.errors import MissingExtra
from tests.audits.made_up import Array, write
from tests.audits.test_wrong_labels import WRONG, asked, because, striped, with_wrong


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of a second."""
    monkeypatch.setattr(one_training, "_EPOCHS", (10, 10))


Trained = list[tuple[frozenset[int], frozenset[int], int]]


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> tuple[Trained, list[Array]]:
    """Of each network what it would learn, what it would be asked, its seed, and the images; nothing is trained."""
    seen: Trained = []
    shown: list[Array] = []

    def answer(images: Array, labels: Array, learnt: Array, rows: Array, *_: Any, seed: int, **__: Any) -> Array:
        seen.append((frozenset(learnt.tolist()), frozenset(rows.tolist()), seed))
        shown.append(images)
        return np.log(0.1 + 0.8 * np.eye(int(labels.max()) + 1, dtype=np.float32)[labels[rows]])

    monkeypatch.setattr(told_by_networks, "trained_and_asked", answer)
    return seen, shown


def test_wrong_labels_are_found_whatever_the_workers_and_the_training_is_told_first() -> None:
    images, labels = striped()
    said: list[str] = []
    one = asked(images, with_wrong(labels), features="network", settings={"folds": 2}, workers=1, stage=said.append)
    two = asked(images, with_wrong(labels), features="network", settings={"folds": 2}, workers=2)
    assert {int(label.key.rpartition("-")[2]) for label in one.labels[: len(WRONG) + 4]} >= set(WRONG)
    assert [label.to_dict() for label in one.labels] == [label.to_dict() for label in two.labels]
    assert said == ["labels", "labels: training 2 networks, less than a minute of one core"]


def test_networks_made_side_by_side_are_those_made_alone() -> None:
    shown = torch.from_numpy(np.random.default_rng(0).normal(size=(20, 3, 32, 32)).astype(np.float32))

    def weights(seed: int) -> Array:
        return np.concatenate([value.numpy().ravel() for value in small_network(shown, 4, seed).state_dict().values()])

    torch.manual_seed(7)
    before = torch.get_rng_state()
    alone = [weights(seed) for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        for made, wanted in zip(pool.map(weights, range(12)), alone, strict=True):
            np.testing.assert_array_equal(made, wanted)
    assert torch.equal(torch.get_rng_state(), before)
    # As PyTorch draws them where nobody else does.
    network = small_network(shown, 4, 3)
    torch.manual_seed(3)
    for layer in [network[0], network[2]]:
        theirs = torch.nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, bias=layer.bias is not None)
    assert torch.equal(network[2].weight, theirs.weight)


def test_each_image_is_told_by_networks_that_never_saw_it(untrained: tuple[Trained, list[Array]]) -> None:
    images, labels = striped()
    asked(images, with_wrong(labels), features="network", settings={"folds": 3, "networks": 2})
    seen, shown = untrained
    assert len(seen) == 6
    assert len({seed for *_, seed in seen}) == 6
    every = frozenset(range(len(labels)))
    for learnt, rows, _ in seen:
        assert learnt | rows == every
        assert not learnt & rows
    by_round = [{rows for _, rows, seed in seen if seed // 3 == round_} for round_ in (0, 1)]
    assert by_round[0] != by_round[1]
    assert all(sum(map(len, folds)) == len(labels) for folds in by_round)
    assert shown[0].shape == (120, 32, 32, 3)


def test_many_images_are_told_in_halves(
    untrained: tuple[Trained, list[Array]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_network, "_MANY", 100)
    images, labels = striped()
    asked(images, labels, features="network")
    assert len(untrained[0]) == 2


def test_other_thresholds_train_nothing_anew(untrained: tuple[Trained, list[Array]]) -> None:
    images, labels = striped()
    found = asked(images, with_wrong(labels), features="network")
    assert len(untrained[0]) == 5
    found.again(checks="labels", settings={"label_errors": 0.5})
    assert len(untrained[0]) == 5
    found.again(checks="labels", settings={"folds": 3})
    assert len(untrained[0]) == 8


def test_gray_images_have_one_channel_and_photos_are_shown_larger(
    untrained: tuple[Trained, list[Array]], tmp_path: Path
) -> None:
    images, labels = striped()
    gray = images[..., 1]
    asked(gray, labels, features="network")
    assert untrained[1][-1].shape == (120, 32, 32, 1)
    for n, (image, label) in enumerate(zip(gray, labels, strict=True)):
        write(tmp_path / label / f"{n}.png", image.repeat(4, axis=0).repeat(4, axis=1))
    im.audit(tmp_path, checks="labels", features="network")
    assert untrained[1][-1].shape == (120, 64, 64, 1)
    assert untrained[1][-1].std() > 10


def test_images_that_networks_cannot_tell_are_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.random.default_rng(0)

    def guess(images: Array, labels: Array, learnt: Array, rows: Array, *_: Any, **__: Any) -> Array:
        return np.log(draws.dirichlet((1, 1), len(rows))).astype(np.float32)

    monkeypatch.setattr(told_by_networks, "trained_and_asked", guess)
    why = because(asked(*striped(), features="network"))
    assert why.startswith("networks trained on these images tell the class of")
    assert why.endswith("give features of a network with --features, or more images")


def test_an_interrupt_ends_the_training_and_gives_torch_its_threads_back() -> None:
    images, labels = striped()
    threads = torch.get_num_threads()

    def stop(done: int, total: int) -> None:
        if total > len(images):  # of the training, not of the look
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked(images, labels, features="network", progress=stop)
    assert torch.get_num_threads() == threads


def test_without_torch_the_extra_is_named_before_anything_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = striped(20)
    monkeypatch.setitem(sys.modules, "torch", None)

    def looked(*_: int) -> None:
        raise AssertionError("an image was looked at")

    with pytest.raises(MissingExtra, match=r"pip install 'imagemill\[torch\]'"):
        asked(images, labels, features="network", progress=looked)
