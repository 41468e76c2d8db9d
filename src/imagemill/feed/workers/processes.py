"""Batches made in other processes, a few ahead, and handed over in order; `worker` is the other side."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import weakref
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection as lines
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, WorkerError
from imagemill.feed.making.making import Made, Maker
from imagemill.feed.workers.sending import pack_maker
from imagemill.feed.workers.shared_memory import Block
from imagemill.feed.workers.stream import STOPPED
from imagemill.feed.workers.worker import READY, Job, Reply, read_made, work
from imagemill.jobs.process_engine import deaf
from imagemill.jobs.sent_errors import SentError

__all__ = ["ProcessStream", "Processes"]

POLL = 0.1
"""Seconds after which a thread that waits looks whether another one closed."""

LOOPS = 64
"""Loops over one loader at once, at most: each may have asked for batches that nobody takes."""

PATIENCE = 0.4
"""Seconds that processes have to end by themselves, and again when they are told to."""

_GUARD = 'if __name__ == "__main__":'
_MAIN = f"other processes import the program anew, so what it does must stand behind {_GUARD}"


@dataclass(slots=True, eq=False)
class _Slot:
    """A worker's block as it is seen here, free when no array refers to it and no job was given it."""

    bytes: npt.NDArray[np.uint8]
    taken: bool = False


def _references(slot: _Slot) -> int:
    return sys.getrefcount(slot.bytes)


_ALONE = _references(_Slot(np.empty(1, np.uint8)))
"""What is counted when nobody else refers to it, on this Python."""


@dataclass(slots=True, eq=False)
class _Worker:
    """One process."""

    process: Any
    line: Connection
    ready: bool = False
    dead: bool = False
    failure: SentError | None = None
    jobs: deque[Job] = field(default_factory=deque)
    slots: dict[int, _Slot] = field(default_factory=dict)
    made: int = 0

    def slot(self, spare: int) -> tuple[int, tuple[int, ...]]:
        """The number of a block to write into, and those to forget, so that no more than ``spare`` are free."""
        free = [n for n, slot in self.slots.items() if not slot.taken and _references(slot) <= _ALONE]
        if not free:
            self.made += 1
            return self.made, ()
        forget = tuple(free[max(1, spare) :])
        for number in forget:
            del self.slots[number]
        self.slots[free[0]].taken = True
        return free[0], forget


class Processes:
    """Processes that hold a maker each; they stay from epoch to epoch.

    Parameters
    ----------
    maker : Maker
    count : int
    """

    def __init__(self, maker: Maker, count: int) -> None:
        self.maker, self.count = maker, count
        self.team: list[_Worker] = []
        self.lock = threading.RLock()
        self.control = Block.new(8 * LOOPS)
        self.run = 0
        self.size = 0
        # Replies go to the loop that asked, whoever reads them from the line.
        self.streams: weakref.WeakValueDictionary[int, ProcessStream] = weakref.WeakValueDictionary()
        self._pid = os.getpid()
        # Also when the program ends, and without a reference to this object, so that it can be collected.
        weakref.finalize(self, _end, self.team, self.control, self._pid)

    @property
    def is_ours(self) -> bool:
        """Whether this is the process that started them, not one forked off it."""
        return self._pid == os.getpid()

    def start(self, epoch: int, first: int, last: int, *, prefetch: int) -> ProcessStream:
        """Have the batches of an epoch made, from one on, beside those of other loops.

        Raises
        ------
        InputError
            When there are too many loops.
        """
        with self.lock:
            if any(worker.dead or not worker.process.is_alive() for worker in self.team):
                self.close()
            if not self.team:
                self._hire()
            free = np.flatnonzero(self.wanted == 0)
            if not len(free):
                do = "end some (close them, or the loader), or take threads: workers=2"
                raise InputError(f"expected at most {LOOPS} loops over one loader at once, got another; {do}")
            self.run += 1
            place = int(free[0])
            self.wanted[place] = self.run
            stream = ProcessStream(self, place, epoch, first, last, self.count + prefetch)
            self.streams[self.run] = stream
            stream.give()
            return stream

    @property
    def wanted(self) -> npt.NDArray[np.int64]:
        """The numbers of the runs that are wanted, 0 at places that are free."""
        return self.control.bytes.view(np.int64)[:LOOPS]

    def abandon(self, run: int, place: int) -> None:
        """Give up what is being made for a loop; the processes stay."""
        self.streams.pop(run, None)
        if self.is_ours and self.wanted[place] == run:
            self.wanted[place] = 0

    def close(self) -> None:
        """End the processes, and all loops."""
        self.streams.clear()
        if self.is_ours:
            self.wanted[:] = 0
        if self.lock.acquire(timeout=5 * POLL):  # another thread may wait for a batch: it gives up now
            self.lock.release()
        _end(self.team, self.control, self._pid)

    def _hire(self) -> None:
        said = pack_maker(self.maker)
        # Never by fork: this process has threads, and a copy of it would hold their locks for ever.
        chosen = multiprocessing.get_start_method(allow_none=True)
        context: Any = multiprocessing.get_context("forkserver" if chosen == "forkserver" else "spawn")
        try:
            with deaf():
                for number in range(self.count):
                    here, there = context.Pipe()
                    with there:
                        name = f"imagemill-feed-{number}"
                        process = context.Process(target=work, args=(there,), name=name, daemon=True)
                        process.start()
                    self.team.append(_Worker(process, here))
                    self.control.send(here)
                    said.send(here)
        except (RuntimeError, EOFError, ConnectionError, AssertionError) as error:
            self.close()
            said_of = f"{type(error).__name__}: {str(error).strip().splitlines()[:1]}"
            if multiprocessing.current_process().daemon:
                do = "take threads here: workers=2"
                raise InputError(f"expected a process that may start others, got a worker of another; {do}") from error
            raise InputError(f"expected to start worker processes, got {said_of}; {_MAIN}") from error
        except BaseException:
            self.close()
            raise


class ProcessStream:
    """The batches of one epoch, as `Stream` hands over those of threads.

    Parameters
    ----------
    owner : Processes
    place : int
        Of the number of its run.
    epoch, first, last : int
    ahead : int
        Batches that may be made before they are asked for.
    """

    def __init__(self, owner: Processes, place: int, epoch: int, first: int, last: int, ahead: int) -> None:
        self._owner, self._place, self._epoch, self._last, self._ahead = owner, place, epoch, last, ahead
        self._next = self._taken = first
        self._done: dict[int, Made | SentError] = {}
        self._run = owner.run

    @property
    def is_closed(self) -> bool:
        """Whether nobody wants anything any more."""
        return self._run not in self._owner.streams

    def take(self) -> Made:
        """The next batch, or the error that making it raised.

        Raises
        ------
        WorkerError
            When the process that was to make it is gone.
        """
        with self._owner.lock:
            number = self._taken
            try:
                while number not in self._done:
                    if self.is_closed or number >= self._last:
                        raise StopIteration
                    self._collect(number)
            except StopIteration:
                raise
            except BaseException:
                # A message may have been read in part (Ctrl-C), or a process is gone: begin anew next time.
                self._owner.close()
                raise
            found = self._done.pop(number)
            self._taken += 1
            # Now, so that the next ones are made while the consumer works.
            self.give()
        if isinstance(found, SentError):
            error = found.raised()
            if isinstance(error, StopIteration):  # would end the loop over the batches without a word
                raise RuntimeError(STOPPED) from error.__cause__
            raise error
        return found

    def close(self) -> None:
        """Give up what is being made; the processes stay for the next epoch."""
        self._done.clear()
        self._owner.abandon(self._run, self._place)

    # ------------------------------------------------------------------------------------------- asking

    def give(self) -> None:
        """Ask for as many batches as may be ahead, each time the process that has least to do."""
        while self._next < self._last and self._next < self._taken + self._ahead:
            living = [worker for worker in self._owner.team if not worker.dead]
            if not living:
                return
            worker = min(living, key=lambda worker: len(worker.jobs))
            slot, forget = worker.slot(2 + self._ahead // self._owner.count)
            job = Job(self._run, self._place, self._epoch, self._next, slot, self._owner.size, forget)
            worker.jobs.append(job)
            self._next += 1
            with suppress(OSError):  # it is gone, which is seen when this batch is asked for
                worker.line.send(job)

    # ------------------------------------------------------------------------------------------- getting

    def _collect(self, wanted: int) -> None:
        """Wait for news of any process, but not for long, and read it."""
        living = {worker.line: worker for worker in self._owner.team if not worker.dead}
        news = lines.wait(list(living), POLL) if living else []
        for line in news:
            worker = living[line]  # type: ignore[index]  # of the lines that were given
            try:
                self._read(worker)
            except (EOFError, OSError):
                worker.dead = True
        for worker in self._owner.team:
            # The line of a dead one stays open where something that it started holds the other end.
            worker.dead = worker.dead or (not news and not worker.process.is_alive())
            if worker.failure is not None:
                raise worker.failure.raised()
            asked = (self._run, wanted)
            if worker.dead and (not worker.ready or asked in {(job.run, job.number) for job in worker.jobs}):
                raise self._gone(worker, wanted)

    def _read(self, worker: _Worker) -> None:
        message: Any = worker.line.recv()
        if message == READY:
            worker.ready = True
            return
        if isinstance(message, SentError):  # before the first job: it could not read the maker
            worker.failure = message
            return
        reply: Reply = message
        job = worker.jobs.popleft()
        if reply.fresh:
            block = Block.receive(worker.line)
            worker.slots[job.slot] = _Slot(block.bytes)
            self._owner.size = max(self._owner.size, block.size)
        slot = worker.slots.get(job.slot)
        stream = self._owner.streams.get(job.run)
        if stream is not None:
            if reply.failure is not None:
                stream._done[job.number] = reply.failure
            elif slot is not None and reply.spans:
                stream._done[job.number] = read_made(slot.bytes, reply.spans)
        if slot is not None:
            slot.taken = False

    def _gone(self, worker: _Worker, wanted: int) -> Exception:
        worker.process.join(1)
        code = worker.process.exitcode
        end = f"exit code {code}" if code is None or code >= 0 else f"signal {-code} ({_signal(-code)})"
        who = f"worker process {worker.process.pid}"
        if not worker.ready:
            # What it said stands on the error stream.
            return InputError(f"expected {who} to begin, got its end by {end} while it imported the program; {_MAIN}")
        number = next((job.number for job in worker.jobs if job.run == self._run), wanted)
        what = f"batch {number} of epoch {self._epoch}"
        do = "the system ends processes when memory is short (take fewer, or smaller batches), or compiled code crashed"
        again = f"loader.batch({number}, epoch={self._epoch}) makes it in this process"
        return WorkerError(f"expected {who} to make {what}, got its end by {end}; {do}; {again}")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _end(team: list[_Worker], control: Block, owner: int) -> None:
    """End processes: asked first, then told, then made to."""
    if owner != os.getpid():
        return
    control.bytes.view(np.int64)[:] = 0
    for worker in team:
        worker.dead = True  # whatever comes in between, such as another Ctrl-C
        worker.line.close()
    for how in ("", "terminate", "kill"):
        until = time.monotonic() + PATIENCE
        for worker in team:
            if how and worker.process.is_alive():
                getattr(worker.process, how)()
        for worker in team:
            worker.process.join(max(0.0, until - time.monotonic()))
    team.clear()
