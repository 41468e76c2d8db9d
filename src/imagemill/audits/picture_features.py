"""What a small picture looks like as numbers that a simple probe can read: colours, and directions of edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["AT_ONCE", "DIRECTIONS", "edges", "features_of", "grid"]

Floats = npt.NDArray[np.float64]

DIRECTIONS = 8

AT_ONCE = 1024
"""Images whose edges are held at a time: of 20,000 they would take gigabytes."""


def features_of(small: npt.NDArray[np.uint8]) -> Floats:
    """Mean colours over 8 x 8 cells and edges over 4 x 4 of them, ``[n, 320]``.

    Parameters
    ----------
    small : array ``[n, 32, 32, 3]`` uint8
    """
    found = []
    for at in range(0, max(len(small), 1), AT_ONCE):
        shares = small[at : at + AT_ONCE].astype(np.float64) / 255
        found.append(np.concatenate([grid(shares, 8), grid(edges(shares), 4)], axis=1))
    return np.concatenate(found)


def grid(small: Floats, cells: int) -> Floats:
    """Means ``[n, y, x, C]`` over a grid of cells."""
    count, side = len(small), small.shape[1] // cells
    return np.asarray(small.reshape(count, cells, side, cells, side, -1).mean(axis=(2, 4)).reshape(count, -1))


def edges(small: Floats) -> Floats:
    """How strong the edges of each direction are at each pixel, ``[n, y, x, 8]``.

    Source: Dalal and Triggs (2005), "Histograms of oriented gradients for human detection", CVPR, without blocks.
    """
    down, across = np.gradient(small.mean(axis=3), axis=(1, 2))
    strength, angle = np.hypot(down, across), np.arctan2(down, across) % np.pi
    turn = np.minimum((angle * (DIRECTIONS / np.pi)).astype(int), DIRECTIONS - 1)
    return np.asarray(strength[..., None] * (turn[..., None] == np.arange(DIRECTIONS)))
