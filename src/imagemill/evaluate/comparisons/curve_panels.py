"""Losses and accuracies over epochs: a panel an arm, a thin line a seed, all on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

from imagemill.evaluate.runners.recipe import Trained
from imagemill.pages import Block, Curve, CurvePlot, Panels

__all__ = ["curve_panels"]

_VALIDATION, _TRAINING = 1, 2


def curve_panels(runs: Sequence[Trained]) -> list[Block | str]:
    """Panels of all arms: losses, then accuracies.

    Parameters
    ----------
    runs : sequence of Trained

    Returns
    -------
    list of blocks
    """
    arms = list(dict.fromkeys(run.arm for run in runs))
    losses, accuracies = ("validation_loss", "loss"), ("validation_accuracy", "accuracy")
    loss_range = (0.0, max(_values(runs, losses), default=1.0) or 1.0)
    accuracy_range = (min(_values(runs, accuracies), default=0.0), 1.0)
    # Of label maps the mean Dice stands in the place of the accuracy.
    score, unit = ("Dice", "mean over images") if any(run.label_maps for run in runs) else ("Accuracy", "share")
    return [
        "A thin line is one seed, the thick one their mean. Validation images are held back from training, others for "
        "each seed, and are never augmented. Losses of runs that diverged may leave the scale; they stay at its edge.",
        Panels([_panel(f"Loss: {arm}", _of(runs, arm), losses, "nats an image", loss_range) for arm in arms]),
        Panels([_panel(f"{score}: {arm}", _of(runs, arm), accuracies, unit, accuracy_range) for arm in arms]),
    ]


def _of(runs: Sequence[Trained], arm: str) -> list[Trained]:
    return [run for run in runs if run.arm == arm]


def _values(runs: Sequence[Trained], names: Sequence[str]) -> list[float]:
    """What is drawn of runs that did not diverge."""
    every = (getattr(epoch, name) for run in runs if run.diverged is None for epoch in run.curve for name in names)
    return [value for value in every if math.isfinite(value)]


def _panel(
    title: str, runs: Sequence[Trained], names: Sequence[str], unit: str, y_range: tuple[float, float]
) -> CurvePlot:
    curves = []
    for name, said, look in zip(names, ("validation", "training"), (_VALIDATION, _TRAINING), strict=True):
        lines = [[getattr(epoch, name) for epoch in run.curve] for run in runs]
        if not any(map(math.isfinite, (value for line in lines for value in line))):
            continue
        if len(lines) > 1:
            curves += [Curve("", range(1, len(line) + 1), line, look=look, thin=True) for line in lines]
        held = [line for line, run in zip(lines, runs, strict=True) if run.diverged is None] or lines
        longest = max(map(len, held))
        mean = [_mean([line[at] for line in held if at < len(line)]) for at in range(longest)]
        curves.append(Curve(said, range(1, longest + 1), mean, look=look))
    return CurvePlot(title, curves, "epoch", unit, y_range)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
