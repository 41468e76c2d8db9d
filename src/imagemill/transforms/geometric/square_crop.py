"""A square that keeps the segmentation in view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Affine, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, param
from imagemill.transforms.geometric._common import SIZED
from imagemill.transforms.traits import Traits

# Edges that went through a matrix carry rounding errors; a millionth of a pixel is no pixel.
_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class SquareCrop(Transform):
    """Cut out the largest square that shows all foreground and a margin around it, exactly.

    The side is the shorter one of the plane. The window slides along the longer axis to the whole
    position nearest the centre at which the mask's foreground (labels above 0) and the margin are inside;
    where the margin would leave the frame, it ends there. Without a mask, with an empty one, or with no
    foreground left in view, the window is centred. Foreground with margin longer than the side puts the
    window's centre on the foreground's middle, as nearly as the frame allows. Slices of a volume are all
    kept.

    Parameters
    ----------
    margin : number, pair or Distribution, pixels
        At least 0.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays. Reads Mask.

    Source
    ------
    Isensee et al. (2021), "nnU-Net", Nature Methods 18: patches chosen so that foreground is in them.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> image = np.arange(8, dtype=np.uint8)[None].repeat(2, axis=0)
    >>> mask = (image == 6).astype(np.uint8)
    >>> im.Pipeline([im.SquareCrop(margin=0)], seed=0)(image=image, mask=mask).image
    array([[5, 6],
           [5, 6]], dtype=uint8)
    """

    margin: Random = param(5, low=0, unit="pixels")

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True)

    def reads(self) -> str:
        return "masks"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        margin = draws(self.margin)
        plane = list(frame.in_plane)
        rows = np.arange(frame.n)
        longer = np.asarray(plane)[np.argmax(frame.shape[:, plane], axis=1)]
        side = frame.shape[:, plane].min(axis=1)
        length = frame.shape[rows, longer]
        start, shape = np.zeros_like(frame.shape), frame.shape.copy()
        shape[:, plane] = side[:, None]
        extent = frame.foreground()
        # No mask at all is the same as nothing in it.
        low, high = (np.full(frame.n, np.nan),) * 2 if extent is None else (e[rows, longer] for e in extent)
        start[rows, longer] = _slide(low, high, margin, side, length)
        return Affine(geo.translation(start.astype(np.float64)), shape)


def _slide(low: geo.Floats, high: geo.Floats, margin: geo.Floats, side: Ints, length: Ints) -> Ints:
    """First pixel of each window, ``[n]``, from the edges of the foreground along the longer axis."""
    last = length - side
    centred = last // 2
    # NaN (no foreground) passes through the clipping and fails every comparison below.
    low, high = (np.clip(edge, -0.5, length - 0.5) for edge in (low, high))
    seen = high > low
    low, high = np.where(seen, low, 0.0), np.where(seen, high, 0.0)
    lowest = np.ceil(high + margin + 0.5 - side - _HAIR)
    highest = np.floor(low - margin + 0.5 + _HAIR)
    middle = np.floor((low + high - (side - 1)) / 2.0 + 0.5)
    wanted = np.where(lowest <= highest, np.clip(centred, lowest, highest), middle)
    # A margin that leaves the frame asks for a window that does; held back, it shows what margin there is.
    return np.where(seen, np.clip(wanted, 0, last), centred).astype(np.int64)
