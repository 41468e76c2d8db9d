"""Shards in other processes: for work that holds Python's lock, such as functions of the caller's own."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from imagemill.core.errors import WorkerError
from imagemill.jobs.engines import EVERY
from imagemill.jobs.sent_outcomes import as_bytes, packed, unpacked
from imagemill.jobs.shards import Outcome, Shard, ShardWork

__all__ = ["Processes", "deaf"]

_BY_NAME = "take threads, or functions that a module holds by name"
_GUARD = 'if __name__ == "__main__":'


class Processes:
    """Processes that import the program anew; what they are given and what they give back is pickled.

    Raises
    ------
    InputError
        When the function cannot be pickled.
    """

    def __init__(self, work: ShardWork[Any, Any], workers: int) -> None:
        # Never by fork: this process has threads, and a copy of it would hold their locks for ever.
        chosen = multiprocessing.get_start_method(allow_none=True)
        context = multiprocessing.get_context("forkserver" if chosen == "forkserver" else "spawn")
        self._last = context.Value("q", EVERY, lock=False)  # a process that is killed must not hold a lock
        self._pool = ProcessPoolExecutor(workers, context, _begin, (as_bytes(work, "work", _BY_NAME), self._last))

    def submit(self, shard: Shard[Any]) -> Future[bytes]:
        """Have a shard worked on."""
        given = as_bytes(shard, "records", _BY_NAME)
        try:
            with deaf():
                return self._pool.submit(_answer, given)
        except BrokenExecutor as error:
            raise _gone() from error

    def outcomes(self, future: Future[Any]) -> list[Outcome[Any]]:
        """What became of a shard."""
        try:
            return unpacked(future.result())
        except BrokenExecutor as error:
            raise _gone() from error

    def remarks(self) -> tuple[str, ...]:
        """Nothing: a process that is lost ends the run."""
        return ()

    def stop(self, last: int) -> None:
        """End shards behind `last` early."""
        self._last.value = last

    def close(self) -> None:
        """Wait for the processes to end."""
        self._pool.shutdown()


def _gone() -> WorkerError:
    do = "the system ends processes when memory is short (take fewer), or compiled code crashed"
    main = f"a program that starts processes must stand behind {_GUARD}"
    return WorkerError(f"expected worker processes to go on, got the end of one; {do}; {main}")


# ------------------------------------------------------------------------------------------ in the other process

_here: dict[str, Any] = {}


def _begin(work: bytes, last: Any) -> None:
    """Make a process ready: deaf to Ctrl-C, which its parent hears, and gone when its parent is."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    _here.update(work=pickle.loads(work), last=last)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)  # at once, and in the middle of whatever it is: files get their names when they are whole


def _answer(shard: bytes) -> bytes:
    given: Shard[Any] = pickle.loads(shard)
    found = _here["work"](given, lambda: given.number > _here["last"].value)
    return packed(found)


@contextmanager
def deaf() -> Iterator[None]:
    """Start processes that do not hear Ctrl-C, not even while they import what they need."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it lets the signal through when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
