"""A window of one size around one of the boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.asked_content import Missing, missing_option, name_of_target
from imagemill.transforms.base import Sizes, Transform, number, option, sizes
from imagemill.transforms.cropping._known import boxes_in_view, cut, place_around, sized
from imagemill.transforms.geometric._common import SIZED
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class BoxCrop(Transform):
    """Cut out a window of one size that shows at least one of the boxes.

    One of the boxes in view is drawn, each as often; the window's place is uniform over those at which that box is
    whole inside it. Along an axis where the box is longer than the window, the window lies inside the box. The other
    boxes stay as far as they are in view (see `BoxRules`). An image without boxes in view is cut anywhere. The recipe
    shows how many boxes there were to choose from.

    Parameters
    ----------
    size : int or tuple of int, pixels
        One length for a square, ``(y, x)``, or ``(z, y, x)`` for volumes. With one or two lengths a volume keeps all
        its slices.
    erosion : float
        Share of the box's length that may be lost, half of it on either side, 0 to below 1.
    of : str, optional
        The name of the boxes to go by; all that there are when left out.
    missing : {"raise", "ignore"}
        What happens to samples that came without boxes, not even an empty list: an error, or as without any in view.

    Raises
    ------
    InputError
        When an image is smaller than the window, or no boxes came along.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays. Reads Boxes.

    Source
    ------
    Buslaev et al. (2020), "Albumentations: fast and flexible image augmentations", Information 11(2), whose
    `AtLeastOneBBoxRandomCrop` it is.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> boxes = im.Boxes([[2, 2, 10, 10], [100, 70, 118, 95]])
    >>> out = im.Pipeline([im.BoxCrop(32)], seed=1)(image=np.zeros((100, 120), np.uint8), boxes=boxes)
    >>> out.image.shape, len(out.boxes), float(out.boxes.visibility.max())
    ((32, 32), 1, 1.0)
    """

    size: Sizes = option(check=sizes)
    erosion: float = option(0.0, check=number(low=0, high=0.999))
    of: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def check(self) -> None:
        if len(self.size) > 3:
            raise ParameterError(f"expected BoxCrop(size=...) to hold 1, 2 or 3 lengths, got {self.size}")

    def variants(self) -> float:
        """Unlimited: how many places there are depends on the image."""
        return self._with_coin(math.inf)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True, brings="size", size=self.size)

    def reads(self) -> str:
        return "boxes"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        d = frame.ndim
        which, at = draws.uniform(), draws.uniforms(d).T
        shape = sized(self.size, frame, "BoxCrop")
        start = np.floor(at * (frame.shape - shape + 1)).astype(np.int64)
        listed = boxes_in_view(frame, "BoxCrop", self.missing, self.of)
        for row, edges in enumerate(listed):
            if len(edges):
                box = edges[int(which[row] * len(edges))]
                lost = self.erosion / 2 * (box[d:] - box[:d])
                start[row] = place_around(box[:d] + lost, box[d:] - lost, shape[row], frame.shape[row], at[row])
        draws.note("boxes", [len(edges) for edges in listed])
        return cut(draws, frame, start, start + shape)
