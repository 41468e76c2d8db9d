"""Which of many small pictures show the same: re-encoded, flipped, turned, cropped, recoloured.

Every picture gets a signature, the low frequencies of its gray values, and asks for others by its own and by those that
it would have when flipped, turned or cropped (`moves`). Near signatures are found by cells (`neighbours`), in about
``n ** 1.5`` steps. What was found is aligned by all pixels (`alignment`) and weighed (`evidence`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.audits.alignment import aligned
from imagemill.audits.evidence import log_odds, measured
from imagemill.audits.moves import Looks, Way, symmetries, turns, upright, window, windows
from imagemill.audits.neighbours import Cells, Nearest
from imagemill.audits.plain_borders import plain_borders

__all__ = ["AS_IT_IS", "CROPPED", "MIRRORED", "TURNED", "Pairs", "alike"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Moves = npt.NDArray[np.float64]

AS_IT_IS, MIRRORED, TURNED, CROPPED = "as it is", "flipped or turned by quarters", "turned", "cropped or shifted"
"""How one of two that are alike was made of the other."""

_AT_ONCE = 4096
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FLOOR = 0.6
"""Below this correlation of signatures two pictures are not looked at any closer."""
_COARSE, _FINE = 0.12, 0.12
"""Share of variance that may be left at half the size, and at full size, for a pair to be looked at on."""
_SAME_PLACE = 0.02
"""Moves that differ by less in all their numbers, a third of a pixel of the small picture, are one."""
_SPREAD = 0.5
"""Spread of the evidence for pictures of different content, in log odds."""
_RESEMBLING = 2
"""Pictures that are more like one than the one that its copies are told from."""
_LEAST, _LEAST_OF_GRAY, _ENOUGH = 0.3, 1.0, 3.0
"""Evidence that is needed, more where all pictures are gray, and that is enough, whatever the set is like."""
_UPPER = 20
"""Pictures that an upper end is read off, or a hundredth of the set where that is more."""
_TURN = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Two of the same content each, the lower row first.

    Parameters
    ----------
    first, second : array of int64
    how : tuple of str
    score : array of float64, above 0
        How much speaks for each, as log odds beyond the limit of the set.
    """

    first: Rows
    second: Rows
    how: tuple[str, ...]
    score: npt.NDArray[np.float64]

    def at(self, kept: npt.NDArray[np.bool_]) -> Pairs:
        """Those that are kept."""
        how = tuple(how for how, one in zip(self.how, kept.tolist(), strict=True) if one)
        return Pairs(self.first[kept], self.second[kept], how, self.score[kept])


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Pairs to look at: the second may be the first, or what of it lies in a frame, under a move."""

    first: Rows
    second: Rows
    move: npt.NDArray[np.float64]
    frame: npt.NDArray[np.float64]

    def at(self, rows: Any) -> Candidates:
        """Some of them."""
        return Candidates(self.first[rows], self.second[rows], self.move[rows], self.frame[rows])

    @classmethod
    def of(cls, first: Rows, second: Rows, move: npt.NDArray[np.float64]) -> Candidates:
        """All of the first counts."""
        return cls(first, second, move, np.tile([0.0, 1.0, 0.0, 1.0], (len(first), 1)))

    def parts(self) -> tuple[Rows, Rows, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """All arrays."""
        return self.first, self.second, self.move, self.frame


def alike(small: Array, odds: float, *, shapes: Sequence[tuple[int, int]] | None = None, threads: int = 1) -> Pairs:
    """Find all pairs of the same content.

    Parameters
    ----------
    small : array ``[n, s, s, 3]`` uint8
    odds : float
        How many spreads above what nearest neighbours of this set have for them a pair has to have.
    shapes : sequence of (height, width), optional
        Of the images that the small pictures were made of.
    threads : int

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
    aspects = np.ones(len(small)) if shapes is None else np.array([width / height for height, width in shapes])
    looks = _looks(small)
    candidates = _candidates(small, looks, aspects, threads)
    left = aligned(looks.gray, *candidates.parts(), steps=8, bound=_COARSE, threads=threads)
    candidates = _distinct(candidates, left, _COARSE)
    lumas = _lumas(small, candidates)
    left = aligned(lumas, *candidates.parts(), steps=10, bound=_FINE, threads=threads)
    candidates = _distinct(candidates, left, _FINE)
    evidence = log_odds(measured(small, *candidates.parts(), threads))
    # Of two that merely resemble each other one is easily turned a little until it fits.
    evidence = evidence - _TURN * _are_turned(candidates.move, aspects[candidates.first])
    candidates, evidence = _once(candidates, evidence)
    least = _LEAST if (small[..., :1] != small).any() else _LEAST_OF_GRAY
    limit = _limit(candidates, evidence, len(small), odds, least)
    kept = evidence > limit
    candidates, score = candidates.at(kept), evidence[kept] - limit
    how = _how(candidates.move, aspects[candidates.first])
    low, high = np.minimum(candidates.first, candidates.second), np.maximum(candidates.first, candidates.second)
    order = np.lexsort((high, low))
    return Pairs(low[order], high[order], tuple(how[k] for k in order.tolist()), score[order])


def _looks(small: Array) -> Looks:
    """Gray values at half the size and colours at a quarter."""
    side = small.shape[1] // 2
    gray = np.empty((len(small), side, side), np.float32)
    colours = np.empty((len(small), 2, side // 2, side // 2), np.float32)
    half = np.empty((len(small), side, side, 3), np.uint8)
    quarter = np.empty((len(small), side // 2, side // 2, 3), np.uint8)
    for rgb, halved, quartered in zip(small, half, quarter, strict=True):
        cv2.resize(cv2.GaussianBlur(rgb, (3, 3), 0.8), (side, side), halved, interpolation=cv2.INTER_AREA)
        cv2.resize(halved, (side // 2, side // 2), quartered, interpolation=cv2.INTER_AREA)
    for at in range(0, len(small), _AT_ONCE):
        part = slice(at, at + _AT_ONCE)
        gray[part] = half[part].astype(np.float32) @ _LUMA
        colour = quarter[part].astype(np.float32)
        colours[part] = np.moveaxis(colour[..., ::2], 3, 1) - (colour @ _LUMA)[:, None]
    return Looks(gray - gray.mean(axis=(1, 2), keepdims=True), colours)


def _lumas(small: Array, candidates: Candidates) -> Floats:
    """Gray values of the pictures that are looked at on, slightly blurred: resampling changes the finest detail."""
    found = np.zeros(small.shape[:3], np.float32)
    for row in np.unique(np.concatenate([candidates.first, candidates.second])).tolist():
        gray = cv2.cvtColor(small[row], cv2.COLOR_RGB2GRAY).astype(np.float32)
        found[row] = cv2.GaussianBlur(gray, (5, 5), 0.8)
    return found


def _candidates(small: Array, looks: Looks, aspects: npt.NDArray[np.float64], threads: int) -> Candidates:
    """All pairs of near signatures, sorted by the second."""
    side = looks.side
    whole, *others = symmetries(side)
    coloured = Cells(looks.signatures(whole, coloured=True), seed=0)
    found = [
        _in_order(_asked(coloured, looks, [whole, others[0]], 4, threads, coloured=True)),
        _asked(coloured, looks, list(windows(side)), 4, threads, coloured=True),
    ]
    # Gray values alone, for what was recoloured.
    gray = Cells(looks.signatures(whole), seed=0)
    found += [
        _in_order(_asked(gray, looks, [whole, *others], 4, threads)),
        _inside_borders(gray, whole, small, looks, threads),
    ]
    in_disc = Cells(looks.signatures(upright(side)), seed=0)
    for aspect, members in _by_aspect(aspects):
        found.append(_asked(in_disc, looks, list(turns(side, aspect)), 3, threads, rows=members))
    first, second, move, frame = (np.concatenate(part) for part in zip(*(one.parts() for one in found), strict=True))
    # The same move twice, asked by the one and by the other, or with colours and without.
    order = np.lexsort((move[:, 5], move[:, 4], move[:, 1], move[:, 0], first, second))
    together = Candidates(first, second, move, frame).at(order)
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(together.first) != 0) | (np.diff(together.second) != 0)
    new[1:] |= (np.diff(together.move, axis=0) != 0).any(axis=1)
    return together.at(new)


def _asked(
    index: Cells,
    looks: Looks,
    ways: Sequence[Way],
    count: int,
    threads: int,
    *,
    rows: Rows | None = None,
    coloured: bool = False,
) -> Candidates:
    """The nearest to each picture by any of the ways."""
    some = looks if rows is None or len(rows) == len(looks.gray) else looks.at(rows)
    nearest = Nearest.empty(len(looks.gray), count, _FLOOR)
    for number, way in enumerate(ways):
        index.ask(some.signatures(way, coloured=coloured), nearest, way=number, rows=rows, threads=threads)
    query, place = np.nonzero(nearest.answer >= 0)
    moves = np.stack([way.move for way in ways])
    return Candidates.of(query, nearest.answer[query, place].astype(np.int64), moves[nearest.way[query, place]])


def _in_order(found: Candidates) -> Candidates:
    """Symmetries turned round where the second row is the lower one: who asked whom makes no difference."""
    turned = found.first > found.second
    first, second = np.where(turned, found.second, found.first), np.where(turned, found.first, found.second)
    # The inverse of a symmetry is its transpose.
    back = found.move[:, [0, 1, 2, 4, 3, 5]]
    return Candidates.of(first, second, np.where(turned[:, None], back, found.move))


def _by_aspect(aspects: npt.NDArray[np.float64]) -> Iterator[tuple[float, Rows]]:
    """Rows whose shapes are about the same, with their aspect."""
    steps = np.round(np.log(aspects.clip(0.2, 5)) / np.log(1.2))
    for step in np.unique(steps):
        yield float(1.2**step), np.flatnonzero(steps == step)


def _inside_borders(index: Cells, whole: Way, small: Array, looks: Looks, threads: int) -> Candidates:
    """Pictures with borders of one colour, and those that show what is inside."""
    side = looks.side
    rows, moves, frames, inner = [], [], [], []
    borders = plain_borders(small)
    for row in np.flatnonzero(borders.any(axis=1)).tolist():
        rgb, (top, bottom, left, right) = small[row], borders[row].tolist()
        height, width = 1 - top - bottom, 1 - left - right
        if min(height, width) < 0.4 or height == width == 1:
            continue
        rows.append(row)
        moves.append(window(top, left, height, width, side))
        # The pixels beside a border are partly of its colour.
        edge = [(1 / side if share else 0.0) for share in (top, bottom, left, right)]
        frames.append((top + edge[0], 1 - bottom - edge[1], left + edge[2], 1 - right - edge[3]))
        box = [round(edge * rgb.shape[0]) for edge in (top, 1 - bottom, left, 1 - right)]
        gray = cv2.cvtColor(rgb[box[0] : box[1], box[2] : box[3]], cv2.COLOR_RGB2GRAY)
        inner.append(cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32))
    if not rows:
        return Candidates.of(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 6)))
    gray = np.stack(inner)
    asked = Looks(gray - gray.mean(axis=(1, 2), keepdims=True), looks.colours[rows]).signatures(whole)
    nearest = Nearest.empty(len(small), 2, _FLOOR)
    whose = np.array(rows, np.int64)
    index.ask(asked, nearest, way=0, rows=whose, threads=threads)
    query, place = np.nonzero(nearest.answer[whose] >= 0)
    answers = nearest.answer[whose[query], place].astype(np.int64)
    return Candidates(whose[query], answers, np.stack(moves)[query], np.array(frames)[query])


def _distinct(candidates: Candidates, left: npt.NDArray[np.float64], bound: float) -> Candidates:
    """Those of which little is left; of moves of the same two that came out at one place the one with the least."""
    kept = np.flatnonzero(left <= bound)
    first, second, move, frame = candidates.at(kept).parts()
    order = np.lexsort((left[kept], first, second))
    same = (np.diff(first[order]) == 0) & (np.diff(second[order]) == 0)
    moved = np.abs(np.diff(np.concatenate([move, frame], axis=1)[order], axis=0)).max(axis=1, initial=0.0)
    new = np.ones(len(order), bool)
    new[1:] = ~same | (moved > _SAME_PLACE)
    return candidates.at(kept[order[new]])


def _once(candidates: Candidates, evidence: npt.NDArray[np.float64]) -> tuple[Candidates, npt.NDArray[np.float64]]:
    """Of all ways in which two are alike the one that most speaks for."""
    low, high = np.minimum(candidates.first, candidates.second), np.maximum(candidates.first, candidates.second)
    order = np.lexsort((-evidence, high, low))
    new = np.ones(len(order), bool)
    new[1:] = (low[order][1:] != low[order][:-1]) | (high[order][1:] != high[order][:-1])
    return candidates.at(order[new]), evidence[order[new]]


def _limit(candidates: Candidates, evidence: npt.NDArray[np.float64], count: int, odds: float, least: float) -> float:
    """How much must speak for a copy: more than for what pictures of this set resemble that are none.

    Few pictures have three copies, so the third that is most like a picture is hardly ever one.
    """
    third, fifth = (_most_alike(candidates, evidence, count, place) for place in (_RESEMBLING, _RESEMBLING + 2))
    high = np.percentile(third, 98, method="lower")
    limit = float(np.clip(high + odds * _SPREAD, least, _ENOUGH))
    return max(limit, _among_look_alikes(third, fifth, odds))


def _most_alike(
    candidates: Candidates, evidence: npt.NDArray[np.float64], count: int, place: int
) -> npt.NDArray[np.float64]:
    """For each picture what speaks for the one that is at this place, from 0, among those it resembles most."""
    ends = np.concatenate([candidates.first, candidates.second])
    twice = np.concatenate([evidence, evidence])
    order = np.lexsort((-twice, ends))
    ends, twice = ends[order], twice[order]
    here = np.arange(len(ends)) - np.searchsorted(ends, ends) == place
    # A picture that so many did not come near to is as far from all as can be.
    found = np.full(count, -np.inf)
    found[ends[here]] = twice[here]
    return found


def _among_look_alikes(third: npt.NDArray[np.float64], fifth: npt.NDArray[np.float64], odds: float) -> float:
    """What the surest chance pair reaches in a set where most pictures have look-alikes, as strokes of a pen have.

    The upper end of what speaks for third look-alikes falls off as an exponential does (peaks over a threshold), and
    first ones are as far ahead of it as places that lie at random say: ``1 + 1/2`` to the ``1/3 + 1/4`` by which third
    ones are ahead of fifth ones. So many chance pairs as ``exp(-odds / 3)`` are expected above the limit in all.
    """
    # With so much for the third, a picture has three copies.
    third = np.where(third >= _ENOUGH, -np.inf, third)
    if not np.isfinite([np.median(third), np.median(fifth)]).all():
        return -np.inf
    count = max(len(third) // 100, min(_UPPER, len(third) // 4))
    upper, behind = np.sort(third)[-count - 1 :], np.sort(fifth)[-count - 1]
    scale = (upper[1:] - upper[0]).mean()
    ahead = (1 + 1 / 2) / (1 / 3 + 1 / 4) * (upper[0] - behind)
    return float(upper[0] + ahead + scale * (np.log(count) + odds / 3))


def _upright(moves: Moves) -> tuple[Moves, npt.NDArray[np.bool_]]:
    """The linear parts ``[m, 2, 2]`` of moves without their symmetries, and which of them have one."""
    linear = moves[:, 2:].reshape(-1, 2, 2)
    size = np.abs(linear)
    swapped = size[:, 0, 1] + size[:, 1, 0] > size[:, 0, 0] + size[:, 1, 1]
    linear = np.where(swapped[:, None, None], linear[..., ::-1], linear)
    signs = np.sign(np.diagonal(linear, axis1=1, axis2=2))
    return linear * signs[:, None, :], swapped | (signs < 0).any(axis=1)


def _are_turned(moves: Moves, aspects: Moves) -> npt.NDArray[np.bool_]:
    """Which moves turn pictures of these aspects (width over height) by more than 3 degrees, quarters aside."""
    linear, _ = _upright(moves)
    angle = np.arctan2(linear[:, 0, 1] / aspects - linear[:, 1, 0] * aspects, linear[:, 0, 0] + linear[:, 1, 1])
    return np.asarray(np.abs(np.degrees(angle)) > 3, bool)


def _how(moves: Moves, aspects: Moves) -> tuple[str, ...]:
    """What moves are called: by their turn, then by what they leave out, then by their symmetry."""
    linear, mirrored = _upright(moves)
    area = linear[:, 0, 0] * linear[:, 1, 1]
    cropped = (area < 0.9) | (area > 1.1) | (np.abs(moves[:, :2]).max(axis=1) > 0.06)
    said = np.select([_are_turned(moves, aspects), cropped, mirrored], [TURNED, CROPPED, MIRRORED], AS_IT_IS)
    return tuple(said.tolist())
