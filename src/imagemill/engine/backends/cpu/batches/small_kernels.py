"""Compiled pieces of :mod:`small`: blend, colour and write one sample after the other, read where :mod:`rows` says.

Pictures lie flat and channels last. Blended values lie plane by plane, ``(C, pixels)``, in float32.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math

import numpy as np

from imagemill.engine.backends.cpu.batches.rows import between, read, ring, whole
from imagemill.engine.backends.cpu.compile import compiled, exactly

SKIP, COPY, BLEND = 0, 1, 2
"""What is done to a sample: left to other kernels, moved by whole pixels, interpolated."""

_EDGE, _NOISE = 1e-9, 1e-12
_FAR = 2.0**30


# Numpy's way of asking how far a map shrinks must come out alike.
@exactly
def modes(m, largest, nearest, limit, mode):
    """Decide each sample's mode; one that comes as ``SKIP`` stays so. ``limit`` is by how much a map may shrink.

    Moves by whole pixels, but for rounding, are copies: nothing leaks from one pixel to the next.
    """
    for i in range(m.shape[0]):
        if mode[i] == SKIP:
            continue
        a, b, c, d = m[i, 0, 0], m[i, 0, 1], m[i, 1, 0], m[i, 1, 1]
        mode[i] = COPY if nearest else BLEND
        near = True
        for k in range(6):
            # False for what is not a number, too.
            near &= abs(m[i, k // 3, k % 3]) < _FAR
        affine = m[i, 2, 0] == 0.0 and m[i, 2, 1] == 0.0 and m[i, 2, 2] == 1.0
        if not (near and affine) or math.sqrt(a * a + b * b) > limit or math.sqrt(c * c + d * d) > limit:
            mode[i] = SKIP
        elif _whole(m[i], largest):
            mode[i] = COPY


@exactly.part
def _whole(m, largest):
    """Whether a map is a flip, a quarter turn or a whole shift but for rounding."""
    for k in range(2):
        y, x = abs(m[k, 0]), abs(m[k, 1])
        most, least = max(y, x), min(y, x)
        if least > _NOISE * most or abs(most - 1.0) * largest > _EDGE:
            return False
        if abs(m[k, 2] - np.rint(m[k, 2])) > _EDGE:
            return False
    return (abs(m[0, 0]) > abs(m[0, 1])) == (abs(m[1, 1]) > abs(m[1, 0]))


@compiled.part
def _copy_row(buffer, index, channels, planes, at, total, count):
    for c in range(channels):
        plane = planes[c * total + at :]
        for x in range(count):
            plane[x] = buffer[np.uintp(index[x] + c)]


@compiled.part
def _blend_row(buffer, wide, index, wy, wx, channels, planes, at, total, count):
    step, wide = np.uintp(channels), np.uintp(wide)
    for c in range(channels):
        plane = planes[c * total + at :]
        for x in range(count):
            b = np.uintp(index[x] + c)
            ux, uy = np.float32(1.0) - wx[x], np.float32(1.0) - wy[x]
            upper = ux * buffer[b] + wx[x] * buffer[b + step]
            lower = ux * buffer[b + wide] + wx[x] * buffer[b + wide + step]
            plane[x] = uy * upper + wy[x] * lower


@compiled.part
def _blend_row3(buffer, wide, index, wy, wx, planes, at, total, count):
    """Three channels at once share their weights."""
    wide = np.uintp(wide)
    red, green, blue = planes[at:], planes[at + total :], planes[at + 2 * total :]
    g, b, s = np.uintp(1), np.uintp(2), np.uintp(3)
    for x in range(count):
        i = np.uintp(index[x])
        j = i + wide
        ux, uy = np.float32(1.0) - wx[x], np.float32(1.0) - wy[x]
        w0, w1, w2, w3 = uy * ux, uy * wx[x], wy[x] * ux, wy[x] * wx[x]
        r0 = w0 * buffer[i] + w1 * buffer[i + s] + w2 * buffer[j] + w3 * buffer[j + s]
        r1 = w0 * buffer[i + g] + w1 * buffer[i + s + g] + w2 * buffer[j + g] + w3 * buffer[j + s + g]
        r2 = w0 * buffer[i + b] + w1 * buffer[i + s + b] + w2 * buffer[j + b] + w3 * buffer[j + s + b]
        red[x], green[x], blue[x] = r0, r1, r2


@compiled.part
def _resample(buffer, size, m, mode, border, shape, room, planes):
    index, wy, wx = room
    channels, count, total = size[2], shape[1], shape[0] * shape[1]
    wide = (size[1] + 2) * channels
    for y in range(shape[0]):
        along = m[0, 0] * y + m[0, 2], m[0, 1], m[1, 0] * y + m[1, 2], m[1, 1], 0.0, 1.0
        if mode == COPY:
            whole(border, along, count, size, index)
            _copy_row(buffer, index, channels, planes, y * count, total, count)
            continue
        between(border, along, count, size, index, wy, wx)
        if channels == 3:
            _blend_row3(buffer, wide, index, wy, wx, planes, y * count, total, count)
        else:
            _blend_row(buffer, wide, index, wy, wx, channels, planes, y * count, total, count)


@compiled.part
def _mix(planes, total, matrix, channels, line, mixed):
    """Multiply each pixel by a matrix, and add its last column, in place."""
    for start in range(0, total, line):
        end = min(start + line, total)
        for c in range(channels):
            row = mixed[c * line :]
            b = np.float32(matrix[c, channels])
            for x in range(end - start):
                row[x] = b
            for k in range(channels):
                a = np.float32(matrix[c, k])
                plane = planes[k * total + start :]
                # A zero counts on its own plane only, where it must not hide what is not a number.
                if a != 0.0 or k == c:
                    for x in range(end - start):
                        row[x] += a * plane[x]
        for c in range(channels):
            row, plane = mixed[c * line :], planes[c * total + start :]
            for x in range(end - start):
                plane[x] = row[x]


@compiled.part
def _clamp(planes, count, low, high):
    for x in range(count):
        planes[x] = min(max(planes[x], low), high)


@compiled.part
def _pivot(planes, total, pivot, matrix, channels, into):
    """The matrix with each channel's share of the means added to its last column."""
    for c in range(channels):
        for k in range(channels + 1):
            into[c, k] = matrix[c, k]
    for k in range(channels):
        mean = 0.0
        for x in range(total):
            mean += planes[k * total + x]
        mean /= total
        for c in range(channels):
            into[c, channels] += pivot[c, k] * mean


@compiled.part
def _colour(planes, total, channels, i, colour, mixed, matrix):
    first, pivot, limits, clipped, second = colour
    line = mixed.shape[0] // channels
    if first.shape[0]:
        if pivot.shape[0]:
            _pivot(planes, total, pivot[i], first[i], channels, matrix)
            _mix(planes, total, matrix, channels, line, mixed)
        else:
            _mix(planes, total, first[i], channels, line, mixed)
    if limits.shape[0]:
        _clamp(planes, clipped * total, np.float32(limits[i, 0]), np.float32(limits[i, 1]))
    if second.shape[0]:
        _mix(planes, total, second[i], channels, line, mixed)


@compiled.part
def _round(planes, count, low, high):
    for x in range(count):
        v = np.rint(planes[x])
        # What is not a number fails the comparison and becomes the lower end: 0 for the types written here.
        v = v if v > low else low
        planes[x] = min(v, high)


@compiled.part
def _write(planes, shape, channels, out, at, strides):
    sy, sx, sc = strides
    h, w = shape
    total = h * w
    if sx == 1 and sy == w:
        for c in range(channels):
            target, plane = out[at + c * sc :], planes[c * total :]
            for x in range(total):
                target[x] = plane[x]
    elif channels == 3 and sc == 1 and sx == 3 and sy == 3 * w:
        # Written out for the sake of wide stores.
        target, red, green, blue = out[at:], planes, planes[total:], planes[2 * total :]
        for x in range(total):
            target[3 * x] = red[x]
            target[3 * x + 1] = green[x]
            target[3 * x + 2] = blue[x]
    else:
        for y in range(h):
            for x in range(w):
                for c in range(channels):
                    out[at + y * sy + x * sx + c * sc] = planes[c * total + y * w + x]


@compiled
def run(src, size, channels, m, mode, border, fill, shape, limits, colour, final, out, strides):
    """All samples whose mode is not ``SKIP``.

    ``limits`` clamps blended values and ``final`` rounds what is written, each unless its ends are crossed.
    ``strides`` are items from sample to sample, row, column and channel of ``out``.
    """
    h, w = size
    count, total, line = shape[1], shape[0] * shape[1], (w + 2) * channels
    strides_in = h * w * channels, w * channels, channels, 1
    buffer = np.zeros((h + 2) * line, np.float32)
    planes = np.empty(total * channels, np.float32)
    mixed = np.empty(min(total, 1024) * channels, np.float32)
    matrix = np.empty((channels, channels + 1))
    room = np.empty(count, np.int32), np.empty(count, np.float32), np.empty(count, np.float32)
    for i in range(m.shape[0]):
        if mode[i] == SKIP:
            continue
        read(src, i * strides_in[0], strides_in, (h, w, channels), buffer, line + channels, line)
        ring(buffer, (h, w, channels), border, fill)
        _resample(buffer, (h, w, channels), m[i], mode[i], border, shape, room, planes)
        if limits[0] <= limits[1]:
            _clamp(planes, total * channels, np.float32(limits[0]), np.float32(limits[1]))
        _colour(planes, total, channels, i, colour, mixed, matrix)
        if final[0] <= final[1]:
            _round(planes, total * channels, np.float32(final[0]), np.float32(final[1]))
        _write(planes, shape, channels, out, i * strides[0], (strides[1], strides[2], strides[3]))
