"""Training one arm with one seed, and asking the network about every population. PyTorch, on CPUs or GPUs.

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
from imagemill.evaluate.runners.ranks import Ranks
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained, held_back, preparation
from imagemill.evaluate.runners.torch_asking import Asking, answers, built, learns_from_one, losses_of_each
from imagemill.evaluate.runners.torch_device import flushing, mixed, own_device, scaler_of, settled
from imagemill.evaluate.runners.torch_networks import Network, network_named
from imagemill.evaluate.runners.torch_objectives import objective_of
from imagemill.evaluate.runners.torch_ranks import in_parallel
from imagemill.evaluate.runners.training_batches import (
    TrainingBatch,
    TrainingBatches,
    has_lone,
    numbered,
    training_batches,
)

__all__ = ["TorchRunner", "answers", "built", "train"]

Array = npt.NDArray[Any]


class TorchRunner:
    """Networks of PyTorch."""

    name = "torch"
    shares_batches = True

    def settled(self, recipe: Recipe) -> Recipe:
        """The recipe with the device and precision that there are; see `settled`."""
        return settled(recipe)

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
        data: tuple[Any, ...],
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
    data: tuple[Any, ...],
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
        Training images; some are held back for validation. Or images ``[n, (z,) y, x, C]``, label maps
        ``[n, (z,) y, x]``, and spacing ``[n, d]`` in millimetres or None.
    asked : sequence of Population
    classes : int
    seed : int
        Of weights, validation images, order and draws.
    recipe : Recipe
    on_epoch : callable, optional
        Called with the number of each epoch, from 1, and what it gave.

    A last batch of a single image is left out where the network cannot be trained on it, another image in each epoch.

    Returns
    -------
    Trained
        The same in every one of several processes (`Ranks.present`) that train together.

    Raises
    ------
    InputError
        When the network cannot be built, or does not give what its task needs, or its processes cannot share a batch.
    """
    torch, ranks = require("torch", extra="torch"), Ranks.present()
    recipe = settled(recipe)
    images, labels = data[:2]
    maps = network.task == "segmentation"
    kept, held = held_back(np.zeros(len(labels), np.int64) if maps else labels, recipe.validation, seed)
    torch.manual_seed(seed)
    module = built(network, images, classes).to(own_device(recipe.device))
    lone = not _needs_one(recipe, len(kept)) or learns_from_one(module, images, classes)
    if not lone and recipe.batch_size == 1:
        raise InputError(
            f"expected a batch that {network.name!r} can be trained on, got one image at a time, which it fails on, as "
            "batch normalisation does; take batches of 2 or more"
        )
    training = Training(module, network, recipe, ranks, seed)
    checked = Population("validation", images[held], labels[held])
    spacing = data[2] if len(data) > 2 else None
    given = images[kept], labels[kept], None if spacing is None else spacing[kept]
    out, began = Trained(arm.name, seed, {}), time.perf_counter()
    with training_batches(
        given, arm.pipeline, preparation(), seed, recipe, ranks, lone=lone, classes=arm.classes or numbered(classes)
    ) as batches:
        for number in range(1, recipe.epochs + 1):
            loss, score = training.epoch(batches)
            unseen = training.asking.mean(checked) if len(held) else (float("nan"), float("nan"))
            epoch = Epoch(loss, score, *unseen)
            out.curve.append(epoch)
            if on_epoch is not None:
                on_epoch(number, epoch)
            if not np.isfinite(epoch.loss):
                spent = time.perf_counter() - began, training.waiting, batches.rows * number
                return _timed(out, *spent, diverged=number)
        out = _timed(out, time.perf_counter() - began, training.waiting, batches.rows * recipe.epochs)
    for population in asked:
        (out.label_maps if maps else out.probabilities)[population.name] = training.asking.answers(population.images)
    device = training.asking.device
    predict = partial(answers, module, device=device, task=network.task)
    of_each = partial(losses_of_each, module, device=device, task=network.task) if maps else None
    return replace(out, predict=predict, network=_onward(network, module), losses=of_each)


def _needs_one(recipe: Recipe, images: int) -> bool:
    """Whether some batch is of a single image."""
    return recipe.batch_size == 1 or has_lone(images, recipe)


class Training:
    """A network, its optimizer, and what an epoch does with them.

    Parameters
    ----------
    module : torch.nn.Module
        On its device, with its initial weights.
    network : Network
    recipe : Recipe
        Settled.
    ranks : Ranks
    seed : int
    """

    def __init__(self, module: Any, network: Network, recipe: Recipe, ranks: Ranks, seed: int) -> None:
        self.device = str(next(module.parameters()).device)
        self.network, self.recipe, self.ranks = network, recipe, ranks
        self.module = in_parallel(module, ranks, self.device, seed)
        self.optimizer, self.scaler = _optimizer(network, self.module, recipe.learning_rate), scaler_of(recipe)
        self.objective = objective_of(network.task)
        self.asking = Asking(module, network.task, self.device, recipe, ranks)
        self.waiting = 0.0

    def epoch(self, batches: TrainingBatches) -> tuple[float, float]:
        """A step on every batch; the mean loss and score of all images, over all processes."""
        torch = require("torch", extra="torch")
        self.module.train()
        # Summed where it is: asking for a number after each batch would make a GPU wait.
        sums = torch.zeros(2, dtype=torch.float64, device=self.device)
        coming = iter(batches)
        while True:
            asked = time.perf_counter()
            batch = next(coming, None)
            self.waiting += time.perf_counter() - asked
            if batch is None:
                break
            with flushing():  # not where batches are made: pixels stay what they are
                sums += self._step(torch, batch)
        loss, score = (self.ranks.sum(sums) / batches.rows).tolist()
        return loss, score

    def _step(self, torch: Any, batch: TrainingBatch) -> Any:
        """One step on this process's part of a batch; sums of its losses and scores."""
        x = torch.from_numpy(batch.images).to(self.device)
        y = torch.from_numpy(batch.truth).to(self.device)
        if batch.repeated:  # nothing was left for this process, which has to take part all the same
            x, y = x[:0], y[:0]
        self.optimizer.zero_grad()
        with mixed(self.recipe):
            logits = self.module(x)
        losses, scores = self.objective(logits.float(), y)
        # Gradients of all processes are averaged, so each gives its part of the mean times their number.
        self.scaler.scale(losses.sum() * (self.ranks.world / batch.together)).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return torch.stack([losses.detach().double().sum(), scores.double().sum()])


def _onward(network: Network, module: Any) -> Network:
    """A network that starts with these weights; its optimizer begins anew."""
    return replace(network, build=lambda *_: copy.deepcopy(module))


def _optimizer(network: Network, module: Any, rate: float) -> Any:
    optim = require("torch.optim", extra="torch")
    if network.optimizer == "rmsprop":  # with the settings that Keras gives it
        return optim.RMSprop(module.parameters(), lr=rate, alpha=0.9, eps=1e-7)
    return optim.Adam(module.parameters(), lr=rate)


def _timed(out: Trained, seconds: float, waiting: float, images: int, diverged: int | None = None) -> Trained:
    return replace(out, diverged=diverged, seconds=seconds, waiting=waiting, images=images)
