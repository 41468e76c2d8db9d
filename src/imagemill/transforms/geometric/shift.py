"""Moving sideways."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imagemill.core import geometry as geo
from imagemill.core.geometry import Frame
from imagemill.core.ops import Affine, Border, Op, Order, Sampling
from imagemill.core.randomness.rng import Draws
from imagemill.core.ranges import Distribution, OptionalPerAxis, whole_count
from imagemill.transforms.base import Fill, Transform, border_option, fill_option, option, order_option, param, sampling
from imagemill.transforms.geometric._common import SIZED, exactly_one, per_axis, switch, whole_number
from imagemill.transforms.traits import Traits, reaches


@dataclass(frozen=True, slots=True)
class Shift(Transform):
    """Move the image; positive amounts go down and to the right (and to later slices).

    Exactly one of ``pixels``, ``fraction`` and ``millimetres`` says how far. Each is a number, a pair or a
    distribution, drawn independently for ``y`` and ``x``, or a mapping from axis to one of these. The
    slices of a volume stay where they are unless a mapping names ``"z"``.

    Parameters
    ----------
    pixels : optional, pixels
    fraction : optional, -1 to 1
        Of the frame's length along each axis.
    millimetres : optional, millimetres
        Divided by the spacing; pixels when no spacing is known.
    whole : bool
        Round to whole pixels (halves up), which moves pixels without interpolating. The two outermost
        steps of a rounded range come out half as often as the others; ``Choice`` has no such ends.
        Recipes then show whole pixels, also where a fraction or millimetres were drawn.
    order : {0, 1, 3, 5}
        Spline order for images.
    border : {"nearest", "constant", "reflect", "mirror", "wrap"}
        What the empty edge shows;
        ``fill`` (one value, or one for each channel) and ``mask_fill`` when constant. A whole shift with ``"wrap"``
        is ``numpy.roll``.

    Targets
    -------
    Image, Map, Mask and all annotations move; Label stays.

    Source
    ------
    LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document recognition",
    Proc. IEEE 86(11): translated digits as training data.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> im.Pipeline([im.Shift(pixels={"x": 1})], seed=0)(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    array([[1, 1, 2],
           [4, 4, 5]], dtype=uint8)
    """

    pixels: OptionalPerAxis = param(None, unit="pixels", per_axis=True)
    fraction: OptionalPerAxis = param(None, low=-1, high=1, per_axis=True)
    millimetres: OptionalPerAxis = param(None, unit="millimetres", per_axis=True)
    whole: bool = option(False, check=switch)
    order: Order = order_option()
    border: Border = border_option()
    fill: Fill = fill_option()
    mask_fill: int = option(0, check=whole_number())

    def check(self) -> None:
        given = {"pixels": self.pixels, "fraction": self.fraction, "millimetres": self.millimetres}
        exactly_one("Shift", "Shift(pixels=(-5, 5)), for example", **given)

    def variants(self) -> float:
        """One distribution for both axes is drawn for each of them; whole pixels are counted as such."""
        count = whole_count if self.whole and self.pixels is not None else _count
        counts = (count(d) ** (1 if "." in name else 2) for name, d, _ in self.distributions())
        return self._with_coin(math.prod(counts))

    def unlimited(self) -> str:
        reason = Transform.unlimited(self)
        return SIZED if reason and self.whole and self.pixels is None else reason

    def traits(self) -> Traits:
        amounts = {"pixels": self.pixels, "fraction": self.fraction, "millimetres": self.millimetres}
        # Whole pixels are moved, not interpolated.
        order = None if self.whole else self.order
        return Traits(moves=True, order=order, border=self.border, shifts=reaches("yx", **amounts))

    def draw(self, draws: Draws, frame: Frame) -> Op:
        amount = self._pixels(draws, frame)
        mode = sampling(self.order, self.border, self.fill, self.mask_fill)
        if self.whole:
            amount = np.floor(amount + 0.5)
            self._show_applied(draws, frame, amount)
            # Whole pixels are never interpolated, so there is no opinion on how.
            mode = Sampling(None, mode.border, mode.fill, mode.mask_fill)
        return Affine(geo.translation(0.0 - amount), frame.shape, mode)

    def _show_applied(self, draws: Draws, frame: Frame, amount: geo.Floats) -> None:
        """Recipes name the pixels that the image moved by, whatever unit they were drawn in."""
        for name in [*draws.values]:
            draws.forget(name)
            axis = name.rpartition(".")[2]
            draws.note(f"pixels.{axis}", amount[:, frame.axis(axis)])

    def _pixels(self, draws: Draws, frame: Frame) -> geo.Floats:
        if self.pixels is not None:
            return per_axis(draws, self.pixels, "pixels", frame, "yx", 0.0)
        if self.fraction is not None:
            return per_axis(draws, self.fraction, "fraction", frame, "yx", 0.0) * frame.shape
        return per_axis(draws, self.millimetres, "millimetres", frame, "yx", 0.0) / frame.rigid


def _count(distribution: Distribution) -> float:
    return distribution.count
