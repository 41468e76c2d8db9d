"""Mean and deviation of the training images in one pass, and what they are applied for.

Whole numbers are summed exactly, in 64 bits per pixel location, so that the result is the true one whatever the
order of the images. Floating point is merged block by block in float64 by the rule of Chan, Golub and LeVeque
(1983), "Algorithms for computing the sample variance", The American Statistician 37(3). Values that are not finite are
left out, each place counting its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError
from imagemill.core.ops import Fit
from imagemill.core.targets import Array
from imagemill.engine.colour_values import fitted, moved

__all__ = [
    "EPSILON",
    "STANDARDIZE",
    "Moments",
    "Standardize",
    "Statistics",
    "Whitening",
    "applied",
    "check_standardize",
    "check_whitening",
    "gaps_of",
    "runs_of",
]

EPSILON = 1e-7
"""Added to deviations before dividing, and to variances before whitening."""

Standardize = Literal["none", "pixels", "per-channel", "per-location", "per-sample", "zca"]
STANDARDIZE: tuple[str, ...] = get_args(Standardize)
WHITEN_AT_MOST = 4096
_BLOCK = 1 << 16
_ALONE = Fit("zscore", epsilon=EPSILON)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What is known of the training images.

    Parameters
    ----------
    count : int
        Images.
    mean, std : float
        Over all values; the deviation divides by the number of values.
    channel_mean, channel_std : array ``(C,)``
    location_mean, location_std : array of the shape of one image
        Over the images at each place and channel; the mean is the mean image. Where no image has a finite value, those
        of the channel.
    """

    count: int
    mean: float
    std: float
    channel_mean: Floats
    channel_std: Floats
    location_mean: Floats
    location_std: Floats


class Moments:
    """Sums over images of one shape, block by block.

    Parameters
    ----------
    shape : tuple of int
        Of one image.
    dtype : dtype
    channels : bool
        Whether the last axis holds channels.
    compiled : bool
        Whether compiled code may be loaded for sums of bytes; they are the same.

    Examples
    --------
    >>> moments = Moments((1, 2), np.dtype(np.uint8), channels=False)
    >>> moments.add(np.array([[[0, 2]], [[4, 6]]], np.uint8))
    >>> found = moments.end()
    >>> found.mean, found.location_mean.tolist(), found.location_std.tolist()
    (3.0, [[2.0, 4.0]], [[2.0, 2.0]])
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], *, channels: bool, compiled: bool = False) -> None:
        self.compiled = compiled
        self.shape, self.channels = shape, shape[-1] if channels else 1
        self.exact = dtype.kind == "u"
        self.count = 0
        size = int(np.prod(shape))
        kind = np.uint64 if self.exact else np.float64
        # Sums and sums of squares, or means and sums of squared differences from them.
        self.first: Array = np.zeros(size, kind)
        self.second: Array = np.zeros(size, kind)
        # How many values each place has, where images may lack some.
        self.each = np.zeros(0 if self.exact else size)

    def add(self, block: Array) -> None:
        """Take in images ``(n, *shape)``; of floating point the finite values."""
        rows = block.reshape(len(block), -1)
        if self.exact and rows.dtype == np.uint8 and self.compiled:
            from imagemill.verbs.prepare.moments_kernel import ROWS, summed

            for at in range(0, len(rows), ROWS):
                summed(np.ascontiguousarray(rows[at : at + ROWS]), self.first, self.second)
        elif self.exact:
            wide = rows.astype(np.uint32)
            # Sums of 32 bits, where they fit, take a fraction of the time; 65,535 squared is the most that fits alone.
            sums = np.uint32 if len(rows) << 16 * rows.itemsize <= 1 << 32 else np.uint64
            self.first += wide.sum(axis=0, dtype=sums)
            wide *= wide
            self.second += wide.sum(axis=0, dtype=sums)
        else:
            self._merge(rows.astype(np.float64))
        self.count += len(rows)

    def _merge(self, values: Floats) -> None:
        known = np.isfinite(values)
        every = bool(known.all())
        new = np.full(values.shape[1], float(len(values))) if every else known.sum(axis=0, dtype=np.float64)
        total = self.each + new
        some, whole = np.maximum(new, 1.0), np.maximum(total, 1.0)
        if not every:
            values[~known] = 0.0
        mean = values.sum(axis=0) / some
        values -= mean
        if not every:
            values[~known] = 0.0
        values *= values
        delta = mean - self.first
        self.second += values.sum(axis=0) + delta * delta * (self.each * new / whole)
        self.first += delta * (new / whole)
        self.each = total

    def end(self) -> Statistics:
        """Close the sums.

        Raises
        ------
        InputError
            When no image was taken in.
        """
        if not self.count:
            raise InputError("expected at least one training image to fit statistics on, got none; change the split")
        if self.exact:
            return self._end_exact()
        means, squares, each = (part.reshape(-1, self.channels) for part in (self.first, self.second, self.each))
        count = np.maximum(each.sum(axis=0), 1.0)  # a channel without any finite value has mean and deviation 0
        channel = (each * means).sum(axis=0) / count
        within = (squares + each * (means - channel) ** 2).sum(axis=0) / count
        whole = float((count * channel).sum() / count.sum())
        every = float((count * (within + (channel - whole) ** 2)).sum() / count.sum())
        some = each > 0
        location = np.where(some, means, channel), np.where(some, squares / np.maximum(each, 1.0), within)
        mean, std = location[0].reshape(self.shape), np.sqrt(location[1]).reshape(self.shape)
        return Statistics(self.count, whole, every**0.5, channel, np.sqrt(within), mean, std)

    def _end_exact(self) -> Statistics:
        n = self.count
        mean, variance = np.empty(self.first.size), np.empty(self.first.size)
        sums = [[0, 0] for _ in range(self.channels)]
        # In Python's integers, which neither round nor overflow, a block at a time; in int64 where no product is larger
        # than what float64 holds, so that the same numbers are divided.
        exact = np.int64 if n * int(self.second.max(initial=1)) < 1 << 53 else object
        for at in range(0, self.first.size, _BLOCK):
            part = slice(at, at + _BLOCK)
            one, two = self.first[part].astype(exact), self.second[part].astype(exact)
            mean[part] = one / n
            variance[part] = (n * two - one * one) / (n * n)
            for channel in range(self.channels):
                place = (channel - at) % self.channels
                sums[channel][0] += int(one[place :: self.channels].sum())
                sums[channel][1] += int(two[place :: self.channels].sum())
        each = n * (self.first.size // self.channels)
        found = [_moments(a, b, each) for a, b in sums]
        whole = _moments(sum(a for a, _ in sums), sum(b for _, b in sums), each * self.channels)
        channel_mean, channel_std = np.array(found).T
        location = (mean.reshape(self.shape), np.sqrt(variance).reshape(self.shape))
        return Statistics(n, *whole, channel_mean, channel_std, *location)


def _moments(first: int, second: int, count: int) -> tuple[float, float]:
    return first / count, float(((count * second - first * first) / (count * count)) ** 0.5)


class Whitening:
    """Principal directions of the training images, by their accumulated covariance.

    Parameters
    ----------
    size : int
        Values of one image.

    Raises
    ------
    InputError
        When the covariance would not fit a usual memory; the message says how much it would take.

    Notes
    -----
    Source: Bell and Sejnowski (1997), "The independent components of natural scenes are edge filters", Vision
    Research 37(23): the symmetric whitening (ZCA), ``U diag(1 / sqrt(s + epsilon)) U'``.
    """

    def __init__(self, size: int) -> None:
        check_whitening((size,))
        self.count, self.mean, self.spread = 0, np.zeros(size), np.zeros((size, size))

    def add(self, block: Array) -> None:
        """Take in images ``(n, ...)``."""
        values = block.reshape(len(block), -1).astype(np.float64)
        mean = values.mean(axis=0)
        values -= mean
        total = self.count + len(values)
        delta = mean - self.mean
        self.spread += values.T @ values
        self.spread += np.outer(delta, delta * (self.count * len(values) / total))
        self.mean += delta * (len(values) / total)
        self.count = total

    def end(self) -> Floats:
        """The matrix ``(size, size)`` that images, less their mean, are multiplied by from the right."""
        if not self.count:
            raise InputError("expected at least one training image to fit zca on, got none; change the split")
        values, vectors = np.linalg.eigh(self.spread / self.count)
        # Rounding may leave the smallest variances a hair below zero.
        matrix: Floats = (vectors / np.sqrt(np.maximum(values, 0) + EPSILON)) @ vectors.T
        return matrix


def check_whitening(shape: tuple[int, ...]) -> None:
    """Refuse images whose covariance would not fit a usual memory.

    Raises
    ------
    InputError
    """
    size = int(np.prod(shape))
    if size > WHITEN_AT_MOST:
        need = 3 * 8 * size * size / 1e9
        msg = f"expected images of at most {WHITEN_AT_MOST:,} values for zca, got {size:,}"
        raise InputError(f"{msg}, which would take {need:,.1f} GB; choose a smaller size, or per-channel")


def check_standardize(word: str) -> None:
    """Refuse another word.

    Raises
    ------
    InputError
    """
    if word not in STANDARDIZE:
        raise InputError(f"expected standardize to be one of {', '.join(STANDARDIZE)}, got {word!r}; choose one")


def runs_of(where: Array) -> list[int]:
    """Where something is so, as the first place and the length of each run over the flattened array.

    Examples
    --------
    >>> runs_of(np.array([[False, True], [True, False]])), gaps_of([1, 2], 4).tolist()
    ([1, 2], [False, True, True, False])
    """
    flat = where.reshape(-1).astype(np.int8)
    edges = np.flatnonzero(np.diff(flat, prepend=0, append=0))
    edges[1::2] -= edges[::2]
    found: list[int] = edges.tolist()
    return found


def gaps_of(runs: Sequence[int], size: int) -> Array:
    """The flat array that `runs_of` was made of."""
    steps = np.zeros(size + 1, np.int8)
    starts = np.clip(np.asarray(runs[::2], np.int64), 0, size)
    steps[starts] += 1
    steps[np.clip(starts + np.asarray(runs[1::2], np.int64), 0, size)] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).astype(bool)


def applied(block: Array, how: str, statistics: Statistics, matrix: Floats | None, known: Array | None = None) -> Array:
    """Standardise images ``(n, ...)`` and keep their floating type; computed in float64.

    Parameters
    ----------
    block : array
    how : str
        Of `STANDARDIZE`. ``"per-sample"`` goes by each image's own mean and deviation, the others by those of
        the training images; a deviation of zero divides by `EPSILON`.
    statistics : Statistics
    matrix : array or None
        For ``"zca"``.
    known : array or None
        The same images with NaN where a value was filled in: ``"per-sample"`` goes by the others.
    """
    values = block.astype(np.float64)
    if how == "pixels":
        values = (values - statistics.mean) / (statistics.std + EPSILON)
    elif how == "per-channel":
        values = (values - statistics.channel_mean) / (statistics.channel_std + EPSILON)
    elif how == "per-location":
        values = (values - statistics.location_mean) / (statistics.location_std + EPSILON)
    elif how == "per-sample":
        values = np.stack(
            [
                moved(_ALONE, fitted(_ALONE, seen[..., None].astype(np.float64), block.dtype), one[..., None])
                for one, seen in zip(values, block if known is None else known, strict=True)
            ]
        )
        values = values[..., 0]
    elif how == "zca" and matrix is not None:
        values = ((values - statistics.location_mean).reshape(len(values), -1) @ matrix).reshape(values.shape)
    return values.astype(block.dtype)
