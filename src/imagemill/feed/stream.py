"""Things made in threads, a few ahead, and handed over in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Stream"]

T = TypeVar("T")
Make = Callable[[int, Callable[[], bool]], T]

PATIENCE = 0.8
"""Seconds that closing waits for threads in the middle of something; they end by themselves soon after."""


class _Board(Generic[T]):
    """What the threads and the consumer share. Threads know this and nothing else, so that nothing keeps them alive."""

    def __init__(self, make: Make[T], first: int, last: int, ahead: int) -> None:
        self.make, self.last, self.ahead = make, last, ahead
        self.next = self.taken = first
        self.done: dict[int, tuple[T | None, BaseException | None]] = {}
        self.changed = threading.Condition()
        self.closed = False

    def is_closed(self) -> bool:
        """Whether nobody wants anything any more."""
        return self.closed

    def work(self) -> None:
        """Make what comes next until all is made or nobody wants it; runs in a thread."""
        while True:
            with self.changed:
                while not self.closed and self.next < self.last and self.next >= self.taken + self.ahead:
                    self.changed.wait()
                if self.closed or self.next >= self.last:
                    return
                number = self.next
                self.next += 1
            made: T | None = None
            error: BaseException | None = None
            try:
                made = self.make(number, self.is_closed)
            except BaseException as raised:  # the consumer gets it, whatever it is: a thread has nobody else to tell
                error = raised
            with self.changed:
                if not self.closed:
                    self.done[number] = (made, error)
                self.changed.notify_all()
            del made, error


class Stream(Generic[T]):
    """Numbers ``first`` to ``last - 1`` turned into things by some threads.

    Parameters
    ----------
    make : callable
        Takes a number, and a function that says whether to give up.
    first, last : int
    workers : int
        Threads, at least 1.
    prefetch : int
        Finished things that may wait, besides those being made.

    Examples
    --------
    >>> stream = Stream(lambda number, stopped: number * number, 2, 5, workers=2, prefetch=1)
    >>> [stream.take() for _ in range(3)]
    [4, 9, 16]
    >>> stream.close()
    """

    def __init__(self, make: Make[T], first: int, last: int, *, workers: int, prefetch: int) -> None:
        self._board: _Board[T] = _Board(make, first, last, workers + prefetch)
        names = (f"imagemill-feed-{i}" for i in range(min(workers, max(last - first, 0))))
        # Daemons: a program that ends does not wait for pixels that nobody will see.
        self._threads = [threading.Thread(target=self._board.work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def take(self) -> T:
        """The next thing, or the error that making it raised."""
        board = self._board
        with board.changed:
            number = board.taken
            while number not in board.done:
                if board.closed or number >= board.last:
                    raise StopIteration
                # With a limit, so that Ctrl-C is seen on systems where a lock cannot be interrupted.
                board.changed.wait(0.5)
            made, error = board.done.pop(number)
            board.taken += 1
            board.changed.notify_all()
        if error is not None:
            raise error
        return made  # type: ignore[return-value]  # without an error there is one, which may be None where T allows it

    def close(self) -> None:
        """Stop the threads and wait for them, but not for long."""
        board = self._board
        with board.changed:
            board.closed = True
            board.done.clear()
            board.changed.notify_all()
        until = time.monotonic() + PATIENCE
        here: Any = threading.current_thread()
        for thread in self._threads:
            if thread is not here:  # the collector may close us from any thread
                thread.join(max(0.0, until - time.monotonic()))
