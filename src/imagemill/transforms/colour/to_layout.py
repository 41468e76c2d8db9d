"""The order of the axes in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Frame
from imagemill.core.ops import Layout, Op
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import Transform, one_of, option
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class ToLayout(Transform):
    """Put the channel axis of images first, as PyTorch wants it, or last, as it comes.

    ``out[c, y, x] = x[y, x, c]``.

    Parameters
    ----------
    layout : {"channels_first", "channels_last"}

    Raises
    ------
    ParameterError
        For ``p`` below 1: a batch has one layout.

    Targets
    -------
    Image changes its axes, and so does a Map that has channels; all else stays.

    Source
    ------
    None needed: a change of representation.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.ToLayout("channels_first")], seed=0)(np.zeros((4, 5, 3), np.uint8)).shape
    (3, 4, 5)
    """

    layout: Literal["channels_first", "channels_last"] = option(check=one_of("channels_first", "channels_last"))

    def check(self) -> None:
        if self.p != 1:
            raise ParameterError(
                f"expected ToLayout(p=...) of 1, since a batch has one layout, got {self.p}; leave p out"
            )

    def traits(self) -> Traits:
        return Traits(layout=True)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        return Layout(self.layout == "channels_first")
