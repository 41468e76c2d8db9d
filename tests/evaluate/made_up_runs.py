"""Runs as a runner gives them, made by hand: answers of which it is known how many are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import imagemill as im
from imagemill.evaluate import Comparison
from imagemill.evaluate.comparisons.comparison import Material, compared
from imagemill.evaluate.inputs.arms import CLEAN, Arm, Population
from imagemill.evaluate.runners.recipe import Epoch, Trained

FLIP = im.Pipeline([im.Flip("y", p=0.5)], seed=3)


def answers(truth: np.ndarray, wrong: Sequence[int], classes: int) -> np.ndarray:
    """Probabilities that are right but on some rows, where the next class is called."""
    called = truth.copy()
    called[list(wrong)] = (called[list(wrong)] + 1) % classes
    return (np.eye(classes)[called] * 0.9 + 0.1 / classes).astype(np.float32)


def run(arm: str, seed: int, given: Mapping[str, np.ndarray], epochs: int = 4, diverged: int | None = None) -> Trained:
    curve = [Epoch(2.0 / (e + 1), 0.5 + 0.1 * e, 2.2 / (e + 1), 0.4 + 0.1 * e) for e in range(epochs)]
    if diverged:
        curve = [*curve[: diverged - 1], Epoch(float("nan"), 0.1, 900.0, 0.1)]
    return Trained(arm, seed, {} if diverged else dict(given), curve, diverged, 2.0, 0.5, 1000)


def comparison(
    wrong: Mapping[str, Sequence[Sequence[int]]],
    *,
    classes: Sequence[str] = ("a", "b", "c"),
    images: int = 60,
    populations: Sequence[str] = (CLEAN,),
    diverged: Mapping[str, Sequence[int]] | None = None,
    material: bool = True,
    pixels: np.ndarray | None = None,
) -> Comparison:
    """A comparison of arms of which the wrong rows are given by arm and seed."""
    truth = np.arange(images) % len(classes)
    if pixels is None:
        pixels = np.random.default_rng(0).integers(0, 256, (images, 8, 8, 1), np.uint8)
    runs = [
        run(
            arm,
            seed,
            {name: answers(truth, rows, len(classes)) for name in populations},
            diverged=2 if seed in (diverged or {}).get(arm, ()) else None,
        )
        for arm, seeds in wrong.items()
        for seed, rows in enumerate(seeds)
    ]
    design: dict[str, Any] = {
        "data": "0123456789abcdef",
        "classes": list(classes),
        "train_images": 100,
        "test_images": dict.fromkeys(populations, images),
        "arms": {arm: arm for arm in wrong},
        "model": "dense",
        "seeds": max(map(len, wrong.values())),
        "recipe": {"epochs": 4, "batch_size": 32, "learning_rate": 0.001},
        "level": 0.95,
        "runner": "torch",
    }
    asked = tuple(Population(name, pixels, truth) for name in populations)
    arms = tuple(Arm(arm, None if arm == "none" else FLIP) for arm in wrong)
    return compared(
        design, runs, dict.fromkeys(populations, truth), classes, 0.95, Material(arms, asked) if material else None
    )
