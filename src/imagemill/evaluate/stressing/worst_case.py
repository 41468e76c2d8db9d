"""The worst of a grid of turns and shifts, image by image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.evaluate.inputs.changes import spaced
from imagemill.evaluate.statistics.shares import Share, wilson
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
    accuracies : tuple of float
        At each place, the same for all images.
    accuracy : Share
        Images that are right at every place.
    ever_wrong : Share
        Images that are wrong at one place or more: the rest.
    never_right : Share
        Images that are wrong at every place.
    mean : float
        Accuracy over all images and places: what a random place gives.
    clean : Share
    recall : tuple of float
        Worst-case accuracy by class; NaN for a class without images.
    """

    grid: WorstGrid
    places: tuple[tuple[float, int, int], ...]
    accuracies: tuple[float, ...]
    accuracy: Share
    ever_wrong: Share
    never_right: Share
    mean: float
    clean: Share
    recall: tuple[float, ...]

    @property
    def hardest(self) -> tuple[float, int, int]:
        """The place with the lowest accuracy over all images."""
        return self.places[int(np.argmin(self.accuracies))]

    @property
    def sentence(self) -> str:
        """In words."""
        turn, down, right = self.hardest
        far = max((abs(step) for _, *steps in self.places for step in steps), default=0)
        shifts = f"{far} pixel" if far == 1 else f"{far} pixels"
        return (
            f"worst of {len(self.places)} turns to {self.grid.degrees:g} degrees with shifts to {shifts}: "
            f"{self.accuracy} right, {self.mean:.3f} at a random one, {self.clean.value:.3f} clean; "
            f"{self.ever_wrong.value * 100:.1f} % of the images are ever wrong; hardest for all "
            f"{turn:+.3g} degrees, {down:+d} down, {right:+d} right ({min(self.accuracies):.3f})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "degrees": self.grid.degrees,
            "places": [
                {"degrees": turn, "down": down, "right": right, "accuracy": accuracy}
                for (turn, down, right), accuracy in zip(self.places, self.accuracies, strict=True)
            ],
            "accuracy": self.accuracy.to_dict(),
            "ever_wrong": self.ever_wrong.to_dict(),
            "never_right": self.never_right.to_dict(),
            "mean": self.mean,
            "recall": [None if np.isnan(v) else v for v in self.recall],
            "sentence": self.sentence,
        }

    def __repr__(self) -> str:
        return self.sentence


def worst_case(
    asked: Asked, grid: WorstGrid | None = None, *, level: float = 0.95, done: Callable[[], None] | None = None
) -> WorstCase:
    """Turn and shift every image by every place of a grid, and count what is right at all of them.

    Parameters
    ----------
    asked : Asked
    grid : WorstGrid, optional
    level : float
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
    places = grid.places(*asked.images.shape[1:3])
    clean = wilson(int((asked.about("clean", None) == asked.labels).sum()), len(asked.labels), level)
    always = np.ones(len(asked.labels), bool)
    ever, accuracies = ~always, []
    for turn, down, right in places:
        moves = [Rotate(turn), Shift(pixels={"y": down, "x": right})]
        found = asked.about("turns and shifts", Pipeline(moves, seed=0)) == asked.labels
        always &= found
        ever |= found
        accuracies.append(float(found.mean()))
        if done is not None:
            done()
    count = len(always)
    by_class = [
        float(always[asked.labels == number].mean()) if (asked.labels == number).any() else float("nan")
        for number in range(len(asked.classes))
    ]
    return WorstCase(
        grid,
        tuple(places),
        tuple(accuracies),
        wilson(int(always.sum()), count, level),
        wilson(int((~always).sum()), count, level),
        wilson(int((~ever).sum()), count, level),
        float(np.mean(accuracies)),
        clean,
        tuple(by_class),
    )
