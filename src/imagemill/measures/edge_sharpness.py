"""How sharp edges are, whatever the contrast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["edge_sharpness"]

Floats = npt.NDArray[np.float64]

_BLUR = 9
"""Pixels of the box filter that an image is compared with."""


def edge_sharpness(gray: Floats) -> Floats:
    """How much of the differences between neighbouring pixels is lost when an image is blurred.

    A sharp image loses much, a blurred one hardly anything. The darker or lower in contrast makes no difference;
    noise counts as sharp.

    Parameters
    ----------
    gray : array ``[n, y, x]``, shares of white

    Returns
    -------
    array ``[n]``, 0 to 1
        The smaller of the two axes; NaN for a constant image.

    Notes
    -----
    Source: Crété, Dolmiere, Ladret, Nicolas (2007), "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric", Proc. SPIE 6492; 1 less that blur.

    Examples
    --------
    >>> step = np.zeros((2, 16, 16))
    >>> step[0, :, 8:] = step[0, 8:] = 1
    >>> step[1] = np.linspace(0, 1, 16) + np.linspace(0, 1, 16)[:, None]
    >>> sharp, soft = edge_sharpness(step)
    >>> bool(sharp > 0.8 > 0.4 > soft)
    True
    """
    found = []
    for axis in (1, 2):
        blurred = ndimage.uniform_filter1d(gray, _BLUR, axis=axis, mode="nearest")
        before, after = (np.abs(np.diff(each, axis=axis)) for each in (gray, blurred))
        total = before.sum(axis=(1, 2))
        lost = np.maximum(before - after, 0.0).sum(axis=(1, 2))
        found.append(lost / np.where(total > 1e-9, total, np.nan))
    with_edges = np.where(np.isnan(found), np.inf, found).min(axis=0)
    return np.where(np.isinf(with_edges), np.nan, with_edges)
