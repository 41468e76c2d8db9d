"""What colour the light has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["colour_cast"]

Floats = npt.NDArray[np.float64]


def colour_cast(shares: Floats) -> Floats:
    """How much redder and bluer than green an image is as a whole.

    Parameters
    ----------
    shares : array ``[n, y, x, 3]``, shares of white

    Returns
    -------
    array ``[n, 2]``, stops
        Base-2 logarithms of mean red over mean green and of mean blue over mean green; NaN where a channel is black.

    Notes
    -----
    Source: Buchsbaum (1980), "A spatial processor model for object colour perception", Journal of the Franklin
    Institute 310(1): the mean of a scene tells the colour of its light.

    Examples
    --------
    >>> colour_cast(np.full((1, 2, 2, 3), [0.8, 0.4, 0.1]))
    array([[ 1., -2.]])
    """
    means = shares.mean(axis=(1, 2))
    means = np.where((means > 1e-6).all(axis=1, keepdims=True), means, np.nan)
    found: Floats = np.log2(means[:, [0, 2]] / means[:, [1]])
    return found
