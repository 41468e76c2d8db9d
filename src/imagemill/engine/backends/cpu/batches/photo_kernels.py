"""Compiled pieces of :mod:`photos`: photos of 8 bits resampled, averaged and coloured one after the other.

The four neighbours of a sample are two runs of six bytes, so two loads of eight bytes bring them all
(:func:`imagemill.engine.backends.cpu.simd.blend_rgb`), and the blend of all three channels is one vector. That is
quicker than OpenCV's kernels, exact in float32, and needs no rounding between geometry and colour. Sums for the
channel means that contrast asks for are taken on the way.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import numpy as np

from imagemill.engine.backends.cpu.batches.level_rows import keeps_rows, level_rows, spread, table
from imagemill.engine.backends.cpu.batches.photo_colours import each_alone, paint, tint
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.backends.cpu.resample.lines import CONSTANT, one_pixel
from imagemill.engine.backends.cpu.resample.samplers import _bring_in
from imagemill.engine.backends.cpu.simd import blend_rgb, bytes_at, part, prefetch
from imagemill.engine.backends.cpu.vector_places import as_place

_AHEAD = 4
"""Rows between asking for a line of the source and reading it: half the time of a photo that is in no cache."""
_AHEAD_STEP = 8
_NEAR = 1 << 14
"""Bytes of a picture that is in the nearest cache once its first rows were read: nothing is asked for ahead."""
_SAMPLES = 256
"""How many samples are located at once where rows are short, so that loops are worth setting up."""
_TOGETHER = 1024
"""About how many samples are coloured at once: three planes of them lie in the nearest cache, beside a line."""


@compiled.part
def _sample(src, h, w, j, i, border, fill, out, o):
    """One sample at the edge of the picture or of its memory."""
    r, g, b = one_pixel(src, h, w, j, i, border, fill)
    # A picture stays in its range, though a fill may lie beyond.
    out[o] = min(max(r, 0.0), 255.0)
    out[o + 1] = min(max(g, 0.0), 255.0)
    out[o + 2] = min(max(b, 0.0), 255.0)


@compiled.part
def _resample(src, dims, m, border, fill, rows, n, places, red, green, blue, tinted, numbers, out, photo):
    """Rows of any affine map: some are located, read at one go, and the samples at the edge then read one by one.

    They go into planes, or, where they are ``tinted`` by some numbers, into their places in the batch.
    """
    h, w = dims
    q, margin, index, wy, wx, fours = places
    together = len(index) // n
    high, wide, width = h - 1.0, w - 1.0, float(3 * w)
    line = np.uintp(3 * w)
    # Eight bytes are read from either line; the last few places in memory have fewer behind them.
    safe = float(3 * h * w - 3 * w - 8)
    far = 3 * h * w > _NEAR
    s0, s1 = m[0, 1], m[1, 1]
    for first in range(rows[0], rows[1], together):
        lines = min(together, rows[1] - first)
        count = lines * n
        for row in range(lines):
            b0, b1 = m[0, 0] * (first + row) + m[0, 2], m[1, 0] * (first + row) + m[1, 2]
            for x in range(0, n if far else 0, _AHEAD_STEP):
                # Where this sample's successor will be read; a place beyond the picture does no harm.
                j, i = b0 + s0 * x + _AHEAD * m[0, 0], b1 + s1 * x + _AHEAD * m[1, 0]
                prefetch(src, np.uintp(int(np.floor(min(max(j, 0.0), high)) * width + 3.0 * i)))
            for x in range(n):
                # Half a word: only those become doubles many at once.
                place = float(np.int32(x))
                q[0, row * n + x] = b0 + s0 * place
                q[1, row * n + x] = b1 + s1 * place
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
            index[x] = np.uintp(as_place(min(at, safe)))
            wy[x] = np.float32(j - fj)
            wx[x] = np.float32(i - fi)
        for x in range(count):
            blend_rgb(src, index[x], line, wy[x], wx[x], fours, np.uintp(4 * x))
        if inside < count:
            for x in range(count):
                if margin[x] < 0.0:
                    _sample(src, h, w, q[0, x], q[1, x], border, fill, fours, 4 * x)
        if tinted:
            tint(fours, count, numbers, out, photo, n * first)
            continue
        start = np.uintp(n * (first - rows[0]))
        for x in range(np.uintp(0), np.uintp(count), np.uintp(8)):
            part(fours, x, red, green, blue, start + x)


@compiled.part
def _framed(red, green, blue, first, end, n, box, beyond):
    """Rows of three planes, of which a box alone is shown: what lies beyond stands in its place."""
    for y in range(first, end):
        start = n * (y - first)
        shown = box[0] <= y < box[1]
        left, right = (box[2], box[3]) if shown else (n, n)
        for x in range(left):
            red[start + x], green[start + x], blue[start + x] = beyond
        for x in range(right, n):
            red[start + x], green[start + x], blue[start + x] = beyond


@compiled.part
def _total(plane, n, columns):
    """The sum of rows of ``n``, by columns first: an order that no vector width changes."""
    columns[:] = 0.0
    wide = np.uintp(n)
    for y in range(len(plane) // n):
        start = np.uintp(y) * wide
        for k in range(wide):
            columns[k] += plane[start + k]
    total = 0.0
    for k in range(n):
        total += columns[k]
    return total


@compiled.part
def _add_means(red, green, blue, n, added, numbers, p):
    """Offsets with what the channel means add."""
    pixels = len(red)
    for c in range(3):
        p[9 + c] = numbers[9 + c]
    for k in range(3):
        mean = _total(red if k == 0 else (green if k == 1 else blue), n, added) / pixels
        for c in range(3):
            p[9 + c] += np.float32(numbers[22 + 3 * c + k] * mean)


@compiled
def run(addresses, sizes, m, chosen, border, fill, boxes, beyond, averages, shape, numbers, out, room):
    """The chosen ones of some photos, wherever each of them is: geometry, channel means, colour, layout.

    ``addresses`` are those of their first bytes in memory, ``sizes`` heights and widths ``(k, 2)``; rows of ``numbers``
    are those of :func:`photos._numbers`; ``fill`` has three values; of maps that keep rows ``boxes`` (top, bottom,
    left, right) are shown of the result, and three values ``beyond`` them; ``averages`` says that what shrinks by more
    than 2 is averaged, which only maps that keep rows may; ``out`` has a row of pixels for each photo, or three rows of
    planes; ``room`` holds three planes of a photo, and eight numbers more each. There is one such function, and no
    function around it: each would be compiled with everything in it once more.
    """
    n, pixels = shape[1], shape[0] * shape[1]
    # As many rows as are located at once; made here, as the compiler knows that nobody else writes to what it made.
    count = max(1, _SAMPLES // n) * n
    index, spots = np.empty(count, np.uintp), np.empty((2, count))
    fours, added = np.empty(4 * (count + 7), np.float32), np.empty(n, np.float32)
    places = spots, np.empty(count), index, np.empty(count, np.float32), np.empty(count, np.float32), fours
    p, alone = np.empty(22, np.float32), np.empty(32, np.float32)
    # Rows that go to colour at a time: they stay in the nearest cache.
    few = max(1, min(_TOGETHER // n, shape[0]))
    for i in range(len(chosen)):
        if not chosen[i]:
            continue
        dims = sizes[i, 0], sizes[i, 1]
        source = bytes_at(addresses[i], 3 * dims[0] * dims[1])
        for k in range(22):
            p[k] = numbers[i, k]
        means = False
        for k in range(22, 31):
            means |= numbers[i, k] != 0.0
        tinted = not means and each_alone(p, alone, out)
        level = keeps_rows(dims, m[i], border, shape)
        rows, weights = table(m[i, 0, 0], m[i, 0, 2], shape[0] if level else 1, dims[0], averages)
        columns, others = table(m[i, 1, 1], m[i, 1, 2], n if level else 1, dims[1], averages)
        taps = others.shape[1]
        left = min(columns[0], columns[len(columns) - 1])
        line = np.empty(3 * (max(columns[0], columns[len(columns) - 1]) + taps - left) + 1, np.float32)
        at, shares = spread(columns, others, left)
        # Means are known once all samples are.
        step = shape[0] if means else few
        wide = step * n + 8
        red, green, blue = room[:wide], room[wide : 2 * wide], room[2 * wide : 3 * wide]
        for first in range(0, shape[0], step):
            end = min(first + step, shape[0])
            if level:
                top, bottom = max(first, boxes[i, 0]), min(end, boxes[i, 1])
                o = n * (top - first)
                level_rows(
                    source, dims[1], rows, weights, top, bottom, taps, at, shares, n, left, line,
                    red[o:], green[o:], blue[o:],
                )  # fmt: skip
                if bottom - top < end - first or boxes[i, 3] - boxes[i, 2] < n:
                    _framed(red, green, blue, first, end, n, boxes[i], beyond)
            else:
                span = first, end
                _resample(source, dims, m[i], border, fill, span, n, places, red, green, blue, tinted, alone, out, i)
                if tinted:
                    continue
            if means:
                _add_means(red[:pixels], green[:pixels], blue[:pixels], n, added, numbers[i], p)
            for start in range(0, (end - first) * n, few * n):
                some = min(few * n, (end - first) * n - start)
                paint(red[start:], green[start:], blue[start:], p, some, out, i, first * n + start)
