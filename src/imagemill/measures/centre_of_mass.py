"""Where in the frame the object is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["centre_of_mass", "mass_and_centre"]

Floats = npt.NDArray[np.float64]


def mass_and_centre(weights: Floats) -> tuple[Floats, Floats]:
    """Sizes of weights ``[n, y, x]`` that sum to 1 each, and their centre ``[n, 2]`` in pixels; NaN where all are 0."""
    mass = np.abs(weights)
    total = mass.sum(axis=(1, 2))
    mass = mass / np.where(total > 0, total, np.nan)[:, None, None]
    down, right = (np.arange(length, dtype=np.float64) for length in mass.shape[1:])
    return mass, np.stack([mass.sum(axis=2) @ down, mass.sum(axis=1) @ right], axis=1)


def centre_of_mass(weights: Floats) -> Floats:
    """The object's centre of mass, from the centre of the frame.

    Parameters
    ----------
    weights : array ``[n, y, x]``
        Of `object_weights`.

    Returns
    -------
    array ``[n, 2]``, shares of the frame's height and width, -0.5 to 0.5
        Down and right; NaN for an image without an object.

    Notes
    -----
    Source: Hu (1962), "Visual pattern recognition by moment invariants", IRE Transactions on Information Theory 8(2):
    first moments.

    Examples
    --------
    >>> weights = np.zeros((1, 5, 10))
    >>> weights[0, 2, 9] = 1
    >>> centre_of_mass(weights)
    array([[0.  , 0.45]])
    """
    _, centre = mass_and_centre(weights)
    shape = np.array(weights.shape[1:], np.float64)
    found: Floats = (centre + 0.5) / shape - 0.5
    return found
