"""Turning by right angles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Choice, Random, Range
from imagemill.transforms.base import Transform, one_of, option, param
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class QuarterTurn(Transform):
    """Turn by multiples of 90 degrees counter-clockwise, exactly, as ``numpy.rot90`` does.

    Height and width change places for odd numbers of turns; the spacing goes along with them.

    Parameters
    ----------
    times : whole number or Choice, quarter turns
        Negative ones go clockwise. By default 0, 1, 2 or 3, equally likely.
    plane : {"yx", "zy", "zx"}
        The axis that points down and the one that points right.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Cohen and Welling (2016), "Group equivariant convolutional networks", ICML: the group p4.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.QuarterTurn(1)], seed=0)(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    array([[3, 6],
           [2, 5],
           [1, 4]], dtype=uint8)
    """

    times: Random = param(Choice((0, 1, 2, 3)), unit="quarter turns")
    plane: Literal["yx", "zy", "zx"] = option("yx", check=one_of("yx", "zy", "zx"))

    def check(self) -> None:
        values: tuple[float, ...] = ()
        if isinstance(self.times, Choice):
            values = self.times.values
        elif isinstance(self.times, Range) and self.times.low == self.times.high:
            values = (self.times.low,)
        if not values or any(v != round(v) for v in values):
            raise ParameterError(
                f"expected QuarterTurn(times=...) to be a whole number or a Choice of whole numbers, "
                f"got {self.times}; "
                "write Choice([0, 1, 2, 3]), or Rotate for any angle"
            )

    def variants(self) -> float:
        """Four turns are none, so they count once."""
        assert isinstance(self.times, Choice | Range)
        values = self.times.values if isinstance(self.times, Choice) else (self.times.low,)
        return self._with_coin(len({value % 4 for value in values}))

    def traits(self) -> Traits:
        values = self.times.values if isinstance(self.times, Choice) else self.times.bounds
        turns = max(90.0 * min(value % 4, -value % 4) for value in values)
        return Traits(moves=True, whole_frame=True, turns=turns if self.plane == "yx" else 0.0)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        down, right = frame.plane(self.plane)
        times = draws(self.times)
        linear = geo.rotation(90.0 * times, (down, right), frame.ndim)
        shape = frame.shape.copy()
        odd = times % 2 != 0
        shape[odd, down], shape[odd, right] = frame.shape[odd, right], frame.shape[odd, down]
        matrix = geo.identity(frame.n, frame.ndim)
        matrix[:, :-1, :-1] = linear
        # The centre of the output shows the centre of the input; all numbers are halves, so this is exact.
        matrix[:, :-1, -1] = frame.centre - np.einsum("nij,nj->ni", linear, (shape - 1) / 2.0)
        return Affine(matrix, shape)
