"""Coordinate maps of one sample, as a chain of stages read from the output to the input.

A resample asks, for every output index ``p``, which input coordinate ``q`` it shows. The answer is a
chain: each stage takes the coordinate the one before it produced. Three kinds of stage suffice for all
geometry there is here, in two and three dimensions:

``Matrix``
    ``q = (m @ [p, 1])[:d] / w``: every affine map, and perspective when the last row says so.
``Displace``
    ``q = p + u(p)``: a smooth displacement given by a coarse lattice of cubic B-spline coefficients.
``Window``
    ``q = p``, but whatever lies outside the window shows the fill value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = np.ndarray[Any, Any]

# One axis alone folds when the slope of a spline, at most 3/2 of its coefficients, reaches 1.
FOLDING = {0: np.inf, 1: 2 / 3, 2: 1 / 2.046392675, 3: 1 / 2.479472335}
"""Coefficients of a lattice, in cells, up to which it cannot fold, by the number of axes that move.

Source: Choi and Lee (2000), "Injectivity conditions of 2D and 3D uniform cubic B-spline functions",
Graphical Models 62.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """Homogeneous pull matrix ``(d+1, d+1)``, float64, in index order."""

    m: npt.NDArray[np.float64]

    @property
    def projective(self) -> bool:
        """Whether the map divides by a coordinate that varies."""
        last = self.m[-1]
        return bool(np.any(last[:-1] != 0.0) or last[-1] != 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Displace:
    """Uniform cubic B-spline displacement over a frame.

    Parameters
    ----------
    grid : array, ``(d, *cells + 3)``, float64
        Control coefficients, in pixels of the frame.
    shape : tuple of int
        The frame the lattice spans, edge to edge (``-0.5 .. N - 0.5``).
    """

    grid: npt.NDArray[np.float64]
    shape: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        """Number of lattice cells along each axis."""
        return tuple(n - 3 for n in self.grid.shape[1:])

    @property
    def strength(self) -> float:
        """The largest coefficient, in lattice cells."""
        return max(self._strongest())

    @property
    def one_to_one(self) -> bool:
        """Whether the lattice is known not to fold: no two places show the same one."""
        strongest = self._strongest()
        return max(strongest) < FOLDING[sum(s > 0 for s in strongest)] or self._rises()

    def _rises(self) -> bool:
        """Whether each axis is displaced by itself alone, and the coefficients of the places rise."""
        for axis, (grid, cells, size) in enumerate(zip(self.grid, self.cells, self.shape, strict=True)):
            lines = np.moveaxis(grid, axis, -1).reshape(-1, grid.shape[axis])
            if not (lines == lines[:1]).all() or (np.diff(lines[0]) * cells / size <= -1).any():
                return False
        return True

    def _strongest(self) -> list[float]:
        """The largest coefficient along each axis, in lattice cells."""
        triples = zip(self.grid, self.cells, self.shape, strict=True)
        return [float(np.abs(grid).max()) * cells / size for grid, cells, size in triples]


@dataclass(frozen=True, slots=True, eq=False)
class InverseDisplace(Displace):
    """The inverse of a displacement, as another lattice that was fitted to it.

    Parameters
    ----------
    grid, shape
        As for :class:`Displace`: the lattice spans the frame of ``of`` with a margin around it.
    of : Displace
        What it is the inverse of.
    margin : tuple of int
        Pixels on either side: ``of`` has its origin there.
    """

    of: Displace
    margin: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Region ``-0.5 <= p < shape - 0.5`` outside which the fill stands: one value, or one for each channel."""

    shape: tuple[int, ...]
    fill: float | tuple[float, ...] = 0.0
    mask_fill: int = 0


Stage = Matrix | Displace | Window
