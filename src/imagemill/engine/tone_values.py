"""What tones that read the whole picture mean, by numpy; the CPU's kernel of them is :mod:`backends.cpu.batches.exact`.

Source: the behaviour of ``keras.src.legacy.preprocessing.image`` (Keras 3.15) and of ``PIL.ImageEnhance.Brightness``,
checked against both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from imagemill.core.geometry import Floats

__all__ = ["AS_IT_IS", "EPSILON", "Finish", "finished", "lit", "shifted"]

Array = np.ndarray[Any, Any]

EPSILON = 1e-6
"""Added to deviations before they divide."""


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


def shifted(images: Array, add: Floats) -> Array:
    """Add a number to every value of each picture, within the range that the picture spans.

    Parameters
    ----------
    images : array, ``[n, ...]``
    add : array, ``[n]``

    Examples
    --------
    >>> shifted(np.array([[[0.0, 5.0, 9.0]]]), np.array([3.0])).tolist()
    [[[3.0, 8.0, 9.0]]]
    """
    each = tuple(range(1, images.ndim))
    low, high = images.min(axis=each, keepdims=True), images.max(axis=each, keepdims=True)
    moved: Array = np.clip(images + add.reshape(-1, *[1] * len(each)).astype(images.dtype), low, high)
    return moved


def lit(images: Array, gain: Floats, *, stretch: bool = False) -> Array:
    """Multiply each picture as Pillow does, in 8 bits, values cut; the fourth channel stays.

    Parameters
    ----------
    images : array, ``[n, H, W, C]``
    gain : array, ``[n]``
    stretch : bool
        Stretch each picture to 0..255 first and leave it there. False stretches only pictures that leave
        0..255, and brings them back.

    Returns
    -------
    array of float32, ``[n, H, W, C]``

    Examples
    --------
    >>> lit(np.array([[[[10.0], [21.0]]]]), np.array([0.5])).ravel().tolist()
    [5.0, 10.0]
    """
    x = images.astype(np.float32)
    low, high = x.min(axis=(1, 2, 3), keepdims=True), x.max(axis=(1, 2, 3), keepdims=True)
    beyond = (low < 0) | (high > 255)
    if stretch or beyond.any():
        span = high - low
        x = np.where(beyond | stretch, (x - low) / np.where(span == 0, 1, span) * np.float32(255), x)
    whole = x.astype(np.uint8).astype(np.float32)
    # Values are cut, not rounded, and saturate.
    made: Array = np.floor(np.clip(whole * gain.astype(np.float32).reshape(-1, 1, 1, 1), 0, 255))
    if images.shape[-1] == 4:
        made[..., 3] = whole[..., 3]
    if stretch or not beyond.any():
        return made
    back: Array = np.where(beyond, made / np.float32(255) * (high - low) + low, made)
    return back


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
    each = tuple(range(max(x.ndim - 3, 0), x.ndim))
    if finish.center:
        x -= x.mean(axis=each, keepdims=True)
    if finish.scale:
        x /= x.std(axis=each, keepdims=True) + kind(EPSILON)
    if finish.mean is not None:
        x -= np.asarray(finish.mean, dtype=x.dtype)
    if finish.std is not None:
        x /= np.asarray(finish.std, dtype=x.dtype) + kind(EPSILON)
    return x
