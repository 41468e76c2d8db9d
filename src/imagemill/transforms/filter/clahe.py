"""Local equalisation with limited contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.image_ops import Filter
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Random
from imagemill.transforms.base import Sizes, Transform, option, param
from imagemill.transforms.colour._channels import colours
from imagemill.transforms.geometric._common import wholes
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class CLAHE(Transform):
    """Equalise locally: a histogram for each tile, its peaks cut off, and tables interpolated between tiles.

    Of three colours the luma is equalised and each colour moved by as much; other channels go each by themselves, and
    so do the slices of a volume. 8 bits have 256 levels, 16 bits 65,536, and any other type 65,536 between the smallest
    and the largest value of the slice.

    Parameters
    ----------
    limit : number, pair or Distribution
        How many times as often as all alike a level may occur before it is cut, above 0 to 1000; at 1 or less there is
        hardly any change.
    tiles : int or pair of int
        Rows and columns of tiles, 1 to 64.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    Zuiderveld (1994), "Contrast limited adaptive histogram equalization", Graphics Gems IV, as OpenCV does it.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> ramp = np.tile(np.arange(100, 116, dtype=np.uint8), (16, 1))
    >>> made = im.Pipeline([im.CLAHE(40, tiles=2)], seed=0)(ramp)
    >>> int(np.ptp(ramp)), bool(np.ptp(made) > 30)
    (15, True)
    """

    limit: Random = param((1.0, 4.0), above=0, high=1000)
    tiles: Sizes = option(8, check=wholes(1, 2, low=1))

    def check(self) -> None:
        if max(self.tiles) > 64:
            raise ParameterError(f"expected CLAHE(tiles=...) of 64 at most, got {self.tiles}")

    def traits(self) -> Traits:
        return Traits(apart=True, recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        tiles = np.tile(np.array(self.tiles * 2)[:2], (frame.n, 1))
        return Filter("clahe", (draws(self.limit), tiles), colours(frame))
