"""Batches that are made once and handed over again and again: the most that a faster loader could give.

The idea is that of Meta's SPDL ("Scalable and Performant Data Loading", 2024): what a training loop does with batches
that cost nothing is its own speed, whoever feeds it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from imagemill.feed.batch import LoadedBatch

__all__ = ["REPLAYED", "Replay"]

REPLAYED = 8
"""Batches that are made beforehand, unless asked otherwise."""


@dataclass(slots=True)
class Replay:
    """What a consumer did with batches that cost nothing.

    Parameters
    ----------
    images : int
    seconds : float
        Its own time.
    """

    images: int = 0
    seconds: float = 0.0

    @property
    def images_per_second(self) -> float:
        """Of the consumer; 0 as long as nothing was handed over."""
        return self.images / max(self.seconds, 1e-9) if self.images else 0.0

    def hand_over(self, made: Sequence[LoadedBatch], count: int) -> Iterator[LoadedBatch]:
        """So many batches in all, one after the other and from the first again, and count what they took."""
        for number in range(count):
            batch = made[number % len(made)]
            handed = time.perf_counter()
            yield batch
            self.seconds += time.perf_counter() - handed
            self.images += len(batch)

    def give(self, step: Callable[[LoadedBatch], object], made: Sequence[LoadedBatch], seconds: float) -> None:
        """The same to a function that is called with each, for so many seconds; the first call is not counted."""
        step(made[0])  # what is compiled or taken from the system once
        began = time.perf_counter()
        for batch in itertools.cycle(made):
            step(batch)
            self.images += len(batch)
            self.seconds = time.perf_counter() - began
            if self.seconds >= seconds:
                return
