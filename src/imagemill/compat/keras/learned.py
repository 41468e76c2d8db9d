"""What ``fit`` learns from pictures, and what ``standardize`` does with it.

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

__all__ = ["AS_IT_IS", "EPSILON", "Finish", "Fitted", "finished", "fit", "fitted", "whitened"]

EPSILON = 1e-6
"""Added to deviations before they divide."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Mean and deviation of each channel, shaped to broadcast over a picture, and the whitening matrix."""

    mean: Array | None = None
    std: Array | None = None
    whitening: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Finish:
    """What is done to values in the end, in this order; None, False and 1 do nothing.

    Parameters
    ----------
    rescale : float
        Factor.
    center, scale : bool
        Take each picture's own mean out, and divide by its own deviation.
    mean, std : array, optional
        Take these out, and divide by these; they broadcast over a picture as it lies.
    """

    rescale: float = 1.0
    center: bool = False
    scale: bool = False
    mean: Any = None
    std: Any = None


AS_IT_IS = Finish()


def finished(x: Array, finish: Finish) -> Array:
    """Pictures of floating point, one or many, after :class:`Finish`; they are changed.

    Examples
    --------
    >>> finished(np.array([[[2.0], [6.0]]]), Finish(rescale=0.5, center=True)).ravel().tolist()
    [-1.0, 1.0]
    """
    kind = x.dtype.type
    if finish.rescale != 1:
        x *= kind(finish.rescale)
    each = tuple(range(x.ndim - 3, x.ndim)) if x.ndim >= 3 else tuple(range(x.ndim))
    if finish.center:
        x -= x.mean(axis=each, keepdims=True)
    if finish.scale:
        x /= x.std(axis=each, keepdims=True) + kind(EPSILON)
    if finish.mean is not None:
        x -= np.asarray(finish.mean, dtype=x.dtype)
    if finish.std is not None:
        x /= np.asarray(finish.std, dtype=x.dtype) + kind(EPSILON)
    return x


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
