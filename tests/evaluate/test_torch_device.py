"""Devices and mixed precision: settled before training, refused where they are not there, computed where they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.evaluate.inputs.arms import Arm, populations
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.runners.torch_device import mixed, own_device, scaler_of, settled
from imagemill.evaluate.runners.torch_networks import NETWORKS
from imagemill.evaluate.runners.torch_runner import train
from tests.evaluate.made_up import sides


def _graphics(monkeypatch: pytest.MonkeyPatch, *, there: bool, wide: bool = True, count: int = 1) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: wide)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_auto_is_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Recipe(device="auto", precision="auto")
    _graphics(monkeypatch, there=False)
    assert (settled(asked).device, settled(asked).precision) == ("cpu", "float32")
    _graphics(monkeypatch, there=True)
    assert (settled(asked).device, settled(asked).precision) == ("cuda", "bfloat16")
    _graphics(monkeypatch, there=True, wide=False)
    assert settled(asked).precision == "float16"
    assert settled(Recipe(device="cuda", precision="float32")).precision == "float32"
    # What is settled once stays.
    assert settled(settled(asked)) == settled(asked)


def test_what_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _graphics(monkeypatch, there=False)
    for recipe, message in [
        (Recipe(device="cuda"), "expected a GPU for device 'cuda', got none"),
        (Recipe(device="cpu", precision="float16"), "expected a GPU for precision 'float16', got device 'cpu'"),
        (Recipe(device="tpu"), "expected a device of auto, cpu, cuda, got 'tpu'"),
        (Recipe(precision="float8"), "expected a precision of auto, float32, bfloat16, float16, got 'float8'"),
    ]:
        with pytest.raises(im.InputError, match=message):
            settled(recipe)
    _graphics(monkeypatch, there=True, wide=False)
    with pytest.raises(im.InputError, match="computes in bfloat16, got one that does not"):
        settled(Recipe(device="cuda", precision="bfloat16"))
    _graphics(monkeypatch, there=False)
    with pytest.raises(im.InputError, match="expected a GPU for device 'cuda'"):
        im.compare(sides(16, 4), [im.Pipeline([im.Flip("x")])], model="dense", device="cuda")
    with pytest.raises(im.InputError, match="expected precision 'float32' for Keras"):
        im.compare(sides(16, 4), [im.Pipeline([im.Flip("x")])], runner="keras-torch", precision="bfloat16")


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    _graphics(monkeypatch, there=True, count=2)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert (own_device("cuda"), own_device("cpu"), taken) == ("cuda:1", "cpu", [1])
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(im.InputError, match="a GPU for each process, got 2 and process 3"):
        own_device("cuda")
    monkeypatch.delenv("LOCAL_RANK")
    assert own_device("cuda") == "cuda"


def test_a_network_trains_in_mixed_precision_with_weights_that_stay_exact() -> None:
    data, seen = sides(), []
    asked = populations(*data.test, ())

    class Watched(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found = super().forward(x)
            seen.append((self.training, self.weight.dtype, found.dtype))
            return found

    def build(shape: tuple[int, ...], classes: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Flatten(), Watched(64, classes))

    network = replace(NETWORKS["dense"], name="watched", build=build)
    found = {}
    for precision in ("float32", "bfloat16"):
        seen.clear()
        run = train(Arm("none"), network, data.train, asked, 2, 0, Recipe(3, 16, workers=0, precision=precision))
        found[precision] = run
        expected = torch.bfloat16 if precision == "bfloat16" else torch.float32
        assert {of for _, of, _ in seen} == {torch.float32}
        assert {made for training, _, made in seen if training} == {expected}
    losses = [[epoch.loss for epoch in run.curve] for run in found.values()]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.05)
    assert losses[0] != losses[1]
    assert not scaler_of(Recipe(precision="bfloat16")).is_enabled()
    with mixed(Recipe()):
        assert not torch.is_autocast_enabled("cpu")
