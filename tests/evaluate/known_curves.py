"""A runner whose networks have a known accuracy, by arm, number of training images and seed: nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from imagemill.evaluate.inputs.arms import Arm, Population
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained

Accuracy = Callable[[str, int, int], float]


class Known:
    """Networks that are right on a share of the test images, or diverge where that share is no number."""

    name = "known"

    def __init__(self, accuracy: Accuracy) -> None:
        self.accuracy = accuracy
        self.trained: list[tuple[str, int, int, int, tuple[int, ...]]] = []
        """Arm, images, seed, epochs, and the first pixel of every image."""

    def settled(self, recipe: Recipe) -> Recipe:
        return recipe

    def network(self, model: Any) -> Any:
        task = "segmentation" if model == "maps" else "classification"
        return type("Anything", (), {"name": str(model), "task": task})()

    def check(self, network: Any, images: np.ndarray, classes: int) -> None:
        pass

    def train(
        self,
        arm: Arm,
        network: Any,
        data: tuple[np.ndarray, np.ndarray],
        asked: Sequence[Population],
        classes: int,
        seed: int,
        recipe: Recipe,
        on_epoch: Callable[[int, Epoch], None] | None = None,
    ) -> Trained:
        name, count = arm.name.rpartition("@")[0], len(data[1])
        first = tuple(data[0].reshape(count, -1)[:, 0].tolist())
        self.trained.append((name, count, seed, recipe.epochs, first))
        for epoch in range(1, recipe.epochs + 1):
            if on_epoch is not None:
                on_epoch(epoch, Epoch(0.1, 0.9, 0.1, 0.9))
        share = self.accuracy(name, count, seed)
        if not np.isfinite(share):
            return Trained(arm.name, seed, {}, diverged=1)
        answers = {}
        for one in asked:
            total = len(one.labels)
            order = np.random.default_rng(seed).permutation(total)
            said = one.labels.copy()
            wrong = order[round(share * total) :]
            said[wrong] = (said[wrong] + 1) % classes
            answers[one.name] = np.eye(classes, dtype=np.float32)[said]
        return Trained(arm.name, seed, answers, [Epoch(0.1, 0.9, 0.1, 0.9)])
