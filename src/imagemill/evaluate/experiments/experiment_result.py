"""What an experiment found: one comparison a network, beside published figures, as plain data and as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imagemill.data.atomic import atomic_path
from imagemill.evaluate.comparisons.comparison import Comparison
from imagemill.evaluate.experiments.experiment_file import Experiment

__all__ = ["ExperimentResult"]


@dataclass(frozen=True, slots=True, eq=False)
class ExperimentResult:
    """Every figure of an experiment.

    Parameters
    ----------
    experiment : Experiment
        As it was run.
    changes : tuple of str
        What was asked otherwise than the experiment's file says, in words; none where it was run as it stands.
    comparisons : mapping of str to Comparison
        By study.
    """

    experiment: Experiment
    changes: tuple[str, ...]
    comparisons: Mapping[str, Comparison]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without anything that differs from run to run."""
        return {
            "experiment": self.experiment.name,
            "title": self.experiment.title,
            "changes": list(self.changes),
            "setting": self.setting,
            "published": [
                {"study": study, "arm": arm, "population": population, "accuracy": value}
                for (study, arm, population), value in self.experiment.published.items()
            ],
            "studies": {name: found.to_dict() for name, found in self.comparisons.items()},
        }

    @property
    def setting(self) -> str:
        """Images, seeds and epochs in one line: no figure without them."""
        asked = next(iter(self.comparisons.values())).design
        recipe, tested = asked["recipe"], next(iter(asked["test_images"].values()))
        validation = recipe.get("validation", 0.0)
        held = f" ({validation:.0%} of them held back for the curves)" if validation else ""
        seeds = _seeds(found.design["seeds"] for found in self.comparisons.values())
        return (
            f"{asked['train_images']:,} training images{held}, {tested:,} test images, "
            f"{seeds}, {_counted(recipe['epochs'], 'epoch')}, "
            f"batches of {recipe['batch_size']}, learning rate {recipe['learning_rate']:g}, runner {asked['runner']}"
        )

    def table(self) -> str:
        """Mean accuracy over seeds, its standard deviation, and below it what was published, in Markdown."""
        names = list(dict.fromkeys(name for found in self.comparisons.values() for _, name in found.metrics))
        lines = [
            "| network | augmentation | seeds | " + " | ".join(names) + " |",
            "|---|---|" + "---:|" * (len(names) + 1),
        ]
        for study, found in self.comparisons.items():
            for arm in dict.fromkeys(arm for arm, _ in found.metrics):
                cells = [self._cell(study, arm, name) for name in names]
                seeds = max(len(found.metrics.get((arm, name), [])) for name in names)
                lines.append(f"| {study} | {arm} | {seeds} | " + " | ".join(cells) + " |")
                said = [self.experiment.published.get((study, arm, name)) for name in names]
                if any(value is not None for value in said):
                    cells = ["" if value is None else f"{value:g}" for value in said]
                    lines.append("| | published | | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def _cell(self, study: str, arm: str, population: str) -> str:
        right = [one.score for one in self.comparisons[study].metrics.get((arm, population), [])]
        if not right:
            return "diverged"
        spread = f" ± {np.std(right, ddof=1):.3f}" if len(right) > 1 else ""
        return f"{np.mean(right):.3f}{spread}"

    def text(self) -> str:
        """The table with what it was made on, and every verdict, in Markdown."""
        lines = [f"# {self.experiment.title}", "", f"{self.setting[0].upper()}{self.setting[1:]}."]
        if self.changes:
            lines += ["", f"Not as the experiment is written: {'; '.join(self.changes)}."]
        lines += ["", "Accuracy, the mean over seeds ± the standard deviation between them.", "", self.table()]
        for study, found in self.comparisons.items():
            lines += ["", f"{study}: {found.ended}."] if found.ended else []
        for study, found in self.comparisons.items():
            if not found.effects:
                continue
            lines += ["", f"## {study}", "", f"This design can detect {found.detectable_sentence()}.", ""]
            for effect in found.effects:
                lines.append(f"* {effect.sentence}")
                changed = [c for c in effect.classes if c.verdict in ("helps", "harms")]
                if changed:
                    words = ", ".join(f"{c.name} {c.difference.mean * 100:+.1f}" for c in changed)
                    lines.append(f"  * by class, points of recall (Holm): {words}")
        return "\n".join(lines)

    def write(self, out: Path) -> None:
        """``results.json`` and ``table.md`` into a folder."""
        for name, text in (
            ("results.json", json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"),
            ("table.md", self.text() + "\n"),
        ):
            with atomic_path(out / name) as part:
                part.write_text(text, "utf-8")

    def __repr__(self) -> str:
        return self.text()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _seeds(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return _counted(found[0], "seed") if len(found) == 1 else f"{found[0]} to {found[-1]} seeds"
