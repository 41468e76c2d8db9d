"""Training one arm with one seed, and asking the network about every population. PyTorch, on the CPU or one GPU.

With one seed all arms have the same initial weights, the same validation images and the same order of batches: the
loader's order follows from seed and epoch, never from the pipeline.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.inputs.arms import Arm, Population
from imagemill.evaluate.runners.network_file import of_the_user
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained, held_back, preparation
from imagemill.evaluate.runners.torch_networks import Network, network_named
from imagemill.feed import Loader
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["TorchRunner", "answers", "built", "train"]

Array = npt.NDArray[Any]
_ASKED = 512
"""Images that are asked about at once."""


class TorchRunner:
    """Networks of PyTorch."""

    name = "torch"

    def network(self, model: str | Path | Network) -> Network:
        """A network by its name, or from a file; see `network_named`."""
        return network_named(model)

    def check(self, network: Network, images: Array, classes: int) -> None:
        """Build the network for images like these once, and raise what is wrong with it."""
        built(network, images, classes)

    def train(
        self,
        arm: Arm,
        network: Network,
        data: tuple[Array, npt.NDArray[np.int64]],
        asked: Sequence[Population],
        classes: int,
        seed: int,
        recipe: Recipe,
        on_epoch: Callable[[int, Epoch], None] | None = None,
    ) -> Trained:
        """See `train`."""
        return train(arm, network, data, asked, classes, seed, recipe, on_epoch)


def train(
    arm: Arm,
    network: Network,
    data: tuple[Array, npt.NDArray[np.int64]],
    asked: Sequence[Population],
    classes: int,
    seed: int,
    recipe: Recipe,
    on_epoch: Callable[[int, Epoch], None] | None = None,
) -> Trained:
    """Train a network on one arm's images and ask it about each population.

    Parameters
    ----------
    arm : Arm
    network : Network
    data : images ``[n, y, x, C]`` and labels ``[n]``
        Training images; some are held back for validation.
    asked : sequence of Population
    classes : int
    seed : int
        Of weights, validation images, order and draws.
    recipe : Recipe
    on_epoch : callable, optional
        Called with the number of each epoch, from 1, and what it gave.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        When the network cannot be built, or does not give ``[n, classes]``.
    """
    torch = require("torch", extra="torch")
    images, labels = data
    kept, held = held_back(labels, recipe.validation, seed)
    whole = Pipeline([*(arm.pipeline.transforms if arm.pipeline is not None else ()), *preparation()], seed=seed)
    torch.manual_seed(seed)
    module = built(network, images, classes).to(recipe.device)
    optimizer = _optimizer(torch, network, module, recipe.learning_rate)
    loss_of = torch.nn.CrossEntropyLoss()
    checked = Population("validation", images[held], labels[held])
    out = Trained(arm.name, seed, {})
    began, waiting = time.perf_counter(), 0.0
    with Loader(
        (images[kept], labels[kept]), whole, batch_size=recipe.batch_size, seed=seed, workers=recipe.workers
    ) as loader:
        for number in range(1, recipe.epochs + 1):
            module.train()
            total, right, count = 0.0, 0, 0
            batches = iter(loader)
            while True:
                asking = time.perf_counter()
                batch = next(batches, None)
                waiting += time.perf_counter() - asking
                if batch is None:
                    break
                x = torch.from_numpy(batch.image).to(recipe.device)
                y = torch.from_numpy(np.asarray(batch.label, np.int64)).to(recipe.device)
                optimizer.zero_grad()
                logits = module(x)
                loss = loss_of(logits, y)
                loss.backward()
                optimizer.step()
                total += float(loss.detach()) * len(y)
                right += int((logits.detach().argmax(1) == y).sum())
                count += len(y)
            epoch = _epoch(total, right, count, module, checked, recipe.device)
            out.curve.append(epoch)
            if on_epoch is not None:
                on_epoch(number, epoch)
            if not np.isfinite(epoch.loss):
                return _timed(out, time.perf_counter() - began, waiting, count * number, diverged=number)
    out = _timed(out, time.perf_counter() - began, waiting, len(kept) * recipe.epochs)
    predict = partial(answers, module, device=recipe.device)
    for population in asked:
        out.probabilities[population.name] = predict(population.images)
    return replace(out, predict=predict, network=_onward(network, module))


def answers(module: Any, images: Array, device: str = "cpu") -> npt.NDArray[np.float32]:
    """What a network says of images that are prepared and not augmented, ``[n, classes]``, rows that sum to 1."""
    torch = require("torch", extra="torch")
    plain = Pipeline(preparation(), seed=0)
    module.eval()
    found = []
    with torch.no_grad():
        for at in range(0, len(images), _ASKED):
            some = images[at : at + _ASKED]
            made = plain.batch(some, keys=range(at, at + len(some)), epoch=0).image
            logits = module(torch.from_numpy(made).to(device))
            found.append(torch.softmax(logits.double(), 1).float().cpu().numpy())
    return np.concatenate(found)


def built(network: Network, images: Array, classes: int) -> Any:
    """The network for images like these, tried on two of them.

    Raises
    ------
    InputError
    """
    shape = (images.shape[3], images.shape[1], images.shape[2])
    torch = require("torch", extra="torch")
    with of_the_user(f"build{(shape, classes)} of {network.name!r} to give a network", "mend the function"):
        module = network.build(shape, classes)
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"expected build of {network.name!r} to give a torch.nn.Module, got {type(module).__name__}")
    module.eval()
    asks = f"network {network.name!r} to take images {[2, *shape]}"
    with of_the_user(asks, "mend its layers"), torch.no_grad():
        shown = tuple(module(torch.zeros(2, *shape)).shape)
    if shown != (2, classes):
        raise InputError(
            f"expected network {network.name!r} to give [n, {classes}] for [n, C, y, x], got {list(shown)} for n = 2"
        )
    return module


def _onward(network: Network, module: Any) -> Network:
    """A network that starts with these weights; its optimizer begins anew."""
    return replace(network, build=lambda *_: copy.deepcopy(module))


def _optimizer(torch: Any, network: Network, module: Any, rate: float) -> Any:
    if network.optimizer == "rmsprop":  # with the settings that Keras gives it
        return torch.optim.RMSprop(module.parameters(), lr=rate, alpha=0.9, eps=1e-7)
    return torch.optim.Adam(module.parameters(), lr=rate)


def _epoch(total: float, right: int, count: int, module: Any, checked: Population, device: str) -> Epoch:
    if not len(checked.labels):
        return Epoch(total / count, right / count, float("nan"), float("nan"))
    said = answers(module, checked.images, device).astype(np.float64)
    truth = np.clip(said[np.arange(len(said)), checked.labels], 1e-12, None)
    accuracy = float((said.argmax(1) == checked.labels).mean())
    return Epoch(total / count, right / count, float(-np.log(truth).mean()), accuracy)


def _timed(out: Trained, seconds: float, waiting: float, images: int, diverged: int | None = None) -> Trained:
    return replace(out, diverged=diverged, seconds=seconds, waiting=waiting, images=images)
