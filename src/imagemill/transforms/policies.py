"""Policies that others found or proposed: AutoAugment, RandAugment, TrivialAugment.

A policy is a choice among ordinary transforms, so that it moves label maps, boxes and keypoints as well, is written to
files, and is drawn as everything else is. Geometry and linear colour changes in it fuse with what stands around.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imagemill.core.errors import ParameterError
from imagemill.core.ops import Border, Order
from imagemill.core.ranges import Choice, Range
from imagemill.transforms.base import Transform, one_of
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.contrast import Contrast
from imagemill.transforms.colour.invert import Invert
from imagemill.transforms.colour.saturation import Saturation
from imagemill.transforms.combine import OneOf, Sequential
from imagemill.transforms.filter.auto_contrast import AutoContrast
from imagemill.transforms.filter.equalize import Equalize
from imagemill.transforms.filter.posterize import Posterize
from imagemill.transforms.filter.sharpen import Sharpen
from imagemill.transforms.filter.solarize import Solarize
from imagemill.transforms.geometric.flip import Flip
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shear import Shear
from imagemill.transforms.geometric.shift import Shift

__all__ = ["AUTO_AUGMENT", "auto_augment", "rand_augment", "trivial_augment"]

_LEVELS = 10
"""Magnitudes of AutoAugment, 0 to 9."""
_FURTHEST = 150 / 331
"""Share of a side by which it moves at most; 150 of the 331 pixels of the paper's images."""
_DARKEST = 0.01

AUTO_AUGMENT: dict[str, str] = {
    "imagenet": """
        posterize .4 8, rotate .6 9 | solarize .6 5, autocontrast .6 | equalize .8, equalize .6
        posterize .6 7, posterize .6 6 | equalize .4, solarize .2 4 | equalize .4, rotate .8 8
        solarize .6 3, equalize .6 | posterize .8 5, equalize 1 | rotate .2 3, solarize .6 8
        equalize .6, posterize .4 6 | rotate .8 8, color .4 0 | rotate .4 9, equalize .6
        equalize 0, equalize .8 | invert .6, equalize 1 | color .6 4, contrast 1 8 | rotate .8 8, color 1 2
        color .8 8, solarize .8 7 | sharpness .4 7, invert .6 | shear_x .6 5, equalize 1 | color .4 0, equalize .6
        equalize .4, solarize .2 4 | solarize .6 5, autocontrast .6 | invert .6, equalize 1
        color .6 4, contrast 1 8 | equalize .8, equalize .6
    """,
    "cifar10": """
        invert .1, contrast .2 6 | rotate .7 2, shift_x .3 9 | sharpness .8 1, sharpness .9 3
        shear_y .5 8, shift_y .7 9 | autocontrast .5, equalize .9 | shear_y .2 7, posterize .3 7
        color .4 3, brightness .6 7 | sharpness .3 9, brightness .7 9 | equalize .6, equalize .5
        contrast .6 7, sharpness .6 5 | color .7 7, shift_x .5 8 | equalize .3, autocontrast .4
        shift_y .4 3, sharpness .2 6 | brightness .9 6, color .2 8 | solarize .5 2, invert 0
        equalize .2, autocontrast .6 | equalize .2, equalize .6 | color .9 9, equalize .6
        autocontrast .8, solarize .2 8 | brightness .1 3, color .7 0 | solarize .4 5, autocontrast .9
        shift_y .9 9, shift_y .7 9 | autocontrast .9, solarize .8 3 | equalize .8, invert .1
        shift_y .7 9, autocontrast .9
    """,
    "svhn": """
        shear_x .9 4, invert .2 | shear_y .9 8, invert .7 | equalize .6, solarize .6 6 | invert .9, equalize .6
        equalize .6, rotate .9 3 | shear_x .9 4, autocontrast .8 | shear_y .9 8, invert .4 | shear_y .9 5, solarize .2 6
        invert .9, autocontrast .8 | equalize .6, rotate .9 3 | shear_x .9 4, solarize .3 3 | shear_y .8 8, invert .7
        equalize .9, shift_y .6 6 | invert .9, equalize .6 | contrast .3 3, rotate .8 4 | invert .8, shift_y 0 2
        shear_y .7 6, solarize .4 8 | invert .6, rotate .8 4 | shear_y .3 7, shift_x .9 3 | shear_x .1 6, invert .6
        solarize .7 2, shift_y .6 7 | shear_y .8 4, invert .8 | shear_x .7 9, shift_y .8 3
        shear_y .8 5, autocontrast .7 | shear_x .7 2, invert .1
    """,
}
"""The published tables: pairs of a transform, its probability and its magnitude from 0 to 9.

Source: Cubuk, Zoph, Mane, Vasudevan, Le (2019), "AutoAugment: learning augmentation strategies from data", CVPR,
tables of the appendix.
"""


@dataclass(frozen=True, slots=True)
class _Space:
    """How strong each transform of a policy is at the share 1 of its magnitude, and how geometry fills.

    Shifts are so many pixels, or with 0 a share of the side.
    """

    shear: float
    pixels: float
    turn: float
    change: float
    fewest_bits: int
    how: dict[str, Any]

    def made(self, name: str, share: float, *, drawn: bool = False) -> Transform:
        """A transform at a share of its largest magnitude, to either side; or drawn uniformly up to it."""

        def sided(most: float, about: float = 0.0, low: float = -math.inf) -> Any:
            reach = most * share
            if not reach:
                return about
            ends = max(about - reach, low), about + reach
            return Range(*ends) if drawn else Choice(ends)

        makers: dict[str, Callable[[], Transform]] = {
            "shear_x": lambda: Shear({"x": sided(math.degrees(math.atan(self.shear)))}, **self.how),
            "shear_y": lambda: Shear({"y": sided(math.degrees(math.atan(self.shear)))}, **self.how),
            "shift_x": lambda: self._moved("x", sided),
            "shift_y": lambda: self._moved("y", sided),
            "rotate": lambda: Rotate(sided(self.turn), **self.how),
            "brightness": lambda: Brightness(sided(self.change, 1.0, _DARKEST)),
            "color": lambda: Saturation(sided(self.change, 1.0, 0.0)),
            "contrast": lambda: Contrast(sided(self.change, 1.0, 0.0)),
            "sharpness": lambda: Sharpen(sided(self.change, 1.0, 0.0)),
            "posterize": lambda: Posterize(self._bits(share, drawn=drawn)),
            "solarize": lambda: Solarize(Range(1 - share, 1.0) if drawn and share else 1 - share),
            "autocontrast": AutoContrast,
            "equalize": Equalize,
            "invert": Invert,
            "identity": lambda: Flip("x", p=0),
        }
        return makers[name]()

    def _moved(self, axis: str, sided: Callable[[float], Any]) -> Transform:
        if self.pixels:
            return Shift(pixels={axis: sided(self.pixels)}, **self.how)
        return Shift(fraction={axis: sided(_FURTHEST)}, **self.how)

    def _bits(self, share: float, *, drawn: bool) -> Any:
        kept = 8 - round((8 - self.fewest_bits) * share)
        return Range(kept, 8) if drawn and kept < 8 else kept


def _how(order: Order, border: Border, fill: float | Sequence[float]) -> dict[str, Any]:
    return {"order": order, "border": border, "fill": fill}


def auto_augment(
    policy: str = "imagenet", *, order: Order = 1, border: Border = "constant", fill: float | Sequence[float] = 0.0
) -> Transform:
    """One of 25 pairs of transforms that a search found for a dataset.

    Parameters
    ----------
    policy : {"imagenet", "cifar10", "svhn"}
    order : {0, 1, 3, 5}
        Spline order of its geometry.
    border : {"constant", "nearest", "reflect", "mirror", "wrap"}
        What geometry shows beyond the edge; ``fill`` when constant.
    fill : float
        A value of the image; the paper fills with gray, 128 of 8 bits.

    Returns
    -------
    Transform
        An ordinary `OneOf`.

    Raises
    ------
    ParameterError
        For a policy that is none.

    Notes
    -----
    Source: Cubuk, Zoph, Mane, Vasudevan, Le (2019), "AutoAugment: learning augmentation strategies from data", CVPR.
    The magnitudes 0 to 9 are even steps up to shears of 0.3, shifts of 150/331 of a side, 30 degrees, factors of 1 plus
    or minus 0.9, four bits, and a threshold of 0.

    Examples
    --------
    >>> import numpy as np
    >>> import imagemill as im
    >>> pipe = im.Pipeline([im.auto_augment("cifar10")], seed=1)
    >>> pipe(np.zeros((32, 32, 3), np.uint8)).shape
    (32, 32, 3)
    """
    one_of(*AUTO_AUGMENT)("policy", policy)
    space = _Space(0.3, 0.0, 30.0, 0.9, 4, _how(order, border, fill))
    pairs = [pair for line in AUTO_AUGMENT[policy].strip().splitlines() for pair in line.split("|")]
    return OneOf([Sequential([_read(space, one) for one in pair.split(",")]) for pair in pairs])


def _read(space: _Space, text: str) -> Transform:
    name, p, *magnitude = text.split()
    made = space.made(name, float(magnitude[0]) / (_LEVELS - 1) if magnitude else 0.0)
    return replace(made, p=float(p))


_RAND = (
    "identity", "shear_x", "shear_y", "shift_x", "shift_y", "rotate", "brightness", "color", "contrast", "sharpness",
    "posterize", "solarize", "autocontrast", "equalize",
)  # fmt: skip


def rand_augment(
    count: int = 2,
    magnitude: float = 9,
    *,
    most: float = 30,
    order: Order = 1,
    border: Border = "constant",
    fill: float | Sequence[float] = 0.0,
) -> Transform:
    """Some transforms out of 14, each drawn anew and equally likely, all of one magnitude.

    Parameters
    ----------
    count : int
        How many, 1 or more; the same one may come twice.
    magnitude : float
        0 to `most`.
    most : float
        The largest magnitude.
    order, border, fill
        As for `auto_augment`.

    Returns
    -------
    Transform
        An ordinary `Sequential` of `OneOf`.

    Raises
    ------
    ParameterError

    Notes
    -----
    Source: Cubuk, Zoph, Shlens, Le (2020), "RandAugment: practical automated data augmentation with a reduced search
    space", CVPR workshops. The largest magnitudes are those of `auto_augment`.

    Examples
    --------
    >>> import imagemill as im
    >>> [len(choice.children()) for choice in im.rand_augment(count=3).children()]
    [14, 14, 14]
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ParameterError(f"expected count as a whole number of at least 1, got {count!r}")
    if not 0 <= magnitude <= most or most <= 0:
        raise ParameterError(f"expected magnitude from 0 to {most}, got {magnitude!r}")
    space = _Space(0.3, 0.0, 30.0, 0.9, 4, _how(order, border, fill))
    return Sequential([OneOf([space.made(name, magnitude / most) for name in _RAND]) for _ in range(count)])


def trivial_augment(*, order: Order = 1, border: Border = "constant", fill: float | Sequence[float] = 0.0) -> Transform:
    """One transform out of 14, of a magnitude drawn uniformly over a wide range: nothing to tune.

    Parameters
    ----------
    order, border, fill
        As for `auto_augment`.

    Returns
    -------
    Transform
        An ordinary `OneOf`.

    Notes
    -----
    Source: Müller and Hutter (2021), "TrivialAugment: tuning-free yet state-of-the-art data augmentation", ICCV: the
    wide space. Its 31 magnitudes are drawn without steps here.

    Examples
    --------
    >>> import imagemill as im
    >>> len(im.trivial_augment().children())
    14
    """
    space = _Space(0.99, 32.0, 135.0, 0.99, 2, _how(order, border, fill))
    return OneOf([space.made(name, 1.0, drawn=True) for name in _RAND])
