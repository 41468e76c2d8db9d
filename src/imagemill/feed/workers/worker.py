"""What a worker process does: make the batches it is asked for, in memory that the asking process sees.

Over the line go small tuples only. The process that asks sends two blocks first, one with the numbers of the runs that
are wanted, each in its place, and the packed maker; then `Job` after `Job`. It gets `READY` once, and one `Reply` for
each job,
in order.
"""

from __future__ import annotations

import pickle
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.engine.buffers import Buffers
from imagemill.feed.making.making import Made, Maker
from imagemill.feed.workers.sending import LARGE, aligned, unpack_maker
from imagemill.feed.workers.shared_memory import Block
from imagemill.jobs.sent_errors import SentError

__all__ = ["READY", "Job", "Reply", "read_made", "work"]

READY = "ready"

Spans = tuple[tuple[int, int], ...]
"""Offsets and sizes."""


class Job(NamedTuple):
    """A batch to make.

    Parameters
    ----------
    run : int
        Which loop over an epoch it is for.
    place : int
        The batch is wanted as long as the number of the run stands at this place of the control block.
    epoch, number : int
    slot : int
        Which of its blocks the worker is to write into; it makes those that it does not have yet.
    size : int
        Bytes that batches have needed so far.
    forget : tuple of int
        Blocks that are not needed any more.
    """

    run: int
    place: int
    epoch: int
    number: int
    slot: int
    size: int
    forget: tuple[int, ...]


class Reply(NamedTuple):
    """What became of a job.

    Parameters
    ----------
    spans : tuple of pairs of int
        Where in the block the batch lies: its pickle, then the large arrays. Empty for a job that was not wanted
        any more.
    fresh : bool
        Whether the block is a new one, which follows this message.
    failure : SentError or None
    """

    spans: Spans = ()
    fresh: bool = False
    failure: SentError | None = None


class _Desk(Buffers):
    """Memory for batches: the pipeline writes straight into the block that is handed over."""

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[int, Block] = {}
        self._block: Block | None = None
        self._used = 0
        self.fresh = False

    def forget(self, slots: tuple[int, ...]) -> None:
        """Give blocks back."""
        for slot in slots:
            self._blocks.pop(slot, None)

    def begin(self, job: Job) -> None:
        """Lay the block of a job ready."""
        self._block, self._used, self.fresh = self._blocks.get(job.slot), 0, False
        if job.size and (self._block is None or self._block.size < job.size):
            self._renew(job, job.size)

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Room in the block; other memory, to be copied later, where there is none left."""
        dtype = np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        room = 0 if self._block is None else self._block.size - self._used
        if self._block is None or size > room or size < LARGE:
            return np.empty(shape, dtype)
        at, self._used = self._used, self._used + aligned(size)
        return self._block.bytes[at : at + size].view(dtype).reshape(shape)

    def lay(self, job: Job, made: Made) -> Spans:
        """Put what is not there yet into the block, into a larger one where it has no room."""
        arrays: list[memoryview] = []

        def aside(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes >= LARGE:
                arrays.append(raw)
            return raw.nbytes < LARGE

        said = memoryview(pickle.dumps(made, 5, buffer_callback=aside))
        parts = [said, *arrays]
        places = [None if self._block is None else self._block.holds(part) for part in parts]
        new = sum(aligned(part.nbytes) for part, place in zip(parts, places, strict=True) if place is None)
        if self._block is None or self._used + new > self._block.size:
            self._renew(job, sum(aligned(part.nbytes) for part in parts))
            places, self._used = [None] * len(parts), 0
        return tuple(self._laid(part, place) for part, place in zip(parts, places, strict=True))

    def _laid(self, part: memoryview, place: int | None) -> tuple[int, int]:
        assert self._block is not None
        if place is None:
            place, self._used = self._used, self._used + aligned(part.nbytes)
            self._block.bytes[place : place + part.nbytes] = np.frombuffer(part, np.uint8)
        return place, part.nbytes

    def _renew(self, job: Job, size: int) -> None:
        # With room for batches somewhat larger: what is never written to takes no memory.
        size = max(size, job.size)
        self._block = self._blocks[job.slot] = Block.new(size + size // 4 if size > job.size else size)
        self.fresh = True

    def send(self, connection: Connection) -> None:
        """Let the other side have a new block, which needs no open file from then on."""
        assert self._block is not None
        self._block.send(connection)
        self._block.close_file()


def read_made(block: npt.NDArray[np.uint8], spans: Spans) -> Made:
    """The batch that lies in a block; its large arrays are views of it, the rest are copies."""
    said, *arrays = (block[at : at + size] for at, size in spans)
    found: Made = pickle.loads(said.data, buffers=arrays)
    return found


def work(connection: Connection) -> None:
    """Make batches until nobody asks any more; this is all that a worker process runs."""
    # Ctrl-C goes to all processes of a terminal: the one that asks for batches ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # The other end is closed, or its process is gone: nothing is left to do, and nobody to tell.
    with connection, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _serve(connection)


def _serve(connection: Connection) -> None:
    control = Block.receive(connection).bytes.view(np.int64)
    said = Block.receive(connection, private=True)
    try:
        desk, maker = _Desk(), _maker(said)
    except BaseException as error:  # the other side gets it, whatever it is
        connection.send(SentError.of(error))
        return
    if maker.pipeline is not None and not maker.pipelines:
        # The parts of classes are put together in other memory, and copied from there.
        maker.pipeline.buffers = desk
    connection.send(READY)
    while True:
        job: Job = connection.recv()
        reply = _answer(job, maker, desk, control)
        connection.send(reply)
        if reply.fresh:
            desk.send(connection)


def _maker(said: Block) -> Maker:
    import cv2

    cv2.setNumThreads(1)  # the processes are the threads
    try:
        return unpack_maker(said)
    except (AttributeError, ImportError) as error:
        do = "put your functions into a module beside the program, or take threads: workers=2"
        raise InputError(f"expected what other processes can import, got: {error}; {do}") from error


def _answer(job: Job, maker: Maker, desk: _Desk, control: npt.NDArray[np.int64]) -> Reply:
    def stopped() -> bool:
        return bool(control[job.place] != job.run)

    desk.forget(job.forget)
    if stopped():
        return Reply()
    try:
        desk.begin(job)
        return Reply(desk.lay(job, maker.make(job.epoch, job.number, stopped)), desk.fresh)
    except BaseException as error:  # the other side gets it, whatever it is
        return Reply((), desk.fresh, None if stopped() else SentError.of(error))
