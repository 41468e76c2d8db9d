"""Threads that work ahead and hand over in order."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable

import pytest

from imagemill.feed.workers.stream import One, Stream
from tests.clocks import until

Stopped = Callable[[], bool]


def ours() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("imagemill-feed")]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_things_come_in_order_however_long_they_take(workers: int) -> None:
    def make(number: int, stopped: Stopped) -> int:
        time.sleep(0.004 * (number % 3 == 0))
        return number

    stream = Stream(One(make), 3, 30, workers=workers, prefetch=2)
    assert [stream.take() for _ in range(27)] == list(range(3, 30))
    with pytest.raises(StopIteration):
        stream.take()
    stream.close()
    assert not ours()


def test_no_more_is_made_than_may_wait() -> None:
    """Two at work and three that wait; whoever makes one looks how many were asked for."""
    made: list[int] = []
    early: list[tuple[int, int]] = []
    asked = 0

    def all_that_may_wait() -> bool:
        return len(made) == min(asked + 5, 100)

    def make(number: int, stopped: Stopped) -> int:
        if number >= asked + 5:
            early.append((number, asked))
        made.append(number)
        return number

    stream = Stream(One(make), 0, 100, workers=2, prefetch=3)
    for number in range(100):
        until(all_that_may_wait, "as many as may wait")
        asked += 1
        assert stream.take() == number
    assert not early
    stream.close()


def test_an_error_comes_in_its_place_and_stops_nothing_else() -> None:
    def make(number: int, stopped: Stopped) -> int:
        if number == 2:
            raise KeyError("two")
        return number

    stream = Stream(One(make), 0, 4, workers=2, prefetch=1)
    assert [stream.take(), stream.take()] == [0, 1]
    with pytest.raises(KeyError, match="two"):
        stream.take()
    stream.close()


def test_even_an_exit_in_a_thread_reaches_the_consumer() -> None:
    def make(number: int, stopped: Stopped) -> int:
        raise SystemExit(3)

    stream = Stream(One(make), 0, 4, workers=1, prefetch=1)
    with pytest.raises(SystemExit):
        stream.take()
    stream.close()


def test_closing_asks_those_at_work_to_stop() -> None:
    begun = threading.Event()

    def make(number: int, stopped: Stopped) -> int:
        begun.set()
        while not stopped():
            time.sleep(0.001)
        return number

    stream = Stream(One(make), 0, 4, workers=2, prefetch=1)
    assert begun.wait(300)
    stream.close()
    assert not ours()


def test_closing_does_not_wait_for_ever() -> None:
    release, ended = threading.Event(), threading.Event()

    def make(number: int, stopped: Stopped) -> int:
        release.wait(300)
        ended.set()
        return number

    stream = Stream(One(make), 0, 4, workers=1, prefetch=1)
    stream.close()
    assert not ended.is_set(), "expected to be let go while the function still runs"
    release.set()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer that interrupts")
def test_an_interrupt_comes_out_as_one_wherever_it_falls(request: pytest.FixtureRequest) -> None:
    """A wait that is cut short between two steps of Python's locks used to end in their RuntimeError."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def taken(stream: Stream[int], after: float) -> None:
        try:
            signal.setitimer(signal.ITIMER_REAL, after)
            while True:
                stream.take()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    before = signal.signal(signal.SIGALRM, interrupt)
    request.addfinalizer(lambda: signal.signal(signal.SIGALRM, before))
    moments = random.Random(5)
    for _ in range(1000):
        stream = Stream(One(lambda number, stopped: number), 0, 10**6, workers=2, prefetch=2)
        with pytest.raises(KeyboardInterrupt):
            taken(stream, moments.uniform(2e-4, 2e-3))
        stream.close()
    assert not ours()
