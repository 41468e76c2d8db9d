"""One size by cutting and padding, voxel for voxel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.content import labelled
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, Ints
from imagemill.core.ops import Affine, Border, Op, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.asked_content import Missing, asked, missing_option, name_of_target
from imagemill.transforms.base import Fill, Sizes, Transform, border_option, fill_option, one_of, option, sizes
from imagemill.transforms.geometric._common import PLACES, SIZED, Place, named_axes, offsets, target_shape, whole_number
from imagemill.transforms.traits import Traits

_HAIR = 1e-6
"""Edges that went through a matrix carry rounding errors."""


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
    about : str, optional
        The name of a mask: the middle of its foreground (what is above 0, at its outermost pixels) comes into the
        middle of the frame, for axes that ``size`` speaks of. Where nothing of it is in view, the image's own middle.
    missing : {"raise", "ignore"}
        What happens with ``about`` to samples that came without that mask: an error, or as without foreground.

    Raises
    ------
    InputError
        When ``about`` names a mask that did not come along.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays. Reads Mask with ``about``.

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

    about: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def check(self) -> None:
        if self.about is not None and self.at != "centre":
            raise ParameterError(f"expected CropOrPad(at=...) or about=..., got {self.at!r} and both; drop one")

    def reads(self) -> str:
        return "" if self.about is None else "masks"

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
        if self.about is not None:
            start = self._about(frame, start, shape, axes)
        matrix = geo.translation(start.astype(np.float64))
        if self.border != "constant":
            return Affine(matrix, shape, Sampling(border=self.border))
        window = np.any((start < 0) | (start + shape > frame.shape), axis=1)
        return Affine(matrix, shape, Sampling(fill=self.fill, mask_fill=self.mask_fill), window=window)

    def _about(self, frame: Frame, start: Ints, shape: Ints, axes: tuple[int, ...]) -> Ints:
        """First pixels ``[n, d]`` with the foreground in the middle, where there is any."""
        assert self.about is not None
        name = self.about
        found = asked(frame, name, "CropOrPad(about=...)", self.missing, lambda content: content.extent(labelled, name))
        if found is not None:
            low, high = found
            seen = ~np.isnan(low).any(axis=1)
            middle = np.floor((low + high - shape + 1) / 2 + _HAIR)[seen].astype(np.int64)
            for axis in axes:
                start[seen, axis] = middle[:, axis]
        return start
