"""Datasets whose every sample is the number that was drawn for it, and the table of all ways to iterate over them.

As a program, ``python -m tests.feed.draws`` prints the table: samples, different draws, and whether the pixels are
those that no worker at all makes.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import imagemill as im
from imagemill.feed import Loader

N, EPOCHS = 12, 3
ONE = np.ones((8, 8, 3), np.float32)
WAYS = ("no key", "key=i", "torch_dataset()", "wrapped")
METHODS = ("fork", "spawn", "forkserver")


def pipeline() -> im.Pipeline:
    return im.Pipeline([im.Brightness((0.5, 1.5))], seed=7)


def draw_one(pipe: im.Pipeline, key: int | None) -> float:
    """What one call draws."""
    return float(pipe(ONE, key=key)[0, 0, 0])


class Raw:
    """A dataset of someone else, which calls a pipeline for each item."""

    def __init__(self, pipe: im.Pipeline | None, *, keyed: bool) -> None:
        self.pipe, self.keyed = pipe, keyed

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int) -> Any:
        if self.pipe is None:
            return {"image": ONE, "label": i}
        return {"image": self.pipe(ONE, key=i) if self.keyed else self.pipe(ONE), "label": i}


def dataset(way: str) -> Any:
    if way == "torch_dataset()":
        x = np.broadcast_to(ONE, (N, *ONE.shape)).copy()
        return Loader((x, np.arange(N)), pipeline(), batch_size=4, workers=0).torch_dataset()
    if way == "wrapped":
        return im.augmented(Raw(None, keyed=False), pipeline())
    return Raw(pipeline(), keyed=way == "key=i")


def drawn(batch: Any) -> list[tuple[int, float]]:
    """Which sample, and what was drawn for it."""
    labels, values = np.asarray(batch["label"]).tolist(), np.asarray(batch["image"])[:, 0, 0, 0].tolist()
    return list(zip(labels, values, strict=True))


def iterate(loader: Any, epochs: int = EPOCHS) -> list[list[tuple[int, float]]]:
    """The draws of each epoch, in order."""
    return [[pair for batch in loader for pair in drawn(batch)] for _ in range(epochs)]


class Together:
    """The datasets of all ways in one, so that one start of workers serves them all."""

    def __init__(self) -> None:
        self.ways = {way: dataset(way) for way in WAYS}

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int) -> Any:
        return {way: self.ways[way][i] for way in WAYS}


def loader(way: str, workers: int, method: str | None = None, *, persistent: bool = False, **how: Any) -> Any:
    import torch.utils.data

    more = {"multiprocessing_context": method, "persistent_workers": persistent} if workers else {}
    return torch.utils.data.DataLoader(dataset(way), batch_size=4, num_workers=workers, **more, **how)


def iterate_together(
    workers: int, method: str | None = None, *, persistent: bool = False, epochs: int = EPOCHS, data: Any = None
) -> dict[str, Any]:
    """The draws of each epoch, for each way."""
    import torch.utils.data

    more = {"multiprocessing_context": method, "persistent_workers": persistent} if workers else {}
    made = torch.utils.data.DataLoader(data or Together(), batch_size=4, num_workers=workers, **more)
    found: dict[str, Any] = {}
    for _ in range(epochs):
        batches = list(made)
        for way in batches[0]:
            found.setdefault(way, []).append([pair for batch in batches for pair in drawn(batch[way])])
    return found


def distinct(epochs: list[list[tuple[int, float]]]) -> int:
    return len({value for epoch in epochs for _, value in epoch})


def cells(methods: tuple[str, ...] = METHODS) -> Iterator[tuple[int, str, bool]]:
    """Workers, how they are started, and whether they stay."""
    yield from itertools.product((1, 2, 4), methods, (False, True))


def faults(made: dict[str, Any], alone: dict[str, Any], say: Callable[[str], None], cell: str) -> list[str]:
    """What is wrong with a cell, of which a line is said for each way."""
    found = []
    for way, epochs in made.items():
        samples, draws = sum(map(len, epochs)), distinct(epochs)
        same = str(epochs == alone[way][: len(epochs)]) if way in WAYS[1:] else "-"
        say(f"{cell} | {way:15} | {samples:7} | {draws:5} | {same}")
        if not draws == samples == N * len(epochs) or same == "False":
            found.append(f"{cell} {way}: {draws} draws of {samples}, as without workers: {same}")
    return found


def table(say: Callable[[str], None]) -> list[str]:
    """Every cell on a line of its own; what is wrong with them."""
    say("workers | started by | persistent | way             | samples | draws | as without workers")
    alone = iterate_together(0)
    found = faults(alone, alone, say, f"{0:7} | {'':10} | {'':10}")
    for workers, method, persistent in cells():
        made = iterate_together(workers, method, persistent=persistent)
        found += faults(made, alone, say, f"{workers:7} | {method:10} | {persistent!s:10}")
    return found


if __name__ == "__main__":
    import functools
    import multiprocessing

    # Only to save time: each server that forks has what the workers import.
    multiprocessing.set_forkserver_preload(["torch", "imagemill.feed"])
    wrong = table(functools.partial(print, flush=True))
    sys.exit("\n".join(wrong) or 0)
