"""Compiled pieces that the kernels of small pictures share: a picture with a ring around it, and where a row is read.

A picture lies in a buffer ``(h + 2, w + 2, C)``, one pixel of its border around it. Coordinates beyond that are folded
to where the border shows the same values, so that the four neighbours of any place are at hand and no pixel is a
special case.

Coordinates are not contracted: on exact turns and shifts the last bit decides what lies inside of the frame.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.engine.backends.cpu.compile import exactly
from imagemill.engine.backends.cpu.resample.lines import CONSTANT, MIRROR, REFLECT
from imagemill.engine.chains import BORDERS

WRAP = BORDERS["wrap"]
CYCLE = 5
"""As ``mode="wrap"`` of ``scipy.ndimage``: a period of one pixel less than the picture has."""


@exactly.part
def read(src, at, strides, size, out, start, line):
    """Copy a picture as ``(h, w, C)`` into floating point, its rows ``line`` values apart; ``strides`` are in items."""
    h, w, channels = size
    row = w * channels
    if strides[3] == 1 and strides[2] == channels and strides[1] == row:
        for y in range(h):
            # Unsigned, here and below: a signed index would be asked whether it counts from the end.
            s, t = np.uintp(at + y * row), np.uintp(start + y * line)
            for x in range(np.uintp(row)):
                out[t + x] = src[s + x]
        return
    for c in range(channels):
        for y in range(h):
            s, t = at + y * strides[1] + c * strides[3], start + y * line + c
            for x in range(w):
                out[t + x * channels] = src[s + x * strides[2]]


@exactly.part
def ring(buffer, size, border, fill):
    """Put one pixel of the border "constant" or "wrap" around a picture; ``fill`` has a value for each channel.

    The other borders fold every place onto the picture itself: their ring has no weight, and need only be finite.
    """
    if border != CONSTANT and border != WRAP:
        return
    h, w, channels = size
    row = w * channels
    wide = row + 2 * channels
    for y in range(1, h + 1):
        left, right = y * wide, y * wide + row + channels
        for c in range(channels):
            before, behind = buffer[right - channels + c], buffer[left + channels + c]
            buffer[left + c] = fill[c] if border == CONSTANT else before
            buffer[right + c] = fill[c] if border == CONSTANT else behind
    for x in range(wide):
        buffer[x] = fill[x % channels] if border == CONSTANT else buffer[h * wide + x]
        buffer[(h + 1) * wide + x] = fill[x % channels] if border == CONSTANT else buffer[wide + x]


# Each fold takes a coordinate and a length. What lies within comes back as it is, to the last bit.


@exactly
def _same(q, n):
    return q


@exactly
def _reflected(q, n):
    period = 2.0 * n
    t = q - period * np.floor(q / period)
    t = period - 1.0 - t if t > n - 1.0 else t
    return q if (q >= 0.0) & (q <= n - 1.0) else t


@exactly
def _mirrored(q, n):
    period = max(2.0 * n - 2.0, 1.0)
    t = q - period * np.floor(q / period)
    return min(t, 2.0 * n - 2.0 - t)


@exactly
def _tiled(q, n):
    return q - n * np.floor(q / n)


@exactly
def _cycled(q, n):
    # A single row or column gives what is not a number, which is held.
    last = n - 1.0
    turns = q / last
    below, above = q + last * (np.floor(-turns) + 1.0), q - last * np.floor(turns)
    t = below if q < 0.0 else above
    return q if (q >= 0.0) & (q <= last) else t


@exactly
def _held(q, low, high):
    """A coordinate within two ends, whatever it was: what is not a number becomes the lower."""
    t = q if q > low else low
    return t if t < high else high


# One loop for each border, and nothing to decide within: only so do they fill vectors.


def _between(fold: Any, beyond: float) -> Any:
    """Place of the upper left neighbour of each pixel, and the fractions beyond it.

    Coordinates may reach ``beyond`` the outermost centres.
    """

    @exactly
    def row(along, count, size, index, wy, wx):
        by, sy, bx, sx, start, step = along
        h, w, channels = size
        line, pixel, bottom, right = float((w + 2) * channels), float(channels), h - 1.0, w - 1.0
        first = line + pixel
        for x in range(count):
            px = start + step * float(x)
            qy, qx = fold(by + sy * px, float(h)), fold(bx + sx * px, float(w))
            qy, qx = _held(qy, -beyond, bottom + beyond), _held(qx, -beyond, right + beyond)
            j, k = np.floor(qy), np.floor(qx)
            if beyond > 0.0:
                # The ring behind is read as the pixel before it and a fraction of one.
                j, k = bottom if j > bottom else j, right if k > right else k
            wy[x] = qy - j
            wx[x] = qx - k
            index[x] = np.int32(j * line + k * pixel + first)

    return row


def _whole(fold: Any, beyond: float) -> Any:
    """Place of the pixel that holds each coordinate."""

    @exactly
    def row(along, count, size, index):
        by, sy, bx, sx, start, step = along
        h, w, channels = size
        line, pixel, bottom, right = float((w + 2) * channels), float(channels), h - 1.0, w - 1.0
        first = line + pixel
        for x in range(count):
            px = start + step * float(x)
            qy, qx = fold(np.floor(by + sy * px + 0.5), float(h)), fold(np.floor(bx + sx * px + 0.5), float(w))
            j, k = _held(qy, -beyond, bottom + beyond), _held(qx, -beyond, right + beyond)
            index[x] = np.int32(j * line + k * pixel + first)

    return row


BETWEEN_NEAREST, _WHOLE_NEAREST = _between(_same, 0.0), _whole(_same, 0.0)
BETWEEN_CONSTANT, _WHOLE_CONSTANT = _between(_same, 1.0), _whole(_same, 1.0)
BETWEEN_REFLECT, _WHOLE_REFLECT = _between(_reflected, 0.0), _whole(_reflected, 0.0)
BETWEEN_MIRROR, _WHOLE_MIRROR = _between(_mirrored, 0.0), _whole(_mirrored, 0.0)
BETWEEN_WRAP, _WHOLE_WRAP = _between(_tiled, 1.0), _whole(_tiled, 1.0)
BETWEEN_CYCLE = _between(_cycled, 0.0)


@exactly.part
def between(border, along, count, size, index, wy, wx):
    """Where the pixels of an output row are read: the upper left neighbour in the buffer, and the fractions beyond it.

    ``along`` are the row's first coordinate and its step, for y and for x, and the first pixel and its step, for
    rows that are turned over.
    """
    if border == CONSTANT:
        BETWEEN_CONSTANT(along, count, size, index, wy, wx)
    elif border == REFLECT:
        BETWEEN_REFLECT(along, count, size, index, wy, wx)
    elif border == MIRROR:
        BETWEEN_MIRROR(along, count, size, index, wy, wx)
    elif border == WRAP:
        BETWEEN_WRAP(along, count, size, index, wy, wx)
    elif border == CYCLE:
        BETWEEN_CYCLE(along, count, size, index, wy, wx)
    else:
        BETWEEN_NEAREST(along, count, size, index, wy, wx)


@exactly.part
def whole(border, along, count, size, index):
    """The same by whole pixels."""
    if border == CONSTANT:
        _WHOLE_CONSTANT(along, count, size, index)
    elif border == REFLECT:
        _WHOLE_REFLECT(along, count, size, index)
    elif border == MIRROR:
        _WHOLE_MIRROR(along, count, size, index)
    elif border == WRAP:
        _WHOLE_WRAP(along, count, size, index)
    else:
        _WHOLE_NEAREST(along, count, size, index)


@exactly
def about_centre(cos, sin, move, zoom, centre, out):
    """Matrices that turn, move, shear and zoom about a centre, ``out [n, 3, 3]``; whether all are finite.

    ``cos`` and ``sin`` are of the angles of turn and shear, ``move`` and ``zoom`` are along x and y: each ``[2, n]``.
    ``centre`` is ``(y, x)``.
    """
    oy, ox = centre
    for i in range(out.shape[0]):
        c, s, cl, sl = cos[0, i], sin[0, i], cos[1, i], sin[1, i]
        tx, ty, zx, zy = move[0, i], move[1, i], zoom[0, i], zoom[1, i]
        a, b = c * zx, (c * -sl - s * cl) * zy
        d, e = s * zx, (s * -sl + c * cl) * zy
        out[i, 0, 0], out[i, 0, 1], out[i, 0, 2] = e, d, (d * -ox + e * -oy) + (s * tx + c * ty + oy)
        out[i, 1, 0], out[i, 1, 1], out[i, 1, 2] = b, a, (a * -ox + b * -oy) + (c * tx - s * ty + ox)
        out[i, 2, 2] = 1.0
    return np.isfinite(out).all()
