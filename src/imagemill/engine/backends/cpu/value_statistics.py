"""Mean, deviation and extremes of pictures on the CPU, sums of double precision in loops that fill vectors."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any, cast

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.bits import bits_of, from_bits
from imagemill.engine.backends.cpu.compile import compiled, summing

__all__ = ["deviations", "extremes", "means", "summary"]

Array = np.ndarray[Any, Any]

_BLOCK = 4096


@summing
def _sum(flat, first, step):
    total = 0.0
    if step == 1:
        for i in range(flat.size):
            total += np.float64(flat[i])
    else:
        for i in range(first, flat.size, step):
            total += np.float64(flat[i])
    return total


@summing
def _squares(flat, first, step, mean):
    """Of the distances from a mean."""
    total = 0.0
    if step == 1:
        for i in range(flat.size):
            away = np.float64(flat[i]) - mean
            total += away * away
    else:
        for i in range(first, flat.size, step):
            away = np.float64(flat[i]) - mean
            total += away * away
    return total


@summing.part
def _moments(block, middle):
    total = squares = 0.0
    for i in range(block.size):
        away = np.float64(block[i]) - middle
        total += away
        squares += away * away
    return total, squares


@compiled.part
def _ordered(n):
    """The bits of numbers of single precision as whole numbers of the same order, and back."""
    return n ^ ((n >> np.int32(31)) & np.int32(0x7FFFFFFF))


@compiled.part
def _ends(block):
    low = high = _ordered(bits_of(block[0]))
    for i in range(block.size):
        n = _ordered(bits_of(block[i]))
        low, high = min(low, n), max(high, n)
    return low, high


@compiled
def summary(flat, middle):
    """Smallest, largest, and the sums of the distances from ``middle`` and of their squares, in one traversal.

    Of finite numbers of single precision, block by block while they are in the nearest cache.
    """
    low = high = _ordered(bits_of(flat[0]))
    total = squares = 0.0
    for first in range(0, flat.size, _BLOCK):
        block = flat[first : min(first + _BLOCK, flat.size)]
        least, most = _ends(block)
        low, high = min(low, least), max(high, most)
        more, again = _moments(block, middle)
        total += more
        squares += again
    return from_bits(_ordered(low)), from_bits(_ordered(high)), total, squares


def _parts(values: Array, *, together: bool) -> tuple[Array, range, int]:
    """Values in one line, where each part of them begins, and how far its values lie apart."""
    flat = np.ascontiguousarray(values).reshape(-1)
    channels = 1 if together else values.shape[-1]
    return flat, range(channels), channels


def means(values: Array, *, together: bool = False) -> Floats:
    """Mean of each channel of ``(*shape, C)``, or of all values, ``(C,)`` or ``(1,)``.

    Examples
    --------
    >>> means(np.array([[1.0, 2.0], [3.0, 6.0]], np.float32)).tolist()
    [2.0, 4.0]
    """
    flat, firsts, step = _parts(values, together=together)
    return np.array([_sum(flat, first, step) for first in firsts]) / (flat.size // step)


def deviations(values: Array, mean: Floats, *, together: bool = False) -> Floats:
    """Standard deviation of each channel, or of all values, about means that are known.

    Examples
    --------
    >>> deviations(np.array([[1.0], [3.0]], np.float32), np.array([2.0])).tolist()
    [1.0]
    """
    flat, firsts, step = _parts(values, together=together)
    squares = np.array([_squares(flat, first, step, float(mean[first])) for first in firsts])
    return cast(Floats, np.sqrt(squares / (flat.size // step)))


def extremes(values: Array, *, together: bool = False) -> tuple[Floats, Floats]:
    """Smallest and largest value of each channel, or of all; NaN where there is one.

    Examples
    --------
    >>> extremes(np.array([[1.0, 5.0], [3.0, 4.0]], np.float32))
    (array([1., 4.]), array([3., 5.]))
    """
    flat, firsts, step = _parts(values, together=together)
    # numpy's are as quick as memory is, and NaN is seen.
    parts = [flat[first::step] for first in firsts]
    return np.array([p.min() for p in parts], np.float64), np.array([p.max() for p in parts], np.float64)
