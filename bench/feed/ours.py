"""Our own contestants: each function gives an endless iterator of image arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.feed.data import GENERATOR, generator_pipeline, our_pipeline

Batches = Iterator[Any]


def _endless(loader: Any) -> Batches:
    for _ in itertools.count():
        for batch in loader:
            yield batch.image


def files(folder: str, threads: int, batch: int, side: int, decode: Any = "exact") -> Batches:
    """A folder, or a prepared store."""
    import imagemill as im
    from imagemill.feed import Loader

    dataset = im.open(folder)
    return _endless(Loader(dataset, our_pipeline(side), split="all", batch_size=batch, workers=threads, decode=decode))


def _arrays(folder: str) -> tuple[Any, Any]:
    return np.load(Path(folder) / "x.npy"), np.load(Path(folder) / "y.npy")


def arrays(arrays: str, threads: int, batch: int) -> Batches:
    """Arrays in memory, with the settings of the old generator."""
    from imagemill.feed import Loader

    return _endless(Loader(_arrays(arrays), generator_pipeline(), batch_size=batch, workers=threads))


def compat(arrays: str, threads: int, batch: int) -> Batches:
    """The same through the interface of the old generator."""
    from imagemill.compat.keras import ImageDataGenerator

    flow = ImageDataGenerator(**GENERATOR).flow(*_arrays(arrays), batch_size=batch, workers=threads)
    return (images for images, _ in flow)
