"""Near vectors among many, by cells: a vector is compared with those of the cells nearest to it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["nearest"]

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_PROBED = 4
_ALL = 2000
"""Up to this many vectors are compared with all."""


def nearest(index: Floats, asked: Floats, count: int, *, seed: int) -> tuple[Rows, Rows, Floats]:
    """The nearest vectors of an index, by inner product.

    Parameters
    ----------
    index : array ``[n, d]`` float32
        Of length 1.
    asked : array ``[m, d]`` float32
    count : int
        Neighbours of each, at most.
    seed : int
        Of the cells.

    Returns
    -------
    queries, answers : array of int64
        Rows of `asked` and of `index`; each query up to ``count`` times, nearer ones first.
    scores : array of float32
        Their inner products.

    Notes
    -----
    Source: the inverted file of Jegou, Douze, Schmid (2011), "Product quantization for nearest neighbor search",
    PAMI 33, with vectors as they are. With ``sqrt(n)`` cells the work grows as ``n ** 1.5``.

    Examples
    --------
    >>> queries, answers, _ = nearest(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[1:], 1, seed=0)
    >>> queries.tolist(), answers.tolist()
    ([0, 1], [1, 2])
    """
    cells = np.zeros((1, index.shape[1]), np.float32)
    if len(index) > _ALL:
        cells = _cells(index, int(np.sqrt(len(index))), seed)
    of_index, of_asked = _assigned(index, cells, 1)[:, 0], _assigned(asked, cells, min(_PROBED, len(cells)))
    order = np.argsort(of_index, kind="stable")
    starts = np.searchsorted(of_index[order], np.arange(len(cells) + 1))
    best = np.full((len(asked), count), -np.inf, np.float32)
    who = np.full((len(asked), count), -1, np.int64)
    for cell in range(len(cells)):
        members = order[starts[cell] : starts[cell + 1]]
        queries = np.flatnonzero((of_asked == cell).any(axis=1))
        for at in range(0, len(queries), 1024):
            rows = queries[at : at + 1024]
            if not len(members):
                continue
            scores = asked[rows] @ index[members].T
            few = min(count, len(members))
            top = np.argpartition(-scores, few - 1, axis=1)[:, :few]
            _merge(best, who, rows, np.take_along_axis(scores, top, 1), members[top])
    there = who >= 0
    return np.nonzero(there)[0], who[there], best[there]


def _merge(best: Floats, who: Rows, rows: Rows, scores: Any, members: Rows) -> None:
    """Keep the best of those there are and those that came."""
    count = best.shape[1]
    all_scores = np.concatenate([best[rows], scores], axis=1)
    all_who = np.concatenate([who[rows], members], axis=1)
    order = np.lexsort((all_who, -all_scores), axis=1)[:, :count]
    best[rows] = np.take_along_axis(all_scores, order, 1)
    who[rows] = np.take_along_axis(all_who, order, 1)


def _cells(index: Floats, count: int, seed: int) -> Floats:
    """Centres of cells: vectors of the index, moved to the means of what is nearest to them a few times."""
    draws = np.random.Generator(np.random.Philox(seed))
    some = index[draws.choice(len(index), min(len(index), 40 * count), replace=False)]
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
    found = np.empty((len(vectors), count), np.int64)
    for at in range(0, len(vectors), 8192):
        scores = vectors[at : at + 8192] @ centres.T
        if count == 1:
            found[at : at + 8192, 0] = scores.argmax(axis=1)
        else:
            found[at : at + 8192] = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    return found
