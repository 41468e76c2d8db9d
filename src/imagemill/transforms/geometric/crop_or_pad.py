"""One size by cutting and padding, voxel for voxel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Border, Op, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Fill, Sizes, Transform, border_option, fill_option, one_of, option, sizes
from imagemill.transforms.geometric._common import PLACES, SIZED, Place, named_axes, offsets, target_shape, whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class CropOrPad(Transform):
    """Bring images to one size without interpolating: cut where they are larger, pad where they are smaller.

    Parameters
    ----------
    size : int or tuple of int, pixels
        One or two lengths speak of the plane, three of all axes of a volume.
    at : {"centre", "random", "top_left", "top_right", "bottom_left", "bottom_right"}
        Where the part that is kept lies, and where the image lies in the frame; as in ``Crop`` and ``Pad``.
    border : {"constant", "nearest", "reflect", "mirror", "wrap"}
        What the margin shows; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Isensee et al. (2021), "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation",
    Nature Methods 18: patches of one size of scans of any.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.CropOrPad((1, 4), fill=9)], seed=0)(np.array([[1, 2], [3, 4], [5, 6]], np.uint8))
    array([[9, 3, 4, 9]], dtype=uint8)
    """

    size: Sizes = option(check=sizes)
    at: Place = option("centre", check=one_of(*PLACES))
    border: Border = border_option("constant")
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def variants(self) -> float:
        """As for any transform; how many places there are to draw from depends on the image."""
        return self._with_coin(math.inf) if self.at == "random" else Transform.variants(self)

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True, border=self.border, brings="size", size=self.size)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        shape = target_shape(self.size, frame, "CropOrPad(size=...)")
        room = frame.shape - shape
        axes = named_axes(self.size, frame, "CropOrPad(size=...)")
        start = np.sign(room) * offsets(np.abs(room), self.at, draws, frame, axes)
        matrix = geo.translation(start.astype(np.float64))
        if self.border != "constant":
            return Affine(matrix, shape, Sampling(border=self.border))
        window = np.any(room < 0, axis=1)
        return Affine(matrix, shape, Sampling(fill=self.fill, mask_fill=self.mask_fill), window=window)
