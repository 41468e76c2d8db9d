"""Which of many small pictures show the same, whatever their symmetry, size, brightness, contrast and compression.

Every picture gets a signature, the low frequencies of its gray values; the eight symmetries of a square change only
the signs and the order of those. Pictures with near signatures are found by cells, in about ``n ** 1.5`` steps, and
compared by all pixels. How like is too like follows from the set itself: digits resemble each other, photos do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import dctn

from imagemill.audits.neighbours import nearest
from imagemill.audits.windows import blurred, left_over, turned_pairs, window_pairs

__all__ = ["AS_IT_IS", "CROPPED", "MIRRORED", "TURNED", "Pairs", "alike", "signatures", "symmetric"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

AS_IT_IS, MIRRORED, TURNED, CROPPED = "as it is", "flipped or turned by quarters", "turned", "cropped"
"""How one of two that are alike was made of the other."""

_KEPT = 8
_NEIGHBOURS = 4
_NEAR = 0.5
"""Below this correlation of signatures two pictures are not looked at any closer."""
_FAR = 0.08
"""Above this share of unexplained variance no pair is a copy, whatever the set is like."""
_EQUAL = 2e-4
"""Below this share a pair is a copy, whatever the set is like: less than rounding and light compression leave."""
_SPREAD = 0.12
"""Smallest spread, in powers of ten, that nearest neighbours of different content are taken to have."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Two of the same content each, the lower row first."""

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    how: tuple[str, ...]


def signatures(small: Array) -> Floats:
    """The low frequencies of each picture, without its mean, of length 1; zeros for a picture of one colour.

    Parameters
    ----------
    small : array ``[n, s, s, 3]`` uint8

    Returns
    -------
    array ``[n, 8, 8]`` float32

    Examples
    --------
    >>> ramp = np.repeat(np.arange(32, dtype=np.uint8)[None, None, :, None], 32, 1).repeat(3, 3)
    >>> bool(abs(signatures(ramp)[0, 0, 1]) > 0.99)
    True
    """
    found = np.empty((len(small), _KEPT, _KEPT), np.float32)
    for at in range(0, len(small), 4096):
        part = dctn(_gray(small[at : at + 4096]), axes=(1, 2), norm="ortho")
        found[at : at + 4096] = part[:, :_KEPT, :_KEPT]
    found[:, 0, 0] = 0
    norm = np.sqrt((found**2).sum(axis=(1, 2), keepdims=True))
    np.divide(found, norm, out=found, where=norm > 1e-3)
    found[norm[:, 0, 0] <= 1e-3] = 0
    return found


def _gray(small: Array) -> Floats:
    return small.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def symmetric(planes: Array, which: int) -> Array:
    """One of the eight symmetries of a square, of pictures ``[n, s, s, ...]``: 0 is as it is, 1 is left for right."""
    if which & 4:
        planes = np.swapaxes(planes, 1, 2)
    if which & 2:
        planes = planes[:, ::-1]
    return planes[:, :, ::-1] if which & 1 else planes


def _symmetric_signature(found: Floats, which: int) -> Floats:
    """The signature of `symmetric`: a mirror image has the odd frequencies of that axis with the other sign."""
    odd = np.where(np.arange(_KEPT) % 2, -1, 1).astype(np.float32)
    if which & 4:
        found = np.swapaxes(found, 1, 2)
    if which & 2:
        found = found * odd[:, None]
    return found * odd if which & 1 else found


def alike(small: Array, odds: float) -> Pairs:
    """Find all pairs of the same content.

    Parameters
    ----------
    small : array ``[n, s, s, 3]`` uint8
    odds : float
        How many spreads (of the logarithm of unexplained variance) below the median of nearest neighbours a pair has
        to lie.

    Returns
    -------
    Pairs

    Examples
    --------
    >>> draws = np.random.default_rng(0)
    >>> photos = np.stack(
    ...     [
    ...         np.kron(p, np.ones((8, 8, 1), np.uint8))[:32, :32]
    ...         for p in draws.integers(0, 256, (60, 4, 4, 3), np.uint8)
    ...     ]
    ... )
    >>> photos[7] = photos[3][:, ::-1]
    >>> found = alike(photos, 3.0)
    >>> found.first.tolist(), found.second.tolist(), found.how
    ([3], [7], ('flipped or turned by quarters',))
    """
    marks, planes = signatures(small), _planes(small)
    usable = np.flatnonzero(np.abs(marks).sum(axis=(1, 2)) > 0)
    nothing = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), ())
    if len(usable) < 2:
        return nothing
    index = marks[usable].reshape(len(usable), -1)
    first, second, share, which = [], [], [], []
    for turn in range(8):
        asked = _symmetric_signature(marks[usable], turn).reshape(len(usable), -1)
        queries, answers, scores = nearest(index, asked, _NEIGHBOURS, seed=0)
        near = (queries != answers) & (scores > _NEAR)
        a, b = usable[queries[near]], usable[answers[near]]
        first.append(np.minimum(a, b))
        second.append(np.maximum(a, b))
        share.append(unexplained(planes, a, b, turn))
        which.append(np.full(len(a), turn))
    table = np.stack([np.concatenate(first), np.concatenate(second)], axis=1)
    left, turns = np.concatenate(share), np.concatenate(which)
    # Of the ways in which two are alike the one that leaves least; as it is where two leave the same.
    order = np.lexsort((turns, left, table[:, 1], table[:, 0]))
    table, left, turns = table[order], left[order], turns[order]
    once = np.ones(len(table), bool)
    once[1:] = (table[1:] != table[:-1]).any(axis=1)
    table, left, turns = table[once], left[once], turns[once]
    limit = _limit(table, left, len(small), odds)
    kept = left <= limit
    how = np.where(turns[kept] == 0, AS_IT_IS, MIRRORED).tolist()
    return _with_parts(planes, usable, Pairs(table[kept, 0], table[kept, 1], tuple(how)), odds)


def _with_parts(planes: Floats, usable: npt.NDArray[np.int64], found: Pairs, odds: float) -> Pairs:
    """Add the pairs of which one is a window of the other, or turned; those that are known stay what they are.

    There are many turns to try and far more windows, so that less may be left of them than of the whole.
    """
    known = zip(found.first.tolist(), found.second.tolist(), found.how, strict=True)
    pairs = {(a, b): how for a, b, how in known}
    for how, match, stricter in (
        (TURNED, turned_pairs(planes[usable], _KEPT), 0.3),
        (CROPPED, window_pairs(planes[usable], _KEPT), 0.125),
    ):
        ends = np.stack([match.first, match.second], axis=1)
        near = match.share <= min(_limit(ends, match.share, len(usable), odds), _FAR * stricter)
        for a, b in zip(usable[match.first[near]].tolist(), usable[match.second[near]].tolist(), strict=True):
            pairs.setdefault((min(a, b), max(a, b)), how)
    table = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    return Pairs(table[:, 0], table[:, 1], tuple(pairs[a, b] for a, b in table.tolist()))


def _planes(small: Array) -> Floats:
    """Gray values of each picture, without its mean and of length 1."""
    found = _gray(small)
    found -= found.mean(axis=(1, 2), keepdims=True)
    norm = np.sqrt((found**2).sum(axis=(1, 2), keepdims=True))
    np.divide(found, norm, out=found, where=norm > 1e-3)
    found[norm[:, 0, 0] <= 1e-3] = 0
    return found


def unexplained(
    planes: Floats, one: npt.NDArray[np.int64], other: npt.NDArray[np.int64], turn: int
) -> npt.NDArray[np.float64]:
    """Share of the variance of pictures, under a symmetry, that a gain and an offset of others do not explain."""
    found = np.empty(len(one))
    for at in range(0, len(one), 4096):
        found[at : at + 4096] = left_over(
            blurred(symmetric(planes[one[at : at + 4096]], turn)), blurred(planes[other[at : at + 4096]])
        )
    return found


def _limit(table: Array, share: npt.NDArray[np.float64], count: int, odds: float) -> float:
    """How little may be unexplained in a copy: far below what nearest neighbours of this set leave unexplained."""
    if not len(table):
        return 0.0
    best = np.full(count, np.inf)
    np.minimum.at(best, table[:, 0], share)
    np.minimum.at(best, table[:, 1], share)
    # An image that nothing came near to is as far from all as can be.
    logs = np.log10(np.clip(best, 1e-6, 1.0))
    middle = float(np.median(logs))
    # The wider side: below it are copies, which are fewer than one in six, and simple shapes that resemble each other.
    low, high = np.percentile(logs, (16, 84))
    spread = max(float(high) - middle, middle - float(low), _SPREAD)
    return float(np.clip(10 ** (middle - odds * spread), _EQUAL, _FAR))
