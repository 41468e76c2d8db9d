"""Many items through one function: what every verb shares that makes files or tables of records.

A verb gives a function of one item (`shards.Work`), a function that notes rows where a later run finds them, and the
items that have no rows yet. Here: workers, a few shards in flight at a time, progress, what becomes of errors, notes,
and that whatever was finished counts when the run ends early. What is in memory does not grow with the items, but for
a line of text for each that failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from imagemill.core.errors import ImagemillError
from imagemill.core.interrupts import as_interrupts
from imagemill.data.records.loading import pixels_name
from imagemill.data.records.record import Record
from imagemill.jobs.engines import NONE, Engine, Start, Threads
from imagemill.jobs.faults import is_of_file, named
from imagemill.jobs.quarantine import Quarantine
from imagemill.jobs.shards import Outcome, Shard, ShardWork, Work, cut
from imagemill.jobs.threads import OnError, Progress, one_opencv_thread

__all__ = ["Failed", "Finished", "Runner"]

Item = TypeVar("Item")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that was left out, as text: an error holds the pixels of the functions that it went through.

    Parameters
    ----------
    key : str
        Of its record.
    kind : str
        Name of the error's class.
    message : str
    """

    key: str
    kind: str
    message: str


@dataclass(slots=True)
class Finished:
    """What a run did.

    Parameters
    ----------
    rows : int
        That were noted.
    failed : dict
        Items that were left out by their place.
    counts : Counter
        Notes of single items.
    remarks : tuple of str
        On the run as a whole.
    """

    rows: int = 0
    failed: dict[int, Failed] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Each note with the number of files, the commonest first: the order in which they were met does not show."""
        noted = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return (*(f"{note} ({n} file{'s' if n > 1 else ''})" for note, n in noted), *self.remarks)


def _one(_: Any) -> int:
    return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner(Generic[Item, Row]):
    """How a verb runs over its items; `run` does it.

    Parameters
    ----------
    work : Work
        What is made of one item, by a worker.
    note : callable
        Given the place and row of everything that a shard made, in the calling thread. Rows that it was given are
        found by a later run. It may be given rows twice where Ctrl-C comes in between.
    record : callable
        The record that an item is of, for names in errors and for the quarantine.
    doing : str
        What goes on, for errors: ``"augmenting"``.
    on_error : {"raise", "skip", "quarantine"}
        For faults of a file; errors of the caller's own functions, a full disk and the like are raised in any case.
    quarantine : Quarantine, optional
        Where copies go.
    progress : callable, optional
        Called after each shard, with the weight of items done and of all.
    weight : callable
        How much of the progress an item is.
    kind : callable, optional
        What items have in common that may fail all of them. Shards run in the calling thread, before any other begins,
        until one item of the kind went well; an error that says ``of_output`` then ends the run.
    workers : int
    size : int
        Items of a shard.
    engine : callable
        What runs shards side by side, such as `Threads` or `Processes`.

    Examples
    --------
    >>> from pathlib import Path
    >>> def lengths(record):
    ...     yield len(record.key)
    >>> found = {}
    >>> Runner(work=lengths, note=found.update, record=lambda record: record, doing="counting").run(
    ...     [Record("a.png", Path("a.png")), Record("b/c.png", Path("b/c.png"))], 2
    ... ).rows
    2
    >>> sorted(found.items())
    [(0, 5), (1, 7)]
    """

    work: Work[Item, Row]
    note: Callable[[Sequence[tuple[int, Row]]], object]
    record: Callable[[Item], Record]
    doing: str
    on_error: OnError = "raise"
    quarantine: Quarantine | None = None
    progress: Progress | None = None
    weight: Callable[[Item], int] = _one
    kind: Callable[[Item], Hashable] | None = None
    workers: int = 1
    size: int = 1
    engine: Start = Threads

    def run(self, items: Iterable[Item], total: int) -> Finished:
        """Work on every item; they are taken as they are needed.

        Parameters
        ----------
        items : iterable
        total : int
            Weight of all of them.

        Returns
        -------
        Finished

        Raises
        ------
        Exception
            What an item raised, where it is not to be left out: of several the one of the first place, whatever the
            number of workers. All that was finished has been noted.
        """
        work = ShardWork(self.work)
        with one_opencv_thread():
            engine = self.engine(work, self.workers)
            try:
                return _Run(self, engine, work, total).all(items)
            finally:
                engine.close()


class _Run(Generic[Item, Row]):
    """The state of one run; only the calling thread changes it."""

    def __init__(self, asked: Runner[Item, Row], engine: Engine, work: ShardWork[Item, Row], total: int) -> None:
        self.asked, self.engine, self.work, self.total = asked, engine, work, total
        self.flying: dict[Future[Any], Shard[Item]] = {}
        self.proven: set[Hashable] = set()
        self.finished = Finished()
        self.fatal: dict[int, BaseException] = {}
        self.done = 0

    def all(self, items: Iterable[Item]) -> Finished:
        try:
            self._fly(cut(items, self.asked.size))
            if self.asked.quarantine is not None and not self.fatal:
                self.asked.quarantine.end()
        except BaseException as error:  # Ctrl-C, a disk that is full, items that cannot be told any more
            self._stop(NONE)
            self._keep_the_rest(error)
            raise
        if self.fatal:
            raise self.fatal[min(self.fatal)]
        self.finished.remarks = self.engine.remarks()
        return self.finished

    def _fly(self, shards: Iterable[Shard[Item]]) -> None:
        """Keep two shards a worker in flight, to the end or to the first error that ends the run."""
        for shard in shards:
            if self._is_lead(shard):
                outcomes = self.work(shard)
                self._note(outcomes)
                self._account(shard, outcomes, lead=True)
            else:
                while len(self.flying) >= 2 * self.asked.workers and not self.fatal:
                    self._land()
                if not self.fatal:
                    self.flying[self.engine.submit(shard)] = shard
            if self.fatal:
                break
        while self.flying:
            if self.fatal:
                # Shards before it go on to their end: one of them may hold an error that comes first.
                self._stop(min(self.fatal) // self.asked.size)
            self._land()

    def _is_lead(self, shard: Shard[Item]) -> bool:
        kind = self.asked.kind
        return kind is not None and not {kind(item) for item in shard.items} <= self.proven

    def _stop(self, last: int) -> None:
        """Begin nothing behind `last`; what has begun comes to its end."""
        self.engine.stop(last)
        # By hand: a future that a pool cancels for itself is never seen to be done by those who wait for it.
        flying = self.flying.items()
        self.flying = {future: shard for future, shard in flying if shard.number <= last or not future.cancel()}

    def _land(self) -> None:
        """Take what is finished; it leaves the flight when it was noted, so that Ctrl-C loses none of it."""
        with as_interrupts():
            done = wait(self.flying, return_when=FIRST_COMPLETED).done
        for future in done:
            shard = self.flying[future]
            outcomes = self.engine.outcomes(future)
            self._note(outcomes)
            del self.flying[future]
            self._account(shard, outcomes)

    def _keep_the_rest(self, error: BaseException) -> None:
        """What was finished meanwhile counts, so that the next run need not make it again."""
        unnoted: list[str] = []
        with as_interrupts():
            done = wait(self.flying).done
        for future in done:
            if future.exception() is not None:
                continue
            try:
                self._note(self.engine.outcomes(future))
            except Exception as later:  # the disk is full: what has no line is made again
                unnoted.append(str(later))
        if unnoted:
            error.add_note(f"and {len(unnoted)} finished shards could not be noted: {unnoted[0]}")

    def _note(self, outcomes: Sequence[Outcome[Row]]) -> None:
        rows = [(outcome.place, row) for outcome in outcomes for row in outcome.rows]
        if rows:
            self.asked.note(rows)
        self.finished.rows += len(rows)

    def _account(self, shard: Shard[Item], outcomes: Sequence[Outcome[Row]], *, lead: bool = False) -> None:
        for outcome in outcomes:
            item = shard.items[outcome.place - shard.first]
            self.finished.counts.update(dict.fromkeys(outcome.notes, 1))
            self.done += self.asked.weight(item)
            # Taken out: an error holds the functions it went through with their pixels, and those hold the outcome.
            error, outcome.error = outcome.error, None
            if error is not None:
                self._fail(outcome.place, self.asked.record(item), error, lead=lead)
            elif lead and self.asked.kind is not None:
                self.proven.add(self.asked.kind(item))
        if self.asked.progress is not None and outcomes and not self.fatal:
            self.asked.progress(self.done, self.total)

    def _fail(self, place: int, record: Record, error: BaseException, *, lead: bool) -> None:
        if not isinstance(error, Exception):
            raise error
        if lead and isinstance(error, ImagemillError) and error.of_output:
            self.fatal[place] = error
        elif self.asked.on_error == "raise" or not is_of_file(error):
            self.fatal[place] = named(pixels_name(record.image), error, self.asked.doing)
        else:
            if self.asked.on_error == "quarantine" and self.asked.quarantine is not None:
                self.asked.quarantine.keep(record, error, place)
            self.finished.failed[place] = Failed(record.key, type(error).__name__, str(error))
