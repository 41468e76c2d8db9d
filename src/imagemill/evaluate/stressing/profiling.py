"""The core of it: one network, the same images at every magnitude of every change, and what is left of its score."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from imagemill.core.errors import ParameterError
from imagemill.evaluate.runners.recipe import Predict
from imagemill.evaluate.statistics.shares import Share
from imagemill.evaluate.stressing.asking import Answered, Asked, asked_about
from imagemill.evaluate.stressing.breaking import ClassBreak
from imagemill.evaluate.stressing.profiles import End, Point, Profile, Profiles
from imagemill.evaluate.stressing.sweeps import Over, Sweep, read_sweeps
from imagemill.evaluate.stressing.worst_case import WorstGrid, worst_case

__all__ = ["Elsewhere", "profile", "profiled", "swept"]

Elsewhere = Callable[[Sequence[Sweep], Answered, Callable[[], None]], tuple[list[Profile], tuple[str, ...]]]
"""From sweeps, what a network says of clean images, and what to call after each, to profiles and remarks."""

_FINE = 1e-3
"""Of a side: magnitudes nearer to each other than that are not told apart."""


def profile(
    predict: Predict,
    images: Any,
    labels: Any,
    *,
    over: Over | None = None,
    levels: int = 11,
    refine: int = 2,
    worst: WorstGrid | bool = False,
    classes: Sequence[str] | None = None,
    hold: float = 0.95,
    level: float = 0.95,
    model: str = "model",
    progress: Callable[[int, int], None] | None = None,
) -> Profiles:
    """Measure how far images may change before a network fails.

    Parameters
    ----------
    predict : callable
        From images ``[n, y, x, C]`` as they are stored to ``[n, classes]``, the largest number being what it calls;
        for label maps from ``[n, (z,) y, x, C]`` to class numbers ``[n, (z,) y, x]`` or a number for each class and
        pixel, classes first or last.
    images : array ``[n, y, x]`` or ``[n, y, x, C]``, or volumes with label maps
    labels : array ``[n]``, from 0, or label maps ``[n, (z,) y, x]``
        Label maps are moved with the images.
    over : optional
        What to change: names (``"rotate"``, ``"zoom:0.5..2"``, ``"light"``), pipelines or files, `Change`; a
        sequence, or a mapping that names them. Geometry, light, noise and blur when left out.
    levels : int
        Magnitudes of each change, ends included.
    refine : int
        How often the gap in which a range ends is halved.
    worst : WorstGrid or bool
        Also look at the worst of a grid of turns and shifts for each image.
    classes : sequence of str, optional
        Names; numbers when left out.
    hold : float, 0 to 1
        A range holds where accuracy, or mean Dice, is at least this share of that of clean images.
    level : float, 0 to 1
        Of intervals.
    model : str
        What to call the network.
    progress : callable, optional
        Called with how often all images were asked about, and how often they will have been about.

    Returns
    -------
    Profiles

    Raises
    ------
    InputError
        When the network's answers, images, labels or classes do not fit, or a change fails.

    Notes
    -----
    The ends of a range are where ``score - hold * clean score`` crosses 0, outwards from the magnitude that leaves
    images as they are. Their intervals are the magnitudes at which its confidence interval, by `paired_shares`, holds 0
    (the test is inverted), to the next magnitude that was looked at. Of label maps it is Student's t interval of the
    Dice of images, `paired_scores`.

    Examples
    --------
    A network that calls an image bright when its mean is 100 or more, and images of 80 and 160: pixels are rounded,
    so brightness breaks it at 99.5 / 160 and at 99.5 / 80.

    >>> import numpy as np
    >>> def bright(images):
    ...     over = images.mean(axis=(1, 2, 3)) >= 100
    ...     return np.stack([~over, over], axis=1).astype(float)
    >>> images = np.full((200, 4, 4, 1), 80, np.uint8)
    >>> images[100:] = 160
    >>> found = profile(bright, images, np.arange(200) // 100, over="brightness", refine=7)
    >>> [round(end, 2) for end in found["brightness"].range]
    [0.62, 1.24]
    """
    asked = asked_about(predict, images, labels, classes, level)
    return profiled(asked, over=over, levels=levels, refine=refine, worst=worst, hold=hold, model=model,
                    progress=progress)  # fmt: skip


def profiled(
    asked: Asked,
    *,
    over: Over | None = None,
    levels: int = 11,
    refine: int = 2,
    worst: WorstGrid | bool = False,
    hold: float = 0.95,
    model: str = "model",
    progress: Callable[[int, int], None] | None = None,
    elsewhere: Elsewhere | None = None,
) -> Profiles:
    """`profile` of a network with images that were checked; `elsewhere` has others ask about the changes.

    Raises
    ------
    InputError, ParameterError
        When the network's answers do not fit, a change fails, or a number is none.
    """
    if not 0 < hold < 1:
        raise ParameterError(f"expected a share to hold between 0 and 1, such as 0.95, got {hold}")
    if isinstance(refine, bool) or not isinstance(refine, int) or refine < 0:
        raise ParameterError(f"expected refine of 0 or more, got {refine!r}")
    sweeps = read_sweeps(over, asked.data.images, levels)
    grid = WorstGrid() if worst is True else worst
    places = len(grid.places(*asked.size)) if isinstance(grid, WorstGrid) else 0
    total = 1 + sum(_asked_by(one, refine) for one in sweeps) + places
    done = 0

    def told(steps: int = 1) -> None:
        nonlocal done
        done += steps
        if progress is not None:
            progress(min(done, total), total)

    said = asked.about("clean", None)
    told()
    clean = asked.share(said.items)
    profiles: list[Profile] = []
    remarks: tuple[str, ...] = ()
    if elsewhere is not None:
        profiles, remarks = elsewhere(sweeps, said, lambda: told((total - 1 - places) // len(sweeps)))
    for sweep in () if elsewhere is not None else sweeps:
        before = asked.count
        profiles.append(swept(asked, sweep, said, hold, refine, told))
        told(_asked_by(sweep, refine) - (asked.count - before))
    found = worst_case(asked, grid, done=told) if isinstance(grid, WorstGrid) else None
    return Profiles(
        model, len(asked), asked.data.classes, clean, hold, asked.level, tuple(profiles), found,
        (*_notes(asked, clean, said), *remarks), asked.by_class(said), asked.names, asked.measure,
    )  # fmt: skip


def swept(asked: Asked, sweep: Sweep, clean: Answered, hold: float, refine: int, told: Callable[[], None]) -> Profile:
    """What is left of the score over one change."""
    return _Sweeping(asked, sweep, clean, hold, told).profile(refine)


def _asked_by(sweep: Sweep, refine: int) -> int:
    """How often all images are asked about for a sweep at most: each halving looks into up to three gaps a side."""
    sides = 2 if sweep.neutral is not None else 0
    return max(len(sweep.magnitudes), 1) + 3 * sides * refine


def _notes(asked: Asked, clean: Share, said: Answered) -> tuple[str, ...]:
    """What makes all figures doubtful."""
    share, guess = asked.guess()
    notes = []
    if clean.low <= share:
        stuck = f"; {same}" if (same := asked.stuck(said)) else ""
        notes.append(
            f"clean {asked.measure.name} {clean} is no better than {guess} ({share:.3f}){stuck}: ranges mean "
            "nothing; look at the preparation the model was trained with, and at the order of its classes"
        )
    return (*notes, *asked.remarks())


class _Sweeping:
    """One sweep under way: what came of every image at each magnitude that was looked at."""

    def __init__(self, asked: Asked, sweep: Sweep, clean: Answered, hold: float, told: Callable[[], None]) -> None:
        self.asked, self.sweep, self.clean, self.hold, self.told = asked, sweep, clean, hold, told
        self.said: dict[float, Answered] = {}
        self.points: dict[float, Point] = {}
        self.still = True

    def profile(self, refine: int) -> Profile:
        change, neutral = self.sweep.change, self.sweep.neutral
        if not change.counted:
            return self._without_magnitude()
        for magnitude in self.sweep.magnitudes:
            self._ask(magnitude)
        sides: dict[int, End | None] = {-1: None, 1: None}
        if neutral is not None:
            for direction in sides:
                for _ in range(refine):
                    self._halve(direction)
                sides[direction] = self._end(direction)
        points = tuple(self.points[m] for m in sorted(self.points))
        looked = [] if self.still else [(m, self.said[m]) for m in self._broken(sides)]
        return self._profile(points, sides, self.asked.breaks(looked, self.clean))

    def _without_magnitude(self) -> Profile:
        change = self.sweep.change
        said = self.asked.about(change.name, change.make(None))
        self.still = self.asked.still
        self.told()
        breaks = self.asked.breaks([(None, said)], self.clean)
        return self._profile((self._point(None, said),), {-1: None, 1: None}, breaks)

    def _profile(
        self, points: tuple[Point, ...], sides: dict[int, End | None], breaks: tuple[ClassBreak, ...]
    ) -> Profile:
        change, clean = self.sweep.change, self.asked.share(self.clean.items)
        return Profile(
            change.name,
            change.unit if change.counted else "",
            points,
            self.sweep.neutral,
            clean,
            sides[-1],
            sides[1],
            breaks,
            self.still,
            change.log,
            self.hold,
            self.asked.names,
            self.asked.measure,
        )

    def _ask(self, magnitude: float) -> None:
        if magnitude == self.sweep.neutral:
            self.said[magnitude] = self.clean
        else:
            change = self.sweep.change
            self.said[magnitude] = self.asked.about(change.name, change.make(magnitude))
            self.still = self.still and self.asked.still
        self.told()
        self.points[magnitude] = self._point(magnitude, self.said[magnitude])

    def _point(self, magnitude: float | None, said: Answered) -> Point:
        less = self.asked.less
        return Point(
            magnitude,
            self.asked.share(said.items),
            less(said.items, self.clean.items),
            less(said.items, self.clean.items, self.hold),
            self.asked.by_class(said),
        )

    def _side(self, direction: int) -> list[float]:
        """Magnitudes from the one that does nothing outwards."""
        neutral = self.sweep.neutral
        assert neutral is not None
        beyond = [m for m in self.points if (m - neutral) * direction >= 0]
        return sorted(beyond, reverse=direction < 0)

    def _gap(self, direction: int, limit: str) -> tuple[float, float] | None:
        """The last magnitude at which a limit of the margin holds, and the first at which it does not."""
        side = self._side(direction)
        for inner, outer in pairwise(side):
            if getattr(self.points[outer].margin, limit) < 0:
                return inner, outer
        return None

    def _halve(self, direction: int) -> None:
        """Look into the middle of the gaps in which the range ends on one side, and its interval does."""
        gaps = {self._gap(direction, limit) for limit in ("value", "low", "high")} - {None}
        span = abs(self._place(self.sweep.magnitudes[-1]) - self._place(self.sweep.magnitudes[0]))
        for gap in sorted(gap for gap in gaps if gap is not None):
            middle = float(f"{self._from_place((self._place(gap[0]) + self._place(gap[1])) / 2):.6g}")
            if self.sweep.change.whole:
                middle = float(round(middle))
            near = min(abs(self._place(middle) - self._place(end)) for end in gap)
            if near >= _FINE * span and middle not in self.points:
                self._ask(middle)

    def _end(self, direction: int) -> End | None:
        side = self._side(direction)
        if len(side) < 2:
            return None
        whole = self.sweep.change.whole
        gap, sure, lost = (self._gap(direction, limit) for limit in ("value", "low", "high"))
        # What lies between two points was not looked at: the interval goes to the points themselves.
        near = None if sure is None else sure[0]
        far = None if lost is None else lost[0] if whole else lost[1]
        value = None if gap is None else gap[0] if whole else self._crossing(*gap)
        beyond = [] if gap is None else side[side.index(gap[1]) + 1 :]
        # Surely, so that chance at one magnitude is no second range.
        again = tuple(m for m in beyond if self.points[m].margin.low >= 0)
        return End(value, near, far, side[-1], again)

    def _crossing(self, inner: float, outer: float) -> float:
        """Where the margin crosses 0 between two magnitudes, by the straight line between them."""
        before, behind = (self.points[m].margin.value for m in (inner, outer))
        if before <= 0:  # nothing is right at the magnitude that does nothing
            return inner
        start, end = self._place(inner), self._place(outer)
        return self._from_place(start + (end - start) * before / (before - behind))

    def _broken(self, sides: dict[int, End | None]) -> list[float]:
        """On each side the magnitude at which classes are looked at."""
        if self.sweep.neutral is None:
            return [min(self.points, key=lambda m: self.points[m].score.value)]
        found = []
        for direction, end in sides.items():
            if end is not None:
                gap = self._gap(direction, "value")
                found.append(end.last if gap is None else gap[1])
        return found

    def _place(self, magnitude: float) -> float:
        return math.log(magnitude) if self._log else magnitude

    def _from_place(self, place: float) -> float:
        return math.exp(place) if self._log else place

    @property
    def _log(self) -> bool:
        return self.sweep.change.log and min(self.sweep.magnitudes) > 0
