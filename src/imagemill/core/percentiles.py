"""Percentiles of many values without sorting them: a sample says where they are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imagemill.core.geometry import Floats

__all__ = ["percentiles_of"]

Array = np.ndarray[Any, Any]

_FEW = 1 << 16
"""Up to so many values numpy is quick enough."""
_SAMPLE = 1 << 14


def percentiles_of(values: Array, percentiles: Sequence[float]) -> Floats:
    """Percentiles of finite values, with straight lines between two of them, as :func:`numpy.percentile` has them.

    Exact: the sample only says between which two values a rank lies; what lies between them is counted and ordered, and
    where the sample was wrong all values are.

    Parameters
    ----------
    values : array, ``[n]``
        Finite, one at least.
    percentiles : sequence of float
        0 to 100.

    Examples
    --------
    >>> percentiles_of(np.array([4.0, 1.0, 2.0, 3.0, 9.0]), [0, 50, 75])
    array([1., 3., 4.])
    """
    if values.size <= _FEW:
        return np.asarray(np.percentile(values.astype(np.float64), percentiles))
    # At any places: even steps would meet rows and columns, whose values are alike. Which ones changes nothing.
    sample = np.sort(values[np.random.default_rng(0).integers(values.size, size=_SAMPLE)])
    return np.array([_between(values, sample, percent / 100) for percent in percentiles])


def _between(values: Array, sample: Array, share: float) -> float:
    place = share * (values.size - 1)
    rank = int(place)
    spread = 5 * np.sqrt(sample.size * share * (1 - share)) + 5
    first, last = int(share * sample.size - spread), int(share * sample.size + spread)
    low, high = sample[max(first, 0)], sample[min(last, sample.size - 1)]
    under = int(np.count_nonzero(values < low)) if first >= 0 else 0
    # One value that many have, such as an empty background, which is slow to put in order and need not be.
    one_value = first >= 0 and last < sample.size and low == high
    if one_value and under <= rank and rank + 1 < np.count_nonzero(values <= low):
        return float(low)
    kept = np.ones(values.shape, bool) if first < 0 else values >= low
    if last < sample.size:
        kept &= values <= high
    some, at = values[kept], rank - under
    # The next one may lie beyond what was kept, but for the largest of all.
    if at < 0 or at >= some.size - (rank < values.size - 1):
        some, at = values, rank
    following = min(at + 1, some.size - 1)
    ordered = np.partition(some, [at, following])
    one, two = float(ordered[at]), float(ordered[following])
    return one + (two - one) * (place - rank)
