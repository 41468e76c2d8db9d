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
from imagemill.evaluate.inputs.asked_images import AskedImages
from imagemill.evaluate.inputs.experiment_data import Data
from imagemill.evaluate.inputs.scans import moved
from imagemill.evaluate.runners.base import Runner
from imagemill.evaluate.runners.recipe import Recipe, Trained, held_back
from imagemill.evaluate.statistics.overlap import dices_of

__all__ = ["Answers", "Probe", "losses", "scores"]

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
        By the clean network, of the held-back images as the transform makes them: probabilities; of label maps the Dice
        of each class but the background, ``[draws, n, classes - 1]``, against the label maps as it makes them.
    train : array ``[m, classes]``
        The same of training images; of label maps the loss of each, ``[m]``.
    changed : array ``[n + m]``
        Which of the held-back images (in the first draw) and training images the transform changed at all.
    tuned : array ``[n, classes]`` or None
        By the network after some more epochs with the transform, of the held-back images as they are; None where there
        were none. Of label maps Dice, as in ``held``.
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
        ``validation`` is the share of the training images that is held back; groups of label maps are not parted.
    seed : int
        Of weights, held-back images, order and draws.
    """

    def __init__(self, data: Data, trainer: Runner, network: Any, recipe: Recipe, seed: int) -> None:
        groups = None if data.groups is None else np.asarray(data.groups)
        every = AskedImages(*data.train, data.classes, data.spacing[0], groups)
        kept, held = _parted(every, recipe.validation, seed)
        self.train, self.held = every.take(kept), every.take(held)
        self.some = every.take(np.random.Generator(np.random.Philox(seed)).permutation(kept)[:_MOST])
        self.trainer, self.network, self.seed = trainer, network, seed
        self.recipe = replace(recipe, validation=0.0)

    @property
    def cost(self) -> tuple[int, int]:
        """Images that the network is trained on, and that it is then asked about, whatever it is asked later."""
        return self.recipe.epochs * len(self.train.truth), len(self.held.truth)

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
        held = [self._made(arm, self.held, draw) for draw in range(draws)]
        train = self._made(arm, self.some, 0)
        pairs = ((held[0], self.held), (train, self.some))
        changed = [_changed(made.images, before.images) for made, before in pairs]
        tuned, diverged, trained, asked = None, False, 0, draws * len(self.held.truth) + len(self.some.truth)
        if epochs:
            run = self._trained(arm, self.clean.network, epochs)
            said = run.answers.get(_HELD)
            tuned = said if said is None or self._of_classes else self._dices(said, self.held)
            diverged, trained = run.diverged is not None, run.images
            asked += 0 if tuned is None else len(tuned)
        answers = np.stack([self._said(made) for made in held])
        of_train = self._said(train) if self._of_classes else self._losses(train)
        return Answers(answers, of_train, np.concatenate(changed), tuned, diverged, trained, asked)

    @property
    def _of_classes(self) -> bool:
        return self.held.task == "classification"

    def _trained(self, arm: Arm, network: Any, epochs: int) -> Trained:
        recipe, train, held = replace(self.recipe, epochs=epochs), self.train, self.held
        given = (train.images, train.truth) if self._of_classes else (train.images, train.truth, train.spacing)
        asked = [Population(_HELD, held.images, held.truth, held.spacing)]
        return self.trainer.train(arm, network, given, asked, len(train.classes), self.seed, recipe)

    def _said(self, made: AskedImages) -> Array:
        assert self.clean.predict is not None
        said = self.clean.predict(made.images)
        return said if self._of_classes else self._dices(said, made)

    def _dices(self, said: Array, made: AskedImages) -> Array:
        return dices_of(said, made.truth, len(made.classes))

    def _losses(self, made: AskedImages) -> Array:
        if self.clean.losses is None:
            raise InputError(
                f"expected a runner that tells the loss of each label map, got {self.trainer.name!r}; take the runner "
                "'torch'"
            )
        return self.clean.losses(made.images, made.truth)

    def _made(self, arm: Arm, some: AskedImages, epoch: int) -> AskedImages:
        if arm.pipeline is None:
            return some
        pipeline = arm.pipeline.with_seed(self.seed)
        if self._of_classes:
            images: Array = pipeline.batch(some.images, keys=range(len(some.images)), epoch=epoch).image
            return replace(some, images=images)
        images, truth = moved(pipeline, some.images, some.truth, some.spacing, epoch=epoch)
        assert truth is not None
        return replace(some, images=images, truth=truth)


def _parted(every: AskedImages, share: float, seed: int) -> tuple[Array, Array]:
    """Rows to train on and rows held back: the same share of every class, or of label maps whole groups."""
    if every.task == "classification":
        return held_back(every.truth, share, seed)
    count = len(every.truth)
    of = np.arange(count) if every.groups is None else np.unique(every.groups, return_inverse=True)[1]
    _, held = held_back(np.zeros(int(of.max()) + 1, np.int64), share, seed)
    rows = np.isin(of, held)
    return np.flatnonzero(~rows), np.flatnonzero(rows)


def _changed(made: Array, before: Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (made != before).reshape(len(made), -1).any(axis=1)
    return found


def losses(said: Array, truth: Array) -> Floats:
    """Nats for each image of probabilities ``[n, classes]``; of label maps the losses ``[n]`` as they were said.

    Examples
    --------
    >>> losses(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 1])).round(2).tolist()
    [0.69, 27.63]
    """
    if truth.ndim > 1:
        return said.astype(np.float64)
    likely = said[np.arange(len(truth)), truth].astype(np.float64)
    found: Floats = -np.log(np.clip(likely, 1e-12, None))
    return found


def scores(said: Array, truth: Array) -> Floats:
    """The score of each image: 1 for one that is right, else 0, ``[..., n, classes]`` to ``[..., n]``.

    Of label maps the mean Dice, ``[..., n, classes - 1]`` to ``[..., n]``.

    Examples
    --------
    >>> scores(np.array([[0.6, 0.4], [0.9, 0.1]]), np.array([0, 1])).tolist()
    [1.0, 0.0]
    """
    if truth.ndim > 1:
        found: Floats = said.mean(axis=-1)
        return found
    right: npt.NDArray[np.bool_] = said.argmax(axis=-1) == truth
    return right.astype(np.float64)
