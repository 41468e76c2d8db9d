"""An effect as the figures that tools beside us keep."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Logged"]


@dataclass(frozen=True, slots=True)
class Logged:
    """What one arm does to one population.

    Parameters
    ----------
    arm, population : str
    figures : mapping of str to float
        By name, such as ``"mean"``; those that are no number are left out.
    seeds : int
        That they are over.

    Examples
    --------
    >>> Logged("flip", "clean", {"mean": 0.01, "low": math.nan}, 2).finite
    {'mean': 0.01}
    """

    arm: str
    population: str
    figures: Mapping[str, float]
    seeds: int

    @property
    def finite(self) -> dict[str, float]:
        """The figures that are numbers."""
        return {name: value for name, value in self.figures.items() if math.isfinite(value)}
