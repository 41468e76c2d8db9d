"""Which of a few dozen numbers lie far from the rest, whatever the rest is like."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FEW", "far_from_rest"]

FEW = 10
"""Below this many numbers there is no rest that one of them could be far from."""
_SHARE = 0.2
"""Where more than this share lies apart, it is no outlier but another kind."""


def far_from_rest(values: npt.NDArray[Any], deviations: float, least: float) -> npt.NDArray[np.bool_]:
    """Whether positive numbers lie far from their median, as logarithms.

    Parameters
    ----------
    values : array ``[n]``
        Above 0; NaN for those that are not asked about.
    deviations : float
        How many standard deviations, estimated by the median absolute deviation, is far.
    least : float
        How many times larger or smaller than the median a number has to be besides: where most are equal, any other
        would be far.

    Returns
    -------
    array of bool ``[n]``
        None of them where there are fewer than ten numbers, or where more than a fifth would be far.

    Notes
    -----
    Source: Iglewicz and Hoaglin (1993), "How to Detect and Handle Outliers", for the modified z score.

    Examples
    --------
    >>> far_from_rest(np.array([1.0] * 12 + [5.0]), 3.5, 2.0).nonzero()[0].tolist()
    [12]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.asarray(values, np.float64))
    known = np.isfinite(logs)
    far = np.zeros(len(logs), bool)
    if known.sum() < FEW:
        return far
    middle = np.median(logs[known])
    apart = np.abs(logs - middle)
    spread = float(np.median(apart[known])) / 0.6745
    # A hair less, so that what is exactly so many times larger counts.
    far[known] = (apart[known] > deviations * spread) & (apart[known] >= np.log(least) - 1e-9)
    return far if far.sum() <= _SHARE * known.sum() else np.zeros(len(logs), bool)
