"""What is made in threads, a few ahead, and handed over in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

__all__ = ["STOPPED", "Make", "One", "Several", "Stream"]

T = TypeVar("T")
S = TypeVar("S", covariant=True)
Stopped = Callable[[], bool]
Make = Callable[[int, Stopped], T]
Result = tuple[T | None, BaseException | None]

STOPPED = "a function of the pipeline raised StopIteration"
"""Said instead of raising it, which would end a loop over the batches without a word."""

PATIENCE = 0.3
"""Seconds that closing waits for threads in the middle of something; they end by themselves soon after."""


class Several(Protocol[S]):
    """Makes several things at a time, and says how many are worth it just now."""

    @property
    def count(self) -> int:
        """How many to make next, at least 1."""
        ...

    def make(self, first: int, count: int, stopped: Stopped) -> Sequence[S]:
        """Things ``first`` to ``first + count - 1``."""
        ...


class One(Generic[T]):
    """One thing at a time."""

    count = 1

    def __init__(self, make: Make[T]) -> None:
        self._make = make

    def make(self, first: int, count: int, stopped: Stopped) -> list[T]:
        """Each by itself."""
        return [self._make(number, stopped) for number in range(first, first + count)]


class _Board(Generic[T]):
    """What the threads and the consumer share. Threads know this and nothing else, so that nothing keeps them alive."""

    def __init__(self, maker: Several[T], first: int, last: int, workers: int, prefetch: int) -> None:
        self.maker, self.last, self.workers, self.prefetch = maker, last, workers, prefetch
        self.next = self.taken = first
        self.done: dict[int, Result[T]] = {}
        # Only the threads wait for the condition. Ctrl-C meets the consumer, and a wait for a condition that it cuts
        # short may leave the lock free: that one waits at a lock of its own, which is one compiled call.
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.news = threading.Lock()
        self.closed = False

    def is_closed(self) -> bool:
        """Whether nobody wants anything any more."""
        return self.closed

    def work(self) -> None:
        """Make what comes next until all is made or nobody wants it; runs in a thread."""
        while True:
            with self.changed:
                while not self.closed and self.next < self.last and self.next >= self.taken + self._ahead():
                    self.changed.wait()
                if self.closed or self.next >= self.last:
                    return
                first, count = self.next, min(self.maker.count, self.last - self.next)
                self.next += count
            made = self._made(first, count)
            with self.changed:
                if not self.closed:
                    self.done.update(zip(range(first, first + count), made, strict=True))
                self.tell()
            del made

    def tell(self) -> None:
        """Wake the consumer; whoever holds the lock may."""
        if self.news.locked():
            self.news.release()

    def _ahead(self) -> int:
        return self.workers * self.maker.count + self.prefetch

    def _made(self, first: int, count: int) -> list[Result[T]]:
        try:
            return [(made, None) for made in self.maker.make(first, count, self.is_closed)]
        except BaseException as raised:  # the consumer gets it, whatever it is: a thread has nobody else to tell
            if count == 1 or self.closed:
                return [(None, raised)] * count
        # One of them is at fault: the others are made all the same, and it comes in its place.
        return [result for number in range(first, first + count) for result in self._made(number, 1)]


class Stream(Generic[T]):
    """Numbers ``first`` to ``last - 1`` turned into things by some threads.

    Parameters
    ----------
    maker : Several
        Makes some of them at a time; `One` makes one.
    first, last : int
    workers : int
        Threads, at least 1.
    prefetch : int
        Finished things that may wait, besides as many as are made at a time by all threads.

    Examples
    --------
    >>> stream = Stream(One(lambda number, stopped: number * number), 2, 5, workers=2, prefetch=1)
    >>> [stream.take() for _ in range(3)]
    [4, 9, 16]
    >>> stream.close()
    """

    def __init__(self, maker: Several[T], first: int, last: int, *, workers: int, prefetch: int) -> None:
        self._board: _Board[T] = _Board(maker, first, last, workers, prefetch)
        names = (f"imagemill-feed-{i}" for i in range(min(workers, max(last - first, 0))))
        # Daemons: a program that ends does not wait for pixels that nobody will see.
        self._threads = [threading.Thread(target=self._board.work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def take(self) -> T:
        """The next thing, or the error that making it raised."""
        board = self._board
        while True:
            with board.lock:
                number = board.taken
                if number in board.done:
                    made, error = board.done.pop(number)
                    board.taken += 1
                    board.changed.notify_all()
                    break
                if board.closed or number >= board.last:
                    raise StopIteration
            # With a limit, so that Ctrl-C is seen on systems where a lock cannot be interrupted.
            board.news.acquire(timeout=0.5)
        if isinstance(error, StopIteration):
            raise RuntimeError(STOPPED) from error
        if error is not None:
            raise error
        return made  # type: ignore[return-value]  # without an error there is one, which may be None where T allows it

    def close(self) -> None:
        """Stop the threads and wait for them, but not for long."""
        board = self._board
        with board.lock:
            board.closed = True
            board.done.clear()
            board.changed.notify_all()
            board.tell()
        until = time.monotonic() + PATIENCE
        here: Any = threading.current_thread()
        for thread in self._threads:
            if thread is not here:  # the collector may close us from any thread
                thread.join(max(0.0, until - time.monotonic()))
