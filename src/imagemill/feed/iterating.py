"""Loops over a loader: each takes an epoch of its own, and any number may run at once."""

from __future__ import annotations

import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from imagemill.core.errors import InputError
from imagemill.feed.batch import LoadedBatch
from imagemill.feed.making.making import Made
from imagemill.feed.meter import Meter
from imagemill.feed.workers.stream import STOPPED, Stream
from imagemill.jobs.threads import one_opencv_thread

if TYPE_CHECKING:
    from imagemill.feed.workers.processes import ProcessStream

__all__ = ["Loop", "Track"]


@dataclass(eq=False, slots=True)
class Track:
    """Which epoch the next loop takes, and which batch a state names.

    Parameters
    ----------
    batches : int
        Of an epoch.
    epoch, first : int
        Where the next loop begins.
    moves : int
        How often somebody else than the loops said where to begin.
    """

    batches: int
    epoch: int = 0
    first: int = 0
    moves: int = 0
    _at: tuple[int, int] | None = None
    _loaded: bool = False
    _turns: int = 0
    _running: weakref.WeakSet[Loop] = field(default_factory=weakref.WeakSet)
    _lock: Any = field(default_factory=threading.RLock)

    @property
    def here(self) -> tuple[int, int]:
        """Epoch and batch that come next in the loop that got a batch last, or else in the next one."""
        return (self.epoch, self.first) if self._at is None else self._at

    @property
    def place(self) -> tuple[int, int]:
        """The same, where the end of an epoch is the beginning of the next."""
        epoch, batch = self.here
        return (epoch, batch) if batch < self.batches else (epoch + 1, 0)

    @property
    def is_fresh(self) -> bool:
        """Whether nobody took a batch yet, or said where to begin."""
        return not self._turns and not self.moves

    def begin(self, loop: Loop) -> tuple[int, int]:
        """Epoch and first batch of a loop."""
        with self._lock:
            found = self.epoch, self.first
            self.epoch, self.first, self._loaded = self.epoch + 1, 0, False
            self._running.add(loop)
            return found

    def handed(self, loop: Loop) -> None:
        """Note that a loop got a batch."""
        with self._lock:
            self._turns += 1
            loop.turn, self._at = self._turns, (loop.epoch, loop.number)

    def left(self, loop: Loop, *, ended: bool) -> None:
        """Note that a loop got its last batch (``ended``) or that nobody asks it for more."""
        with self._lock:
            if loop not in self._running:
                return
            self._running.discard(loop)
            if self._at != (loop.epoch, loop.number):
                return
            # The loop around this one goes on; without one, an epoch that was left early can still be gone on with.
            others = [other for other in self._running if other.turn]
            latest = max(others, key=lambda other: other.turn, default=None)
            if latest is not None:
                self._at = (latest.epoch, latest.number)
            elif ended:
                self._at = None

    def go_to(self, epoch: int, first: int = 0, *, loaded: bool = False) -> None:
        """Say where the next loop begins; those that run go on as they are."""
        with self._lock:
            self.epoch, self.first, self._loaded, self._at = epoch, first, loaded, None
            self.moves += 1

    def set_epoch(self, epoch: int) -> None:
        """The same from the user, who may not know that a state was loaded that says more."""
        if self._loaded and epoch == self.epoch:
            return
        if self._loaded and (self.first or epoch < self.epoch):
            said = f"epoch {self.epoch}" + (f", batch {self.first}" if self.first else "")
            do = "leave set_epoch out before the first epoch to go on from the state"
            warnings.warn(
                f"the loaded state says {said}, and set_epoch({epoch}) begins epoch {epoch} anew; {do}", stacklevel=3
            )
        self.go_to(epoch)

    def put_back(self, epoch: int, first: int) -> None:
        """Have the next loop begin where one did whose batches were not used."""
        self.go_to(epoch, first)
        self.moves -= 1

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, also one in another process, begins where this one is; loops are not copied.
        return _copied, (self.batches, self.epoch, self.first, self.moves, self._at, self._loaded)

    def close(self) -> None:
        """End the loops that run."""
        for loop in list(self._running):
            loop.cut()


def _copied(*parts: Any) -> Track:
    return Track(*parts)


class Loop(Iterator[LoadedBatch]):
    """The batches of one epoch, which it takes when it is asked for the first.

    Parameters
    ----------
    loader : Loader
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self.epoch = self.number = -1
        self.turn = 0
        self._over = self._cut = False
        self._stack = ExitStack()
        self._stream: Stream[Made] | ProcessStream | None = None
        self._meter: Meter | None = None
        self._handed = 0.0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> LoadedBatch:
        if self._cut:
            raise self._stopped()
        if self._over:
            raise StopIteration
        asked = time.perf_counter()
        # Starting the workers is waiting for the first batch.
        meter = self._meter or self._begin(asked)
        meter.consuming += asked - self._handed
        if self.number >= len(self._loader):
            self._end(ended=True)
            raise StopIteration
        try:
            made = self._here() if self._stream is None else self._stream.take()
        except StopIteration:  # nothing is left of it, though batches are
            self.cut()
            raise self._stopped() from None
        except BaseException:
            self.close()
            raise
        self.number += 1
        self._handed = time.perf_counter()
        self._loader._note(made)
        self._loader._track.handed(self)
        meter.add(made.clock, len(made.batch), self._handed - asked)
        return made.batch

    def _begin(self, now: float) -> Meter:
        loader, self._handed = self._loader, now
        self.epoch, self.number = loader._track.begin(self)
        meter = self._meter = Meter(loader.workers, self.epoch, loader.meter.stored, processes=loader.processes)
        try:
            if loader.workers:
                if not loader.processes:
                    self._stack.enter_context(one_opencv_thread())
                self._stream = loader._stream(self.epoch, self.number)
                self._stack.callback(self._stream.close)
        except BaseException:
            self.close()
            loader._track.put_back(self.epoch, self.number)
            raise
        if self._cut:  # by another thread, meanwhile
            self._stack.close()
            raise self._stopped()
        loader._meter = meter
        return meter

    def _here(self) -> Made:
        try:
            made: Made = self._loader._maker.make(self.epoch, self.number)
        except StopIteration as error:
            raise RuntimeError(STOPPED) from error
        return made

    def _stopped(self) -> InputError:
        want = f"batch {self.number} of {len(self._loader)} of epoch {self.epoch}"
        got = "a loader that was closed in the middle of it (close, the end of a with block, an error in another loop)"
        do = "take the loop into the with block, or go on with another loop after load_state_dict"
        return InputError(f"expected {want}, got {got}; {do}")

    def _end(self, *, ended: bool) -> None:
        self._over = True
        self._stack.close()
        self._loader._track.left(self, ended=ended)

    def cut(self) -> None:
        """End it, and say so to whoever asks for more: an epoch that is over looks otherwise."""
        self._cut = True
        self._end(ended=False)

    def close(self) -> None:
        """End it."""
        self._end(ended=False)

    def __del__(self) -> None:
        # Not where __init__ failed half-way.
        if hasattr(self, "_handed"):
            self.close()
