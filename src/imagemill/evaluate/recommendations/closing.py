"""From two populations to transforms: gaps are found, closed one after the other, and looked at again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.geometry import peak_of
from imagemill.evaluate.recommendations.corrections import CORRECTIONS, Correction, Frame2d
from imagemill.evaluate.recommendations.held_ranges import Held, within
from imagemill.evaluate.statistics.intervals import adjusted
from imagemill.measures.catalogue import MEASURES, measured
from imagemill.measures.differences.gaps import Gap, Groups, Labelled, gap_of, judged
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform

__all__ = ["Closed", "Closing", "Looked"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_DRAWS = 1999
"""Exchanges of images at most, to see what chance does."""
_CLOSES = 0.8
"""A transform is proposed where it leaves at most so much of the distance."""
_SIMPLER = 0.05
"""Of the distance: so much less another transform must leave to be taken before a simpler one."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A transform that closes gaps, and which: as they were when it was found; and what the network takes of it."""

    transform: Transform
    gaps: tuple[Gap, ...]
    held: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything that was found.

    Parameters
    ----------
    gaps : tuple of Gap
        Every measure, at first sight.
    closed : list of Closed
    left : mapping of str to str
        Measures with a gap that no transform closes, and why.
    taken : mapping of str to str
        Measures with a gap that the network takes as it is, and what it takes.
    follows : list of str
        Measures whose gap was gone when another one had been closed.
    after : mapping of str to float
        Share of wild images outside the middle 98 % of augmented training images, by measure.
    """

    gaps: tuple[Gap, ...]
    closed: list[Closed]
    left: dict[str, str]
    taken: dict[str, str]
    follows: list[str]
    after: dict[str, float]


class Closing:
    """Two populations, the first of which is brought nearer to the second.

    Parameters
    ----------
    train, wild : Labelled
        Training images have labels.
    classes : tuple of str
    level : float, 0 to 1
    seed : int
    held : mapping of str to pair of float
        What the network takes, see `read_held`.
    told : callable, optional
        With the number of images measured, after each block.
    """

    def __init__(
        self,
        train: Labelled,
        wild: Labelled,
        classes: tuple[str, ...],
        *,
        level: float,
        seed: int,
        held: Held | None = None,
        told: Callable[[int], None] | None = None,
    ) -> None:
        assert train.labels is not None
        self.labels, self.held = train.labels, held or {}
        self.train, self.wild, self.classes, self.level, self.seed = train, wild, classes, level, seed
        self.of_train, self.of_wild = measured(train.images, told), measured(wild.images, told)
        same_grid = train.images.shape[1:3] == wild.images.shape[1:3]
        self.measures = [m for m in MEASURES if m.name in self.of_train and (same_grid or not m.grid)]
        # So many exchanges that the smallest p value passes Holm's first step.
        self.draws = max(_DRAWS, math.ceil(2 * len(self.measures) / (1 - level)))
        _, height, width, _ = train.images.shape
        self.frame = Frame2d(height, width, peak_of(train.images.dtype))

    def look(self) -> Looked:
        """Find the gaps, and close those that a transform closes."""
        gaps = self._holm(self._gaps(self.of_train, [m.name for m in self.measures]))
        sure = {gap.measure.name for gap in gaps if gap.verdict == "gap"}
        found = Looked(gaps, closed=[], left={}, taken={}, follows=[], after={})
        aligned, values = self.train.images, self.of_train
        for names, make in CORRECTIONS:
            if not sure & set(names):
                continue
            now = {gap.measure.name: gap for gap in self._later(values, names)}
            still = [name for name in names if now[name].verdict == "gap"]
            found.follows.extend(name for name in names if name in sure and name not in still)
            if not sure & set(still):
                continue
            best = self._best(make(now, self.frame), aligned, now)
            if best is None:
                why = "the transform that changes it does not close it"
                found.left.update({name: why for name in still if name in sure})
                continue
            correction, aligned = best
            values = measured(aligned)
            self._keep(correction, tuple(now[name] for name in still), found)
        changed = {name for names, _ in CORRECTIONS for name in names}
        for gap in self._later(values, sorted(sure - changed)):
            if gap.verdict == "gap":
                found.left[gap.measure.name] = "no transform of imagemill changes it"
            else:
                found.follows.append(gap.measure.name)
        found.after.update(self._after([one.transform for one in found.closed]))
        return found

    def _keep(self, correction: Correction, gaps: tuple[Gap, ...], found: Looked) -> None:
        inside, words = within(correction.proposed, self.held)
        if inside:
            found.taken.update({gap.measure.name: words for gap in gaps})
        else:
            found.closed.append(Closed(correction.proposed, gaps, words))

    def _gaps(self, values: Mapping[str, Floats], names: Sequence[str], draws: int | None = None) -> tuple[Gap, ...]:
        groups = Groups(self.labels, self.wild.labels, self.classes)
        how: Any = {"level": self.level, "seed": self.seed, "draws": self.draws if draws is None else draws}
        return tuple(
            gap_of(measure, values[measure.name], self.of_wild[measure.name], groups, **how)
            for measure in self.measures
            if measure.name in names
        )

    def _holm(self, gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
        tried = [gap for gap in gaps if gap.verdict != "not measured"]
        held = dict(zip((g.measure.name for g in tried), adjusted([g.p for g in tried]), strict=True))
        return tuple(self._with_p(gap, held[gap.measure.name]) if gap in tried else gap for gap in gaps)

    def _later(self, values: Mapping[str, Floats], names: Sequence[str]) -> tuple[Gap, ...]:
        """Gaps after others were closed: as sure as at first sight, for any number of looks (Bonferroni)."""
        return tuple(
            gap if gap.verdict == "not measured" else self._with_p(gap, min(1.0, gap.p * len(self.measures)))
            for gap in self._gaps(values, names)
        )

    def _with_p(self, gap: Gap, p: float) -> Gap:
        return replace(gap, adjusted_p=p, verdict=judged(gap.measure, p, gap.needed, self.level))

    def _best(
        self, tried: Sequence[Correction], images: Array, now: Mapping[str, Gap]
    ) -> tuple[Correction, Array] | None:
        """The simplest correction that leaves least of the distance, if any leaves little, and the images it makes."""
        found: tuple[Correction, Array] | None = None
        before = sum(gap.distance for gap in now.values() if gap.verdict != "not measured")
        least = before * _CLOSES
        for correction in tried:
            made = self._made([correction.aligning], images)
            gaps = self._gaps(measured(made), tuple(now), draws=0)
            remains = sum(gap.distance for gap in gaps if gap.verdict != "not measured")
            if remains < least - (_SIMPLER * before if found else 0.0):
                found, least = (correction, made), remains
        return found

    def _after(self, transforms: Sequence[Transform]) -> dict[str, float]:
        if not transforms:
            return {}
        values = measured(self._made(transforms, self.train.images))
        return {gap.measure.name: gap.outside for gap in self._gaps(values, [m.name for m in self.measures], draws=0)}

    def _made(self, transforms: Sequence[Transform], images: Array) -> Array:
        made: Array = Pipeline(list(transforms), seed=self.seed).batch(images, keys=range(len(images)), epoch=0).image
        return made
