"""How wide strokes are, or the patches of a texture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["stroke_width"]

Floats = npt.NDArray[np.float64]


def stroke_width(weights: Floats) -> Floats:
    """Twice the object's area over its perimeter: the width of a long stroke.

    Both are taken of the gray values, area as their sum and perimeter as their total variation, so that no outline has
    to be found and the contrast makes no difference.

    Parameters
    ----------
    weights : array ``[n, y, x]``
        Of `object_weights`.

    Returns
    -------
    array ``[n]``, shares of the frame (of the geometric mean of its sides)
        NaN for an image without an object.

    Notes
    -----
    Source: the coarea formula (Fleming and Rishel 1960, "An integral formula for total gradient variation", Archiv der
    Mathematik 11): total variation is the perimeter of all level sets.

    Examples
    --------
    >>> bar = np.zeros((1, 100, 100))
    >>> bar[0, 5:95, 48:52] = 0.5
    >>> bool(abs(stroke_width(bar)[0] - 0.04) < 0.002)
    True
    """
    mass = np.pad(np.abs(weights), ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(mass, axis=1)[:, :, :-1], np.diff(mass, axis=2)[:, :-1]
    perimeter = np.hypot(down, right).sum(axis=(1, 2))
    side = np.sqrt(weights.shape[1] * weights.shape[2])
    width: Floats = 2 * mass.sum(axis=(1, 2)) / np.where(perimeter > 0, perimeter, np.nan) / side
    return width
