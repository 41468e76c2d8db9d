"""How many more real images a pipeline is worth: networks over sizes of the training set, with it and without."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.near_words import takes
from imagemill.data.dataset import Dataset
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.comparisons.rounds import MOST_SEEDS, Rounds, Step
from imagemill.evaluate.comparisons.run_log import RunLog, followed
from imagemill.evaluate.comparisons.time_budget import TimeBudget
from imagemill.evaluate.exchange.exchange_rate import ExchangeRates, exchanged
from imagemill.evaluate.exchange.training_subsets import Training, read_sizes, subset
from imagemill.evaluate.inputs.arms import CLEAN, NONE, Arm, Population, Stress, check_arm, populations, read_arms
from imagemill.evaluate.inputs.experiment_data import Data, check_data, read_data, read_wild
from imagemill.evaluate.runners.base import Runner, processes_of
from imagemill.evaluate.runners.ranks import joined
from imagemill.evaluate.runners.recipe import Epoch, Recipe, Trained, one_left_out
from imagemill.evaluate.runners.registry import runner_named
from imagemill.evaluate.runners.torch_networks import Network
from imagemill.evaluate.statistics.intervals import check_level

__all__ = ["worth"]

_EPOCHS = 10
"""Of the largest size, where neither steps nor epochs are given."""


@takes
def worth(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    pipelines: Mapping[str, Any] | Sequence[Any],
    *,
    sizes: Sequence[int] | None = None,
    model: str | Path | Network = "cnn",
    seeds: int | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    stress: Sequence[Stress] | Mapping[str, Stress] = (),
    wild: Dataset | Path | str | None = None,
    budget: float | TimeBudget | None = None,
    out: Path | str | None = None,
    workers: int = 1,
    level: float = 0.95,
    runner: str | Runner = "torch",
    device: str = "auto",
    precision: str = "auto",
    log: str | RunLog | Sequence[str | RunLog] = (),
    progress: Callable[[Step], None] | None = None,
) -> ExchangeRates:
    """Say how many more real images would do what a pipeline does.

    Networks without augmentation are trained with every number of images: the reference curve. Networks of each
    pipeline are trained with every number but the largest. What a pipeline reaches with ``n`` images is looked up on
    the reference curve: ``N`` images reach the same, so it is worth ``N - n`` more; fewer than none when it harms.
    Nothing is said beyond the largest number that was trained with.

    In a program that ``torchrun`` starts several times the processes train each network together, as for `compare`.

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
    seeds : int, optional
        Runs of everything; under 3 there is no interval. Left out, 3, and with a budget as many as fit into it.
    steps : int, optional
        The same number of steps of the optimizer at every size, to the nearest epoch; those of 10 epochs of the
        largest size when left out.
    epochs : int, optional
        Instead: the same number of epochs at every size, so that fewer images are also trained on for less long.
    batch_size : int
    learning_rate : float
    stress, wild
        Further populations, as for `compare`; a pipeline has a worth on each.
    budget : float or TimeBudget, minutes, optional
        As for `compare`: whole seeds, each with all sizes and arms; with ``out`` it goes on from there.
    out : Path or str, optional
        Keep every run there; what was stopped goes on, and more sizes or seeds only add runs.
    workers : int
        Threads that augment.
    level : float, 0 to 1
        Of the intervals.
    runner : str or Runner
    device, precision : str
        As for `compare`.
    log : str, RunLog, or sequence of both
        As for `compare`; a run is called by its pipeline and number of images, ``"flip@300"``.
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
    time = budget if isinstance(budget, TimeBudget) else TimeBudget(budget)
    if seeds is None:
        seeds = 3 if time.minutes is None else MOST_SEEDS
    check_level(level)
    data = read_data(dataset)
    wanted, training = _checked(data, sizes, seeds, steps, epochs, batch_size)
    arms, trainer = read_arms(pipelines, data.train[0].shape[1:3], data.classes), runner_named(runner)
    network = _network(trainer, model)
    trainer.check(network, data.train[0], len(data.classes))
    for arm in arms:
        check_arm(arm, data.train[0])
    asked = [*populations(*data.test, stress)]
    if wild is not None:
        asked.append(read_wild(wild, data))
    # Nothing is chosen by validation images, and what is counted are images that are trained on.
    how = Recipe(1, batch_size, learning_rate, validation=0.0, workers=workers, device=device, precision=precision)
    recipe = trainer.settled(how)
    design = {
        **_design(data, arms, asked, wanted, training, recipe),
        **{"model": network.name, "runner": trainer.name, "seeds": seeds, "level": level},
    }
    # The largest size is for the reference alone: nothing larger could be read off the curve there.
    plan = [(arm, size) for size in wanted for arm in arms if size < wanted[-1] or arm.name == NONE]
    sized = {f"{arm.name}@{size}": (arm, size) for arm, size in plan}
    lasting = {name: training.epochs_for(size) for name, (_, size) in sized.items()}

    def trained(named: Arm, seed: int, on_epoch: Callable[[int, Epoch], None]) -> Trained:
        rows = subset(data.train[1], data.groups, sized[named.name][1], seed)
        part, how = (data.train[0][rows], data.train[1][rows]), replace(recipe, epochs=lasting[named.name])
        found = trainer.train(named, network, part, asked, len(data.classes), seed, how, on_epoch=on_epoch)
        # Nobody asks the network itself again, and a study has hundreds.
        return replace(found, network=None, predict=None)

    each = [replace(arm, name=name) for name, (arm, _) in sized.items()]
    labels = {one.name: one.labels for one in asked}
    with joined(recipe.device) as ranks:
        design |= processes_of(trainer, ranks, batch_size)
        folder = None if out is None or not ranks.is_first else Path(out)
        with followed(log if ranks.is_first else (), progress if ranks.is_first else None) as (logs, told):
            kept = KeptRuns(folder, design, grows=("seeds", "sizes"))
            for one in logs:
                one.begin(design)
            rounds = Rounds(each, kept, trained, lasting, seeds, time, labels, told, ranks)
            runs = {(sized[run.arm][0].name, sized[run.arm][1], run.seed): run for run in rounds.run()}
            taken = _taken(data, wanted, rounds.seeds)
            found = exchanged({**design, "seeds": rounds.seeds}, runs, labels, taken)
            found = replace(found, ended=rounds.ended, notes=_one_less(runs, data, batch_size))
            for one in logs:
                one.end(found)
        if folder is not None:
            found.write(folder)
    return found


def _network(trainer: Runner, model: Any) -> Any:
    found = trainer.network(model)
    if getattr(found, "task", "classification") != "classification":
        raise InputError(f"expected a network for classes, got {found.name!r}, which is for {found.task}")
    return found


def _checked(
    data: Data, sizes: Sequence[int] | None, seeds: int, steps: int | None, epochs: int | None, batch_size: int
) -> tuple[tuple[int, ...], Training]:
    """Sizes and how long each is trained on, or what is wrong with them."""
    if steps is not None and epochs is not None:
        raise ParameterError(f"expected steps or epochs, got {steps} and {epochs}; give one of them")
    check_data(data, seeds, 1 if epochs is None else epochs, batch_size)
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise ParameterError(f"expected steps of 1 or more, got {steps!r}")
    wanted = read_sizes(sizes, data, seeds)
    if steps is None and epochs is None:
        steps = _EPOCHS * -(-wanted[-1] // batch_size)
    training = Training(steps, epochs, batch_size)
    training.check(wanted)
    return wanted, training


def _one_less(runs: Mapping[tuple[str, int, int], Trained], data: Data, batch_size: int) -> tuple[str, ...]:
    """Said where networks left out an image of each epoch, the only one of a last batch, and how many did."""
    counts = {(size, seed): len(subset(data.train[1], data.groups, size, seed)) for _, size, seed in runs}
    lost = [counts[size, seed] for (_, size, seed), run in runs.items() if run.left_one_out(counts[size, seed])]
    return tuple(f"{said} ({len(lost):,} of {len(runs):,} networks)" for said in one_left_out(set(lost), batch_size))


def _taken(data: Data, sizes: Sequence[int], seeds: int) -> dict[int, float]:
    """Numbers of images by what was asked for: of whole groups, the mean over seeds."""
    if data.groups is None:
        return {size: float(size) for size in sizes}
    counts = {n: [len(subset(data.train[1], data.groups, n, seed)) for seed in range(seeds)] for n in sizes}
    return {size: float(np.mean(found)) for size, found in counts.items()}


def _design(
    data: Data,
    arms: Sequence[Arm],
    asked: Sequence[Population],
    sizes: Sequence[int],
    training: Training,
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
        "same": {"steps": training.steps, "epochs": training.epochs},
        "recipe": how,
    }
