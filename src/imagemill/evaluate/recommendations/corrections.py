"""Which transform closes a gap, in which range: the inverse of each measure.

A correction has two forms. What is *proposed* draws from a range that holds no change, so that images like the
training ones stay among the augmented. What *aligns* changes every image as far as wild ones are away: it brings
training images to where those are, so that further gaps can be measured without this one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from imagemill.core.ranges import Amount, Choice
from imagemill.measures.differences.gaps import Gap
from imagemill.transforms.base import Transform
from imagemill.transforms.colour.brightness import Brightness
from imagemill.transforms.colour.channel_gain import ChannelGain
from imagemill.transforms.colour.contrast import Contrast
from imagemill.transforms.colour.gain_offset import GainOffset
from imagemill.transforms.colour.gamma import Gamma
from imagemill.transforms.colour.invert import Invert
from imagemill.transforms.combine import OneOf, Sequential
from imagemill.transforms.filter.gaussian_blur import GaussianBlur
from imagemill.transforms.geometric.rotate import Rotate
from imagemill.transforms.geometric.shift import Shift
from imagemill.transforms.geometric.zoom import Zoom
from imagemill.transforms.noise.gaussian_noise import GaussianNoise

__all__ = ["CORRECTIONS", "Correction", "Frame2d"]

_SLACK = 0.25
"""Of a pixel, by which a range of whole pixels may fall short of what was measured."""

_RESOLUTIONS = (1.5, 2.0, 3.0, 4.0, 6.0)
"""By how much coarser images are tried to be, where wild ones are less sharp."""
_SIGMAS = (0.4, 0.5, 0.65, 0.8, 1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3)
"""Of blurs that are tried in their place, in pixels."""
_CUT_OFF = (1.0, 1.5, 2.0, 3.0)
"""By how much more noise is tried than was measured."""
_LISTED = 16
"""Whole pixels that are listed; more of them are a range."""


@dataclass(frozen=True, slots=True)
class Frame2d:
    """Of the training images: height and width in pixels, and the value of white."""

    height: int
    width: int
    white: float


@dataclass(frozen=True, slots=True)
class Correction:
    """A transform to propose, and the same as one change that aligns."""

    proposed: Transform
    aligning: Transform


Gaps = Mapping[str, Gap]
Make = Callable[[Gaps, Frame2d], list[Correction]]


def _number(value: float) -> float:
    """Three digits: more would be a precision that no population has."""
    return float(f"{value:.3g}")


def _range(needed: tuple[float, float]) -> tuple[float, float]:
    return _number(needed[0]), _number(needed[1])


def _factors(ends: tuple[float, float]) -> tuple[float, float]:
    return _range((math.exp(ends[0]), math.exp(ends[1])))


def _middle(ends: tuple[float, float]) -> float:
    return (ends[0] + ends[1]) / 2


def _polarity(gaps: Gaps, _: Frame2d) -> list[Correction]:
    gap = gaps["polarity"]
    before, after = gap.middle
    if abs(1 - 2 * before) < 0.1:
        return []  # as many of one as of the other: inverting changes nothing
    share = min(max((after - before) / (1 - 2 * before), 0.0), 1.0)
    return [Correction(Invert(p=_number(min(share, 0.5))), Invert(p=_number(share)))]


def _size(gaps: Gaps, _: Frame2d) -> list[Correction]:
    gap = gaps["size"]
    return [Correction(Zoom(_factors(gap.needed)), Zoom(_factors(gap.aligning)))]


def _turn(gaps: Gaps, _: Frame2d) -> list[Correction]:
    gap = gaps["turn"]
    return [Correction(Rotate(_range(gap.needed)), Rotate(_range(gap.aligning)))]


def _position(gaps: Gaps, frame: Frame2d) -> list[Correction]:
    reach: dict[str, Amount] = {}
    middle: dict[str, Amount] = {}
    for axis, length in (("y", frame.height), ("x", frame.width)):
        gap = gaps[f"position {axis}"]
        if gap.verdict != "gap":
            continue
        low, high = (end * length for end in gap.needed)
        reach[axis] = _whole(math.floor(low + _SLACK), math.ceil(high - _SLACK))
        middle[axis] = _whole(*(round(end * length) for end in gap.aligning))
    return [Correction(Shift(pixels=reach, whole=True), Shift(pixels=middle, whole=True))] if reach else []


def _whole(low: int, high: int) -> Amount:
    """Whole numbers, each as often as the others; the ends of a range that is rounded come out half as often."""
    return Choice(tuple(range(low, high + 1))) if high - low < _LISTED else (low, high)


def _resolution(gaps: Gaps, _: Frame2d) -> list[Correction]:
    if gaps["sharpness"].aligning[1] >= 0:
        return []  # nothing brings back what is not there
    blurs = [Correction(GaussianBlur((0.0, sigma)), GaussianBlur(sigma)) for sigma in _SIGMAS]
    # Two strengths and none, alike often.
    return blurs + [
        Correction(OneOf([_coarser(_number(by**0.5)), _coarser(by)], p=0.67), _coarser(by)) for by in _RESOLUTIONS
    ]


def _noise(gaps: Gaps, _: Frame2d) -> list[Correction]:
    gap = gaps["noise"]
    # Deviations of independent noise add as squares.
    far, middle = (math.sqrt(max(gap.wild[k] ** 2 - gap.train[2] ** 2, 0.0)) for k in (4, 2))
    if middle <= 0:
        return []  # nothing takes noise away
    # What black or white cuts off is half of it, where an image is black or white: that much more is tried too.
    return [Correction(GaussianNoise((0.0, _number(far * by))), GaussianNoise(_number(middle * by))) for by in _CUT_OFF]


def _coarser(by: float) -> Sequential:
    """Fewer pixels and as many again: the two do not fuse into nothing, for their spline orders differ."""
    return Sequential([Zoom(_number(1 / by), order=1), Zoom(by, order=3)])


def _light(gaps: Gaps, frame: Frame2d) -> list[Correction]:
    bright, contrast = gaps["brightness"], gaps["contrast"]
    found = [Correction(Brightness(_factors(bright.needed)), Brightness(_factors(bright.aligning)))]
    found.append(Correction(Contrast(_factors(contrast.needed)), Contrast(_factors(contrast.aligning))))
    powers = np.log(np.clip(bright.wild, 1e-3, 0.999)) / np.log(np.clip(bright.train, 1e-3, 0.999))
    middle = float(powers[2])
    gammas = (min(1.0, middle, powers[-1]), max(1.0, middle, powers[0]))
    found.append(Correction(Gamma(_range(gammas)), Gamma(middle)))
    gain = math.exp(_middle(contrast.aligning))
    offset = (bright.wild[2] - gain * bright.train[2]) * frame.white
    found.append(
        Correction(
            GainOffset(_factors(contrast.needed), beta=_range((min(0.0, offset), max(0.0, offset)))),
            GainOffset(gain, beta=float(offset)),
        )
    )
    return found


def _cast(gaps: Gaps, _: Frame2d) -> list[Correction]:
    red, blue = gaps["red cast"], gaps["blue cast"]
    far = [max(gap.needed, key=abs) if gap.verdict == "gap" else 0.0 for gap in (red, blue)]
    full, half = _gains(far[0], far[1]), _gains(far[0] / 2, far[1] / 2)
    # Two strengths and none, alike often: gains of one colour of light belong together, and are not drawn apart.
    proposed = OneOf([ChannelGain(each=half), ChannelGain(each=full)], p=0.67)
    return [Correction(proposed, ChannelGain(each=_gains(_middle(red.aligning), _middle(blue.aligning))))]


def _gains(red: float, blue: float) -> list[float]:
    """Gains of a light, such that a gray image keeps its luma."""
    gains = np.array([2**red, 1.0, 2**blue])
    return [_number(gain) for gain in gains / (gains @ [0.299, 0.587, 0.114])]


CORRECTIONS: tuple[tuple[tuple[str, ...], Make], ...] = (
    (("polarity",), _polarity),
    (("size",), _size),
    (("turn",), _turn),
    (("position y", "position x"), _position),
    (("noise",), _noise),  # first, since it counts as sharp
    (("sharpness",), _resolution),
    (("brightness", "contrast", "background"), _light),
    (("red cast", "blue cast"), _cast),
)
"""Measures and what closes their gaps, in the order of closing; those that are not here nothing closes."""
