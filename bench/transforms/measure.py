"""Rows measured: contestants take turns, seconds of the processor are counted, ratios are formed in each round."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.harness import Run, Timing, spread, time_once
from bench.transforms.rows import CEILINGS, Array, Row, many, single

OURS = "imagemill"


@dataclass(frozen=True)
class Measured:
    """One row, one way of calling.

    Parameters
    ----------
    name, ours : str
        Of the row.
    seconds : float
        Of the processor per image, for ours: the median.
    ratios : dict of str to (median, lower quartile, upper quartile)
        How many times as long a peer takes.
    absent : dict of str to str
        Who was not measured, and why.
    """

    name: str
    ours: str
    seconds: float
    ratios: dict[str, tuple[float, float, float]]
    absent: dict[str, str]

    @classmethod
    def of(cls, row: Row, timings: dict[str, Timing], absent: dict[str, str]) -> Measured:
        """Ratios are formed in each round."""
        ours = timings[OURS].cpu
        ratios = {}
        for name, timing in timings.items():
            if name != OURS:
                each = [p / o for p, o in zip(timing.cpu, ours, strict=True)]
                ratios[name] = (statistics.median(each), *spread(each))
        return cls(row.name, row.ours, statistics.median(ours), ratios, absent)

    def best(self, *, ceilings: bool) -> str | None:
        """The quickest peer; raw calls of OpenCV and Pillow count where asked for."""
        names = [n for n in self.ratios if ceilings or n not in CEILINGS]
        return min(names, key=lambda name: self.ratios[name][0], default=None)


def geometric_mean(ratios: Sequence[float]) -> float:
    """Of positive numbers.

    Examples
    --------
    >>> geometric_mean([1, 4])
    2.0
    """
    return float(np.exp(np.mean(np.log(ratios))))


def measure(
    row: Row,
    images: Array,
    scope: dict[str, object],
    *,
    batch: bool,
    rounds: int,
    seconds: float,
    slowest: float = np.inf,
) -> Measured:
    """A row on one image, or on many at once.

    Parameters
    ----------
    row : Row
    images : array
        ``[n, ...]``; the first alone where ``batch`` is False.
    scope : dict
        See :func:`bench.transforms.rows.names`.
    batch : bool
    rounds : int
    seconds : float
        About how long one contestant takes in a round; quick ones are repeated.
    slowest : float
        Seconds; who takes longer for one call is left out.
    """
    make: Callable[..., Run] = many if batch else single
    given, items = (images, len(images)) if batch else (images[0], 1)
    runs: dict[str, tuple[Run, int]] = {}
    absent: dict[str, str] = {}
    for name, text in {OURS: row.ours, **row.peers}.items():
        try:
            run = make(name, text, given, scope)
            _check(row, name, run())
            started = time.process_time()
            run()
            took = time.process_time() - started
        except Exception as error:
            if name == OURS:
                raise
            # One peer that breaks must not cost the comparison with all others; the page says so.
            absent[name] = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            continue
        if took > slowest and name != OURS:
            absent[name] = f"left out: {took:.2g} s a call"
            continue
        runs[name] = (run, max(1, round(seconds / max(_pace(run, seconds), 1e-6))))
    timings = {name: Timing() for name in runs}
    order = list(runs)
    for r in range(rounds):
        gc.collect()
        for name in order[r % len(order) :] + order[: r % len(order)]:
            run, repeat = runs[name]
            time_once(run, items, repeat, timings[name])
    return Measured.of(row, timings, absent)


def _pace(run: Run, seconds: float) -> float:
    """Seconds a call, once a contestant has run for as long as a round takes: what first calls set up is set up."""
    calls, started = 0, time.process_time()
    while (took := time.process_time() - started) < seconds or not calls:
        run()
        calls += 1
    return took / calls


def _check(row: Row, name: str, made: object) -> None:
    """What comes out is realised, in order, and of the type asked for."""
    if isinstance(made, list):
        return
    array = made if isinstance(made, np.ndarray) else np.asarray(made)
    if name == OURS and row.out and array.dtype != np.dtype(row.out):
        raise AssertionError(f"{row.name}: expected {row.out}, got {array.dtype}")
    if not array.flags.c_contiguous and name == OURS:
        raise AssertionError(f"{row.name}, {name}: expected a contiguous array, got strides {array.strides}")
