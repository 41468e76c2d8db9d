"""The colour space of Ruderman, in which the three channels of natural images hardly depend on each other.

Source: Ruderman, Cronin and Chiao (1998), "Statistics of cone responses to natural images", JOSA A 15(8); numbers as
in Reinhard et al. (2001), "Color transfer between images", IEEE Computer Graphics and Applications 21(5).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

__all__ = ["FROM_RGB", "correlated", "decorrelated"]

FROM_RGB = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
"""Responses of long, medium and short cones to red, green and blue."""
_TURN = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1.0, 1, 1], [1, 1, -2], [1, -1, 0]])
_BLACK = 0.5 / 255
"""Share of white that black counts as."""


def decorrelated(rgb: Floats) -> Floats:
    """Lightness, yellow-blue and red-green ``(..., 3)`` of red, green and blue in shares of white.

    Examples
    --------
    >>> gray = decorrelated(np.array([[0.5, 0.5, 0.5]]))
    >>> bool(abs(gray[0, 0]) > 10 * np.abs(gray[0, 1:]).max())
    True
    """
    cones = np.maximum(rgb, _BLACK) @ FROM_RGB.T
    found: Floats = np.log10(cones) @ _TURN.T
    return found


def correlated(values: Floats) -> Floats:
    """Red, green and blue again.

    Examples
    --------
    >>> correlated(decorrelated(np.array([[0.2, 0.5, 1.0]]))).round(9).tolist()
    [[0.2, 0.5, 1.0]]
    """
    cones = 10.0 ** (values @ np.linalg.inv(_TURN).T)
    found: Floats = cones @ np.linalg.inv(FROM_RGB).T
    return found
