"""One network that was trained without augmentation ranks every transform, before an arm is trained with any."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.near_words import takes
from imagemill.data.dataset import Dataset
from imagemill.evaluate.inputs.arms import NONE, Arm, read_arms
from imagemill.evaluate.inputs.asked_images import AskedImages
from imagemill.evaluate.inputs.experiment_data import Data, check_data, read_data
from imagemill.evaluate.runners.base import Runner
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.runners.registry import runner_named
from imagemill.evaluate.screening.candidates import Candidate, candidates
from imagemill.evaluate.screening.kept_answers import KeptAnswers
from imagemill.evaluate.screening.label_changes import (
    ClassEvidence,
    class_evidence,
    is_unclear,
    label_changes,
    over_images,
    sure_from,
    surely,
)
from imagemill.evaluate.screening.probe import Answers, Probe, losses, scores
from imagemill.evaluate.screening.screened import Cost, Screened, Screening
from imagemill.evaluate.statistics.intervals import Difference, check_level, paired
from imagemill.evaluate.statistics.overlap import guessed
from imagemill.evaluate.statistics.scores import ACCURACY, DICE, clustered

__all__ = ["screen"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]


@takes
def screen(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    pipelines: Mapping[str, Any] | Sequence[Any] = (),
    *,
    shipped: bool = True,
    model: Any = "cnn",
    epochs: int = 10,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    tuning: int = 0,
    draws: int = 2,
    validation: float = 0.2,
    seed: int = 0,
    workers: int = 1,
    level: float = 0.95,
    device: str = "auto",
    precision: str = "auto",
    runner: str | Runner = "torch",
    out: Path | str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Screening:
    """Rank transforms by one network that was trained without any, before an arm of a comparison is trained.

    The network is trained on a part of the training images as they are. What it then makes of images that a transform
    changed tells how far the transform leads away from the data. The order is by that distance, the nearest first: the
    mean loss on augmented training images less that on the same images as they are.

    What the order is: a forecast of what an arm costs in accuracy on images like those of the dataset, where training
    is short. What it is not: a forecast of what an arm gains. A transform that changes next to nothing stands at the
    top, and one that a wild population needs may stand far below. Test images are not looked at.

    On label maps, with a network for segmentation, Dice stands for accuracy and the loss that the network is trained
    for is that of whole label maps, which are moved with their images. Groups (patients) are held back whole, and
    intervals are over groups. Which labels a transform changes is not asked there.

    Parameters
    ----------
    dataset : Dataset, Path, str, or arrays ``((x_train, y_train), (x_test, y_test))``
        As `compare` takes it.
    pipelines : mapping or sequence of Pipeline, Path or str
        Each of their transforms is asked about alone, as it stands there.
    shipped : bool
        Ask about every transform that comes with imagemill too; see `candidates` for the ranges.
    model : str, Path or Network
        As `compare` takes it; ``"unet"`` or ``"unet-slices"`` for label maps.
    epochs, batch_size : int
    learning_rate : float
        How the network is trained; as the arms will be.
    tuning : int
        Epochs that the network is trained on with each transform, which gives a `gain`; 0 for none. An epoch for each
        costs more than all the rest.
    draws : int
        Of each held-back image.
    validation : float, 0 to 1
        Share of the training images that is held back.
    seed : int
        Of weights, held-back images, order and draws.
    workers : int
        Threads that augment in training.
    level : float, 0 to 1
        Of the intervals, which are over images: they say nothing of other networks.
    device, precision, runner
        As `compare` takes them.
    out : Path or str, optional
        Write ``screen.json``, ``screen.md`` and ``report.html`` there, and keep what is said of each transform as soon
        as it is: a screen that was stopped goes on, and ends in the same.
    progress : callable, optional
        Called with the steps that are done, and how many there are.

    Returns
    -------
    Screening

    Raises
    ------
    InputError
        When something does not fit, nothing is left to ask about, or the network does not learn. A transform that does
        not run on these images is passed over and named.

    Notes
    -----
    Source: Gontijo-Lopes, Smullin, Cubuk, Dyer (2021), "Tradeoffs in data augmentation: an empirical study", ICLR
    (2020 as "Affinity and diversity"), for affinity and diversity. There diversity is the final training loss of a
    network that was trained with the augmentation; here it is the loss of the one network that was trained without,
    which costs no training.

    Examples
    --------
    >>> import imagemill as im
    >>> import numpy as np
    >>> y = np.arange(80) % 2
    >>> x = np.random.default_rng(0).integers(0, 60, (80, 8, 8, 1)).astype(np.uint8)
    >>> x[y == 1, :, :4] += 150  # one class is bright on the left, one on the right
    >>> x[y == 0, :, 4:] += 150
    >>> flips = im.Pipeline([im.Flip("x"), im.Flip("y")])
    >>> found = screen(Data((x, y), (x, y), ("right", "left")), {"flips": flips}, shipped=False, model="dense")
    >>> [one.call for one in found.ranked], found["Flip of flips"].flag
    (["Flip(axis='y')", 'Flip()'], 'seems to change the label: right becomes left (75%), left becomes right (68%)')
    """
    check_level(level)
    trainer = runner_named(runner)
    network = trainer.network(model)
    data = read_data(dataset, getattr(network, "task", "classification"))
    check_data(data, 1, epochs, batch_size)
    _check(tuning=tuning, draws=draws, validation=validation, seed=seed)
    none = isinstance(pipelines, Mapping | Sequence) and not pipelines
    pipes = () if none else read_arms(pipelines, data.train[0].shape[-3:-1], data.classes)[1:]
    maps, spacing = (None, None) if data.task == "classification" else (data.train[1], data.spacing[0])
    listed, lost = candidates(data.train[0], pipes, shipped=shipped, label_maps=maps, spacing=spacing)
    recipe = trainer.settled(
        Recipe(epochs, batch_size, learning_rate, validation, workers, device=device, precision=precision)
    )
    trainer.check(network, data.train[0], len(data.classes))
    said = _Steps(progress, len(listed) + 2)
    began = time.perf_counter()
    probe = Probe(data, trainer, network, recipe, seed)
    design = _design(data, listed, probe, network.name, recipe, {"tuning": tuning, "draws": draws, "level": level})
    kept = KeptAnswers(None if out is None else Path(out), design)

    def asked(arm: Arm, times: int) -> Answers:
        return kept.given(arm.name, lambda: probe.ask(arm, draws=times, epochs=tuning))

    bare = asked(Arm(NONE), 1)
    if bare.diverged:
        raise InputError("expected a network that can be trained on, got a loss that is no number; lower learning_rate")
    said.done()
    answers = []
    for one in listed:
        said.done()
        answers.append(asked(one.arm, draws))
    said.done()
    each = [probe.cost, *((one.trained, one.asked) for one in (bare, *answers))]
    trained, told = (sum(counts) for counts in zip(*each, strict=True))
    flags = _Flags(bare, probe, level) if data.task == "classification" else None
    found = Screening(
        design,
        float(scores(bare.held[0], probe.held.truth).mean()),
        None if flags is None else flags.sure,
        _ranked(listed, answers, bare, probe, level, flags),
        lost,
        Cost(trained, told, time.perf_counter() - began),
        ACCURACY if data.task == "classification" else DICE,
    )
    if out is not None:
        found.write(out)
    return found


class _Steps:
    """How many of the steps are done, told to whoever asked."""

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self.progress, self.number, self.total = progress, -1, total
        self.done()

    def done(self) -> None:
        self.number += 1
        if self.progress is not None:
            self.progress(self.number, self.total)


class _Flags:
    """What speaks for changed labels: classes whose images the clean network surely calls otherwise."""

    def __init__(self, bare: Answers, probe: Probe, level: float) -> None:
        self.bare, self.names, self.level = bare, probe.held.classes, level
        held, train = probe.held.truth, probe.some.truth
        self.labels = np.concatenate([held, train])
        self.clean = np.concatenate([bare.held[0], bare.train])
        self.least = sure_from(bare.held[0], held, self.clean, self.labels)

    @property
    def sure(self) -> float:
        """The share of the held-back images that the network is sure of."""
        return float((self.bare.held[0].max(axis=1) >= self.least).mean())

    def of(self, answers: Sequence[Answers]) -> list[tuple[ClassEvidence, ...]]:
        """The classes that each transform seems to change."""
        evidence = []
        for one in answers:
            made = surely(np.concatenate([one.held[0], one.train]), self.least)[one.changed]
            clean, labels = surely(self.clean, self.least)[one.changed], self.labels[one.changed]
            evidence.append(class_evidence(clean, made, labels, self.names, level=self.level))
        return label_changes(evidence)


def _ranked(
    listed: Sequence[Candidate],
    answers: Sequence[Answers],
    bare: Answers,
    probe: Probe,
    level: float,
    flags: _Flags | None,
) -> tuple[Screened, ...]:
    """What was said, as figures, the highest score first; those of one score as they came."""
    held, train = probe.held, probe.some

    def mean(differences: Floats, groups: Array | None) -> Difference:
        if flags is not None:
            return over_images(differences, level)
        # Dice makes no steps, and of label maps whole groups were held back, which are what is independent.
        return paired(clustered(differences[None], groups)[0], level=level)

    found = []
    labels = flags.of(answers) if flags is not None else [()] * len(answers)
    for candidate, one, changes in zip(listed, answers, labels, strict=True):
        gain = None
        if one.tuned is not None and bare.tuned is not None:
            gain = mean(scores(one.tuned, held.truth) - scores(bare.tuned, held.truth), held.groups)
        nearer = scores(one.held, held.truth).mean(axis=0) - scores(bare.held[0], held.truth)
        harder = losses(one.train, train.truth) - losses(bare.train, train.truth)
        affinity, diversity = mean(nearer, held.groups), mean(harder, train.groups)
        named = candidate.name, candidate.call
        unclear = is_unclear(changes, len(held.classes))
        found.append(Screened(*named, affinity, diversity, gain, changes, one.diverged, unclear))
    return tuple(sorted(found, key=lambda one: -one.score))


def _design(
    data: Data, listed: Sequence[Candidate], probe: Probe, network: str, recipe: Recipe, more: Mapping[str, Any]
) -> dict[str, Any]:
    """What decides the result, as plain values; workers do not."""
    how = asdict(recipe)
    how.pop("workers")
    return {
        "data": data.digest,
        "classes": list(data.classes),
        "train_images": len(probe.train.truth),
        "held_back": len(probe.held.truth),
        **_guess(probe.held),
        "transforms": {one.name: one.transform.to_dict() for one in listed},
        "model": network,
        "runner": probe.trainer.name,
        "seed": probe.seed,
        "recipe": how,
        **more,
    }


def _guess(held: AskedImages) -> dict[str, float]:
    """The score of the best answer that looks at no image."""
    if held.task == "classification":
        return {"largest_class": float(np.bincount(held.truth).max() / len(held.truth))}
    return {"one_class_everywhere": guessed(held.truth, len(held.classes))[0]}


def _check(*, tuning: int, draws: int, validation: float, seed: int) -> None:
    for name, value, least in (("tuning", tuning, 0), ("draws", draws, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ParameterError(f"expected {name} of {least} or more, got {value!r}")
    if isinstance(validation, bool) or not isinstance(validation, int | float) or not 0 < validation < 1:
        raise ParameterError(f"expected a share of images to hold back between 0 and 1, got {validation!r}")
