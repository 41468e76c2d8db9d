"""Running an experiment: one comparison a network, each resumable, all on the same images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, ParameterError
from imagemill.evaluate.comparisons.compare import Step, compare
from imagemill.evaluate.experiments.experiment_file import Experiment, read_experiment
from imagemill.evaluate.experiments.experiment_images import fewer, images_of
from imagemill.evaluate.experiments.experiment_result import ExperimentResult
from imagemill.evaluate.inputs.arms import NONE, Arm
from imagemill.evaluate.inputs.experiment_data import Data, read_data

__all__ = ["run_experiment"]

STORE = "data"
"""The folder below OUT with prepared images, which no study may be called."""


@dataclass(frozen=True, slots=True)
class _Otherwise:
    """What is asked otherwise than an experiment's file says; None leaves it."""

    seeds: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    model: str | None = None
    only: Sequence[str] = ()

    def applied(self, experiment: Experiment) -> tuple[Experiment, tuple[str, ...]]:
        """The experiment that is run, and what differs, in words."""
        words, changed = [], experiment
        for name in ("seeds", "epochs", "batch_size"):
            asked, written = getattr(self, name), getattr(experiment, name)
            if asked is not None and asked != written:
                changed = replace(changed, **{name: asked})
                words.append(f"{name.replace('_', ' ')} {asked} in place of {written}")
        names = [study.name for study in experiment.studies]
        if unknown := [name for name in self.only if name not in names]:
            raise ParameterError(f"expected studies of {', '.join(names)}, got {', '.join(unknown)}")
        if self.only and set(self.only) != set(names):
            changed = replace(changed, studies=tuple(s for s in changed.studies if s.name in self.only))
            words.append(f"only {', '.join(study.name for study in changed.studies)}")
        if self.model is not None:
            words += [f"network {self.model} in place of {s.model}" for s in changed.studies if s.model != self.model]
            changed = replace(changed, studies=tuple(replace(s, model=self.model) for s in changed.studies))
        return changed, tuple(words)


def run_experiment(
    name: str | Path | Experiment,
    *,
    data: Path | str | Data | tuple[Any, Any] | None = None,
    out: Path | str,
    seeds: int | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    model: str | None = None,
    images: int | None = None,
    only: Sequence[str] = (),
    download: bool = False,
    workers: int = 1,
    runner: str = "torch",
    preparing: Callable[[int, int], None] | None = None,
    progress: Callable[[str, Step], None] | None = None,
) -> ExperimentResult:
    """Train every network of an experiment with every arm and seed, and put the figures beside the published ones.

    Parameters
    ----------
    name : str, Path or Experiment
        One of `known_experiments`, or a file.
    data : Path, str, or arrays ``((x_train, y_train), (x_test, y_test))``, optional
        Where its images are, prepared or in any form; see `images_of` for where they are looked for without it.
    out : Path or str
        Everything is kept there: images that had to be prepared, and a folder a study. A run that was stopped goes on.
    seeds, epochs, batch_size : int, optional
        In place of what the file says, as all of the following; the result says what was changed.
    model : str, optional
        Another network in place of every study's.
    images : int, optional
        Training images, drawn once; see `fewer`.
    only : sequence of str
        Of the studies; all without it.
    download : bool
        Get the images when they are nowhere.
    workers : int
        Threads that augment.
    runner : str
        The framework that trains.
    preparing : callable, optional
        Called with the images that are prepared and how many there are.
    progress : callable, optional
        Called with the study and a `Step` after each epoch.

    Returns
    -------
    ExperimentResult

    Raises
    ------
    InputError, ParameterError
        Before anything is trained.

    Examples
    --------
    >>> run_experiment("demo", out="unused", only=["cnn"])
    Traceback (most recent call last):
    imagemill.core.errors.ParameterError: expected studies of cnn-16, got cnn
    """
    folder = Path(out)
    read = name if isinstance(name, Experiment) else read_experiment(name)
    asked, changes = _Otherwise(seeds, epochs, batch_size, model, only).applied(read)
    if STORE in (study.name for study in asked.studies):
        raise InputError(f"expected no study called {STORE!r}, where images are prepared to; name it otherwise")
    if isinstance(data, Data | tuple):
        data = read_data(data)
    else:
        where = None if data is None else Path(data)
        data = images_of(asked, where, folder / STORE, download=download, progress=preparing)
    if images is not None and images != len(data.train[1]):
        changes = (*changes, f"{images:,} of {len(data.train[1]):,} training images")
        data = fewer(data, images)
    comparisons = {}
    for study in asked.studies:
        arms: Any = study.arms or (Arm(NONE),)
        comparisons[study.name] = compare(
            data,
            arms,
            model=study.model,
            seeds=asked.seeds,
            epochs=asked.epochs,
            batch_size=asked.batch_size,
            learning_rate=asked.learning_rate,
            stress=asked.stress,
            out=folder / study.name,
            workers=workers,
            runner=runner,
            progress=_told(progress, study.name),
        )
        # After each study: whoever stops a run of hours has the table as far as it got.
        found = ExperimentResult(asked, changes, dict(comparisons))
        found.write(folder)
    return found


def _told(progress: Callable[[str, Step], None] | None, study: str) -> Callable[[Step], None] | None:
    return None if progress is None else lambda step: progress(study, step)
