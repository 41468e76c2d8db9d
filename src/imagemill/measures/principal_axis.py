"""How the object is turned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from imagemill.measures.centre_of_mass import mass_and_centre

__all__ = ["ROUND", "principal_axis", "unwrapped"]

Floats = npt.NDArray[np.float64]

ROUND = 1.2
"""Objects whose longer axis is less than this many times the shorter one have no axis."""


def principal_axis(weights: Floats) -> Floats:
    """The angle of the object's longer axis, counter-clockwise from the horizontal.

    An axis has no head: half a turn cannot be seen.

    Parameters
    ----------
    weights : array ``[n, y, x]``
        Of `object_weights`.

    Returns
    -------
    array ``[n]``, degrees, above -90 to 90
        NaN without an object, and for one that is round (`ROUND`).

    Notes
    -----
    Source: Hu (1962), "Visual pattern recognition by moment invariants", IRE Transactions on Information Theory 8(2):
    principal axes.

    Examples
    --------
    >>> image = np.zeros((2, 9, 9))
    >>> image[0, 4, 1:8] = 1
    >>> image[1, [7, 6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6, 7]] = 1
    >>> principal_axis(image).round(6).tolist()
    [0.0, 45.0]
    """
    mass, centre = mass_and_centre(weights)
    down, right = (np.arange(length) - centre[:, axis, None] for axis, length in enumerate(mass.shape[1:]))
    yy = (mass.sum(axis=2) * down**2).sum(axis=1)
    xx = (mass.sum(axis=1) * right**2).sum(axis=1)
    yx = np.einsum("nyx,ny,nx->n", mass, down, right)
    middle, apart = (xx + yy) / 2, np.hypot((xx - yy) / 2, yx)
    longer, shorter = middle + apart + 1 / 12, middle - apart + 1 / 12
    # Rows go down, so that a positive product of moments is a clockwise axis.
    angle = np.degrees(0.5 * np.arctan2(0.0 - 2 * yx, xx - yy))
    angle = np.where(angle <= -90, angle + 180, angle)
    return np.where(longer >= ROUND**2 * shorter, angle, np.nan)


def unwrapped(degrees: Floats, about: float) -> Floats:
    """Axes as angles within a quarter turn of one of them, so that 89 and -89 degrees lie beside each other.

    Examples
    --------
    >>> unwrapped(np.array([-89.0, 10.0]), 80.0)
    array([91., 10.])
    """
    found: Floats = (degrees - about + 90) % 180 - 90 + about
    return found
