"""In what order an epoch reads the rows of a dataset: computed place by place, never stored.

A shuffle is a function from a place in the epoch to a row. It is a Feistel network over pairs of digits with addition
instead of exclusive or, so that any number of rows will do, and the few pairs that are no row are walked past.

Sources: J. Black, P. Rogaway (2002), "Ciphers with arbitrary finite domains", CT-RSA 2002, methods "generalised
Feistel" and "cycle walking". The round function is Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, SC '11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.errors import InputError

__all__ = ["Order", "balanced", "permuted", "read_weights", "unpermuted"]

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Places of the counter that no sample's draws use: the key is another one than theirs.
_SALT = (0x6F726465, 0x72736565)
_BLOCKS, _WITHIN, _WHOLE, _WEIGHTS = range(4)


def _words(counter: npt.NDArray[np.uint32], seed: int) -> npt.NDArray[np.uint32]:
    # Here, so that a dataset can be looked at without loading a compiler.
    from imagemill.engine.philox import philox4x32

    return philox4x32(counter, _key(seed))


def _key(seed: int) -> tuple[int, int]:
    return (seed & 0xFFFFFFFF) ^ _SALT[0], (seed >> 32) ^ _SALT[1]


def _round(half: Rows, tweak: Rows | int, number: int, purpose: int, seed: int, epoch: int) -> npt.NDArray[np.uint64]:
    """63 random bits for each half, its tweak, and a round."""
    counter = np.empty((len(half), 4), dtype=np.uint32)
    counter[:, 0] = half
    counter[:, 1] = tweak
    counter[:, 2] = epoch
    counter[:, 3] = purpose << 8 | number
    words = _words(counter, seed).astype(np.uint64)
    return (words[:, 0] | words[:, 1] << np.uint64(32)) >> np.uint64(1)


def _walk(places: Rows, n: int, tweak: Rows | int, purpose: int, seed: int, epoch: int, *, back: bool) -> Rows:
    # Here, so that a dataset can be looked at without loading a compiler.
    from imagemill.feed.order.shuffle_network import walk

    return walk(places, n, tweak, purpose, _key(seed), epoch, back=back)


def permuted(places: Rows, n: int, *, seed: int, epoch: int = 0, tweak: Rows | int = 0, purpose: int = _WHOLE) -> Rows:
    """The rows at some places of a permutation of ``n``.

    Parameters
    ----------
    places : array of int, ``[m]``
        0 to ``n - 1``.
    n : int
        1 to 2**62.
    seed : int
        0 to 2**64 - 1.
    epoch : int
        0 to 2**32 - 1.
    tweak : int or array of int, ``[m]``
        Chooses among permutations.
    purpose : int
        The same.

    Returns
    -------
    array of int64, ``[m]``

    Examples
    --------
    >>> sorted(permuted(np.arange(7), 7, seed=1).tolist())
    [0, 1, 2, 3, 4, 5, 6]
    """
    return _walk(places, n, tweak, purpose, seed, epoch, back=False)


def unpermuted(rows: Rows, n: int, *, seed: int, epoch: int = 0, tweak: Rows | int = 0, purpose: int = _WHOLE) -> Rows:
    """The places of some rows: what :func:`permuted` was given.

    Examples
    --------
    >>> unpermuted(permuted(np.arange(7), 7, seed=1), 7, seed=1).tolist()
    [0, 1, 2, 3, 4, 5, 6]
    """
    return _walk(rows, n, tweak, purpose, seed, epoch, back=True)


def read_weights(weights: Any, n: int) -> Floats:
    """One weight for each row, none negative, at least one above 0.

    Raises
    ------
    InputError
    """
    found = np.asarray(weights, dtype=np.float64)
    if found.shape != (n,):
        raise InputError(f"expected {n} weights, one per row, got shape {found.shape}")
    if not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise InputError("expected finite weights from 0, some above 0; correct them")
    return found


def balanced(labels: npt.NDArray[Any]) -> Floats:
    """Weights that give each class the same share.

    Examples
    --------
    >>> balanced(np.array([0, 0, 0, 1])).tolist()
    [0.3333333333333333, 0.3333333333333333, 0.3333333333333333, 1.0]
    """
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts)[inverse]


@dataclass(frozen=True)
class Order:
    """The rows of every epoch.

    Parameters
    ----------
    n : int
        Rows, at least 1; also the places of an epoch.
    seed : int
        0 to 2**64 - 1.
    shuffle : bool or int
        False reads in order; True mixes all rows; a number mixes within windows of that many rows that follow each
        other, and the windows among themselves.
    weights : array, ``[n]``, optional
        Rows are drawn with replacement, as often as their weight says; ``shuffle`` then has nothing to say.

    Examples
    --------
    >>> Order(5, seed=1, shuffle=False).rows(np.arange(2, 5), epoch=0).tolist()
    [2, 3, 4]
    >>> sorted(Order(10, seed=1, shuffle=4).rows(np.arange(10), epoch=3).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    n: int
    seed: int
    shuffle: bool | int = True
    weights: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.n < 1:
            raise InputError("expected a dataset with at least one row, got none; check its filter or path")
        if not isinstance(self.shuffle, bool | int) or (not isinstance(self.shuffle, bool) and self.shuffle < 1):
            raise InputError(f"expected shuffle as True, False or a window of 1 row and more, got {self.shuffle!r}")
        if self.weights is not None:
            object.__setattr__(self, "weights", read_weights(self.weights, self.n))

    @cached_property
    def _heaped(self) -> Floats:
        """Weights added up, the last 1."""
        assert self.weights is not None
        sums = np.cumsum(self.weights)
        return np.asarray(sums / sums[-1])

    @cached_property
    def _last(self) -> int:
        """The last row that has any weight."""
        assert self.weights is not None
        return int(np.flatnonzero(self.weights)[-1])

    @property
    def replaces(self) -> bool:
        """Whether a row may come twice in an epoch."""
        return self.weights is not None

    @property
    def is_random(self) -> bool:
        """Whether the seed decides which row stands at a place."""
        return self.replaces or self.shuffle is not False

    def rows(self, places: Rows | Sequence[int], epoch: int) -> Rows:
        """The rows at some places of an epoch, each 0 to ``n - 1``."""
        at = np.asarray(places, dtype=np.int64)
        if self.weights is not None:
            return self._drawn(at, epoch)
        if self.shuffle is False:
            return at.copy()
        window = self.n if self.shuffle is True else min(int(self.shuffle), self.n)
        if window == self.n:
            return permuted(at, self.n, seed=self.seed, epoch=epoch)
        return self._windowed(at, window, epoch)

    def _drawn(self, at: Rows, epoch: int) -> Rows:
        """Inverse of the distribution function at a uniform number of each place."""
        high, low = np.divmod(at, 1 << 32)
        bits = _round(low, high, 0, _WEIGHTS, self.seed, epoch)
        uniform = (bits >> np.uint64(10)).astype(np.float64) * 2.0**-53
        found = np.searchsorted(self._heaped, uniform, side="right")
        # Rounding must not lead beyond the last row that has any weight.
        return np.minimum(found, self._last).astype(np.int64)

    def _windowed(self, at: Rows, window: int, epoch: int) -> Rows:
        blocks = -(-self.n // window)
        short = self.n - (blocks - 1) * window
        last = np.array([blocks - 1])
        # Where the window that may be short comes in this epoch: places behind it are shifted.
        slot = int(unpermuted(last, blocks, seed=self.seed, epoch=epoch, purpose=_BLOCKS)[0])
        begin = slot * window
        behind = at >= begin + short
        inside = (at >= begin) & ~behind
        lined = np.where(behind, at + (window - short), at)
        slots, offsets = np.divmod(lined, window)
        block = permuted(slots, blocks, seed=self.seed, epoch=epoch, purpose=_BLOCKS)
        moved = np.empty_like(at)
        for where, size in ((inside, short), (~inside, window)):
            moved[where] = permuted(
                offsets[where], size, seed=self.seed, epoch=epoch, tweak=block[where], purpose=_WITHIN
            )
        return block * window + moved
