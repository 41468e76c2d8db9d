"""Axes of plots: round ticks, and numbers to places."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FEW_TICKS", "Scale", "factors_between", "finite", "fitted_letters", "ticks_between"]

FEW_TICKS = 8
"""Places on a logarithmic axis that all get a number; of more, only powers do."""

_LETTER = 6.5
"""Mean width of a letter at the size that plots write in, in units of the picture."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to places in a picture, linear or by logarithms of positive values."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value; values beyond the ends stay at the ends."""
        low, here, high = self.low, min(max(value, self.low), self.high), self.high
        if self.logarithmic:
            low, here, high = math.log(low), math.log(here), math.log(high)
        share = (here - low) / (high - low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        """Whether a value lies within."""
        return self.low <= value <= self.high


def finite(values: Iterable[float | None]) -> list[float]:
    """Those that are numbers."""
    return [float(v) for v in values if v is not None and math.isfinite(v)]


def ticks_between(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers over a range, the first at or below its lower end and the last at or above its upper end.

    Notes
    -----
    Source: Heckbert (1990), "Nice numbers for graph labels", Graphics Gems.

    Examples
    --------
    >>> ticks_between(-1.3, 2.2)
    [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
    >>> ticks_between(0.91, 0.99)
    [0.9, 0.92, 0.94, 0.96, 0.98, 1.0]
    """
    if not high > low:
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    rough = (high - low) / max(about - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(nice for nice in (1, 2, 5, 10) if rough <= nice * power * 1.0001)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)))
    return [round(number * step, digits) + 0.0 for number in range(first, last + 1)]


def factors_between(low: float, high: float) -> list[float]:
    """Powers of 2 within a range above 0; of 10 where there would be many.

    Examples
    --------
    >>> factors_between(0.25, 4), factors_between(0.02, 3000)
    ([0.25, 0.5, 1.0, 2.0, 4.0], [0.1, 1.0, 10.0, 100.0, 1000.0])
    """
    base = 2.0 if high / low <= 2.0**8 else 10.0
    first = math.ceil(math.log(low, base) - 1e-9)
    last = math.floor(math.log(high, base) + 1e-9)
    return [base**power for power in range(first, last + 1)]


def fitted_letters(text: str, width: float) -> str:
    """A text, or its beginning where it is wider than that many units.

    Examples
    --------
    >>> fitted_letters("a very long name of an arm", 60)
    'a very l…'
    """
    most = max(2, int(width / _LETTER))
    return text if len(text) <= most else text[: most - 1] + "…"
