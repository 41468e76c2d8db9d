"""Keys of samples of whom it is known who comes next, as in the order of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.core.randomness.rng import Keys

__all__ = ["Run"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run(Sequence[int]):
    """The keys of some samples that follow each other in a run, and a way to those behind them.

    Parameters
    ----------
    own : array of uint64, ``[n]``
    said : object
        What tells the run from others.
    number : int
        The place of the first sample in the run.
    following : callable
        Takes a place and a count; the keys of as many samples from there on, or of those that are left.

    Examples
    --------
    >>> import numpy as np
    >>> every = np.arange(5, dtype=np.uint64) ** 2
    >>> run = Run(every[1:3], "squares", 1, lambda number, count: every[number : number + count])
    >>> list(map(int, run)), run.keys(9).tolist()
    ([1, 4], [1, 4, 9, 16])
    """

    own: Keys
    said: object
    number: int
    following: Callable[[int, int], Keys]

    def __len__(self) -> int:
        return len(self.own)

    def __getitem__(self, i: Any) -> Any:
        return self.own[i]

    def keys(self, n: int) -> Keys:
        """The keys of this one and of those that follow it, ``n`` in all, or as many as are left."""
        return self.following(self.number, n)
