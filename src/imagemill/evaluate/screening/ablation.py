"""What each transform of a pipeline does: left out of it, and alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from imagemill.core.plain_values import plain
from imagemill.data.atomic import atomic_path
from imagemill.evaluate.comparisons.comparison import Comparison
from imagemill.evaluate.inputs.arms import CLEAN, NONE
from imagemill.evaluate.screening.candidates import PassedOver
from imagemill.evaluate.screening.screened import Screening, in_points, interval_of
from imagemill.evaluate.statistics.intervals import Difference, adjusted, paired
from imagemill.evaluate.statistics.scores import ACCURACY
from imagemill.pages import IntervalPlot, Showable, fragment

__all__ = ["ALONE", "WITHIN", "Ablation", "Contribution", "contributions"]

WITHIN, ALONE = "within", "alone"


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one transform does to accuracy, or to Dice.

    Parameters
    ----------
    transform : str
    how : {"within", "alone"}
        The whole pipeline less the pipeline without it, or it alone less no augmentation.
    arm : str
        The arm that was trained for it.
    population : str
        Of test images.
    difference : Difference
        Over seeds, on these test images.
    adjusted_p : float
        Holm's, over all transforms and both ways on one population; a verdict needs it under ``1 - level``.
    """

    transform: str
    how: str
    arm: str
    population: str
    difference: Difference
    adjusted_p: float

    @property
    def verdict(self) -> str:
        """``"helps"``, ``"harms"``, ``"no difference seen"`` or ``"too few seeds"``."""
        said = self.difference.verdict
        held = said == "too few seeds" or self.adjusted_p <= 1 - self.difference.level
        return said if held else "no difference seen"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        points = in_points(self.difference)
        return f"{self.transform} {self.how} on {self.population} test images: {self.verdict}, {points} points"


@dataclass(frozen=True, slots=True, eq=False)
class Ablation(Showable):
    """A pipeline taken apart.

    Parameters
    ----------
    pipeline : str
        Its name, which is that of its arm.
    screening : Screening
        Of its transforms, whose order the arms have.
    comparison : Comparison
        Of all arms that were trained.
    contributions : tuple of Contribution
        By population, then in the order of the screen.
    passed_over : tuple of PassedOver
        Arms that cannot be trained, or say nothing, and why.
    untrained : tuple of str
        Arms that did not fit into the budget.
    """

    pipeline: str
    screening: Screening
    comparison: Comparison
    contributions: tuple[Contribution, ...]
    passed_over: tuple[PassedOver, ...]
    untrained: tuple[str, ...]

    def contribution(self, transform: str, how: str = WITHIN, population: str = CLEAN) -> Contribution:
        """What one transform does."""
        asked = (transform, how, population)
        return next(one for one in self.contributions if (one.transform, one.how, one.population) == asked)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without anything that differs from run to run."""
        return {
            "pipeline": self.pipeline,
            "screening": self.screening.to_dict(),
            "comparison": self.comparison.to_dict(),
            "contributions": [plain({**asdict(one), "verdict": one.verdict}) for one in self.contributions],
            "passed_over": [asdict(one) for one in self.passed_over],
            "untrained": list(self.untrained),
        }

    def table(self, population: str = CLEAN) -> str:
        """A Markdown table: a row a transform; changes of accuracy or Dice in points, with what the screen said."""
        lines = ["| transform | within | alone | affinity | flag |", "|---|---:|---:|---:|---|"]
        for name in dict.fromkeys(one.transform for one in self.contributions):
            screened = next((one for one in self.screening.ranked if one.name == f"{name} of {self.pipeline}"), None)
            cells = [self._cell(name, how, population) for how in (WITHIN, ALONE)]
            said = [in_points(screened.affinity), screened.flag] if screened is not None else ["-", ""]
            lines.append(f"| {' | '.join([name, *cells, *said])} |")
        return "\n".join(lines)

    def write(self, out: Path | str) -> None:
        """``ablation.json`` and ``ablation.md`` into a folder, beside what its comparison keeps there."""
        text = "\n\n".join(f"{name}\n\n{self.table(name)}" for name in self.comparison.design["test_images"])
        for name, said in (("json", json.dumps(self.to_dict(), indent=1, allow_nan=False)), ("md", text)):
            with atomic_path(Path(out) / f"ablation.{name}") as part:
                part.write_text(said + "\n", "utf-8")

    def plot(self, population: str = CLEAN, ax: Any = None) -> Any:
        """Draw the contributions on one population with matplotlib: an interval each, around zero.

        Parameters
        ----------
        population : str
        ax : matplotlib.axes.Axes, optional
            Where to; a figure of its own where none is given.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtra
            Without matplotlib.
        """
        return self._drawn(population).draw(ax)

    def _repr_html_(self) -> str:
        return fragment([self._drawn(CLEAN)])

    def _drawn(self, population: str) -> IntervalPlot:
        shown = [one for one in self.contributions if one.population == population]
        rows = [interval_of(f"{one.transform} {one.how}", one.difference, one.verdict) for one in shown]
        title = f"What each transform does to {self.screening.measure.name} on {population} test images"
        return IntervalPlot(title, rows, "points")

    def _cell(self, transform: str, how: str, population: str) -> str:
        asked = (transform, how, population)
        found = [one for one in self.contributions if (one.transform, one.how, one.population) == asked]
        if not found:
            return "-"
        verdict = f", {found[0].verdict}" if found[0].verdict in ("helps", "harms") else ""
        return f"{in_points(found[0].difference)}{verdict}"

    def __repr__(self) -> str:
        trained = f"{self.comparison.design['seeds']} seeds, {len(self.comparison.design['arms'])} arms"
        lines = [f"{self.pipeline} taken apart: {trained}; Holm over the transforms"]
        lines += [one.sentence for one in self.contributions]
        lines += [f"{one.name}: not trained, {one.why}" for one in self.passed_over]
        if self.untrained:
            lines.append(f"no time for {len(self.untrained)} arms: {', '.join(self.untrained)}")
        return "\n".join([*lines, *([self.comparison.ended] if self.comparison.ended else [])])


def contributions(
    found: Comparison, pipeline: str, arms: Sequence[tuple[str, str, str]], level: float
) -> tuple[Contribution, ...]:
    """What each transform does, of the arms that were trained.

    Parameters
    ----------
    found : Comparison
    pipeline : str
        The arm of the whole pipeline.
    arms : sequence of (transform, how, arm)
    level : float, 0 to 1
        Of the intervals, and of what Holm's method holds on each population.

    Returns
    -------
    tuple of Contribution
        Without arms that share no seed with the one they are compared with, as where one diverged.
    """
    out = []
    steps = _steps(found)
    for population in found.design["test_images"]:
        made = []
        for transform, how, arm in arms:
            more, less = (pipeline, arm) if how == WITHIN else (arm, NONE)
            one, other = (_scores(found, name, population) for name in (more, less))
            pairs = [one[seed] - other[seed] for seed in sorted(set(one) & set(other))]
            if pairs:
                made.append((transform, how, arm, population, paired(pairs, level=level, step=steps[population])))
        held = adjusted([row[-1].p for row in made])
        out += [Contribution(*row, adjusted_p=p) for row, p in zip(made, held, strict=True)]
    return tuple(out)


def _steps(found: Comparison) -> Mapping[str, float]:
    """The smallest step of a score by population: an image of a classifier, any of Dice."""
    of_classes = all(effect.measure is ACCURACY for effect in found.effects)
    return {name: 1 / images if of_classes else 0.0 for name, images in found.design["test_images"].items()}


def _scores(found: Comparison, arm: str, population: str) -> Mapping[int, float]:
    """By seed, without those that diverged."""
    seeds = [run.seed for run in found.runs if run.arm == arm and run.diverged is None]
    return dict(zip(seeds, (one.score for one in found.metrics[arm, population]), strict=True))
