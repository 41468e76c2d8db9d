"""Functions of a picture's own percentiles, which are read when it arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.finite import may_have_gaps
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Cast, Op, Opaque, floating
from imagemill.core.percentiles import percentiles_of

__all__ = ["Above", "PercentileClip", "PercentileMap", "ZScoreAbove", "above_option", "counted", "on_values"]

Array = npt.NDArray[Any]
Above: TypeAlias = "float | str | None"


def above_option(name: str, value: Any) -> Above:
    """A check for what counts as foreground: None, ``"mean"`` or a number."""
    if value is None or (isinstance(value, str) and value == "mean"):
        return value
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and np.isfinite(value):
        return float(value)
    raise ParameterError(f"expected {name} to be None, 'mean' or a number, got {value!r}")


def counted(values: Array, above: Above) -> Array:
    """The finite values of a picture that statistics go over, flat; all of them where none is above.

    Examples
    --------
    >>> counted(np.array([0.0, 0, 3, 9]), "mean").tolist(), counted(np.array([0.0, 1, np.nan]), 0).tolist()
    ([9.0], [1.0])
    """
    finite = values[np.isfinite(values)] if may_have_gaps(values) else values.reshape(-1)
    if not finite.size:
        raise InputError("expected an image with finite values, got none; scan names such files")
    if above is None:
        return finite
    limit = finite.mean() if above == "mean" else above
    found = finite[finite > limit]
    return found if found.size else finite


@dataclass(frozen=True, slots=True)
class PercentileClip:
    """Values below and above two percentiles become those."""

    low: float
    high: float
    above: Above

    def __call__(self, values: Array) -> Array:
        low, high = percentiles_of(counted(values, self.above), [self.low, self.high])
        if values.dtype.kind in "iu":
            # Whole numbers stay whole, and within.
            low, high = np.ceil(low), np.floor(high)
        kind = values.dtype.type
        return np.asarray(np.clip(values, kind(low), kind(max(low, high))))


@dataclass(frozen=True, slots=True)
class ZScoreAbove:
    """Mean 0 and deviation 1 of the values above a limit; the others are moved alike."""

    centre: bool
    scale: bool
    epsilon: float
    above: Above

    def __call__(self, values: Array) -> Array:
        some = counted(values, self.above).astype(np.float64)
        mean = some.mean() if self.centre else 0.0
        flat = np.ptp(some) <= 0
        gain = 1.0 / (some.std() + self.epsilon) if self.scale and not flat else float(not flat or not self.scale)
        return np.asarray((values - mean) * gain, dtype=values.dtype)


@dataclass(frozen=True, slots=True)
class PercentileMap:
    """A piecewise linear map of a picture's percentiles onto given values, its ends going on straight."""

    percentiles: tuple[float, ...]
    onto: tuple[float, ...]
    above: Above

    def __call__(self, values: Array) -> Array:
        found = percentiles_of(counted(values, self.above), self.percentiles)
        knots, places = np.unique(found, return_index=True)
        if len(knots) == 1:  # a constant picture lies in the middle
            return np.full_like(values, np.median(self.onto))
        onto = np.array(self.onto)[places]
        slopes = np.diff(onto) / np.diff(knots)
        piece = np.clip(np.searchsorted(knots, values) - 1, 0, len(slopes) - 1)
        mapped: Floats = onto[piece] + (values - knots[piece]) * slopes[piece]
        return mapped.astype(values.dtype)


def on_values(frame: Frame, function: Any, name: str, *, whole: bool = False) -> Op | tuple[Op, ...]:
    """A function on a picture's values, as floating point first unless it leaves whole numbers whole."""
    op = Opaque(function, name)
    dtype = floating(frame.dtype)
    return op if whole or dtype == frame.dtype else (Cast(dtype), op)
