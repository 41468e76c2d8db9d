"""Where a mask's foreground lies in a frame that exists only as ops yet: no pixel is resampled for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core import ops
from imagemill.core.geometry import Extent, Floats, Frame
from imagemill.engine.annotations import points

Array = np.ndarray[Any, Any]


class Foreground:
    """The masks of a batch.

    Parameters
    ----------
    masks : sequence of columns
        Each a list with one label map ``(*shape, K)`` per sample.
    """

    def __init__(self, masks: Sequence[Sequence[Array]]) -> None:
        self._masks = masks
        self._outlines: dict[tuple[int, bool], Floats] = {}

    def outline(self, row: int, *, dense: bool = False) -> Floats:
        """Corners ``(k, d)`` of the pixels that bound the foreground of one sample, in source coordinates.

        ``dense`` takes every foreground pixel: a map that bends lines may move an inner one farthest.
        """
        if (row, dense) not in self._outlines:
            found = [_corners(np.any(column[row], axis=-1), dense=dense) for column in self._masks]
            self._outlines[row, dense] = np.concatenate(found)
        return self._outlines[row, dense]

    def seen_through(
        self, drawn: tuple[ops.Op, ...], frames: tuple[Frame, ...], frame: Frame
    ) -> Callable[[], Extent | None]:
        """A function that gives the extent in ``frame``, behind the ops drawn so far and the frames before them."""

        def extent() -> Extent | None:
            low = np.full(frame.shape.shape, np.nan)
            high = low.copy()
            for row in range(frame.n):
                chain = _chain(drawn, frames, row)
                corners = self.outline(row, dense=any(isinstance(s, maps.Displace) for s in chain))
                if len(corners):
                    moved = points.push(chain, corners)
                    limit = frame.shape[row] - 0.5
                    low[row] = np.clip(moved.min(axis=0), -0.5, limit)
                    high[row] = np.clip(moved.max(axis=0), -0.5, limit)
            return low, high

        return extent


def _chain(drawn: tuple[ops.Op, ...], frames: tuple[Frame, ...], row: int) -> tuple[maps.Stage, ...]:
    stages: list[maps.Stage] = []
    for op, before in zip(drawn, frames, strict=True):
        if isinstance(op, ops.Affine):
            stages.insert(0, maps.Matrix(op.matrix[row]))
        elif isinstance(op, ops.Warp) and op.grid[row].any():
            stages.insert(0, maps.Displace(op.grid[row], tuple(before.shape[row].tolist())))
    return tuple(stages)


def _corners(mask: Any, *, dense: bool) -> Floats:
    """Corners of all foreground pixels, or of the first and last of every line along the last axis.

    Extremes of an affine map over a line of pixels are at its ends, so the lines' ends are enough for it.
    """
    d = mask.ndim
    if dense:
        ends = np.argwhere(mask).astype(np.float64)
    else:
        lines = np.argwhere(mask.any(axis=-1))
        picked = mask[tuple(lines.T)]
        first = picked.argmax(axis=-1)
        last = mask.shape[-1] - 1 - picked[:, ::-1].argmax(axis=-1)
        ends = np.concatenate([np.column_stack([lines, first]), np.column_stack([lines, last])]).astype(np.float64)
    offsets = np.array(np.meshgrid(*[(-0.5, 0.5)] * d, indexing="ij")).reshape(d, -1).T
    corners: Floats = (ends[:, None] + offsets).reshape(-1, d)
    return corners
