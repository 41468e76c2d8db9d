"""What transforms may ask of the pixels and annotations of a batch while they draw: in the frame as it is there.

The sources are read as they came in and mapped through the geometry drawn so far; no image is resampled for it, and no
colour drawn so far is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Array = np.ndarray[Any, Any]
Extent = tuple[Floats, Floats]
"""Lower and upper edges ``[n, d]`` of something in a frame; ``nan`` where there is nothing."""
Wanted = Callable[[Array], Array]
"""Values ``(*shape, K)`` of a raster to booleans ``(*shape)``."""
Weights = Callable[[Array], Floats]
"""Values ``(*shape, K)`` of a raster to weights ``(*shape)``, 0 for pixels that do not count."""

__all__ = ["Content", "Extent", "Places", "Wanted", "Weights", "labelled"]


def labelled(maps: Array) -> Array:
    """The foreground of label maps ``(*shape, K)``: where any of them has a label above 0.

    Examples
    --------
    >>> labelled(np.array([[[0, 0], [0, 3]]])).tolist()
    [[False, True]]
    """
    found: Array = np.any(maps > 0, axis=-1)
    return found


class Places(Protocol):
    """Some pixels of one image that are in view."""

    @property
    def count(self) -> int:
        """How many there are."""

    def pick(self, at: float) -> Floats:
        """The index ``(d,)``, in the frame, of one of them, by a number within (0, 1) that counts through all."""


class Content(Protocol):
    """What the images of a batch show in a frame.

    Targets are named as they were passed. No name stands for the label maps, and for the boxes, that there are; what
    there is none of is None.
    """

    def extent(self, wanted: Wanted = labelled, name: str | None = None) -> Extent | None:
        """Outer edges of some pixels of each image, by default of the foreground."""

    def boxes(self, name: str | None = None) -> tuple[Floats, ...] | None:
        """Edges ``(k, 2d)`` of each image's boxes, cut at the frame; ``nan`` for those that are out of view."""

    def places(self, row: int, weights: Weights, name: str | None = None) -> Places | None:
        """The pixels of an image that are in view, by their weights."""

    def maps(self, row: int, name: str | None = None) -> Array | None:
        """The label maps of an image ``(*shape, K)`` as they are in the frame."""
