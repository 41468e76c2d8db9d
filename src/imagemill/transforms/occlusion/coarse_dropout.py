"""Hidden holes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis, Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.geometric._common import switch
from imagemill.transforms.occlusion._fills import Fill, erase, fill_option, mask_fill_option
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


@dataclass(frozen=True, slots=True)
class CoarseDropout(Transform):
    """Hide some holes of a size, anywhere inside the image: with one square hole it is Cutout.

    Parameters
    ----------
    holes : whole number, pair or Choice
        How many, 0 to 1000. They may overlap.
    size : number, pair, Distribution, or mapping from axis to one
        Side of a hole as a share of the image's side, 0 to 1, drawn for each hole and each axis; in volumes along ``z``
        as well. A mapping names the axes; along the others a hole is as long as the image.
    fill : {"mean", "noise"}, float or list of float
        The mean of each channel of the image; uniform noise from black to white; or values of the image, one, or one
        for each colour channel.
    mask_fill : int, optional
        What label maps show there; by default they keep what is hidden.
    hide_keypoints : bool
        Whether keypoints in a hole count as not visible.

    Targets
    -------
    Image changes (an alpha channel does not); Mask and Map with ``mask_fill``, Keypoints with ``hide_keypoints``;
    Boxes, Label stay: what is hidden is still there.

    Source
    ------
    DeVries and Taylor (2017), "Improved regularization of convolutional neural networks with Cutout", arXiv:1708.04552.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.CoarseDropout(1, 0.5)], seed=1)(np.full((4, 4), 9, np.uint8)).sum()
    np.uint64(108)
    """

    holes: Random = param((1, 8), low=0, high=1000, whole="any")
    size: PerAxis = param((0.05, 0.2), low=0, high=1, per_axis=True)
    fill: Fill = fill_option()
    mask_fill: int | None = mask_fill_option()
    hide_keypoints: bool = option(False, check=switch)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        count = draw_whole(draws, self.holes, "holes")
        # As many as the most there could be are drawn, so that a hole is the same whatever the batch.
        most = int(self.holes.bounds[1])
        boxes = np.zeros((frame.n, most, frame.ndim, 2), np.int64)
        there = np.arange(most) < count[:, None]
        for axis, name in enumerate(frame.axes):
            size = self.size.get(name) if isinstance(self.size, Mapping) else self.size
            side = frame.shape[:, axis, None]
            if size is None:
                boxes[:, :, axis, 1] = np.where(there, side, 0)
                continue
            shares, places = draws.uniforms(most).T, draws.uniforms(most).T
            shares = draws.of(size, shares)
            length = np.minimum(np.maximum(np.rint(shares * side), shares > 0), side).astype(np.int64)
            start = np.floor(places * (side - length + 1)).astype(np.int64)
            boxes[:, :, axis, 0] = start
            boxes[:, :, axis, 1] = np.where(there, start + length, start)
        how = {"mask_fill": self.mask_fill, "hides": self.hide_keypoints}
        return erase(boxes, draws, frame, self.fill, "CoarseDropout(fill=...)", **how)

    def variants(self) -> float:
        """Continuous, or as many as there are places, which depends on the image."""
        return self._with_coin(np.inf)
