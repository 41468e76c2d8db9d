"""A window of one size around a pixel."""

from __future__ import annotations

from typing import Literal

import numpy as np

from imagemill.core.content import Floats
from imagemill.core.geometry import Ints

__all__ = ["Lies", "window_around"]

Lies = Literal["centre", "random"]


def window_around(pixel: Floats, side: Ints, length: Ints, at: Floats, lies: Lies) -> Ints:
    """First pixels ``(d,)`` of a window that has a pixel in its middle, or anywhere in it, within a frame.

    Parameters
    ----------
    pixel : array ``(d,)``
        Its index.
    side, length : array of int ``(d,)``
        Of the window, and of the frame.
    at : array ``(d,)``
        Numbers within (0, 1), for a place that is random.

    Examples
    --------
    >>> side, length = np.array([4, 4]), np.array([10, 20])
    >>> window_around(np.array([5.0, 19.0]), side, length, np.array([0.1, 0.9]), "centre").tolist()
    [3, 16]
    >>> window_around(np.array([5.0, 9.0]), side, length, np.array([0.1, 0.9]), "random").tolist()
    [2, 9]
    """
    near = np.floor(pixel + 0.5)
    first = near - side // 2 if lies == "centre" else near - side + 1 + np.floor(at * side)
    found: Ints = np.clip(first, 0, length - side).astype(np.int64)
    return found
