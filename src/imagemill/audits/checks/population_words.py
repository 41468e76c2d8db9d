"""Differences between populations in words, and what is measured of files besides the picture."""

from __future__ import annotations

import math
from collections.abc import Callable

from imagemill.audits.glance import Glance
from imagemill.measures.catalogue import Quantity
from imagemill.measures.differences.gaps import Gap

__all__ = ["FILE_MEASURES", "said_of"]


FILE_MEASURES: tuple[tuple[Quantity, Callable[[Glance], float]], ...] = (
    (Quantity("side", "pixels", "ratio", 0.5), lambda g: math.sqrt(g.shape[-2] * g.shape[-1])),
    (Quantity("aspect", "", "ratio", 0.15), lambda g: g.shape[-1] / g.shape[-2]),
    (Quantity("JPEG quality", "", "difference", 8.0), lambda g: g.file.quality),
)
"""Of the file: the tolerance of a side is a half, since networks are given one size."""

_WORDS = {
    "size": ("objects are larger", "objects are smaller", "radius of gyration"),
    "turn": ("objects are turned counter-clockwise", "objects are turned clockwise", "angle of the longer axis"),
    "position y": ("objects lie lower", "objects lie higher", "centre from the middle of the frame"),
    "position x": ("objects lie farther right", "objects lie farther left", "centre from the middle of the frame"),
    "brightness": ("images are brighter", "images are darker", "mean"),
    "contrast": ("images have more contrast", "images have less contrast", "deviation of gray values"),
    "background": ("the background is lighter", "the background is darker", "value at the edge"),
    "red cast": ("images are redder", "images are less red", "red over green"),
    "blue cast": ("images are bluer", "images are less blue", "blue over green"),
    "stroke width": ("strokes or patches of texture are wider", "strokes or patches of texture are finer", "width"),
    "sharpness": ("images are sharper", "images are more blurred", "share of contrast between neighbouring pixels"),
    "noise": ("images are noisier", "images have less noise", "deviation of the noise"),
    "side": ("images have more pixels", "images have fewer pixels", "side"),
    "aspect": ("images are wider", "images are taller", "width over height"),
    "JPEG quality": ("images are compressed less", "images are compressed more", "JPEG quality"),
}


def said_of(gap: Gap) -> str:
    """A gap in one sentence: which way, both medians, the change with its interval."""
    name, unit = gap.measure.name, gap.measure.unit
    if gap.measure.scale == "sign":
        before, after = gap.middle
        return f"objects are darker than their background in {after:.0%} of the others, and in {before:.0%} here"
    none = 1.0 if gap.measure.scale == "ratio" else 0.0
    if gap.low <= none <= gap.high:
        # The mean is alike: the spread is what differs.
        here, there = (f"{ends[0]:.3g} to {ends[-1]:.3g}" for ends in (gap.train, gap.wild))
        return f"{name} varies otherwise in the others: 5 to 95 % from {there}, here from {here} {unit}".rstrip()
    more, less, what = _WORDS[name]
    change = f"{gap.change:.2f} times [{gap.low:.2f}, {gap.high:.2f}]"
    if gap.measure.scale != "ratio":
        change = f"{gap.change:+.3g} [{gap.low:+.3g}, {gap.high:+.3g}]"
    medians = f"{what}, median {gap.wild[2]:.3g} and here {gap.train[2]:.3g} {unit}".rstrip()
    return f"{more if gap.change > none else less} in the others: {medians}; {change}"
