"""The field's rules of order and range, checked on a declared pipeline. Nothing runs and nothing is changed.

Each rule is one function that reads the transforms and yields findings; adding one is adding a function to
:data:`RULES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from imagemill.core.ranges import Distribution
from imagemill.transforms.base import Transform

LEVELS = ("error", "warning", "note")

GAINS = {"Brightness", "GainOffset", "ChannelGain", "ToneGain", "Contrast", "ColorJitter", "Gamma"}
COLOURS = GAINS | {"Saturation", "Hue", "Lighting", "Invert", "Gray"}
LEAVES_RANGE = {"Normalize", "Standardize"}
RESIZES = {"Resize", "Resample", "RandomResizedCrop"}

DEAD_ON, INCLINED = 15.0, 30.0
"""How far photos taken straight on, and at an angle, may turn before they stop looking like photos."""

FAR_SHIFT = 0.2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is probably not meant.

    Parameters
    ----------
    rule : str
        Its name.
    level : {"error", "warning", "note"}
        An error cannot be meant, a warning is rarely meant, a note depends on the data.
    message : str
        What happens, and what to write instead.
    places : tuple of int
        Positions in the pipeline, counted from 1, combinations flattened.
    """

    rule: str
    level: str
    message: str
    places: tuple[int, ...] = ()

    def __str__(self) -> str:
        where = f" (transform {', '.join(map(str, self.places))})" if self.places else ""
        return f"{self.level}: {self.message}{where} [{self.rule}]"


Placed = list[tuple[int, Transform]]
Rule = Callable[[Placed], Iterator[Finding]]


def lint(
    transforms: tuple[Transform, ...], *, shape: tuple[int, ...] | None = None, evaluation: bool = False
) -> list[Finding]:
    """All findings about a pipeline, the worst first.

    Parameters
    ----------
    transforms : tuple of Transform
    shape : tuple of int, optional
        Of a typical input; lets shifts in pixels be judged.
    evaluation : bool
        The pipeline prepares validation or test data, where nothing may be random.
    """
    placed = list(enumerate(_flat(transforms), 1))
    found = [finding for rule in RULES for finding in rule(placed)]
    found += _shifts(placed, shape)
    if evaluation:
        found += _random(transforms)
    return sorted(found, key=lambda f: (LEVELS.index(f.level), f.places))


def _flat(transforms: tuple[Transform, ...]) -> Iterator[Transform]:
    for t in transforms:
        children = t.children()
        if children:
            yield from _flat(children)
        else:
            yield t


def _name(t: Transform) -> str:
    return type(t).__name__


def _reach(value: Any) -> float:
    """The largest magnitude a parameter (or any axis of it) can have; 0 when it is not set."""
    if value is None:
        return 0.0
    if isinstance(value, dict):
        return max(map(_reach, value.values()), default=0.0)
    assert isinstance(value, Distribution)
    return max(map(abs, value.bounds))


def _is_statistic(t: Transform) -> bool:
    return _name(t) == "Standardize" or (_name(t) == "Rescale" and getattr(t, "by", None) == "minmax")


def _is_undone(t: Transform, statistic: Transform) -> bool:
    """Whether a rescale by the picture's own values takes back what ``t`` did: one gain and offset for all."""
    if t.p == 0:
        return False
    if _name(t) == "ColorJitter":
        return getattr(t, "brightness", None) is not None or getattr(t, "contrast", None) is not None
    # A gain for each channel goes only where the statistic is taken of each channel.
    per_channel = bool(getattr(statistic, "per_channel", False))
    return _name(t) in {"Brightness", "GainOffset", "Contrast"} or (_name(t) == "ChannelGain" and per_channel)


def _undone(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if not _is_statistic(t):
            continue
        gains = [j for j, other in placed if j < i and _is_undone(other, t)]
        if gains:
            how = "each image's own mean and deviation" if _name(t) == "Standardize" else "its own minimum and maximum"
            yield Finding(
                "intensity-undone",
                "warning",
                f"{_name(placed[gains[0] - 1][1])} comes before {_name(t)}, which rescales by {how} and so undoes "
                f"gains and offsets; put {_name(t)} first, and the intensity change after it",
                (*gains, i),
            )


def _resampled_late(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if _name(t) not in {"Resample", "Resize"}:
            continue
        rescales = [j for j, other in placed if j > i and _is_statistic(other)]
        gains = [j for j, other in placed if j < i and rescales and _is_undone(other, placed[rescales[0] - 1][1])]
        if gains:
            yield Finding(
                "resample-after-intensity",
                "warning",
                f"{_name(t)} followed by a rescale stands behind an intensity change, which is thereby lost; "
                f"resample and rescale first, then change intensities",
                (*gains, i, *rescales),
            )


def _after_normalising(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if _name(t) not in LEAVES_RANGE:
            continue
        late = [j for j, other in placed if j > i and _name(other) in COLOURS]
        if late:
            yield Finding(
                "colour-after-normalising",
                "warning",
                f"{_name(placed[late[0] - 1][1])} comes after {_name(t)}, where values are no longer a picture's "
                f"(black is not 0, white is not 255); put {_name(t)} last",
                (i, *late),
            )


def _integers_after_normalising(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if _name(t) not in LEAVES_RANGE | {"Rescale"}:
            continue
        casts = [j for j, o in placed if j > i and _name(o) == "ToDtype" and "int" in str(getattr(o, "dtype", ""))]
        casts = [j for j in casts if not getattr(placed[j - 1][1], "scale", False)]
        if casts:
            yield Finding(
                "integers-after-normalising",
                "error",
                f"ToDtype turns the small values of {_name(t)} into a few integers; drop it, or {_name(t)}",
                (i, *casts),
            )


def _turns(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if _name(t) not in {"Rotate", "Affine"}:
            continue
        reach = _reach(getattr(t, "degrees", None))
        if reach > INCLINED:
            yield Finding(
                "far-turn",
                "note",
                f"{_name(t)} turns by up to {reach:g} degrees: right for small objects seen from above or under a "
                f"microscope; photos taken straight on look real within {DEAD_ON:g}, inclined ones within {INCLINED:g}",
                (i,),
            )
        elif reach > DEAD_ON:
            yield Finding(
                "turn",
                "note",
                f"{_name(t)} turns by up to {reach:g} degrees: fine for photos taken at an angle; those taken "
                f"straight on look real within {DEAD_ON:g}",
                (i,),
            )


def _flips(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if _name(t) == "Flip" and getattr(t, "axis", "") == "y" and t.p > 0:
            yield Finding(
                "vertical-flip",
                "note",
                "Flip('y') turns pictures upside down: it changes the label of digits (6, 9) and of text, and "
                "photos with a ground and a sky no longer look real; fine for views from above",
                (i,),
            )


def _shifts(placed: Placed, shape: tuple[int, ...] | None) -> Iterator[Finding]:
    for i, t in placed:
        if _name(t) != "Shift":
            continue
        reach = _reach(getattr(t, "fraction", None))
        if shape is not None and getattr(t, "pixels", None) is not None:
            side = min(shape[:2]) if len(shape) == 3 and shape[-1] in (1, 3, 4) else min(shape[-2:])
            reach = _reach(t.pixels) / side  # type: ignore[attr-defined]
        if reach <= FAR_SHIFT:
            continue
        wraps = getattr(t, "border", "") == "wrap"
        what = "with border='wrap' the picture breaks in two" if wraps else "much of what was there leaves the frame"
        yield Finding(
            "far-shift",
            "warning",
            f"Shift moves by up to {reach:.0%} of the frame: {what}; stay within 20 %",
            (i,),
        )


def _two_interpolations(placed: Placed) -> Iterator[Finding]:
    orders = [(i, t, getattr(t, "order", None)) for i, t in placed if getattr(t, "order", None) is not None]
    for (i, first, a), (j, second, b) in pairwise(orders):
        if a != b:
            yield Finding(
                "two-interpolations",
                "note",
                f"{_name(first)} has spline order {a} and {_name(second)} {b}, so pixels are interpolated twice; "
                "give both the same order",
                (i, j),
            )


def _layout(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if _name(t) == "ToLayout" and i < len(placed):
            yield Finding(
                "layout-not-last",
                "note",
                "ToLayout says how the result lies in memory, so it takes effect at the end wherever it stands; "
                "write it last",
                (i,),
            )


def _never(placed: Placed) -> Iterator[Finding]:
    for i, t in placed:
        if t.p == 0:
            yield Finding("never", "warning", f"{_name(t)} has p=0 and never runs; leave it out", (i,))


def _lost_pixels(placed: Placed) -> Iterator[Finding]:
    resizes = [(i, t) for i, t in placed if _name(t) in {"Resize", "Resample"}]
    for (i, first), (j, second) in pairwise(resizes):
        a, b = getattr(first, "size", None), getattr(second, "size", None)
        if a and b and math.prod(a) < math.prod(b):
            yield Finding(
                "small-then-large",
                "warning",
                f"{_name(first)} to {a} is followed by {_name(second)} to {b}: both become one interpolation, "
                "so the smaller size has no effect; drop it",
                (i, j),
            )


def _random(transforms: tuple[Transform, ...]) -> Iterator[Finding]:
    """Asked of combinations as wholes: choosing one of several fixed transforms is random too."""
    place = 1
    for t in transforms:
        if t.variants() > 1:
            yield Finding(
                "random-evaluation",
                "error",
                f"{_name(t)} is random, and validation and test data must be prepared the same way each time; "
                "give it fixed values or keep it for training",
                (place,),
            )
        place += len(list(_flat((t,))))


RULES: tuple[Rule, ...] = (
    _undone,
    _resampled_late,
    _after_normalising,
    _integers_after_normalising,
    _turns,
    _flips,
    _two_interpolations,
    _layout,
    _never,
    _lost_pixels,
)
