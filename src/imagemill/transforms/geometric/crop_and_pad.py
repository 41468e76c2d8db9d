"""Every edge of the frame moved by an amount of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.errors import ParameterError
from imagemill.core.geometry import Floats, Frame
from imagemill.core.ops import Affine, Border, Op, Order, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Distribution, PerAxis
from imagemill.transforms.base import (
    Fill,
    Transform,
    border_option,
    fill_option,
    one_of,
    option,
    order_option,
    param,
    sampling,
)
from imagemill.transforms.geometric._common import switch, whole_number
from imagemill.transforms.traits import Traits


@dataclass(frozen=True, slots=True)
class CropAndPad(Transform):
    """Move each edge of the frame by an amount of its own: outward pads, inward crops.

    Parameters
    ----------
    before, after : number, pair, Distribution or mapping from axis to one of these
        How far the frame grows at the beginning of each axis (above, left, first slice) and at its end (below, right,
        last slice); below 0 it is cut. One number stands for all axes, drawn for each; a mapping
        ``{"y": (-8, 8), "x": 4}`` leaves the axes alone that it does not name. ``after`` is as ``before``, drawn anew,
        when left out. At least one pixel stays.
    unit : {"share", "pixels"}
        Of the amounts: shares of the image's side, or pixels, rounded to whole ones.
    together : bool
        One number for all edges.
    keep_size : bool
        Scale what is in the frame back to the size that the image had; else the image becomes smaller or larger, by
        whole pixels, and is not interpolated.
    order : {0, 1, 3, 5}
        Spline order for images, where the size is kept.
    border : {"constant", "nearest", "reflect", "mirror", "wrap"}
        What the margin shows; ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    Jung et al. (2020), "imgaug", whose augmenter of this name it is.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> image = np.array([[1, 2, 3, 4]], np.uint8)
    >>> im.Pipeline([im.CropAndPad({"x": -1}, {"x": 2}, "pixels", keep_size=False, fill=9)], seed=0)(image)
    array([[2, 3, 4, 9, 9]], dtype=uint8)
    """

    before: PerAxis = param((-0.1, 0.1), per_axis=True)
    after: PerAxis | None = param(None, per_axis=True)
    unit: Literal["share", "pixels"] = option("share", check=one_of("share", "pixels"))
    together: bool = option(False, check=switch)
    keep_size: bool = option(True, check=switch)
    order: Order = order_option()
    border: Border = border_option("constant")
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        if self.together and (self.after is not None or isinstance(self.before, Mapping)):
            raise ParameterError(
                "expected CropAndPad(together=True) only with one amount for all edges, got several; drop together"
            )

    def variants(self) -> float:
        """Unlimited where an amount is drawn: the edges are drawn apart."""
        return self._with_coin(1.0 if all(one.count == 1 for _, one, _ in self.distributions()) else math.inf)

    def traits(self) -> Traits:
        return Traits(moves=True, border=self.border, order=self.order if self.keep_size else None)

    def draw(self, draws: Draws, frame: Frame) -> Op:
        before, after = self._edges(draws, frame)
        if self.unit == "share":
            before, after = before * frame.shape, after * frame.shape
        if self.unit == "pixels" or not self.keep_size:
            before, after = np.rint(before), np.rint(after)
        # What is cut too much is given back at both ends, in the proportion of the cuts.
        length = frame.shape + before + after
        lost = np.maximum(1 - length, 0)
        cut = np.maximum(-before, 0)
        back = lost * cut / np.where(lost > 0, cut + np.maximum(-after, 0), 1)
        if self.unit == "pixels" or not self.keep_size:
            back = np.rint(back)
        before, length = before + back, length + lost
        if self.keep_size:
            step = length / frame.shape
            matrix = geo.scaling(step)
            matrix[:, :-1, -1] = (step - 1) / 2 - before
            how, shape = sampling(self.order, self.border, self.fill, self.mask_fill), frame.shape
        else:
            how = Sampling(None, self.border, self.fill, self.mask_fill)
            matrix, shape = geo.translation(-before), length.astype(np.int64)
        if self.border != "constant":
            return Affine(matrix, shape, how)
        # As with any padding a window, which stands whatever border those in front of it and behind it have.
        window = np.any((before > 0) | (length - before > frame.shape), axis=1)
        return Affine(matrix, shape, replace(how, border=None), window=window)

    def _edges(self, draws: Draws, frame: Frame) -> tuple[Floats, Floats]:
        """How far the frame grows at the beginning and the end of each axis, ``[n, d]`` each, as drawn."""
        if self.together:
            assert not isinstance(self.before, Mapping)
            both = np.tile(draws(self.before)[:, None], (1, frame.ndim))
            return both, both
        after = self.before if self.after is None else self.after
        return _edge(draws, frame, self.before, "before"), _edge(draws, frame, after, "after")


def _edge(draws: Draws, frame: Frame, amount: Distribution | Mapping[str, Distribution], field: str) -> Floats:
    found = np.zeros((frame.n, frame.ndim))
    by_axis = amount if isinstance(amount, Mapping) else dict.fromkeys(frame.axes, amount)
    at = {name: frame.axis(name) for name in by_axis}
    for name in frame.axes:
        if name in at:
            found[:, at[name]] = draws(by_axis[name], f"{field}.{name}")
    return found
