"""What each kind of noise means, in float64: numbers counted by pixel, laid over the values."""

from __future__ import annotations

from typing import Any

import numpy as np

from imagemill.core.geometry import Floats
from imagemill.core.image_ops import Bools, Noise
from imagemill.core.randomness import pixel_numbers as numbers

__all__ = ["hit", "noisy"]

Array = np.ndarray[Any, Any]


def noisy(op: Noise, row: int, values: Floats) -> Floats:
    """One sample's image with noise.

    Parameters
    ----------
    values : array, ``(*shape, C)``, float64
        The colours alone.
    """
    if op.kind == "normal":
        return _normal(op, row, values)
    if op.kind == "poisson":
        return _poisson(op, row, values)
    if op.kind == "rician":
        return _rician(op, row, values)
    low, high = hit(op, row, values.shape)
    made: Floats = np.where(low, op.params[row, 1], np.where(high, op.params[row, 3], values))
    return made


def _normal(op: Noise, row: int, values: Floats) -> Floats:
    c0, c1, c2, shared = op.params[row]
    z = np.zeros(values.shape)
    if shared < 1:
        own = numbers.normal(op.stream[row], numbers.EACH_VALUE, values.size)
        z += np.sqrt(1 - shared) * own.reshape(values.shape)
    if shared > 0:
        one = numbers.normal(op.stream[row], numbers.EACH_PIXEL, values.size // values.shape[-1])
        z += np.sqrt(shared) * one.reshape(*values.shape[:-1], 1)
    made: Floats = values + np.sqrt(c0 + c1 * np.abs(values) + c2 * values**2) * z
    return made


def _rician(op: Noise, row: int, values: Floats) -> Floats:
    std = float(op.params[row, 0])
    real, imaginary = (
        numbers.normal(op.stream[row], field, values.size).reshape(values.shape)
        for field in (numbers.EACH_VALUE, numbers.EACH_PIXEL)
    )
    # Of the second field, too, each value takes a number of its own.
    made: Floats = np.hypot(values + std * real, std * imaginary)
    return made


def _poisson(op: Noise, row: int, values: Floats) -> Floats:
    unit = float(op.params[row, 0])
    u = numbers.uniform(op.stream[row], numbers.EACH_VALUE, values.size).reshape(values.shape)
    return unit * poisson_quantile(u, np.maximum(values, 0) / unit)


def poisson_quantile(u: Floats, mean: Floats) -> Floats:
    """The smallest whole number at which the distribution function of Poisson numbers reaches ``u``.

    Examples
    --------
    >>> poisson_quantile(np.array([0.1, 0.5, 0.9]), np.array([2.0, 2.0, 0.0])).tolist()
    [0.0, 2.0, 0.0]
    """
    import scipy.special as special

    mean = np.asarray(mean, np.float64)
    safe = np.where(mean > 0, mean, 1.0)
    found = np.ceil(special.pdtrik(u, safe))
    before = np.maximum(found - 1, 0)
    # The inverse is a little off where the function is met exactly.
    found = np.where(special.pdtr(before, safe) >= u, before, found)
    made: Floats = np.where(mean > 0, found, 0.0)
    return made


def hit(op: Noise, row: int, shape: tuple[int, ...]) -> tuple[Bools, Bools]:
    """Where an impulse puts its first value, and where its second, in an image ``(*spatial, C)``."""
    size = int(np.prod(shape))
    if op.per_channel:
        u = numbers.uniform(op.stream[row], numbers.EACH_VALUE, size).reshape(shape)
    else:
        one = numbers.uniform(op.stream[row], numbers.EACH_PIXEL, size // shape[-1])
        u = np.broadcast_to(one.reshape(*shape[:-1], 1), shape)
    first, _, second, _ = op.params[row]
    return u < first, u >= 1 - second
