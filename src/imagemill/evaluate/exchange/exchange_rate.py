"""What a pipeline is worth in images, as plain data and in words."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import ParameterError
from imagemill.core.plain_values import plain
from imagemill.data.atomic import atomic_path
from imagemill.evaluate.comparisons.logged import Logged
from imagemill.evaluate.exchange.learning_curve import LearningCurve, Lookup, invert
from imagemill.evaluate.inputs.arms import CLEAN, NONE
from imagemill.evaluate.runners.recipe import Trained
from imagemill.evaluate.statistics.intervals import FEWEST_SEEDS, Difference, Verdict, detectable, paired
from imagemill.pages import Curve, CurvePlot, Panels, Section, Showable, page

__all__ = ["ExchangeRate", "ExchangeRates", "Reached", "exchanged"]

Floats = npt.NDArray[np.float64]
_NOTHING = Lookup(0.0, math.inf)


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """What one pipeline is worth, with one number of training images, on one population.

    Parameters
    ----------
    arm, population : str
    size : float
        Training images that it was trained with: of groups, the mean over seeds.
    images : float
        Training images without augmentation that reach the same accuracy; 0 where the smallest number that was trained
        with does better, infinity where the largest does worse.
    here : Lookup
        The interval of `images`, on these test images.
    anywhere : Lookup
        The same, on new images of this kind.
    difference : Difference
        Of accuracies at ``size``, on these test images.
    accuracy : float
        Of the pipeline, mean over seeds.
    detectable : float
        The difference of accuracies that this design would call one, four times of five; infinite under 3 seeds.
    detectable_images : float
        As many more images without augmentation make that difference; infinite where the largest number does not.
    range : tuple of float
        The smallest and the largest number of images that were trained with, without augmentation.
    """

    arm: str
    population: str
    size: float
    images: float
    here: Lookup
    anywhere: Lookup
    difference: Difference
    accuracy: float
    detectable: float
    detectable_images: float
    range: tuple[float, float]

    @property
    def worth(self) -> float:
        """Images that it stands for; below 0 when it costs some, infinite outside of what was measured."""
        return self.images - self.size if self.images > 0 else -math.inf

    @property
    def verdict(self) -> Verdict:
        """What the interval carries, and no more."""
        if self.difference.pairs < FEWEST_SEEDS:
            return "too few seeds"
        return self._verdict(self.here)

    def _verdict(self, found: Lookup) -> Verdict:
        # An interval can end where all that was measured ends, on the side of the difference.
        if found.low > self.size or (found.low == self.size and math.isinf(found.high)):
            return "helps"
        if found.high < self.size or (found.high == self.size and found.low == 0.0):
            return "harms"
        return "no difference seen"

    @property
    def sentence(self) -> str:
        """The worth in words, with the interval that carries it."""
        name = f"{self.arm} on {self.population} test images, with {_count(self.size)} training images"
        if self.verdict == "too few seeds":
            return f"{name}: no verdict under {FEWEST_SEEDS} seeds ({self._so_far()})"
        if self.verdict == "no difference seen":
            said = f"{self._so_far()} {self._interval(self.here)}"
            return f"{name}: no difference seen, {said}; it would have seen {self.seen()}"
        new = "also" if self._verdict(self.anywhere) == self.verdict else "not shown"
        said = self._worth_said() if self.verdict == "helps" else self._cost_said()
        return f"{name}: {said}; for new images of this kind {new}, {self._interval(self.anywhere)}"

    def seen(self) -> str:
        """What this design could have seen, in words."""
        if math.isinf(self.detectable):
            return f"nothing under {FEWEST_SEEDS} seeds"
        if self.detectable > 1:
            return "nothing: the seeds are too far apart for that few"
        points = f"{self.detectable * 100:.1f} points of accuracy"
        if math.isinf(self.detectable_images):
            return f"{points}, more than {_count(self.range[1])} images give"
        return f"{points}, which is {_count(self.detectable_images)} more images"

    def _so_far(self) -> str:
        low, high = self.range
        if math.isinf(self.images):
            return f"{_signed(high - self.size)} images or more"
        if self.images == 0.0:
            return f"{_signed(low - self.size)} images or fewer"
        return f"{_signed(self.worth)} images"

    def _interval(self, found: Lookup) -> str:
        low, high = self.range
        first = f"{_signed(low - self.size)} or fewer" if found.low == 0.0 else _signed(found.low - self.size)
        last = f"{_signed(high - self.size)} or more" if math.isinf(found.high) else _signed(found.high - self.size)
        return f"[{first}, {last}]"

    def _worth_said(self) -> str:
        if math.isinf(self.images):
            least = self.here.low - self.size
            return f"worth at least {_count(least)} more images; how many, {_count(self.range[1])} images do not show"
        return f"worth {_count(self.worth)} more images {self._interval(self.here)}"

    def _cost_said(self) -> str:
        if self.images == 0.0:
            least = self.size - self.here.high
            if least == 0.0:
                return f"harms; it costs images, and how many, no size below {_count(self.size)} shows"
            return f"costs at least {_count(least)} images; how many, no size below {_count(self.range[0])} shows"
        return f"costs {_count(-self.worth)} images {self._interval(self.here)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None stands for what is outside of what was measured."""
        return {
            "arm": self.arm,
            "population": self.population,
            "size": self.size,
            "accuracy": self.accuracy,
            "images": _inside(self.images),
            "worth": plain(self.worth),
            "these_images": self._ends(self.here),
            "new_images": self._ends(self.anywhere),
            "difference": {
                name: plain(getattr(self.difference, name)) for name in ("mean", "low", "high", "p", "deviation")
            },
            "pairs": self.difference.pairs,
            "level": self.difference.level,
            "detectable": plain(self.detectable),
            "detectable_images": plain(self.detectable_images),
            "verdict": self.verdict,
            "sentence": self.sentence,
        }

    def _ends(self, found: Lookup) -> dict[str, float | None]:
        low, high = (_inside(end) for end in (found.low, found.high))
        return {
            "low": None if low is None else low - self.size,
            "high": None if high is None else high - self.size,
        }


@dataclass(frozen=True, slots=True)
class Reached:
    """Accuracy of an arm with one number of training images on one population: by seed, without those that diverged."""

    arm: str
    population: str
    size: float
    accuracy: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        """Over seeds; None where all diverged."""
        return float(np.mean(self.accuracy)) if self.accuracy else None


@dataclass(frozen=True, slots=True, eq=False)
class ExchangeRates(Showable):
    """What pipelines are worth, by number of training images and population.

    Parameters
    ----------
    design : mapping
        What was asked, and what it was asked on.
    rates : tuple of ExchangeRate
        By arm, population, size.
    reached : tuple of Reached
        All curves, that without augmentation first.
    diverged : mapping of str to tuple of int
        Seeds with which a run's loss was no number any more, by arm and size.
    ended : str
        Why there are fewer seeds than were asked for; empty where there are not.
    notes : tuple of str
        What networks were not trained on, though it was asked for.
    """

    design: Mapping[str, Any]
    rates: tuple[ExchangeRate, ...]
    reached: tuple[Reached, ...]
    diverged: Mapping[str, tuple[int, ...]]
    ended: str = ""
    notes: tuple[str, ...] = ()

    def rate(self, arm: str, size: float, population: str = CLEAN) -> ExchangeRate:
        """What one arm is worth with that number of training images.

        Raises
        ------
        ParameterError
            When there is none, naming those that there are.
        """
        for one in self.rates:
            if (one.arm, one.population, one.size) == (arm, population, size):
                return one
        known = [(one.arm, one.size, one.population) for one in self.rates]
        raise ParameterError(f"expected an arm, a size below the largest and a population of {known}, got "
                             f"{(arm, size, population)}")  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "design": dict(self.design),
            "rates": [one.to_dict() for one in self.rates],
            "curves": [
                {"arm": one.arm, "population": one.population, "size": one.size, "accuracy": list(one.accuracy)}
                for one in self.reached
            ],
            "diverged": {name: list(seeds) for name, seeds in self.diverged.items()},
            "notes": list(self.notes),
        }

    def logged(self) -> Iterator[Logged]:
        """What each is worth, as figures that other tools keep; ends that are not reached are none."""
        for one in self.rates:
            low = one.here.low - one.size if one.here.low > 0 else -math.inf
            ends = {"worth": one.worth, "low": low, "high": one.here.high - one.size}
            yield Logged(f"{one.arm}@{_exact(one.size)}", one.population, ends, one.difference.pairs)

    def table(self) -> str:
        """Accuracy and worth as a Markdown table: a row an arm, population and number of training images."""
        rates = {(one.arm, one.population, one.size): one for one in self.rates}
        lines = ["| arm | test images | training images | accuracy | worth, images |", "|---|---|---|---|---|"]
        for one in self.reached:
            found = rates.get((one.arm, one.population, one.size))
            mean = "diverged" if one.mean is None else f"{one.mean:.3f}"
            said = "" if found is None else _cell(found)
            lines.append(f"| {one.arm} | {one.population} | {_exact(one.size)} | {mean} | {said} |")
        return "\n".join(lines)

    def detectable_sentence(self) -> str:
        """What this design could have seen on the clean test images, by size, for the arm where it sees least."""
        sizes = dict.fromkeys(one.size for one in self.rates)
        if not sizes:
            return "nothing: no seed trained both an arm and the reference to the end"
        said = []
        for size in sizes:
            mine = [one for one in self.rates if (one.size, one.population) == (size, CLEAN)]
            least = max(mine, key=lambda one: one.detectable)
            said.append(f"with {_count(size)} images, {least.seen()}")
        return "; ".join(said)

    def _repr_html_(self) -> str:
        from imagemill.pages import Code, fragment

        return fragment([Code(repr(self)), self.plot()])

    def _as_page(self) -> str:
        return self.page()

    def plot(self, population: str = CLEAN) -> CurvePlot:
        """The curves on one population, with intervals of the means over seeds where there are two or more.

        Raises
        ------
        ParameterError
            For a population that is not there.
        """
        known = list(dict.fromkeys(one.population for one in self.reached))
        if population not in known:
            raise ParameterError(f"expected a population of {known}, got {population!r}")
        mine = [one for one in self.reached if one.population == population and one.accuracy]
        curves = []
        for look, arm in enumerate(dict.fromkeys(one.arm for one in mine)):
            points = [one for one in mine if one.arm == arm]
            found = [paired(one.accuracy, level=self.design["level"]) for one in points]
            sure = all(one.pairs > 1 for one in found)
            curves.append(
                Curve(
                    "no augmentation" if arm == NONE else arm,
                    [one.size for one in points],
                    [one.mean for one in found],
                    [one.low for one in found] if sure else (),
                    [one.high for one in found] if sure else (),
                    look,
                )
            )
        return CurvePlot(f"{population} test images", curves, "training images", "accuracy", logarithmic=True)

    def page(self) -> str:
        """The curves and what they say as one HTML file."""
        names = list(dict.fromkeys(one.population for one in self.reached))
        lines = repr(self).splitlines()
        return page(
            "Worth in images",
            lines[:2],
            [
                Section("What the pipelines are worth", lines[2:]),
                Section("Learning curves", [Panels([self.plot(name) for name in names])]),
            ],
        )

    def left_out(self) -> list[str]:
        """What was asked for and is in no figure, in words."""
        lost = [f"{name}: diverged with seeds {', '.join(map(str, seeds))}" for name, seeds in self.diverged.items()]
        return [*lost, *self.notes, *([self.ended] if self.ended else [])]

    def write(self, out: Path | str) -> None:
        """``results.json``, ``table.md`` and the curves as ``curves.html`` into a folder."""
        for name, text in (
            ("results.json", json.dumps(self.to_dict(), indent=1, allow_nan=False) + "\n"),
            ("table.md", self.table() + "\n"),
            ("curves.html", self.page()),
        ):
            with atomic_path(Path(out) / name) as part:
                part.write_text(text, "utf-8")

    def __repr__(self) -> str:
        asked = self.design
        same = ", ".join(f"{count:,} {unit}" for unit, count in asked["same"].items() if count is not None)
        sizes = ", ".join(f"{size:,}" for size in asked["sizes"])
        return "\n".join(
            [
                f"{asked['model']}, {asked['seeds']} seeds, the same {same} at {sizes} training images",
                f"can detect, four times of five: {self.detectable_sentence()}",
                *(one.sentence for one in self.rates),
                *self.left_out(),
            ]
        )


def exchanged(
    design: Mapping[str, Any],
    runs: Mapping[tuple[str, int, int], Trained],
    labels: Mapping[str, npt.NDArray[np.int64]],
    sizes: Mapping[int, float],
) -> ExchangeRates:
    """Read off the reference curve what arms reach.

    Parameters
    ----------
    design : mapping
        With the ``level`` of intervals.
    runs : mapping of (arm, size, seed) to Trained
        With ``"none"`` at every size.
    labels : mapping of str to array ``[n]``
        True classes by population.
    sizes : mapping of int to float
        Numbers of images that were asked for, to those that were taken.

    Returns
    -------
    ExchangeRates
    """
    arms = list(dict.fromkeys(arm for arm, _, _ in runs))
    seeds = sorted({seed for _, _, seed in runs})
    reached, rates = [], []
    whole = [seed for seed in seeds if all(runs[NONE, size, seed].diverged is None for size in sizes)]
    for arm in arms:
        for name, truth in labels.items():
            bare = {seed: np.stack([_right(runs[NONE, size, seed], name, truth) for size in sizes]) for seed in whole}
            for size in (size for size in sizes if (arm, size, seeds[0]) in runs):
                kept = {seed: runs[arm, size, seed] for seed in seeds if runs[arm, size, seed].diverged is None}
                mine = {seed: _right(run, name, truth) for seed, run in kept.items()}
                means = tuple(float(right.mean()) for right in mine.values())
                reached.append(Reached(arm, name, sizes[size], means))
                both = [seed for seed in whole if seed in mine]
                if arm != NONE and both:
                    rates.append(
                        _rate(
                            (arm, name, sizes[size]),
                            np.array(list(sizes.values())),
                            np.stack([bare[seed] for seed in both]),
                            np.stack([mine[seed] for seed in both]),
                            float(design["level"]),
                        )
                    )
    lost: dict[str, tuple[int, ...]] = {}
    for (arm, size, seed), run in runs.items():
        if run.diverged is not None:
            lost[f"{arm} with {size:,} images"] = (*lost.get(f"{arm} with {size:,} images", ()), seed)
    return ExchangeRates(design, tuple(rates), tuple(reached), lost)


def _rate(named: tuple[str, str, float], sizes: Floats, reference: Floats, mine: Floats, level: float) -> ExchangeRate:
    step = 1 / mine.shape[1]
    curve = LearningCurve(sizes, reference.mean(axis=(0, 2)), step / 2)
    size = named[2]
    bare = reference[:, int(np.flatnonzero(sizes == size)[0])].mean(axis=1)
    difference = paired(mine.mean(axis=1) - bare, level=level, step=step)
    seen = detectable(difference.deviation, difference.pairs, level=level)
    few = difference.pairs < FEWEST_SEEDS
    return ExchangeRate(
        *named,
        images=curve.nearest(float(mine.mean()), size),
        here=_NOTHING if few else invert(sizes, reference.mean(axis=2), mine.mean(axis=1), level=level, step=step),
        anywhere=_NOTHING if few else invert(sizes, reference, mine, level=level),
        difference=difference,
        accuracy=float(mine.mean()),
        detectable=math.inf if few else seen,
        detectable_images=math.inf if few else max(0.0, curve.nearest(float(bare.mean()) + seen, size) - size),
        range=(float(sizes[0]), float(sizes[-1])),
    )


def _right(run: Trained, name: str, truth: npt.NDArray[np.int64]) -> Floats:
    right: npt.NDArray[np.bool_] = run.probabilities[name].argmax(axis=1) == truth
    return right.astype(np.float64)


def _cell(rate: ExchangeRate) -> str:
    if rate.verdict == "too few seeds":
        return "no verdict"
    ends = rate._interval(rate.here)
    return f"outside {ends}" if not math.isfinite(rate.worth) else f"{_signed(rate.worth)} {ends}"


def _count(images: float) -> str:
    """To two digits: an interval of images is never surer than that."""
    return f"{_rounded(images):,}"


def _signed(images: float) -> str:
    rounded = _rounded(images)
    return f"{rounded:+,}" if rounded else "0"


def _exact(images: float) -> str:
    return f"{images:,.0f}"


def _rounded(images: float) -> int:
    return 0 if abs(images) < 0.5 else int(float(f"{images:.2g}") if abs(images) >= 10 else round(images))


def _inside(images: float) -> float | None:
    return images if 0.0 < images < math.inf else None
