"""Plans drawn ahead: calls that follow each other on images of one kind share the work of drawing and planning.

Drawing and planning cost nearly as much for one image as for a batch, and what comes out for a sample does not depend
on its batch. A call to which nobody gave a key knows which keys the next ones will get, so it draws for them as well;
they then run a row each of the plan that is there. For an image of another shape, what goes by that is drawn again from
the same numbers, see `OtherShapes`. Images with other channels or of another type, another epoch, or a key by the
caller draw for themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.randomness.default_keys import Turn
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
    """What was drawn for the turns from ``first`` on, of one kind, in one epoch."""

    kind: Kind
    epoch: int
    first: Turn
    size: int
    draft: Draft
    plan: Plan
    others: Callable[[Draft, Plan], OtherShapes | None]

    @cached_property
    def for_others(self) -> OtherShapes | None:
        """How it serves images of other shapes, if it can."""
        return self.others(self.draft, self.plan)

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

    __slots__ = ("_draw", "_others", "_plan", "_window")

    def __init__(
        self,
        draw: Callable[..., Draft],
        plan: Callable[[Draft], Plan],
        others: Callable[[Draft, Plan], OtherShapes | None],
    ) -> None:
        self._draw, self._plan, self._others = draw, plan, others
        # Replaced as a whole: other threads see the one before or the one after.
        self._window: _Window | None = None

    def planned(self, kind: Kind, turn: Turn, epoch: int, *, count: int = 1, logged: bool = False) -> Planned:
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
        window, size = self._window, count
        if window is not None and window.epoch == epoch and window.first.said == turn.said:
            row = turn.number - window.first.number
            found = window.planned(kind, row, count, logged=logged) if 0 <= row <= window.size - count else None
            if found is not None:
                return found
            if kind == window.kind or (window.kind.differs_in_shape(kind) and window.for_others is not None):
                most = max(_LEAST, min(max(_MOST, _BATCHES * count), _PIXELS // math.prod(kind.shape)))
                size = max(1, min(_GROWS * window.size, most) // count) * count
        try:
            window = self._made(kind, turn, size, epoch)
        except Exception:
            if size == count:
                raise
            # Whatever it is, it may be said of a sample that comes later, or never.
            window = self._made(kind, turn, count, epoch)
        self._window = window
        return Planned(window.plan, window.draft.log, 0)

    def _made(self, kind: Kind, turn: Turn, size: int, epoch: int) -> _Window:
        draft = self._draw(kind.frame(size), turn.keys(size), epoch=epoch, watched=True)
        return _Window(kind, epoch, turn, size, draft, self._plan(draft), self._others)
