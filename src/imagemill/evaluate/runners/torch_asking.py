"""Asking a network of PyTorch: probabilities of images, or label maps, prepared as for training and not augmented."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.evaluate.inputs.arms import Population
from imagemill.evaluate.inputs.scans import moved
from imagemill.evaluate.runners.network_file import of_the_user
from imagemill.evaluate.runners.ranks import Ranks
from imagemill.evaluate.runners.recipe import Recipe, preparation
from imagemill.evaluate.runners.torch_device import mixed
from imagemill.evaluate.runners.torch_networks import Network
from imagemill.evaluate.runners.torch_objectives import objective_of
from imagemill.pipeline.pipeline import Pipeline

__all__ = ["Asking", "answers", "built", "learns_from_one", "losses_of_each"]

Array = npt.NDArray[Any]
_ASKED, _PIXELS = 512, 1 << 20
"""Images that are asked about at once, and pixels of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """A network in training, and who asks it: of several processes each asks about its part.

    Parameters
    ----------
    module : torch.nn.Module
    task : {"classification", "segmentation"}
    device : str
    recipe : Recipe
    ranks : Ranks
    """

    module: Any
    task: str
    device: str
    recipe: Recipe
    ranks: Ranks = Ranks()  # noqa: RUF009 -- a frozen value

    def answers(self, images: Array) -> Array:
        """Probabilities ``[n, classes]`` or label maps ``[n, (z,) y, x]``."""
        return np.concatenate(self._each(images, lambda logits, _: _said(logits, self.task)))

    def mean(self, population: Population) -> tuple[float, float]:
        """The mean loss and score over images."""
        loss, score = self.scored(population.images, population.labels).mean(axis=0)
        return float(loss), float(score)

    def scored(self, images: Array, truth: Array) -> Array:
        """The loss and the score of each image, ``[n, 2]``."""
        torch = require("torch", extra="torch")

        def both(logits: Any, rows: slice) -> Array:
            true = torch.from_numpy(np.asarray(truth[rows], np.int64)).to(self.device)
            found: Array = torch.stack(objective_of(self.task)(logits, true), 1).double().cpu().numpy()
            return found

        return np.concatenate(self._each(images, both))

    def _each(self, images: Array, made: Callable[[Any, slice], Array]) -> list[Array]:
        """What is made of the logits of every few images, in their order, in every process."""
        torch = require("torch", extra="torch")
        plain, several = Pipeline(preparation(), seed=0), _several(images)
        places = range(0, len(images), several)
        self.module.eval()
        mine = {}
        with torch.no_grad(), mixed(self.recipe):
            for at in places[self.ranks.rank :: self.ranks.world]:
                rows = slice(at, at + several)
                prepared, _ = moved(plain, images[rows])
                mine[at] = made(self.module(torch.from_numpy(prepared).to(self.device)).float(), rows)
        found = {at: one for part in self.ranks.gather(mine) for at, one in part.items()}
        return [found[at] for at in places]


def answers(module: Any, images: Array, device: str = "cpu", task: str = "classification") -> Array:
    """What a network says of images that are prepared and not augmented.

    Parameters
    ----------
    module : torch.nn.Module
    images : array ``[n, y, x, C]`` or ``[n, z, y, x, C]``
    device : str
    task : {"classification", "segmentation"}

    Returns
    -------
    array ``[n, classes]``, float32, rows that sum to 1; or label maps ``[n, (z,) y, x]``, uint8
    """
    return Asking(module, task, device, Recipe()).answers(images)


def losses_of_each(
    module: Any, images: Array, truth: Array, device: str = "cpu", task: str = "classification"
) -> Array:
    """The loss that a network is trained for, of each image, ``[n]``; see `answers` for the rest."""
    found: Array = Asking(module, task, device, Recipe()).scored(images, truth)[:, 0]
    return found


def _said(logits: Any, task: str) -> Array:
    torch = require("torch", extra="torch")
    if task == "classification":
        found: Array = torch.softmax(logits.double(), 1).float().cpu().numpy()
    else:
        found = logits.argmax(1).to(torch.uint8).cpu().numpy()
    return found


def _several(images: Array) -> int:
    pixels = int(np.prod(images.shape[1:-1]))
    return max(1, min(_ASKED, _PIXELS // pixels))


def built(network: Network, images: Array, classes: int) -> Any:
    """The network for images like these, tried on two of them.

    Raises
    ------
    InputError
    """
    spatial = images.shape[1:-1]
    shape = (images.shape[-1], *spatial)
    torch = require("torch", extra="torch")
    with of_the_user(f"build{(shape, classes)} of {network.name!r} to give a network", "mend the function"):
        module = network.build(shape, classes)
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"expected build of {network.name!r} to give a torch.nn.Module, got {type(module).__name__}")
    module.eval()
    asks = f"network {network.name!r} to take images {[2, *shape]}"
    with of_the_user(asks, "mend its layers"), torch.no_grad():
        shown = tuple(module(torch.zeros(2, *shape)).shape)
    if shown != (2, classes, *(spatial if network.task == "segmentation" else ())):
        given = "[n, C, y, x]" if len(spatial) == 2 else "[n, C, z, y, x]"
        asked = f"[n, {classes}]" if network.task == "classification" else f"[n, {classes}, {given[7:]}"
        raise InputError(f"expected network {network.name!r} to give {asked} for {given}, got {list(shown)} for n = 2")
    return module


def learns_from_one(module: Any, images: Array, classes: int) -> bool:
    """Whether a network can be trained on a batch of a single image like these.

    One that normalises each feature over its batch cannot, nor one that drops axes of length one. It is tried on a
    copy, and what the network draws next is what it would have drawn.
    """
    torch = require("torch", extra="torch")
    trial = copy.deepcopy(module).train()
    one = torch.zeros(1, images.shape[-1], *images.shape[1:-1], device=next(module.parameters()).device)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.no_grad():
        try:
            shown = tuple(trial(one).shape)
        except (ValueError, RuntimeError, IndexError):  # what PyTorch raises, of layers and of shapes
            return False
    return shown[:2] == (1, classes)
