"""A chain of stages as plain arrays that compiled code can walk, always three-dimensional.

A 2-D chain is embedded: its matrices leave z alone, its lattices repeat along z (a B-spline's weights sum
to one), its windows are one plane deep.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.maps import Displace, Matrix, Stage, Window
from imagemill.engine.backends.cpu.rows import AFFINE, DISPLACE, PROJECTIVE, WINDOW

Array = np.ndarray[Any, Any]
Chain = tuple[Array, Array, Array, Array, Array, Array]


def flatten(stages: tuple[Stage, ...], shift: tuple[float, float, float] | None = None) -> Chain:
    """Arrays ``kinds, matrices, shapes, cells, grids, starts``; ``shift`` is added to the last coordinate.

    Examples
    --------
    >>> flatten((Matrix(np.eye(3)),))[1].shape
    (1, 4, 4)
    """
    count = len(stages) + (shift is not None)
    kinds = np.zeros(count, np.int64)
    mats = np.zeros((count, 4, 4))
    shapes = np.ones((count, 3))
    cells = np.ones((count, 3), np.int64)
    starts = np.zeros(count, np.int64)
    grids: list[Array] = []
    filled = 0
    for s, stage in enumerate(stages):
        if isinstance(stage, Matrix):
            kinds[s] = PROJECTIVE if stage.projective else AFFINE
            mats[s] = _embed(stage.m)
        elif isinstance(stage, Window):
            kinds[s] = WINDOW
            shapes[s, 3 - len(stage.shape) :] = stage.shape
        else:
            kinds[s] = DISPLACE
            d = len(stage.shape)
            shapes[s, 3 - d :] = stage.shape
            cells[s, 3 - d :] = stage.cells
            grids.append(_embed_grid(stage).ravel())
            starts[s] = filled
            filled += grids[-1].size
    if shift is not None:
        mats[-1] = np.eye(4)
        mats[-1, :3, 3] = shift
    grid = np.concatenate(grids) if grids else np.zeros(1)
    return kinds, mats, shapes, cells, grid, starts


def _embed(m: Array) -> Array:
    if m.shape == (4, 4):
        return m
    out = np.zeros((4, 4))
    out[0, 0] = 1.0
    out[1:, 1:] = m
    return out


def _embed_grid(stage: Displace) -> Array:
    if len(stage.shape) == 3:
        return np.asarray(stage.grid, np.float64)
    out = np.zeros((3, 4, *stage.grid.shape[1:]))
    out[1:] = stage.grid[:, None]
    return out


def is_planar(stages: tuple[Stage, ...], d: int) -> bool:
    """Whether every stage maps whole z to whole z, so that interpolation stays within planes.

    Examples
    --------
    >>> is_planar((Matrix(np.eye(4)),), 3), is_planar((Matrix(np.diag([2.0, 1, 1, 1]) / 3),), 3)
    (True, False)
    """
    if d == 2:
        return True
    for stage in stages:
        if isinstance(stage, Displace) and stage.grid[0].any():
            return False
        if isinstance(stage, Matrix):
            top = stage.m[0]
            if stage.projective or abs(top[0]) != 1.0 or top[1] or top[2] or top[3] != np.rint(top[3]):
                return False
    return True
