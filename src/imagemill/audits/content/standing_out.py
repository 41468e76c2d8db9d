"""Where the object of an image is: by its label map or boxes, else by what stands out from the border."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["standing_out"]

Floats = npt.NDArray[np.float32]

_CELL = 4
_NEAR = 4
"""The border colour that counts is the fourth nearest of 28: an object that touches the border there is none of it."""
_LEAST, _MOST = 0.01, 0.6
"""Shares of the image that an object has."""
_CONTRAST = 12.0
"""Difference in CIELAB that the object has to have on average; 2.3 can just be seen (Mahy et al. 1994)."""
_TIMES = 1.6
"""How many times as different from the border as the rest it has to be: a texture all over is no object."""


def standing_out(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Pixels that differ from the colours of the border, most of all about the centre; nothing where none stand out.

    Parameters
    ----------
    small : array ``[n, 32, 32, 3]`` of uint8

    Returns
    -------
    array ``[n, 32, 32]`` of bool

    Notes
    -----
    The border is taken for background, and what is near the centre for the object, after Jiang et al. (2013), "Salient
    object detection: a discriminative regional feature integration approach", CVPR, and Zhu et al. (2014), "Saliency
    optimization from robust background detection", CVPR; the threshold is that of Otsu (1979).

    Examples
    --------
    >>> image = np.full((1, 32, 32, 3), 40, np.uint8)
    >>> image[0, 8:20, 10:22] = 220
    >>> found = standing_out(image)
    >>> bool(found[0, 8:20, 10:22].mean() > 0.95), int(found.sum()) < 150
    (True, True)
    """
    found = np.zeros(small.shape[:3], bool)
    side = small.shape[1]
    place = (np.arange(side) + 0.5) / side - 0.5
    centre = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / (2 * 0.35**2)).astype(np.float32)
    for start in range(0, len(small), 128):
        for row, one in enumerate(_difference(small[start : start + 128])):
            found[start + row] = _object(one, one * centre)
    return found


def _difference(small: npt.NDArray[np.uint8]) -> Floats:
    """Distance in CIELAB of every pixel from the border ``[n, y, x]``."""
    count, side = small.shape[:2]
    flat = small.reshape(1, -1, 3).astype(np.float32) / 255
    lab = cv2.cvtColor(flat, cv2.COLOR_RGB2LAB).reshape(count, side, side, 3)
    cells = side // _CELL
    means = lab.reshape(count, cells, _CELL, cells, _CELL, 3).mean(axis=(2, 4))
    ring = np.concatenate([means[:, 0], means[:, -1], means[:, 1:-1, 0], means[:, 1:-1, -1]], axis=1)
    pixels = lab.reshape(count, -1, 3)
    # |a - b|^2 by products of matrices: pixels x border cells.
    squares = (pixels**2).sum(axis=2)[:, :, None] + (ring**2).sum(axis=2)[:, None] - 2 * pixels @ ring.swapaxes(1, 2)
    near = np.partition(squares, _NEAR - 1, axis=2)[:, :, _NEAR - 1]
    return np.asarray(np.sqrt(np.maximum(near, 0)).reshape(count, side, side), np.float32)


def _object(difference: Floats, weighted: Floats) -> npt.NDArray[np.bool_]:
    """The largest connected piece above Otsu's threshold, where it differs enough and is neither a dot nor all."""
    smooth = cv2.GaussianBlur(weighted, (3, 3), 0)
    scaled = (smooth * (255 / max(float(smooth.max()), 1e-6))).astype(np.uint8)
    _, over = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(over, connectivity=8)
    if count < 2:
        return np.zeros(difference.shape, bool)
    largest: Any = pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    share = float(largest.mean())
    if not _LEAST <= share <= _MOST:
        return np.zeros(difference.shape, bool)
    inside, outside = float(difference[largest].mean()), float(difference[~largest].mean())
    if inside < max(_CONTRAST, _TIMES * outside):
        return np.zeros(difference.shape, bool)
    return np.asarray(largest, bool)
