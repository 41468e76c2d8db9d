"""The ways in which a copy is looked for: symmetries, windows and turns, and the signatures of pictures under them.

A move is six numbers that pull: pixel ``(u, v)`` of the copy, in half sides from the centre, shows the original at
``(m0 + m2 u + m3 v, m1 + m4 u + m5 v)``. A signature is the low frequencies of the gray values; that of a moved picture
is made of the picture by one matrix, without moving it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

__all__ = ["Looks", "Way", "symmetries", "turns", "upright", "window", "windows"]

Floats = npt.NDArray[np.float32]
Move = npt.NDArray[np.float64]

KEPT, COLOURS = 6, 3
"""Frequencies of a signature along each axis, of gray values and of colours. Copies among 20,000 photos are found no
better by eight of the first; without colours one in fifteen has too many pictures nearer to it than its original."""
COLOURED = 0.5
"""Weight of colours beside gray values."""
_WINDOWS = ((0.85, 2), (0.72, 3))
"""Sides of windows, and places along each axis; what lies between is reached by aligning."""
_TURNS = (-23.0, -15.0, -8.0, 8.0, 15.0, 23.0)
_DISC = 0.55
"""Standard deviation, in half sides, of the weight that hides what turns out of the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way of asking for copies.

    Parameters
    ----------
    move : array ``[6]``
    gray : array ``[side * side, KEPT * KEPT - 1]``
        From gray values to their part of the signature of the moved picture.
    colour : array ``[side * side / 4, COLOURS * COLOURS]``
        The same for each colour difference.
    """

    move: Move
    gray: Floats
    colour: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Small pictures as signatures are made of them.

    Parameters
    ----------
    gray : array ``[n, side, side]``
        Gray values.
    colours : array ``[n, 2, side / 2, side / 2]``
        Red less gray and blue less gray.
    """

    gray: Floats
    colours: Floats

    @property
    def side(self) -> int:
        """Of the gray pictures."""
        return int(self.gray.shape[1])

    def at(self, rows: npt.NDArray[np.int64]) -> Looks:
        """Some of them."""
        return Looks(self.gray[rows], self.colours[rows])

    def signatures(self, way: Way, *, coloured: bool = False) -> Floats:
        """Signatures, of length 1, of the moved pictures; zeros where nothing is to be seen."""
        count = len(self.gray)
        found = self.gray.reshape(count, self.side**2) @ way.gray
        seen = np.sqrt((found**2).sum(axis=1)) > 1e-2 * self.side
        if coloured:
            more = self.colours.reshape(count, 2, self.side**2 // 4) @ (2 * COLOURED * way.colour)
            found = np.concatenate([found, more.reshape(count, -1)], axis=1)
        norm = np.sqrt((found**2).sum(axis=1))
        found *= (seen / np.where(seen, norm, 1))[:, None]
        return found


def _way(move: Move, side: int, weight: Floats | None = None, symmetry: int = 0) -> Way:
    """A way, followed by one of the eight symmetries."""
    linear = np.eye(2)
    if symmetry & 4:
        linear = linear[::-1]
    if symmetry & 2:
        linear = linear * np.array([[-1], [1]])
    if symmetry & 1:
        linear = linear * np.array([[1], [-1]])
    # Pixel (u, v) of the copy shows what the other symmetry, its inverse, puts there.
    followed = np.concatenate([move[:2], (move[2:].reshape(2, 2) @ linear.T).ravel()])
    gray = _matrix(followed, side, KEPT, weight)
    return Way(followed, gray, _matrix(followed, side // 2, COLOURS, None))


def symmetries(side: int) -> Iterator[Way]:
    """As it is, and flipped or turned by quarters: the eight symmetries of a square."""
    for symmetry in range(8):
        yield _way(np.array([0.0, 0, 1, 0, 0, 1]), side, symmetry=symmetry)


def windows(side: int) -> Iterator[Way]:
    """Parts of a picture, mirrored or not."""
    for size, places in _WINDOWS:
        for y in np.linspace(0, 1 - size, places):
            for x in np.linspace(0, 1 - size, places):
                for symmetry in (0, 1):
                    yield _way(window(y, x, size, size, side), side, symmetry=symmetry)


def window(y: float, x: float, height: float, width: float, side: int) -> Move:
    """The move to a part of a picture, given in shares of its sides.

    Examples
    --------
    >>> window(0.0, 0.0, 1.0, 1.0, 32)
    array([0., 0., 1., 0., 0., 1.])
    """
    half = (side - 1) / 2
    shifts = ((y + height / 2) * side - 0.5 - half) / half, ((x + width / 2) * side - 0.5 - half) / half
    return np.array([*shifts, height, 0.0, 0.0, width])


def turns(side: int, aspect: float) -> Iterator[Way]:
    """Small turns of a picture of an aspect (width over height); what turns out of the frame hardly counts."""
    weight = disc(side)
    for degrees in _TURNS:
        sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
        yield _way(np.array([0.0, 0, cosine, sine * aspect, -sine / aspect, cosine]), side, weight)


def upright(side: int) -> Way:
    """What turns are compared with."""
    return _way(np.array([0.0, 0, 1, 0, 0, 1]), side, disc(side))


def disc(side: int) -> Floats:
    """Weights that fall off from the centre."""
    place = (np.arange(side) - (side - 1) / 2) / ((side - 1) / 2)
    return np.exp(-(place[:, None] ** 2 + place**2) / (2 * _DISC**2)).astype(np.float32)


def _matrix(move: Move, side: int, kept: int, weight: Floats | None) -> Floats:
    """The linear map from pixels to low frequencies of the moved picture; of gray values a constant one has none."""
    basis = np.asarray(dct(np.eye(side), axis=0, norm="ortho")[:kept])
    seen = np.ones((side, side)) if weight is None else weight.astype(np.float64)
    waves = np.einsum("ky,lx,yx->klyx", basis, basis, seen).reshape(kept * kept, -1)
    if kept == KEPT:
        # The mean under the weight is no frequency.
        waves = waves[1:] - waves[1:].sum(axis=1, keepdims=True) / seen.sum() * seen.ravel()
    found = np.zeros((side * side, len(waves)))
    for rows, weights in _bilinear(move, side):
        np.add.at(found, rows, weights[:, None] * waves.T)
    return found.astype(np.float32)


def _bilinear(move: Move, side: int) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[Any]]]:
    """The four pixels that each pixel of the moved picture is blended of, with their shares."""
    half = (side - 1) / 2
    v, u = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    y = (half + half * (move[0] + move[2] * u + move[3] * v)).ravel().clip(0, side - 1)
    x = (half + half * (move[1] + move[4] * u + move[5] * v)).ravel().clip(0, side - 1)
    top, left = np.minimum(y.astype(np.int64), side - 2), np.minimum(x.astype(np.int64), side - 2)
    down, right = y - top, x - left
    for dy, by_y in ((0, 1 - down), (1, down)):
        for dx, by_x in ((0, 1 - right), (1, right)):
            yield (top + dy) * side + left + dx, by_y * by_x
