"""Points through a bending map, from its input to its output: each solved for by itself, in compiled code."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.core import coordinate_maps as maps
from imagemill.core.geometry import Floats
from imagemill.engine.shipped_kernels import njit

_NEWTON = 12
"""Most steps of Newton's method; three or four are usual."""
_STEPS = 61
"""Most steps of the fixed-point iteration."""
_TOLERANCE = 1e-9
"""Pixels between two fixed-point steps at which it has arrived."""
_CLOSE = 1e-5
"""Cells of a Newton step behind which no other is needed: what is left is of the order of its square."""
_FLAT = 1e-6
"""Determinant up to which no Newton step is taken."""


def unbend(stage: maps.Displace, q: Floats) -> Floats:
    """Solve ``p + u(p) = q``.

    By Newton's method, with the slopes of the spline, where the lattice is known not to fold, so that there is one
    solution. Otherwise, and for the point that Newton does not bring home, by fixed-point iteration, which takes
    more steps.

    Parameters
    ----------
    stage : Displace
    q : array, ``(k, d)``
        Places in the input of the stage, in two or three dimensions.

    Returns
    -------
    array, ``(k, d)``
        Places in its output.

    Examples
    --------
    >>> shifted = maps.Displace(np.full((2, 5, 5), 3.0), (20, 20))
    >>> unbend(shifted, np.array([[10.0, 12.0]])).round(9).tolist()
    [[7.0, 9.0]]
    """
    lattice, scale, places = _in_space(stage, q)
    _solve(lattice, scale, places, _NEWTON if stage.one_to_one else 0)
    return places[:, 3 - q.shape[1] :].copy()


def bend(stage: maps.Displace, p: Floats) -> Floats:
    """Points through a bending map, from its output to its input: ``p + u(p)``.

    Parameters
    ----------
    stage : Displace
    p : array, ``(k, d)``

    Returns
    -------
    array, ``(k, d)``

    Examples
    --------
    >>> shifted = maps.Displace(np.full((2, 5, 5), 3.0), (20, 20))
    >>> bend(shifted, np.array([[7.0, 9.0]])).round(9).tolist()
    [[10.0, 12.0]]
    """
    lattice, scale, places = _in_space(stage, p)
    _displace(lattice, scale, places)
    return places[:, 3 - p.shape[1] :].copy()


def _in_space(stage: maps.Displace, q: Floats) -> tuple[Floats, Floats, Floats]:
    """Lattice, cells a pixel and places, always of three axes: a plane is a volume of one slice that stays."""
    d = q.shape[1]
    flat = 3 - d
    lattice = np.zeros((*(1,) * flat, *stage.grid.shape[1:], 3))
    lattice[..., flat:] = np.moveaxis(stage.grid, 0, -1).reshape(*lattice.shape[:-1], d)
    scale = np.array([0.0] * flat + [c / n for c, n in zip(stage.cells, stage.shape, strict=True)])
    places = np.zeros((len(q), 3))
    places[:, flat:] = q
    return lattice.reshape(*lattice.shape[:2], -1), scale, places


@njit(nogil=True)
def _displace(lattice, scale, places):
    """Move each place ``(k, 3)`` by the displacement there."""
    for n in range(len(places)):
        p = places[n]
        if np.isfinite(p[0]) and np.isfinite(p[1]) and np.isfinite(p[2]):
            u = _spline(lattice, scale, p[0], p[1], p[2])[0]
            for axis in range(3):
                p[axis] += u[axis]
        else:
            p[0], p[1], p[2] = np.nan, np.nan, np.nan


@njit(nogil=True, fastmath={"contract"})
def _weigh(u, steep, cells):
    """The cell that a place lies in, the weights of its four control points, and the weights' slopes."""
    if not 0.0 <= u <= cells:
        # Beyond the frame the displacement at its edge goes on, without a slope.
        u, steep = min(max(u, 0.0), float(cells)), 0.0
    cell = min(int(u), cells - 1)
    t = u - cell
    s = 1.0 - t
    weights = (
        s * s * s / 6.0,
        (t * t * (3.0 * t - 6.0) + 4.0) / 6.0,
        (s * s * (3.0 * s - 6.0) + 4.0) / 6.0,
        t * t * t / 6.0,
    )
    slopes = (
        -0.5 * s * s * steep,
        (1.5 * t - 2.0) * t * steep,
        (2.0 - 1.5 * s) * s * steep,
        0.5 * t * t * steep,
    )
    return cell, weights, slopes


@njit(nogil=True, fastmath={"contract"})
def _spline(lattice, scale, p0, p1, p2):
    """Displacement at a place, and its slopes along the three axes: four times three numbers."""
    slices = min(4, lattice.shape[0])
    z, wz, sz = 0, (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)
    if slices == 4:
        z, wz, sz = _weigh((p0 + 0.5) * scale[0], scale[0], lattice.shape[0] - 3)
    y, wy, sy = _weigh((p1 + 0.5) * scale[1], scale[1], lattice.shape[1] - 3)
    x, wx, sx = _weigh((p2 + 0.5) * scale[2], scale[2], lattice.shape[2] // 3 - 3)
    u0 = u1 = u2 = z0 = z1 = z2 = y0 = y1 = y2 = x0 = x1 = x2 = 0.0
    for i in range(slices):
        a0 = a1 = a2 = b0 = b1 = b2 = c0 = c1 = c2 = 0.0
        for j in range(4):
            row = lattice[z + i, y + j, 3 * x : 3 * x + 12]
            v0 = wx[0] * row[0] + wx[1] * row[3] + wx[2] * row[6] + wx[3] * row[9]
            v1 = wx[0] * row[1] + wx[1] * row[4] + wx[2] * row[7] + wx[3] * row[10]
            v2 = wx[0] * row[2] + wx[1] * row[5] + wx[2] * row[8] + wx[3] * row[11]
            g0 = sx[0] * row[0] + sx[1] * row[3] + sx[2] * row[6] + sx[3] * row[9]
            g1 = sx[0] * row[1] + sx[1] * row[4] + sx[2] * row[7] + sx[3] * row[10]
            g2 = sx[0] * row[2] + sx[1] * row[5] + sx[2] * row[8] + sx[3] * row[11]
            w, s = wy[j], sy[j]
            a0, a1, a2 = a0 + w * v0, a1 + w * v1, a2 + w * v2
            b0, b1, b2 = b0 + s * v0, b1 + s * v1, b2 + s * v2
            c0, c1, c2 = c0 + w * g0, c1 + w * g1, c2 + w * g2
        w, s = wz[i], sz[i]
        u0, u1, u2 = u0 + w * a0, u1 + w * a1, u2 + w * a2
        z0, z1, z2 = z0 + s * a0, z1 + s * a1, z2 + s * a2
        y0, y1, y2 = y0 + w * b0, y1 + w * b1, y2 + w * b2
        x0, x1, x2 = x0 + w * c0, x1 + w * c1, x2 + w * c2
    return (u0, u1, u2), (z0, z1, z2), (y0, y1, y2), (x0, x1, x2)


@njit(nogil=True)
def _side(p, scale, cells):
    """Whether a place lies before, within or behind the frame along an axis."""
    u = (p + 0.5) * scale
    return -1 if u < 0.0 else int(u > cells)


@njit(nogil=True)
def _sides(lattice, scale, p0, p1, p2):
    return (
        _side(p0, scale[0], lattice.shape[0] - 3),
        _side(p1, scale[1], lattice.shape[1] - 3),
        _side(p2, scale[2], lattice.shape[2] // 3 - 3),
    )


@njit(nogil=True, fastmath={"contract"})
def _newton(lattice, scale, q, steps):
    """Newton's method from ``q`` on; whether it arrived, and where."""
    p0, p1, p2 = q[0], q[1], q[2]
    for _ in range(steps):
        (u0, u1, u2), (z0, z1, z2), (y0, y1, y2), (x0, x1, x2) = _spline(lattice, scale, p0, p1, p2)
        r0, r1, r2 = q[0] - p0 - u0, q[1] - p1 - u1, q[2] - p2 - u2
        # Cramer's rule, with the slopes as columns.
        z0, y1, x2 = 1.0 + z0, 1.0 + y1, 1.0 + x2
        k0, k1, k2 = y1 * x2 - x1 * y2, y2 * x0 - x2 * y0, y0 * x1 - x0 * y1
        determinant = z0 * k0 + z1 * k1 + z2 * k2
        if not determinant > _FLAT:
            break
        d0 = (k0 * r0 + k1 * r1 + k2 * r2) / determinant
        d1 = (z0 * (r1 * x2 - x1 * r2) + z1 * (r2 * x0 - x2 * r0) + z2 * (r0 * x1 - x0 * r1)) / determinant
        d2 = (z0 * (y1 * r2 - r1 * y2) + z1 * (y2 * r0 - r2 * y0) + z2 * (y0 * r1 - r0 * y1)) / determinant
        n0, n1, n2 = p0 + d0, p1 + d1, p2 + d2
        close = max(abs(d0) * scale[0], abs(d1) * scale[1], abs(d2) * scale[2]) < _CLOSE
        # At the edge of the frame slopes jump: a step across it is never the last.
        if close and _sides(lattice, scale, n0, n1, n2) == _sides(lattice, scale, p0, p1, p2):
            return True, n0, n1, n2
        p0, p1, p2 = n0, n1, n2
    return False, p0, p1, p2


@njit(nogil=True, fastmath={"contract"})
def _fixed_point(lattice, scale, q):
    """Fixed-point iteration from ``q`` on."""
    p0, p1, p2 = q[0], q[1], q[2]
    for _ in range(_STEPS):
        u0, u1, u2 = _spline(lattice, scale, p0, p1, p2)[0]
        d0, d1, d2 = q[0] - u0 - p0, q[1] - u1 - p1, q[2] - u2 - p2
        p0, p1, p2 = p0 + d0, p1 + d1, p2 + d2
        if max(abs(d0), abs(d1), abs(d2)) < _TOLERANCE:
            break
    return p0, p1, p2


@njit(nogil=True)
def _solve(lattice, scale, places, steps):
    """Replace each place ``(k, 3)`` by its solution."""
    for n in range(len(places)):
        q = places[n]
        if np.isfinite(q[0]) and np.isfinite(q[1]) and np.isfinite(q[2]):
            arrived, p0, p1, p2 = _newton(lattice, scale, q, steps)
            if not arrived:
                p0, p1, p2 = _fixed_point(lattice, scale, q)
            q[0], q[1], q[2] = p0, p1, p2
        else:
            q[0], q[1], q[2] = np.nan, np.nan, np.nan
