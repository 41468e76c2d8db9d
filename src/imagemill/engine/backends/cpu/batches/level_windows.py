"""Chains of a photo that keep its rows and show it through windows: what was padded, or cut from what was padded.

One scale and one shift for each axis, as without, and the box of the result that all windows show; beyond it lies what
they are filled with. Plain numbers, row by row: photos of a folder are of many sizes, so most chains are of one row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from imagemill.engine.chains import EDGE_TOLERANCE
from imagemill.engine.plan import Link, Matrices, Resample, Windows, for_all

__all__ = ["Boxed", "boxed"]

_Line = tuple[float, float]
"""Scale and offset of an axis: where in the picture a place of the result lies."""


class Boxed(NamedTuple):
    """Chains with windows, a row for each sample.

    Parameters
    ----------
    pull : array, ``[n, 2, 3]``
        Their matrices, where rows are kept.
    taken : array of bool, ``[n]``
        Which keep rows and do more than move whole pixels.
    boxes : array of int, ``[n, 4]``
        What windows show of the result: top, bottom, left, right.
    fill : float or tuple of float
        What lies beyond.
    """

    pull: npt.NDArray[np.float64]
    taken: npt.NDArray[np.bool_]
    boxes: npt.NDArray[np.int64]
    fill: float | tuple[float, ...]


def boxed(step: Resample, farthest: float) -> Boxed | None:
    """What is known of the chains of a resample in which there are windows; None for any other, or if none is taken.

    Parameters
    ----------
    step : Resample
    farthest : float
        Maps with larger numbers are left to others.

    Examples
    --------
    >>> from imagemill.core.ops import Sampling
    >>> cut = np.array([[[0.5, 0, -2], [0, 1, 3], [0, 0, 1]]])  # two rows are padded in front, three columns are cut
    >>> size = np.array([[8, 9]])
    >>> links = Matrices(cut), Windows(size, np.array([True]), 0.0, 0)
    >>> boxed(Resample(links, size, np.array([[20, 6]]), Sampling()), 1e6).boxes.tolist()
    [[3, 19, 0, 6]]
    """
    windows = [link for link in step.links if isinstance(link, Windows)]
    if not windows or any(w.fill != windows[0].fill for w in windows):
        return None
    if not all(
        isinstance(link, Windows) or (isinstance(link, Matrices) and link.m.shape[-1] == 3) for link in step.links
    ):
        return None
    n, arrays = len(step.shape), [_array(link) for link in step.links]
    rows = 1 if all(a.strides[0] == 0 for a in (*arrays, step.shape)) else n
    pull, taken, boxes = np.zeros((rows, 2, 3)), np.zeros(rows, bool), np.zeros((rows, 4), np.int64)
    for row in range(rows):
        lines = _lines(step.links, row, step.shape[row].tolist())
        if lines is not None:
            ((sy, oy), (sx, ox)), boxes[row] = lines
            moves = abs(sy) == abs(sx) == 1.0 and oy.is_integer() and ox.is_integer()
            taken[row] = not moves and all(abs(number) < farthest for number in (sy, oy, sx, ox))
            pull[row] = (sy, 0.0, oy), (0.0, sx, ox)
    if not taken.any():
        return None
    return Boxed(for_all(pull, n), for_all(taken, n), for_all(boxes, n), windows[0].fill)


def _array(link: Link) -> npt.NDArray[Any]:
    return link.m if isinstance(link, Matrices) else link.where if isinstance(link, Windows) else link.grid


def _lines(links: Sequence[Link], row: int, shape: Sequence[int]) -> tuple[tuple[_Line, ...], list[int]] | None:
    """The lines of one chain, read from the result to the picture, and its box; None where it turns."""
    lines: tuple[_Line, ...] = ((1.0, 0.0), (1.0, 0.0))
    box = [0, shape[0], 0, shape[1]]
    for link in links:
        if isinstance(link, Matrices):
            (a, b, t), (c, d, u), last = link.m[row].tolist()
            if b != 0.0 or c != 0.0 or a == 0.0 or d == 0.0 or last != [0.0, 0.0, 1.0]:
                return None
            lines = tuple(
                [(s * scale, s * offset + o) for (scale, offset), s, o in zip(lines, (a, d), (t, u), strict=True)]
            )
        elif isinstance(link, Windows) and link.where[row]:
            for axis, (line, size) in enumerate(zip(lines, link.shape[row].tolist(), strict=True)):
                low, high = _shown(*line, size)
                box[2 * axis] = min(max(box[2 * axis], low), shape[axis])
                box[2 * axis + 1] = max(min(box[2 * axis + 1], high), box[2 * axis])
    return lines, box


def _shown(scale: float, offset: float, size: int) -> tuple[int, int]:
    """The places ``[low, high)`` that a window of so many pixels shows."""
    first, last = (-0.5 - offset - EDGE_TOLERANCE) / scale, (size - 0.5 - offset - EDGE_TOLERANCE) / scale
    if scale > 0:
        return math.ceil(first), math.ceil(last)
    return math.floor(last) + 1, math.floor(first) + 1
