"""Near vectors among many, by cells: a vector is compared with those of the cells nearest to it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from imagemill.core.interrupts import as_interrupts
from imagemill.engine.shipped_kernels import njit

__all__ = ["Cells", "Nearest", "by_threads"]

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Item = TypeVar("Item")

_PROBED = 6
_ALL = 2000
"""Up to this many vectors are compared with all."""
_CHUNK = 16384
"""Queries that are asked together; the same however many threads there are, so that results are."""
_BLOCK = 32
"""Scores that are looked through at once for one that is worth keeping."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The best answers to each query so far, whichever way it was asked; each answer once, the nearest first.

    Parameters
    ----------
    score : array ``[m, count]`` float32
        Inner products; what is below the floor that a pool began with is not kept.
    answer : array ``[m, count]`` int32
        Rows of the index, -1 where there is none.
    way : array ``[m, count]`` int16
        The number of the way of asking that found it.
    """

    score: Floats
    answer: npt.NDArray[np.int32]
    way: npt.NDArray[np.int16]

    @classmethod
    def empty(cls, queries: int, count: int, floor: float) -> Nearest:
        """Nothing found yet."""
        shape = (queries, count)
        return cls(np.full(shape, floor, np.float32), np.full(shape, -1, np.int32), np.full(shape, -1, np.int16))


class Cells:
    """Vectors of length 1, sorted into cells around centres.

    Parameters
    ----------
    vectors : array ``[n, d]`` float32
    seed : int
        Of the choice of centres.

    Notes
    -----
    Source: the inverted file of Jegou, Douze, Schmid (2011), "Product quantization for nearest neighbor search",
    PAMI 33, with vectors as they are. With ``sqrt(n)`` cells the work grows as ``n ** 1.5``.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    >>> found = Nearest.empty(3, 1, floor=0.5)
    >>> Cells(vectors, seed=0).ask(vectors, found, way=0)
    >>> found.answer[:, 0].tolist()
    [1, 0, 1]
    """

    def __init__(self, vectors: Floats, seed: int) -> None:
        self._centres = np.zeros((1, vectors.shape[1]), np.float32)
        if len(vectors) > _ALL:
            self._centres = _centres(vectors, int(np.sqrt(len(vectors))), seed)
        of = _assigned(vectors, self._centres, 1)[:, 0]
        self._order = np.argsort(of, kind="stable").astype(np.int32)
        self._starts = np.searchsorted(of[self._order], np.arange(len(self._centres) + 1))
        self._members = np.ascontiguousarray(vectors[self._order])

    def ask(self, asked: Floats, found: Nearest, *, way: int, rows: Rows | None = None, threads: int = 1) -> None:
        """Look for the nearest vectors of each query, which is none of its own, and keep the best.

        Parameters
        ----------
        asked : array ``[m, d]`` float32
        found : Nearest
            For all rows of the index, changed in place.
        way : int
        rows : array of int, optional
            Whose queries they are, each once; those of all rows in their order when left out. A row is never an
            answer to itself.
        threads : int
        """
        whose = np.arange(len(asked)) if rows is None else rows

        def chunk(at: int) -> None:
            self._ask(asked[at : at + _CHUNK], whose[at : at + _CHUNK], found, way)

        by_threads(chunk, range(0, len(asked), _CHUNK), threads)

    def _ask(self, asked: Floats, whose: Rows, found: Nearest, way: int) -> None:
        probed = _assigned(asked, self._centres, min(_PROBED, len(self._centres)))
        queries, ends = np.empty(probed.size, np.int64), np.empty(len(self._centres) + 1, np.int64)
        _by_cell(probed, queries, ends)
        for cell in np.flatnonzero(np.diff(ends)).tolist():
            start, stop = self._starts[cell], self._starts[cell + 1]
            some = queries[ends[cell] : ends[cell + 1]]
            scores = asked[some] @ self._members[start:stop].T
            _keep(scores, whose[some], self._order[start:stop], way, found.score, found.answer, found.way)


def by_threads(work: Callable[[Item], None], items: Iterable[Item], threads: int) -> None:
    """Do all of the work; errors are raised."""
    if threads <= 1:
        for item in items:
            work(item)
        return
    with as_interrupts(), ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, items))


@njit(nogil=True)
def _by_cell(probed: Any, queries: Any, ends: Any) -> None:
    """Which queries ``[m * k]`` probe each cell, one cell after the other, and where each ends, a 0 in front."""
    ends[:] = 0
    for i in range(len(probed)):
        for k in range(probed.shape[1]):
            ends[probed[i, k] + 1] += 1
    for cell in range(1, len(ends)):
        ends[cell] += ends[cell - 1]
    places = ends[:-1].copy()
    for i in range(len(probed)):
        for k in range(probed.shape[1]):
            cell = probed[i, k]
            queries[places[cell]] = i
            places[cell] += 1


@njit(nogil=True)
def _keep(scores: Any, rows: Any, members: Any, way: int, best: Any, answers: Any, ways: Any) -> None:
    """Put what is better than the worst that was kept in its place, each answer once."""
    count, total = best.shape[1], scores.shape[1]
    for i in range(len(rows)):
        row = rows[i]
        for start in range(0, total, _BLOCK):
            stop = min(start + _BLOCK, total)
            # Hardly any block holds one: looking first fills vectors, and the loop below does not.
            worst, better = best[row, count - 1], 0
            for j in range(start, stop):
                better |= scores[i, j] > worst
            if better:
                for j in range(start, stop):
                    if scores[i, j] > best[row, count - 1] and members[j] != row:
                        _put(scores[i, j], members[j], way, best[row], answers[row], ways[row])


@njit(nogil=True)
def _put(score: Any, member: int, way: int, best: Any, answers: Any, ways: Any) -> None:
    """Put an answer in its place among those of a query, if it is none of them or better than it was."""
    at = len(best) - 1
    for k in range(len(best)):
        if answers[k] == member:
            at = k
            break
    if answers[at] == member and best[at] >= score:
        return
    while at > 0 and best[at - 1] < score:
        best[at] = best[at - 1]
        answers[at] = answers[at - 1]
        ways[at] = ways[at - 1]
        at -= 1
    best[at] = score
    answers[at] = member
    ways[at] = way


@njit(nogil=True)
def _largest(scores: Any, found: Any) -> None:
    """The places of the largest scores of each row, the largest first."""
    count = found.shape[1]
    held = np.empty(count, scores.dtype)
    for i in range(len(scores)):
        held[:] = -np.inf
        for j in range(scores.shape[1]):
            score = scores[i, j]
            if score > held[count - 1]:
                at = count - 1
                while at > 0 and held[at - 1] < score:
                    held[at], found[i, at] = held[at - 1], found[i, at - 1]
                    at -= 1
                held[at], found[i, at] = score, j


def _centres(vectors: Floats, count: int, seed: int) -> Floats:
    """Centres of cells: some of the vectors, moved to the means of what is nearest to them a few times."""
    draws = np.random.Generator(np.random.Philox(seed))
    some = vectors[draws.choice(len(vectors), min(len(vectors), 40 * count), replace=False)]
    centres = some[:count].copy()
    for _ in range(6):
        of = _assigned(some, centres, 1)[:, 0]
        sums = np.zeros_like(centres)
        np.add.at(sums, of, some)
        norm = np.sqrt((sums**2).sum(axis=1, keepdims=True))
        centres = np.divide(sums, norm, out=centres, where=norm > 0)
    return centres


def _assigned(vectors: Floats, centres: Floats, count: int) -> Rows:
    """The nearest centres of each vector, ``[n, count]``."""
    found = np.zeros((len(vectors), count), np.int64)
    for at in range(0, len(vectors), _CHUNK):
        _largest(vectors[at : at + _CHUNK] @ centres.T, found[at : at + _CHUNK])
    return found
