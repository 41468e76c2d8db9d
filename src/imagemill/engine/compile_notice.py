"""A line that says why nothing happens: kernels are compiled when they are first called, once on each machine."""

from __future__ import annotations

import functools
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Notice", "listen_for_notice", "notice_seen"]

_EVENT = "numba:compile"
"""A kernel is compiled, perhaps within another; not sent where it is loaded from disk."""
_PATIENCE = 2.0
"""Seconds of compiling that nobody wonders at."""
_LINE = (
    "imagemill is compiling kernels for this machine, once; later runs find them (IMAGEMILL_QUIET=1 leaves this out)\n"
)


class Notice:
    """Says a line when compiling has taken longer than some seconds, and says it once.

    Parameters
    ----------
    say : callable
        Called without arguments.
    patience : float
        Seconds, all kernels together.
    now : callable
        The time in seconds.
    later : callable
        Makes, of seconds and a function, something with ``start()`` and ``cancel()``.
    """

    def __init__(
        self,
        say: Callable[[], object],
        patience: float = _PATIENCE,
        now: Callable[[], float] = time.perf_counter,
        later: Callable[[float, Callable[[], object]], Any] = threading.Timer,
    ) -> None:
        self._say, self._left, self._now, self._later = say, patience, now, later
        self._depth, self._since = 0, 0.0
        self._waiting: Any = None
        self.said = False

    def start(self) -> None:
        """A kernel begins to be compiled; one thread does so at a time."""
        self._depth += 1
        if self._depth > 1 or self.said:
            return
        self._since = self._now()
        self._waiting = self._later(max(0.0, self._left), self.tell)
        self._waiting.daemon = True
        self._waiting.start()

    def end(self) -> None:
        """It is compiled."""
        self._depth = max(0, self._depth - 1)
        if self._depth == 0 and self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
            self._left -= self._now() - self._since

    def tell(self) -> None:
        """Say it, unless it was said."""
        if not self.said:
            self.said = True
            self._say()


def _write() -> None:
    """One line on stderr; of processes that work side by side the first alone, which meets the same kernels."""
    beside = multiprocessing.parent_process() is not None
    first = not beside or getattr(multiprocessing.current_process(), "_identity", (1,))[-1:] == (1,)
    if first and not os.environ.get("IMAGEMILL_QUIET"):
        sys.stderr.write(_LINE)
        sys.stderr.flush()


_HERE = Notice(_write)


def notice_seen() -> None:
    """Somebody else says it already, a bar of progress for example."""
    _HERE.said = True


@functools.cache
def listen_for_notice() -> None:
    """Begin to listen to the compiler, once."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, _: Any) -> None:
            _HERE.start()

        def on_end(self, _: Any) -> None:
            _HERE.end()

    event.register(_EVENT, Listener())  # type: ignore[no-untyped-call]  # numba has no types
