"""Running an experiment: one comparison a network, each resumable, all on the same images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, ParameterError
from imagemill.evaluate.comparisons.compare import Step, compare
from imagemill.evaluate.comparisons.comparison import Comparison
from imagemill.evaluate.comparisons.kept_runs import complete_seeds
from imagemill.evaluate.comparisons.time_budget import TimeBudget, TooShortError
from imagemill.evaluate.experiments.experiment_file import Experiment, Study, read_experiment
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
        """The experiment as it is run, with all its studies, and what differs, in words; seeds are told by study."""
        words, changed = [], experiment
        for name in ("seeds", "epochs", "batch_size"):
            asked, written = getattr(self, name), getattr(experiment, name)
            if asked is not None and asked != written:
                changed = replace(changed, **{name: asked})
                if name != "seeds":
                    words.append(f"{name.replace('_', ' ')} {asked} in place of {written}")
        names = [study.name for study in experiment.studies]
        if unknown := [name for name in self.only if name not in names]:
            raise ParameterError(f"expected studies of {', '.join(names)}, got {', '.join(unknown)}")
        if self.model is not None:
            others = dict.fromkeys(study.model for study in changed.studies if study.model != self.model)
            words += [f"network {self.model} in place of {other}" for other in others]
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
    budget: float | None = None,
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
        Of the studies; all without it. Those that ``out`` holds from before stay in the table, with the seeds that are
        complete there; they are not trained on.
    budget : float, minutes, optional
        For all studies that are trained now: each gets an equal share of what is left when it begins, and ends with
        whole seeds. The same again goes on from there.
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
    folder, time = Path(out), TimeBudget(budget)
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
    run = partial(_compared, asked, data, folder, workers=workers, runner=runner)
    chosen = [study for study in asked.studies if not only or study.name in only]
    there, lost = _from_before([study for study in asked.studies if study not in chosen], folder, run)
    found = _result(read, asked, (*changes, *lost), there)
    for number, study in enumerate(chosen):
        # What one leaves of its share, those after it get.
        share = None if time.minutes is None else max(time.left, 1e-3) / 60 / (len(chosen) - number)
        try:
            there[study.name] = run(study, seeds=asked.seeds, budget=share, progress=_told(progress, study.name))
        except TooShortError as error:
            lost.append(f"nothing of {study.name}: {error}")
            if number == len(chosen) - 1 and not there:
                raise
        # After each study: whoever stops a run of hours has the table as far as it got.
        found = _result(read, asked, (*changes, *lost), there)
        if there:
            found.write(folder)
    return found


def _compared(
    asked: Experiment,
    data: Data,
    folder: Path,
    study: Study,
    *,
    seeds: int,
    workers: int,
    runner: str,
    budget: float | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Comparison:
    """One study, trained as far as it is not there."""
    arms: Any = study.arms or (Arm(NONE),)
    return compare(
        data,
        arms,
        model=study.model,
        seeds=seeds,
        epochs=asked.epochs,
        batch_size=asked.batch_size,
        learning_rate=asked.learning_rate,
        stress=asked.stress,
        out=folder / study.name,
        workers=workers,
        runner=runner,
        budget=budget,
        progress=progress,
    )


def _from_before(
    studies: Sequence[Study], folder: Path, run: Callable[..., Comparison]
) -> tuple[dict[str, Comparison], list[str]]:
    """Studies that are not asked for and that a folder holds, and in words those that it holds otherwise."""
    there, lost = {}, []
    for study in studies:
        if not (seeds := complete_seeds(folder / study.name)):
            continue
        try:
            there[study.name] = run(study, seeds=seeds)
        except InputError as error:
            lost.append(f"nothing of {study.name}, which is there from before otherwise: {error}")
    return there, lost


def _result(
    written: Experiment, asked: Experiment, changes: Sequence[str], there: Mapping[str, Comparison]
) -> ExperimentResult:
    """The studies that are there, in the order of the file, with what differs from it."""
    studies = tuple(study for study in asked.studies if study.name in there)
    words = [*changes]
    if len(studies) < len(asked.studies):
        words.append(f"only {', '.join(study.name for study in studies)}")
    by_seeds: dict[int, list[str]] = {}
    for study in studies:
        by_seeds.setdefault(there[study.name].design["seeds"], []).append(study.name)
    for seeds, names in by_seeds.items():
        if seeds != written.seeds:
            whose = f" ({', '.join(names)})" if len(by_seeds) > 1 else ""
            words.append(f"seeds {seeds} in place of {written.seeds}{whose}")
    return ExperimentResult(
        replace(asked, studies=studies), tuple(words), {study.name: there[study.name] for study in studies}
    )


def _told(progress: Callable[[str, Step], None] | None, study: str) -> Callable[[Step], None] | None:
    return None if progress is None else lambda step: progress(study, step)
