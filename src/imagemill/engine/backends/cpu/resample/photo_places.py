"""Where the samples of a picture come from, for the chains that are most of them: one matrix, or one lattice.

Walking a chain stage by stage costs more than the pixels. A lattice between matrices that need no division is a sum:
the last matrix is applied to its few coefficients, and each row of places adds four rows of them.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.coordinate_maps import Displace, Matrix, Stage
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.lines import cubic

__all__ = ["bend", "places_of", "project", "spread"]

Array = np.ndarray[Any, Any]
_DEPTH = 1e-3
"""A plane seen edge-on sends samples to infinity: nearer than this, chains are walked with care."""
_NONE = np.empty((0, 0)), np.empty((2, 0, 0)), np.zeros((2, 3))


def places_of(stages: tuple[Stage, ...], shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """A chain as a matrix ``(3, 3)``, coefficients ``(2, y, x)`` and what of the lattice belongs to an output index.

    Parameters
    ----------
    stages : tuple of Stage
        In the plane.
    shape : tuple of int
        Of the output.

    Returns
    -------
    three arrays
        The matrix is empty for any other chain, the coefficients where it is a matrix alone. In the last, by axis:
        scale, offset and number of the lattice's cells.

    Examples
    --------
    >>> matrix, grid, cells = places_of((Displace(np.ones((2, 5, 5)), (8, 4)), Matrix(np.diag([2.0, 1, 1]))), (8, 4))
    >>> matrix.diagonal().tolist(), grid[:, 0, 0].tolist(), cells.tolist()
    ([2.0, 1.0, 1.0], [2.0, 1.0], [[0.25, 0.125, 2.0], [0.5, 0.25, 2.0]])
    """
    if len(stages) == 1 and isinstance(stages[0], Matrix):
        alone = stages[0]
        return (np.ascontiguousarray(alone.m), *_NONE[1:]) if _in_front(alone.m, shape) else _NONE
    first, last = np.eye(3), np.eye(3)
    lattices = [k for k, stage in enumerate(stages) if isinstance(stage, Displace)]
    if len(lattices) != 1 or len(stages) > 3:
        return _NONE
    for k, stage in enumerate(stages):
        if isinstance(stage, Matrix):
            before = k < lattices[0]
            if stage.projective or (before and (stage.m[0, 1] or stage.m[1, 0])):
                return _NONE
            first, last = (stage.m @ first, last) if before else (first, stage.m @ last)
        elif not isinstance(stage, Displace):
            return _NONE
    lattice = stages[lattices[0]]
    assert isinstance(lattice, Displace)
    grid = np.tensordot(last[:2, :2], lattice.grid, 1)
    cells = np.array(
        [[first[a, a] * n / size, (first[a, 2] + 0.5) * n / size, n] for a, (n, size) in _axes(lattice)], np.float64
    )
    return np.ascontiguousarray(last @ first), grid, cells


def _axes(lattice: Displace) -> Any:
    return enumerate(zip(lattice.cells, lattice.shape, strict=True))


def _in_front(m: Array, shape: tuple[int, ...]) -> bool:
    """Whether all of an output lies in front of the plane that a matrix sends to infinity, and not too near."""
    a, b, c = m[2].tolist()
    return all(a * y + b * x + c >= _DEPTH for y in (0, shape[0] - 1) for x in (0, shape[1] - 1))


@compiled.part
def project(m, first, lines, n, q):
    """Places of some rows through one matrix."""
    s0, s1, s2 = m[0, 1], m[1, 1], m[2, 1]
    for row in range(lines):
        y = float(first + row)
        b0, b1, b2 = m[0, 0] * y + m[0, 2], m[1, 0] * y + m[1, 2], m[2, 0] * y + m[2, 2]
        for x in range(n):
            # Half a word: only those become doubles many at once.
            step = float(np.int32(x))
            share = 1.0 / (b2 + s2 * step)
            q[1, row * n + x] = (b0 + s0 * step) * share
            q[2, row * n + x] = (b1 + s1 * step) * share


@compiled.part
def _cell(p, cells):
    u = min(max(cells[0] * p + cells[1], 0.0), cells[2])
    i = min(int(u), int(cells[2]) - 1)
    return i, u - i


@compiled.part
def spread(grid, cells, n):
    """Rows of coefficients, summed over the columns of the lattice that each sample of a row is between."""
    rows = grid.shape[1]
    made, w = np.empty(2 * rows * n), np.empty(4)
    for x in range(n):
        i, t = _cell(float(x), cells[1])
        cubic(t, w)
        for k in range(2):
            for row in range(rows):
                total = 0.0
                for tap in range(4):
                    total += w[tap] * grid[k, row, i + tap]
                made[(k * rows + row) * n + x] = total
    return made


@compiled.part
def bend(m, lattice, cells, first, lines, n, q):
    """Places of some rows through a matrix without division, and what the lattice, spread, adds."""
    rows, w = len(lattice) // (2 * n), np.empty(4)
    for row in range(lines):
        y = float(first + row)
        i, t = _cell(y, cells[0])
        cubic(t, w)
        for k in range(2):
            base, step = m[k, 0] * y + m[k, 2], m[k, 1]
            w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
            a = np.uintp((k * rows + i) * n)
            b, c, d = a + np.uintp(n), a + np.uintp(2 * n), a + np.uintp(3 * n)
            made = q[k + 1, row * n : row * n + n]
            for x in range(np.uintp(n)):
                moved = base + step * float(np.int32(x))
                moved += w0 * lattice[a + x] + w1 * lattice[b + x] + w2 * lattice[c + x] + w3 * lattice[d + x]
                made[x] = moved
