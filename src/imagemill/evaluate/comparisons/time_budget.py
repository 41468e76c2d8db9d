"""Time for a study that is made of many pieces of work, and can end after any of its rounds.

A round is what has to be complete to count: all arms of one seed, both sides of a training size. A round begins when it
is expected to fit into what is left, by what the pieces before it took, and what was begun is given up when the time is
over. So a study ends in time with whole rounds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from imagemill.core.errors import InputError, ParameterError

__all__ = ["OutOfTime", "TimeBudget", "TooShortError", "in_words"]


class OutOfTime(Exception):  # noqa: N818  # no error: the end of a budget
    """The budget is spent; what was being done is given up."""


class TooShortError(InputError):
    """A budget is over, or is seen not to last, before one round is complete."""


class TimeBudget:
    """Minutes for a study; None sets no limit, and tells what is left to do all the same.

    Parameters
    ----------
    minutes : float or None
        Above 0, from now on.
    clock : callable
        Gives seconds that only grow.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> now = iter([0.0, 0.0, 20.0, 20.0, 20.0])
    >>> budget = TimeBudget(1, clock=lambda: next(now))
    >>> with budget.piece():  # a network is trained, which takes 20 seconds
    ...     pass
    >>> budget.expected(2), budget.fits(2)
    (40.0, 1)
    """

    def __init__(self, minutes: float | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        if minutes is not None and (
            isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < math.inf
        ):
            raise ParameterError(f"expected a budget of minutes above 0, got {minutes!r}")
        self.minutes = minutes
        self._clock = clock
        self._began = clock()
        self._seconds = self._size = 0.0

    @property
    def left(self) -> float:
        """Seconds, not under 0; infinite without a limit."""
        if self.minutes is None:
            return math.inf
        return max(0.0, self._began + 60.0 * self.minutes - self._clock())

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.minutes is not None and self.left <= 0.0

    def stop_if_over(self, *_: Any) -> None:
        """Raise `OutOfTime` when nothing is left: to be called within a piece of work, such as after each epoch."""
        if self.over:
            raise OutOfTime

    @contextmanager
    def piece(self, size: float = 1.0) -> Iterator[Callable[[float], None]]:
        """Measure a piece of work, and parts of it as they are done.

        Yields
        ------
        callable
            To be called with the share of the piece, 0 to 1, that is done by now; it need not be.
        """
        mark, told = self._clock(), 0.0

        def part(share: float) -> None:
            nonlocal mark, told
            now = self._clock()
            self.learn(now - mark, (share - told) * size)
            mark, told = now, share

        yield part
        part(1.0)

    def learn(self, seconds: float, size: float = 1.0) -> None:
        """Take note of what a piece of work took, such as one that was done in an earlier run."""
        self._seconds += seconds
        self._size += size

    def expected(self, size: float = 1.0) -> float | None:
        """Seconds that work of a size will take, at the rate so far; None before anything was measured."""
        return size * self._seconds / self._size if self._size else None

    def allows(self, size: float = 1.0) -> bool:
        """Whether work of a size may begin: it is expected to fit, or nothing is known yet and something is left."""
        expected = self.expected(size)
        return not self.over and (expected is None or expected <= self.left)

    def fits(self, size: float = 1.0) -> int | None:
        """How many more pieces of a size fit into what is left; None where nobody knows, or there is no limit."""
        expected = self.expected(size)
        if self.minutes is None or not expected:
            return None
        # A hundredth of a second is no reason to leave one out.
        return int((self.left + 0.01) // expected)


def in_words(seconds: float) -> str:
    """A time as people say it.

    Examples
    --------
    >>> [in_words(seconds) for seconds in (4, 89, 150, 5400, 90000)]
    ['4 seconds', '89 seconds', '3 minutes', '90 minutes', '25 hours']
    """
    if seconds < 90:
        count, unit = math.ceil(seconds), "second"
    elif seconds < 7200:
        count, unit = math.ceil(seconds / 60), "minute"
    else:
        count, unit = math.ceil(seconds / 3600), "hour"
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
