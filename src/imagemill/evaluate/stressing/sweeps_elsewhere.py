"""The sweeps of a stress test by other processes, or on many machines: each asks the model about one change.

Sweeps know nothing of each other, so each is one item of the runner. The model is sent as it was given: a file,
which whoever works opens once, or an object that can be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from imagemill.core.extras import require
from imagemill.data.records.record import Record, Stored
from imagemill.evaluate.inputs.asked_images import AskedImages
from imagemill.evaluate.stressing.asking import Answered, Asked, asked_of
from imagemill.evaluate.stressing.open_model import opened
from imagemill.evaluate.stressing.preparing import prepared
from imagemill.evaluate.stressing.profiles import Profile
from imagemill.evaluate.stressing.profiling import swept
from imagemill.evaluate.stressing.sweeps import Sweep
from imagemill.jobs.runner import Runner
from imagemill.jobs.where_to_run import engine_for

__all__ = ["AskSweep", "swept_elsewhere"]


@dataclass(frozen=True, slots=True, eq=False)
class AskSweep:
    """Asks about one change, sent once to whoever works.

    Parameters
    ----------
    model : Any
        As it was given to `stress`.
    data : AskedImages
    how : mapping
        Preparation, layout and scale, as they were given.
    level, hold : float
    refine : int
    clean : Answered
        What the model says of clean images.
    threads : int
        Of PyTorch, by which sums are rounded; 0 leaves them as they are.
    """

    model: Any
    data: AskedImages
    how: dict[str, Any]
    level: float
    hold: float
    refine: int
    clean: Answered
    threads: int = 0

    def __call__(self, sweep: Sweep) -> Iterator[Profile]:
        """The profile of one change."""
        if self.threads:
            require("torch", extra="torch").set_num_threads(self.threads)
        yield swept(_asked(self), sweep, self.clean, self.hold, self.refine, _silent)


def _silent(steps: int = 1) -> None:
    """Progress is told where the sweeps were asked for."""


@lru_cache(maxsize=1)
def _asked(work: AskSweep) -> Asked:
    predict, _ = prepared(opened(work.model), work.data, **work.how)
    return asked_of(predict, work.data, work.level)


def swept_elsewhere(
    work: AskSweep, sweeps: Sequence[Sweep], on: str, at_once: int, told: Callable[[], None]
) -> tuple[list[Profile], tuple[str, ...]]:
    """A profile of each sweep in their order, and remarks on the run.

    Raises
    ------
    InputError
        When the model or a change cannot be sent.
    WorkerError
        When workers are lost.
    """
    found: dict[int, Profile] = {}

    def note(rows: Sequence[tuple[int, Profile]]) -> None:
        found.update(rows)
        told()

    runner: Runner[Sweep, Profile] = Runner(
        work=work, note=note, record=_named, doing="asking", workers=at_once, engine=engine_for(on)
    )
    remarks = runner.run(sweeps, len(sweeps)).remarks
    return [found[place] for place in range(len(sweeps))], remarks


def _named(sweep: Sweep) -> Record:
    return Record(sweep.change.name, Stored(sweep.change.name, lambda: np.zeros(0)))
