"""Compiled pieces of :mod:`fused`: one picture after the other is read, moved, coloured, normalised and written.

A picture is read into a buffer with its last row and column once more behind it, so that the four neighbours of any
place within are at hand. They are blended in double precision and rounded to single precision once, as
``scipy.ndimage`` does: brightness cuts to whole grey levels, and a value of 36.99999 would become another level.
"""

# Kernels are compiled once, so their arguments have no one type to declare.
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import njit
from numba.core.cgutils import ir  # type: ignore[attr-defined]  # llvmlite's, as numba itself uses it
from numba.extending import intrinsic

NEAREST, CONSTANT, REFLECT, WRAP = 0, 1, 2, 3
SLACK = 8
"""Items behind a buffer that vectors may read or write and nobody looks at."""

_SIGN = np.int32(0x7FFFFFFF)
_INT = ir.IntType(32)

# No contraction of a * b + c: on exact turns and shifts the last bit decides what lies inside the frame.
_compiled: Any = njit(nogil=True, cache=True, error_model="numpy")
# Sums of many values may be taken in any order, by which they fill vectors. Not for values that decide anything.
_compiled_sum: Any = njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract"})


# ---------------------------------------------------------------------------------------------- numbers


@_compiled
def uniform_words(low, high, epoch, keys, out):
    """Philox4x32-10 of each key in the streams 0, 1, 2, as numbers inside (0, 1), ``out [12, n]``.

    The numbers of :class:`imagemill.core.randomness.rng.Generator`, bit for bit.
    """
    m0, m1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    w0, w1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for stream in range(3):
        for i in range(len(keys)):
            c0, c1, c2, c3 = keys[i] & mask, keys[i] >> half, np.uint64(epoch), np.uint64(stream)
            a, b = np.uint64(low), np.uint64(high)
            for _ in range(10):
                p0, p1 = c0 * m0, c2 * m1
                c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ a, p1 & mask, (p0 >> half) ^ c3 ^ b, p0 & mask
                a, b = (a + w0) & mask, (b + w1) & mask
            out[4 * stream, i] = (np.float64(c0) + 0.5) * 2.0**-32
            out[4 * stream + 1, i] = (np.float64(c1) + 0.5) * 2.0**-32
            out[4 * stream + 2, i] = (np.float64(c2) + 0.5) * 2.0**-32
            out[4 * stream + 3, i] = (np.float64(c3) + 0.5) * 2.0**-32


@_compiled
def matrices(turn, move, lean, zoom, centre, out):
    """The products that :func:`affine.matrices` takes factor by factor, ``out [n, 3, 3]``; whether all are finite.

    ``turn`` and ``lean`` are cosines and sines, ``move`` and ``zoom`` numbers along x and y, all ``[2, n]``.
    """
    finite = True
    ox, oy = centre
    for i in range(out.shape[0]):
        c, s = turn[0, i], turn[1, i]
        tx, ty = move[0, i], move[1, i]
        cl, sl = lean[0, i], lean[1, i]
        zx, zy = zoom[0, i], zoom[1, i]
        right, down = c * tx - s * ty, s * tx + c * ty
        a, b = c * zx, (c * -sl - s * cl) * zy
        d, e = s * zx, (s * -sl + c * cl) * zy
        right = (a * -ox + b * -oy) + (right + ox)
        down = (d * -ox + e * -oy) + (down + oy)
        # From (x, y) to the order of an array.
        out[i, 0, 0], out[i, 0, 1], out[i, 0, 2] = e, d, down
        out[i, 1, 0], out[i, 1, 1], out[i, 1, 2] = b, a, right
        out[i, 2, 0], out[i, 2, 1], out[i, 2, 2] = 0.0, 0.0, 1.0
        finite &= np.isfinite(a + b + d + e + right + down)
    return finite


# ---------------------------------------------------------------------------------------------- vectors


def _pixel_plain(step: int) -> Any:
    def blend(src, at, line, wy, wx, out, o):
        for k in range(4):
            out[o + k] = _value(src, int(at) + k, int(line), step, wy, wx)

    return blend


@_compiled
def _value(src, at, line, step, wy, wx):
    a, b = np.float64(src[at]), np.float64(src[at + line])
    c, d = np.float64(src[at + step]), np.float64(src[at + line + step])
    left, right = a + wy * (b - a), c + wy * (d - c)
    return left + wx * (right - left)


def _pixel_emitted(step: int) -> Any:
    """Two rows of eight values blended down the columns, then against themselves ``step`` places on."""

    @intrinsic
    def blend(typing, src, at, line, wy, wx, out, o):
        del typing
        signature = numba.types.void(src, at, line, wy, wx, out, o)

        def generate(context, builder, signature, arguments):
            pixels = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            target = context.make_array(signature.args[5])(context, builder, arguments[5]).data
            at, line, wy, wx, _, o = arguments[1:]
            real8, real4 = (ir.VectorType(ir.DoubleType(), k) for k in (8, 4))
            single4 = ir.VectorType(ir.FloatType(), 4)
            flags = ("contract",)

            def eight(place):
                pointer = builder.bitcast(builder.gep(pixels, [place]), ir.VectorType(ir.FloatType(), 8).as_pointer())
                return builder.fpext(builder.load(pointer, align=4), real8)

            def spread(weight, kind):
                empty = ir.Constant(kind, ir.Undefined)
                first = builder.insert_element(empty, weight, ir.Constant(_INT, 0))
                return builder.shuffle_vector(
                    first, empty, ir.Constant(ir.VectorType(_INT, kind.count), [0] * kind.count)
                )

            def between(a, b, weight):
                return builder.fadd(a, builder.fmul(builder.fsub(b, a), weight, flags=flags), flags=flags)

            both = between(eight(at), eight(builder.add(at, line)), spread(wy, real8))
            left, right = (
                builder.shuffle_vector(both, both, ir.Constant(ir.VectorType(_INT, 4), list(range(k, k + 4))))
                for k in (0, step)
            )
            made = builder.fptrunc(between(left, right, spread(wx, real4)), single4)
            builder.store(made, builder.bitcast(builder.gep(target, [o]), single4.as_pointer()), align=4)
            return context.get_dummy_value()

        return signature, generate

    return blend


_make = _pixel_plain if numba.config.DISABLE_JIT else _pixel_emitted  # type: ignore[attr-defined]  # set at run time
# ``(src, at, line, wy, wx, out, o)``: blend of the pixel of 3 or 4 values at ``src[at]``, the next one, and the two
# ``line`` values on, into ``out[o : o + 4]``.
_pixel3: Any = _make(3)
_pixel4: Any = _make(4)


# ---------------------------------------------------------------------------------------------- geometry


@_compiled
def _read(src, at, strides, size, line, out):
    """Copy a picture as ``(h, w, C)`` in rows of ``line`` values."""
    h, w, channels = size
    row = w * channels
    if strides[3] == 1 and strides[2] == channels and strides[1] == row:
        for y in range(h):
            s, t = np.uintp(at + y * row), np.uintp(y * line)
            for x in range(np.uintp(row)):
                out[t + x] = src[s + x]
        return
    for c in range(channels):
        for y in range(h):
            s, t = at + y * strides[1] + c * strides[3], y * line + c
            for x in range(w):
                out[t + x * channels] = src[s + x * strides[2]]


@_compiled
def _edge(buffer, h, row, channels):
    """Put the last column and the last row of a picture once more behind them."""
    line = row + channels
    for y in range(h):
        for c in range(channels):
            buffer[y * line + row + c] = buffer[y * line + row - channels + c]
    for x in range(line):
        buffer[h * line + x] = buffer[(h - 1) * line + x]


@_compiled
def _held(q, last):
    """A coordinate within the outermost pixel centres. Whatever it was: what is not a number becomes 0."""
    t = q if q > 0.0 else 0.0
    return t if t < last else last


@_compiled
def _reflected(q, last):
    period = 2.0 * last + 2.0
    t = q - period * np.floor(q / period)
    t = period - 1.0 - t if t > last else t
    return q if (q >= 0.0) & (q <= last) else t


@_compiled
def _wrapped(q, last):
    turns = q / last
    below, above = q + last * (np.floor(-turns) + 1.0), q - last * np.floor(turns)
    t = below if q < 0.0 else above
    return q if (q >= 0.0) & (q <= last) else t


# One loop for each border, and nothing to decide within: only so do they fill vectors. Each keeps the place of the
# upper left neighbour, and the fractions beyond it.


@_compiled
def _row_held(by, sy, bx, sx, start, step, size, index, wy, wx):
    h, w, channels = size
    line, pixel, bottom, right = float((w + 1) * channels), float(channels), h - 1.0, w - 1.0
    for x in range(w):
        px = start + step * float(x)
        qy, qx = _held(by + sy * px, bottom), _held(bx + sx * px, right)
        j, k = np.floor(qy), np.floor(qx)
        wy[x] = qy - j
        wx[x] = qx - k
        index[x] = np.int32(j * line + k * pixel)


@_compiled
def _row_reflected(by, sy, bx, sx, start, step, size, index, wy, wx):
    h, w, channels = size
    line, pixel, bottom, right = float((w + 1) * channels), float(channels), h - 1.0, w - 1.0
    for x in range(w):
        px = start + step * float(x)
        qy, qx = _reflected(by + sy * px, bottom), _reflected(bx + sx * px, right)
        qy, qx = _held(qy, bottom), _held(qx, right)
        j, k = np.floor(qy), np.floor(qx)
        wy[x] = qy - j
        wx[x] = qx - k
        index[x] = np.int32(j * line + k * pixel)


@_compiled
def _row_wrapped(by, sy, bx, sx, start, step, size, index, wy, wx):
    h, w, channels = size
    line, pixel, bottom, right = float((w + 1) * channels), float(channels), h - 1.0, w - 1.0
    # A single row or column gives what is not a number, which is held.
    for x in range(w):
        px = start + step * float(x)
        qy, qx = _wrapped(by + sy * px, bottom), _wrapped(bx + sx * px, right)
        qy, qx = _held(qy, bottom), _held(qx, right)
        j, k = np.floor(qy), np.floor(qx)
        wy[x] = qy - j
        wx[x] = qx - k
        index[x] = np.int32(j * line + k * pixel)


@_compiled
def _start(m, y, h, flip_y):
    """The part of a row's coordinates that its pixels share."""
    py = float(h - 1 - y) if flip_y else float(y)
    # Summed in this order, so that a tie falls to the same side as in ndimage.
    return m[0, 2] + m[0, 0] * py, m[1, 2] + m[1, 0] * py


@_compiled
def _inside(by, sy, bx, sx, start, step, h, w):
    """The first pixel of a row that is read within the picture, and the one behind the last: on a line, one run."""
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
    first, end = max(above, before), w - max(below, behind)
    return first, end


@_compiled
def _fill(x, at, count, first, end, fill):
    """Give the fill to all but a run of values."""
    for k in range(np.uintp(count)):
        x[at + k] = x[at + k] if (k >= first) & (k < end) else fill


@_compiled
def _blend(buffer, index, wy, wx, count, line, channels, out, o):
    if channels == 3:
        for x in range(count):
            _pixel3(buffer, np.uintp(index[x]), np.uintp(line), wy[x], wx[x], out, np.uintp(o + 3 * x))
    elif channels == 4:
        for x in range(count):
            _pixel4(buffer, np.uintp(index[x]), np.uintp(line), wy[x], wx[x], out, np.uintp(o + 4 * x))
    else:
        for x in range(count):
            for c in range(channels):
                out[o + x * channels + c] = _value(buffer, np.uintp(index[x] + c), line, channels, wy[x], wx[x])


@_compiled
def _move(buffer, size, m, flip_y, flip_x, mode, fill, index, wy, wx, out):
    """Read a picture where a matrix points, row by row."""
    h, w, channels = size
    line, row = (w + 1) * channels, w * channels
    start, step = (w - 1.0, -1.0) if flip_x else (0.0, 1.0)
    sy, sx = m[0, 1], m[1, 1]
    for y in range(h):
        by, bx = _start(m, y, h, flip_y)
        if mode == REFLECT:
            _row_reflected(by, sy, bx, sx, start, step, size, index, wy, wx)
        elif mode == WRAP:
            _row_wrapped(by, sy, bx, sx, start, step, size, index, wy, wx)
        else:
            _row_held(by, sy, bx, sx, start, step, size, index, wy, wx)
        # Vectors of four may write one value too many: the first of the next row, which comes after.
        _blend(buffer, index, wy, wx, w, line, channels, out, y * row)
    # Not row by row: what was just written in fours cannot be read in sixteens without a wait.
    for y in range(h if mode == CONSTANT else 0):
        by, bx = _start(m, y, h, flip_y)
        first, end = _inside(by, sy, bx, sx, start, step, h, w)
        if first > 0 or end < w:
            run = np.uintp(max(first, 0) * channels), np.uintp(max(end, 0) * channels)
            _fill(out, np.uintp(y * row), row, run[0], run[1], fill)


# ---------------------------------------------------------------------------------------------- colour


@_compiled
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


@_compiled
def _cut(v, low, high):
    """A value within two ends; what is not a number stays."""
    v = low if v < low else v
    return high if v > high else v


@_compiled
def _shift(x, count, add, low, high):
    for k in range(count):
        x[k] = _cut(x[k] + add, low, high)


@_compiled
def _light(x, count, channels, gain, low, high):
    """Multiply in 8 bits, as Pillow does; a picture beyond 0..255 is stretched to it and brought back."""
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


@_compiled_sum
def _sum(x, count):
    total = 0.0
    for k in range(count):
        total += np.float64(x[k])
    return total


@_compiled_sum
def _square_sum(x, count):
    total = 0.0
    for k in range(count):
        total += np.float64(x[k]) * np.float64(x[k])
    return total


@_compiled
def _normalise(x, count, rescale, samplewise, epsilon, mean, factor):
    """Rescale, take the picture's own mean (1) and deviation (2) out, then those that were learned."""
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


@_compiled
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


@_compiled
def run(src, single, rows, size, strides, geometry, colour, finish, out, first, out_strides):
    """The pictures ``rows`` of a source, into ``out`` from picture ``first`` on.

    ``src`` are bytes: of single-precision numbers, if ``single``. So one kernel reads both.
    ``strides`` are items from picture to picture, row, column and channel. Empty arrays stand for what is not done.
    """
    h, w, channels = size
    m, flip_y, flip_x, mode, fill = geometry
    shift, light = colour
    rescale, samplewise, epsilon, mean, factor = finish
    count, line = h * w * channels, (w + 1) * channels
    numbers = src.view(np.float32) if single else np.empty(0, np.float32)
    moves = len(m) > 0
    buffer = np.zeros((h + 1) * line + SLACK if moves else 0, np.float32)
    x = np.zeros(count + SLACK, np.float32)
    index, wy, wx = np.empty(w, np.int32), np.empty(w), np.empty(w)
    into, wide = (buffer, line) if moves else (x, w * channels)
    for i in range(len(rows)):
        at = rows[i] * strides[0]
        if single:
            _read(numbers, at, strides, size, wide, into)
        else:
            _read(src, at, strides, size, wide, into)
        if moves:
            _edge(buffer, h, w * channels, channels)
            _move(buffer, size, m[i], flip_y[i], flip_x[i], mode, np.float32(fill), index, wy, wx, x)
        if len(shift) or len(light):
            low, high = _ends(x, count)
            if len(shift):
                add = np.float32(shift[i])
                _shift(x, count, add, low, high)
                low, high = _cut(low + add, low, high), _cut(high + add, low, high)
            if len(light):
                _light(x, count, channels, np.float32(light[i]), low, high)
        _normalise(x, count, rescale, samplewise, epsilon, mean, factor)
        _write(x, size, out, (first + i) * out_strides[0], out_strides)
