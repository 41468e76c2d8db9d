"""Training one small network on some images of a set, and asking it about others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.audits.networks.small_network import prepared, small_network
from imagemill.core.extras import require
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.geometric.crop import Crop
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.pad import Pad

__all__ = ["Plan", "planned", "seconds_each", "trained_and_asked"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_PASSES = 480_000
"""Images that all networks of one round are trained on, about: of fewer there are more epochs."""
_EPOCHS = (8, 30)
_BATCH = 128
_BATCHES = 60
"""Steps of an epoch that are wanted at least, by smaller batches."""
_RATE, _MOMENTUM, _DECAY = 0.15, 0.9, 5e-4
_RISE = 0.2
"""Share of the steps in which the learning rate rises, before it falls to 0."""
_SMOOTHED = 0.1
"""Share of a label that is spread over all classes: it is not believed entirely."""
_SMALLER = 0.75
"""Share of all epochs, and of a side: the first are shown pieces of this size, at half the cost."""
_SHIFT = 16
"""Share of a side, one in so many, by which whole images are shifted at most."""
_MEAN_FROM, _MEAN_EVERY, _MEAN_SHARE = 0.75, 5, 0.05
"""From this share of the steps on, every so many, weights go this far into the running mean that is asked."""
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is trained.

    Parameters
    ----------
    epochs : int
    batch : int
        Images of a step.
    """

    epochs: int
    batch: int


def planned(images: int, folds: int) -> Plan:
    """How networks are trained that each leave out one fold of so many images.

    Examples
    --------
    >>> planned(60_000, 2), planned(1000, 5)
    (Plan(epochs=8, batch=128), Plan(epochs=30, batch=16))
    """
    learnt = images * (folds - 1) // folds
    epochs = round(_PASSES / max(1, images * (folds - 1)))
    batch = 1 << max(4, (learnt // _BATCHES).bit_length() - 1)
    return Plan(min(max(epochs, _EPOCHS[0]), _EPOCHS[1]), min(batch, _BATCH))


def trained_and_asked(
    images: Array,
    labels: Rows,
    learnt: Rows,
    asked: Rows,
    plan: Plan,
    *,
    mirrored: bool,
    seed: int,
    step: Callable[[int], None] | None = None,
) -> Floats:
    """Logarithms of the probability of each class ``[asked, classes]``, by a network that learnt from other images.

    Parameters
    ----------
    images : array ``[n, side, side, C]`` uint8
    labels : array ``[n]`` of int from 0
    learnt, asked : arrays of int
        Rows that it is trained on, and those that it is asked about.
    plan : Plan
    mirrored : bool
        Whether an image and its mirror image are the same.
    seed : int
        Of weights, order and draws.
    step : callable, optional
        Called with how many images were trained on since it was called last; what it raises ends the training.
    """
    torch = require("torch", extra="torch")
    some = images[learnt]
    mean = some.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
    deviation = (some.std(axis=(0, 1, 2), dtype=np.float64) + 1).astype(np.float32)
    classes = int(labels.max()) + 1
    network = small_network(prepared(some[:2000], mean, deviation), classes, seed)
    draws = np.random.Generator(np.random.Philox([seed, 1]))
    optimizer, average = _optimizer(torch, network), None
    batches = max(1, len(learnt) // plan.batch)
    total, done = batches * plan.epochs, 0
    for epoch in range(plan.epochs):
        pipeline = _augmentation(images.shape[1], mirrored=mirrored, whole=epoch >= _SMALLER * plan.epochs, seed=seed)
        order = draws.permutation(learnt)
        for number in range(batches):
            rows = order[number * plan.batch : (number + 1) * plan.batch]
            shown = pipeline.batch(images[rows], keys=rows.tolist(), epoch=epoch).image
            for group in optimizer.param_groups:
                group["lr"] = _RATE * (plan.batch / _BATCH) ** 0.5 * _share_of_rate(done / total)
            logits = network(prepared(shown, mean, deviation))
            truth = torch.from_numpy(labels[rows])
            loss = torch.nn.functional.cross_entropy(logits, truth, label_smoothing=_SMOOTHED)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            done += 1
            if done >= _MEAN_FROM * total and (done % _MEAN_EVERY == 0 or done == total):
                average = _into(average, network)
            if step is not None:
                step(len(rows))
    network.load_state_dict(average)
    return _answers(torch, network.eval(), images[asked], mean, deviation, mirrored=mirrored)


def _share_of_rate(at: float) -> float:
    return min((at + 1e-3) / _RISE, (1 - at) / (1 - _RISE))


def _augmentation(side: int, *, mirrored: bool, whole: bool, seed: int) -> Pipeline:
    """A mirror image every other time where that is the same, and a piece, or the whole shifted by a little."""
    flip = [Flip("x")] if mirrored else []
    if not whole:
        piece = round(_SMALLER * side)
        return Pipeline([*flip, Crop((piece, piece), at="random")], seed=seed)
    return Pipeline([*flip, Pad(side // _SHIFT, border="mirror"), Crop((side, side), at="random")], seed=seed)


def _optimizer(torch: Any, network: Any) -> Any:
    weights = [one for one in network.parameters() if one.requires_grad]
    groups = [
        {"params": [one for one in weights if one.ndim > 1], "weight_decay": _DECAY},
        {"params": [one for one in weights if one.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=_RATE, momentum=_MOMENTUM, nesterov=True)


def _into(average: dict[str, Any] | None, network: Any) -> dict[str, Any]:
    """The running mean of weights with those of now in it."""
    state = network.state_dict()
    if average is None:
        return {name: value.clone() for name, value in state.items()}
    for name, value in state.items():
        if value.is_floating_point():
            average[name].lerp_(value, _MEAN_SHARE)
    return average


def _answers(torch: Any, network: Any, images: Array, mean: Array, deviation: Array, *, mirrored: bool) -> Floats:
    found = []
    with torch.no_grad():
        for at in range(0, len(images), _AT_ONCE):
            shown = prepared(images[at : at + _AT_ONCE], mean, deviation)
            logits = network(shown)
            if mirrored:
                logits = (logits + network(shown.flip(3))) / 2
            found.append(torch.log_softmax(logits, 1).numpy())
    return np.concatenate(found)


def seconds_each(images: Array) -> float:
    """Seconds of one core that a step of training takes for each of some whole images: the best of three."""
    torch = require("torch", extra="torch")
    shown = prepared(images, *(np.full(images.shape[-1], 128, np.float32),) * 2)
    network, took = small_network(shown, 2, 0), []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(3):
            began = time.thread_time()
            torch.nn.functional.cross_entropy(network(shown), torch.zeros(len(shown), dtype=torch.long)).backward()
            took.append(time.thread_time() - began)
    finally:
        torch.set_num_threads(threads)
    return min(took) / len(images)
