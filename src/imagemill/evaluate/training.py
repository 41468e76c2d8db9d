"""Training one arm with one seed, and asking the network about every population. PyTorch, on the CPU or one GPU.

With one seed all arms have the same initial weights, the same validation images and the same order of batches: the
loader's order follows from seed and epoch, never from the pipeline.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.arms import Arm, Population
from imagemill.evaluate.networks import Network
from imagemill.feed import Loader
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.colour.rescale import Rescale
from imagemill.transforms.colour.to_dtype import ToDtype
from imagemill.transforms.colour.to_layout import ToLayout

__all__ = ["Epoch", "Recipe", "Trained", "built", "train"]

Array = npt.NDArray[Any]
_ASKED = 512
"""Images that are asked about at once."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained, the same for every arm.

    Parameters
    ----------
    epochs, batch_size : int
    learning_rate : float
    validation : float, 0 to 1
        Share of the training images that is held back, another one for each seed; for the curves only.
    workers : int
        Threads that augment.
    device : str
        ``"cpu"`` or ``"cuda"``.
    """

    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    validation: float = 0.1
    workers: int = 1
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch gave: losses (nats an image) and shares of right answers."""

    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What is kept of one arm under one seed.

    Parameters
    ----------
    arm : str
    seed : int
    probabilities : mapping of str to array ``[n, classes]``, float32
        By population; empty where training diverged.
    curve : list of Epoch
    diverged : int or None
        The epoch, from 1, in which the loss was no number any more.
    seconds, waiting : float
        Of training, and of it waiting for batches: what augmentation takes that the network does not hide.
    images : int
        Trained on, over all epochs.
    """

    arm: str
    seed: int
    probabilities: dict[str, Array]
    curve: list[Epoch] = field(default_factory=list)
    diverged: int | None = None
    seconds: float = 0.0
    waiting: float = 0.0
    images: int = 0


def preparation() -> tuple[Any, ...]:
    """What every image goes through last, training or test."""
    return Rescale(), ToDtype("float32"), ToLayout("channels_first")


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
    kept, held = _held_back(labels, recipe.validation, seed)
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
    spent = time.perf_counter() - began
    for population in asked:
        out.probabilities[population.name] = answers(module, population.images, recipe.device)
    return _timed(out, spent, waiting, len(kept) * recipe.epochs)


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


def _held_back(labels: npt.NDArray[np.int64], share: float, seed: int) -> tuple[Array, Array]:
    """Rows to train on and rows held back: the same share of every class, drawn by the seed."""
    generator = np.random.Generator(np.random.Philox(seed))
    held = []
    for number in np.unique(labels):
        rows = np.flatnonzero(labels == number)
        # At least one of a class stays for training, and one is held back where there are two.
        count = min(max(1, round(share * len(rows))), len(rows) - 1) if share > 0 else 0
        held.append(generator.permutation(rows)[:count])
    back = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), back), back


def built(network: Network, images: Array, classes: int) -> Any:
    """The network for images like these, tried on two of them.

    Raises
    ------
    InputError
    """
    shape = (images.shape[3], images.shape[1], images.shape[2])
    module = network.build(shape, classes)
    torch = require("torch", extra="torch")
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"expected build of {network.name!r} to give a torch.nn.Module, got {type(module).__name__}")
    module.eval()
    with torch.no_grad():
        shown = tuple(module(torch.zeros(2, *shape)).shape)
    if shown != (2, classes):
        raise InputError(
            f"expected network {network.name!r} to give [n, {classes}] for [n, C, y, x], got {list(shown)} for n = 2"
        )
    return module


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
    return Trained(out.arm, out.seed, out.probabilities, out.curve, diverged, seconds, waiting, images)
