"""The epoch of each sample that is asked for, where the asking is left to others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from imagemill.core.randomness import dataloader as loops
from imagemill.core.randomness.default_keys import Numbering

__all__ = ["Turns", "by_epoch"]


class Turns:
    """Epochs that advance by themselves.

    Under a DataLoader of PyTorch each of its iterations is an epoch. In any other loop a sample's epoch is how often it
    was asked for, which takes some hundred bytes for each sample.

    Parameters
    ----------
    numbering : Numbering
        Says with which epoch to begin.

    Examples
    --------
    >>> turns = Turns(Numbering(4))
    >>> turns.of(["a", "b", "a"]), turns.of(["b"])
    ([4, 4, 5], [5])
    """

    def __init__(self, numbering: Numbering) -> None:
        self.numbering = numbering
        self._asked: dict[Any, int] = {}

    def of(self, keys: Iterable[Any]) -> list[int]:
        """The epoch of each of some samples."""
        asked = list(keys)
        turn = self.numbering.turn()
        if turn is not None:
            return [turn] * len(asked)
        return self.plain(asked)

    def plain(self, keys: Iterable[Any]) -> list[int]:
        """The same, for a loop that is known to be no DataLoader's."""
        said, found = self.numbering.said, []
        with loops.here().lock:
            for key in keys:
                before = self._asked.get(key, 0)
                self._asked[key] = before + 1
                found.append(said + before)
        return found

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next."""
        self.numbering.set_epoch(epoch)
        self._asked.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return Turns, (self.numbering,)


def by_epoch(epochs: Sequence[int], make: Callable[[list[int], int], Sequence[Any]]) -> list[Any]:
    """What ``make(places, epoch)`` gives for the places of each epoch, in order; nearly always there is one."""
    found: list[Any] = [None] * len(epochs)
    for epoch in dict.fromkeys(epochs):
        places = [place for place, other in enumerate(epochs) if other == epoch]
        for place, made in zip(places, make(places, epoch), strict=True):
            found[place] = made
    return found
