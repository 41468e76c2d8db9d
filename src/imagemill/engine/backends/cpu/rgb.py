"""Colour photos of 8 bits: one affine map, then colour, in one compiled call per photo.

The four neighbours of a sample are two runs of six bytes, so two loads of eight bytes bring them all
(:func:`imagemill.engine.backends.cpu.simd.blend_rgb`), and the blend of all three channels is one vector. That is
quicker than OpenCV's kernels, exact in float32, and needs no rounding between geometry and colour. Sums for the
channel means that contrast asks for are taken on the way.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math
import threading
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from imagemill.engine import values
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.mix import _three, _three_whole, mixing
from imagemill.engine.backends.cpu.rows import CONSTANT, NEAREST, REFLECT, fold
from imagemill.engine.backends.cpu.samplers import _bring_in
from imagemill.engine.backends.cpu.simd import blend_rgb, prefetch
from imagemill.engine.backends.cpu.small import LIMIT
from imagemill.engine.backends.cpu.warp3d import _flat
from imagemill.engine.backends.stages import BORDERS
from imagemill.engine.plan import Colour, Matrices, Pass, Resample
from imagemill.engine.sampling import SHRINK_LIMIT

Array = np.ndarray[Any, Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_OUT = (np.dtype(np.uint8), np.dtype(np.float32))
_AHEAD = 4
"""Rows between asking for a line of the source and reading it: half the time of a photo that is in no cache."""
_AHEAD_STEP = 8
_SAMPLES = 256
"""How many samples are located at once where rows are short, so that loops are worth setting up."""
_FARTHEST = 2.0**20
"""Sides and offsets beyond this would not be exact in the kernel's 64-bit places and float32 fractions."""


class _Rooms(threading.local):
    """Scratch memory of one thread, as large as the largest photo it made."""

    def __init__(self) -> None:
        self.room = np.empty(0, np.float32)

    def of(self, size: int) -> Array:
        if len(self.room) < size:
            self.room = np.empty(size, np.float32)
        return self.room


_ROOMS = _Rooms()


@compiled
def _sample(src, h, w, j, i, border, fill, out, o):
    """One sample at the edge of the picture or of its memory."""
    fj, fi = np.floor(j), np.floor(i)
    wy, wx = j - fj, i - fi
    r, g, b = 0.0, 0.0, 0.0
    for tap in range(4):
        weight = (wy if tap & 2 else 1.0 - wy) * (wx if tap & 1 else 1.0 - wx)
        if weight == 0.0:
            continue
        row, column = fold(int(fj) + (tap >> 1), h, border), fold(int(fi) + (tap & 1), w, border)
        if row < 0 or column < 0:
            r += weight * fill
            g += weight * fill
            b += weight * fill
        else:
            p = 3 * (row * w + column)
            r += weight * src[p]
            g += weight * src[p + 1]
            b += weight * src[p + 2]
    # A picture stays in its range, though a fill may lie beyond.
    out[o] = min(max(r, 0.0), 255.0)
    out[o + 1] = min(max(g, 0.0), 255.0)
    out[o + 2] = min(max(b, 0.0), 255.0)


@compiled
def _keeps_rows(dims, m, border, shape):
    """Whether rows stay rows and the border is only ever its nearest pixel."""
    if m[0, 1] != 0.0 or m[1, 0] != 0.0:
        return False
    for axis in range(2):
        first = m[axis, 2]
        last = first + m[axis, axis] * (shape[axis] - 1)
        # Up to half a pixel beyond the edge, "reflect" shows the edge as "nearest" does.
        beyond = np.inf if border == NEAREST else (0.5 if border == REFLECT else 0.0)
        if min(first, last) < -beyond or max(first, last) > dims[axis] - 1.0 + beyond:
            return False
    return True


# Whole pictures in one function each: a call per row, with its slices, costs as much as half a row.


@compiled
def _resample_level(src, dims, m, shape, places, out):
    """A map that keeps rows: the columns are located once."""
    h, w = dims
    rows, n = shape
    index, wx = places[2], places[4]
    for x in range(n):
        i = min(max(m[1, 1] * x + m[1, 2], 0.0), w - 1.0)
        fi = min(np.floor(i), w - 2.0)
        index[x] = int(3.0 * fi)
        wx[x] = np.float32(i - fi)
    line = np.uintp(3 * w)
    left = min(index[0], index[n - 1])
    next_lines = _AHEAD if m[0, 0] > 0.0 else -_AHEAD
    spans = int((max(index[0], index[n - 1]) - left) // np.uintp(64)) + 1
    for y in range(rows):
        j = min(max(m[0, 0] * y + m[0, 2], 0.0), h - 1.0)
        row = min(int(j), h - 2)
        wy = np.float32(j - row)
        start, o = np.uintp(3 * row * w), np.uintp(3 * n * y)
        ahead = start + np.uintp(next_lines) * line + left
        for k in range(spans):
            prefetch(src, ahead + np.uintp(64 * k))
            prefetch(src, ahead + line + np.uintp(64 * k))
        if row < h - 2:
            for x in range(n):
                blend_rgb(src, start + index[x], line, wy, wx[x], out, o + np.uintp(3 * x))
            continue
        for x in range(n):  # eight bytes are read, and the last line of the source ends where its memory does
            if start + line + index[x] + np.uintp(8) <= np.uintp(len(src)):
                blend_rgb(src, start + index[x], line, wy, wx[x], out, o + np.uintp(3 * x))
            else:
                _sample(src, h, w, j, index[x] / 3.0 + wx[x], NEAREST, 0.0, out, 3 * (n * y + x))


@compiled
def _resample(src, dims, m, border, fill, shape, places, out):
    """Any affine map: some rows are located, read at one go, and the samples at the edge then read one by one."""
    h, w = dims
    n = shape[1]
    q, margin, index, wy, wx = places
    together = len(index) // n
    high, wide, width = h - 1.0, w - 1.0, float(3 * w)
    line = np.uintp(3 * w)
    # Eight bytes are read from either line; the last few places in memory have fewer behind them.
    safe = float(3 * h * w - 3 * w - 8)
    s0, s1 = m[0, 1], m[1, 1]
    for first in range(0, shape[0], together):
        rows = min(together, shape[0] - first)
        count = rows * n
        for row in range(rows):
            b0, b1 = m[0, 0] * (first + row) + m[0, 2], m[1, 0] * (first + row) + m[1, 2]
            for x in range(0, n, _AHEAD_STEP):
                # Where this sample's successor will be read; a place beyond the picture does no harm.
                j, i = b0 + s0 * x + _AHEAD * m[0, 0], b1 + s1 * x + _AHEAD * m[1, 0]
                prefetch(src, np.uintp(int(np.floor(min(max(j, 0.0), high)) * width + 3.0 * i)))
            for x in range(n):
                q[0, row * n + x] = b0 + s0 * x
                q[1, row * n + x] = b1 + s1 * x
        if border != CONSTANT:
            _bring_in(q[0], count, float(h), border)
            _bring_in(q[1], count, float(w), border)
        inside = 0
        for x in range(count):
            j, i = q[0, x], q[1, x]
            fj = min(max(np.floor(j), 0.0), high - 1.0)
            fi = min(max(np.floor(i), 0.0), wide - 1.0)
            at = fj * width + 3.0 * fi
            depth = min(min(j, high - j), min(i, wide - i))
            depth = depth if at <= safe else -0.5
            margin[x] = depth
            inside += depth >= 0.0
            index[x] = np.uintp(int(min(at, safe)))
            wy[x] = np.float32(j - fj)
            wx[x] = np.float32(i - fi)
        start = 3 * n * first
        for x in range(count):
            blend_rgb(src, index[x], line, wy[x], wx[x], out, np.uintp(start + 3 * x))
        if inside < count:
            for x in range(count):
                if margin[x] < 0.0:
                    _sample(src, h, w, q[0, x], q[1, x], border, fill, out, start + 3 * x)


@compiled
def _sums(lines, rows, wide):
    """Sums of the channels: many short ones side by side first, in an order that no vector width changes."""
    columns, total = np.zeros(wide, np.float32), np.zeros(3)
    for y in range(rows):
        for k in range(wide):
            columns[k] += lines[y * wide + k]
    for k in range(wide):
        total[k % 3] += columns[k]
    return total


@compiled
def _three_pixels(src, a, b, limits, s, t, ints, out):
    """:func:`imagemill.engine.backends.cpu.mix._three` with the channels side by side."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    a00, a01, a02 = a[0, 0], a[0, 1], a[0, 2]
    a10, a11, a12 = a[1, 0], a[1, 1], a[1, 2]
    a20, a21, a22 = a[2, 0], a[2, 1], a[2, 2]
    b0, b1, b2 = b[0], b[1], b[2]
    s0, s1, s2 = s[0], s[1], s[2]
    t0, t1, t2 = t[0], t[1], t[2]
    for i in range(len(src) // 3):
        x, y, z = src[3 * i], src[3 * i + 1], src[3 * i + 2]
        p = s0 * min(max(a00 * x + a01 * y + a02 * z + b0, low), high) + t0
        q = s1 * min(max(a10 * x + a11 * y + a12 * z + b1, low), high) + t1
        r = s2 * min(max(a20 * x + a21 * y + a22 * z + b2, low), high) + t2
        if ints:
            p, q, r = (
                np.rint(min(max(p, least), most)),
                np.rint(min(max(q, least), most)),
                np.rint(min(max(r, least), most)),
            )
        out[3 * i] = p
        out[3 * i + 1] = q
        out[3 * i + 2] = r


@compiled
def _alike(a, b, s, t):
    """Whether all channels are made in the same way, each of itself alone."""
    for c in range(3):
        for k in range(3):
            if a[c, k] != (a[0, 0] if c == k else 0.0):
                return False
        if b[c] != b[0] or s[c] != s[0] or t[c] != t[0]:
            return False
    return True


@compiled
def _three_alike(src, a, b, limits, s, t, ints, out):
    """:func:`_three_pixels` for channels that are alike: then whatever is next in memory fills a vector."""
    low, high, least, most = limits[0], limits[1], limits[2], limits[3]
    a0, b0, s0, t0 = a[0, 0], b[0], s[0], t[0]
    if ints:
        for k in range(np.uintp(len(src))):
            v = s0 * min(max(a0 * src[k] + b0, low), high) + t0
            out[k] = np.rint(min(max(v, least), most))
    else:
        for k in range(np.uintp(len(src))):
            out[k] = s0 * min(max(a0 * src[k] + b0, low), high) + t0


@compiled
def run(src, dims, m, chosen, border, fill, shape, numbers, ints, planes, out, room):
    """The chosen photos of some that lie one after the other in memory: geometry, channel means, colour, layout.

    ``src`` is flat; rows of ``numbers`` are those of :func:`_numbers`; ``out`` is flat, with the channels of a photo in
    ``planes`` or side by side; ``room`` holds one float more than a photo has. There is one such function, and no
    function around it: each would be compiled with everything in it once more.
    """
    size, pixels = dims[0] * dims[1] * 3, shape[0] * shape[1]
    lines = room[: 3 * pixels]
    # As many rows as are located at once; made here, as the compiler knows that nobody else writes to what it made.
    count = max(1, _SAMPLES // shape[1]) * shape[1]
    index, spots = np.empty(count, np.uintp), np.empty((2, count))
    places = (spots, np.empty(count), index, np.empty(count, np.float32), np.empty(count, np.float32))
    for i in range(len(chosen)):
        if not chosen[i]:
            continue
        source, made = src[i * size : (i + 1) * size], out[i * 3 * pixels : (i + 1) * 3 * pixels]
        if _keeps_rows(dims, m[i], border, shape):
            _resample_level(source, dims, m[i], shape, places, room)
        else:
            _resample(source, dims, m[i], border, fill, shape, places, room)
        a, b = numbers[i, :9].reshape((3, 3)).astype(np.float32), numbers[i, 9:12].copy()
        pivot = numbers[i, 12:21].reshape((3, 3))
        if np.any(pivot != 0.0):
            means = _sums(room, shape[0], 3 * shape[1]) / pixels
            for c in range(3):
                for k in range(3):
                    b[c] += pivot[c, k] * means[k]
        offset, limits = b.astype(np.float32), numbers[i, 21:25].astype(np.float32)
        s, t = numbers[i, 25:28].astype(np.float32), numbers[i, 28:31].astype(np.float32)
        if not planes and _alike(a, offset, s, t):
            _three_alike(lines, a, offset, limits, s, t, ints, made)
        elif not planes:
            _three_pixels(lines, a, offset, limits, s, t, ints, made)
        elif ints:
            _three_whole(lines, a, offset, limits, s, t, made[:pixels], made[pixels : 2 * pixels], made[2 * pixels :])
        else:
            _three(lines, a, offset, limits, s, t, made[:pixels], made[pixels : 2 * pixels], made[2 * pixels :])


# ------------------------------------------------------------------------------------------------ from plans

_Geometry = tuple[Floats, Bools, Bools]
_LAST = np.array([0.0, 0.0, 1.0])
_MAPS: WeakKeyDictionary[Resample, _Geometry | None] = WeakKeyDictionary()
_NUMBERS: WeakKeyDictionary[Colour, tuple[Floats, Bools] | None] = WeakKeyDictionary()
_ONE = np.ones(1, bool)
_PLAIN = np.concatenate([np.eye(3).ravel(), np.zeros(12), [-np.inf, np.inf], [0.0, 255.0], np.ones(3), np.zeros(3)])


def _maps(step: Resample) -> _Geometry | None:
    """Pull matrices ``[n, 2, 3]`` of a batch, which of its samples may go this way, and which do more than move."""
    if step not in _MAPS:
        found = None
        sampling = step.sampling
        if len(step.links) == 1 and isinstance(step.links[0], Matrices) and sampling.order in (None, 1):
            m = step.links[0].m
            if m.shape[-1] == 3:
                pull = np.ascontiguousarray(m[:, :2])
                size = np.abs(pull)
                plain = (m[:, 2] == _LAST).all(axis=1) & (size.max(axis=(1, 2)) < _FARTHEST)
                linear = size[:, :, :2]
                if sampling.antialias:
                    plain &= ((linear * linear).sum(axis=2) <= SHRINK_LIMIT**2).all(axis=1)
                moves = (linear.sum(axis=(1, 2)) == 2.0) & (pull == np.rint(pull)).all(axis=(1, 2))
                found = pull, plain, plain & ~moves
        _MAPS[step] = found
    return _MAPS[step]


def _numbers(colour: Colour) -> tuple[Floats, Bools] | None:
    """Matrix, offset, pivot, limits, final limits, gain and offset, ``[n, 31]``; and which samples are this simple."""
    if colour not in _NUMBERS:
        found, mix = None, mixing(colour) if colour.dtype in _OUT else None
        if mix is not None and mix.a.shape[1] == 3:
            n = len(mix.a)
            final = values.max_range(colour.dtype) if colour.dtype.kind == "u" else (-math.inf, math.inf)
            pivot = np.zeros((n, 9)) if mix.pivot is None else mix.pivot.reshape(n, 9)
            parts = [mix.a.reshape(n, 9), mix.b, pivot, mix.low[:, None], mix.high[:, None], np.tile(final, (n, 1))]
            gains = mix.a2.diagonal(axis1=1, axis2=2)
            found = np.concatenate([*parts, gains, mix.b2], axis=1), mix.scales
        _NUMBERS[colour] = found
    return _NUMBERS[colour]


def takes(
    step: Pass, row: int, in_shape: tuple[int, ...], dtype: np.dtype[Any], channels: int, *, any_row: bool = False
) -> bool:
    """Whether a sample goes this way; with ``any_row``, whether samples of such a pass may."""
    if step.resample is None or dtype != np.uint8 or channels != 3 or len(in_shape) != 2 or min(in_shape) < 4:
        return False
    found = _maps(step.resample)
    if found is None or max(in_shape) > _FARTHEST:
        return False
    if not any_row and not _chosen(found, in_shape)[row]:
        return False
    if step.colour is None:
        return True
    mixed = _numbers(step.colour)
    return mixed is not None and (any_row or bool(mixed[1][row]))


def _chosen(found: _Geometry, in_shape: tuple[int, ...]) -> Bools:
    """Which samples go this way. Pixels that only move are exact here too, but quicker as slices unless few."""
    return found[1] if in_shape[0] * in_shape[1] <= LIMIT else found[2]


def images(step: Pass, rows: slice, src: Array, out: Array) -> list[int] | None:
    """Run those of many samples of one size that :func:`takes` this way, in one call.

    Parameters
    ----------
    step : Pass
    rows : slice
        Samples of the batch, as many as ``src`` holds.
    src : array, ``(k, y, x, 3)``
    out : array, ``(k, y, x, 3)``

    Returns
    -------
    list of int or None
        Positions within ``rows`` that are left to other kernels; None for all of them.
    """
    assert step.resample is not None
    if not takes(step, rows.start, src.shape[1:3], src.dtype, src.shape[3], any_row=True):
        return None
    planes = out.transpose(0, 3, 1, 2)
    apart = planes.flags.c_contiguous
    if not apart and not out.flags.c_contiguous:
        return None
    geometry = _maps(step.resample)
    assert geometry is not None
    m, chosen = geometry[0][rows], _chosen(geometry, src.shape[1:3])[rows]
    numbers = np.broadcast_to(_PLAIN, (len(m), len(_PLAIN)))
    if step.colour is not None:
        mixed = _numbers(step.colour)
        assert mixed is not None
        numbers, chosen = mixed[0][rows], chosen & mixed[1][rows]
    sampling = step.resample.sampling
    memory = (planes if apart else out).reshape(-1)
    run(
        _flat(src), src.shape[1:3], m, chosen, BORDERS[sampling.border or "nearest"], float(sampling.fill),
        out.shape[1:3], np.ascontiguousarray(numbers), out.dtype.kind == "u", apart, memory, _ROOMS.of(out[0].size + 1),
    )  # fmt: skip
    return np.flatnonzero(~chosen).tolist()


def image(step: Pass, row: int, src: Array, out: Array) -> bool:
    """Run a sample that :func:`takes` this way into ``out`` ``(y, x, 3)``; False when ``out`` has other strides."""
    assert step.resample is not None
    planes = out.transpose(2, 0, 1)
    apart = planes.flags.c_contiguous
    if not apart and not out.flags.c_contiguous:
        return False
    found = _maps(step.resample)
    assert found is not None
    numbers, only = _PLAIN[None], slice(row, row + 1)
    if step.colour is not None:
        mixed = _numbers(step.colour)
        assert mixed is not None
        numbers = mixed[0][only]
    sampling = step.resample.sampling
    memory = (planes if apart else out).reshape(-1)
    run(
        _flat(src), src.shape[:2], found[0][only], _ONE, BORDERS[sampling.border or "nearest"], float(sampling.fill),
        out.shape[:2], numbers, out.dtype.kind == "u", apart, memory, _ROOMS.of(out.size + 1),
    )  # fmt: skip
    return True
