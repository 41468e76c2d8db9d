"""Plans drawn ahead: calls that follow each other on images of one kind share the work of drawing and planning.

Drawing and planning cost nearly as much for one image as for a batch, and what comes out for a sample does not depend
on its batch. A call to which nobody gave a key knows which keys the next ones will get, so it draws for them as well;
they then run a row each of the plan that is there. For an image of another shape, what goes by that is drawn again from
the same numbers, see `OtherShapes`. Images with other channels or of another type, another epoch, or a key by the
caller draw for themselves, unless the caller says which keys come next as well (`Run`), as a loader does.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.randomness.default_keys import Turn
from imagemill.core.randomness.known_runs import Run
from imagemill.core.sample import DrawLog
from imagemill.engine.plan import Plan
from imagemill.pipeline.drawing import Draft
from imagemill.pipeline.other_shapes import OtherShapes

__all__ = ["Ahead", "Kind", "Planned"]

_MOST, _LEAST, _PIXELS = 256, 32, 1 << 25
"""Calls that are drawn for at once, at most, and at least; and how many pixels all their images may have, as what is
drawn may have a number for each."""
_BATCHES = 8
"""Calls on whole batches that are drawn for at once, at most, where that is more samples."""
_RUN_PIXELS = 1 << 23
"""The same for the batches of a known run, of which the last two draws are kept: for large images drawing is little."""
_PATIENCE = 2.0
"""Seconds that a draw of another thread is waited for: one that a fork cut off never ends."""
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

    def differs_in_shape(self, other: Kind) -> bool:
        """Whether two kinds are one but for the lengths of their axes."""
        same = self.channels == other.channels and self.dtype == other.dtype
        return same and len(self.shape) == len(other.shape)


class Planned(NamedTuple):
    """A plan, what was drawn for it, and the sample of it that is meant, or the first of some."""

    plan: Plan
    log: DrawLog
    row: int


@lru_cache(maxsize=4096)
def _frame_of(kind: Kind) -> Frame:
    # Images of many sizes have some of them again and again.
    return kind.frame(1)


@dataclass(frozen=True, eq=False)
class _Window:
    """What was drawn for the turns from ``number`` on, of one kind, in one epoch."""

    kind: Kind
    epoch: int
    said: object
    number: int
    size: int
    draft: Draft
    plan: Plan
    others: Callable[[Draft, Plan], OtherShapes | None]

    @cached_property
    def for_others(self) -> OtherShapes | None:
        """How it serves images of other shapes, if it can."""
        return self.others(self.draft, self.plan)

    def row(self, turn: Turn | Run, epoch: int, count: int) -> int | None:
        """Where in it the samples from a turn on are; None where not all are."""
        row = turn.number - self.number
        return row if self.epoch == epoch and self.said == turn.said and 0 <= row <= self.size - count else None

    def planned(self, kind: Kind, row: int, count: int, *, logged: bool) -> Planned | None:
        """The plan of some of its samples, whose images are of its kind, or of one, whose image has another shape."""
        if kind == self.kind:
            return Planned(self.plan, self.draft.log, row)
        others = self.for_others if count == 1 and self.kind.differs_in_shape(kind) else None
        found = None if others is None else others.remade(row, _frame_of(kind), whole=logged)
        if others is None or found is None:
            return None
        return Planned(found.plan, others.log(found.values) if logged else self.draft.log, row)


class Ahead:
    """Draws for the call at hand, and for more that follow the longer calls of one kind have followed each other.

    Parameters
    ----------
    draw : callable
        Takes a frame, the keys of its samples, the epoch, and whether to watch who drew what.
    plan : callable
    others : callable
        Takes a watched draft and its plan; how these serve images of other shapes.
    """

    __slots__ = ("_draw", "_lock", "_others", "_plan", "_runs", "_window")

    def __init__(
        self,
        draw: Callable[..., Draft],
        plan: Callable[[Draft], Plan],
        others: Callable[[Draft, Plan], OtherShapes | None],
    ) -> None:
        self._draw, self._plan, self._others = draw, plan, others
        # Replaced as a whole: other threads see the one before or the one after.
        self._window: _Window | None = None
        self._runs: tuple[_Window, ...] = ()
        self._lock = threading.Lock()

    def planned(self, kind: Kind, turn: Turn | Run, epoch: int, *, count: int = 1, logged: bool = False) -> Planned:
        """The plan in which a call's samples are, and the row of the first.

        Parameters
        ----------
        kind : Kind
            Of its image.
        turn : Turn
            Of the first.
        epoch : int
        count : int
            Samples of the call, all of one kind.
        logged : bool
            Whether what was drawn is asked for as well.
        """
        if isinstance(turn, Run):
            return self._in_run(kind, turn, epoch, count)
        window, size = self._window, count
        if window is not None and window.epoch == epoch and window.said == turn.said:
            row = window.row(turn, epoch, count)
            found = None if row is None else window.planned(kind, row, count, logged=logged)
            if found is not None:
                return found
            if kind == window.kind or (window.kind.differs_in_shape(kind) and window.for_others is not None):
                size = max(1, min(_GROWS * window.size, _most(kind, count, _PIXELS)) // count) * count
        window = self._window = self._made(kind, turn, size, count, epoch)
        return Planned(window.plan, window.draft.log, 0)

    def _in_run(self, kind: Kind, run: Run, epoch: int, count: int) -> Planned:
        """The same for the samples of a run, all of one kind, of which others may be asked for at the same time."""
        found = self._drawn(kind, run, epoch, count)
        if found is not None:
            return found
        # One draws, and the others wait: they would draw the same.
        got = self._lock.acquire(timeout=_PATIENCE)
        try:
            found = self._drawn(kind, run, epoch, count)
            if found is not None:
                return found
            size = max(1, _most(kind, count, _RUN_PIXELS) // count) * count
            window = self._made(kind, run, size, count, epoch)
            # Workers that are a batch behind still need the one before.
            self._runs = (window, *self._runs[:1])
            return Planned(window.plan, window.draft.log, 0)
        finally:
            if got:
                self._lock.release()

    def _drawn(self, kind: Kind, run: Run, epoch: int, count: int) -> Planned | None:
        for window in self._runs:
            row = window.row(run, epoch, count)
            if row is not None and window.kind == kind:
                return Planned(window.plan, window.draft.log, row)
        return None

    def _made(self, kind: Kind, turn: Turn | Run, size: int, count: int, epoch: int) -> _Window:
        """For so many samples; for ``count`` where it does not work out for more."""
        while True:
            keys = turn.keys(size)
            try:
                draft = self._draw(kind.frame(len(keys)), keys, epoch=epoch, watched=isinstance(turn, Turn))
                plan = self._plan(draft)
            except Exception:
                if size == count:
                    raise
                size = count  # whatever it is, it may be said of a sample that comes later, or never
                continue
            return _Window(kind, epoch, turn.said, turn.number, len(keys), draft, plan, self._others)


def _most(kind: Kind, count: int, pixels: int) -> int:
    """Samples that are drawn for at once at most, where calls are for ``count``."""
    return max(_LEAST, min(max(_MOST, _BATCHES * count), pixels // math.prod(kind.shape)))
