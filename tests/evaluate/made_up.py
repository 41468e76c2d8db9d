"""A small classification task: which side of an 8x8 image is bright, with noise."""

from __future__ import annotations

import numpy as np

from imagemill.evaluate.inputs.experiment_data import Data


def sides(train: int = 64, test: int = 40, *, classes: tuple[str, ...] = ("left", "right"), noise: int = 60) -> Data:
    draws = np.random.default_rng(11)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.arange(count) % len(classes)
        x = draws.integers(0, noise, (count, 8, 8, 1)).astype(np.uint8)
        for row, label in enumerate(y):
            x[row, :, 4 * (label % 2) : 4 * (label % 2) + 4] += 150
        return x, y.astype(np.int64)

    return Data(part(train), part(test), classes)
