"""The part that holds all foreground, and a margin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from imagemill.core.content import Array, labelled
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import PerAxis
from imagemill.transforms.asked_content import Missing, asked, missing_option, name_of_target
from imagemill.transforms.base import Transform, number, option, param
from imagemill.transforms.cropping._known import cut
from imagemill.transforms.geometric._common import SIZED, per_axis
from imagemill.transforms.traits import Traits

_HAIR = 1e-6


def _above(threshold: float, values: Array) -> Array:
    found: Array = np.any(values > threshold, axis=-1)
    return found


@dataclass(frozen=True, slots=True)
class ForegroundCrop(Transform):
    """Cut off what lies around the foreground, up to a margin; follow it with Resize or CropOrPad for one size.

    Foreground is what a label map has above 0, or what an image has above a value. A margin that would leave the image
    ends there. An image without any foreground in view stays whole. The recipe shows which share of the image is left.

    Parameters
    ----------
    margin : number, pair, Distribution, or mapping from axis to one, pixels
        At least 0, the same on either side of an axis, one number for all axes; rounded up to whole pixels.
    above : float, optional
        Goes by the image instead of label maps: foreground is where any channel has more than this, as the image came
        in, before whatever colours it. Values are those of the image: 0 for scans with an empty background.
    of : str, optional
        The name of the mask, or with ``above`` of the image, to go by; all masks, or ``image``, when left out.
    missing : {"raise", "ignore"}
        What happens to samples that came without masks: an error, or as without foreground.

    Raises
    ------
    InputError
        When no masks came along.

    Targets
    -------
    Image, Mask, Boxes, Keypoints move; Label stays. Reads Mask, or with ``above`` Image.

    Source
    ------
    Isensee et al. (2021), "nnU-Net", Nature Methods 18: scans are cropped to where they are not zero.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> scan = np.zeros((10, 20, 20), np.float32)
    >>> scan[2:8, 5:15, 6:9] = 100
    >>> im.Pipeline([im.ForegroundCrop(2, above=0)], seed=0)(scan, axes="zyx").shape
    (10, 14, 7)
    """

    margin: PerAxis = param(0, low=0, unit="pixels", per_axis=True)
    above: float | None = option(None, check=number())
    of: str | None = option(None, check=name_of_target)
    missing: Missing = missing_option()

    def unlimited(self) -> str:
        return SIZED if Transform.unlimited(self) else ""

    def traits(self) -> Traits:
        return Traits(moves=True)

    def reads(self) -> str:
        return "masks" if self.above is None else "pixels"

    def draw(self, draws: Draws, frame: Frame) -> Op:
        margin = per_axis(draws, self.margin, "margin", frame, frame.axes, 0.0, together=True)
        if self.above is None:
            wanted, name, what = labelled, self.of, self.of or "mask"
        else:
            wanted, name, what = partial(_above, self.above), self.of or "image", self.of or "image"
        start, stop = np.zeros_like(frame.shape), frame.shape.copy()
        extent = asked(frame, what, "ForegroundCrop", self.missing, lambda content: content.extent(wanted, name))
        if extent is not None:
            low, high = extent
            seen = ~np.isnan(low).any(axis=1)
            edge = np.ceil(margin - _HAIR)
            first = np.clip(np.floor(low + 0.5 + _HAIR) - edge, 0, frame.shape - 1)
            last = np.clip(np.ceil(high + 0.5 - _HAIR) + edge, 1, frame.shape)
            start[seen] = first[seen]
            stop[seen] = np.maximum(last, first + 1)[seen]
        draws.note("share", (stop - start).prod(axis=1) / frame.shape.prod(axis=1))
        return cut(draws, frame, start, stop)
