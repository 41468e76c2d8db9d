"""Batches of a dataset, epoch after epoch: shuffled, augmented ahead, the same for everyone who asks again."""

from __future__ import annotations

import os
import re
import secrets
import time
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from imagemill.core.errors import InputError
from imagemill.data.codecs.base import Channels, ReadOptions
from imagemill.data.run import one_opencv_thread
from imagemill.data.sources.base import Problem
from imagemill.feed.adapters.base import Adapters
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.making import Made, Maker
from imagemill.feed.meter import Meter
from imagemill.feed.order import Order, balanced
from imagemill.feed.rows import RecordRows, Rows, open_rows
from imagemill.feed.sequence import SequenceRows
from imagemill.feed.shares import Shares
from imagemill.feed.state import State, refuse_other
from imagemill.feed.stream import STOPPED, Stream
from imagemill.feed.together import Together
from imagemill.pipeline import Pipeline

if TYPE_CHECKING:
    from imagemill.feed.processes import Processes, ProcessStream

__all__ = ["Loader", "cores"]

OnError = Literal["replace", "raise"]


class Loader(Adapters):
    """Batches of a dataset for a training loop.

    Which rows are in a batch follows from seed and epoch; their pixels from seed, epoch and key alone. Workers,
    prefetching, batch size, ranks, and where a run was stopped and continued change nothing.

    Parameters
    ----------
    dataset : Dataset, Source, Path, str, arrays ``(x, y)`` or sequence of items
        Prepared or not. Arrays: images ``[n, ...]`` and, if there are any, labels as numbers. A sequence is anything
        with a length and items by number (a list, a map-style dataset of PyTorch): images, ``(image, label)``, mappings
        of targets by name, or records; each is asked for when it is needed, so there may be any number of them.
    pipeline : Pipeline, optional
        Must end in one size where the rows have several. Left out, rows come as they are.
    batch_size : int
        Rows of one rank.
    seed : int, optional
        Of order and pixels; the pipeline's when left out, and made once when there is none.
    shuffle : bool or int
        A number mixes within windows of that many rows, for data that is quick to read only in sequence.
    weights : array ``[n]``, optional
        Draw ``n`` rows an epoch with replacement, as often as their weights say.
    balance : bool
        Weights that give each class the same share.
    workers : int or str, optional
        Threads, each with a batch of its own; 0 works in the caller's. As many as cores the process may use when left
        out. ``"process"`` takes that many processes, ``"process:4"`` four: for functions in Python, which hold other
        threads up. They start with the first batch, after a second or so, and stay until `close`. They import your
        program, so what it does must stand behind ``if __name__ == "__main__":``, and functions of your own at the top
        of a module. Arrays in memory are copied once, into memory that all of them share; files are opened again by
        their path.
    prefetch : int
        Finished batches that may wait. Batches of small pictures in memory take less than their share of drawing and
        planning when several are made as one, which threads do while it takes some milliseconds; then more may wait.
    drop_last : bool
        Leave a last batch out that is short.
    rank, world : int
        Which of how many processes this is; each gets its part of ``world * batch_size`` rows.
    on_error : {"replace", "raise"}
        For a row that cannot be read, take the next of the order, and note it in `problems`; or stop.
    channels : {"keep", "gray", "rgb", "rgba"}
        What images are turned into first; gray becomes RGB exactly.
    pipelines : mapping of str to Pipeline, optional
        Pipelines of classes by name; the others take ``pipeline``.
    axes : str, optional
        Of one image of arrays that are no pictures, such as ``"zyx"``.
    reduced : bool
        Decode JPEG no further than the drawn geometry needs: at a half, a quarter or an eighth where it shrinks by as
        much, with values that differ a little from averaging the whole picture, and down to the last row that it
        reads, with the same values. It depends on the sample alone. Damage below that row is not noticed.
    decode : {"exact", "fast"}
        Fast takes libjpeg's quicker transforms, a few levels off at colour edges.

    Examples
    --------
    >>> from imagemill import Flip, Pipeline
    >>> x, y = np.zeros((10, 8, 8, 3), np.uint8), np.arange(10)
    >>> loader = Loader((x, y), Pipeline([Flip("x", p=0.5)], seed=7), batch_size=4, workers=0)
    >>> [batch.image.shape for batch in loader], loader.epoch
    ([(4, 8, 8, 3), (4, 8, 8, 3), (2, 8, 8, 3)], 1)
    """

    def __init__(
        self,
        dataset: Any,
        pipeline: Pipeline | None = None,
        *,
        batch_size: int = 32,
        seed: int | None = None,
        shuffle: bool | int = True,
        weights: Any = None,
        balance: bool = False,
        workers: int | str | None = None,
        prefetch: int = 2,
        drop_last: bool = False,
        rank: int = 0,
        world: int = 1,
        on_error: OnError = "replace",
        channels: Channels = "keep",
        pipelines: Mapping[str, Pipeline] | None = None,
        axes: str | None = None,
        reduced: bool = True,
        decode: Literal["exact", "fast"] = "exact",
    ) -> None:
        _check(on_error=(on_error, ("replace", "raise")), decode=(decode, ("exact", "fast")))
        _check(channels=(channels, ("keep", "gray", "rgb", "rgba")))
        for given in (*([] if pipeline is None else [pipeline]), *(pipelines or {}).values()):
            if not isinstance(given, Pipeline):
                raise InputError(f"expected a Pipeline, got {type(given).__name__}; write Pipeline([...])")
        self.workers, self.processes = _workers(workers)
        self.prefetch = _whole("prefetch", prefetch, 0)
        self.seed = _seed(seed, pipeline)
        rows = open_rows(dataset, axes)
        own = _own(rows, pipelines)
        order = Order(len(rows), self.seed, shuffle, _weights(rows, weights, balance))
        shares = Shares(len(rows), batch_size, rank, world, drop_last)
        # Batches in the making, those that wait, and two at the consumer's.
        batches = self.workers + self.prefetch + 2
        seeded = None if pipeline is None else _seeded(pipeline, self.seed, batches)
        self._maker = Maker(
            rows,
            order,
            shares,
            seeded,
            {name: _seeded(pipe, self.seed, batches) for name, pipe in own.items()},
            ReadOptions(channels, fast=decode == "fast"),
            reduced,
            on_error == "replace",
            self.seed,
        )
        self._epoch, self._batch, self._begun = 0, 0, False
        self._problems: dict[str, Problem] = {}
        self._told = False
        self._meter = Meter(self.workers, 0, not isinstance(rows, RecordRows | SequenceRows), processes=self.processes)
        self._pool: Processes | None = None
        if self.processes:
            _check_processes(self._maker)
        self._running: weakref.ref[_Epoch] | None = None

    # ------------------------------------------------------------------------------------------- iterating

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self._maker.shares)

    def __iter__(self) -> Iterator[LoadedBatch]:
        """The batches of the next epoch, or what is left of one that a state was loaded for."""
        self._stop()
        if self._begun or self._batch >= len(self):
            self._epoch, self._batch = self._epoch + 1, 0
        self._begun = False
        running = _Epoch(self, self._epoch, self._batch)
        self._running = weakref.ref(running)
        return running

    def batch(self, number: int, *, epoch: int | None = None) -> LoadedBatch:
        """Any batch of any epoch (the present one when left out), made here and now."""
        made = self._maker.make(self._epoch if epoch is None else epoch, number)
        self._note(made)
        return made.batch

    def places(self, places: Sequence[int], *, epoch: int | None = None) -> LoadedBatch:
        """A batch of any places of an epoch's order, made here and now."""
        made = self._maker.make_places(places, self._epoch if epoch is None else epoch)
        self._note(made)
        return made.batch

    def close(self) -> None:
        """Stop the workers; iterating again starts new ones."""
        self._stop()
        if self._pool is not None:
            self._pool.close()
        self._pool = None

    def _stop(self) -> None:
        """End the epoch under way; processes stay for the next."""
        running = None if self._running is None else self._running()
        if running is not None:
            running.close()
        self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------- where it is

    @property
    def epoch(self) -> int:
        """The epoch under way, or the one that comes next."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch comes next."""
        self._stop()
        self._epoch, self._batch, self._begun = _whole("epoch", epoch, 0), 0, False

    @property
    def rows(self) -> int:
        """Rows of the dataset."""
        return len(self._maker.rows)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels, in the order of their numbers."""
        return self._maker.rows.classes

    @property
    def problems(self) -> list[Problem]:
        """Rows that could not be read so far, each once."""
        return list(self._problems.values())

    def state_dict(self) -> dict[str, Any]:
        """Plain values that say where it is; batches that were made but not handed over do not count."""
        return State.of(self._maker, self._epoch, self._batch).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where another loader was, with the batch that would have come next.

        Raises
        ------
        InputError
            When that loader had another dataset, pipeline, seed, order or size of a batch.
        """
        found = State.from_dict(state)
        refuse_other(found, State.of(self._maker, 0, 0))
        self._stop()
        self._epoch, self._batch, self._begun = found.epoch, found.batch, False
        if self._batch >= len(self):
            self._epoch, self._batch = self._epoch + 1, 0

    def explain(self) -> str:
        """How long reading, augmenting and the consumer took in the last epoch, what bounds it, what to change."""
        return f"{self!r}\n{self._meter.describe(cores())}"

    @property
    def meter(self) -> Meter:
        """What the epoch under way took so far, or else the last one."""
        return self._meter

    def __repr__(self) -> str:
        shares, order = self._maker.shares, self._maker.order
        parts = [f"{self.rows:,} rows", f"batch_size={shares.batch_size}", f"shuffle={order.shuffle}"]
        parts += ["weighted"] if order.replaces else []
        parts += [f"rank={shares.rank} of {shares.world}"] if shares.world > 1 else []
        workers = f"'process:{self.workers}'" if self.processes else self.workers
        return f"Loader({', '.join(parts)}, workers={workers}, prefetch={self.prefetch}, seed={self.seed})"

    # ------------------------------------------------------------------------------------------- working

    def _stream(self, epoch: int, first: int) -> Stream[Made] | ProcessStream:
        if not self.processes:
            several = Together(self._maker, epoch)
            return Stream(several, first, len(self), workers=self.workers, prefetch=self.prefetch)
        if self._pool is None or not self._pool.is_ours:
            from imagemill.feed.processes import Processes

            self._pool = Processes(self._maker, self.workers)
        return self._pool.start(epoch, first, len(self), prefetch=self.prefetch)

    # ------------------------------------------------------------------------------------------- noting

    def _note(self, made: Made) -> None:
        new = [problem for problem in made.problems if problem.name not in self._problems]
        self._problems |= {problem.name: problem for problem in new}
        if new and not self._told:
            self._told = True
            warnings.warn(
                f"{new[0]}; another row stands for it. loader.problems lists all, on_error='raise' stops instead",
                stacklevel=4,
            )

    def _hand_over(self, made: Made, waited: float) -> LoadedBatch:
        self._note(made)
        self._begun = True
        self._batch = made.batch.number + 1
        if self._batch > 0:
            self._meter.add(made.clock, len(made.batch), waited)
        return made.batch

    def _ended(self) -> None:
        self._epoch, self._batch, self._begun = self._epoch + 1, 0, False


class _Epoch(Iterator[LoadedBatch]):
    """The batches of one epoch, from one on."""

    def __init__(self, loader: Loader, epoch: int, first: int) -> None:
        self._loader, self._number, self._last = loader, first, len(loader)
        self._epoch = epoch
        self._meter = Meter(loader.workers, epoch, loader._meter.stored, processes=loader.processes)
        loader._meter = self._meter
        self._handed = time.perf_counter()
        self._closed = False
        self._stack = ExitStack()
        self._stream: Stream[Made] | ProcessStream | None = None
        if loader.workers:
            if not loader.processes:
                self._stack.enter_context(one_opencv_thread())
            self._stream = loader._stream(epoch, first)
            self._stack.callback(self._stream.close)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> LoadedBatch:
        if self._closed:
            raise StopIteration
        if self._number >= self._last:
            self.close()
            self._loader._ended()
            raise StopIteration
        asked = time.perf_counter()
        self._meter.consuming += asked - self._handed
        try:
            made = self._here() if self._stream is None else self._stream.take()
        except BaseException:
            self.close()
            raise
        self._number += 1
        self._handed = time.perf_counter()
        return self._loader._hand_over(made, self._handed - asked)

    def _here(self) -> Made:
        try:
            return self._loader._maker.make(self._epoch, self._number)
        except StopIteration as error:
            raise RuntimeError(STOPPED) from error

    def close(self) -> None:
        self._closed = True
        self._stack.close()

    def __del__(self) -> None:
        # Not where __init__ failed half-way.
        if hasattr(self, "_stack"):
            self.close()


def _check(**options: tuple[Any, tuple[str, ...]]) -> None:
    for name, (value, allowed) in options.items():
        if value not in allowed:
            raise InputError(f"expected {name} as one of {', '.join(allowed)}, got {value!r}; choose one")


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"expected {name} as a number from {least}, got {value!r}")
    return int(value)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _workers(workers: Any) -> tuple[int, bool]:
    """How many, and whether they are processes."""
    if workers is None:
        return cores(), False
    if not isinstance(workers, str):
        return _whole("workers", workers, 0), False
    asked = re.fullmatch("process(?::([1-9][0-9]{0,3}))?", workers)
    if asked is None:
        raise InputError(f"expected workers as a number of threads, 'process' or 'process:4', got {workers!r}")
    return int(asked[1] or cores()), True


def _check_processes(maker: Maker) -> None:
    """Refuse what other processes cannot get, before anything is started."""
    from imagemill.feed import sending, shared

    shared.check_platform()
    for pipeline in (*([] if maker.pipeline is None else [maker.pipeline]), *maker.pipelines.values()):
        sending.check_sendable(pipeline)


def _seed(seed: int | None, pipeline: Pipeline | None) -> int:
    if seed is None:
        return secrets.randbits(32) if pipeline is None else pipeline.seed
    found = _whole("seed", seed, 0)
    if found >= 1 << 64:
        raise InputError(f"expected a seed from 0 to 2**64 - 1, got {seed!r}")
    return found


def _seeded(pipeline: Pipeline, seed: int, batches: int) -> Pipeline:
    """The pipeline with the loader's seed: always a new one, whose memory nobody else writes to."""
    found = pipeline.with_seed(seed)
    found.keep(batches)
    return found


def _own(rows: Rows, pipelines: Mapping[str, Pipeline] | None) -> Mapping[str, Pipeline]:
    found = dict(pipelines or {})
    unknown = sorted(set(found) - set(rows.classes))
    if unknown:
        raise InputError(f"expected names of classes ({', '.join(rows.classes) or 'there are none'}), got {unknown}")
    return found


def _weights(rows: Rows, weights: Any, balance: bool) -> Any:
    if not balance:
        return weights
    if weights is not None:
        raise InputError("expected weights or balance=True, got both; multiply your weights by those of the classes")
    if rows.labels is None or rows.labels.ndim != 1 or (rows.labels < 0).any():
        raise InputError("expected one label for every row to balance the classes, got rows without; give weights")
    return balanced(rows.labels)
