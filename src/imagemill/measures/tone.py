"""How bright an image is and how far its values lie apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["mean_brightness", "rms_contrast"]

Floats = npt.NDArray[np.float64]


def mean_brightness(gray: Floats) -> Floats:
    """The mean of the gray values.

    Parameters
    ----------
    gray : array ``[n, y, x]``, shares of white

    Returns
    -------
    array ``[n]``, shares of white

    Notes
    -----
    Source: Gonzalez and Woods (2018), "Digital Image Processing", 3.3: mean of an image.

    Examples
    --------
    >>> mean_brightness(np.array([[[0.0, 0.5], [0.5, 1.0]]]))
    array([0.5])
    """
    found: Floats = gray.mean(axis=(1, 2))
    return found


def rms_contrast(gray: Floats) -> Floats:
    """The standard deviation of the gray values.

    Parameters
    ----------
    gray : array ``[n, y, x]``, shares of white

    Returns
    -------
    array ``[n]``, shares of white, 0 to 0.5
        NaN for a constant image, which no gain gives a contrast.

    Notes
    -----
    Source: Peli (1990), "Contrast in complex images", Journal of the Optical Society of America A 7(10).

    Examples
    --------
    >>> rms_contrast(np.array([[[0.0, 1.0], [1.0, 0.0]]]))
    array([0.5])
    """
    found: Floats = gray.std(axis=(1, 2))
    return np.where(found > 1e-6, found, np.nan)
