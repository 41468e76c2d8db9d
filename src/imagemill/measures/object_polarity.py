"""Whether the object is lighter or darker than what is behind it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["object_polarity"]

Floats = npt.NDArray[np.float64]


def object_polarity(weights: Floats) -> Floats:
    """1 for a light object on a dark background, -1 for a dark one on a light background.

    Parameters
    ----------
    weights : array ``[n, y, x]``
        Of `object_weights`.

    Returns
    -------
    array ``[n]``
        The sign of most of the object's mass; NaN for an image without an object.

    Notes
    -----
    Source: Otsu (1979) for what is object, see `object_weights`; the sign of its mean difference from the background.

    Examples
    --------
    >>> weights = np.zeros((2, 3, 3))
    >>> weights[:, 1, 1] = 0.5, -0.5
    >>> object_polarity(weights)
    array([ 1., -1.])
    """
    total = weights.sum(axis=(1, 2))
    return np.where(total == 0, np.nan, np.sign(total))
