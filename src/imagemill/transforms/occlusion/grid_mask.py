"""A grid of hidden squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.geometric._common import switch
from imagemill.transforms.occlusion._fills import Fill, erase, fill_option, mask_fill_option
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class GridMask(Transform):
    """Hide a square in each cell of a grid that covers the plane of ``y`` and ``x``, turned and begun anywhere.

    All slices of a volume hide the same squares.

    Parameters
    ----------
    cell : number, pair or Distribution
        Side of a cell as a share of the image's shorter side, 0.02 to 1; no less than two pixels.
    ratio : number, pair or Distribution
        Side of the hidden square as a share of the cell's, 0 to 1.
    degrees : number, pair or Distribution, degrees
        By which the grid is turned about the centre of the image, counter-clockwise.
    fill : {"mean", "noise"}, float or list of float
        The mean of each channel of the image; uniform noise from black to white; or values of the image, one, or one
        for each colour channel.
    mask_fill : int, optional
        What label maps show there; by default they keep what is hidden.
    hide_keypoints : bool
        Whether keypoints in a square count as not visible.

    Targets
    -------
    Image changes (an alpha channel does not); Mask and Map with ``mask_fill``, Keypoints with ``hide_keypoints``;
    Boxes, Label stay: what is hidden is still there.

    Source
    ------
    Chen, Liu, Zhao and Jia (2020), "GridMask data augmentation", arXiv:2001.04086.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.GridMask(0.5, 0.5, 0)], seed=4)(np.full((8, 8), 1, np.uint8))[:4, :4]
    array([[1, 1, 1, 1],
           [1, 0, 0, 1],
           [1, 0, 0, 1],
           [1, 1, 1, 1]], dtype=uint8)
    """

    cell: Random = param((0.15, 0.4), low=0.02, high=1)
    ratio: Random = param((0.3, 0.6), low=0, high=1)
    degrees: Random = param((0.0, 90.0), low=-360, high=360, unit="degrees")
    fill: Fill = fill_option()
    mask_fill: int | None = mask_fill_option()
    hide_keypoints: bool = option(False, check=switch)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        plane = list(frame.in_plane)
        sides = frame.shape[:, plane]
        shorter = sides.min(axis=1)
        cell = np.maximum(np.rint(draws(self.cell) * shorter), 2).astype(np.int64)
        square = np.rint(draws(self.ratio) * cell).astype(np.int64)
        degrees = draws(self.degrees)
        begins = [np.floor(draws.uniform() * cell).astype(np.int64) for _ in plane]
        # From the centre out as far as the corners, whatever way the grid is turned. What other images of the batch
        # need besides lies outside of this one.
        reach = int(np.ceil(np.hypot(*sides.T) / 2 / cell).max()) + 1
        steps = np.arange(-reach, reach + 1)
        rows, columns = (part.reshape(-1) for part in np.meshgrid(steps, steps, indexing="ij"))
        boxes = np.zeros((frame.n, len(rows), frame.ndim, 2), np.int64)
        boxes[..., 1] = frame.shape[:, None]
        for axis, begin, number in zip(plane, begins, (rows, columns), strict=True):
            first = (frame.shape[:, axis] // 2 - begin)[:, None] + number * cell[:, None]
            boxes[:, :, axis] = np.stack([first, first + square[:, None]], axis=-1)
        turn = geo.about(geo.rotation(degrees, frame.in_plane, frame.ndim), frame.centre)
        how = {"mask_fill": self.mask_fill, "hides": self.hide_keypoints, "turn": turn}
        return erase(boxes, draws, frame, self.fill, "GridMask(fill=...)", **how)

    def variants(self) -> float:
        """Continuous, or as many as there are places, which depends on the image."""
        return self._with_coin(np.inf)
