"""Fewer samples than there are pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import axis_names, switch
from imagemill.transforms.medical._axes import drawn_axis
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class LowResolution(Transform):
    """Let the image look as if it had fewer pixels, or thicker slices, in its own size.

    It goes to fewer samples by nearest neighbour, and back by straight lines. The label map stays.

    Parameters
    ----------
    factor : number, pair or Distribution
        How many times fewer samples, 1 to 64.
    axes : str, optional
        The axes that lose samples, such as ``"yx"``; all by default.
    one : bool
        Only one of them for each image, drawn: anisotropy.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Isensee et al. (2021), "nnU-Net", Nature Methods 18: simulation of low resolution. Billot et al. (2020), "Partial
    volume segmentation of brain MRI scans of any resolution and contrast", MICCAI: anisotropy.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.LowResolution(2)], seed=0)(np.array([[0.0, 2, 0, 6, 0, 2]])).tolist()
    [[2.0, 3.0, 5.0, 5.0, 3.0, 2.0]]
    """

    factor: Random = param((1.0, 2.0), low=1, high=64)
    axes: str | None = option(None, check=axis_names)
    one: bool = option(False, check=switch)

    def traits(self) -> Traits:
        return Traits(apart=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        factor = draws(self.factor)
        factors = np.ones(frame.shape.shape)
        if self.one:
            factors[np.arange(frame.n), drawn_axis(draws, self.axes, frame)] = factor
        else:
            factors[:, [frame.axis(name) for name in self.axes or frame.axes]] = factor[:, None]
        fewer = np.maximum(np.rint(frame.shape / factors), 1).astype(np.int64)
        return Filter("lower", (fewer, np.tile([0, 1], (frame.n, 1))), colours(frame))
