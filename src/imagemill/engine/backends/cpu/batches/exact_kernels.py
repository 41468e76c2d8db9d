"""Compiled pieces of :mod:`exact`: one picture after the other is read, moved, toned and written.

Pictures are blended in double precision and rounded to single precision once, as ``scipy.ndimage`` does: tones that cut
to whole grey levels would make another level of 36.99999. The channels of a pixel lie side by side throughout.
"""

# Kernels are compiled once, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.batches import rows
from imagemill.engine.backends.cpu.batches.rows import between, read, ring
from imagemill.engine.backends.cpu.compile import exactly, summing
from imagemill.engine.backends.cpu.resample.lines import CONSTANT, MIRROR, REFLECT
from imagemill.engine.backends.cpu.simd import blend_four, blend_three

SLACK = 8
"""Items behind a buffer that vectors may read or write and nobody looks at."""

_SIGN = np.int32(0x7FFFFFFF)


# ---------------------------------------------------------------------------------------------- geometry


@exactly.part
def _along(m, y, size, flip_y, flip_x):
    """A row's first coordinate and step, for y and for x; its first pixel and step."""
    h, w, _ = size
    py = float(h - 1 - y) if flip_y else float(y)
    start, step = (w - 1.0, -1.0) if flip_x else (0.0, 1.0)
    # Summed in this order, so that a tie falls to the same side as in ndimage.
    return m[0, 2] + m[0, 0] * py, m[0, 1], m[1, 2] + m[1, 0] * py, m[1, 1], start, step


@exactly.part
def _inside(along, size):
    """The first pixel of a row that is read within the outermost centres, and the one behind the last: one run."""
    by, sy, bx, sx, start, step = along
    h, w, _ = size
    bottom, right = h - 1.0, w - 1.0
    # Counted, as that fills vectors: how many are read above, below, left and right of the picture.
    above, below, before, behind = 0, 0, 0, 0
    for x in range(w):
        px = start + step * float(x)
        qy, qx = by + sy * px, bx + sx * px
        above += 1 if qy < 0.0 else 0
        below += 1 if qy > bottom else 0
        before += 1 if qx < 0.0 else 0
        behind += 1 if qx > right else 0
    if sy * step < 0.0:
        above, below = below, above
    if sx * step < 0.0:
        before, behind = behind, before
    return max(above, before), w - max(below, behind)


@exactly.part
def _fill(x, at, count, first, end, fill):
    """Give the fill to all but a run of values."""
    for k in range(np.uintp(count)):
        x[at + k] = x[at + k] if (k >= first) & (k < end) else fill


@exactly.part
def _value(src, at, line, step, wy, wx):
    a, b = np.float64(src[at]), np.float64(src[at + line])
    c, d = np.float64(src[at + step]), np.float64(src[at + line + step])
    left, right = a + wy * (b - a), c + wy * (d - c)
    return left + wx * (right - left)


@exactly.part
def _blend(buffer, index, wy, wx, count, line, channels, out, o):
    if channels == 3:
        for x in range(count):
            blend_three(buffer, np.uintp(index[x]), np.uintp(line), wy[x], wx[x], out, np.uintp(o + 3 * x))
    elif channels == 4:
        for x in range(count):
            blend_four(buffer, np.uintp(index[x]), np.uintp(line), wy[x], wx[x], out, np.uintp(o + 4 * x))
    else:
        for x in range(count):
            for c in range(channels):
                out[o + x * channels + c] = _value(buffer, np.uintp(index[x] + c), line, channels, wy[x], wx[x])


@exactly.part
def _move(buffer, size, m, flip_y, flip_x, border, cut, fill, index, wy, wx, out):
    """Read a picture where a matrix points, row by row; ``cut`` fills what is beyond the outermost centres."""
    h, w, channels = size
    line, row = (w + 2) * channels, w * channels
    for y in range(h):
        along = _along(m, y, size, flip_y, flip_x)
        # As `rows.between`, written out: a call would cost as much as half of a row.
        if border == CONSTANT:
            rows.BETWEEN_CONSTANT(along, w, size, index, wy, wx)
        elif border == REFLECT:
            rows.BETWEEN_REFLECT(along, w, size, index, wy, wx)
        elif border == MIRROR:
            rows.BETWEEN_MIRROR(along, w, size, index, wy, wx)
        elif border == rows.WRAP:
            rows.BETWEEN_WRAP(along, w, size, index, wy, wx)
        elif border == rows.CYCLE:
            rows.BETWEEN_CYCLE(along, w, size, index, wy, wx)
        else:
            rows.BETWEEN_NEAREST(along, w, size, index, wy, wx)
        # Vectors of four may write one value too many: the first of the next row, which comes after.
        _blend(buffer, index, wy, wx, w, line, channels, out, y * row)
    # Not row by row: what was just written in fours cannot be read in sixteens without a wait.
    for y in range(h if cut else 0):
        first, end = _inside(_along(m, y, size, flip_y, flip_x), size)
        if first > 0 or end < w:
            run = np.uintp(max(first, 0) * channels), np.uintp(max(end, 0) * channels)
            _fill(out, np.uintp(y * row), row, run[0], run[1], fill)


@exactly
def pick(m, flip_y, flip_x, size, border, cut, out):
    """Which pixel of a picture with a ring around it is the nearest, ``out [h, w]``; -1 for the fill."""
    h, w = size
    size = h, w, 1
    wy, wx = np.empty(w), np.empty(w)
    for y in range(h):
        along = _along(m, y, size, flip_y, flip_x)
        between(border, along, w, size, out[y], wy, wx)
        # The fractions, rounded as ndimage rounds coordinates.
        for x in range(w):
            out[y, x] += np.int32(np.floor(wy[x] + 0.5)) * np.int32(w + 2) + np.int32(np.floor(wx[x] + 0.5))
        if cut:
            first, end = _inside(along, size)
            for x in range(w):
                out[y, x] = out[y, x] if first <= x < end else np.int32(-1)


# ---------------------------------------------------------------------------------------------- tones


@exactly.part
def _ends(x, count):
    """The smallest and the largest value."""
    # As whole numbers in the same order, which fill vectors: floating point would ask about what is not a number.
    bits = x.view(np.int32)
    low, high = _SIGN, np.int32(-_SIGN)
    for k in range(count):
        b = bits[k]
        b = b ^ ((b >> np.int32(31)) & _SIGN)
        low, high = min(low, b), max(high, b)
    pair = np.empty(2, np.int32)
    pair[0], pair[1] = low ^ ((low >> np.int32(31)) & _SIGN), high ^ ((high >> np.int32(31)) & _SIGN)
    found = pair.view(np.float32)
    return found[0], found[1]


@exactly.part
def _cut(v, low, high):
    """A value within two ends; what is not a number stays."""
    v = low if v < low else v
    return high if v > high else v


@exactly.part
def _shift(x, count, add, low, high):
    for k in range(count):
        x[k] = _cut(x[k] + add, low, high)


@exactly.part
def _light(x, count, channels, gain, low, high):
    """Multiply in 8 bits; a picture beyond 0..255 is stretched to it and brought back."""
    zero, most = np.float32(0.0), np.float32(255.0)
    if not (low < zero or high > most):
        if channels == 4:
            for k in range(count):
                whole = np.floor(x[k])
                x[k] = whole if k & 3 == 3 else np.floor(_cut(whole * gain, zero, most))
        else:
            for k in range(count):
                x[k] = np.floor(_cut(np.floor(x[k]) * gain, zero, most))
        return
    span = high - low
    part = span if span != zero else np.float32(1.0)
    for k in range(count):
        whole = np.floor((x[k] - low) / part * most)
        lit = whole if channels == 4 and k & 3 == 3 else np.floor(_cut(whole * gain, zero, most))
        x[k] = lit / most * span + low


@summing.part
def _sum(x, count):
    total = 0.0
    for k in range(count):
        total += np.float64(x[k])
    return total


@summing.part
def _square_sum(x, count):
    total = 0.0
    for k in range(count):
        total += np.float64(x[k]) * np.float64(x[k])
    return total


@exactly.part
def _finish(x, count, rescale, samplewise, epsilon, mean, factor):
    """Rescale, take the picture's own mean (1) and deviation (2) out, then those that were given."""
    if rescale != np.float32(1.0):
        for k in range(count):
            x[k] *= rescale
    if samplewise & 1:
        own = np.float32(_sum(x, count) / count)
        for k in range(count):
            x[k] -= own
    if samplewise & 2:
        # What single precision left of the mean is no part of the deviation.
        rest = _sum(x, count) / count
        spread = np.sqrt(max(_square_sum(x, count) / count - rest * rest, 0.0))
        part = np.float32(1.0 / (spread + epsilon))
        for k in range(count):
            x[k] *= part
    # Numbers of a whole picture, or of a row that all rows share.
    for start in range(0, count if len(mean) else 0, max(len(mean), 1)):
        at = np.uintp(start)
        for k in range(np.uintp(len(mean))):
            x[at + k] = (x[at + k] - mean[k]) * factor[k]


@exactly.part
def _write(x, size, out, at, strides):
    h, w, channels = size
    row = w * channels
    if strides[3] == 1 and strides[2] == channels and strides[1] == row:
        target = out[at:]
        for k in range(h * row):
            target[k] = x[k]
        return
    for c in range(channels):
        for y in range(h):
            s, t = y * row + c, at + y * strides[1] + c * strides[3]
            for k in range(w):
                out[t + k * strides[2]] = x[s + k * channels]


# ---------------------------------------------------------------------------------------------- all of it


@exactly
def run(src, single, chosen, size, strides, geometry, tones, finish, out, first, out_strides):
    """The pictures ``chosen`` of a source, into ``out`` from picture ``first`` on.

    ``src`` are bytes: of single-precision numbers, if ``single``. So one kernel reads both.
    ``strides`` are items from picture to picture, row, column and channel. Empty arrays stand for what is not done.
    """
    h, w, channels = size
    m, flip_y, flip_x, border, cut, fill = geometry
    add, gain = tones
    rescale, samplewise, epsilon, mean, factor = finish
    count, line = h * w * channels, (w + 2) * channels
    numbers = src.view(np.float32) if single else np.empty(0, np.float32)
    moves = len(m) > 0
    buffer = np.zeros((h + 2) * line + SLACK if moves else 0, np.float32)
    x = np.zeros(count + SLACK, np.float32)
    index, wy, wx = np.empty(w, np.int32), np.empty(w), np.empty(w)
    filled = np.full(channels, np.float32(fill))
    into, start, wide = (buffer, line + channels, line) if moves else (x, 0, w * channels)
    for i in range(len(chosen)):
        at = chosen[i] * strides[0]
        if single:
            read(numbers, at, strides, size, into, start, wide)
        else:
            read(src, at, strides, size, into, start, wide)
        if moves:
            ring(buffer, size, border, filled)
            _move(buffer, size, m[i], flip_y[i], flip_x[i], border, cut, np.float32(fill), index, wy, wx, x)
        if len(add) or len(gain):
            low, high = _ends(x, count)
            if len(add):
                more = np.float32(add[i])
                _shift(x, count, more, low, high)
                low, high = _cut(low + more, low, high), _cut(high + more, low, high)
            if len(gain):
                _light(x, count, channels, np.float32(gain[i]), low, high)
        _finish(x, count, rescale, samplewise, epsilon, mean, factor)
        _write(x, size, out, (first + i) * out_strides[0], out_strides)
