"""How often a comparison calls arms different that are not, and sees differences that are there: measured, not assumed.

The same arm is trained twice, many times over, and compared with itself. Every verdict is then a false alarm.
Differences of known size are planted by turning a share of one side's right answers wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from imagemill.core.errors import ParameterError
from imagemill.evaluate.inputs.arms import CLEAN, NONE, Arm, Population
from imagemill.evaluate.inputs.experiment_data import Data
from imagemill.evaluate.runners.recipe import Recipe
from imagemill.evaluate.runners.registry import runner_named
from imagemill.evaluate.statistics.intervals import FEWEST_SEEDS, check_level, paired

__all__ = ["Calibration", "Share", "calibrate", "calibrated"]

Floats = npt.NDArray[np.float64]
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the exact interval of a share (Clopper and Pearson 1934)."""

    count: int
    of: int
    level: float = 0.95

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the interval, 0 to 1."""
        found = stats.binomtest(self.count, self.of).proportion_ci(self.level)
        return float(found.low), float(found.high)

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
    false_alarms : Share
        Verdicts where there was no difference, by Student's t as `compare` gives them.
    bootstrap : Share
        The same by a percentile bootstrap over seeds, which `compare` does not use.
    power : mapping of float to Share
        Planted differences of accuracy, and how many comparisons saw them.
    level : float, 0 to 1
        Of the intervals that gave the verdicts: no more than ``1 - level`` of them should be false alarms.
    """

    seeds: int
    false_alarms: Share
    bootstrap: Share
    power: dict[float, Share]
    level: float = 0.95

    def __repr__(self) -> str:
        lines = [
            f"{self.seeds} seeds: false alarms {self.false_alarms}; by a percentile bootstrap {self.bootstrap}",
            *(
                f"a planted difference of {size * 100:.1f} points is seen: {share}"
                for size, share in self.power.items()
            ),
        ]
        return "\n".join(lines)


def calibrate(
    data: Data,
    *,
    comparisons: int = 200,
    seeds: int = 3,
    model: str = "dense",
    recipe: Recipe | None = None,
    planted: Sequence[float] = (0.01, 0.02, 0.03, 0.05),
    level: float = 0.95,
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Compare no augmentation with itself, many times.

    Parameters
    ----------
    data : Data
        Small: every comparison trains ``2 * seeds`` networks.
    comparisons, seeds : int
    model : str
    recipe : Recipe, optional
    planted : sequence of float
        Differences of accuracy, 0 to 1, that one side is made worse by.
    level : float, 0 to 1
        Of the intervals that give the verdicts.
    progress : callable, optional
        Called with the networks trained, and how many there are to train.

    Returns
    -------
    Calibration

    Raises
    ------
    ParameterError
        Under three seeds, where no comparison has a verdict; for a level or differences that are none.
    """
    check_level(level)
    _check_planted(planted)
    if seeds < FEWEST_SEEDS or comparisons < 1:
        raise ParameterError(f"expected {FEWEST_SEEDS} seeds or more and a comparison, got {seeds} and {comparisons}")
    trainer, how = runner_named("torch"), recipe or Recipe(workers=0)
    network = trainer.network(model)
    images, labels = data.test
    asked = (Population(CLEAN, images, labels),)
    right = np.empty((2 * comparisons * seeds, len(labels)))
    for seed in range(len(right)):
        run = trainer.train(Arm(NONE), network, data.train, asked, len(data.classes), seed, how)
        if run.diverged is not None:
            raise ParameterError(f"expected a recipe that trains, got a loss that is no number with seed {seed}")
        right[seed] = run.probabilities[CLEAN].argmax(axis=1) == labels
        if progress is not None:
            progress(seed + 1, len(right))
    return calibrated(right.reshape(comparisons, seeds, 2, -1), planted, level)


def calibrated(right: Floats, planted: Sequence[float] = (), level: float = 0.95) -> Calibration:
    """Count verdicts over comparisons that are done.

    Parameters
    ----------
    right : array ``[comparisons, seeds, 2, images]``
        1 where a network was right, of an arm and of itself with other chance.
    planted : sequence of float
        Those above the accuracy itself cannot be planted, and are left out.
    level : float, 0 to 1

    Returns
    -------
    Calibration

    Examples
    --------
    >>> draws = np.random.default_rng(0)
    >>> found = calibrated((draws.random((400, 5, 2, 200)) < 0.9).astype(float), [0.1])
    >>> found.false_alarms.interval[0] < 0.05, found.power[0.1].count > 390
    (True, True)
    """
    comparisons, seeds, _, images = right.shape
    draws = np.random.Generator(np.random.Philox(comparisons))
    null = (right[:, :, 0] - right[:, :, 1]).mean(axis=2)
    power = {}
    check_level(level)
    _check_planted(planted)
    for size in (size for size in planted if size <= right.mean()):
        kept = draws.random(right[:, :, 0].shape) >= size / right.mean()
        changed = (right[:, :, 0] * kept - right[:, :, 1]).mean(axis=2)
        power[float(size)] = Share(_verdicts(changed, 1 / images, level), comparisons)
    picked = draws.integers(0, seeds, (_RESAMPLES, seeds))
    apart = 0
    for row in null:  # one at a time: all resamples of thousands of comparisons would fill gigabytes
        low, high = np.quantile(row[picked].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        apart += int(low > 0 or high < 0)
    alarms = Share(_verdicts(null, 1 / images, level), comparisons)
    return Calibration(seeds, alarms, Share(apart, comparisons), power, level)


def _check_planted(planted: Sequence[float]) -> None:
    if wrong := [size for size in planted if not 0 <= size < 1]:
        raise ParameterError(f"expected planted differences of accuracy from 0 to below 1, got {wrong}")


def _verdicts(differences: Floats, step: float, level: float) -> int:
    return sum(paired(row, level=level, step=step).verdict in ("helps", "harms") for row in differences)
