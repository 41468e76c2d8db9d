"""What of an image is the object: the pixels that stand out from the value its edge has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["background", "object_weights"]

Floats = npt.NDArray[np.float64]

_LEVELS = 64
_FLAT = 1e-6
"""Differences from the background, in shares of white, under which an image is constant."""


def background(gray: Floats) -> Floats:
    """The value behind the object: the median of the outermost pixels, ``[n]``.

    Parameters
    ----------
    gray : array ``[n, y, x]``, shares of white

    Examples
    --------
    >>> image = np.full((1, 5, 5), 0.25)
    >>> image[0, 2, 2] = 1
    >>> background(image)
    array([0.25])
    """
    sides = (gray[:, 0], gray[:, -1], gray[:, 1:-1, 0], gray[:, 1:-1, -1])
    found: Floats = np.median(np.concatenate(sides, axis=1), axis=1)
    return found


def object_weights(gray: Floats) -> Floats:
    """How far each pixel stands out from the background, signed; 0 where it is background.

    The threshold between the two is Otsu's, of each image, over the size of the difference; pixels beside one above it
    belong to the object too. A constant image has no object: all weights are 0.

    Parameters
    ----------
    gray : array ``[n, y, x]``, shares of white

    Returns
    -------
    array ``[n, y, x]``
        Positive where the object is lighter than the background.

    Notes
    -----
    Source: Otsu (1979), "A threshold selection method from gray-level histograms", IEEE Transactions on Systems, Man,
    and Cybernetics 9(1).

    Examples
    --------
    >>> image = np.zeros((1, 5, 5))
    >>> image[0, 2, 1:4] = 0.5
    >>> image[0, 4, 4] = 0.05
    >>> object_weights(image)[0, 2:].tolist()
    [[0.0, 0.5, 0.5, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    signed = gray - background(gray)[:, None, None]
    away = np.abs(signed)
    highest = away.max(axis=(1, 2))
    unit = np.where(highest > _FLAT, highest, 1.0)
    levels = np.minimum(away / unit[:, None, None] * _LEVELS, _LEVELS - 1).astype(np.int64)
    kept = (levels > _otsu(levels)[:, None, None]) & (highest > _FLAT)[:, None, None]
    # Edges of an object are pixels that it covers in part, and lie below the threshold.
    return np.where(ndimage.maximum_filter(kept, (1, 3, 3)), signed, 0.0)


def _otsu(levels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The level up to which an image is background, ``[n]``: where the variance between the two parts is largest."""
    count = len(levels)
    places = levels.reshape(count, -1) + _LEVELS * np.arange(count)[:, None]
    histogram = np.bincount(places.ravel(), minlength=count * _LEVELS).reshape(count, _LEVELS)
    share = np.cumsum(histogram, axis=1) / histogram.sum(axis=1, keepdims=True)
    moment = np.cumsum(histogram * np.arange(_LEVELS), axis=1) / histogram.sum(axis=1, keepdims=True)
    both = share * (1 - share)
    between = np.where(both > 0, (moment[:, -1:] * share - moment) ** 2 / np.where(both > 0, both, 1.0), 0.0)
    found: npt.NDArray[np.int64] = between.argmax(axis=1)
    return found
