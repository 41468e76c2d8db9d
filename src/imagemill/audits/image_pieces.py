"""Pieces of the small pictures that hold no object as a rule, as features that a probe can learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.audits.picture_features import AT_ONCE, DIRECTIONS, edges, grid

__all__ = ["BORDER", "CENTRE", "CORNERS", "HIDDEN", "pieces_of"]

Floats = npt.NDArray[np.float64]

BORDER, HIDDEN, CENTRE = "border of the image", "image with its centre hidden", "centre of the image"
CORNERS = ("top left corner", "top right corner", "bottom left corner", "bottom right corner")


def pieces_of(small: npt.NDArray[Any]) -> dict[str, Floats]:
    """Features of the border, of all but the centre, of the centre, and of each corner.

    Parameters
    ----------
    small : array ``[n, 32, 32, 3]`` of uint8

    Returns
    -------
    dict of str to array ``[n, features]``
        The outer eighth of each side (`BORDER`), all but the middle half of each side (`HIDDEN`), that middle
        (`CENTRE`), and quarters of a side in the corners (`CORNERS`).

    Examples
    --------
    >>> pieces = pieces_of(np.zeros((2, 32, 32, 3), np.uint8))
    >>> [(name, found.shape[1]) for name, found in pieces.items()][1:4]
    [('image with its centre hidden', 240), ('centre of the image', 80), ('top left corner', 51)]
    """
    parts = [_pieces(small[at : at + AT_ONCE]) for at in range(0, max(len(small), 1), AT_ONCE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _pieces(small: npt.NDArray[Any]) -> dict[str, Floats]:
    seen = small.astype(np.float64) / 255
    of_edges = edges(seen)
    quarter = small.shape[1] // 4
    middle = slice(quarter, -quarter), slice(quarter, -quarter)
    around = np.ones(small.shape[1:3], bool)
    around[middle] = False
    colours, strengths = _cells(seen, around, 8), _cells(of_edges, around, 4)
    found = {
        BORDER: np.concatenate([_ring(seen), _ring(of_edges)[:, : 12 * DIRECTIONS]], axis=1),
        HIDDEN: np.concatenate([colours, strengths], axis=1),
        CENTRE: np.concatenate([_cells(seen, ~around, 8), _cells(of_edges, ~around, 4)], axis=1),
    }
    ends = slice(None, quarter), slice(-quarter, None)
    for name, (down, across) in zip(CORNERS, [(a, b) for a in ends for b in ends], strict=True):
        piece = seen[:, down, across]
        # Means over pieces two by two pixels large, and how much they vary.
        found[name] = np.concatenate([grid(piece, 4), piece.std(axis=(1, 2))], axis=1)
    return found


def _ring(seen: Floats) -> Floats:
    """The outer eighth ``[n, y, x, C]``: means of its twelve pieces, then their deviations."""
    strips = (seen[:, :4], seen[:, -4:], seen[:, 4:-4, :4], seen[:, 4:-4, -4:])
    pieces = [piece for strip in strips for piece in np.array_split(strip, 3, axis=2 if strip.shape[2] > 4 else 1)]
    return np.concatenate([f(piece, axis=(1, 2)) for f in (np.mean, np.std) for piece in pieces], axis=1)


def _cells(seen: Floats, chosen: npt.NDArray[np.bool_], cells: int) -> Floats:
    """Means over those cells of a grid whose first pixel is chosen."""
    side = seen.shape[1] // cells
    means = grid(seen, cells).reshape(len(seen), cells * cells, -1)
    return means[:, chosen[::side, ::side].ravel()].reshape(len(seen), -1)
