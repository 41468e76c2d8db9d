"""Colour taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Op
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Read
from imagemill.transforms.base import Transform, one_of, option
from imagemill.transforms.colour._channels import LUMA, Numbers, numbers, on_rgb
from imagemill.transforms.traits import Traits

WEIGHTS = {"bt601": LUMA, "bt709": (0.2126, 0.7152, 0.0722), "mean": (1 / 3, 1 / 3, 1 / 3)}
"""Weights of red, green and blue in gray."""


Weights: TypeAlias = "Literal['bt601', 'bt709', 'mean'] | Numbers"


def _weights(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return one_of(*WEIGHTS)(name, value)
    found = numbers(low=0)(name, value)
    if len(found) != 3 or abs(sum(found) - 1) > 1e-3:
        raise ParameterError(f"expected {name} as three weights that add up to 1, got {value!r}")
    return found


@dataclass(frozen=True, slots=True)
class Gray(Transform):
    """Replace the colour of each pixel by its gray; the number of channels stays, and a gray image is left as it is.

    ``out = w_R R + w_G G + w_B B`` in each colour channel.

    Parameters
    ----------
    weights : {"bt601", "bt709", "mean"} or three floats
        Of red, green and blue; three numbers of at least 0 that add up to 1.

    Raises
    ------
    ParameterError
        When an image has neither 1 nor 3 colour channels.

    Targets
    -------
    Image changes (an alpha channel does not); all else stays.

    Source
    ------
    ITU-R BT.601-7, 2.5.1, and ITU-R BT.709-6, 3.2: the weights of luma.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Gray()], seed=0)(np.array([[[200, 100, 0]]], np.uint8))
    array([[[118, 118, 118]]], dtype=uint8)
    """

    weights: Read[Weights, Literal["bt601", "bt709", "mean"] | tuple[float, ...]] = option("bt601", check=_weights)

    def traits(self) -> Traits:
        return Traits(recolours=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        row = np.array(WEIGHTS[self.weights] if isinstance(self.weights, str) else self.weights)
        return on_rgb(frame, "Gray", lambda: np.tile(row, (frame.n, 3, 1)))
