"""Four samples around a point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Blend, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis
from imagemill.transforms.base import Sizes, Transform, number, option, param, sizes
from imagemill.transforms.geometric._common import whole_number
from imagemill.transforms.mixing._shares import Classes, Labels, classes_option, labels_option, said
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Mosaic(Transform):
    """Put four pictures of a batch around a point, each with a corner at it, whole pixels as they are.

    The sample stands above and left of the point, then those of its group: the samples whose places in the epoch differ
    by an exclusive or with 1 (right of it), 2 (below) and 3. Groups are four places that follow each other, so they do
    not depend on the size of batches of 4, 8, 12, ...; a `Loader` fetches partners for any other. Where the epoch ends
    within a group, the sample stands for those that are missing. Pictures may be of any sizes: put
    ``LongestSide(640)`` in front of ``Mosaic(1280)``, and what scales and crops behind it.

    Parameters
    ----------
    size : int or pair of int
        Height and width of the result, in pixels.
    centre : number, pair or Distribution, per axis
        Where the point is, as a share of height and width, 0 to 1.
    fill : float
        What stands where no picture reaches, a value of the images.
    mask_fill : int
        The same in label maps.
    classes : int or list of str, optional
        How many classes there are, or their names, where pictures have labels.
    labels : {"soft"}
        Labels become shares of classes, by the area that is seen of each picture.

    Targets
    -------
    Image, Mask, InstanceMasks, Boxes, Keypoints, Polygons are those of all four, moved along, boxes cut to what is seen
    and dropped where `BoxRules` says so; columns ``source`` (0 to 3) and ``weight`` say whose they are. Label
    changes by area. Volumes raise.

    Source
    ------
    Bochkovskiy, Wang and Liao (2020), "YOLOv4: optimal speed and accuracy of object detection", arXiv:2004.10934.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> images = np.arange(1, 5, dtype=np.uint8)[:, None, None] * np.ones((4, 2, 3), np.uint8)
    >>> im.Pipeline([im.Mosaic((4, 4), 0.5)], seed=1).batch(images).image[0].tolist()
    [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    """

    size: Sizes = option(check=sizes)
    centre: PerAxis = param((0.25, 0.75), low=0, high=1, per_axis=True)
    fill: float = option(0.0, check=number())
    mask_fill: int = option(0, check=whole_number())
    classes: Classes = classes_option()
    labels: Labels = labels_option()

    def check(self) -> None:
        """One length is both."""
        if len(self.size) > 2:
            raise ParameterError(f"expected Mosaic(size=...) as height and width, got {self.size!r}")
        if self.labels == "pairs":
            raise ParameterError("expected Mosaic(labels='soft'), for there are four labels and no pair; leave it out")
        if isinstance(self.centre, Mapping) and set(self.centre) != {"y", "x"}:
            raise ParameterError(f"expected Mosaic(centre=...) along y and x, got {sorted(self.centre)}")

    def traits(self) -> Traits:
        size = tuple(self.size) * (2 // len(self.size))
        return Traits(apart=True, moves=True, brings="size", size=size, group=4, mixes="tiles")

    def draw(self, draws: Draws, frame: Frame) -> Op:
        if frame.ndim != 2:
            raise InputError("expected pictures for a Mosaic, got volumes; take CutMix or MixUp")
        rows = frame.partners(3)
        size = np.array(tuple(self.size) * (2 // len(self.size)))
        point = np.empty((frame.n, 2), np.int64)
        for axis, name in enumerate(frame.axes):
            centre = self.centre[name] if isinstance(self.centre, Mapping) else self.centre
            share = draws(cast(Any, centre), f"centre.{name}")
            point[:, axis] = np.rint(share * size[axis])
        regions = np.zeros((frame.n, 4, 2, 2), np.int64)
        offset = np.zeros((frame.n, 4, 2), np.int64)
        for k in range(4):
            for axis, behind in enumerate((k // 2, k % 2)):
                regions[:, k, axis, 0] = point[:, axis] if behind else 0
                regions[:, k, axis, 1] = size[axis] if behind else point[:, axis]
                sides = 0 if behind else frame.shape[rows[:, k], axis]
                offset[:, k, axis] = sides - point[:, axis]
        low = np.maximum(regions[..., 0], -offset)
        high = np.minimum(regions[..., 1], frame.shape[rows] - offset)
        area = np.maximum(high - low, 0).prod(axis=2).astype(np.float64)
        total = area.sum(axis=1, keepdims=True)
        weight = np.where(total > 0, area / np.maximum(total, 1), 0.25)
        shape = np.tile(size, (frame.n, 1))
        labels = said(self.labels, self.classes)
        how = {"regions": regions, "offset": offset, "fill": self.fill, "mask_fill": self.mask_fill}
        return Blend("regions", rows, weight, shape, labels, steps=(0, 1, 2, 3), **how)  # type: ignore[arg-type]

    def variants(self) -> float:
        """As many as there are partners, at least, which nobody knows."""
        return self._with_coin(np.inf)
