"""Noise on the CPU: Philox for many pixels at once, then a look into a table and one rounding a value."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from imagemill.core.finite import working
from imagemill.core.geometry import Floats
from imagemill.core.image_ops import Noise
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import Words
from imagemill.engine.altering.noise_values import noisy
from imagemill.engine.backends.cpu.compile import compiled
from imagemill.engine.colour_values import to_dtype

__all__ = ["fill_normals", "fill_words", "named", "noise_image", "words_of_lines"]

Array = np.ndarray[Any, Any]

_MANY = 256
"""Blocks that are made at once: their words stay in the nearest cache, and the loop over them fills vectors."""


@compiled.part
def _blocks(first, count, k0, k1, field, out):
    """Blocks from ``first`` on, word by word: ``out`` is ``(4, at least count)``."""
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    m0, m1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    for j in range(count):
        number = np.uint64(first + j)
        c0, c1, c2, c3 = number & low, number >> half, np.uint64(field), np.uint64(0)
        a0, a1 = np.uint64(k0), np.uint64(k1)
        for _ in range(10):
            p0, p1 = c0 * m0, c2 * m1
            c0, c2 = (p1 >> half) ^ c1 ^ a0, (p0 >> half) ^ c3 ^ a1
            c1, c3 = p1 & low, p0 & low
            a0, a1 = (a0 + np.uint64(0x9E3779B9)) & low, (a1 + np.uint64(0xBB67AE85)) & low
        out[0, j], out[1, j], out[2, j], out[3, j] = c0, c1, c2, c3


@compiled
def fill_words(k0, k1, field, out):
    """The first words of a field, one after the other."""
    buffer = np.empty((4, _MANY), np.uint32)
    size = out.size
    for start in range(0, size, 4 * _MANY):
        left = min(4 * _MANY, size - start)
        _blocks(start // 4, (left + 3) // 4, k0, k1, field, buffer)
        for b in range(left // 4):
            for lane in range(4):
                out[start + 4 * b + lane] = buffer[lane, b]
        for i in range(left // 4 * 4, left):
            out[start + i] = buffer[i & 3, i >> 2]


@compiled
def words_of_lines(k0, k1, field, firsts, out):
    """Words of a field line by line: line ``r`` of ``out`` from word ``firsts[r]`` on."""
    count = out.shape[1] // 4 + 2
    buffer = np.empty((4, count), np.uint32)
    for r in range(len(firsts)):
        block = firsts[r] // 4
        _blocks(block, count, k0, k1, field, buffer)
        for i in range(out.shape[1]):
            word = firsts[r] - 4 * block + i
            out[r, i] = buffer[word & 3, word >> 2]


@compiled
def fill_normals(k0, k1, field, table, out):
    """The first normal numbers of a field, from a table of them."""
    buffer = np.empty((4, _MANY), np.uint32)
    size = out.size
    for start in range(0, size, 8 * _MANY):
        left = min(8 * _MANY, size - start)
        _blocks(start // 8, (left + 7) // 8, k0, k1, field, buffer)
        for b in range(left // 8):
            for lane in range(4):
                word, i = buffer[lane, b], start + 8 * b + 2 * lane
                out[i] = table[word & np.uint32(0xFFFF)]
                out[i + 1] = table[word >> np.uint32(16)]
        for i in range(left // 8 * 8, left):
            word = buffer[(i >> 1) & 3, i >> 3]
            out[start + i] = table[(word >> np.uint32(16 * (i & 1))) & np.uint32(0xFFFF)]


@compiled
def _normal_singles(src, k0, k1, table, deviation, out):
    """Values of single precision, a number of its own for each, all of one deviation."""
    words = np.empty(4 * _MANY, np.uint32)
    halves, buffer = np.empty(8 * _MANY, np.int32), np.empty((4, _MANY), np.uint32)
    for start in range(0, src.size, 8 * _MANY):
        left = min(8 * _MANY, src.size - start)
        _blocks(start // 8, (left + 7) // 8, k0, k1, 0, buffer)
        for b in range(_MANY):
            words[4 * b], words[4 * b + 1] = buffer[0, b], buffer[1, b]
            words[4 * b + 2], words[4 * b + 3] = buffer[2, b], buffer[3, b]
        for w in range(4 * _MANY):
            halves[2 * w], halves[2 * w + 1] = words[w] & np.uint32(0xFFFF), words[w] >> np.uint32(16)
        part, made = src[start : start + left], out[start : start + left]
        for i in range(left):
            made[i] = part[i] + deviation * table[np.uint32(halves[i])]


@compiled
def _normal_bytes(src, k0, k1, table, spread, out):
    """Values of 8 bits and a number of its own for each: ``spread`` holds the deviation of each level."""
    buffer = np.empty((4, _MANY), np.uint32)
    size = src.size
    white, black = np.float32(255), np.float32(0)
    for start in range(0, size, 8 * _MANY):
        left = min(8 * _MANY, size - start)
        _blocks(start // 8, (left + 7) // 8, k0, k1, 0, buffer)
        for b in range(left // 8):
            for lane in range(4):
                word, i = buffer[lane, b], start + 8 * b + 2 * lane
                one = src[i] + spread[src[i]] * table[word & np.uint32(0xFFFF)]
                two = src[i + 1] + spread[src[i + 1]] * table[word >> np.uint32(16)]
                out[i] = np.uint8(min(max(np.rint(one), black), white))
                out[i + 1] = np.uint8(min(max(np.rint(two), black), white))
        for i in range(start + left // 8 * 8, start + left):
            lane = i - start
            word = buffer[(lane >> 1) & 3, lane >> 3]
            z = table[(word >> np.uint32(16 * (lane & 1))) & np.uint32(0xFFFF)]
            out[i] = np.uint8(min(max(np.rint(src[i] + spread[src[i]] * z), black), white))


@compiled
def _normal_values(src, channels, spread, own, shared, out):
    """Values of any type; ``own`` holds a number for each value, ``shared`` one for each pixel, either may be empty."""
    c0, c1, c2 = spread[0], spread[1], spread[2]
    none = c0 - c0
    for k in range(src.size // channels):
        common = shared[k] if shared.size else none
        for i in range(k * channels, (k + 1) * channels):
            x = src[i] + none
            z = common + own[i] if own.size else common
            out[i] = x + np.sqrt(c0 + c1 * abs(x) + c2 * x * x) * z


@compiled
def _lengths(src, deviation, real, imaginary, out):
    """Lengths of values with a normal number added and another across; ``real`` may be ``out``."""
    for i in range(src.size):
        along, across = src[i] + deviation * real[i], deviation * imaginary[i]
        out[i] = np.sqrt(along * along + across * across)


@compiled
def _impulses(words, first, second, low, high, out):
    """``out`` holds the values as they were; few of them change."""
    each = out.size // words.size
    for k in range(words.size):
        word = np.int64(words[k])
        if word < first or word >= second:
            value = low if word < first else high
            for i in range(k * each, (k + 1) * each):
                out[i] = value


@compiled.part
def _quantiles(mean, cumulated):
    """Distribution function of Poisson numbers from the first value that may occur on; that value and their count."""
    mode = math.floor(mean)
    top = math.exp(mode * math.log(mean) - mean - math.lgamma(mode + 1.0))
    first, p = mode, top
    while first > 0 and p > 1e-13 * top:
        p *= first / mean
        first -= 1
    total, k, count = 0.0, first, 0
    while count < cumulated.size:
        total += p
        cumulated[count] = total
        count += 1
        if total > 1.0 - 1e-12 or (k > mode and p < 1e-14 * top):
            break
        k += 1
        p *= mean / k
    return first, count


@compiled
def _poisson_bytes(src, words, unit, out):
    """Values of 8 bits: a table for each level that occurs, entered at a guess and walked from there."""
    size = src.size
    seen = np.zeros(256, np.bool_)
    for i in range(size):
        seen[src[i]] = True
    most = int(14.0 * math.sqrt(255.0 / unit + 1.0)) + 60
    # A number (word + 0.5) / 2**32 is at most a bound where the word is at most the bound as a whole number; as such
    # they take half the room, and the values of a photo walk all over the table.
    exact, table = np.empty(most), np.empty((256, most), np.uint32)
    first, guess = np.zeros(256, np.int64), np.zeros((256, 65), np.int16)
    for level in range(1, 256):
        if not seen[level]:
            continue
        first[level], count = _quantiles(level / unit, exact)
        exact[count - 1] = 2.0
        for k in range(count):
            table[level, k] = np.uint32(min(max(np.floor(exact[k] * 2.0**32 - 0.5), 0.0), 4294967295.0))
        k = 0
        while exact[k] * 2.0**32 < 0.5:  # what no word is small enough for
            k += 1
        for step in range(65):
            while exact[k] < step / 64.0:
                k += 1
            guess[level, step] = k
    for i in range(size):
        level = src[i]
        if level == 0:
            out[i] = 0
            continue
        word = words[i]
        k = guess[level, word >> np.uint32(26)]
        while table[level, k] < word:
            k += 1
        out[i] = np.uint8(min(np.rint(unit * (first[level] + k)), 255.0))


@cache
def _table() -> Array:
    return numbers.normal_table().astype(np.float32)


def named(op: Noise, dtype: np.dtype[Any]) -> str:
    """Which kernel :func:`noise_image` takes, in words."""
    if dtype == np.float16 or dtype.kind == "b" or (op.kind == "rician" and working(dtype) != np.float32):
        return "numpy in float64"
    if op.kind == "poisson" and dtype != np.uint8:
        return "numpy in float64"
    return f"numba {op.kind}"


def noise_image(op: Noise, row: int, src: Array, out: Array | None = None) -> Array:
    """One sample's colours ``(*shape, C)``, in their dtype.

    Parameters
    ----------
    out : array, optional
        C-contiguous, where the result may be written.
    """
    if named(op, src.dtype) == "numpy in float64":
        return to_dtype(noisy(op, row, src.astype(np.float64)), src.dtype)
    src = np.ascontiguousarray(src)
    made = np.empty_like(src) if out is None else out
    k0, k1 = (int(word) for word in op.stream[row])
    if op.kind == "normal":
        return _normal(op.params[row], k0, k1, src, made)
    if op.kind == "rician":
        return _rician(float(op.params[row, 0]), k0, k1, src, made)
    if op.kind == "poisson":
        words = _words(k0, k1, numbers.EACH_VALUE, src.size)
        _poisson_bytes(src.reshape(-1), words, float(op.params[row, 0]), made.reshape(-1))
        return made
    return _impulse(op, row, src, made)


def _words(k0: int, k1: int, field: int, count: int) -> Words:
    out = np.empty(count, np.uint32)
    fill_words(k0, k1, field, out)
    return out


def _normal(params: Floats, k0: int, k1: int, src: Array, made: Array) -> Array:
    *spread, shared = params.tolist()
    if src.dtype == np.uint8 and shared == 0:
        levels = np.arange(256.0)
        each = np.sqrt(spread[0] + spread[1] * levels + spread[2] * levels**2).astype(np.float32)
        _normal_bytes(src.reshape(-1), k0, k1, _table(), each, made.reshape(-1))
        return made
    kind = working(src.dtype)
    if src.dtype == np.float32 == made.dtype and shared == 0 and spread[1] == 0 and spread[2] == 0:
        _normal_singles(src.reshape(-1), k0, k1, _table(), np.float32(math.sqrt(spread[0])), made.reshape(-1))
        return made
    own, one = np.empty(0, np.float32), np.empty(0, np.float32)
    if shared < 1:
        own = np.empty(src.size, np.float32)
        fill_normals(k0, k1, numbers.EACH_VALUE, _table(), own)
        own *= np.float32(math.sqrt(1 - shared))
    if shared > 0:
        one = np.empty(src.size // src.shape[-1], np.float32)
        fill_normals(k0, k1, numbers.EACH_PIXEL, _table(), one)
        one *= np.float32(math.sqrt(shared))
    target = made if made.dtype == kind else np.empty(src.shape, kind)
    _normal_values(src.reshape(-1), src.shape[-1], np.array(spread, kind), own, one, target.reshape(-1))
    if target is not made:
        made[...] = to_dtype(target, made.dtype)
    return made


def _rician(std: float, k0: int, k1: int, src: Array, made: Array) -> Array:
    real, imaginary = np.empty(src.size, np.float32), np.empty(src.size, np.float32)
    fill_normals(k0, k1, numbers.EACH_VALUE, _table(), real)
    fill_normals(k0, k1, numbers.EACH_PIXEL, _table(), imaginary)
    _lengths(src.reshape(-1), np.float32(std), real, imaginary, real)
    made[...] = real.reshape(src.shape) if made.dtype == np.float32 else to_dtype(real.reshape(src.shape), made.dtype)
    return made


def _impulse(op: Noise, row: int, src: Array, made: Array) -> Array:
    share, low, other, high = op.params[row].tolist()
    first = math.ceil(share * 2.0**32 - 0.5)
    second = math.ceil((1 - other) * 2.0**32 - 0.5)
    field = numbers.EACH_VALUE if op.per_channel else numbers.EACH_PIXEL
    size = src.size if op.per_channel else src.size // src.shape[-1]
    words = _words(int(op.stream[row, 0]), int(op.stream[row, 1]), field, size)
    values = to_dtype(np.array([low, high]), src.dtype)
    made[...] = src
    _impulses(words, first, second, values[0], values[1], made.reshape(-1))
    return made
