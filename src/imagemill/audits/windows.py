"""Copies of a part, or under a small turn: windows of every picture are looked for among the whole ones.

A signature of a window is made of the picture by two small matrices, without making the window. What is found near is
then compared by all pixels, after the window or angle was moved to where least is left unexplained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from imagemill.audits.neighbours import nearest

__all__ = ["Match", "blurred", "left_over", "turned_pairs", "window_pairs"]

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_SIDES = (0.85, 0.7)
"""Sides of windows that are looked for; what lies between is reached by moving."""
_TURNS = (-23.0, -15.0, -8.0, 8.0, 15.0, 23.0)
"""Degrees that are looked for."""
_NEAR = 0.8
"""Correlation of signatures from which on a pair is looked at closer."""
_MOVED = 2
_STEPS = (0.06, 0.03, 0.015, 0.008, 0.004)
"""By how much edges of a window are moved, as shares of the side."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Pairs of rows, and the share of the variance of the second that the first leaves unexplained."""

    first: Rows
    second: Rows
    share: npt.NDArray[np.float64]


def _basis(side: int, kept: int) -> Floats:
    """Rows of the orthonormal cosine transform."""
    return np.asarray(dct(np.eye(side), axis=0, norm="ortho")[:kept], np.float32)


def _window(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], side: int) -> Floats:
    """Matrices ``[m, side, side]`` that stretch the pixels from `low` to `high` (shares of the side) over the side."""
    places = low[:, None] * side + (np.arange(side) + 0.5) * ((high - low)[:, None]) - 0.5
    places = places.clip(0, side - 1)
    left = np.minimum(np.floor(places).astype(int), side - 2)
    share = (places - left).astype(np.float32)
    found = np.zeros((len(low), side, side), np.float32)
    rows, columns = np.indices(left.shape)
    found[rows, columns, left] = 1 - share
    found[rows, columns, left + 1] += share
    return found


def _unit(marks: Floats) -> Floats:
    """Signatures without their mean, of length 1."""
    marks = marks.copy()
    marks[:, 0, 0] = 0
    norm = np.sqrt((marks**2).sum(axis=(1, 2), keepdims=True))
    np.divide(marks, norm, out=marks, where=norm > 1e-4)
    return marks.reshape(len(marks), -1)


def window_pairs(planes: Floats, kept: int, neighbours: int = 2) -> Match:
    """Pairs of which the second is a window of the first, mirrored or not.

    Parameters
    ----------
    planes : array ``[n, s, s]``
        Gray values without their mean, of length 1.
    kept : int
        Frequencies of a signature, along each axis.
    neighbours : int
        Of each window that are looked at closer.
    """
    side = planes.shape[1]
    basis = _basis(side, kept)
    index = _unit(np.einsum("ky,nyx,lx->nkl", basis, planes, basis, optimize=True))
    odd = np.where(np.arange(kept) % 2, -1, 1).astype(np.float32)
    found = []
    for y, x, size in _looked_for():
        rows, columns = (basis @ _window(np.array([at]), np.array([at + size]), side)[0] for at in (y, x))
        marks = np.einsum("ky,nyx,lx->nkl", rows, planes, columns, optimize=True)
        for mirrored in (False, True):
            asked = _unit(marks * odd if mirrored else marks)
            queries, answers, scores = nearest(index, asked, neighbours + 1, seed=0)
            near = (queries != answers) & (scores > _NEAR)
            count = int(near.sum())
            window = np.repeat([[y, y + size, x, x + size]], count, axis=0)
            found.append(_Tried(queries[near], answers[near], window, np.full(count, mirrored)))
    return _moved(planes, _joined(found))


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """Pairs with the window of the first that is thought to be the second."""

    first: Rows
    second: Rows
    window: npt.NDArray[np.float64]
    mirrored: npt.NDArray[np.bool_]

    def at(self, rows: Any) -> _Tried:
        return _Tried(self.first[rows], self.second[rows], self.window[rows], self.mirrored[rows])


def _joined(found: list[_Tried]) -> _Tried:
    return _Tried(*(np.concatenate([getattr(one, name) for one in found]) for name in _Tried.__slots__))


def _looked_for() -> Iterator[tuple[float, float, float]]:
    """Top, left and side of each window: in the middle and at eight places around it."""
    for size in _SIDES:
        for y in (0.0, (1 - size) / 2, 1 - size):
            for x in (0.0, (1 - size) / 2, 1 - size):
                yield y, x, size


def _moved(planes: Floats, tried: _Tried) -> Match:
    """Move the edges of windows to where least is left."""
    share = _left(planes, tried)
    # Windows that resemble a picture are many; the two that resemble it most are moved.
    order = np.lexsort((share, tried.second))
    tried, share = tried.at(order), share[order]
    place = np.arange(len(share)) - np.searchsorted(tried.second, tried.second)
    tried, share = tried.at(place < _MOVED), share[place < _MOVED]
    for step in _STEPS:
        for edge in range(4):
            for by in (-step, step):
                window = tried.window.copy()
                window[:, edge] = (window[:, edge] + by).clip(0, 1)
                fits = (window[:, 1] - window[:, 0] > 0.4) & (window[:, 3] - window[:, 2] > 0.4)
                other = np.where(fits, _left(planes, _Tried(tried.first, tried.second, window, tried.mirrored)), 1.0)
                better = other < share
                tried.window[better] = window[better]
                share = np.where(better, other, share)
    return Match(tried.first, tried.second, share)


def _left(planes: Floats, tried: _Tried) -> npt.NDArray[np.float64]:
    found = np.empty(len(tried.first))
    side = planes.shape[1]
    for at in range(0, len(found), 2048):
        some = tried.at(slice(at, at + 2048))
        rows = _window(some.window[:, 0], some.window[:, 1], side)
        columns = _window(some.window[:, 2], some.window[:, 3], side)
        made = rows @ planes[some.first] @ columns.transpose(0, 2, 1)
        made[some.mirrored] = made[some.mirrored][:, :, ::-1]
        found[at : at + 2048] = left_over(blurred(made), blurred(planes[some.second]))
    return found


def left_over(made: Floats, other: Floats) -> npt.NDArray[np.float64]:
    """Share of the variance of pictures ``[n, s, s]`` that a gain and an offset of others do not explain.

    The detail, without the low frequencies, has to agree as well: an eighth of what is left of it counts if that is
    more. Two horizons leave little of the whole, and nearly all of the detail.
    """
    whole = _unexplained(made, other)
    detail = _unexplained(made - _smooth(made), other - _smooth(other))
    return np.maximum(whole, detail / 8)


def _smooth(planes: Floats) -> Floats:
    return np.stack([cv2.GaussianBlur(one, (0, 0), 3.0) for one in planes]) if len(planes) else planes


def _unexplained(made: Floats, other: Floats) -> npt.NDArray[np.float64]:
    made, other = (one - one.mean(axis=(1, 2), keepdims=True) for one in (made, other))
    norm = np.sqrt((made**2).sum(axis=(1, 2)) * (other**2).sum(axis=(1, 2)))
    correlation = np.divide(
        np.einsum("nyx,nyx->n", made, other), norm, out=np.zeros(len(made), np.float32), where=norm > 1e-6
    )
    return np.asarray(1 - np.maximum(correlation, 0) ** 2, np.float64)


def blurred(planes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The finest detail taken out, which resampling changes most; after a window was stretched, so on both alike."""
    return np.stack([cv2.GaussianBlur(one, (3, 3), 0.8) for one in planes]) if len(planes) else planes


def turned_pairs(planes: Floats, kept: int, neighbours: int = 2) -> Match:
    """Pairs of which the second is the first under a small turn; corners that turn into the frame do not count."""
    side = planes.shape[1]
    basis = _basis(side, kept)
    inside = _disc(side)
    round_planes = planes * inside
    index = _unit(np.einsum("ky,nyx,lx->nkl", basis, round_planes, basis, optimize=True))
    firsts, seconds, angles = [], [], []
    for degrees in _TURNS:
        turned = _turned(planes, np.full(len(planes), degrees)) * inside
        asked = _unit(np.einsum("ky,nyx,lx->nkl", basis, turned, basis, optimize=True))
        queries, answers, scores = nearest(index, asked, neighbours + 1, seed=0)
        near = (queries != answers) & (scores > _NEAR)
        firsts.append(queries[near])
        seconds.append(answers[near])
        angles.append(np.full(int(near.sum()), degrees))
    first, second, angle = np.concatenate(firsts), np.concatenate(seconds), np.concatenate(angles)
    share = _left_turned(planes, first, second, angle, inside)
    for step in (4.0, 2.0, 1.0):
        for by in (-step, step):
            other = _left_turned(planes, first, second, angle + by, inside)
            better = other < share
            angle, share = np.where(better, angle + by, angle), np.where(better, other, share)
    return Match(first, second, share)


def _disc(side: int) -> Floats:
    place = np.arange(side) - (side - 1) / 2
    return (place[:, None] ** 2 + place**2 <= (side / 2) ** 2).astype(np.float32)


def _turned(planes: Floats, angles: npt.NDArray[np.float64]) -> Floats:
    side, centre = planes.shape[1], (planes.shape[1] - 1) / 2
    found = np.empty_like(planes)
    for row, (plane, angle) in enumerate(zip(planes, angles.tolist(), strict=True)):
        matrix = cv2.getRotationMatrix2D((centre, centre), angle, 1.0)
        found[row] = cv2.warpAffine(plane, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)
    return found


def _left_turned(
    planes: Floats, first: Rows, second: Rows, angle: npt.NDArray[np.float64], inside: Floats
) -> npt.NDArray[np.float64]:
    found = np.empty(len(first))
    chosen = inside > 0
    for at in range(0, len(first), 4096):
        made = _turned(planes[first[at : at + 4096]], angle[at : at + 4096])[:, chosen]
        other = planes[second[at : at + 4096]][:, chosen]
        found[at : at + 4096] = _unexplained(made[:, None], other[:, None])
    return found
