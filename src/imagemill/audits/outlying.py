"""How far each image is from the others, in a space of features.

Source: Ramaswamy, Rastogi, Shim (2000), "Efficient algorithms for mining outliers from large data sets", SIGMOD, for
the distance to the k-th nearest neighbour; Sugiyama, Borgwardt (2013), "Rapid distance-based outlier detection via
sampling", NIPS, for neighbours among a sample, in which a small gathering of outliers cannot vouch for each other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["FEWEST", "limit_of", "outlyingness"]

Floats = npt.NDArray[np.float32]

FEWEST = 30
"""Images that are needed to say what is usual among them."""
_AXES = 64
_SAMPLE = 2000
_SHARE = 0.03
"""A gathering of up to this share of all images is far from the rest, rather than near to itself."""
_AT_ONCE = 2048


def outlyingness(values: Floats, *, seed: int = 0) -> Floats:
    """Logarithm of the distance of each image to its k-th nearest of a sample of the others.

    Parameters
    ----------
    values : array ``[n, d]`` float32
    seed : int

    Returns
    -------
    array ``[n]`` float32

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    >>> points[7] = 9
    >>> int(outlyingness(points).argmax())
    7
    """
    draws = np.random.Generator(np.random.Philox(seed))
    few = np.sort(draws.permutation(len(values))[:_SAMPLE])
    points = values @ _axes(values[few] - values[few].mean(axis=0))
    marks = points[few]
    nth = min(max(5, round(_SHARE * len(few))), len(few) - 1)
    own = np.full(len(values), -1)
    own[few] = np.arange(len(few))
    found = np.empty(len(values), np.float32)
    for at in range(0, len(values), _AT_ONCE):
        part, place = points[at : at + _AT_ONCE], own[at : at + _AT_ONCE]
        squared = (part**2).sum(axis=1)[:, None] + (marks**2).sum(axis=1) - 2 * part @ marks.T
        squared[place >= 0, place[place >= 0]] = np.inf
        nearest = np.partition(squared, nth - 1, axis=1)[:, nth - 1]
        found[at : at + _AT_ONCE] = np.log(np.maximum(nearest, 1e-9)) / 2
    return found


def _axes(sample: Floats) -> Floats:
    """Directions ``[d, 64]`` in which a sample varies most, by the smaller of its two products."""
    if sample.shape[1] <= len(sample):
        return np.asarray(np.linalg.eigh(sample.T @ sample)[1][:, -_AXES:], np.float32)
    variances, mixed = (part[..., -_AXES:] for part in np.linalg.eigh(sample @ sample.T))
    return np.asarray(sample.T @ (mixed / np.sqrt(np.maximum(variances, 1e-9))), np.float32)


def limit_of(distances: Floats, times: float) -> float:
    """What lies beyond it is "far out" in the words of Tukey (1977), "Exploratory Data Analysis", when `times` is 3.

    Examples
    --------
    >>> limit_of(np.array([1, 2, 3, 4, 5], np.float32), 3.0)
    10.0
    """
    low, high = np.percentile(distances, (25, 75))
    return float(high + times * (high - low))
