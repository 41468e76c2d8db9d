"""Patches of an image that change places."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame, Ints
from imagemill.core.image_ops import Exchange
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Sizes, Transform, option, param, sizes
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import named_axes
from imagemill.transforms.traits import Traits
from imagemill.transforms.whole_numbers import draw_whole


@dataclass(frozen=True, slots=True)
class PatchSwap(Transform):
    """Let pairs of patches change places, so that a network that restores the image learns where things belong.

    Parameters
    ----------
    size : int or tuple of int, pixels
        Sides of a patch. One or two lengths speak of the plane, three of all axes of a volume; cut to half of the
        image's side, as two patches of a pair never overlap.
    pairs : whole number, pair or Choice
        How many, 0 to 1000, one after the other: later pairs may take parts of earlier ones along.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays: it says what is to be restored.

    Source
    ------
    Chen, Bentley et al. (2019), "Self-supervised learning for medical image analysis using image context restoration",
    Medical Image Analysis 58.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.PatchSwap((1, 2), 1)], seed=3)(np.array([[1, 2, 3, 4]], np.uint8))
    array([[3, 4, 1, 2]], dtype=uint8)
    """

    size: Sizes = option((16, 16), check=sizes)
    pairs: Random = param((10, 50), low=0, high=1000, whole="any")

    def traits(self) -> Traits:
        return Traits(apart=True)

    def variants(self) -> float:
        """Unlimited, or as many as there are places, which depends on the image."""
        return self._with_coin(math.inf if self.pairs.bounds[1] else 1.0)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        axes = named_axes(self.size, frame, "PatchSwap(size=...)")
        count = draw_whole(draws, self.pairs, "pairs")
        # As many as the most there could be are drawn, so that a pair is the same whatever the batch.
        most = int(self.pairs.bounds[1])
        sides = frame.shape.copy()
        sides[:, list(axes)] = np.minimum(np.resize(self.size, len(axes)), np.maximum(sides[:, list(axes)] // 2, 1))
        boxes = np.zeros((frame.n, most, 3, frame.ndim), np.int64)
        boxes[:, :, 2] = sides[:, None] * (np.arange(most) < count[:, None])[..., None]
        # An axis along which there is room for both keeps the two of a pair apart.
        room = (2 * sides <= frame.shape)[:, list(axes)]
        count_of = room.sum(axis=1, keepdims=True)
        first = np.array(axes)[np.argsort(~room, axis=1, kind="stable")]
        which = np.floor(draws.uniforms(most).T * np.maximum(count_of, 1)).astype(np.int64)
        chosen = np.take_along_axis(first, which, axis=1)
        for axis in range(frame.ndim):
            places = draws.uniforms(2 * most).T.reshape(frame.n, most, 2)
            low, high = _apart(places, frame.shape[:, axis], sides[:, axis])
            free = np.floor(places * (frame.shape[:, axis] - sides[:, axis] + 1)[:, None, None]).astype(np.int64)
            along = (chosen == axis)[..., None]
            boxes[:, :, :2, axis] = np.where(along, np.stack([low, high], axis=-1), free)
        boxes[:, :, 2][count_of[:, 0] == 0] = 0
        return Exchange(boxes, colours(frame), masks=False)


def _apart(places: np.ndarray, length: Ints, side: Ints) -> tuple[Ints, Ints]:
    """First pixels ``[n, k]`` of two patches that do not overlap along an axis."""
    room = np.maximum(length - 2 * side, 0)[:, None]
    drawn = np.sort(np.floor(places * (room + 1)[..., None]).astype(np.int64), axis=-1)
    return drawn[..., 0], drawn[..., 1] + side[:, None]
