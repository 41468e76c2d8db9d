"""A part about as large as one of the boxes, and where it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis
from imagemill.transforms.asked_content import Missing, missing_option, name_of_target
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.cropping._known import boxes_in_view, cut
from imagemill.transforms.geometric._common import SIZED
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class NearBoxCrop(Transform):
    """Cut out one of the boxes, each of its edges moved by a share of its length; follow it with Resize for one size.

    One of the boxes in view is drawn, each as often. Its edges move outward by ``shift`` times the box's length, drawn
    for each edge on its own, and end at the image. An image without boxes in view stays whole. The recipe shows how
    many boxes there were to choose from.

    Parameters
    ----------
    shift : number, pair, Distribution, or mapping from axis to one, fraction of the box
        How far edges move outward, inward below 0; -0.49 to 10. A mapping names the axes; along the others the edges
        stay where they are.
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
    `RandomCropNearBBox` it is.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> boxes = im.Boxes([[20, 10, 60, 40]])
    >>> pipe = im.Pipeline([im.NearBoxCrop(0.1)], seed=1)
    >>> pipe(image=np.zeros((100, 120), np.uint8), boxes=boxes).image.shape
    (36, 48)
    """

    shift: PerAxis = param((-0.3, 0.3), low=-0.49, high=10, unit="of the box", per_axis=True)
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
        which = draws.uniform()
        shift = np.zeros((frame.n, 2 * d))
        for axis, name in enumerate(frame.axes):
            drawn = self.shift.get(name) if isinstance(self.shift, Mapping) else self.shift
            for side, word in enumerate(("low", "high")):
                if drawn is not None:
                    shift[:, axis + side * d] = draws(drawn, f"shift.{name}.{word}")
        start, stop = np.zeros_like(frame.shape), frame.shape.copy()
        listed = boxes_in_view(frame, "NearBoxCrop", self.missing, self.of)
        for row, edges in enumerate(listed):
            if not len(edges):
                continue
            box, length = edges[int(which[row] * len(edges))], frame.shape[row]
            moved = box + shift[row] * np.tile(box[d:] - box[:d], 2) * np.repeat([-1, 1], d)
            # Halves go outward, and a part has a pixel at least.
            start[row] = np.clip(np.ceil(moved[:d]), 0, length - 1)
            stop[row] = np.clip(np.floor(moved[d:]) + 1, start[row] + 1, length)
        draws.note("boxes", [len(edges) for edges in listed])
        return cut(draws, frame, start, stop)
