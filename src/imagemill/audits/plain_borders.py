"""Borders of one colour around small pictures, in a compiled loop that stops at the first line that is no border."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imagemill.engine.shipped_kernels import njit

__all__ = ["plain_borders"]

_PLAIN = 6.0
"""Mean distance from the colour of a border, in gray values, that compression leaves."""


def plain_borders(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Shares above, below, left and right that are of one colour, to a fraction of a pixel, ``[n, 4]``.

    Parameters
    ----------
    small : array ``[n, s, s, 3]`` uint8

    Examples
    --------
    >>> picture = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    >>> picture[:, :8] = 0
    >>> plain_borders(picture).round(2).tolist()
    [[0.25, 0.0, 0.0, 0.0]]
    """
    found = np.zeros((len(small), 4))
    _borders(small, found)
    return found


@njit(nogil=True, error_model="numpy")
def _borders(small, found):
    side = small.shape[1]
    colour = np.empty(3, np.int64)
    for row in range(len(small)):
        upright = small[row]
        across = upright.transpose(1, 0, 2)
        for edge in range(4):
            lines = upright if edge < 2 else across
            if edge & 1:
                lines = lines[::-1]
            for channel in range(3):
                colour[channel] = int(np.median(lines[0, :, channel]))
            count = 0
            while count < side and _distance(lines[count], colour) <= _PLAIN:
                count += 1
            if 0 < count < side:
                # The next line may be partly border: as far as it is nearer to that colour than the one behind.
                first, behind = _distance(lines[count], colour), _distance(lines[min(count + 1, side - 1)], colour)
                found[row, edge] = (count + 1 - first / max(first, behind, 1e-6)) / side


@njit(nogil=True, error_model="numpy")
def _distance(line, colour):
    """Mean absolute difference of a line's values from a colour."""
    total = 0
    for x in range(len(line)):
        for channel in range(3):
            total += abs(int(line[x, channel]) - colour[channel])
    return total / (3 * len(line))
