"""Values that are not numbers, or infinite, among those of an image: how they are found, and what they are read as.

One rule holds wherever an image is *read*, by a statistic or by an interpolation: statistics go over the finite values
alone, and the others are then read as finite ones. NaN becomes the finite value nearest to 0 (0 itself, where the
image's values lie on both sides of it), infinities the largest or the smallest finite value. So none of them spreads
to its neighbours, and none leaves the range the image has. What nothing reads stays as it is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from imagemill.core.errors import InputError

__all__ = ["count_not_finite", "filled", "finite_of", "like_nodata", "may_have_gaps", "working"]

Array = np.ndarray[Any, Any]


def may_have_gaps(values: Array) -> bool:
    """Whether an image may hold values that are not finite; quick, and sure only where it says no.

    Examples
    --------
    >>> may_have_gaps(np.array([1.0, np.nan])), may_have_gaps(np.array([1.0, 2.0])), may_have_gaps(np.array([1]))
    (True, False, False)
    """
    if values.dtype.kind != "f":
        return False
    # A sum of squares is finite only where all values are, and takes a fraction of the time of a look at each.
    flat = values.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        return not math.isfinite(float(np.dot(flat, flat)))


def count_not_finite(values: Array) -> int:
    """How many values are NaN or infinite.

    Examples
    --------
    >>> count_not_finite(np.array([1.0, np.nan, -np.inf])), count_not_finite(np.array([1, 2]))
    (2, 0)
    """
    return int(values.size - np.count_nonzero(np.isfinite(values))) if may_have_gaps(values) else 0


def finite_of(values: Array) -> Array:
    """The finite ones of some values, in one line.

    Raises
    ------
    InputError
        When there is none.
    """
    found: Array = values[np.isfinite(values)]
    if not found.size:
        raise InputError("expected an image with at least one finite value, got none; leave it out")
    return found


def filled(values: Array) -> Array:
    """Every value finite; the same array where that is so already.

    Parameters
    ----------
    values : array
        One image.

    Raises
    ------
    InputError
        When no value is finite.

    Examples
    --------
    >>> filled(np.array([np.nan, -3.0, np.inf, 5.0, -np.inf])).tolist()
    [0.0, -3.0, 5.0, 5.0, -3.0]
    >>> filled(np.array([np.nan, 20.0, 30.0])).tolist()
    [20.0, 20.0, 30.0]
    """
    if not may_have_gaps(values) or np.isfinite(values).all():
        return values
    left = finite_of(values)
    low, high = left.min(), left.max()
    zero = np.clip(values.dtype.type(0), low, high)
    return np.nan_to_num(values, nan=zero, posinf=high, neginf=low)


_NOTHING = (-9999.0, -99999.0, -32768.0, float(np.finfo(np.float32).min))
"""What stands for "not measured" in floating-point files of the field that do not say so."""


def like_nodata(values: Array) -> tuple[float, int] | None:
    """The smallest value and how often it occurs, where it is one that often means that nothing was measured.

    Examples
    --------
    >>> like_nodata(np.array([-9999.0, 20.0, -9999.0])), like_nodata(np.array([-9999])), like_nodata(np.array([0.5]))
    ((-9999.0, 2), None, None)
    """
    if values.dtype.kind != "f" or not values.size:
        return None
    low = float(np.fmin.reduce(values, axis=None))
    return (low, int(np.count_nonzero(values == low))) if low in _NOTHING else None


def working(dtype: Any) -> np.dtype[Any]:
    """The float dtype to compute in: float32 holds 8 and 16 bits exactly, wider values need float64.

    Examples
    --------
    >>> working(np.uint8).name, working(np.float32).name, working(np.int32).name
    ('float32', 'float32', 'float64')
    """
    dtype = np.dtype(dtype)
    return np.dtype(np.float64) if dtype.itemsize > 2 and dtype != np.float32 else np.dtype(np.float32)
