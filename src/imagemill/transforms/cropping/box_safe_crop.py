"""A random part that keeps all boxes whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.asked_content import Missing, missing_option, name_of_target
from imagemill.transforms.base import Transform, number, option
from imagemill.transforms.cropping._known import boxes_in_view, cut
from imagemill.transforms.geometric._common import SIZED
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class BoxSafeCrop(Transform):
    """Cut out a random part of any size in which all boxes are whole; follow it with Resize to give it one size.

    Each edge of the part is drawn on its own, uniformly over the whole pixels from the edge of the image to the
    outermost box. Boxes that came in partly out of view are kept as far as they are in view. An image without boxes in
    view stays whole. The recipe shows how many boxes there were to keep.

    Parameters
    ----------
    erosion : float
        Share of a box's length that may be lost, half of it on either side, 0 to below 1: with 0.2 the middle 80 % of
        each box is kept.
    of : str, optional
        The name of the boxes to go by; all that there are when left out.
    missing : {"raise", "ignore"}
        What happens to samples that came without boxes, not even an empty list: an error, or as without any in view.

    Raises
    ------
    InputError
        When no boxes came along.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays. Reads Boxes.

    Source
    ------
    Buslaev et al. (2020), "Albumentations: fast and flexible image augmentations", Information 11(2), whose
    `RandomSizedBBoxSafeCrop` it is, without the resize.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> boxes = im.Boxes([[20, 10, 60, 40], [50, 30, 80, 50]])
    >>> pipe = im.Pipeline([im.BoxSafeCrop(), im.Resize((64, 64))], seed=1)
    >>> out = pipe(image=np.zeros((100, 120, 3), np.uint8), boxes=boxes)
    >>> out.image.shape, out.boxes.visibility.tolist()
    ((64, 64, 3), [1.0, 1.0])
    """

    erosion: float = option(0.0, check=number(low=0, high=0.999))
    of: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def variants(self) -> float:
        """Unlimited: how many there are depends on the image."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True)

    def reads(self) -> str:
        return "boxes"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        d = frame.ndim
        at = draws.uniforms(2 * d).T
        start, stop = np.zeros_like(frame.shape), frame.shape.copy()
        listed = boxes_in_view(frame, "BoxSafeCrop", self.missing, self.of)
        for row, edges in enumerate(listed):
            if not len(edges):
                continue
            lost = self.erosion / 2 * (edges[:, d:] - edges[:, :d])
            low = (edges[:, :d] + lost).min(axis=0)
            high = (edges[:, d:] - lost).max(axis=0)
            length = frame.shape[row]
            # A part has a pixel at least, also where a box has no extent.
            latest = np.clip(np.floor(low + 0.5), 0, length - 1)
            earliest = np.clip(np.ceil(high + 0.5), latest + 1, length)
            start[row] = np.floor(at[row, :d] * (latest + 1))
            stop[row] = earliest + np.floor(at[row, d:] * (length - earliest + 1))
        draws.note("boxes", [len(edges) for edges in listed])
        return cut(draws, frame, start, stop)
