"""Images of one content, gathered: by their bytes, and by what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imagemill.audits.glance import Glance
from imagemill.audits.likeness import AS_IT_IS, CROPPED, MIRRORED, TURNED, Pairs, alike

__all__ = ["HOW", "Cluster", "clusters_of", "joined"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Images of one content.

    Parameters
    ----------
    rows : tuple of int
        The one to keep first: the most pixels, then the most bytes, then the first.
    how : str
        How the others differ from it at most.
    """

    rows: tuple[int, ...]
    how: str


def clusters_of(glances: Sequence[Glance | None], odds: float) -> tuple[Cluster, ...]:
    """All images that are there more than once.

    Parameters
    ----------
    glances : sequence of Glance or None
    odds : float
        As for `alike`.
    """
    pairs = _pairs(glances, odds)
    of = joined(len(glances), pairs.first, pairs.second)
    members: dict[int, list[int]] = {}
    for row in np.unique(np.concatenate([pairs.first, pairs.second])).tolist():
        members.setdefault(int(of[row]), []).append(row)
    how: dict[int, list[str]] = {}
    for a, said in zip(pairs.first, pairs.how, strict=True):
        how.setdefault(int(of[a]), []).append(said)
    return tuple(
        Cluster(tuple(sorted(rows, key=lambda row: _keep(glances, row))), max(how[number], key=HOW.index))
        for number, rows in sorted(members.items(), key=lambda found: found[1][0])
    )


def joined(count: int, first: Rows, second: Rows) -> Rows:
    """The same number for rows that pairs join, directly or over others.

    Examples
    --------
    >>> joined(4, np.array([0, 1]), np.array([1, 3])).tolist()
    [0, 0, 1, 0]
    """
    edges = coo_array((np.ones(len(first), bool), (first, second)), shape=(count, count))
    return np.asarray(connected_components(edges, directed=False)[1], np.int64)


HOW = ("the same bytes", "the same pixels", "re-encoded or resized", MIRRORED, TURNED, CROPPED)
"""How images of one content differ, from the least."""


def _keep(glances: Sequence[Glance | None], row: int) -> tuple[int, int, int]:
    glance = glances[row]
    assert glance is not None
    return -int(np.prod(glance.shape)), -glance.file.bytes, row


def _pairs(glances: Sequence[Glance | None], odds: float) -> Pairs:
    """Pairs of rows of the dataset; equal bytes are found whatever they look like."""
    rows = np.array([row for row, glance in enumerate(glances) if glance is not None], np.int64)
    found = alike(np.stack([glance.small for glance in glances if glance is not None]), odds)
    firsts = list(rows[found.first])
    seconds = list(rows[found.second])
    how = []
    for a, b, turned in zip(firsts, seconds, found.how, strict=True):
        one, other = glances[a], glances[b]
        assert one is not None
        assert other is not None
        if one.digest == other.digest:
            how.append("the same bytes")
        elif turned != AS_IT_IS:
            how.append(turned)
        elif one.shape == other.shape and (one.small == other.small).all():
            how.append("the same pixels")
        else:
            how.append("re-encoded or resized")
    met = {(int(a), int(b)) for a, b in zip(firsts, seconds, strict=True)}
    by_digest: dict[str, int] = {}
    for row in rows.tolist():
        glance = glances[row]
        assert glance is not None
        first = by_digest.setdefault(glance.digest, row)
        if first != row and (first, row) not in met:
            firsts.append(first)
            seconds.append(row)
            how.append("the same bytes")
    return Pairs(np.array(firsts, np.int64), np.array(seconds, np.int64), tuple(how), np.zeros(len(how)))
