"""What ``fit`` learns from pictures, and whitening.

Source: the behaviour of ``keras.src.legacy.preprocessing.image`` (Keras 3.15). Its whitening divides by singular
values plus epsilon; Keras-Preprocessing 1.1.2 took the root of eigenvalues plus epsilon.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.compat.keras.defaults import Array
from imagemill.core.errors import InputError

__all__ = ["Fitted", "fit", "fitted", "whitened"]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Mean and deviation of each channel, shaped to broadcast over a picture, and the whitening matrix."""

    mean: Array | None = None
    std: Array | None = None
    whitening: Array | None = None


def fit(x: Array, channel_axis: int, *, centre: bool, scale: bool, whiten: bool, epsilon: float) -> Fitted:
    """Learn from pictures ``[n, ...]``, which are changed. Whitening is of centred pictures, never of scaled ones.

    Parameters
    ----------
    x : array of floating point, rank 4
        The function's own: it is centred in place.
    channel_axis : int
        1 or 3.
    centre, scale, whiten : bool
    epsilon : float
        Added to singular values before they divide.
    """
    each = tuple(a for a in (0, 1, 2, 3) if a != channel_axis)
    mean = std = matrix = None
    if centre:
        # In double precision: a sum of many pixels in single precision loses digits.
        mean = x.mean(axis=each, keepdims=True, dtype=np.float64)[0].astype(x.dtype)
        x -= mean
    if scale:
        std = x.std(axis=each, keepdims=True, dtype=np.float64)[0].astype(x.dtype)
    if whiten:
        flat = x.reshape(len(x), -1)
        u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
        matrix = (u * (np.sqrt(len(x)) / (s + epsilon))) @ u.T
    return Fitted(mean, std, matrix)


def whitened(x: Array, matrix: Array) -> Array:
    """Pictures, one or many, with the correlations between their pixels taken out.

    Raises
    ------
    InputError
        When the matrix was learned from pictures of another size.
    """
    size = int(np.prod(x.shape[-3:]))
    if size != len(matrix):
        raise InputError(f"expected pictures of {len(matrix)} values, as in fit(), got {x.shape[-3:]}")
    made: Array = (x.reshape(-1, size) @ matrix).reshape(x.shape)
    return made


def fitted(option: str, found: Any) -> bool:
    """Whether an option has what it needs; says so where it has not."""
    if found is None:
        words = f"{option} is on, but nothing was learned yet, so it is left out; call fit(pictures) first"
        warnings.warn(words, stacklevel=4)
    return found is not None
