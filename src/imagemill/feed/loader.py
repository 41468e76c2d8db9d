"""Batches of a dataset, epoch after epoch: shuffled, augmented ahead, the same for everyone who asks again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self

from imagemill.core.errors import InputError
from imagemill.core.looking import Said
from imagemill.core.near_words import takes
from imagemill.data.codecs.base import Channels, ReadOptions
from imagemill.data.layouts.base import Problem
from imagemill.feed.adapters.base import Adapters
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.iterating import Loop, Track
from imagemill.feed.making.carried_annotations import not_annotated
from imagemill.feed.making.dataset_rows import RecordRows, StoreRows, open_rows
from imagemill.feed.making.making import Made, Maker
from imagemill.feed.making.mixing import refuse_mixing
from imagemill.feed.making.sequence import SequenceRows
from imagemill.feed.making.together import Together
from imagemill.feed.meter import Meter
from imagemill.feed.options import (
    check_processes,
    check_shared_seed,
    cores,
    one_of,
    own_pipelines,
    read_pipelines,
    read_seed,
    read_workers,
    row_weights,
    seeded,
    whole,
)
from imagemill.feed.order.batches import Shares
from imagemill.feed.order.order import Order
from imagemill.feed.order.state import State, refuse_other
from imagemill.feed.replaying import REPLAYED, Replay
from imagemill.feed.taken_otherwise import TakenOtherwise
from imagemill.feed.workers.stream import Stream
from imagemill.jobs.faults import refuse_missing
from imagemill.pipeline.named_pipelines import PipelineGiven

if TYPE_CHECKING:
    from imagemill.feed.workers.processes import Processes, ProcessStream

__all__ = ["Loader"]

OnError = Literal["replace", "raise"]


class Loader(TakenOtherwise, Adapters):
    """Batches of a dataset for a training loop.

    Which rows are in a batch follows from seed and epoch; their pixels from seed, epoch and key alone. Workers,
    prefetching, batch size, ranks, and where a run was stopped and continued change nothing.

    Parameters
    ----------
    dataset : Dataset, Source, Path, str, arrays ``(x, y)`` or ``(x, y, w)``, or sequence of items
        Prepared or not. Arrays: images ``[n, ...]`` and, if there are any, labels as numbers, and weights of the rows
        in the loss (not in sampling, see ``weights``), which a dataset has as a column ``weight`` of its table; batches
        then have a column ``weight``. A sequence is anything
        with a length and items by number (a list, a map-style dataset of PyTorch): images, ``(image, label)``, mappings
        of targets by name, or records; each is asked for when it is needed, so there may be any number of them.
    pipeline : Pipeline, name of a preset, or file, optional
        Must end in one size where the rows have several. Left out, rows come as they are.
    split : str or None
        The part of the dataset that is run over. ``"auto"`` takes the training part where there are several, and
        says so; ``"all"`` (or None) takes every row; else the name of a part, such as ``"val"``.
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
    rank, world_size : int
        Which of how many processes this is; each gets its part of ``world_size * batch_size`` rows.
    on_error : {"replace", "raise"}
        For a row that cannot be read, take the next of the order, and note it in `problems`; or stop.
    channels : {"keep", "gray", "rgb", "rgba"}
        What images are turned into first; gray becomes RGB exactly.
    pipelines : mapping of str to Pipeline, optional
        Pipelines of classes by name; the others take ``pipeline``.
    axes : str, optional
        Of one image of arrays that are no pictures, such as ``"zyx"``.
    classes : sequence of str, optional
        Names of the labels of arrays ``(x, y)``, in the order of their numbers: for `PerClass`, ``pipelines`` and what
        mixes labels. Datasets and sequences have their own.
    reduced : bool
        Decode JPEG no further than the drawn geometry needs: at a half, a quarter or an eighth where it shrinks by as
        much, with values that differ a little from averaging the whole picture, and down to the last row that it
        reads, with the same values. It depends on the sample alone. Damage below that row is not noticed.
    decode : {"exact", "fast"}
        Fast takes libjpeg's quicker transforms, a few levels off at colour edges.

    Warns
    -----
    UserWarning
        When the training part of several is taken and `split` was left out.

    Examples
    --------
    >>> import numpy as np
    >>> from imagemill import Flip, Pipeline
    >>> x, y = np.zeros((10, 8, 8, 3), np.uint8), np.arange(10)
    >>> loader = Loader((x, y), Pipeline([Flip("x", p=0.5)], seed=7), batch_size=4, workers=0)
    >>> [batch.image.shape for batch in loader], loader.epoch
    ([(4, 8, 8, 3), (4, 8, 8, 3), (2, 8, 8, 3)], 1)
    """

    @takes
    def __init__(
        self,
        dataset: Any,
        pipeline: PipelineGiven | None = None,
        *,
        split: str | None = "auto",
        batch_size: int = 32,
        seed: int | None = None,
        shuffle: bool | int = True,
        weights: Any = None,
        balance: bool = False,
        workers: int | str | None = None,
        prefetch: int = 2,
        drop_last: bool = False,
        rank: int = 0,
        world_size: int = 1,
        on_error: OnError = "replace",
        channels: Channels = "keep",
        pipelines: Mapping[str, PipelineGiven] | None = None,
        axes: str | None = None,
        classes: Sequence[str] = (),
        reduced: bool = True,
        decode: Literal["exact", "fast"] = "exact",
    ) -> None:
        one_of(on_error=(on_error, ("replace", "raise")), decode=(decode, ("exact", "fast")))
        one_of(channels=(channels, ("keep", "gray", "rgb", "rgba")))
        pipeline, pipelines = read_pipelines(pipeline, pipelines)
        self.workers, self.processes = read_workers(workers)
        self.prefetch = whole("prefetch", prefetch, 0)
        self.seed, self._seed_given = read_seed(seed, pipeline)
        rows, said = open_rows(dataset, axes, split, classes)
        if said:
            warnings.warn(said, stacklevel=3)
        if on_error == "raise" and isinstance(rows, RecordRows):
            refuse_missing(rows.problems, "on_error='replace'")
        if isinstance(rows, RecordRows | StoreRows) and (bare := rows.maskless):
            msg = f"{bare:,} of {len(rows):,} rows have no label map, and get one of zeros, which says background"
            do = "dataset.select(np.flatnonzero(dataset.masked)) leaves them out"
            warnings.warn(f"{msg}; {do}", stacklevel=3)
        own = own_pipelines(rows, pipelines)
        refuse_mixing({} if pipeline is None or not own else {"the others": pipeline})
        refuse_mixing(own)
        order = Order(len(rows), self.seed, shuffle, row_weights(rows, weights, balance=balance))
        shares = Shares(len(rows), batch_size, rank, world_size, drop_last)
        check_shared_seed(order, shares, given=self._seed_given)
        # Batches in the making, those that wait, and two at the consumer's.
        batches = self.workers + self.prefetch + 2
        self._maker = Maker(
            rows,
            order,
            shares,
            None if pipeline is None else seeded(pipeline, self.seed, batches),
            {name: seeded(pipe, self.seed, batches) for name, pipe in own.items()},
            ReadOptions(channels, fast=decode == "fast"),
            reduced,
            on_error == "replace",
            self.seed,
        )
        self._track = Track(len(shares))
        self._problems: dict[str, Problem] = {}
        self._told = False
        self._meter = Meter(self.workers, 0, not isinstance(rows, RecordRows | SequenceRows), processes=self.processes)
        self._replay = Replay()
        self._pool: Processes | None = None
        if self.processes:
            check_processes(self._maker)

    # ------------------------------------------------------------------------------------------- iterating

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self._maker.shares)

    def __iter__(self) -> Iterator[LoadedBatch]:
        """The batches of the next epoch, or what is left of one that a state was loaded for.

        Each loop takes its epoch with its first batch, and gives all of it: loops within each other, side by side
        (``zip(loader, loader)``) or left early are epochs of their own, in the order in which they began.
        """
        return Loop(self)

    def batch(self, number: int, *, epoch: int | None = None) -> LoadedBatch:
        """Any batch of any epoch (the present one when left out), made here and now."""
        made = self._maker.make(self.epoch if epoch is None else epoch, number)
        self._note(made)
        return made.batch

    def places(self, places: Sequence[int], *, epoch: int | None = None) -> LoadedBatch:
        """A batch of any places of an epoch's order, made here and now."""
        made = self._maker.make_places(places, self.epoch if epoch is None else epoch)
        self._note(made)
        return made.batch

    def replayed(self, batches: int = REPLAYED) -> Iterator[LoadedBatch]:
        """As many batches as an epoch has, made beforehand and handed over again and again.

        A training loop over them runs as fast as any loader could make it; `explain` says then how much that is more.
        Nothing else changes: which batch comes next, and what is in it, is as before.

        Parameters
        ----------
        batches : int
            How many are made, of the present epoch; all are held in memory.

        Examples
        --------
        >>> import numpy as np
        >>> loader = Loader((np.zeros((9, 8, 8, 3), np.uint8),), batch_size=2, seed=1, workers=0)
        >>> [len(batch) for batch in loader.replayed(2)], loader.epoch
        ([2, 2, 2, 2, 2], 0)
        """
        made = self._some(whole("batches", batches, 1))
        self._replay = Replay()
        return self._replay.hand_over(made, len(self))

    def _some(self, batches: int) -> list[LoadedBatch]:
        return [self.batch(number) for number in range(min(batches, len(self)))]

    def close(self) -> None:
        """Stop the workers, and the loops under way, which say so; looping again starts new ones."""
        self._track.close()
        if self._pool is not None:
            self._pool.close()
        self._pool = None

    def __getstate__(self) -> dict[str, Any]:
        # Loops and processes stay here; whoever gets it begins at the same place with its own.
        return {**self.__dict__, "_pool": None}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------- where it is

    @property
    def epoch(self) -> int:
        """The epoch of the loop that got a batch last, or the one that comes next."""
        return self._track.here[0]

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next loop takes; where a state was loaded in the middle of it, what is left of it.

        Warns
        -----
        UserWarning
            When that drops what a loaded state says.
        """
        self._track.set_epoch(whole("epoch", epoch, 0))

    @property
    def rows(self) -> int:
        """Rows of the dataset."""
        return len(self._maker.rows)

    @property
    def batch_size(self) -> int:
        """Rows of a batch of one rank; the last of an epoch may have fewer."""
        return self._maker.shares.batch_size

    @property
    def shares(self) -> Shares:
        """Which places of an epoch are this rank's."""
        return self._maker.shares

    def take_share(self, rank: int, world_size: int) -> None:
        """Give the part of one of ``world_size`` processes from now on, as whoever started them says.

        Raises
        ------
        InputError
            When the loader was made for another rank already.
        """
        had = self._maker.shares
        if (had.rank, had.world_size) == (rank, world_size):
            return
        if had.world_size > 1:
            raise InputError(
                f"expected the loader of rank {rank} of {world_size}, got one made for rank {had.rank} of "
                f"{had.world_size}; leave rank and world_size out, they are taken from who starts the processes"
            )
        shares = replace(had, rank=rank, world_size=world_size)
        check_shared_seed(self._maker.order, shares, given=self._seed_given)
        self.close()
        self._maker = replace(self._maker, shares=shares)
        self._track = Track(len(self._maker.shares), *self._track.place)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels, in the order of their numbers."""
        return self._maker.rows.classes

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of what boxes hold, in the order of their numbers."""
        return self._maker.rows.categories

    @property
    def is_weighted(self) -> bool:
        """Whether batches have a column ``weight``, for the loss."""
        return self._maker.rows.weights is not None

    def carry_annotations(self) -> None:
        """Have batches carry what is annotated, and its masks, from the next loop on."""
        if not self._maker.rows.annotations:
            self._maker.rows.annotations = True
            if bare := not_annotated(self._maker.rows):
                warnings.warn(
                    f"{bare} of {self.rows:,} pictures were not annotated, and go to the detector as empty ones; leave "
                    'them out by dataset.filter(pl.col("annotated").fill_null(True))',
                    stacklevel=4,
                )
            if self._pool is not None:  # their makers are copies
                self.close()

    @property
    def shuffles(self) -> bool:
        """Whether rows come in an order that the seed decides."""
        return self._maker.order.is_random

    @property
    def problems(self) -> list[Problem]:
        """Rows that could not be read so far, each once."""
        return list(self._problems.values())

    def state_dict(self) -> dict[str, Any]:
        """Plain values that say where the loop is that got a batch last; only batches handed over count."""
        return State.of(self._maker, *self._track.place).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where another loader was: the next loop begins with the batch that would have come next.

        Raises
        ------
        InputError
            When that loader had another dataset, pipeline, seed, order or size of a batch.
        """
        found = State.from_dict(state)
        refuse_other(found, State.of(self._maker, 0, 0), seed_given=self._seed_given)
        epoch, batch = (found.epoch, found.batch) if found.batch < len(self) else (found.epoch + 1, 0)
        self._track.go_to(epoch, batch, loaded=True)

    def explain(self, step: Callable[[LoadedBatch], object] | None = None, *, seconds: float = 2.0) -> Said:
        """How long reading, augmenting and the consumer took in the last epoch, what bounds it, what to change.

        After a loop over `replayed`, or with a ``step``, also how many images the consumer would take of a loader that
        costs nothing: the most that a faster one could give.

        Parameters
        ----------
        step : callable, optional
            What your loop does with a batch. It is called here, with eight batches that are made beforehand, again and
            again; a step that trains a network trains it.
        seconds : float
            For how long.
        """
        if step is not None:
            if not seconds > 0:
                raise InputError(f"expected seconds above 0, got {seconds!r}")
            made, self._replay = self._some(REPLAYED), Replay()
            self._replay.give(step, made, seconds)
        return Said(f"{self!r}\n{self._meter.describe(cores(), self._replay.images_per_second)}")

    def _repr_html_(self) -> str:
        """As `explain`, and what the pipeline runs on each image."""
        pipeline = self._maker.pipeline
        runs = "no pipeline" if pipeline is None else pipeline.explain()
        return Said(f"{self.explain()}\n\n{runs}")._repr_html_()

    @property
    def meter(self) -> Meter:
        """What the epoch under way took so far, or else the last one."""
        return self._meter

    def __repr__(self) -> str:
        shares, order = self._maker.shares, self._maker.order
        parts = [f"{self.rows:,} rows", f"batch_size={shares.batch_size}", f"shuffle={order.shuffle}"]
        parts += ["weighted"] if order.replaces else []
        parts += [f"rank={shares.rank} of {shares.world_size}"] if shares.world_size > 1 else []
        workers = f"'process:{self.workers}'" if self.processes else self.workers
        return f"Loader({', '.join(parts)}, workers={workers}, prefetch={self.prefetch}, seed={self.seed})"

    # ------------------------------------------------------------------------------------------- working

    def _stream(self, epoch: int, first: int) -> Stream[Made] | ProcessStream:
        if not self.processes:
            several = Together(self._maker, epoch)
            return Stream(several, first, len(self), workers=self.workers, prefetch=self.prefetch)
        if self._pool is None or not self._pool.is_ours:
            from imagemill.feed.workers.processes import Processes

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
                stacklevel=3,
            )
