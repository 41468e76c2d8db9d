"""Folders of made-up photos: smooth random patterns, all different, with as much detail as photos have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def photo(seed: int, height: int = 48, width: int = 64) -> Array:
    """A pattern of several scales, RGB."""
    draws = np.random.default_rng(seed)
    found = np.zeros((height, width, 3))
    for cells, weight in ((3, 60), (8, 40), (24, 25)):
        coarse = draws.normal(0, weight, (cells, cells, 3)).astype(np.float32)
        found += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(found + 128, 0, 255).astype(np.uint8)


def write(path: Path, rgb: Array, quality: int | None = None) -> Path:
    """As PNG, or as a JPEG of a quality."""
    path.parent.mkdir(parents=True, exist_ok=True)
    how = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    assert cv2.imwrite(str(path), rgb[..., ::-1], how)
    return path


def folder(path: Path, count: int = 12, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """So many photos of each class."""
    for number, name in enumerate(classes):
        for row in range(count):
            write(path / name / f"{name}{row:03d}.png", photo(1000 * number + row))
    return path
