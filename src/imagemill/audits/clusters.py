"""Images of one content, gathered: by their bytes, by their pixels, and by what they look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from imagemill.audits.glance import Glance
from imagemill.audits.likeness import AS_IT_IS, CROPPED, MIRRORED, TURNED, Pairs, alike

__all__ = ["CERTAIN", "HOW", "Cluster", "clusters_of", "joined", "keeper_of", "pairs_of"]

Rows = npt.NDArray[np.int64]

BYTES, PIXELS, SAVED = "the same bytes", "the same pixels", "re-encoded, resized or recoloured"

HOW = (BYTES, PIXELS, SAVED, MIRRORED, TURNED, CROPPED)
"""How images of one content differ, from the least."""

CERTAIN = 30.0
"""Score of images of the same bytes or pixels; of others it is measured, and lower."""

_LOSSLESS = 100.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """Images of one content.

    Parameters
    ----------
    rows : tuple of int
        The one to keep first, the others as they come.
    how : str
        How two of them differ at most.
    why : str
        What speaks for the one to keep.
    """

    rows: tuple[int, ...]
    how: str
    why: str


def clusters_of(glances: Sequence[Glance | None], pairs: Pairs) -> tuple[Cluster, ...]:
    """All images that are there more than once, gathered from pairs, directly or over others.

    Parameters
    ----------
    glances : sequence of Glance or None
    pairs : Pairs
        Of `pairs_of`.
    """
    of = joined(len(glances), pairs.first, pairs.second)
    members: dict[int, list[int]] = {}
    for row in np.unique(np.concatenate([pairs.first, pairs.second])).tolist():
        members.setdefault(int(of[row]), []).append(row)
    how: dict[int, str] = {}
    for a, said in zip(pairs.first.tolist(), pairs.how, strict=True):
        number = int(of[a])
        how[number] = max(how.get(number, said), said, key=HOW.index)
    found = []
    for number, rows in sorted(members.items(), key=lambda one: one[1][0]):
        keep, why = keeper_of({row: seen for row in rows if (seen := glances[row]) is not None})
        found.append(Cluster((keep, *(row for row in rows if row != keep)), how[number], why))
    return tuple(found)


def joined(count: int, first: Rows, second: Rows) -> Rows:
    """The same number for rows that pairs join, directly or over others.

    Examples
    --------
    >>> joined(4, np.array([0, 1]), np.array([1, 3])).tolist()
    [0, 0, 1, 0]
    """
    edges = coo_array((np.ones(len(first), bool), (first, second)), shape=(count, count))
    return np.asarray(connected_components(edges, directed=False)[1], np.int64)


def keeper_of(glances: dict[int, Glance]) -> tuple[int, str]:
    """Which of the images of one content to keep, and why: the largest, then the one without borders, and so on.

    Parameters
    ----------
    glances : dict of int to Glance
        By their rows.
    """
    left = sorted(glances)
    for tolerance, value, why in _PREFERRED:
        values = {row: value(glances[row]) for row in left}
        best = max(values.values())
        kept = [row for row in left if values[row] >= best - tolerance * abs(best)]
        if len(kept) < len(left):
            if len(kept) == 1:
                return kept[0], why(glances[kept[0]])
            left = kept
    return left[0], "the first of equals"


def _size(glance: Glance) -> str:
    return "the largest, " + " x ".join(f"{n:,}" for n in reversed(glance.shape[-2:])) + " pixels"


def _compression(glance: Glance) -> float:
    """Quality of a JPEG; other files are taken as without loss."""
    quality = glance.file.quality
    return quality if quality == quality else _LOSSLESS


def _quality(glance: Glance) -> str:
    return f"the least compressed, {glance.file.format} of quality {_compression(glance):.0f}"


_PLANE = 2
"""Lengths of an image that is no volume."""

_PREFERRED: tuple[tuple[float, Callable[[Glance], float], Callable[[Glance], str]], ...] = (
    (0.02, lambda glance: float(np.prod(glance.shape)) * (1 - glance.border), _size),
    (0.05, lambda glance: glance.sharpness, lambda _: "the sharpest of the largest"),
    (0.02, _compression, _quality),
    (0.0, lambda glance: float(glance.file.bytes), lambda _: "the one of most bytes"),
)
"""Tolerance (a share of the best), measure and words of what is preferred, the weightiest first."""


def pairs_of(glances: Sequence[Glance | None], odds: float, threads: int = 1) -> Pairs:
    """Pairs of images of one content; each of many equal ones is paired with the first of them alone.

    Volumes are of one content where their bytes or voxels are equal: two phases or visits of one patient look as alike
    as a copy does, and are none.

    Parameters
    ----------
    glances : sequence of Glance or None
    odds : float
        As for `alike`.
    threads : int
    """
    seen = [(row, glance) for row, glance in enumerate(glances) if glance is not None]
    firsts, seconds, how = list[int](), list[int](), list[str]()
    single = []
    by_bytes: dict[str, int] = {}
    by_pixels: dict[tuple[object, ...], int] = {}
    for row, glance in seen:
        same = by_bytes.setdefault(glance.digest, row)
        equal = row
        if same == row and glance.contrast > 0:
            equal = by_pixels.setdefault((glance.kind, glance.shape, glance.pixels), row)
        if (first := min(same, equal)) == row:
            single.append((row, glance))
        else:
            firsts.append(first)
            seconds.append(row)
            how.append(BYTES if same != row else PIXELS)
    score = [CERTAIN] * len(how)
    single = [one for one in single if len(one[1].shape) == _PLANE]
    if len(single) > 1:
        rows = np.array([row for row, _ in single], np.int64)
        small = np.stack([glance.small for _, glance in single])
        found = alike(
            small, odds, shapes=[(glance.shape[-2], glance.shape[-1]) for _, glance in single], threads=threads
        )
        firsts += rows[found.first].tolist()
        seconds += rows[found.second].tolist()
        how += [SAVED if one == AS_IT_IS else one for one in found.how]
        score += found.score.tolist()
    order = np.lexsort((seconds, firsts))
    return Pairs(
        np.array(firsts, np.int64)[order],
        np.array(seconds, np.int64)[order],
        tuple(how[k] for k in order.tolist()),
        np.array(score)[order],
    )
