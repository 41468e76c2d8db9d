"""What sets wild images apart from training images, one measure at a time, with chance accounted for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from imagemill.core.plain_values import plain
from imagemill.measures.catalogue import Quantity
from imagemill.measures.differences.two_samples import (
    Tested,
    any_balance,
    same_balance,
    shift_of_means,
    weighted_quantiles,
)
from imagemill.measures.principal_axis import unwrapped

__all__ = ["FEWEST_IMAGES", "QUANTILES", "Gap", "Groups", "Labelled", "gap_of", "judged"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Verdict = Literal["gap", "small", "no difference seen", "not measured"]

FEWEST_IMAGES = 10
"""Under so many images with a value a population is not compared."""

_NORMAL = 2 * 1.6448536269514722
"""Standard deviations between the quantiles at 5 and 95 % of a normal distribution."""

_OUTSIDE = 0.01
"""Of training values, on each side of what they span."""

_AGREED = 0.1
"""Axes whose mean is shorter than this go in all directions: no turn leads from one population to another."""

QUANTILES = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Images ``[n, y, x, C]`` and their classes ``[n]``, None where nobody said them."""

    images: Array
    labels: Labels | None


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Classes of both populations: numbers ``[n]`` and ``[m]``, None where nobody said them, and their names."""

    train: Labels
    wild: Labels | None
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """One measure of both populations, and what lies between them.

    Parameters
    ----------
    measure : Quantity
    train, wild : array ``[5]``
        Quantiles at 5, 25, 50, 75 and 95 %, training images weighted to the class shares of the wild ones; shares of
        images with a dark object for the polarity.
    change, low, high : float
        Of the mean, with its interval; a factor where the measure is compared as a ratio.
    distance : float, 0 to 1
        Kolmogorov and Smirnov's.
    p, adjusted_p : float
        The second is Holm's, over all measures.
    needed : pair of float
        From where to where something has to be added to training values, drawn uniformly, to reach the wild ones
        (logarithms for ratios); it holds 0.
    aligning : pair of float
        The same without 0, unless the wild values say so: one number twice where all have moved alike.
    outside : float, 0 to 1
        Share of wild images outside the middle 98 % of training images: 0.02 where nothing differs.
    verdict : {"gap", "small", "no difference seen", "not measured"}
        ``"small"`` is a sure difference that training images cover but for less than the measure's tolerance.
    images : pair of int
        Training and wild images with a value.
    missing : pair of int
        ... and without one.
    by_class : mapping of str to float
        Change of the mean in each class; empty without labels.
    middle : pair of float
        Both medians as they are compared: logarithms for ratios.
    """

    measure: Quantity
    train: Floats
    wild: Floats
    change: float
    low: float
    high: float
    distance: float
    p: float
    adjusted_p: float
    needed: tuple[float, float]
    aligning: tuple[float, float]
    outside: float
    verdict: Verdict
    images: tuple[int, int]
    missing: tuple[int, int]
    by_class: Mapping[str, float]
    middle: tuple[float, float] = (0.0, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "measure": self.measure.name,
            "unit": self.measure.unit,
            "verdict": self.verdict,
            "train": [plain(v) for v in self.train],
            "wild": [plain(v) for v in self.wild],
            "change": plain(self.change),
            "interval": [plain(self.low), plain(self.high)],
            "as": self.measure.scale,
            "distance": self.distance,
            "p": self.p,
            "adjusted_p": self.adjusted_p,
            "outside": plain(self.outside),
            "images": list(self.images),
            "without_a_value": list(self.missing),
            "classes": dict(self.by_class),
        }


def gap_of(
    measure: Quantity,
    train: Floats,
    wild: Floats,
    of: Groups,
    *,
    level: float,
    seed: int,
    draws: int = 1999,
) -> Gap:
    """Compare two populations by one measure; ``adjusted_p`` and ``verdict`` are those of this measure alone.

    Parameters
    ----------
    measure : Quantity
    train, wild : array ``[n]``, ``[m]``
        NaN where an image has no value.
    of : Groups
    level : float, 0 to 1
    seed : int
    draws : int
        Exchanges of the test at most, see `same_balance`; 0 measures without a test.

    Returns
    -------
    Gap
    """
    kept, here = np.isfinite(_scaled(measure, train)), np.isfinite(_scaled(measure, wild))
    if of.wild is not None:
        # A class that training images of this kind do not have cannot be compared.
        here &= np.isin(of.wild, of.train[kept])
    images = (int(kept.sum()), int(here.sum()))
    missing = (len(train) - images[0], len(wild) - images[1])
    if min(images) < FEWEST_IMAGES:
        return _not_measured(measure, images, missing)
    a, b = _scaled(measure, train[kept]), _scaled(measure, wild[here])
    if measure.scale == "angle":
        about = _axis(np.concatenate([a, b]))[0]
        a, b = unwrapped(a, about), unwrapped(b, about)
    of_a, of_b = of.train[kept], None if of.wild is None else of.wild[here]
    tested = any_balance(a, b, of_a) if of_b is None else same_balance(a, b, of_a, of_b, draws=draws, seed=seed)
    mean, low, high = shift_of_means(a, b, tested.weights, of_a, of_b, level)
    mine, theirs = _quantiles(measure, a, tested.weights), _quantiles(measure, b, np.full(len(b), 1 / len(b)))
    if measure.scale == "angle":
        mine, theirs = _turned(a, b, tested.weights)
    apart = theirs - mine
    middle, half = _uniform(apart, mine, images)
    if measure.scale == "angle":
        middle = float(apart[2])  # axes far from the mean one may come around from the other side
    needed = float(min(0.0, middle - half, apart[2])), float(max(0.0, middle + half, apart[2]))
    return Gap(
        measure=measure,
        train=_unscaled(measure, mine),
        wild=_unscaled(measure, theirs),
        change=_shown(measure, mean),
        low=_shown(measure, low),
        high=_shown(measure, high),
        distance=tested.distance,
        p=tested.p,
        adjusted_p=tested.p,
        needed=needed,
        aligning=(middle - half, middle + half),
        outside=_share_outside(measure, a, b, tested),
        verdict=judged(measure, tested.p, needed, level),
        images=images,
        missing=missing,
        by_class={} if of_b is None else _by_class(measure, a, b, of_a, of_b, of.classes),
        middle=(float(mine[2]), float(theirs[2])),
    )


def _not_measured(measure: Quantity, images: tuple[int, int], missing: tuple[int, int]) -> Gap:
    none, nan, still = np.full(len(QUANTILES), np.nan), math.nan, (0.0, 0.0)
    return Gap(
        measure, none, none, nan, nan, nan, 0.0, 1.0, 1.0, still, still, nan, "not measured", images, missing, {}
    )


def judged(measure: Quantity, p: float, needed: tuple[float, float], level: float) -> Verdict:
    """What a p value, adjusted for the number of measures, and the change that is needed say together."""
    if p > 1 - level:
        return "no difference seen"
    return "gap" if max(needed[1], -needed[0]) >= _least(measure) else "small"


def _least(measure: Quantity) -> float:
    """The tolerance as it is compared: of ratios the logarithm."""
    return float(np.log1p(measure.tolerance)) if measure.scale == "ratio" else measure.tolerance


def _uniform(apart: Floats, mine: Floats, images: tuple[int, int]) -> tuple[float, float]:
    """Middle and half width of the range that, drawn from and added, makes one population of the other.

    The middle is that of the changes at 5 and at 95 %. What is drawn for each image alone adds to the variance, and the
    variance of a uniform range is a third of its half width squared; where wild values do not lie farther apart than
    chance (Fisher's F) would have them, the range is one number.
    """
    spread, theirs = float(mine[-1] - mine[0]), float(mine[-1] - mine[0] + apart[-1] - apart[0])
    middle = float(apart[0] + apart[-1]) / 2
    farther = theirs**2 > spread**2 * stats.f.ppf(0.95, images[1] - 1, images[0] - 1)
    return middle, math.sqrt(3 * (theirs**2 - spread**2)) / _NORMAL if farther and theirs > 0 else 0.0


def _share_outside(measure: Quantity, train: Floats, wild: Floats, tested: Tested) -> float:
    """Share of wild values beyond the middle 98 % of weighted training ones; of signs, of one that training lacks."""
    if measure.scale == "sign":
        dark = float((train * tested.weights).sum())
        return float((wild == 1).mean() * (dark < _OUTSIDE) + (wild == 0).mean() * (1 - dark < _OUTSIDE))
    low, high = weighted_quantiles(train, tested.weights, np.array([_OUTSIDE, 1 - _OUTSIDE]))
    return float(((wild < low) | (wild > high)).mean())


def _scaled(measure: Quantity, values: Floats) -> Floats:
    """Values such that a change of images adds something to all of them."""
    if measure.scale == "ratio":
        return np.log(np.where(values > 1e-9, values, np.nan))
    return (1 - values) / 2 if measure.scale == "sign" else values


def _unscaled(measure: Quantity, values: Floats) -> Floats:
    return np.exp(values) if measure.scale == "ratio" else values


def _shown(measure: Quantity, change: float) -> float:
    return float(np.exp(change)) if measure.scale == "ratio" else change


def _quantiles(measure: Quantity, values: Floats, weights: Floats) -> Floats:
    if measure.scale == "sign":
        return np.full(len(QUANTILES), float((values * weights).sum()))
    return weighted_quantiles(values, weights, QUANTILES)


def _axis(degrees: Floats, weights: Floats | None = None) -> tuple[float, float]:
    """The mean of axes, and from 0 to 1 how much they agree.

    Source: Mardia and Jupp (2000), "Directional Statistics", 1.1: angles of axes are doubled first.
    """
    doubled = np.average(np.exp(2j * np.radians(degrees)), weights=weights)
    return float(np.degrees(np.angle(doubled)) / 2), float(abs(doubled))


def _turned(a: Floats, b: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Quantiles of two populations, each unwrapped about its own mean axis; the same twice where axes go everywhere."""
    (mine, agreed), (theirs, also) = _axis(a, weights), _axis(b)
    of_a = weighted_quantiles(unwrapped(a, mine), weights, QUANTILES)
    if min(agreed, also) < _AGREED:
        return of_a, of_a
    theirs = float(unwrapped(np.array([theirs]), mine)[0])
    return of_a, weighted_quantiles(unwrapped(b, theirs), np.full(len(b), 1 / len(b)), QUANTILES)


def _by_class(
    measure: Quantity, a: Floats, b: Floats, of_a: Labels, of_b: Labels, classes: tuple[str, ...]
) -> dict[str, float]:
    return {
        classes[c]: float(_shown(measure, float(b[of_b == c].mean() - a[of_a == c].mean()))) for c in np.unique(of_b)
    }
