"""The type of the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame, peak_of
from imagemill.core.ops import Cast, ChannelMix, Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.transforms.base import Transform, one_of, option
from imagemill.transforms.traits import Traits

Name = Literal["uint8", "uint16", "float16", "float32", "float64"]
DTYPES: tuple[str, ...] = get_args(Name)
Given: TypeAlias = "Name | np.dtype[Any] | type[np.generic]"


def _dtype(name: str, value: Any) -> Any:
    """Take ``np.float32`` and the like by their names."""
    known = isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic))
    return one_of(*DTYPES)(name, np.dtype(value).name if known else value)


@dataclass(frozen=True, slots=True)
class ToDtype(Transform):
    """Change the type of the image values.

    ``out = x``, or ``out = x * new_white / old_white`` with ``scale=True``; white is 255, 65,535 or 1 for
    8 bits, 16 bits and floating point. Integers are rounded (halves to even) and saturate.

    Parameters
    ----------
    dtype : {"uint8", "uint16", "float16", "float32", "float64"}
        Or the numpy type of that name.
    scale : bool
        Whether white stays white; every channel is scaled, alpha too.

    Raises
    ------
    ParameterError
        For ``p`` below 1: a batch has one dtype.

    Targets
    -------
    Image changes; all else stays.

    Source
    ------
    None needed: a change of representation.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ToDtype("uint16", scale=True)], seed=0)(np.array([[1, 255]], np.uint8))
    array([[  257, 65535]], dtype=uint16)
    """

    dtype: Read[Given, str] = option(check=_dtype)
    scale: bool = option(False, check=one_of(True, False))

    def check(self) -> None:
        if self.p != 1:
            raise ParameterError(
                f"expected ToDtype(p=...) of 1, since a batch has one dtype, got {self.p}; leave p out"
            )

    def traits(self) -> Traits:
        return Traits(whole=np.dtype(self.dtype).kind in "iu" and not self.scale, white="needs" if self.scale else "")

    def draw(self, draws: Draws, frame: Frame) -> Op | tuple[Op, ...]:
        dtype = np.dtype(self.dtype)
        if not self.scale:
            return Cast(dtype)
        gain = np.full((frame.n, frame.channels), peak_of(dtype) / frame.peak)
        # The clip of the old type is due before, at its own white; the new type's comes with the cast.
        return ChannelMix.diagonal(gain, leaves_range=True), Cast(dtype)
