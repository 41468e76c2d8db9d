"""What a comparison found: figures, intervals and verdicts, as plain data and as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.plain_values import plain
from imagemill.data.atomic import atomic_path
from imagemill.evaluate.comparisons.logged import Logged
from imagemill.evaluate.comparisons.screen_section import Screen
from imagemill.evaluate.inputs.arms import CLEAN, NONE, Arm, Population
from imagemill.evaluate.runners.recipe import Trained
from imagemill.evaluate.statistics.corruption_error import CorruptionError, corruption_error
from imagemill.evaluate.statistics.intervals import (
    FEWEST_SEEDS,
    Difference,
    adjusted,
    detectable,
    paired,
    paired_items,
    seeds_for,
)
from imagemill.evaluate.statistics.metrics import Metrics
from imagemill.evaluate.statistics.overlap import Overlap
from imagemill.evaluate.statistics.scores import ACCURACY, Measure, Scores, clustered, scores_of
from imagemill.pages import Showable, fragment

__all__ = ["ClassChange", "Comparison", "Effect", "Material", "class_changes", "compared"]

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ClassChange:
    """What an arm did to one class: to its recall, or its Dice in label maps.

    ``adjusted_p`` is Holm's, over the classes of one arm and population; a verdict needs it under ``1 - level``.
    """

    name: str
    difference: Difference
    adjusted_p: float

    @property
    def verdict(self) -> str:
        """``"helps"``, ``"harms"``, ``"no difference seen"`` or ``"too few seeds"``."""
        said = self.difference.verdict
        held = said == "too few seeds" or self.adjusted_p <= 1 - self.difference.level
        return said if held else "no difference seen"


@dataclass(frozen=True, slots=True)
class Effect:
    """An arm beside the arm without augmentation, on one population.

    Parameters
    ----------
    arm, population : str
    score, baseline : float
        Means over the seeds that both were trained with: of accuracies, or of Dice for label maps.
    here : Difference
        Of scores, on these test images.
    anywhere : Difference
        Of scores, on new images of this kind; of new patients, where images belong to groups.
    detectable : float
        The difference of scores that this design would call one, four times of five.
    seeds_for_half : int or None
        How many seeds would detect half of that; None where that cannot be known.
    classes : tuple of ClassChange
        Recall or Dice by class.
    measure : Measure
        What the score is called.
    """

    arm: str
    population: str
    score: float
    baseline: float
    here: Difference
    anywhere: Difference
    detectable: float
    seeds_for_half: int | None
    classes: tuple[ClassChange, ...]
    measure: Measure = ACCURACY

    @property
    def accuracy(self) -> float:
        """The score, by the name it has for classifiers."""
        return self.score

    @property
    def sentence(self) -> str:
        """The verdict in words, with the interval that carries it."""
        name, unit = f"{self.arm} on {self.population} test images", self.measure.unit
        if self.here.verdict == "too few seeds":
            return f"{name}: no verdict under {FEWEST_SEEDS} seeds ({self.here.mean * 100:+.1f} {unit} so far)"
        points = f"{self.here.mean * 100:+.1f} {unit} [{self.here.low * 100:+.1f}, {self.here.high * 100:+.1f}]"
        if self.here.verdict == "no difference seen":
            return f"{name}: no difference seen, {points}; it would have seen {self.detectable * 100:.1f}"
        new = "also" if self.anywhere.verdict == self.here.verdict else "not shown"
        wide = f"[{self.anywhere.low * 100:+.1f}, {self.anywhere.high * 100:+.1f}]"
        return f"{name}: {self.here.verdict}, {points}; for new images of this kind {new}, {wide}"


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What was compared, for pages: never in ``results.json``, which the design names by digests."""

    arms: tuple[Arm, ...]
    asked: tuple[Population, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Showable):
    """Everything a comparison found.

    Parameters
    ----------
    design : mapping
        What was asked, and what it was asked on.
    effects : tuple of Effect
        By arm, then population.
    metrics : mapping of (arm, population) to list of Metrics or Overlap
        One a seed, without those that diverged.
    runs : tuple of Trained
    diverged : mapping of str to tuple of int
        Seeds with which an arm's loss was no number any more.
    ended : str
        Why there are fewer seeds than were asked for; of this call alone, and in no file.
    notes : tuple of str
        What about the data makes figures mean less than they seem to.
    material : Material or None
        Pipelines and test images, where they are at hand.
    screen : Screening or None
        What a screen said before the arms were trained.
    """

    design: Mapping[str, Any]
    effects: tuple[Effect, ...]
    metrics: Mapping[tuple[str, str], Sequence[Metrics | Overlap]]
    runs: tuple[Trained, ...]
    diverged: Mapping[str, tuple[int, ...]]
    ended: str = ""
    notes: tuple[str, ...] = ()
    material: Material | None = None
    screen: Screen | None = None

    def effect(self, arm: str, population: str = CLEAN) -> Effect:
        """The effect of one arm on one population."""
        return next(e for e in self.effects if (e.arm, e.population) == (arm, population))

    @property
    def corruption_errors(self) -> dict[str, CorruptionError]:
        """The mean corruption error of each arm, relative to the arm without augmentation.

        Over the corruptions that test images were stressed with at all five severities; of classifiers alone. Errors
        are means over the seeds that both were trained with.
        """
        found: dict[str, CorruptionError] = {}
        for arm in dict.fromkeys(effect.arm for effect in self.effects if effect.measure is ACCURACY):
            here = [effect for effect in self.effects if effect.arm == arm]
            scores, baseline = ({e.population: getattr(e, name) for e in here} for name in ("score", "baseline"))
            error = corruption_error(scores, baseline, CLEAN)
            found |= {} if error is None else {arm: error}
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without anything that differs from run to run."""
        errors = {arm: error.to_dict() for arm, error in self.corruption_errors.items()}
        return {
            "design": dict(self.design),
            "notes": list(self.notes),
            "effects": [_effect_dict(effect) for effect in self.effects],
            "metrics": [
                {"arm": arm, "population": population, "seeds": [one.to_dict() for one in found]}
                for (arm, population), found in self.metrics.items()
            ],
            "curves": [
                {"arm": r.arm, "seed": r.seed, "epochs": [plain(e) for e in _curve(r)], "diverged": r.diverged}
                for r in self.runs
            ],
            **({"corruption_errors": errors} if errors else {}),
            **({} if self.screen is None else {"screen": self.screen.to_dict()}),
        }

    def logged(self) -> Iterator[Logged]:
        """The effects as figures that other tools keep."""
        for effect in self.effects:
            ends = {name: getattr(effect.here, name) for name in ("mean", "low", "high")}
            yield Logged(effect.arm, effect.population, ends, effect.here.pairs)

    def timing(self) -> dict[str, Any]:
        """Images a second and the share of time spent waiting for augmentation, by arm."""
        found: dict[str, Any] = {}
        for arm in dict.fromkeys(run.arm for run in self.runs):
            runs = [run for run in self.runs if run.arm == arm and run.seconds > 0]
            seconds = sum(run.seconds for run in runs)
            if seconds:
                rate = sum(run.images for run in runs) / seconds
                found[arm] = {"images_per_second": rate, "waiting": sum(run.waiting for run in runs) / seconds}
        return found

    def write(self, out: Path) -> None:
        """``results.json``, ``timing.json``, ``table.md`` and ``report.html`` into a folder."""
        for name, text in (
            ("results.json", json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"),
            ("timing.json", json.dumps(self.timing(), indent=1) + "\n"),
            ("table.md", self.table() + "\n"),
        ):
            with atomic_path(out / name) as part:
                part.write_text(text, "utf-8")
        self.save_html(out / "report.html")

    def save_html(self, path: Path | str, *, command: str | None = None) -> None:
        """Write everything as one page, which needs no network and nothing beside it.

        Parameters
        ----------
        path : Path or str
        command : str, optional
            The command line that made it, for the page.
        """
        from imagemill.evaluate.comparisons.comparison_page import as_page

        with atomic_path(path) as part:
            part.write_text(as_page(self, command), "utf-8")

    def _as_page(self) -> str:
        from imagemill.evaluate.comparisons.comparison_page import as_page

        return as_page(self, None)

    def plot(self, population: str = CLEAN, ax: Any = None) -> Any:
        """Draw the effects on one population with matplotlib: an interval an arm, around zero.

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
        ParameterError
            For a population that was not asked about.
        MissingExtra
            Without matplotlib.
        """
        from imagemill.evaluate.comparisons.comparison_page import effect_plot

        if population not in self.design["test_images"]:
            known = ", ".join(self.design["test_images"])
            raise ParameterError(f"expected a population of {known}, got {population!r}")
        return effect_plot(self, population).draw(ax)

    def _repr_html_(self) -> str:
        from imagemill.evaluate.comparisons.comparison_page import summary_blocks

        return fragment(summary_blocks(self))

    def table(self) -> str:
        """Scores (accuracy, or Dice) with their effects as a Markdown table: a row an arm, a column a population."""
        names = list(dict.fromkeys(population for _, population in self.metrics))
        lines = ["| arm | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for arm in dict.fromkeys(arm for arm, _ in self.metrics):
            cells = [self._cell(arm, population) for population in names]
            lines.append(f"| {arm} | " + " | ".join(cells) + " |")
        return "\n".join([*lines, *(line for said in self.corruption_sentences for line in ("", said))])

    @property
    def corruption_sentences(self) -> list[str]:
        """:attr:`corruption_errors` in words."""
        return [f"{arm}: {error.sentence}" for arm, error in self.corruption_errors.items()]

    def _cell(self, arm: str, population: str) -> str:
        found = self.metrics[arm, population]
        if not found:
            return "diverged"
        mean = f"{np.mean([one.score for one in found]):.3f}"
        if arm == NONE:
            return mean
        effect = next((e for e in self.effects if (e.arm, e.population) == (arm, population)), None)
        if effect is None or effect.here.verdict == "too few seeds":
            return f"{mean} (no verdict)"
        low, high = effect.here.low * 100, effect.here.high * 100
        return f"{mean} ({effect.here.mean * 100:+.1f} [{low:+.1f}, {high:+.1f}])"

    def __repr__(self) -> str:
        asked = self.design
        head = (
            f"{asked['model']}, {asked['seeds']} seeds, {asked['recipe']['epochs']} epochs, "
            f"{asked['train_images']:,} training images"
        )
        seen = [f"can detect: {self.detectable_sentence()}"]
        lost = [f"{arm}: diverged with seeds {', '.join(map(str, seeds))}" for arm, seeds in self.diverged.items()]
        short = [*self.notes, *([self.ended] if self.ended else [])]
        return "\n".join([head, *seen, *(e.sentence for e in self.effects), *self.corruption_sentences, *lost, *short])

    def detectable_sentence(self) -> str:
        """What this design could have seen on the clean test images, for the arm where it sees least."""
        if not self.effects:
            return "nothing: no seed trained both an arm and the arm without augmentation to the end"
        worst = max((e for e in self.effects if e.population == CLEAN), key=lambda e: e.detectable)
        if math.isinf(worst.detectable):
            return f"nothing under {FEWEST_SEEDS} seeds"
        half = f"; half of it would take {worst.seeds_for_half} seeds" if worst.seeds_for_half else ""
        return (
            f"differences from {worst.detectable * 100:.1f} points of {worst.measure.name} on, four times of five{half}"
        )


def compared(
    design: Mapping[str, Any],
    runs: Sequence[Trained],
    labels: Mapping[str, Labels],
    classes: Sequence[str],
    level: float = 0.95,
    material: Material | None = None,
    *,
    spacing: Mapping[str, Array | None] = MappingProxyType({}),
    groups: Mapping[str, Array | None] = MappingProxyType({}),
) -> Comparison:
    """Count and compare what trained networks said.

    Parameters
    ----------
    design : mapping
    runs : sequence of Trained
        Of all arms and seeds; those that diverged are left out of the pairs and named.
    labels : mapping of str to array ``[n]`` or ``[n, (z,) y, x]``
        True classes or label maps by population.
    classes : sequence of str
    level : float, 0 to 1
        Of the intervals.
    material : Material, optional
        For pages.
    spacing : mapping of str to array ``[n, d]`` or None
        Of label maps, in millimetres.
    groups : mapping of str to array ``[n]`` or None
        What images belong to, such as patients: what is claimed for new images counts these.

    Returns
    -------
    Comparison
    """
    arms = list(dict.fromkeys(run.arm for run in runs))
    kept = {(run.arm, run.seed): run for run in runs if run.diverged is None}
    scores = {
        (*key, name): scores_of(run.answers[name], truth, len(classes), spacing.get(name))
        for key, run in kept.items()
        for name, truth in labels.items()
    }
    metrics = {
        (arm, name): [scores[arm, seed, name].metrics for of, seed in kept if of == arm]
        for arm in arms
        for name in labels
    }
    effects = []
    for arm in arms:
        seeds = [seed for of, seed in kept if of == arm and (NONE, seed) in kept]
        if arm == NONE or not seeds:
            continue
        for name in labels:
            mine, bare = ([scores[of, seed, name] for seed in seeds] for of in (arm, NONE))
            effects.append(_effect(arm, name, mine, bare, groups.get(name), classes, level))
    lost = {
        arm: tuple(run.seed for run in runs if run.arm == arm and run.diverged is not None)
        for arm in arms
        if any(run.arm == arm and run.diverged is not None for run in runs)
    }
    return Comparison(design, tuple(effects), metrics, tuple(runs), lost, material=material)


def class_changes(found: Mapping[str, Difference]) -> tuple[ClassChange, ...]:
    """Differences by class, with p values that are adjusted for the number of classes by Holm's method."""
    held = adjusted([change.p for change in found.values()])
    return tuple(ClassChange(name, change, p) for (name, change), p in zip(found.items(), held, strict=True))


def _effect(
    arm: str,
    name: str,
    mine: Sequence[Scores],
    bare: Sequence[Scores],
    groups: Array | None,
    classes: Sequence[str],
    level: float,
) -> Effect:
    table = np.stack([a.items - b.items for a, b in zip(mine, bare, strict=True)])
    measure, step = mine[0].measure, mine[0].step
    here = paired(table.mean(axis=1), level=level, step=step)
    anywhere = paired_items(clustered(table, groups), level=level, step=step)
    by_class = class_changes(
        {
            classes[number]: paired(
                [a.classes[number].mean() - b.classes[number].mean() for a, b in zip(mine, bare, strict=True)],
                level=level,
                step=1 / len(rows) if step else 0.0,
            )
            for number, rows in mine[0].classes.items()
        }
    )
    seen = detectable(here.deviation, here.pairs, level=level)
    half = seeds_for(seen / 2, here.deviation, level=level) if 0 < seen < math.inf else None
    score, baseline = (float(np.mean([one.items.mean() for one in of])) for of in (mine, bare))
    return Effect(arm, name, score, baseline, here, anywhere, seen, half, by_class, measure)


def _effect_dict(effect: Effect) -> dict[str, Any]:
    return {
        "arm": effect.arm,
        "population": effect.population,
        effect.measure.name.lower(): effect.score,
        "baseline": effect.baseline,
        "sentence": effect.sentence,
        "these_images": _difference_dict(effect.here),
        "new_images": _difference_dict(effect.anywhere),
        "detectable": plain(effect.detectable),
        "seeds_for_half": effect.seeds_for_half,
        "classes": [
            {
                "name": change.name,
                effect.measure.of_class.lower(): _difference_dict(change.difference),
                "adjusted_p": change.adjusted_p,
                "verdict": change.verdict,
            }
            for change in effect.classes
        ],
    }


def _difference_dict(found: Difference) -> dict[str, Any]:
    ends = {name: plain(getattr(found, name)) for name in ("mean", "low", "high", "p", "deviation", "freedom")}
    return {**ends, "pairs": found.pairs, "level": found.level, "verdict": found.verdict}


def _curve(run: Trained) -> list[tuple[float, ...]]:
    return [(e.loss, e.accuracy, e.validation_loss, e.validation_accuracy) for e in run.curve]
