"""A small segmentation task: a bright block in noise, in images or volumes, whose label map says where it is."""

from __future__ import annotations

import numpy as np

from imagemill.evaluate.inputs.experiment_data import Data


def blocks(train: int = 16, test: int = 6, *, frame: tuple[int, ...] = (16, 12), groups: int | None = None) -> Data:
    draws = np.random.default_rng(5)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        images = draws.integers(0, 60, (count, *frame, 1)).astype(np.uint8)
        maps = np.zeros((count, *frame), np.uint8)
        for row in range(count):
            first = [int(draws.integers(0, side - side // 2)) for side in frame]
            block = (row, *(slice(at, at + side // 2) for at, side in zip(first, frame, strict=True)))
            images[block] += 150
            maps[block] = 1
        return images, maps

    of = None if groups is None else np.arange(test) % groups
    return Data(part(train), part(test), ("0", "1"), test_groups=of)
