"""Objects of label maps: pixels of one label that touch each other, corners included."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from imagemill.core.packed import Bools

__all__ = ["boxes_of_parts", "edges_of"]


def boxes_of_parts(same: Bools) -> tuple[npt.NDArray[Any], list[list[float]]]:
    """The parts of what is true: numbers from 1 on at their pixels, and the edges of each, first all lower ones."""
    import scipy.ndimage as ndi

    parts, count = ndi.label(same, np.ones((3,) * same.ndim))
    return parts, [edges_of(place) for place in ndi.find_objects(parts, count)]


def edges_of(place: tuple[slice, ...]) -> list[float]:
    """Edges of slices, with pixel centres at whole numbers."""
    return [part.start - 0.5 for part in place] + [part.stop - 0.5 for part in place]
