"""Mean, deviation and extremes of pictures on the CPU, sums of double precision in loops that fill vectors."""

# Kernels are compiled per type, so their arguments have no one type to declare.
# mypy: allow-untyped-defs

from __future__ import annotations

from typing import Any, cast

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.engine.backends.cpu.compile import summing

__all__ = ["deviations", "extremes", "means"]

Array = np.ndarray[Any, Any]


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
