"""Plans drawn ahead: calls that follow each other on images of one kind share the work of drawing and planning.

Drawing and planning cost nearly as much for one image as for a batch, and what comes out for a sample does not depend
on its batch. A call to which nobody gave a key knows which keys the next ones will get, so it draws for them as well;
they then run a row each of the plan that is there. Images of another kind, another epoch, or a key by the caller draw
for themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.randomness.default_keys import Turn
from imagemill.core.sample import DrawLog
from imagemill.engine.plan import Plan
from imagemill.pipeline.drawing import Draft

__all__ = ["Ahead", "Kind", "Planned"]

_MOST, _LEAST, _PIXELS = 256, 32, 1 << 25
"""Calls that are drawn for at once, at most, and at least; and how many pixels all their images may have, as what is
drawn may have a number for each."""
_GROWS = 4
"""How many times as many calls the next draw is for: one for four samples costs hardly more than one for a sample."""


class Kind(NamedTuple):
    """All that drawing may know of an image that says nothing of its place in the world."""

    shape: tuple[int, ...]
    channels: int
    dtype: np.dtype[np.generic]

    def frame(self, n: int) -> Frame:
        """The frame of so many of them."""
        return Frame.of(*self.shape, channels=self.channels, dtype=self.dtype, n=n)


class Planned(NamedTuple):
    """A plan, what was drawn for it, and the sample of it that is meant."""

    plan: Plan
    log: DrawLog
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class _Window:
    """What was drawn for the turns from ``first`` on, of one kind, in one epoch."""

    kind: Kind
    epoch: int
    first: Turn
    size: int
    plan: Plan
    log: DrawLog


class Ahead:
    """Draws for the call at hand, and for more that follow the longer calls of one kind have followed each other.

    Parameters
    ----------
    draw : callable
        Takes a frame, the keys of its samples and the epoch.
    plan : callable
    """

    __slots__ = ("_draw", "_plan", "_window")

    def __init__(self, draw: Callable[..., Draft], plan: Callable[[Draft], Plan]) -> None:
        self._draw, self._plan = draw, plan
        # Replaced as a whole: other threads see the one before or the one after.
        self._window: _Window | None = None

    def planned(self, kind: Kind, turn: Turn, epoch: int) -> Planned:
        """The plan in which a call's sample is.

        Parameters
        ----------
        kind : Kind
            Of its image.
        turn : Turn
        epoch : int
        """
        window, size = self._window, 1
        if window is not None and window.kind == kind and window.epoch == epoch and window.first.said == turn.said:
            row = turn.number - window.first.number
            if 0 <= row < window.size:
                return Planned(window.plan, window.log, row)
            size = min(_GROWS * window.size, max(_LEAST, min(_MOST, _PIXELS // math.prod(kind.shape))))
        try:
            plan, log = self._planned(kind, turn, size, epoch)
        except Exception:
            if size == 1:
                raise
            # Whatever it is, it may be said of a sample that comes later, or never.
            size = 1
            plan, log = self._planned(kind, turn, 1, epoch)
        self._window = _Window(kind, epoch, turn, size, plan, log)
        return Planned(plan, log, 0)

    def _planned(self, kind: Kind, turn: Turn, size: int, epoch: int) -> tuple[Plan, DrawLog]:
        draft = self._draw(kind.frame(size), turn.keys(size), epoch=epoch)
        return self._plan(draft), draft.log
