"""How often a comparison calls arms different that are not, and sees differences that are there: measured, not assumed.

The same arm is trained twice, many times over, and compared with itself. Every verdict is then a false alarm.
Differences of known size are planted by turning a share of one side's right answers wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from imagemill.core.errors import InputError, ParameterError
from imagemill.data.atomic import atomic_path
from imagemill.data.dataset import Dataset
from imagemill.evaluate.comparisons.comparison import class_changes
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from imagemill.evaluate.inputs.arms import CLEAN, NONE, Arm, Population
from imagemill.evaluate.inputs.experiment_data import Data, check_data, read_data
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.runners.registry import runner_named
from imagemill.evaluate.statistics.intervals import FEWEST_SEEDS, check_level, paired, paired_items

__all__ = ["Calibration", "Count", "calibrate", "calibrated"]

Floats = npt.NDArray[np.float64]
_RESAMPLES = 2000
_CALLED = "called"
"""Under which name the classes that a network called are kept, instead of all its probabilities."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many, with the exact interval of a share (Clopper and Pearson 1934)."""

    count: int
    of: int
    level: float = 0.95

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the interval, 0 to 1."""
        found = stats.binomtest(self.count, self.of).proportion_ci(self.level)
        return float(found.low), float(found.high)

    def to_dict(self) -> dict[str, float]:
        """Plain values."""
        low, high = self.interval
        return {"count": self.count, "of": self.of, "share": self.count / self.of, "low": low, "high": high}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count / self.of:.1%} ({self.count} of {self.of}) [{low:.1%}, {high:.1%}]"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What comparisons of an arm with itself said.

    Parameters
    ----------
    seeds : int
        Pairs of each comparison.
    false_alarms : Count
        Verdicts where there was no difference, by Student's t as `compare` gives them.
    bootstrap : Count
        The same by a percentile bootstrap over seeds, which `compare` does not use.
    power : mapping of float to Count
        Planted differences of accuracy, and how many comparisons saw them.
    families : Count
        Comparisons with a verdict on any class, where there was no difference (adjusted by Holm's method).
    class_power : mapping of float to Count
        Differences of recall planted in one class, and how many comparisons gave that class a verdict.
    held_new, held_here : Count
        Intervals that hold the effect that was planted in the population which the test images are from: those for new
        images, and for comparison those for these test images, which do not promise it.
    design : mapping
        What was trained, on what.
    level : float, 0 to 1
        Of the intervals that gave the verdicts: no more than ``1 - level`` of them should be false alarms.
    """

    seeds: int
    false_alarms: Count
    bootstrap: Count
    power: dict[float, Count]
    families: Count
    class_power: dict[float, Count]
    held_new: Count
    held_here: Count
    design: Mapping[str, Any] = field(default_factory=dict)
    level: float = 0.95

    @property
    def sentence(self) -> str:
        """Whether false alarms keep to what is promised, as far as so many comparisons can tell."""
        (low, high), promised = self.false_alarms.interval, 1 - self.level
        sure = "are not more frequent" if high <= promised else "are not shown to be more frequent"
        said = "are more frequent" if low > promised else sure
        return f"false alarms {said} than {100 * promised:.3g} %: {self.false_alarms}"

    def rows(self) -> list[tuple[str, Count]]:
        """Every figure with what it counts, in the order of the table."""
        return [
            ("false alarms, Student's t over pairs", self.false_alarms),
            ("false alarms, percentile bootstrap (not used)", self.bootstrap),
            ("false alarms on any class, Holm", self.families),
            *((f"{size * 100:g} points of accuracy planted: seen", share) for size, share in self.power.items()),
            *((f"{size * 100:g} points of recall of a class: seen", share) for size, share in self.class_power.items()),
            ("intervals for new images that hold the planted effect", self.held_new),
            ("intervals for these images that hold it (no promise)", self.held_here),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "design": dict(self.design),
            "seeds": self.seeds,
            "level": self.level,
            "sentence": self.sentence,
            "rows": [{"what": what, **share.to_dict()} for what, share in self.rows()],
        }

    def table(self) -> str:
        """The figures as a Markdown table."""
        lines = [f"| {self.seeds} seeds a comparison | share | of | 95 % interval |", "|---|---|---|---|"]
        for what, share in self.rows():
            low, high = share.interval
            lines.append(f"| {what} | {share.count / share.of:.1%} | {share.of} | {low:.1%} to {high:.1%} |")
        return "\n".join(lines)

    def write(self, out: Path) -> None:
        """``results.json`` and ``table.md`` into a folder."""
        for name, text in (
            ("results.json", json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"),
            ("table.md", self.table() + "\n"),
        ):
            with atomic_path(out / name) as part:
                part.write_text(text, "utf-8")

    def __repr__(self) -> str:
        return "\n".join([f"{self.seeds} seeds: {self.sentence}", *(f"{what}: {share}" for what, share in self.rows())])


def calibrate(
    dataset: Dataset | Path | str | Data | tuple[Any, Any],
    *,
    comparisons: int = 200,
    seeds: int = 3,
    model: str = "dense",
    recipe: Recipe | None = None,
    planted: Sequence[float] = (0.01, 0.02, 0.03, 0.05),
    level: float = 0.95,
    out: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Compare no augmentation with itself, many times.

    Parameters
    ----------
    dataset : Dataset, Path, str, Data, or arrays
        Small: every comparison trains ``2 * seeds`` networks.
    comparisons, seeds : int
    model : str
    recipe : Recipe, optional
    planted : sequence of float
        Differences of accuracy, 0 to 1, that one side is made worse by.
    level : float, 0 to 1
        Of the intervals that give the verdicts.
    out : Path, optional
        Keep what each network called there: a calibration that was stopped goes on, and networks that are there serve
        other numbers of seeds and comparisons.
    progress : callable, optional
        Called with the networks trained, and how many there are to train.

    Returns
    -------
    Calibration

    Raises
    ------
    ParameterError
        Under three seeds, where no comparison has a verdict; for a level or differences that are none.
    InputError
        For a network for label maps, and for data that `compare` refuses.
    """
    check_level(level)
    _check_planted(planted)
    if seeds < FEWEST_SEEDS or comparisons < 1:
        raise ParameterError(f"expected {FEWEST_SEEDS} seeds or more and a comparison, got {seeds} and {comparisons}")
    trainer, how = runner_named("torch"), recipe or Recipe(workers=0)
    network = trainer.network(model)
    if network.task != "classification":
        raise InputError(
            f"expected a network for classes, whose right answers can be counted, got {network.name!r}, which is for "
            "label maps; a calibration is of classifiers"
        )
    data = read_data(dataset)
    check_data(data, seeds, how.epochs, how.batch_size)
    trainer.check(network, data.train[0], len(data.classes))
    images, labels = data.test
    plain = {name: value for name, value in asdict(how).items() if name != "workers"}
    design = {
        "data": data.digest, "train_images": len(data.train[1]), "test_images": len(labels), "model": network.name,
        "recipe": plain, "comparisons": comparisons, "seeds": seeds, "runner": trainer.name,
    }  # fmt: skip
    kept = KeptRuns(out, design, grows=("comparisons", "seeds"))
    asked = (Population(CLEAN, images, labels),)
    called = np.empty((2 * comparisons * seeds, len(labels)), np.int64)
    for seed in range(len(called)):
        run = kept.get(NONE, seed)
        if run is None:
            run = trainer.train(Arm(NONE), network, data.train, asked, len(data.classes), seed, how)
            if run.diverged is not None:
                raise ParameterError(f"expected a recipe that trains, got a loss that is no number with seed {seed}")
            answers = {_CALLED: run.probabilities[CLEAN].argmax(axis=1).astype(np.uint16)[:, None]}
            run = replace(run, probabilities=answers, predict=None, network=None)
            kept.put(run)
        called[seed] = run.probabilities[_CALLED][:, 0]
        if progress is not None:
            progress(seed + 1, len(called))
    right = (called == labels).astype(np.float64).reshape(comparisons, seeds, 2, -1)
    found = replace(calibrated(right, planted, level, labels), design=design)
    if out is not None:
        found.write(out)
    return found


def calibrated(
    right: Floats, planted: Sequence[float] = (), level: float = 0.95, labels: npt.NDArray[np.integer] | None = None
) -> Calibration:
    """Count verdicts over comparisons that are done.

    Parameters
    ----------
    right : array ``[comparisons, seeds, 2, images]``
        1 where a network was right, of an arm and of itself with other chance.
    planted : sequence of float
        Differences of accuracy; five times as large in the recall of one class, and the largest in the population.
        Those above the accuracy itself cannot be planted, and are left out.
    level : float, 0 to 1
    labels : array ``[images]``, optional
        True classes; one class by default.

    Returns
    -------
    Calibration

    Examples
    --------
    >>> draws = np.random.default_rng(0)
    >>> found = calibrated((draws.random((200, 5, 2, 200)) < 0.9).astype(float), [0.1])
    >>> found.false_alarms.interval[0] < 0.05, found.power[0.1].count > 190
    (True, True)
    """
    comparisons, seeds, _, images = right.shape
    truth = np.zeros(images, np.int64) if labels is None else np.asarray(labels, np.int64)
    draws = np.random.Generator(np.random.Philox(comparisons))
    tables = right[:, :, 0] - right[:, :, 1]
    null = tables.mean(axis=2)
    check_level(level)
    _check_planted(planted)
    sizes = [float(size) for size in planted if size <= right.mean()]
    power = {}
    for size in sizes:
        kept = draws.random(right[:, :, 0].shape) >= size / right.mean()
        changed = (right[:, :, 0] * kept - right[:, :, 1]).mean(axis=2)
        power[size] = Count(_verdicts(changed, 1 / images, level), comparisons)
    picked = draws.integers(0, seeds, (_RESAMPLES, seeds))
    apart = 0
    for row in null:  # one at a time: all resamples of thousands of comparisons would fill gigabytes
        low, high = np.quantile(row[picked].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        apart += int(low > 0 or high < 0)
    new, here = _held(right, max(sizes, default=0.05 * float(right.mean())), level, draws)
    of_class = {5 * size: _in_class(right, truth, 5 * size, level, draws) for size in sizes if 5 * size <= right.mean()}
    return Calibration(
        seeds,
        Count(_verdicts(null, 1 / images, level), comparisons),
        Count(apart, comparisons),
        power,
        Count(sum(bool(_called(table, truth, level)) for table in tables), comparisons),
        {size: Count(count, comparisons) for size, count in of_class.items()},
        Count(new, comparisons),
        Count(here, comparisons),
        level=level,
    )


def _check_planted(planted: Sequence[float]) -> None:
    if wrong := [size for size in planted if not 0 <= size < 1]:
        raise ParameterError(f"expected planted differences of accuracy from 0 to below 1, got {wrong}")


def _verdicts(differences: Floats, step: float, level: float) -> int:
    return sum(paired(row, level=level, step=step).verdict in ("helps", "harms") for row in differences)


def _called(table: Floats, truth: npt.NDArray[np.int64], level: float) -> set[str]:
    """The classes of one comparison that have a verdict, by their numbers as text."""
    rows = {str(number): table[:, truth == number] for number in np.unique(truth)}
    found = {name: paired(some.mean(axis=1), level=level, step=1 / some.shape[1]) for name, some in rows.items()}
    return {one.name for one in class_changes(found) if one.verdict in ("helps", "harms")}


def _in_class(
    right: Floats, truth: npt.NDArray[np.int64], size: float, level: float, draws: np.random.Generator
) -> int:
    """How many comparisons give a class a verdict whose recall was made worse; the classes take turns."""
    classes, seen = np.unique(truth), 0
    recall = {mine: float(right[..., truth == mine].mean()) for mine in classes}
    for number, both in enumerate(right):
        mine = classes[number % len(classes)]
        share = min(1.0, size / max(recall[mine], 1e-9))
        wrong = (draws.random(both[:, 0].shape) < share) & (truth == mine)
        seen += str(mine) in _called(both[:, 0] * ~wrong - both[:, 1], truth, level)
    return seen


def _held(right: Floats, size: float, level: float, draws: np.random.Generator) -> tuple[int, int]:
    """How many intervals hold an effect of the population, for new images and for these.

    A share of all images there are is such that the arm is always wrong on them. Each comparison has half of the test
    images, and they are drawn anew: so the share among them is another one each time, and the effect on the population,
    ``share * accuracy``, is known.
    """
    share = size / float(right.mean())
    new = here = 0
    for both in right:
        some = draws.permutation(both.shape[-1])[: max(2, both.shape[-1] // 2)]
        struck = draws.random(len(some)) < share
        table = both[:, 0, some] * ~struck - both[:, 1, some]
        wide, narrow = (
            paired_items(table, level=level, step=1 / len(some)),
            paired(table.mean(axis=1), level=level, step=1 / len(some)),
        )
        new += wide.low <= -size <= wide.high
        here += narrow.low <= -size <= narrow.high
    return new, here
