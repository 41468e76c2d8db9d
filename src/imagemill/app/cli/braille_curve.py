"""A curve in a few letters of a terminal: braille patterns, two columns and four rows of dots a letter."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["braille"]

_BASE = 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Bits of a pattern, by column and row from the top (Unicode, block Braille Patterns)."""


def braille(values: Sequence[float], width: int, height: int = 3, *, ends: tuple[float, float] | None = None) -> str:
    """Draw a curve.

    Parameters
    ----------
    values : sequence of float
        At even distances; what is no number is a gap.
    width, height : int
        Letters.
    ends : pair of float, optional
        Values at the lower and the upper edge; those of the curve where none are given.

    Returns
    -------
    str
        Lines.

    Examples
    --------
    >>> print(braille([0, 1, 2, 3], 2, 1))
    ⡠⠊
    """
    rows, columns = height * 4, width * 2
    grid = [[0] * width for _ in range(height)]
    known = [value for value in values if math.isfinite(value)]
    if known:
        low, high = ends or (min(known), max(known))
        before: int | None = None
        for column in range(columns):
            value = _at(values, column, columns)
            if not math.isfinite(value):
                before = None
                continue
            share = (min(max(value, low), high) - low) / (high - low) if high > low else 0.5
            row = round((1 - share) * (rows - 1))
            # A steep piece is drawn through, up to half of it in this column.
            reach = range(row, row + 1) if before is None else _through(before, row)
            for one in reach:
                grid[one // 4][column // 2] |= _DOTS[column % 2][one % 4]
            before = row
    return "\n".join("".join(chr(_BASE + cell) for cell in line) for line in grid)


def _at(values: Sequence[float], column: int, columns: int) -> float:
    """The value at a column: between those to its left and its right."""
    place = column * (len(values) - 1) / max(columns - 1, 1)
    left = int(place)
    right = min(left + 1, len(values) - 1)
    share = place - left
    return values[left] if share == 0 else values[left] * (1 - share) + values[right] * share


def _through(before: int, row: int) -> range:
    if row > before + 1:
        return range(before + 1, row + 1)
    return range(row, before) if row < before - 1 else range(row, row + 1)
