"""Time contestants against each other so that the ratio means something.

All contestants of a workload run in one process and take turns: each round times every one of them once, in an
order that moves on with the round, so that a busy or throttled machine slows all alike. A ratio is formed inside
each round and its median taken over the rounds. Times are taken by the wall clock; the processor's time is kept
beside it, because with one thread each the two agree unless somebody else used the machine.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Read by libraries when they are first imported, which is after this module.
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)

Array = np.ndarray[Any, Any]
Run = Callable[[], Any]


def single_thread() -> None:
    """Pin every library to one thread; call it before any of them is imported."""
    for name in _ONE_THREAD:
        os.environ[name] = "1"
    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it asks the network for a newer version otherwise


def pin_loaded() -> None:
    """The same for libraries that take the number of threads by a call, once they are imported."""
    import sys

    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "SimpleITK" in sys.modules:
        sys.modules["SimpleITK"].ProcessObject.SetGlobalDefaultNumberOfThreads(1)


# ------------------------------------------------------------------------------------------- declarations


@dataclass(frozen=True)
class Expect:
    """What a contestant's output must be before its time counts."""

    shape: tuple[int, ...]
    dtype: str
    also: tuple[int, ...] | None = None  # another order of axes that counts as the same work

    def check(self, name: str, array: Any) -> None:
        """Raise unless the array is real, contiguous, and of this shape and dtype."""
        if not isinstance(array, np.ndarray):
            array = array.numpy()  # a torch tensor
        fits = any(self._fits(array.shape, shape) for shape in (self.shape, self.also) if shape is not None)
        if not fits or array.dtype != np.dtype(self.dtype):
            raise AssertionError(
                f"{name}: expected {self.shape} {self.dtype}, got {array.shape} {array.dtype}; not the same work"
            )
        if not array.flags.c_contiguous:
            raise AssertionError(f"{name}: expected a contiguous array, got strides {array.strides}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise AssertionError(f"{name}: expected finite values; part of the output was never written")

    @staticmethod
    def _fits(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
        """Whether two shapes agree; -1 is any length (of a batch)."""
        return len(found) == len(wanted) and all(w in (-1, f) for f, w in zip(found, wanted, strict=True))


@dataclass(frozen=True)
class Contestant:
    """One way to do a workload.

    Parameters
    ----------
    name : str
    build : callable
        Takes the workload's inputs, imports what it needs, and returns ``run()``, which does ``items`` items
        and returns one array, or a tuple of arrays as ``Workload.expects`` lists them.
    items : int
        How many items one call of ``run`` does. Slow peers do fewer; times are per item.
    needs : tuple of str
        Modules that must be installed.
    budget : float, optional
        How many times faster than this contestant ours is meant to be.
    limit : float, optional
        How many times longer than ours it may take at most; for comparisons of ours with ours.
    ours : bool
    versus : str, optional
        Which of ours it is held against in the list of wins and losses; the fastest when left out.
    fixed : callable, optional
        Takes the inputs and returns one picture made with parameters that are the same for all contestants.
    note : str
        What a reader must know to judge the comparison.
    """

    name: str
    build: Callable[[Any], Run]
    items: int
    needs: tuple[str, ...] = ()
    budget: float | None = None
    limit: float | None = None
    ours: bool = False
    versus: str | None = None
    fixed: Callable[[Any], Array] | None = None
    note: str = ""

    @property
    def missing(self) -> list[str]:
        """The needed modules that are not installed."""
        return [m for m in self.needs if importlib.util.find_spec(m) is None]


@dataclass(frozen=True)
class Workload:
    """Something that several libraries can do.

    Parameters
    ----------
    name : str
    title : str
    unit : str
        What an item is.
    inputs : callable
        Makes the inputs, untimed.
    contestants : tuple of Contestant
        The first of ours is the one that the others are compared with.
    expects : tuple of Expect
        One for each array that ``run`` returns.
    note : str
    quick : bool
        Whether ``make bench-quick`` runs it.
    """

    name: str
    title: str
    unit: str
    inputs: Callable[[], Any]
    contestants: tuple[Contestant, ...]
    expects: tuple[Expect, ...]
    note: str = ""
    quick: bool = True

    @property
    def champion(self) -> Contestant:
        """The contestant of ours that ratios refer to."""
        return next(c for c in self.contestants if c.ours)


# ------------------------------------------------------------------------------------------- measuring


@dataclass
class Timing:
    """Seconds per item, one value per round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median wall time per item."""
        return statistics.median(self.wall)


@dataclass(frozen=True)
class Ratio:
    """How many times longer a peer takes than ours: median over the rounds, quartiles, and by processor time."""

    median: float
    low: float
    high: float
    cpu: float

    @classmethod
    def of(cls, peer: Timing, ours: Timing) -> Ratio:
        """Round by round, then the median."""
        each = [p / o for p, o in zip(peer.wall, ours.wall, strict=True)]
        low, high = spread(each)
        cpu = statistics.median(p / o for p, o in zip(peer.cpu, ours.cpu, strict=True))
        return cls(statistics.median(each), low, high, cpu)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile.

    Examples
    --------
    >>> spread([1, 2, 3, 4, 5])
    (2.0, 4.0)
    """
    low, high = np.percentile(np.asarray(values, dtype=np.float64), [25, 75])
    return float(low), float(high)


@dataclass
class Result:
    """What came of one workload."""

    workload: Workload
    timings: dict[str, Timing]
    absent: dict[str, str]
    agreement: dict[str, float]

    def ratio(self, name: str, against: str | None = None) -> Ratio:
        """Of a contestant to the champion, or to another."""
        return Ratio.of(self.timings[name], self.timings[against or self.workload.champion.name])


def time_once(run: Run, items: int, repeat: int, timing: Timing) -> None:
    """Add one round's time per item."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(repeat):
        run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    timing.wall.append(wall / (items * repeat))
    timing.cpu.append(max(cpu, 1e-9) / (items * repeat))


def measure(workload: Workload, *, rounds: int, seconds: float, log: Callable[[str], None] = print) -> Result:
    """Run a workload: check that all do the same work, warm up, then time in turns.

    Parameters
    ----------
    workload : Workload
    rounds : int
    seconds : float
        About how long one round of one contestant should take at least; fast ones are repeated.
    log : callable
    """
    data = workload.inputs()
    runs: dict[str, tuple[Contestant, Run, int]] = {}
    absent: dict[str, str] = {}
    agreement: dict[str, float] = {}
    truth = workload.champion.fixed(data) if workload.champion.fixed else None
    for c in workload.contestants:
        if c.missing:
            absent[c.name] = f"not installed: {', '.join(c.missing)}"
            log(f"  {c.name}: {absent[c.name]}")
            continue
        try:
            run = c.build(data)
            pin_loaded()
            check(workload, c, run())
        except Exception as error:
            if c.name.startswith("imagemill"):
                raise
            # One peer that breaks here must not cost the comparison with all others; the page says so.
            absent[c.name] = f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            log(f"  {c.name}: {absent[c.name]}")
            continue
        started = time.perf_counter()
        run()
        took = time.perf_counter() - started
        runs[c.name] = (c, run, max(1, round(seconds / took)))
        if truth is not None and c.fixed is not None and not c.ours:
            agreement[c.name] = psnr(truth, c.fixed(data))
        log(f"  {c.name}: {1e3 * took / c.items:.4g} ms per {workload.unit}")
    timings = {name: Timing() for name in runs}
    order = list(runs)
    for r in range(rounds):
        gc.collect()
        for name in order[r % len(order) :] + order[: r % len(order)]:
            c, run, repeat = runs[name]
            time_once(run, c.items, repeat, timings[name])
    return Result(workload, timings, absent, agreement)


def check(workload: Workload, contestant: Contestant, made: Any) -> None:
    """Hold a contestant's output against what the workload expects."""
    arrays = made if isinstance(made, tuple) else (made,)
    if len(arrays) != len(workload.expects):
        raise AssertionError(f"{contestant.name}: expected {len(workload.expects)} arrays, got {len(arrays)}")
    for array, expect in zip(arrays, workload.expects, strict=True):
        expect.check(contestant.name, array)


def psnr(truth: Array, found: Array) -> float:
    """Peak signal to noise ratio in decibels, the peak being the range of the truth; inf when equal.

    Examples
    --------
    >>> round(psnr(np.array([0.0, 1.0]), np.array([0.1, 0.9])), 6)
    20.0
    """
    a, b = np.asarray(truth, dtype=np.float64), np.asarray(found, dtype=np.float64)
    if a.shape != b.shape:
        raise AssertionError(f"expected pictures of one shape, got {a.shape} and {b.shape}")
    error = float(np.mean((a - b) ** 2))
    peak = float(a.max() - a.min())
    return float("inf") if error == 0 else 10 * float(np.log10(peak**2 / error))
