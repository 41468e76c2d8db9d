"""Artefacts of scanners, gamma within a range and lower resolution on the CPU, in single precision.

As :mod:`imagemill.engine.altering.scan_values` defines them, for types whose values single precision holds.
"""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any

import numpy as np

from imagemill.core.coordinate_maps import Matrix
from imagemill.core.geometry import Floats
from imagemill.engine.altering import scan_values as scans
from imagemill.engine.backends.cpu import value_statistics as statistics
from imagemill.engine.backends.cpu.altering.convolution import rounded
from imagemill.engine.backends.cpu.compile import compiled, summing
from imagemill.engine.backends.cpu.powers import exponential, power
from imagemill.engine.backends.cpu.resample.axis_aligned import Table, Taps, combine
from imagemill.engine.backends.cpu.resample.warp3d import warp_image

__all__ = ["KINDS", "altered_scan"]

Array = np.ndarray[Any, Any]

KINDS = ("bias", "ghosts", "spikes", "motion", "range gamma", "range curve", "truncated", "deviations", "lower")
"""The filters that have a kernel here."""

_BLOCK = 4096
"""Values that are bent and then summed while they are in the nearest cache."""


def altered_scan(kind: str, params: list[Array], src: Array, out: Array | None) -> Array:
    """One sample ``(*shape, C)`` of single precision through one of :data:`KINDS`; ``out``, if given, is like it.

    For ``lower`` it may be of any type whose values single precision holds, but half precision.
    """
    src = np.ascontiguousarray(src)
    match kind:
        case "lower":
            return _lower(src, params[0], params[1], out)
        case "ghosts":
            axis, count, intensity, kept = params
            gain = scans.weakened(src.shape[int(axis)], int(count), float(intensity), float(kept))
            return _seen([src], [gain], int(axis))
        case "motion":
            return _moved(src, *params)
        case "truncated":
            return _truncated(src, float(params[0]))
        case "deviations":
            return _shifted(src, params, out)
    made = np.empty_like(src) if out is None else out
    if kind == "range curve":
        _curved(src.reshape(-1), params[0][: int(params[1])], made.reshape(-1))
        return made
    for c in range(src.shape[-1]):
        one = src.shape[-1] == 1
        plane = src[..., 0] if one else np.ascontiguousarray(src[..., c])
        target = made[..., 0] if one else np.empty_like(plane)
        if kind == "bias":
            _biased(plane, params[0], target)
        elif kind == "spikes":
            _spiked(plane, params[0], params[1], target)
        else:
            gamma, inverted, keeps = params
            _bent(plane.reshape(-1), target.reshape(-1), float(gamma), inverted=bool(inverted), keeps=bool(keeps))
        if not one:
            made[..., c] = target
    return made


def _shifted(src: Array, params: list[Array], out: Array | None) -> Array:
    amount, above, each = params
    if not np.isnan(above) or (each and src.shape[-1] > 1):
        return scans.shifted(src, amount, above, each)
    flat = src.reshape(-1)
    _, _, total, square = statistics.summary(flat, float(flat[0]))
    away = total / flat.size
    spread = math.sqrt(max(square / flat.size - away * away, 0.0))
    return np.asarray(np.add(src, np.float32(float(amount) * spread), out=out))


def _truncated(src: Array, share: float) -> Array:
    """The spectrum of real values has two equal halves: one is made, in single precision."""
    from scipy import fft

    shape, axes = src.shape[:-1], tuple(range(src.ndim - 1))
    spectrum = fft.rfftn(src, axes=axes)
    spectrum *= scans.low_frequencies(shape, share)[..., : spectrum.shape[-2], None]
    return np.asarray(fft.irfftn(spectrum, shape, axes=axes))


@compiled
def _between_points(src, low, per, heights, slopes, out):
    """Straight lines between evenly spaced points: at point ``k`` lies ``heights[k]``, ``slopes[k]`` to the next."""
    last = slopes.size - 1
    for i in range(src.size):
        place = (src[i] - low) * per
        k = min(max(int(place), 0), last)
        out[i] = heights[k] + (place - k) * slopes[k]


def _curved(flat: Array, heights: Floats, out: Array) -> None:
    low, high, *_ = (float(one) for one in statistics.summary(flat, 0.0))
    if low == high:
        out[...] = flat
        return
    levels = (low + (high - low) * heights).astype(np.float32)
    per = np.float32((len(heights) - 1) / (high - low))
    _between_points(flat, np.float32(low), per, levels[:-1], np.diff(levels), out)


# ------------------------------------------------------------------------------------------- fields over the frame


@compiled
def _times_exp(src, rows, x, line, out):
    """Rows ``(n, w)`` times ``exp`` of their own polynomials ``rows`` ``(n, k)`` of ``x``, the constant first."""
    highest = rows.shape[1] - 1
    for r in range(src.shape[0]):
        last = rows[r, highest]
        for i in range(x.size):
            line[i] = last
        for k in range(highest - 1, -1, -1):
            c = rows[r, k]
            for i in range(x.size):
                line[i] = line[i] * x[i] + c
        for i in range(x.size):
            out[r, i] = src[r, i] * exponential(line[i])


def _axes(shape: tuple[int, ...]) -> list[Array]:
    return [(np.arange(n) - (n - 1) / 2) / max((n - 1) / 2, 1e-9) for n in shape]


def _biased(plane: Array, coefficients: Floats, out: Array) -> None:
    d = plane.ndim
    order = next(k for k in itertools.count() if len(scans.monomials(d, k)) == len(coefficients))
    *outer, x = _axes(plane.shape)
    rows = np.zeros((*plane.shape[:-1], order + 1))
    for coefficient, exponents in zip(coefficients.tolist(), scans.monomials(d, order), strict=True):
        term = np.full((1,) * (d - 1), coefficient)
        for a, axis in enumerate(outer):
            term = term * (axis ** exponents[a]).reshape([-1 if i == a else 1 for i in range(d - 1)])
        rows[..., exponents[-1]] += term
    single = rows.reshape(-1, order + 1).astype(np.float32)
    line = np.empty(len(x), np.float32)
    _times_exp(plane.reshape(-1, len(x)), single, x.astype(np.float32), line, out.reshape(-1, len(x)))


@compiled
def _add_waves(src, cosines, sines, along_cos, along_sin, out):
    """``out = src + sum_k cosines[r, k] * along_cos[k] - sines[r, k] * along_sin[k]`` for rows ``r``."""
    for r in range(src.shape[0]):
        for i in range(src.shape[1]):
            out[r, i] = src[r, i]
        for k in range(cosines.shape[1]):
            c, s = cosines[r, k], sines[r, k]
            for i in range(src.shape[1]):
                out[r, i] += c * along_cos[k, i] - s * along_sin[k, i]


@summing
def _magnitudes(flat):
    total = 0.0
    for i in range(flat.size):
        total += np.float64(abs(flat[i]))
    return total


def _spiked(plane: Array, waves: Floats, intensity: Floats, out: Array) -> None:
    """The cosine of a sum is parted into what belongs to the row and what to the place in it."""
    width = plane.shape[-1]
    mean = _magnitudes(plane.reshape(-1)) / plane.size
    heights = intensity * mean
    phase: Any = 0.0
    for a, n in enumerate(plane.shape[:-1]):
        part = 2 * np.pi * np.arange(n)[:, None] / n * waves[:, a]
        phase = phase + part.reshape([n if i == a else 1 for i in range(plane.ndim - 1)] + [len(waves)])
    phase = np.broadcast_to(phase, (*plane.shape[:-1], len(waves))).reshape(-1, len(waves))
    along = 2 * np.pi * waves[:, -1:] * np.arange(width) / width
    numbers = (np.cos(phase) * heights, np.sin(phase) * heights, np.cos(along), np.sin(along))
    cosines, sines, along_cos, along_sin = (x.astype(np.float32) for x in numbers)
    _add_waves(plane.reshape(-1, width), cosines, sines, along_cos, along_sin, out.reshape(-1, width))


# ------------------------------------------------------------------------------------------- powers


@compiled
def _bend(src, shares, exponent, start, sign, middle, out):
    """``start + sign * share ** exponent`` into ``out``, of ``shares = (base, scale)`` of a range.

    Their sum, and that of the squares, about ``middle``.
    """
    base, scale = shares
    total = squares = 0.0
    for first in range(0, src.size, _BLOCK):
        end = min(first + _BLOCK, src.size)
        part, made = src[first:end], out[first:end]
        for i in range(part.size):
            made[i] = start + sign * power((part[i] - base) * scale, exponent)
        more, again = _about(made, middle)
        total += more
        squares += again
    return total, squares


@summing.part
def _about(values, middle):
    total = squares = 0.0
    for i in range(values.size):
        away = np.float64(values[i]) - middle
        total += away
        squares += away * away
    return total, squares


@compiled
def _stretch(values, gain, offset):
    for i in range(values.size):
        values[i] = values[i] * gain + offset


def _bent(src: Array, out: Array, gamma: float, *, inverted: bool, keeps: bool) -> None:
    # About a value of its own, so that little is lost where all of them are far from 0.
    about = float(src[0])
    low, high, sums, square = (float(number) for number in statistics.summary(src, about))
    if not high > low:
        out[:] = src
        return
    span, off = high - low, sums / src.size
    mean = about + off if keeps else 0.0
    middle = (mean - low) / span if keeps else 0.5
    single = np.float32
    # Inverted, shares are counted from the upper end, and taken from 1.
    base, sign = (high, -1.0) if inverted else (low, 1.0)
    start = 1.0 if inverted else 0.0
    shares = (single(base), single(sign / span))
    total, squares = _bend(src, shares, single(gamma), single(start), single(sign), middle, out)
    gain, offset = span, low
    if keeps:
        away = total / src.size
        spread = np.sqrt(max(squares / src.size - away * away, 0.0))
        if spread > 0:
            gain = math.sqrt(max(square / src.size - off * off, 0.0)) / spread
        offset = mean - (middle + away) * gain
    _stretch(out, single(gain), single(offset))


# ------------------------------------------------------------------------------------------- spectra


def _seen(views: list[Array], gains: list[Floats], axis: int) -> Array:
    """The sum of views whose frequencies along an axis are times a gain each, given with the lowest in the middle.

    The real part of what comes back is that of gains which are alike for a frequency and its negative.
    """
    import scipy.fft as sf

    n = views[0].shape[axis]
    total: Any = 0
    for view, gain in zip(views, gains, strict=True):
        both = np.fft.ifftshift(gain)
        even = (both + np.roll(both[::-1], 1))[: n // 2 + 1] / 2
        shape = [-1 if i == axis else 1 for i in range(view.ndim)]
        spectrum = sf.rfft(view, axis=axis)
        spectrum *= even.astype(np.float32).reshape(shape)
        total = spectrum if isinstance(total, int) else np.add(total, spectrum, out=total)
    return np.asarray(sf.irfft(total, n, axis=axis))


def _moved(src: Array, matrices: Floats, times: Floats, axis: Array) -> Array:
    n = src.shape[int(axis)]
    views, gains = [], []
    for view, (start, end) in enumerate(scans.turns(times, n)):
        if start < end:
            gain = np.zeros(n)
            gain[start:end] = 1
            gains.append(gain)
            views.append(src if view == 0 else _view(src, matrices[view]))
    return _seen(views, gains, int(axis))


def _view(src: Array, matrix: Floats) -> Array:
    made = np.empty_like(src)
    warp_image(src, (Matrix(matrix),), made, order=1, border="nearest", fill=np.zeros(src.shape[-1]))
    return made


# ------------------------------------------------------------------------------------------- resolution


@lru_cache(maxsize=64)
def _covering(n: int, m: int, *, whole: bool) -> Table:
    """The weights of :func:`imagemill.engine.altering.scan_values.covered` without the zeros."""
    dense = scans.covered(n, m, whole=whole)
    first = (dense > 0).argmax(axis=1)
    taps = int((dense > 0).sum(axis=1).max())
    index = np.minimum(first[:, None] + np.arange(taps), n - 1)
    weights = np.take_along_axis(dense, index, axis=1)
    # What stands at the end of an axis is read once.
    weights[:, 1:][index[:, 1:] == index[:, :-1]] = 0
    return index.astype(np.int64), weights, np.zeros(m)


@compiled
def _repeated(left, planes, rows, columns, out):
    """``left`` ``(z, y, x, C)`` read at whole places; what comes twice is read once."""
    channels = left.shape[3]
    for z in range(planes.size):
        if z > 0 and planes[z] == planes[z - 1]:
            # Number by number: of arrays, numba compiles messages about shapes as well, for seconds.
            for y in range(rows.size):
                for x in range(columns.size):
                    for c in range(channels):
                        out[z, y, x, c] = out[z - 1, y, x, c]
            continue
        for y in range(rows.size):
            if y > 0 and rows[y] == rows[y - 1]:
                for x in range(columns.size):
                    for c in range(channels):
                        out[z, y, x, c] = out[z, y - 1, x, c]
                continue
            line, made = left[planes[z], rows[y]], out[z, y]
            if channels == 1:
                for x in range(columns.size):
                    made[x, 0] = line[np.uintp(columns[x]), 0]
            elif channels == 3:
                for x in range(columns.size):
                    p = np.uintp(columns[x])
                    made[x, 0], made[x, 1], made[x, 2] = line[p, 0], line[p, 1], line[p, 2]
            else:
                for x in range(columns.size):
                    for c in range(channels):
                        made[x, c] = line[columns[x], c]


@compiled.part
def _between_samples(row, low, share, channels, out):
    """A row read by straight lines."""
    if channels == 1:
        for x in range(low.size):
            # Without a sign, or every place would be tested for one.
            one = row[np.uintp(low[x])]
            out[x] = one + share[x] * (row[np.uintp(low[x] + 1)] - one)
        return
    for x in range(low.size):
        for c in range(channels):
            one = row[low[x] * channels + c]
            out[x * channels + c] = one + share[x] * (row[(low[x] + 1) * channels + c] - one)


@compiled.part
def _between_lines(one, two, share, out):
    for b in range(out.size):
        out[b] = one[b] + share * (two[b] - one[b])


@compiled
def _longer(src, channels, along_z, along_y, along_x, wide, planes, held, out):
    """The shortest rows first, so that only what is small is read at single places.

    ``src`` ``(z, y, x * channels)`` has a line more along each axis than is read with a share above 0; ``wide`` holds
    all its rows at full length, ``planes`` two slices of full size, ``held`` which ones.
    """
    (low_z, share_z), (low_y, share_y), (low_x, share_x) = along_z, along_y, along_x
    for z in range(src.shape[0]):
        for y in range(src.shape[1]):
            _between_samples(src[z, y], low_x, share_x, channels, wide[z, y])
    for z in range(low_z.size):
        for k in range(low_z[z], low_z[z] + 2):
            if held[k & 1] == k or k >= src.shape[0]:
                continue
            held[k & 1] = k
            for y in range(low_y.size):
                low = low_y[y]
                _between_lines(wide[k, low], wide[k, min(low + 1, src.shape[1] - 1)], share_y[y], planes[k & 1, y])
        one = planes[low_z[z] & 1].reshape(-1)
        two = planes[(low_z[z] + 1) & 1].reshape(-1) if low_z[z] + 1 < src.shape[0] else one
        _between_lines(one, two, share_z[z], out[z].reshape(-1))


def _lengthened(left: Array, shape: tuple[int, ...], out: Array) -> Array:
    """The way back of :func:`imagemill.engine.altering.scan_values.lowered` by straight lines, in single precision."""
    channels, few = left.shape[-1], left.shape[:-1]
    made = out if out.dtype == np.float32 else np.empty(out.shape, np.float32)
    outer = (1,) * (3 - len(shape))
    along = []
    for n, m in zip((*outer, *shape), (*outer, *few), strict=True):
        low, share = scans.between(n, m) if m < n else (np.arange(n), np.zeros(n))
        along.append((low.astype(np.int64), share.astype(np.float32)))
    depth, height, width = np.array((*outer, *few)).tolist()
    # A pixel more at the end of each row, which is read with no weight.
    source = np.empty((depth, height, (width + 1) * channels), np.float32)
    source[..., : width * channels] = left.reshape(depth, height, -1)
    source[..., width * channels :] = 0
    full = (*outer, *shape)
    wide = np.empty((depth, height, full[2] * channels), np.float32)
    planes = np.empty((2, full[1], full[2] * channels), np.float32)
    held = np.full(2, -1)
    target = made.reshape(full[0], full[1], full[2] * channels)
    _longer(source, channels, along[0], along[1], along[2], wide, planes, held, target)
    return made


def _lower(src: Array, fewer: Array, how: Array, out: Array | None) -> Array:
    """Of any type that single precision holds; values are rounded once, since blocks repeat what is rounded."""
    down, straight = (int(number) for number in how)
    shape, single = src.shape[:-1], np.dtype(np.float32)
    small = tuple(min(n, m) for n, m in zip(shape, fewer.tolist(), strict=True))
    pairs = list(zip(shape, small, strict=True))
    made = np.empty(src.shape, src.dtype) if out is None else out
    left = src
    if small != shape and down:
        room = np.empty((*small, src.shape[-1]), single if straight else src.dtype)
        tables = {axis: _covering(n, m, whole=down == 2) for axis, (n, m) in enumerate(pairs) if m < n}
        left = combine(src, Taps.of(tables, src.shape, single), np.zeros(src.shape[-1]), room)
    elif small != shape:
        middles = [np.floor((np.arange(m) + 0.5) * n / m).astype(np.int64) for n, m in pairs]
        left = _picked(src, middles, np.empty((*small, src.shape[-1]), src.dtype))
    if not straight:
        return _picked(left, [np.floor((np.arange(n) + 0.5) * m / n).astype(np.int64) for n, m in pairs], made)
    longer = _lengthened(left, shape, made)
    return longer if longer is made else rounded(longer, src.dtype)


def _picked(src: Array, places: list[Array], out: Array) -> Array:
    """``src`` ``(*shape, C)`` at whole places along each axis."""
    outer = [np.zeros(1, np.int64)] * (3 - len(places))
    lead = (None,) * len(outer)
    planes, rows, columns = outer + places
    _repeated(np.ascontiguousarray(src)[lead], planes, rows, columns, out[lead])
    return out
