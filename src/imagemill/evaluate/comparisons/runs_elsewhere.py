"""The runs of a comparison by other processes, or on many machines, each run by one of them and in any order.

A run is a function of its arm and its seed. What it gave is kept as if it had been trained here, and the comparison
then finds all runs done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.data.records.record import Record, Stored
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.comparisons.rounds import or_diverged
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.evaluate.inputs.arms import Arm, Population
from imagemill.evaluate.runners.base import Runner
from imagemill.evaluate.runners.ranks import world_size
from imagemill.evaluate.runners.recipe import Recipe, Trained
from imagemill.jobs.runner import Runner as Jobs
from imagemill.jobs.where_to_run import check_apart, engine_for

__all__ = ["TrainRun", "check_elsewhere", "train_elsewhere"]

Run = tuple[Arm, int]
"""An arm and a seed."""


def check_elsewhere(on: str | None, at_once: int, budget: TimeBudget) -> None:
    """Refuse what cannot train runs that may not share a process, since each takes the random state of its own.

    Raises
    ------
    InputError
        For threads, together with a budget, or in one of several processes that train together.
    """
    if on is None:
        return
    check_apart(on, at_once)
    if budget.minutes is not None:
        raise InputError(f"expected a budget or on, got {budget.minutes:g} minutes and {on!r}; name the seeds instead")
    if world_size() > 1:
        raise InputError(f"expected one process for on={on!r}, got {world_size()}; leave on out, or torchrun")


@dataclass(frozen=True, slots=True)
class TrainRun:
    """Trains one run, sent once to whoever works.

    Parameters
    ----------
    trainer : Runner
    model : Any
        A name, file or network, which whoever works opens: networks by name hold functions that cannot be sent.
    given : tuple
        Training images, labels, and spacing for label maps.
    asked : sequence of Population
    classes : int
    recipe : Recipe
    threads : int
        Of PyTorch, by which sums are rounded; 0 leaves them as they are.
    """

    trainer: Runner
    model: Any
    given: tuple[Any, ...]
    asked: Sequence[Population]
    classes: int
    recipe: Recipe
    threads: int = 0

    def __call__(self, item: Run) -> Iterator[Trained]:
        """One run, without the network itself."""
        if self.threads:
            require("torch", extra="torch").set_num_threads(self.threads)
        (arm, seed), network = item, self.trainer.network(self.model)
        found = self.trainer.train(arm, network, self.given, self.asked, self.classes, seed, self.recipe)
        yield replace(found, predict=None, network=None, losses=None)


def train_elsewhere(
    work: TrainRun, arms: Sequence[Arm], seeds: int, kept: KeptRuns, on: str | None, at_once: int
) -> tuple[str, ...]:
    """Train the runs that are not kept yet, and keep them; remarks on the way. Nothing where `on` is None.

    Raises
    ------
    InputError
        When something cannot be sent.
    WorkerError
        When workers are lost; what was done is kept.
    """
    if on is None:
        return ()
    missing = [(arm, seed) for seed in range(seeds) for arm in arms if kept.get(arm.name, seed) is None]
    if not missing:
        return ()

    def note(rows: Sequence[tuple[int, Trained]]) -> None:
        for _, run in rows:
            kept.put(or_diverged(run))

    threads = int(require("torch", extra="torch").get_num_threads()) if work.trainer.name == "torch" else 0
    jobs: Jobs[Run, Trained] = Jobs(
        work=replace(work, threads=threads),
        note=note,
        record=lambda run: _named(*run),
        doing="training",
        workers=at_once,
        engine=engine_for(on),
    )
    return jobs.run(missing, len(missing)).remarks


def _named(arm: Arm, seed: int) -> Record:
    name = f"{arm.name}, seed {seed}"
    return Record(name, Stored(name, lambda: np.zeros(0)))
