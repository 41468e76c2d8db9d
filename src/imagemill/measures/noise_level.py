"""How much noise an image has."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["noise_level"]

Floats = npt.NDArray[np.float64]

_MAD = 0.6744897501960817
"""The median of the size of a standard normal number."""


def noise_level(gray: Floats) -> Floats:
    """The standard deviation of noise that differs from pixel to pixel.

    A mask that answers neither to even regions nor to straight edges is laid over the image; the median of the size of
    its answers is that of noise, as long as less than half of the image is fine texture. Noise that black or white cuts
    off is underestimated.

    Parameters
    ----------
    gray : array ``[n, y, x]``, shares of white

    Returns
    -------
    array ``[n]``, shares of white

    Notes
    -----
    Source: the mask is that of Immerkaer (1996), "Fast noise variance estimation", Computer Vision and Image
    Understanding 64(2); the median of Donoho and Johnstone (1994), "Ideal spatial adaptation by wavelet shrinkage",
    Biometrika 81(3), stands in the place of the mean, which edges would raise.

    Examples
    --------
    >>> noisy = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((1, 64, 64))
    >>> bool(abs(noise_level(noisy)[0] - 0.1) < 0.005)
    True
    """
    rows = gray[:, :-2] - 2 * gray[:, 1:-1] + gray[:, 2:]
    answers = rows[:, :, :-2] - 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    # The squares of the mask's nine numbers sum to 36.
    found: Floats = np.median(np.abs(answers), axis=(1, 2)) / (6 * _MAD)
    return found
