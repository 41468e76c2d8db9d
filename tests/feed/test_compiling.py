"""Time that kernels take to compile is told apart from the work, and said as such. No test here measures time."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import event
from rich.console import Console

import imagemill as im
from imagemill.app.cli import progress_bar
from imagemill.engine import compiling
from imagemill.feed import Loader
from imagemill.feed.making import augmenting
from imagemill.feed.making.augmenting import Clock
from imagemill.feed.meter import Meter
from tests.clocks import Hand


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def listening(hand: Hand) -> Iterator[compiling.Stopwatch]:
    stopwatch = compiling.Stopwatch(hand)
    listener = compiling.listen(stopwatch)
    yield stopwatch
    event.unregister(compiling._EVENT, listener)


def held_up(hand: Hand, seconds: float) -> Callable[[Any], Any]:
    """Stands in for the compiler's work: the clock goes on while it lasts."""

    class Slow(numba.core.compiler.Compiler):
        def compile_extra(self, function: Any) -> Any:
            hand.time += seconds
            return super().compile_extra(function)

    return numba.njit(pipeline_class=Slow)


def test_the_compilers_work_is_counted_and_nothing_else(hand: Hand, listening: compiling.Stopwatch) -> None:
    double = held_up(hand, 5.0)(lambda x: 2 * x)
    hand.time += 1.0
    assert double(3) == 6
    assert listening.total == 5.0
    assert double(4) == 8
    assert listening.total == 5.0
    assert double(1.5) == 3.0  # another type is compiled anew
    assert listening.total == 10.0


def test_kernels_within_kernels_are_counted_once(hand: Hand, listening: compiling.Stopwatch) -> None:
    inner = held_up(hand, 2.0)(lambda x: x + 1)
    outer = held_up(hand, 3.0)(lambda x: 2 * inner(x))
    assert outer(3) == 8
    assert listening.total == 5.0


def test_each_thread_has_its_own_sum(hand: Hand, listening: compiling.Stopwatch) -> None:
    found: list[float] = []

    def work() -> None:
        held_up(hand, 5.0)(lambda x: x)(1)
        found.append(listening.total)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [5.0]
    assert listening.total == 0.0


def test_an_end_without_a_start_counts_nothing(hand: Hand) -> None:
    stopwatch = compiling.Stopwatch(hand)
    stopwatch.end()
    hand.time = 3.0
    stopwatch.start()
    hand.time = 4.0
    stopwatch.end()
    assert stopwatch.total == 1.0


def test_laps_leave_out_what_the_compiler_took(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = Hand()
    monkeypatch.setattr(augmenting, "time", hand)
    monkeypatch.setattr(augmenting.compiling, "seconds", compiled)
    clock = Clock()
    hand.time, compiled.time = 10.0, 7.0
    clock.lap(reading=True)
    hand.time = 12.0
    clock.lap(reading=False)
    assert (clock.reading, clock.augmenting, clock.compiling) == (3.0, 2.0, 7.0)
    half = clock.shared(2)
    assert (half.reading, half.augmenting, half.compiling) == (1.5, 1.0, 3.5)


def test_a_loader_blames_the_compiler_for_what_it_did(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that is compiled within the pipeline stands for a kernel."""
    stopwatch = compiling.Stopwatch(hand)
    listener = compiling.listen(stopwatch)
    monkeypatch.setattr(augmenting, "time", hand)
    monkeypatch.setattr(augmenting.compiling, "seconds", lambda: stopwatch.total)
    kernel = held_up(hand, 5.0)(lambda x: x)

    def image(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        hand.time += 0.25
        kernel(1)
        return x

    x = np.zeros((4, 8, 8, 3), np.uint8)
    loader = Loader((x,), im.Pipeline([im.Apply(image)], seed=1), workers=0, batch_size=2)
    list(loader)
    event.unregister(compiling._EVENT, listener)
    meter = loader.meter
    assert meter.compiling == pytest.approx(5.0)
    assert meter.augmenting == pytest.approx(1.0)
    assert meter.reading == 0.0


def test_compiling_is_said_as_such_and_not_as_reading() -> None:
    meter = Meter(1, 0, stored=True)
    meter.add(Clock(0.5, 0.25, 8.0), 100, 10.0)
    assert meter.bound() == "compiling"
    assert meter.shares() == pytest.approx(
        {"reading": 0.05, "augmenting": 0.025, "compiling": 0.8, "idle": 0.125, "waiting": 1.0}
    )
    said = meter.describe(cores=8)
    assert "compiling kernels       80%      8.00 s, once" in said
    assert "bound by compiling kernels: " in said
    assert "imagemill warmup" in said
    assert "workers=8" not in said


def test_compiling_that_nobody_noticed_is_not_said() -> None:
    meter = Meter(1, 0, stored=True)
    meter.add(Clock(5.0, 0.25, 0.01), 100, 10.0)
    assert meter.bound() == "reading"
    assert "compiling" not in meter.describe(cores=8)
    other = Meter(1, 1, stored=True)
    other.add(Clock(0.0, 0.0, 30.0), 100, 10.0)
    meter.and_also(other)
    assert meter.bound() == "compiling"


def test_how_long_the_first_of_all_threads_has_waited_by_now(hand: Hand) -> None:
    stopwatch = compiling.Stopwatch(hand)
    assert stopwatch.longest == 0
    stopwatch.start()
    hand.time += 2.0
    other = threading.Thread(target=stopwatch.start)
    other.start()
    other.join()
    hand.time += 3.0
    assert stopwatch.longest == 5.0
    stopwatch.start()  # within the same
    stopwatch.end()
    assert stopwatch.longest == 5.0
    stopwatch.end()
    assert stopwatch.longest == 3.0


def test_a_bar_says_that_kernels_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = progress_bar.bar_on(Console(file=io.StringIO(), force_terminal=True))
    progress_bar.Told(bar, "augmenting")(3, 7)
    shown = []
    for seconds in (0.0, 0.1, 4.0, 0.0):
        monkeypatch.setattr("imagemill.engine.held_up", lambda seconds=seconds: seconds)
        paper = Console(file=io.StringIO(), width=80)
        paper.print(bar.get_renderable())
        shown.append(paper.file.getvalue())  # type: ignore[attr-defined]
    assert ["compiling, once" in each for each in shown] == [False, False, True, False]
    assert ["augmenting" in each for each in shown] == [True, True, False, True]
    assert all("3/7" in each for each in shown)
