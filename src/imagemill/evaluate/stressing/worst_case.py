"""The worst of a grid of turns and shifts, image by image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.evaluate.inputs.changes import spaced
from imagemill.evaluate.statistics.scores import ACCURACY, Measure
from imagemill.evaluate.statistics.shares import Share
from imagemill.evaluate.stressing.asking import Asked
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift

__all__ = ["WorstCase", "WorstGrid", "worst_case"]


@dataclass(frozen=True, slots=True)
class WorstGrid:
    """Turns and shifts that are combined, each with each.

    Parameters
    ----------
    degrees : float
        Turns go from minus this to this.
    pixels : int, optional
        Shifts along y and x do; a tenth of the side where it is not given.
    turns, shifts : int
        Values of each, odd numbers, so that nothing at all is one of them.
    """

    degrees: float = 30.0
    pixels: int | None = None
    turns: int = 9
    shifts: int = 5

    def __post_init__(self) -> None:
        for name in ("turns", "shifts"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or count < 1 or count % 2 == 0:
                raise ParameterError(f"expected an odd number of {name}, such as 5, got {count!r}")
        if not 0 <= self.degrees <= 180:
            raise ParameterError(f"expected degrees from 0 to 180, got {self.degrees!r}")
        if self.pixels is not None and (not isinstance(self.pixels, int) or self.pixels < 0):
            raise ParameterError(f"expected pixels of 0 or more, got {self.pixels!r}")

    def places(self, height: int, width: int) -> list[tuple[float, int, int]]:
        """Degrees and pixels along y and x of every place of the grid."""

        def shifts(side: int) -> tuple[float, ...]:
            far = round(side / 10) if self.pixels is None else self.pixels
            return spaced(-far, far, self.shifts, whole=True) if far else (0.0,)

        turns = spaced(-self.degrees, self.degrees, self.turns) if self.degrees else (0.0,)
        return [(turn, int(y), int(x)) for turn in turns for y in shifts(height) for x in shifts(width)]


@dataclass(frozen=True, slots=True, eq=False)
class WorstCase:
    """What a network keeps when each image gets its worst place of a grid.

    Parameters
    ----------
    grid : WorstGrid
    places : tuple of (degrees, pixels down, pixels right)
    scores : tuple of float
        Accuracy, or mean Dice, at each place, the same for all images.
    score : Share
        The mean when each image gets its worst place: images that are right at every place, or the mean of the lowest
        Dice of each.
    best : Share
        The same of its best place.
    mean : float
        Over all images and places: what a random place gives.
    clean : Share
    classes : tuple of str
    by_class : tuple of Share or None
        At each image's worst place, by class; None for a class without images.
    measure : Measure
    """

    grid: WorstGrid
    places: tuple[tuple[float, int, int], ...]
    scores: tuple[float, ...]
    score: Share
    best: Share
    mean: float
    clean: Share
    classes: tuple[str, ...]
    by_class: tuple[Share | None, ...]
    measure: Measure = ACCURACY

    @property
    def hardest(self) -> tuple[float, int, int]:
        """The place with the lowest score over all images."""
        return self.places[int(np.argmin(self.scores))]

    @property
    def sentence(self) -> str:
        """In words."""
        turn, down, right = self.hardest
        far = max((abs(step) for _, *steps in self.places for step in steps), default=0)
        shifts = f"{far} pixel" if far == 1 else f"{far} pixels"
        if self.measure is ACCURACY:
            beside = f"{(1 - self.score.value) * 100:.1f} % of the images are ever wrong"
        else:
            known = zip(self.classes, self.by_class, strict=True)
            beside = "by class " + ", ".join(f"{name} {share.value:.3f}" for name, share in known if share is not None)
        return (
            f"worst of {len(self.places)} turns to {self.grid.degrees:g} degrees with shifts to {shifts}: "
            f"{self.score} {self.measure.said}, {self.mean:.3f} at a random one, {self.clean.value:.3f} clean; "
            f"{beside}; hardest for all {turn:+.3g} degrees, {down:+d} down, {right:+d} right ({min(self.scores):.3f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        key, of_class = self.measure.keys
        return {
            "degrees": self.grid.degrees,
            "places": [
                {"degrees": turn, "down": down, "right": right, key: score}
                for (turn, down, right), score in zip(self.places, self.scores, strict=True)
            ],
            key: self.score.to_dict(),
            "best": self.best.to_dict(),
            "mean": self.mean,
            of_class: [None if share is None else share.to_dict() for share in self.by_class],
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return self.sentence


def worst_case(asked: Asked, grid: WorstGrid | None = None, *, done: Callable[[], None] | None = None) -> WorstCase:
    """Turn and shift every image by every place of a grid, and count each image at its worst.

    Parameters
    ----------
    asked : Asked
    grid : WorstGrid, optional
    done : callable, optional
        Called after each place.

    Returns
    -------
    WorstCase

    Notes
    -----
    Source: Engstrom, Tran, Tsipras, Schmidt, Madry (2019), "Exploring the landscape of spatial robustness", ICML: the
    worst of a grid of rotations and translations, which first-order attacks do not find. There 31 turns to 30 degrees
    and 5 shifts to a tenth of the side along each axis; here 9 turns, unless asked otherwise.
    """
    grid = WorstGrid() if grid is None else grid
    places = grid.places(*asked.size)
    clean = asked.about("clean", None)
    worst, best, scores = None, clean.items * 0, []
    for turn, down, right in places:
        moves = [Rotate(turn), Shift(pixels={"y": down, "x": right})]
        found = asked.about("turns and shifts", Pipeline(moves, seed=0))
        worst = found if worst is None else worst.worse(found)
        best = np.maximum(best, found.items)
        scores.append(float(found.items.mean()))
        if done is not None:
            done()
    assert worst is not None  # a grid has a place or more
    return WorstCase(
        grid,
        tuple(places),
        tuple(scores),
        asked.share(worst.items),
        asked.share(best),
        float(np.mean(scores)),
        asked.share(clean.items),
        asked.names,
        asked.by_class(worst),
        asked.measure,
    )
