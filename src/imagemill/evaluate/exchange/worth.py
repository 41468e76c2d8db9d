"""How many more real images a pipeline is worth: networks over sizes of the training set, with it and without."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.data.dataset import Dataset
from imagemill.evaluate.comparisons.compare import Step
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.exchange.exchange_rate import ExchangeRates, exchanged
from imagemill.evaluate.exchange.training_subsets import Budget, read_sizes, subset
from imagemill.evaluate.inputs.arms import CLEAN, NONE, Arm, Population, Stress, check_arm, populations, read_arms
from imagemill.evaluate.inputs.experiment_data import Data, check_data, read_data, read_wild
from imagemill.evaluate.runners.base import Runner
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained
from imagemill.evaluate.runners.registry import runner_named
from imagemill.evaluate.runners.torch_networks import Network

__all__ = ["worth"]

_EPOCHS = 10
"""Of the largest size, where neither steps nor epochs are given."""


def worth(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    pipelines: Mapping[str, Any] | Sequence[Any],
    *,
    sizes: Sequence[int] | None = None,
    model: str | Path | Network = "cnn",
    seeds: int = 3,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    stress: Sequence[Stress] | Mapping[str, Stress] = (),
    wild: Dataset | Path | str | None = None,
    out: Path | str | None = None,
    workers: int = 1,
    level: float = 0.95,
    runner: str | Runner = "torch",
    progress: Callable[[Step], None] | None = None,
) -> ExchangeRates:
    """Say how many more real images would do what a pipeline does.

    Networks without augmentation are trained with every number of images: the reference curve. Networks of each
    pipeline are trained with every number but the largest. What a pipeline reaches with ``n`` images is looked up on
    the reference curve: ``N`` images reach the same, so it is worth ``N - n`` more; fewer than none when it harms.
    Nothing is said beyond the largest number that was trained with.

    Parameters
    ----------
    dataset : Dataset, Path, str, or arrays ``((x_train, y_train), (x_test, y_test))``
        As for `compare`; a validation part joins the training images, and none are held back.
    pipelines : mapping or sequence of Pipeline, Path or str
        As for `compare`.
    sizes : sequence of int, optional
        Numbers of training images, two or more; all, a third and a ninth when left out. For each seed they are drawn
        anew, the smaller within the larger, with every class in its share, and groups of the dataset kept whole.
    model : str, Path or Network
    seeds : int
        Runs of everything; under 3 there is no interval.
    steps : int, optional
        The same number of steps of the optimizer at every size, to the nearest epoch; those of 10 epochs of the
        largest size when left out.
    epochs : int, optional
        Instead: the same number of epochs at every size, so that fewer images are also trained on for less long.
    batch_size : int
    learning_rate : float
    stress, wild
        Further populations, as for `compare`; a pipeline has a worth on each.
    out : Path or str, optional
        Keep every run there; what was stopped goes on, and more sizes or seeds only add runs.
    workers : int
        Threads that augment.
    level : float, 0 to 1
        Of the intervals.
    runner : str or Runner
    progress : callable, optional
        Called with a `Step` after each epoch.

    Returns
    -------
    ExchangeRates

    Raises
    ------
    InputError, ParameterError
        When something does not fit, before anything is trained.

    Notes
    -----
    Source: Geiping, Goldblum, Somepalli, Shwartz-Ziv, Goldstein, Wilson (2022), "How much data are augmentations
    worth? An investigation into scaling laws, invariance, and implicit regularization", arXiv 2210.06441, for the
    exchange rate and for the same number of steps at every size. The interval is ours: see `invert`.

    Examples
    --------
    >>> import imagemill as im
    >>> x = np.zeros((40, 8, 8, 1), np.uint8)
    >>> x[1::2, :, :4] = 200
    >>> y = np.arange(40) % 2
    >>> data = Data((x, y), (x, y), ("dark", "light"))
    >>> found = worth(data, [im.Pipeline([im.Flip("y", p=0.5)])], sizes=(10, 40), model="dense", seeds=1, epochs=1)
    >>> found.rate("pipeline-1", 10).verdict
    'too few seeds'
    """
    data = read_data(dataset)
    if steps is not None and epochs is not None:
        raise ParameterError(f"expected steps or epochs, got {steps} and {epochs}; give one of them")
    check_data(data, seeds, 1 if epochs is None else epochs, batch_size)
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise ParameterError(f"expected steps of 1 or more, got {steps!r}")
    wanted = read_sizes(sizes, data, seeds)
    if steps is None and epochs is None:
        steps = _EPOCHS * -(-wanted[-1] // batch_size)
    budget = Budget(steps, epochs, batch_size)
    budget.check(wanted)
    arms, trainer = read_arms(pipelines), runner_named(runner)
    network = trainer.network(model)
    for arm in arms:
        check_arm(arm, data.train[0][:16])
    trainer.check(network, data.train[0], len(data.classes))
    asked = [*populations(*data.test, stress)]
    if wild is not None:
        asked.append(read_wild(wild, data))
    # Nothing is chosen by validation images, and what is counted are images that are trained on.
    recipe = Recipe(batch_size=batch_size, learning_rate=learning_rate, validation=0.0, workers=workers)
    design = {
        **_design(data, arms, asked, wanted, budget, recipe),
        **{"model": network.name, "runner": trainer.name, "seeds": seeds, "level": level},
    }
    kept = KeptRuns(None if out is None else Path(out), design, grows=("seeds", "sizes"))
    plan = [(arm, size, seed) for seed in range(seeds) for size in wanted for arm in _trained_with(arms, size, wanted)]
    runs: dict[tuple[str, int, int], Trained] = {}
    images: dict[int, list[int]] = {size: [] for size in wanted}
    for number, (arm, size, seed) in enumerate(plan, start=1):
        named = Arm(f"{arm.name}@{size}", arm.pipeline)
        rows = subset(data.train[1], data.groups, size, seed)
        if arm.name == NONE:
            images[size].append(len(rows))
        how = replace(recipe, epochs=budget.epochs_for(len(rows)))
        done = kept.get(named.name, seed)
        if done is None:
            part = data.train[0][rows], data.train[1][rows]
            told = _told(progress, Step(named.name, seed, number, len(plan), how.epochs, how.epochs))
            done = trainer.train(named, network, part, asked, len(data.classes), seed, how, on_epoch=told)
            kept.put(done)
        elif progress is not None:
            progress(Step(named.name, seed, number, len(plan), how.epochs, how.epochs))
        runs[arm.name, size, seed] = done
    taken = {size: float(np.mean(images[size])) for size in wanted}
    found = exchanged(design, runs, {one.name: one.labels for one in asked}, taken)
    if out is not None:
        found.write(Path(out))
    return found


def _trained_with(arms: Sequence[Arm], size: int, sizes: Sequence[int]) -> Sequence[Arm]:
    """The largest size is for the reference alone: nothing larger could be read off the curve there."""
    return arms if size < sizes[-1] else [arm for arm in arms if arm.name == NONE]


def _told(progress: Callable[[Step], None] | None, step: Step) -> Callable[[int, Epoch], None] | None:
    if progress is None:
        return None
    return lambda epoch, said: progress(replace(step, epoch=epoch, said=said))


def _design(
    data: Data,
    arms: Sequence[Arm],
    asked: Sequence[Population],
    sizes: Sequence[int],
    budget: Budget,
    recipe: Recipe,
) -> dict[str, Any]:
    """What decides the result, as plain values; workers do not."""
    how = asdict(recipe)
    for name in ("workers", "epochs"):
        how.pop(name)
    groups = None
    if data.groups is not None:
        groups = hashlib.sha256("\0".join(data.groups.tolist()).encode()).hexdigest()[:16]
    return {
        "data": data.digest,
        "groups": groups,
        "classes": list(data.classes),
        "sizes": list(sizes),
        "train_images": len(data.train[1]),
        "test_images": {one.name: len(one.labels) for one in asked},
        "populations": {one.name: one.digest for one in asked if one.name != CLEAN},
        "arms": {arm.name: arm.digest for arm in arms},
        "same": {"steps": budget.steps, "epochs": budget.epochs},
        "recipe": how,
    }
