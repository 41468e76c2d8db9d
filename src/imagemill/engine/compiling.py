"""How long a thread was held up by the compiler: kernels are compiled, or loaded from disk, when they are first called.

Whoever measures where time goes asks before and after; what happened in between was not the work itself.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["Stopwatch", "held_up", "seconds", "watch"]

_EVENT = "numba:compiler_lock"
"""Held while kernels are compiled or loaded, waited for by the threads that need it meanwhile; may be nested."""


class Stopwatch:
    """Adds up, for each thread by itself, the time between the outermost start and its end.

    Parameters
    ----------
    now : callable
        The time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._own = threading.local()
        self._since: dict[int, float] = {}

    def start(self) -> None:
        """Something begins, perhaps within the same."""
        own = self._own
        own.depth = getattr(own, "depth", 0) + 1
        if own.depth == 1:
            own.since = self._since[threading.get_ident()] = self._now()

    def end(self) -> None:
        """It ends."""
        own = self._own
        own.depth = max(0, getattr(own, "depth", 0) - 1)
        if own.depth == 0 and hasattr(own, "since"):
            own.total = self.total + self._now() - own.since
            del own.since
            self._since.pop(threading.get_ident(), None)

    @property
    def total(self) -> float:
        """Seconds of this thread so far."""
        return float(getattr(self._own, "total", 0.0))

    @property
    def longest(self) -> float:
        """Seconds since the first of all threads that are at it now began; 0 where none is."""
        return max((self._now() - since for since in tuple(self._since.values())), default=0.0)


_HERE = Stopwatch()


@functools.cache
def watch() -> None:
    """Begin to listen to the compiler; it is loaded if it was not, and listened to once."""
    listen(_HERE)


def listen(stopwatch: Stopwatch) -> Any:
    """Let a stopwatch run while the compiler is at work; returns what was registered with it."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, _: Any) -> None:
            stopwatch.start()

        def on_end(self, _: Any) -> None:
            stopwatch.end()

    listener = Listener()
    event.register(_EVENT, listener)  # type: ignore[no-untyped-call]  # numba has no types
    return listener


def seconds() -> float:
    """Seconds that this thread was held up so far; 0 as long as nobody watches."""
    return _HERE.total


def held_up() -> float:
    """Seconds for which a thread of this process has waited for the compiler by now; 0 where none waits."""
    watch()
    return _HERE.longest
