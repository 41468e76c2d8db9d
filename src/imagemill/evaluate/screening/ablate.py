"""Taking a pipeline apart: arms with a transform less, and with one alone, in the order that a screen gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagemill.core.errors import InputError, ParameterError
from imagemill.data.dataset import Dataset
from imagemill.evaluate.comparisons.compare import compare
from imagemill.evaluate.comparisons.rounds import Step
from imagemill.evaluate.comparisons.run_log import RunLog
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.evaluate.inputs.arms import NONE, Arm, Stress, check_arm, read_arms
from imagemill.evaluate.inputs.experiment_data import Data, read_data
from imagemill.evaluate.runners.base import Runner
from imagemill.evaluate.runners.registry import runner_named
from imagemill.evaluate.screening.ablation import ALONE, WITHIN, Ablation, contributions
from imagemill.evaluate.screening.candidates import PassedOver, changes, reason, transforms_of
from imagemill.evaluate.screening.screen import screen
from imagemill.evaluate.screening.screened import BACKWARD, Screening
from imagemill.evaluate.statistics.intervals import FEWEST_SEEDS
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform

__all__ = ["ablate"]

_TRIED = 64


def ablate(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    pipeline: Mapping[str, Any] | Pipeline | Path | str,
    *,
    model: Any = "cnn",
    seeds: int | None = None,
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    stress: Sequence[Stress] | Mapping[str, Stress] = (),
    wild: Dataset | Path | str | None = None,
    out: Path | str | None = None,
    budget: float | TimeBudget | None = None,
    workers: int = 1,
    level: float = 0.95,
    device: str = "auto",
    precision: str = "auto",
    runner: str | Runner = "torch",
    log: str | RunLog | Sequence[str | RunLog] = (),
    screened: Callable[[int, int], None] | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Ablation:
    """Say what each transform of a pipeline does: leave it out, and use it alone.

    First the transforms are screened. Then one comparison is made of no augmentation, the whole pipeline, and two arms
    a transform, called ``"P without Rotate"`` and ``"only Rotate"``; those of the transforms that lead farthest from
    the data come first, because the screen expects most of leaving them out.

    Parameters
    ----------
    dataset : Dataset, Path, str, or arrays
        As `compare` takes it.
    pipeline : Pipeline, Path, str, or mapping of one name to one of those
        With two transforms or more.
    model, seeds, epochs, batch_size, learning_rate, stress, wild, workers, level
    device, precision, runner, log, progress
        As `compare` takes them.
    out : Path or str, optional
        Keep every run there, as `compare` does, and write ``ablation.json`` and ``ablation.md`` beside its results.
    budget : float or TimeBudget, minutes, optional
        As many arms as are expected to fit with three seeds, in the order of the screen, and then as many seeds as
        fit; arms that do not are named. What was begun in ``out`` goes on with the same arms.
    screened : callable, optional
        Called with the steps of the screen that are done, and how many there are.

    Returns
    -------
    Ablation

    Raises
    ------
    InputError
        When something does not fit, before anything is trained.

    Notes
    -----
    Intervals are Student's t over seeds; Holm's method holds the chance of any false verdict over all transforms and
    both ways, on each population, under ``1 - level``.

    Examples
    --------
    >>> import imagemill as im
    >>> import numpy as np
    >>> y = np.arange(40) % 2
    >>> x = np.random.default_rng(0).integers(0, 60, (40, 8, 8, 1)).astype(np.uint8)
    >>> x[y == 1, :, :4] += 150  # one class is bright on the left, one on the right
    >>> x[y == 0, :, 4:] += 150
    >>> both = im.Pipeline([im.Flip("y", p=0.5), im.Flip("x", p=0.5)])
    >>> found = ablate(Data((x, y), (x, y), ("right", "left")), {"both": both}, model="dense", epochs=1, seeds=1)
    >>> list(found.comparison.design["arms"])
    ['none', 'both', 'both without Flip 2', 'only Flip 2']
    >>> [(one.transform, one.how, one.arm) for one in found.contributions[2:]]
    [('Flip', 'within', 'only Flip 2'), ('Flip', 'alone', 'both without Flip 2')]
    """
    clock = budget if isinstance(budget, TimeBudget) else TimeBudget(budget)
    network = runner_named(runner).network(model)
    data = read_data(dataset, getattr(network, "task", "classification"))
    arms = read_arms(
        pipeline if isinstance(pipeline, Mapping) else [pipeline], data.train[0].shape[-3:-1], data.classes
    )
    if len(arms) != 2:
        raise ParameterError(f"expected one pipeline to take apart, got {len(arms) - 1}; ablate one after the other")
    whole = arms[1]
    parts = dict(transforms_of(whole))
    if len(parts) < 2:
        raise ParameterError(f"expected a pipeline of two transforms or more, got {len(parts)}; compare it as an arm")
    some = _some(data)
    check_arm(whole, *some)
    how: dict[str, Any] = {
        "model": model, "epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate,
        "workers": workers, "level": level, "device": device, "precision": precision, "runner": runner,
    }  # fmt: skip
    before = clock.left
    screening = screen(data, {whole.name: whole.pipeline}, shipped=False, progress=screened, **how)
    runs = screening.cost.images / (BACKWARD * epochs * len(data.train[1]))
    if clock.minutes is not None:
        clock.learn(before - clock.left, runs)
    made, lost = _parts(whole, parts, _order(parts, whole.name, screening), some)
    chosen = _chosen(made, clock, out)
    named = {arm.name: arm.pipeline for arm in (whole, *(arm for _, _, arm in chosen)) if arm.name != NONE}
    found = compare(
        data, named, seeds=seeds, stress=stress, wild=wild, out=out, budget=clock, log=log, progress=progress, **how
    )  # fmt: skip
    asked = [(transform, way, arm.name) for transform, way, arm in chosen]
    left = tuple(dict.fromkeys(arm.name for _, _, arm in made if arm.name not in {*named, NONE}))
    done = Ablation(whole.name, screening, found, contributions(found, whole.name, asked, level), tuple(lost), left)
    if out is not None:
        done.write(out)
    return done


def _some(data: Data) -> tuple[Any, Any, Any]:
    """Images on which arms are tried, with their label maps and spacing where there are any."""
    maps = None if data.task == "classification" else data.train[1][:_TRIED]
    return data.train[0][:_TRIED], maps, None if data.spacing[0] is None else data.spacing[0][:_TRIED]


def _order(parts: Mapping[str, Transform], pipeline: str, screening: Screening) -> list[str]:
    """The transforms, those that lead farthest from the data first, those that the screen passed over last."""
    places = {one.name: place for place, one in enumerate(reversed(screening.ranked))}
    return sorted(parts, key=lambda name: places.get(f"{name} of {pipeline}", len(places)))


def _parts(
    whole: Arm, parts: Mapping[str, Transform], order: Sequence[str], some: tuple[Any, Any, Any]
) -> tuple[list[tuple[str, str, Arm]], list[PassedOver]]:
    """The arms that can be trained and say something, and those that cannot."""
    made: list[tuple[str, str, Arm]] = []
    lost = []
    for name in order:
        rest = [transform for other, transform in parts.items() if other != name]
        without = Arm(f"{whole.name} without {name}", Pipeline(rest, seed=0))
        for way, arm in ((WITHIN, without), (ALONE, Arm(f"only {name}", Pipeline([parts[name]], seed=0)))):
            try:
                check_arm(arm, *some)
            except InputError as error:
                lost.append(PassedOver(arm.name, reason(error)))
                continue
            if changes(arm, *some):
                # Of two transforms, the pipeline without the one is the other alone: one arm says both.
                made.append((name, way, next((other for _, _, other in made if other.digest == arm.digest), arm)))
            elif way == WITHIN:
                made.append((name, way, Arm(NONE)))
            else:
                lost.append(PassedOver(arm.name, "changes no pixel of these images"))
    if not made:
        raise InputError(f"expected a pipeline that can be taken apart, got {lost[0].name!r}: {lost[0].why}")
    return made, lost


def _chosen(
    made: Sequence[tuple[str, str, Arm]], clock: TimeBudget, out: Path | str | None
) -> Sequence[tuple[str, str, Arm]]:
    """The arms to train: those that were begun with, or as many as fit, one at least."""
    design = Path(out) / "design.json" if out is not None else None
    names = list(dict.fromkeys(arm.name for _, _, arm in made if arm.name != NONE))
    fit = clock.fits()
    if design is not None and design.is_file():
        names = json.loads(design.read_text("utf-8")).get("arms", names)
    elif fit is not None:
        names = names[: max(1, fit // FEWEST_SEEDS - 2)]
    return [one for one in made if one[2].name in {*names, NONE}]
