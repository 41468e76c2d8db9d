"""A chain of stages as plain arrays that compiled code can walk, always three-dimensional.

A 2-D chain is embedded: its matrices leave z alone, its lattices repeat along z (a B-spline's weights sum
to one), its windows are one plane deep.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.coordinate_maps import Displace, Matrix, Stage, Window
from imagemill.engine.backends.cpu.resample.lines import AFFINE, ALONG, PIECES, PROJECTIVE, TAPS, WINDOW

Array = np.ndarray[Any, Any]
Chain = tuple[Array, Array, Array, Array, Array, Array]

_LAST = np.array([0.0, 0.0, 0.0, 1.0])

_CUBIC = np.array([[1.0, 4.0, 1.0, 0.0], [-3.0, 0.0, 3.0, 0.0], [3.0, -6.0, 3.0, 0.0], [-1.0, 3.0, -3.0, 1.0]]) / 6
"""Power coefficients (rows, from 1 to t**3) of the four cubic B-splines that cover a cell (columns)."""


def flatten(
    stages: tuple[Stage, ...], out_shape: tuple[int, ...], shift: tuple[float, float, float] | None = None
) -> Chain:
    """Arrays ``kinds, matrices, shapes, cells, grids, starts``; ``shift`` is added to the last coordinate.

    Examples
    --------
    >>> flatten((Matrix(np.eye(3)),), (5, 5))[1].shape
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
    # Until the first stage that turns or bends, a sample's last coordinate is the same in every row.
    along: Array | None = np.arange(out_shape[-1], dtype=np.float64)
    for s, stage in enumerate(stages):
        if isinstance(stage, Matrix):
            kinds[s] = PROJECTIVE if stage.projective else AFFINE
            mats[s] = _embed(stage.m)
            along = _stretched(along, mats[s])
        elif isinstance(stage, Window):
            kinds[s] = WINDOW
            shapes[s, 3 - len(stage.shape) :] = stage.shape
        else:
            d = len(stage.shape)
            shapes[s, 3 - d :] = stage.shape
            cells[s, 3 - d :] = stage.cells
            kinds[s], grid = _lattice(stage, along, int(np.prod(out_shape)))
            along = None
            grids.append(grid.ravel())
            starts[s] = filled
            filled += grids[-1].size
    if shift is not None:
        mats[-1] = np.eye(4)
        mats[-1, :3, 3] = shift
    every = np.concatenate(grids) if grids else np.zeros(1)
    return kinds, mats, shapes, cells, every, starts


def _stretched(along: Array | None, m: Array) -> Array | None:
    """The last coordinate after a matrix that keeps axes apart; None after any other."""
    if along is None or np.count_nonzero(m[:3, :3] - np.diag(np.diag(m)[:3])) or not np.array_equal(m[3], _LAST):
        return None
    return np.asarray(m[2, 2] * along + m[2, 3])


def _lattice(stage: Displace, along: Array | None, samples: int) -> tuple[int, Array]:
    """The way to evaluate a lattice over so many samples, and its numbers as that way reads them."""
    if along is not None:
        index, weights = spline_weights(along, stage.shape[-1], stage.cells[-1])
        # Of a picture its own two coordinates alone, before they are repeated along z.
        given = np.asarray(stage.grid, np.float64)
        spread = np.asarray(sum(given[..., index + t] * weights[t] for t in range(4)))
        if len(stage.shape) == 3:
            return ALONG, spread.transpose(1, 0, 2, 3)
        deep = np.zeros((4, 3, *spread.shape[1:]))
        deep[:, 1:] = spread
        return ALONG, deep
    grid = _embed_grid(stage)
    # Polynomials pay where samples are many in a cell, along the row above all.
    long = stage.shape[-1] >= 4 * stage.cells[-1]
    if long and samples >= 8 * int(np.prod(stage.cells)):
        return PIECES, _polynomials(grid)
    return TAPS, grid


def spline_weights(q: Array, size: int, cells: int) -> tuple[Array, Array]:
    """Index ``(n,)`` of the first coefficient and weights ``(4, n)`` of a uniform cubic B-spline lattice."""
    u = np.clip((q + 0.5) / size * cells, 0.0, cells)
    index = np.minimum(u.astype(np.int64), cells - 1)
    powers = (u - index) ** np.arange(4)[:, None]
    return index, np.einsum("ap,ax->px", _CUBIC, powers)


def _polynomials(grid: Array) -> Array:
    """Power coefficients of every cell, ``(z, y, x, power of tz, axis, power of ty, power of tx)``."""
    for axis in (1, 2, 3):
        taps = np.lib.stride_tricks.sliding_window_view(grid, 4, axis=axis)
        # The new powers go last, so that the lattice axes stay where they are.
        grid = taps @ _CUBIC.T
    return np.ascontiguousarray(grid.transpose(1, 2, 3, 4, 0, 5, 6))


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
