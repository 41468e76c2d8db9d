"""Pictures made of numbers: smooth ones, noise, and label maps, from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = np.ndarray[Any, Any]

_WAVES = 6


def picture(
    seed: int,
    shape: tuple[int, ...],
    channels: int | None = None,
    dtype: npt.DTypeLike = np.uint8,
    *,
    noise: bool = False,
) -> Array:
    """A picture or volume that fills the range of its dtype (0 to 1 for floating point).

    Parameters
    ----------
    seed : int
    shape : tuple of int
        ``(y, x)`` or ``(z, y, x)``.
    channels : int, optional
        Adds a last axis.
    dtype : dtype
    noise : bool
        White noise, which no interpolation can keep, instead of a few long waves.

    Examples
    --------
    >>> picture(1, (4, 6), 3).shape, picture(1, (4, 6), 3).dtype
    ((4, 6, 3), dtype('uint8'))
    """
    rng = np.random.default_rng(seed)
    planes = [rng.random(shape) if noise else _waves(rng, shape) for _ in range(channels or 1)]
    values = np.stack(planes, axis=-1) if channels is not None else planes[0]
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return np.asarray(values, dtype)
    info = np.iinfo(dtype)
    # int32 would not survive a float32 on the way; 24 bits do.
    low, high = (info.min, info.max) if dtype.itemsize < 4 else (-(2**23), 2**23)
    return np.asarray(np.rint(low + (high - low) * values), dtype)


def _waves(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    place = np.indices(shape, dtype=np.float64)
    longest = max(shape)
    total = np.zeros(shape)
    for _ in range(_WAVES):
        direction = rng.normal(size=len(shape))
        cycles = rng.uniform(0.5, 2.5) / longest
        phase = 2 * np.pi * cycles * np.tensordot(direction / np.linalg.norm(direction), place, axes=1)
        total += np.cos(phase + rng.uniform(0, 2 * np.pi))
    return np.asarray(np.clip(0.5 + total / (2 * _WAVES) * 1.6, 0.0, 1.0))


def label_map(seed: int, shape: tuple[int, ...], dtype: npt.DTypeLike = np.uint8) -> Array:
    """Blobs of the labels 0, 1, 3 and 7.

    Examples
    --------
    >>> sorted({int(v) for v in label_map(1, (20, 20)).ravel()} - {0, 1, 3, 7})
    []
    """
    height = _waves(np.random.default_rng(seed), shape)
    return np.asarray(np.array([0, 1, 3, 7], dtype)[np.digitize(height, (0.45, 0.55, 0.65))])
