"""How large the object is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imagemill.measures.centre_of_mass import mass_and_centre

__all__ = ["object_size"]

Floats = npt.NDArray[np.float64]


def object_size(weights: Floats) -> Floats:
    """The radius of gyration: the root mean square distance of the object's mass from its centre.

    Parameters
    ----------
    weights : array ``[n, y, x]``
        Of `object_weights`.

    Returns
    -------
    array ``[n]``, shares of the frame
        Distances down count as shares of the height, distances to the right as shares of the width; NaN for an image
        without an object. A square of side ``a`` in a frame of side ``L`` has ``a / L / sqrt(6)``.

    Notes
    -----
    Source: Hu (1962), "Visual pattern recognition by moment invariants", IRE Transactions on Information Theory 8(2):
    the sum of the second central moments.

    Examples
    --------
    >>> weights = np.zeros((1, 20, 20))
    >>> weights[0, 4:16, 4:16] = 1
    >>> bool(abs(object_size(weights)[0] - 12 / 20 / 6**0.5) < 1e-12)
    True
    """
    mass, centre = mass_and_centre(weights)
    squares = np.zeros(len(mass))
    for axis, length in enumerate(mass.shape[1:]):
        along = mass.sum(axis=2 - axis)
        away = np.arange(length) - centre[:, axis, None]
        # A pixel is a square: its own variance is 1/12.
        squares = squares + ((along * away**2).sum(axis=1) + 1 / 12) / length**2
    return np.sqrt(squares)
