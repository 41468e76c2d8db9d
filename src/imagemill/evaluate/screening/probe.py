"""One network that was trained on images as they are, and all that it is asked about a transform.

Everything about a transform is paired with the same network and the same images without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.evaluate.inputs.arms import NONE, Arm, Population
from imagemill.evaluate.inputs.experiment_data import Data
from imagemill.evaluate.runners.base import Runner
from imagemill.evaluate.runners.recipe import Recipe, Trained, held_back

__all__ = ["Answers", "Probe", "losses", "right"]

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_HELD = "held back"
_MOST = 2000
"""Training images that are asked about: enough for a mean, and for shares of classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was said under one transform.

    Parameters
    ----------
    held : array ``[draws, n, classes]``
        By the clean network, of the held-back images as the transform makes them.
    train : array ``[m, classes]``
        The same of training images.
    changed : array ``[n + m]``
        Which of the held-back images (in the first draw) and training images the transform changed at all.
    tuned : array ``[n, classes]`` or None
        By the network after some more epochs with the transform, of the held-back images as they are; None where there
        were none.
    diverged : bool
        The loss was no number any more in those epochs.
    trained, asked : int
        Images that went through the network for it, forward and backward, and forward alone.
    """

    held: Array
    train: Array
    changed: npt.NDArray[np.bool_]
    tuned: Array | None
    diverged: bool
    trained: int = 0
    asked: int = 0


class Probe:
    """A network trained on images as they are, some of which are held back; it is trained when it is first asked.

    Parameters
    ----------
    data : Data
        Its test images are not looked at.
    trainer : Runner
    network : object
        Of that runner.
    recipe : Recipe
        ``validation`` is the share of the training images that is held back.
    seed : int
        Of weights, held-back images, order and draws.
    """

    def __init__(self, data: Data, trainer: Runner, network: Any, recipe: Recipe, seed: int) -> None:
        images, labels = data.train
        kept, held = held_back(labels, recipe.validation, seed)
        self.train, self.held = (images[kept], labels[kept]), (images[held], labels[held])
        some = np.random.Generator(np.random.Philox(seed)).permutation(kept)[:_MOST]
        self.some = images[some], labels[some]
        self.trainer, self.network, self.classes, self.seed = trainer, network, len(data.classes), seed
        self.recipe = replace(recipe, validation=0.0)

    @property
    def cost(self) -> tuple[int, int]:
        """Images that the network is trained on, and that it is then asked about, whatever it is asked later."""
        return self.recipe.epochs * len(self.train[1]), len(self.held[1])

    @cached_property
    def clean(self) -> Trained:
        """The network, trained on images as they are.

        Raises
        ------
        InputError
            When training diverges.
        """
        found = self._trained(Arm(NONE), self.network, self.recipe.epochs)
        if found.diverged is not None:
            raise InputError(
                f"expected a network that learns, got a loss that is no number in epoch {found.diverged}; "
                "lower the learning rate"
            )
        return found

    def ask(self, arm: Arm, *, draws: int, epochs: int) -> Answers:
        """Ask about one arm, with some draws of each held-back image, and some epochs of training on."""
        held = [self._made(arm, self.held[0], draw) for draw in range(draws)]
        train = self._made(arm, self.some[0], 0)
        changed = [_changed(made, before) for made, before in ((held[0], self.held[0]), (train, self.some[0]))]
        tuned, diverged, trained, asked = None, False, 0, draws * len(self.held[1]) + len(self.some[1])
        if epochs:
            run = self._trained(arm, self.clean.network, epochs)
            tuned, diverged, trained = run.probabilities.get(_HELD), run.diverged is not None, run.images
            asked += 0 if tuned is None else len(tuned)
        said = [self._said(made) for made in held]
        return Answers(np.stack(said), self._said(train), np.concatenate(changed), tuned, diverged, trained, asked)

    def _trained(self, arm: Arm, network: Any, epochs: int) -> Trained:
        recipe, asked = replace(self.recipe, epochs=epochs), [Population(_HELD, *self.held)]
        return self.trainer.train(arm, network, self.train, asked, self.classes, self.seed, recipe)

    def _said(self, images: Array) -> Array:
        assert self.clean.predict is not None
        return self.clean.predict(images)

    def _made(self, arm: Arm, images: Array, epoch: int) -> Array:
        if arm.pipeline is None:
            return images
        made: Array = arm.pipeline.with_seed(self.seed).batch(images, keys=range(len(images)), epoch=epoch).image
        return made


def _changed(made: Array, before: Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (made != before).reshape(len(made), -1).any(axis=1)
    return found


def losses(probabilities: Array, labels: Labels) -> Floats:
    """Nats for each image; ``[..., n, classes]`` to ``[..., n]``.

    Examples
    --------
    >>> losses(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 1])).round(2).tolist()
    [0.69, 27.63]
    """
    said = probabilities[..., np.arange(len(labels)), labels].astype(np.float64)
    found: Floats = -np.log(np.clip(said, 1e-12, None))
    return found


def right(probabilities: Array, labels: Labels) -> Floats:
    """1 for each image that is right, else 0; ``[..., n, classes]`` to ``[..., n]``.

    Examples
    --------
    >>> right(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([0, 1])).tolist()
    [1.0, 0.0]
    """
    found: npt.NDArray[np.bool_] = probabilities.argmax(axis=-1) == labels
    return found.astype(np.float64)
