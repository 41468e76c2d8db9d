"""Photos of three bytes a pixel through any chain in the plane: homographies, lattices, windows.

Places are located in double precision some rows at a time, eight pixels are then blended together, and the samples
that a border or a window changes are written anew.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.coordinate_maps import Stage, Window
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.flat import flatten
from imagemill.engine.backends.cpu.resample.eight_pixels import blend_eight
from imagemill.engine.backends.cpu.resample.lines import CONSTANT, NEAREST, one_pixel, scratch, trace_rows
from imagemill.engine.backends.cpu.resample.photo_places import bend, places_of, project, spread
from imagemill.engine.backends.cpu.resample.samplers import _bring_in
from imagemill.engine.backends.cpu.simd import bytes_at, prefetch
from imagemill.engine.backends.cpu.vector_places import as_place
from imagemill.engine.chains import BORDERS, fill_vector

Array = np.ndarray[Any, Any]


_SAMPLES = 1024
"""About how many samples are run at once: what is known of them lies in the nearest cache."""
_ASKED = 8
"""Every so many samples the line of the picture below is asked for."""
_LEAST = 4
"""Sides of a picture of which eight bytes may be read at a place and below it."""
_MOST = 1 << 30


def takes_photo(in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int) -> bool:
    """Whether pictures of this kind are warped here."""
    fit = len(in_shape) == 2 and min(in_shape) >= _LEAST and in_shape[0] * in_shape[1] <= _MOST
    return bool(dtype == np.uint8 and channels == 3 and fit)


def warp_photo(
    src: Array, stages: tuple[Stage, ...], out: Array, *, border: str, fill: npt.NDArray[np.float64]
) -> None:
    """Resample ``src`` ``(y, x, 3)`` of bytes linearly into ``out``, of bytes, rounded, or of float32.

    Parameters
    ----------
    src : array of uint8 ``(y, x, 3)``
    stages : tuple of Stage
    out : array of uint8 or float32 ``(y, x, 3)``, C-contiguous
    border : str
    fill : array ``(3,)``
    """
    src, shape = np.ascontiguousarray(src), out.shape[:2]
    together = max(1, min(_SAMPLES // shape[1], shape[0]))
    matrix, grid, cells = places_of(stages, shape)
    address, fill = src.__array_interface__["data"][0], np.asarray(fill, np.float64)
    if matrix.size > 0:
        sums = matrix, grid, cells
        _warp(address, src.shape[:2], *sums, BORDERS[border], fill, out.reshape(-1), shape, together)
        return
    chain = flatten(stages, shape)
    # One row more than they are: windows and what lies beyond have fills of their own.
    fills = np.stack([fill, *(fill_vector(s.fill if isinstance(s, Window) else 0.0, 3) for s in stages)])
    room = scratch(together * shape[1], chain[0], chain[3], shape[1])
    _warp_chain(address, src.shape[:2], chain, BORDERS[border], fills, out.reshape(-1), shape, room, together)


# Two kernels, since all that a chain is walked with takes longer to hand over than a small picture takes.


@compiled
def _warp(address, dims, m, grid, cells, border, fill, out, shape, together):
    """Rows of the output, ``together`` at a time, through what :func:`photo_places.places_of` made of the chain."""
    # By its address: an array that may not be written to would be a type of its own.
    src = bytes_at(address, 3 * dims[0] * dims[1])
    rows, n = shape
    lattice, q = spread(grid, cells, n), np.empty((3, n * together))
    room, made = _room(n * together), np.empty(3 * (n * together + 7), out.dtype)
    for first in range(0, rows, together):
        lines = min(together, rows - first)
        if lattice.size > 0:
            bend(m, lattice, cells, first, lines, n, q)
        else:
            project(m, first, lines, n, q)
        _read(src, dims, q, lines * n, border, fill, room, made)
        _put_down(made, lines * n, out, n * first)


@compiled
def _warp_chain(address, dims, chain, border, fills, out, shape, scratched, together):
    """The same for any chain, walked stage by stage; ``fills`` has one row for the border and one for each stage."""
    src = bytes_at(address, 3 * dims[0] * dims[1])
    rows, n = shape
    q, hit = scratched[0], scratched[1]
    room, made = _room(n * together), np.empty(3 * (n * together + 7), out.dtype)
    for first in range(0, rows, together):
        lines = min(together, rows - first)
        left = trace_rows(0, first, lines, n, chain, scratched)
        _read(src, dims, q, lines * n, border, fills[0], room, made)
        if left:
            for x in range(lines * n):
                if hit[x] > 0:
                    _put(made, x, fills[hit[x], 0], fills[hit[x], 1], fills[hit[x], 2])
        _put_down(made, lines * n, out, n * first)


@compiled.part
def _room(count):
    """Places, how far inside they are, and weights, of whole eights of samples."""
    wy, wx = np.zeros(count + 7, np.float32), np.zeros(count + 7, np.float32)
    return np.zeros(count + 7, np.int64), np.empty(count), wy, wx


@compiled.part
def _put_down(made, count, out, at):
    start = np.uintp(3 * at)
    for k in range(np.uintp(3 * count)):
        out[start + k] = made[k]


@compiled.part
def _read(src, dims, q, count, border, fill, room, made):
    """Samples at some places; the coordinates may be used up."""
    index, margin, wy, wx = room
    line = np.uintp(3 * dims[1])
    if border != CONSTANT and border != NEAREST:
        _bring_in(q[1], count, float(dims[0]), border)
        _bring_in(q[2], count, float(dims[1]), border)
    whole = _locate(q, count, dims, border, index, wy, wx, margin)
    # All are asked for before the first is read: three quarters of the time of a photo that is in no cache.
    for x in range(0, count, _ASKED):
        prefetch(src, np.uintp(index[x]) + line)
    for x in range(np.uintp(0), np.uintp(count), np.uintp(8)):
        blend_eight(src, index, line, wy, wx, x, made, np.uintp(3) * x)
    if not whole:
        _mend(src, dims, q, count, border, fill, margin, made)


@compiled.part
def _locate(q, n, dims, border, index, wy, wx, margin):
    """First bytes and weights, held inside, and how far inside (below 0: outside); whether all samples are inside."""
    high, wide, width = dims[0] - 1.0, dims[1] - 1.0, 3.0 * dims[1]
    # Eight bytes are read from either line; the last few places in memory have fewer behind them.
    safe = float(3 * dims[0] * dims[1] - 3 * dims[1] - 8)
    # What lies beyond the edge is as good as at it where the edge is repeated.
    reach = np.inf if border == NEAREST else 0.0
    inside = 0
    for x in range(n):
        # Asked so, also what is no number is a place in the picture.
        j, i = q[1, x] if q[1, x] > 0.0 else 0.0, q[2, x] if q[2, x] > 0.0 else 0.0
        j, i = min(j, high), min(i, wide)
        fj, fi = min(np.floor(j), high - 1.0), min(np.floor(i), wide - 1.0)
        at = fj * width + 3.0 * fi
        depth = reach + min(min(q[1, x], high - q[1, x]), min(q[2, x], wide - q[2, x]))
        depth = depth if at <= safe else min(depth, -0.5)
        margin[x] = depth
        inside += depth >= 0.0
        index[x] = as_place(min(at, safe))
        wy[x] = np.float32(j - fj)
        wx[x] = np.float32(i - fi)
    return inside == n


@compiled.part
def _mend(src, dims, q, n, border, fill, margin, made):
    """Write the samples anew that lie outside, or at the end of the picture's memory."""
    for x in range(n):
        if margin[x] >= 0.0:
            continue
        if border == CONSTANT and margin[x] <= -1.0:
            _put(made, x, fill[0], fill[1], fill[2])
        else:
            r, g, b = one_pixel(src, dims[0], dims[1], q[1, x], q[2, x], border, fill)
            _put(made, x, r, g, b)


@compiled.part
def _put(made, x, r, g, b):
    _write(made, 3 * x, r)
    _write(made, 3 * x + 1, g)
    _write(made, 3 * x + 2, b)


@compiled.part
def _write(made, k, value):
    # Three quarters is a byte's 0: so is told what is rounded.
    if made.dtype.type(0.75) > 0:
        made[k] = value
    else:
        made[k] = np.rint(min(max(value, 0.0), 255.0))
