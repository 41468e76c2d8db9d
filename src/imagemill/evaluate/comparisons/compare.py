"""Comparing augmentations: every arm trained with every seed, and what the differences are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.near_words import takes
from imagemill.data.dataset import Dataset
from imagemill.evaluate.comparisons.comparison import Comparison, Material, compared
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.comparisons.rounds import MOST_SEEDS, Rounds, Step
from imagemill.evaluate.comparisons.run_log import RunLog, followed
from imagemill.evaluate.comparisons.runs_elsewhere import TrainRun, check_elsewhere, train_elsewhere
from imagemill.evaluate.comparisons.screen_section import Screen, arm_flags
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.evaluate.inputs.arms import CLEAN, Arm, Population, Stress, check_arm, populations, read_arms
from imagemill.evaluate.inputs.experiment_data import Data, check_data, read_data, read_wild, remarks
from imagemill.evaluate.runners.base import Runner, processes_of
from imagemill.evaluate.runners.ranks import joined
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained, held_back, one_left_out
from imagemill.evaluate.runners.registry import runner_named
from imagemill.evaluate.runners.torch_networks import Network
from imagemill.evaluate.statistics.intervals import check_level

__all__ = ["Step", "compare"]


@takes
def compare(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    pipelines: Mapping[str, Any] | Sequence[Any],
    *,
    model: str | Path | Network = "cnn",
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
    runner: str | Runner = "torch",
    log: str | RunLog | Sequence[str | RunLog] = (),
    device: str = "auto",
    precision: str = "auto",
    screen: Screen | None = None,
    on: str | None = None,
    at_once: int = 2,
    progress: Callable[[Step], None] | None = None,
) -> Comparison:
    """Train with and without augmentation, and say whether the difference is one.

    For each seed all arms share initial weights, validation images and the order of batches; between seeds all of
    that is drawn anew. No augmentation is always an arm. What is learned is asked about the clean test images, about
    each stressed copy of them, and about images of your own. Networks for label maps are compared by the Dice of each
    image.

    In a program that ``torchrun`` starts several times the processes train each network together, and the first of them
    writes.

    Parameters
    ----------
    dataset : Dataset, Path, str, or arrays ``((x_train, y_train), (x_test, y_test))``
        Prepared, with a training and a test part, and one label or label map an image. A validation part joins the
        training images: others are held back anew for each seed.
    pipelines : mapping or sequence of Pipeline, Path or str
        The arms; they change training images only, and keep size and type.
    model : str, Path or Network
        A name of `NETWORKS`, or a Python file with ``build(shape, classes)``.
    seeds : int, optional
        Pairs of every arm with no augmentation; under 3 there is no verdict. Left out, 3, and with a budget as many as
        fit into it.
    epochs, batch_size : int
    learning_rate : float
    stress : sequence or mapping of str, Path or Pipeline
        Further populations of the test images: ``"invert"``, ``"shift:4px"``, any change by name, a pipeline; a
        mapping names them.
    wild : Dataset, Path or str, optional
        Prepared in the same size, with the same classes: images from where the network will be used.
    out : Path or str, optional
        Keep every run there; a comparison that was stopped goes on, and ends in the same ``results.json``.
    budget : float or TimeBudget, minutes, optional
        Seeds are trained one after the other, each with all arms, and a seed begins when it is expected to fit. A
        comparison that its budget ended is that of the seeds that are done; with ``out`` it goes on from there.
    workers : int
        Threads that augment.
    level : float, 0 to 1
        Of the intervals.
    runner : str or Runner
        The framework that trains: ``"torch"``, ``"keras"`` on the backend that ``KERAS_BACKEND`` names, or
        ``"keras-torch"``, ``"keras-jax"``, ``"keras-tensorflow"``.
    log : str, RunLog, or sequence of both
        Other tools to follow it in: ``"tensorboard:DIR"``, ``"mlflow"``, ``"mlflow:URI"``.
    device : {"auto", "cpu", "cuda"}
        A GPU where there is one, for ``"auto"``.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Mixed on GPUs and float32 on CPUs, for ``"auto"``.
    screen : Screening, optional
        What `screen` said of the arms' transforms: it stands in the report, and arms with a transform that seems to
        change the label are named. They are trained all the same.
    on : str, optional
        Who trains the runs, each a whole one: ``"processes"``, ``"ray"`` for a Ray cluster of this machine that is
        ended with the call, or ``"ray://HOST:PORT"``. Figures are those of this process on the same kind of processor.
        Not with a budget.
    at_once : int
        How many runs they train side by side.
    progress : callable, optional
        Called with a `Step` after each epoch; with ``on`` when all runs are done.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        When something does not fit, before anything is trained; or the budget does not last for one seed.

    Notes
    -----
    Source: Bouthillier et al. (2021), "Accounting for variance in machine learning benchmarks", MLSys, for drawing
    all sources of variation anew between seeds and pairing the arms within one.

    Examples
    --------
    >>> import imagemill as im
    >>> import numpy as np
    >>> x = np.zeros((40, 8, 8, 1), np.uint8)
    >>> x[1::2, :, :4] = 200
    >>> y = np.arange(40) % 2
    >>> found = compare(
    ...     Data((x, y), (x, y), ("dark", "light")), [im.Pipeline([im.Flip("y", p=0.5)])], model="dense", epochs=1
    ... )
    >>> found.effect("pipeline-1").here.verdict
    'no difference seen'
    """
    time = budget if isinstance(budget, TimeBudget) else TimeBudget(budget)
    if seeds is None:
        seeds = 3 if time.minutes is None else MOST_SEEDS
    check_level(level)
    check_elsewhere(on, at_once, time)
    trainer = runner_named(runner)
    network = trainer.network(model)
    data = read_data(dataset, network.task)
    check_data(data, seeds, epochs, batch_size)
    recipe = trainer.settled(
        Recipe(epochs, batch_size, learning_rate, workers=workers, device=device, precision=precision)
    )
    arms = read_arms(pipelines, data.train[0].shape[-3:-1], data.classes)
    trainer.check(network, data.train[0], len(data.classes))
    maps = None if data.task == "classification" else data.train[1]
    for arm in arms:
        check_arm(arm, data.train[0], maps, data.spacing[0])
    asked = [*populations(*data.test, stress, data.spacing[1], data.test_groups)]
    if wild is not None:
        asked.append(read_wild(wild, data))
    design = {**_design(data, arms, network.name, asked, seeds, recipe, level), "runner": trainer.name}
    labels, spacing, groups = (
        {one.name: getattr(one, field) for one in asked} for field in ("labels", "spacing", "groups")
    )
    given = data.train if maps is None else (*data.train, data.spacing[0])

    def trained(arm: Arm, seed: int, on_epoch: Callable[[int, Epoch], None]) -> Trained:
        return trainer.train(arm, network, given, asked, len(data.classes), seed, recipe, on_epoch=on_epoch)

    with joined(recipe.device) as ranks:
        design |= processes_of(trainer, ranks, batch_size)
        # One process decides what there is to do, speaks and writes: others might see its files a moment later.
        folder = None if out is None or not ranks.is_first else Path(out)
        with followed(log if ranks.is_first else (), progress if ranks.is_first else None) as (logs, told):
            kept = KeptRuns(folder, design)
            for one in logs:
                one.begin(design)
            lost = train_elsewhere(
                TrainRun(trainer, model, given, asked, len(data.classes), recipe), arms, seeds, kept, on, at_once
            )
            rounds = Rounds(arms, kept, trained, epochs, seeds, time, labels, told, ranks)
            runs = rounds.run()
            design = {**design, "seeds": rounds.seeds}
            found = compared(design, runs, labels, data.classes, level, spacing=spacing, groups=groups)
            flags = () if screen is None else arm_flags(screen, arms)
            notes = (*remarks(data), *_one_less(runs, data, recipe), *flags, *lost)
            material = Material(arms, tuple(asked))
            found = replace(found, ended=rounds.ended, notes=notes, material=material, screen=screen)
            for one in logs:
                one.end(found)
        if folder is not None:
            found.write(folder)
    return found


def _one_less(runs: Sequence[Trained], data: Data, recipe: Recipe) -> tuple[str, ...]:
    """Said where runs left out an image of each epoch, the only one of a last batch."""
    labels = data.train[1] if data.task == "classification" else np.zeros(len(data.train[1]), np.int64)
    kept = len(held_back(labels, recipe.validation, 0)[0])
    return one_left_out({kept for run in runs if run.left_one_out(kept)}, recipe.batch_size)


def _design(
    data: Data,
    arms: Sequence[Arm],
    network: str,
    asked: Sequence[Population],
    seeds: int,
    recipe: Recipe,
    level: float,
) -> dict[str, Any]:
    """What decides the result, as plain values; workers do not."""
    how = asdict(recipe)
    how.pop("workers")
    return {
        "data": data.digest,
        "classes": list(data.classes),
        "train_images": len(data.train[1]),
        "test_images": {one.name: len(one.labels) for one in asked},
        "populations": {one.name: one.digest for one in asked if one.name != CLEAN},
        "arms": {arm.name: arm.digest for arm in arms},
        "model": network,
        "seeds": seeds,
        "recipe": how,
        "level": level,
    }
