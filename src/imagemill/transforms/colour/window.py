"""The window through which values of a scan are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import ChannelMix, Op, Pointwise
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Transform, option, param
from imagemill.transforms.colour._channels import per_channel
from imagemill.transforms.colour.rescale import read_target
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class Window(Transform):
    """Show a window of values, such as Hounsfield units, from black to white, as floating point.

    Values of ``level - width / 2`` and below become ``to[0]``, those of ``level + width / 2`` and above ``to[1]``, and
    those between lie on a straight line.

    Parameters
    ----------
    level : number, pair or Distribution, values of the image
        Middle of the window.
    width : number, pair or Distribution, values of the image
        Above 0. In CT, level and width are commonly 40 and 400 for soft tissue, -600 and 1500 for lungs, 40 and 80 for
        the brain, 400 and 1800 for bones; a pair draws.
    to : {(0, 1), (-1, 1)}

    Targets
    -------
    Image changes; all else stays.

    Source
    ------
    DICOM PS3.3, C.11.2.1.2.1, "VOI LUT function": linear exact.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Window(40, 400)], seed=0)(np.array([[-1000, -60, 40, 3000]], np.int16))
    array([[0.  , 0.25, 0.5 , 1.  ]], dtype=float32)
    """

    level: Random = param(40, unit="values of the image")
    width: Random = param(400, above=0, unit="values of the image")
    to: tuple[float, float] = option((0, 1), check=read_target)

    def check(self) -> None:
        if self.p != 1:
            raise ParameterError(
                f"expected Window(p=1), or some images would keep another unit than the rest, got p={self.p}; draw "
                "level and width, as pairs, instead"
            )

    def traits(self) -> Traits:
        return Traits(leaves_range=self.to[0] < 0, small=True, white="sets")

    def draw(self, draws: Draws, frame: Frame) -> tuple[Op, ...]:
        level, width = draws(self.level), draws(self.width)
        low = level - width / 2
        start, end = self.to
        gain = (end - start) / width
        columns = per_channel(gain, frame.channels), per_channel(start - gain * low, frame.channels)
        # Clipped at the end, so that black is black to the last bit.
        clip = Pointwise("clip", np.tile([start, end], (frame.n, 1)), frame.channels)
        return ChannelMix.diagonal(*columns, leaves_range=True), clip
