"""A hidden rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import LogUniform, Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.geometric._common import switch
from imagemill.transforms.occlusion._fills import Fill, erase, fill_option, mask_fill_option
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Erasing(Transform):
    """Hide a rectangle by its share of the image and its proportions, anywhere in the plane of ``y`` and ``x``.

    All slices of a volume hide the same rectangle. Where the proportions would make it longer than the image, it is as
    long as the image.

    Parameters
    ----------
    area : number, pair or Distribution
        Share of the image, 0 to 1.
    aspect : number, pair or Distribution
        Width over height, above 0.
    fill : {"mean", "noise"}, float or list of float
        The mean of each channel of the image; uniform noise from black to white; or values of the image, one, or one
        for each colour channel.
    mask_fill : int, optional
        What label maps show there; by default they keep what is hidden.
    hide_keypoints : bool
        Whether keypoints in it count as not visible.

    Targets
    -------
    Image changes (an alpha channel does not); Mask and Map with ``mask_fill``, Keypoints with ``hide_keypoints``;
    Boxes, Label stay: what is hidden is still there.

    Source
    ------
    Zhong, Zheng, Kang, Li and Yang (2020), "Random erasing data augmentation", AAAI.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> made = im.Pipeline([im.Erasing(0.25, 1)], seed=3)(np.full((8, 8), 9, np.uint8))
    >>> int((made == 0).sum())
    16
    """

    area: Random = param((0.02, 0.33), low=0, high=1)
    aspect: Random = param(LogUniform(0.3, 3.3), above=0, high=1000)
    fill: Fill = fill_option()
    mask_fill: int | None = mask_fill_option()
    hide_keypoints: bool = option(False, check=switch)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        area, aspect = draws(self.area), draws(self.aspect)
        plane = list(frame.in_plane)
        sides = frame.shape[:, plane]
        pixels = area * sides.prod(axis=1)
        wanted = np.stack([np.sqrt(pixels / aspect), np.sqrt(pixels * aspect)], axis=1)
        lengths = np.minimum(np.rint(wanted), sides).astype(np.int64)
        boxes = np.zeros((frame.n, 1, frame.ndim, 2), np.int64)
        boxes[:, 0, :, 1] = frame.shape
        for k, axis in enumerate(plane):
            start = np.floor(draws.uniform() * (sides[:, k] - lengths[:, k] + 1)).astype(np.int64)
            draws.note(f"start.{frame.axes[axis]}", start)
            boxes[:, 0, axis] = np.stack([start, start + lengths[:, k]], axis=1)
        how = {"mask_fill": self.mask_fill, "hides": self.hide_keypoints}
        return erase(boxes, draws, frame, self.fill, "Erasing(fill=...)", **how)

    def variants(self) -> float:
        """Continuous, or as many as there are places, which depends on the image."""
        return self._with_coin(np.inf)
