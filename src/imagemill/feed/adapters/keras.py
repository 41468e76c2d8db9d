"""Keras 3: a PyDataset whose batches are made by the loader's own threads."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

from imagemill.core.extras import require
from imagemill.core.randomness import dataloader as loops
from imagemill.feed.adapters.base import Names, check_alone, columns_of, plain_column
from imagemill.feed.adapters.jax import check as check_jax

__all__ = ["py_dataset"]


def py_dataset(loader: Any, columns: Names) -> Any:
    """A dataset that gives the loader's batches in their order, epoch after epoch, whatever an epoch of Keras is.

    Within `fit` and `evaluate` the batches come in the loader's order, whatever numbers Keras asks for: it shuffles the
    numbers, and so the k-th that it asks for is the k-th that is made. With ``steps_per_epoch`` the next epoch of Keras
    goes on where the last one was. Training goes on from a loaded state, or with ``initial_epoch`` where nobody else
    said where to begin. A loader that does not shuffle begins its epoch anew for each `evaluate` and `predict`, so that
    ``validation_steps`` are the same rows each time. At any other time a number is a batch of the present epoch.
    """
    keras = require("keras", extra="keras")
    _check(loader)

    class Batches(keras.utils.PyDataset):  # type: ignore[misc,name-defined]  # keras is absent when types are checked
        def __init__(self) -> None:
            # Not with threads of Keras: what those made ahead is handed out in the next epoch, instead of its own.
            super().__init__(workers=1, use_multiprocessing=False)
            self._steps = _Steps(loader)

        @property
        def epoch(self) -> int:
            """The loader's."""
            return int(loader.epoch)

        def __len__(self) -> int:
            return len(loader)

        def __getitem__(self, number: int) -> Any:
            if not 0 <= number < len(self):
                raise IndexError(f"expected a batch from 0 to {len(self) - 1}, got {number}")
            batch = self._steps.next()
            return columns_of(loader.batch(number) if batch is None else batch, columns, plain_column)

        def on_epoch_begin(self) -> None:
            self._steps.begin()

        def on_epoch_end(self) -> None:
            self._steps.end()

    Batches.__name__ = "KerasDataset"
    return Batches()


def _check(loader: Any) -> None:
    """Refuse a loader of all rows where several processes have met, on whichever backend."""
    met = loops.distributed()
    if met is not None:
        check_alone(loader, met[1], "torch.distributed.get_rank()")
    jax = sys.modules.get("jax")
    if jax is not None:
        check_jax(loader, jax)


class _Steps:
    """The loader's running loop, from one epoch of Keras to the next.

    Keras calls ``on_epoch_end`` after an epoch, and also when it starts anew: before `fit`, where it may have taken a
    batch to build the model, and before `evaluate` and `predict`. The two are told from each other by who calls.
    """

    def __init__(self, loader: Any) -> None:
        self._loader, self._track = loader, loader._track
        self._lock = threading.Lock()
        self._loop: Any = None
        self._moves = self._track.moves
        self._within = False
        self._begun = (0, 0)
        self._taken = 0

    def begin(self) -> None:
        """An epoch of Keras begins."""
        with self._lock:
            if self._moves != self._track.moves:  # somebody said where to go on: set_epoch, load_state_dict
                self._drop()
            if self._track.is_fresh:
                self._go_to_the_first()
            if self._loop is None:
                self._loop = iter(self._loader)
                self._begun = (self._track.epoch, self._track.first)
            else:
                self._begun = (self._loop.epoch, self._loop.number)
            self._moves, self._taken, self._within = self._track.moves, 0, True

    def next(self) -> Any:
        """The next batch; None where no epoch is under way, or nothing is left of the loader's."""
        with self._lock:
            if not self._within or self._loop is None:
                return None
            batch = next(self._loop, None)
            if batch is None and self._taken < len(self._loader):
                # The loader's epoch began within one of Keras, which has all its steps all the same.
                self._loop = iter(self._loader)
                batch = next(self._loop, None)
            self._taken += batch is not None
            return batch

    def end(self) -> None:
        """An epoch of Keras is over, or it starts anew."""
        with self._lock:
            self._within = False
            if _called_by("reset", sys._getframe(), 6) is not None:
                self._start_anew()
                return
            if self._loop is not None and self._loop.number >= len(self._loader):
                next(self._loop, None)  # so that the loader knows as well
                self._loop = None
            self._taken = 0

    def _start_anew(self) -> None:
        if self._loop is None or self._moves != self._track.moves:
            return
        begun = self._loop.epoch >= 0
        epoch, first = self._begun
        if begun and not self._loader.shuffles:
            first = 0
        if begun and (self._taken or not self._loader.shuffles):
            # What was taken since the epoch began was only looked at.
            self._drop()
            self._track.put_back(epoch, first)
        self._taken = 0

    def _drop(self) -> None:
        if self._loop is not None:
            self._loop.close()
        self._loop = None

    def _go_to_the_first(self) -> None:
        """Begin where ``initial_epoch`` says: the rows and draws of the epochs before it were used already."""
        found = _fit(sys._getframe())
        if found is None:
            return
        epoch, steps = found
        if epoch and steps:
            epoch, first = divmod(epoch * steps, len(self._loader))
            self._track.put_back(epoch, first)
        else:
            self._track.put_back(epoch, 0)


def _fit(frame: FrameType) -> tuple[int, int | None] | None:
    """``initial_epoch`` and ``steps_per_epoch`` of the `fit` that is running: Keras tells a dataset neither."""
    found = _called_by("fit", frame, 24)
    if found is None or "initial_epoch" not in found.f_locals:
        return None
    steps = found.f_locals.get("steps_per_epoch")
    return int(found.f_locals["initial_epoch"] or 0), None if steps is None else int(steps)


def _called_by(name: str, frame: FrameType | None, most: int) -> FrameType | None:
    """The nearest of some frames that is a method of Keras of this name."""
    for _ in range(most):
        if frame is None:
            return None
        if frame.f_code.co_name == name and str(frame.f_globals.get("__name__", "")).partition(".")[0] == "keras":
            return frame
        frame = frame.f_back
    return None
