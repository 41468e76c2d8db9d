"""The field's rules of order and range, checked on a declared pipeline. Nothing runs and nothing is changed.

Each rule is one function that reads what transforms say of themselves, their traits, and yields findings; adding one
is adding a function to :data:`RULES`. No rule knows a class: a subclass, and a transform of a user's own, is judged by
its traits too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass
from itertools import combinations, islice

from imagemill.core.findings import Finding, worst_first
from imagemill.core.ranges import Choice
from imagemill.transforms.base import Transform, fields_of
from imagemill.transforms.traits import Traits

DEAD_ON, INCLINED = 15.0, 30.0
"""How far photos taken straight on, and at an angle, may turn before they stop looking like photos."""

FAR_SHIFT = 0.2


@dataclass(frozen=True, slots=True)
class Placed:
    """A transform where it stands.

    Parameters
    ----------
    place : int
        Counted from 1, combinations flattened.
    transform : Transform
    traits : Traits
    runs : bool
        Whether it ever runs.
    branches : tuple of pairs of int
        Combinations it is in of which one child runs at most, and which child of each it belongs to.
    """

    place: int
    transform: Transform
    traits: Traits
    runs: bool
    branches: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        """What to call it."""
        return type(self.transform).__name__

    def meets(self, other: Placed) -> bool:
        """Whether both can run on one image."""
        mine, others = dict(self.branches), dict(other.branches)
        return all(mine[choice] == others[choice] for choice in mine.keys() & others.keys())


Line = list[Placed]
Rule = Callable[[Line], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Size:
    """What is known of the images a pipeline gets.

    Parameters
    ----------
    lengths : mapping from axis to int
        Pixels along ``z``, ``y`` and ``x``.
    spacing : mapping from axis to float
        Millimetres.
    """

    lengths: Mapping[str, int]
    spacing: Mapping[str, float]


NOWHERE = Size({}, {})


def lint(transforms: tuple[Transform, ...], *, size: Size = NOWHERE, evaluation: bool = False) -> list[Finding]:
    """All findings about a pipeline, the worst first.

    Parameters
    ----------
    transforms : tuple of Transform
    size : Size
        Of a typical input; lets shifts in pixels be judged.
    evaluation : bool
        The pipeline prepares validation or test data, where nothing may be random.
    """
    line = list(_flat(transforms))
    running = [p for p in line if p.runs]
    found = [*_empty(line), *_never(line), *_shifts(running, size)]
    found += [finding for rule in RULES for finding in rule(running)]
    found += _random(transforms) if evaluation else _fixed(running)
    return worst_first(found)


def _flat(
    transforms: tuple[Transform, ...],
    first: int = 1,
    *,
    runs: bool = True,
    branches: tuple[tuple[int, int], ...] = (),
) -> Iterator[Placed]:
    for t in transforms:
        awake = runs and t.p > 0
        children, exclusive = t.children(), t.traits().exclusive
        if not children:
            yield Placed(first, t, t.traits(), awake, branches)
            first += 1
        for number, child in enumerate(children):
            inside = list(
                _flat((child,), first, runs=awake, branches=(*branches, (id(t), number)) if exclusive else branches)
            )
            yield from inside
            first += len(inside)


def _before(line: Line, one: Placed) -> Iterator[Placed]:
    return (other for other in line if other.place < one.place and other.meets(one))


def _after(line: Line, one: Placed) -> Iterator[Placed]:
    return (other for other in line if other.place > one.place and other.meets(one))


def _places(*listed: Placed) -> tuple[int, ...]:
    return tuple(p.place for p in listed)


def _is_undone(gain: Traits, fit: Traits) -> bool:
    """Whether a rescale by the picture's own values takes back one gain and offset for all, or for each channel."""
    # A gain for each channel goes only where the statistic is taken of each channel.
    return gain.gains == "image" or (gain.gains == "channel" and fit.fits_channels)


def _undone(line: Line) -> Iterator[Finding]:
    for one in line:
        if not one.traits.fits:
            continue
        gains = [other for other in _before(line, one) if _is_undone(other.traits, one.traits)]
        if gains:
            deviation = one.traits.fits == "deviation"
            how = "each image's own mean and deviation" if deviation else "its own minimum and maximum"
            yield Finding(
                "intensity-undone",
                "warning",
                f"{gains[0].name} comes before {one.name}, which rescales by {how} and so undoes "
                f"gains and offsets; put {one.name} first, and the intensity change after it",
                _places(*gains, one),
            )


def _resampled_late(line: Line) -> Iterator[Finding]:
    for one in line:
        if not one.traits.brings or one.traits.order is None:
            continue
        fits = [other for other in _after(line, one) if other.traits.fits]
        gains = [other for other in _before(line, one) if fits and _is_undone(other.traits, fits[0].traits)]
        if gains:
            yield Finding(
                "resample-after-intensity",
                "warning",
                f"{one.name} followed by a rescale stands behind an intensity change, which is thereby lost; "
                f"resample and rescale first, then change intensities",
                _places(*gains, one, *fits),
            )


def _after_normalising(line: Line) -> Iterator[Finding]:
    for one in line:
        late = [other for other in _after(line, one) if other.traits.recolours] if one.traits.leaves_range else []
        if late:
            yield Finding(
                "colour-after-normalising",
                "warning",
                f"{late[0].name} comes after {one.name}, where values are no longer a picture's "
                f"(black is not 0, white is not 255); put {one.name} last",
                _places(one, *late),
            )


def _integers_after_normalising(line: Line) -> Iterator[Finding]:
    for one in line:
        casts = [other for other in _after(line, one) if other.traits.whole] if one.traits.small else []
        if casts:
            yield Finding(
                "integers-after-normalising",
                "error",
                f"{casts[0].name} turns the small values of {one.name} into a few integers; drop it, or {one.name}",
                _places(one, *casts),
            )


def _turns(line: Line) -> Iterator[Finding]:
    for one in line:
        reach = one.traits.turns
        if reach > INCLINED:
            yield Finding(
                "far-turn",
                "note",
                f"{one.name} turns by up to {reach:g} degrees: right for small objects seen from above or under a "
                f"microscope; photos taken straight on look real within {DEAD_ON:g}, inclined ones within {INCLINED:g}",
                (one.place,),
            )
        elif reach > DEAD_ON:
            yield Finding(
                "turn",
                "note",
                f"{one.name} turns by up to {reach:g} degrees: fine for photos taken at an angle; those taken "
                f"straight on look real within {DEAD_ON:g}",
                (one.place,),
            )


def _flips(line: Line) -> Iterator[Finding]:
    for one in line:
        if "y" in one.traits.mirrors:
            yield Finding(
                "vertical-flip",
                "note",
                f"{one.name} turns pictures upside down: it changes the label of digits (6, 9) and of text, and "
                "photos with a ground and a sky no longer look real; fine for views from above",
                (one.place,),
            )


def _in_step(line: Line) -> Iterator[Finding]:
    turning = [one for one in line if one.traits.changes_every]
    for first, second in combinations(turning, 2):
        one, two = first.traits, second.traits
        if first.meets(second) and one.mirrors != two.mirrors and one.changes_every == two.changes_every:
            yield Finding(
                "flips-in-step",
                "note",
                f"{first.name} along {one.mirrors} and {second.name} along {two.mirrors} change in the same epochs, so "
                f"that each image is seen in two of four forms; write every={2 * one.changes_every} for one of them",
                _places(first, second),
            )


def _shifts(line: Line, size: Size) -> Iterator[Finding]:
    for one in line:
        shares = {
            axis: reach.share(size.lengths.get(axis), size.spacing.get(axis, 1.0))
            for axis, reach in one.traits.shifts.items()
            # An axis that these images do not have is an error elsewhere.
            if not size.lengths or axis in size.lengths
        }
        axis = max(shares, key=lambda name: shares[name], default="")
        if not axis or shares[axis] <= FAR_SHIFT:
            continue
        wraps = one.traits.border == "wrap"
        what = "with border wrap the picture breaks in two" if wraps else "much of what was there leaves the frame"
        yield Finding(
            "far-shift",
            "warning",
            f"{one.name} moves by up to {shares[axis]:.0%} of the frame{_along(axis, shares)}: {what}; "
            "stay within 20 %",
            (one.place,),
        )


def _along(axis: str, shares: Mapping[str, float]) -> str:
    """Which axis, where they differ."""
    return f" along {axis}" if len(set(shares.values())) > 1 or axis == "z" else ""


def _two_interpolations(line: Line) -> Iterator[Finding]:
    orders = [one for one in line if one.traits.order is not None]
    for first in orders:
        second = next(_after(orders, first), None)
        if second is not None and first.traits.order != second.traits.order:
            yield Finding(
                "two-interpolations",
                "note",
                f"{first.name} has spline order {first.traits.order} and {second.name} {second.traits.order}, so "
                "pixels are interpolated twice; give both the same order",
                _places(first, second),
            )


def _fixed(line: Line) -> Iterator[Finding]:
    for one in line:
        changes = one.traits.moves or one.traits.recolours
        # One of several fixed ones is drawn, too.
        if one.branches or not changes or one.transform.variants() != 1:
            continue
        for name, value, ranged in islice(_varying(one.transform), 1):
            yield Finding(
                "fixed",
                "note",
                f"{one.name} does the same to every image, with {name} {value:g}: a number is fixed, a pair is a "
                f"range; write {one.name}({ranged}) where each image is to get its own",
                (one.place,),
            )


def _varying(transform: Transform) -> Iterator[tuple[str, float, str]]:
    """Parameters that usually vary and here do not: name, the one value, and what to write for a range."""
    usual = {f.name: f for f in fields_of(type(transform)) if f.metadata.get("kind") == "param"}
    for name, distribution, _ in transform.distributions():
        parameter, _, axis = name.partition(".")
        low, high = distribution.bounds
        # 0 degrees and a gain of 1 do nothing; and what is fixed by default, such as a margin, is no strength.
        if parameter not in usual or low != high or low in (0, 1) or _is_fixed(usual[parameter].default):
            continue
        ranged = _range_about(low, usual[parameter])
        yield name, low, f"{parameter}={{{axis!r}: {ranged}}}" if axis else f"{parameter}={ranged}"


def _is_fixed(default: object) -> bool:
    return isinstance(default, int | float) and default not in (0, 1)


def _range_about(value: float, parameter: Field[object]) -> str:
    """A range with a value at one end and, at the other, its opposite: the negative of an angle, less for a gain."""
    if isinstance(parameter.default, Choice):
        return f"Choice({[int(v) if v == int(v) else v for v in parameter.default.values]})"
    if parameter.metadata["low"] < 0 and parameter.metadata["above"] is None:
        return f"({-abs(value):g}, {abs(value):g})"
    other = 2 - value if value < 2 else 1 / value
    return f"({min(value, other):g}, {max(value, other):g})"


def _layout(line: Line) -> Iterator[Finding]:
    for one in line:
        if one.traits.layout and one is not line[-1]:
            yield Finding(
                "layout-not-last",
                "note",
                f"{one.name} says how the result lies in memory, so it takes effect at the end wherever it stands; "
                "write it last",
                (one.place,),
            )


def _empty(line: Line) -> Iterator[Finding]:
    if not line:
        yield Finding("empty", "warning", "there are no transforms in it: every image comes out as it came; list some")


def _never(line: Line) -> Iterator[Finding]:
    for one in line:
        if not one.runs:
            inside = "" if one.transform.p == 0 else " is in a combination that"
            yield Finding("never", "warning", f"{one.name}{inside} has p=0 and never runs; leave it out", (one.place,))


def _lost_pixels(line: Line) -> Iterator[Finding]:
    for first, second in combinations([p for p in line if p.traits.brings and p.traits.order is not None], 2):
        a, b = first.traits.size, second.traits.size
        if a and b and first.meets(second) and math.prod(_both(a)) < math.prod(_both(b)):
            yield Finding(
                "small-then-large",
                "warning",
                f"{first.name} to {a} is followed by {second.name} to {b}: both become one interpolation, "
                "so the smaller size has no effect; drop it",
                _places(first, second),
            )


def _both(size: tuple[int, ...]) -> tuple[int, ...]:
    """One length stands for both sides of a square."""
    return size * 2 if len(size) == 1 else size


def _random(transforms: tuple[Transform, ...]) -> Iterator[Finding]:
    """Asked of combinations as wholes: choosing one of several fixed transforms is random too."""
    place = 1
    for t in transforms:
        if t.variants() > 1:
            yield Finding(
                "random-evaluation",
                "error",
                f"{type(t).__name__} is random, and validation and test data must be prepared the same way each time; "
                "give it fixed values or keep it for training",
                (place,),
            )
        place += len(list(_flat((t,))))


def _cut_behind_mixing(line: Line) -> Iterator[Finding]:
    for one in line:
        if one.traits.mixes not in ("area", "objects"):
            continue
        late = [p for p in _after(line, one) if p.traits.moves and not p.traits.whole_frame]
        if late:
            yield Finding(
                "cut-behind-mixing",
                "warning",
                f"{late[0].name} comes after {one.name}, which weights labels by the areas that are seen, and "
                f"changes those; put {late[0].name} first, and {one.name} after it",
                _places(one, *late),
            )


def _reads_behind_mixing(line: Line) -> Iterator[Finding]:
    for one in line:
        late = [p for p in _after(line, one) if p.transform.reads()] if one.traits.mixes else []
        if late:
            yield Finding(
                "reads-behind-mixing",
                "error",
                f"{late[0].name} goes by the {late[0].transform.reads()} of one sample and is refused after "
                f"{one.name}, which mixes several; put {late[0].name} first, and {one.name} after it",
                _places(one, *late),
            )


RULES: tuple[Rule, ...] = (
    _undone,
    _resampled_late,
    _after_normalising,
    _integers_after_normalising,
    _turns,
    _flips,
    _in_step,
    _two_interpolations,
    _layout,
    _lost_pixels,
    _cut_behind_mixing,
    _reads_behind_mixing,
)
