"""How far each image is from the others, in a space of features or of what was measured at the first look.

Source: Ramaswamy, Rastogi, Shim (2000), "Efficient algorithms for mining outliers from large data sets", SIGMOD, for
the distance to the k-th nearest neighbour; Sugiyama, Borgwardt (2013), "Rapid distance-based outlier detection via
sampling", NIPS, for neighbours among a sample, in which a small gathering of outliers cannot vouch for each other.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from imagemill.audits.glance import Glance

__all__ = ["FEWEST", "NEAREST_LOOKS", "limit_of", "looks_of", "outlyingness"]

Floats = npt.NDArray[np.float32]

FEWEST = 30
"""Images that are needed to say what is usual among them."""
_AXES = 64
_SAMPLE = 2000
_SHARE = 0.03
"""A gathering of up to this share of all images is far from the rest, rather than near to itself."""
_AT_ONCE = 2048
NEAREST_LOOKS = 3
"""The neighbour that counts where looks are compared: eleven numbers need fewer than a thousand do."""
_SEEN = 0.1
"""Least distance of quartiles that a look is divided by: where no image has colour a little is not infinitely far."""


def looks_of(glances: Iterable[Glance]) -> Floats:
    """What tells drawings, pages of text and signs from photos, ``[n, 11]``: light, contrast, colour, flatness, detail.

    Features learnt from patches even contrast out and leave colour away where all is flat. Each number is told from the
    median of the set, in distances of its quartiles; shares by their roots, so that small ones differ too.
    """
    found = np.array(
        [
            [
                one.brightness[2], one.brightness[4] - one.brightness[0], one.contrast, one.saturation**0.5,
                one.warmth, one.entropy / 8, one.even**0.5, one.black**0.5, one.white**0.5,
                np.log(one.detail + 0.02) / 4, np.log(one.sharpness + 0.02) / 4,
            ]
            for one in glances
        ]
    )  # fmt: skip
    low, middle, high = np.percentile(found, (25, 50, 75), axis=0)
    return np.asarray((found - middle) / np.maximum(high - low, _SEEN), np.float32)


def outlyingness(values: Floats, *, nearest: int = 5, seed: int = 0) -> Floats:
    """Logarithm of the distance of each image to its k-th nearest of a sample of the others.

    Parameters
    ----------
    values : array ``[n, d]`` float32
    nearest : int
        The least k; three in a hundred of the sample where that is more.
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
    nth = min(max(nearest, round(_SHARE * len(few))), len(few) - 1)
    own = np.full(len(values), -1)
    own[few] = np.arange(len(few))
    found = np.empty(len(values), np.float32)
    for at in range(0, len(values), _AT_ONCE):
        part, place = points[at : at + _AT_ONCE], own[at : at + _AT_ONCE]
        squared = (part**2).sum(axis=1)[:, None] + (marks**2).sum(axis=1) - 2 * part @ marks.T
        squared[place >= 0, place[place >= 0]] = np.inf
        last = np.partition(squared, nth - 1, axis=1)[:, nth - 1]
        found[at : at + _AT_ONCE] = np.log(np.maximum(last, 1e-9)) / 2
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
