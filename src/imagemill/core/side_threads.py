"""Threads that a call shares its work with, kept for the calls that follow.

A new thread begins on the processor of the one that made it, and some systems take milliseconds to move it away: two
volumes took as long in two new threads as in one. Threads that wait for work are woken on a processor that is idle.
The thread that calls takes part, so nothing is ever waited for that nobody does.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from imagemill.core.interrupts import as_interrupts

__all__ = ["side_by_side"]

T = TypeVar("T")
R = TypeVar("R")

_MOST = 128
"""Threads that are kept at most; they are begun when they are asked for."""


class _Kept:
    """The threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def begin(self, work: Callable[[], None], count: int) -> list[Future[None]]:
        """Have ``work`` done so many times, if this process still begins anything."""
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_MOST, thread_name_prefix="kept-by-imagemill")
            try:
                return [self._pool.submit(work) for _ in range(count)]
            except RuntimeError:  # at the end of the interpreter
                return []

    def forget(self) -> None:
        """In a process that was forked off, where none of these threads is."""
        self._lock, self._pool = threading.Lock(), None


_KEPT = _Kept()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_KEPT.forget)


def side_by_side(work: Callable[[T], R], items: Sequence[T], workers: int) -> list[R]:
    """What some work gives for each item, in their order, by so many threads at most.

    Parameters
    ----------
    work : callable
        Called with one item, in this thread or another.
    items : sequence
    workers : int
        Threads that work at the same time, this one among them.

    Raises
    ------
    BaseException
        The error of the first item, in their order, that has one; items behind one that failed may be left out.

    Examples
    --------
    >>> side_by_side(lambda x: x * x, [1, 2, 3], workers=2)
    [1, 4, 9]
    """
    helpers = min(workers, len(items)) - 1
    if helpers <= 0:
        return [work(item) for item in items]
    found: dict[int, R] = {}
    failed: dict[int, BaseException] = {}
    places = itertools.count()

    def take() -> None:
        # Places are taken in their order, so what is in front of one that failed is done by somebody.
        while not failed and (place := next(places)) < len(items):
            try:
                found[place] = work(items[place])
            except BaseException as error:
                failed[place] = error

    with as_interrupts():
        begun = _KEPT.begin(take, helpers)
        try:
            take()
        except BaseException as error:  # an interrupt between two items
            failed[-1] = error
        for one in begun:
            if not one.cancel():
                one.result()  # they write where the caller reads
    if failed:
        raise failed[min(failed)]
    return [found[place] for place in range(len(items))]
