"""Tiles of a grid that change places."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.image_ops import Exchange
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Sizes, Transform, option, sizes
from imagemill.transforms.geometric._common import named_axes
from imagemill.transforms.traits import Traits

_MOST = 64
"""Tiles along an axis."""


@dataclass(frozen=True, slots=True)
class GridShuffle(Transform):
    """Cut the image into equal tiles and lay them in another order: what is there stays, where it is does not.

    Tiles have whole pixels; where sides are no multiple of the grid, the pixels that are over stay at the last edges.
    What goes by the content of the image (``LabelCrop``, ``CoarseDropout(where=...)``) stands in front of it, since it
    finds label maps and boxes as they were before.

    Parameters
    ----------
    grid : int or tuple of int
        Tiles along each axis. One or two numbers speak of the plane (rows, columns), three of all axes of a volume; 64
        at most along an axis. An image of fewer pixels has a tile a pixel.

    Targets
    -------
    Image, Map, Mask, Instances and Keypoints move with the tiles. Boxes, RotatedBoxes and Polygons do so where they lie
    within a tile; those that the tiles tear are gone, as out of view. Label stays.

    Source
    ------
    Chen, Bai, Zhang and Mei (2019), "Destruction and construction learning for fine-grained image recognition", CVPR.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.GridShuffle((1, 3))], seed=3)(np.array([[1, 1, 2, 2, 3, 3, 4]], np.uint8))
    array([[2, 2, 3, 3, 1, 1, 4]], dtype=uint8)
    """

    grid: Sizes = option((3, 3), check=sizes)

    def check(self) -> None:
        if max(self.grid) > _MOST:
            raise ParameterError(f"expected GridShuffle(grid=...) of {_MOST} tiles at most, got {self.grid}")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        """As many as there are orders of the tiles; of one number in pictures, its square."""
        tiles = math.prod(self.grid) if len(self.grid) > 1 else self.grid[0] ** 2
        return self._with_coin(float(math.factorial(tiles)) if tiles <= 20 else math.inf)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        axes = named_axes(self.grid, frame, "GridShuffle(grid=...)")
        tiles = np.resize(self.grid, len(axes))
        lots = draws.uniforms(int(np.prod(tiles))).T
        boxes = np.zeros((frame.n, lots.shape[1] - 1, 3, frame.ndim), np.int64)
        for row, shape in enumerate(frame.shape):
            there = np.minimum(tiles, shape[list(axes)])
            sides = shape.copy()
            sides[list(axes)] = shape[list(axes)] // there
            first = np.zeros((len(lots[row]), frame.ndim), np.int64)
            places = np.array(list(itertools.product(*map(range, there))))
            first[: len(places), list(axes)] = places * sides[list(axes)]
            for k, (one, other) in enumerate(_exchanges(np.argsort(lots[row, : len(places)], kind="stable"))):
                boxes[row, k] = first[one], first[other], sides
        return Exchange(boxes, frame.channels)


def _exchanges(order: Ints) -> list[tuple[int, int]]:
    """Pairs of places that bring what is at ``order[k]`` to ``k``, one after the other.

    Examples
    --------
    >>> _exchanges(np.array([2, 0, 1]))
    [(0, 2), (1, 2)]
    """
    now, found = list(range(len(order))), []
    for place, wanted in enumerate(order.tolist()):
        at = now.index(wanted)
        if at != place:
            now[place], now[at] = now[at], now[place]
            found.append((place, at))
    return found
