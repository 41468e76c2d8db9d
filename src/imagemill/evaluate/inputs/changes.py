"""Changes of test images by name: ``rotate:15``, ``shift.y:4px``, ``gamma:0.5..2``, any transform.

One grammar for stressed populations and for sweeps over magnitudes::

    NAME                     invert, gray, flip: without a magnitude
    NAME:AMOUNT              rotate:15, shift:4px, zoom:0.8, flip:y
    NAME:LOW..HIGH[/COUNT]   a range: a grid for a sweep, drawn for each image in a population
    NAME:A,B,C               magnitudes, for a sweep
    corruption:NAME[:SEVERITY]   corruption:fog:3; severities as amounts are, 1 to 5 in a sweep
    FILE.yaml                a pipeline file

A name is that of any transform in lower case with hyphens, and where that is not enough its parameter and axis:
``channel-gain``, ``shift.fraction.y``, ``gain-offset.beta``. ``noise`` and ``blur`` are the Gaussian ones.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import yaml

from imagemill.core.errors import InputError, ParameterError, UnknownParameter
from imagemill.core.ranges import Distribution
from imagemill.pipeline.groups import group_of
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import Transform, fields_of, required
from imagemill.transforms.corruptions import SEVERITIES, Corruption, corruptions
from imagemill.transforms.geometric.resize import Resize
from imagemill.transforms.registry import find, names

__all__ = ["FILES", "GROUPS", "Amounts", "Change", "by_pipeline", "change_named", "read_amounts", "spaced"]

Shape = tuple[int, int]

FILES = (".yaml", ".yml", ".json")
"""Suffixes of pipeline files."""

GROUPS: dict[str, tuple[str, ...]] = {
    "geometry": ("rotate", "shift.x", "shift.y", "zoom", "shear"),
    "light": ("brightness", "contrast", "gamma", "invert"),
    "quality": ("noise", "blur"),
    "colour": ("saturation", "hue"),
    "shift": ("shift.x", "shift.y"),
    **{
        group: tuple(f"corruption:{name}" for name in corruptions(subset))
        for group, subset in (("corruptions", "common"), ("corruptions-extra", "extra"))
    },
}
"""Names that stand for several changes in a sweep."""

_CORRUPTION = "corruption"

_UNITS = {"px": "pixels", "mm": "millimetres", "deg": "degrees", "°": "degrees", "%": "fraction"}
"""What may stand behind an amount, and the unit or parameter that it means."""

_AMOUNT = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-z°%]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Change:
    """One way to change images, by a number or without one.

    Parameters
    ----------
    name : str
        As it is asked for.
    make : callable
        ``make(magnitude)`` gives the pipeline; called with None where there is no magnitude.
    unit : str
    low, high : float, optional
        The range that a sweep takes when none is asked for.
    log : bool
        Magnitudes are factors: halves and doubles are as far from 1.
    whole : bool
        Only whole magnitudes are looked at.
    counted : bool
        Whether it has a magnitude.
    neutral : float, optional
        The magnitude that should leave images as they are; whether it does is tried on images.
    graded : bool
        Magnitudes are the severities of a corruption, and none given means all of them.

    Examples
    --------
    >>> fog = Change("fog", lambda white: Pipeline([], seed=0), low=0, high=0.5, neutral=0)
    >>> fog.counted, fog.unit
    (True, '')
    """

    name: str
    make: Callable[[Any], Pipeline]
    unit: str = ""
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    counted: bool = True
    neutral: float | None = None
    graded: bool = False

    def grid(self, levels: int) -> tuple[float, ...]:
        """Magnitudes over its range, evenly spaced, ends included.

        Raises
        ------
        ParameterError
            When it has no range of its own.
        """
        if self.low is None or self.high is None:
            raise ParameterError(
                f"expected the magnitudes of {self.name}, got none; write {self.name}:LOW..HIGH or {self.name}:A,B,C"
            )
        return spaced(self.low, self.high, levels, log=self.log, whole=self.whole)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What stands behind a colon: one amount, several, or a range.

    ``suffix`` is the unit as it was written.
    """

    values: tuple[float, ...] = ()
    range: tuple[float, float] | None = None
    count: int | None = None
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """A name that people use: the parameter it means, and how far a sweep goes.

    ``side`` says that the ends are shares of the image's side; ``unit`` is said where the parameter names none.
    """

    path: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    neutral: float | None = None
    side: bool = False
    unit: str = ""


_KNOWN = {
    "rotate": _Known("rotate.degrees", -90, 90, neutral=0),
    "shift": _Known("shift.pixels.x", -0.25, 0.25, whole=True, neutral=0, side=True),
    "shift.x": _Known("shift.pixels.x", -0.25, 0.25, whole=True, neutral=0, side=True),
    "shift.y": _Known("shift.pixels.y", -0.25, 0.25, whole=True, neutral=0, side=True),
    "shear": _Known("shear.degrees.x", -45, 45, neutral=0),
    "zoom": _Known("zoom.factor", 0.5, 2, log=True, neutral=1),
    "elastic": _Known("elastic.strength", 0, 0.45, neutral=0),
    "perspective": _Known("perspective.strength", 0, 0.33, neutral=0),
    "quarter-turn": _Known("quarter-turn.times", 0, 3, whole=True, neutral=0),
    "brightness": _Known("brightness.factor", 0.25, 4, log=True, neutral=1),
    "contrast": _Known("contrast.factor", 0.125, 8, log=True, neutral=1),
    "gamma": _Known("gamma.gamma", 0.25, 4, log=True, neutral=1),
    "saturation": _Known("saturation.factor", 0, 3, neutral=1),
    "hue": _Known("hue.degrees", -180, 180, neutral=0),
    "noise": _Known("gaussian-noise.std", 0, 0.5, neutral=0, unit="of white"),
    "blur": _Known("gaussian-blur.sigma", 0, 0.125, neutral=0, side=True, unit="pixels"),
}


def spaced(low: float, high: float, count: int, *, log: bool = False, whole: bool = False) -> tuple[float, ...]:
    """Numbers from one end to the other, rounded to what can be read."""
    values = np.geomspace(low, high, count) if log and low > 0 else np.linspace(low, high, count)
    read = [float(round(v)) for v in values] if whole else [float(f"{v:.3g}") for v in values]
    return tuple(dict.fromkeys(read))


def read_amounts(text: str, name: str) -> Amounts:
    """What stands behind the colon of ``NAME:...``.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> read_amounts("-30..30/7", "rotate").range, read_amounts("4px", "shift").suffix
    ((-30.0, 30.0), 'px')
    """
    body, _, count = text.partition("/")
    pieces = body.split("..") if ".." in body else body.split(",")
    found = [_AMOUNT.fullmatch(piece.strip()) for piece in pieces]
    if not all(found):
        example = "4px" if name.startswith("shift") else "15" if name == "rotate" else "0.5"
        raise ParameterError(
            f"expected an amount of {name} in numbers, such as {name}:{example}, {name}:LOW..HIGH or {name}:A,B,C, "
            f"got {text!r}"
        )
    values = tuple(float(one[1]) for one in found if one is not None)
    suffixes = {one[2].lower() for one in found if one is not None} - {""}
    if len(suffixes) > 1:
        raise ParameterError(f"expected one unit for {name}, got {' and '.join(sorted(suffixes))}")
    suffix = next(iter(suffixes), "")
    if ".." not in body:
        if count:
            raise ParameterError(f"expected a count behind a range, such as {name}:LOW..HIGH/7, got {text!r}")
        return Amounts(values, suffix=suffix)
    if len(values) != 2 or not values[0] < values[1]:
        raise ParameterError(f"expected {name}:LOW..HIGH with the lower end first, got {text!r}")
    if count and (not count.strip().isdigit() or int(count) < 2):
        raise ParameterError(f"expected a count of 2 or more behind the range of {name}, got {count!r}")
    return Amounts((), (values[0], values[1]), int(count) if count else None, suffix)


def change_named(text: str, shape: Shape | None = None) -> tuple[Change, Amounts]:
    """The change of a name, and the amounts behind its colon, for images of a size.

    Parameters
    ----------
    text : str
        Such as ``"rotate:15"``, ``"shift.y:-4..4px"``, ``"gain-offset.beta:20"``, ``"noise"``, ``"flip:y"``.
    shape : (height, width), optional
        Of the images; a change that gives another size is brought back to it.

    Returns
    -------
    change, amounts

    Raises
    ------
    ParameterError
        For a name that is none, or an amount that does not fit.

    Examples
    --------
    >>> change, amounts = change_named("rotate:15")
    >>> change.make(amounts.values[0]).transforms[0].to_dict()
    {'Rotate': {'degrees': 15}}
    >>> change_named("shift", (28, 28))[0].grid(5)
    (-7.0, -4.0, 0.0, 4.0, 7.0)
    """
    name, colon, behind = text.partition(":")
    if name == _CORRUPTION:
        return _corruption(text, behind)
    if colon and not behind.strip():
        raise ParameterError(f"expected an amount behind the colon, got {text!r}")
    first, *rest = name.split(".")
    cls = _transform(_KNOWN[name].path.partition(".")[0] if name in _KNOWN else first, name)
    if not any(f.metadata.get("kind") == "param" for f in fields_of(cls)):
        return _without_number(cls, text, behind, shape), Amounts()
    amounts = read_amounts(behind, name) if colon else Amounts()
    return _by_parameter(cls, name, rest, amounts.suffix, shape), amounts


def _corruption(text: str, behind: str) -> tuple[Change, Amounts]:
    """One of the common corruptions, by its severity."""
    word, colon, severities = behind.partition(":")
    if not word.strip() or (colon and not severities.strip()):
        raise ParameterError(
            f"expected corruption:NAME or corruption:NAME:SEVERITY, such as corruption:fog:3, got {text!r}"
        )
    name = Corruption(word).name
    amounts = read_amounts(severities, f"{_CORRUPTION}:{name}") if colon else Amounts()
    if amounts.suffix:
        raise ParameterError(f"expected severities in plain numbers, got {amounts.suffix!r} behind one in {text!r}")
    low, high, made = SEVERITIES[0], SEVERITIES[-1], partial(_corrupted, name)
    return Change(f"{_CORRUPTION}:{name}", made, low=low, high=high, whole=True, neutral=0, graded=True), amounts


# What makes pipelines are functions of this module: changes are sent to other processes.


def _corrupted(name: str, severity: Any) -> Pipeline:
    return Pipeline([Corruption(name, _scaled(severity, 1.0))] if severity != 0 else [], seed=0)


def _with_amount(
    cls: type[Transform], chosen: str, axis: str, scale: float, shape: Shape | None, value: Any
) -> Pipeline:
    amount = _scaled(value, scale)
    return _sized(cls, {chosen: {axis: amount} if axis else amount}, shape)


def by_pipeline(name: str, pipeline: Pipeline) -> Change:
    """A change that one pipeline makes, without a number."""
    return Change(name, partial(_as_it_is, pipeline), counted=False)


def _as_it_is(pipeline: Pipeline, _: Any) -> Pipeline:
    return pipeline


def _transform(first: str, name: str) -> type[Transform]:
    plain = {one.lower(): one for one in names()}
    wanted = first.lower().replace("_", "").replace("-", "")
    cls = find(plain[wanted]) if wanted in plain else find(first)
    if cls is None:
        known = sorted({*map(_spelled, plain.values()), *_KNOWN})
        near = difflib.get_close_matches(first.lower().replace("_", "-"), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; names: {', '.join(known)}"
        raise ParameterError(
            "expected invert, shift:4px, rotate:15, another change or a pipeline file for test images, "
            f"got {name!r}{hint}"
        )
    return cls


def _by_parameter(cls: type[Transform], name: str, rest: list[str], suffix: str, shape: Shape | None) -> Change:
    """A change by a parameter of a transform: the one that is named, or that the unit means, or the first."""
    known = _KNOWN.get(name)
    path = known.path.split(".")[1:] if known is not None else rest
    parameters = {f.name: f for f in fields_of(cls) if f.metadata.get("kind") == "param"}
    axis = next((step for step in path if step in ("x", "y", "z")), "")
    chosen = next((step for step in path if step in parameters), "")
    if odd := [step for step in path if step not in (axis, chosen)]:
        raise ParameterError(f"expected a parameter of {cls.__name__} ({', '.join(parameters)}), got {odd[0]!r}")
    meant = _UNITS.get(suffix, suffix)
    by_unit = [n for n, f in parameters.items() if meant and meant in (n, f.metadata["unit"])]
    explicit = any(step in parameters for step in rest)
    if suffix and by_unit and not explicit:
        chosen = by_unit[0]
    chosen = chosen or next(iter(parameters))
    field = parameters[chosen]
    said = field.metadata["unit"] or ("" if known is None else known.unit)
    unit = said or ("of the side" if chosen == "fraction" else "")
    if suffix and meant not in (chosen, said) and not (suffix == "x" and not unit):
        raise ParameterError(f"expected {name} in {unit or 'plain numbers'}, got {suffix!r} behind an amount")
    if axis and not field.metadata["per_axis"]:
        raise ParameterError(f"expected {cls.__name__}.{chosen} without an axis, got {axis!r}")
    scale = 0.01 if suffix == "%" else 1.0
    made = partial(_with_amount, cls, chosen, axis, scale, shape)
    change = Change(name, made, "percent" if suffix == "%" else unit)
    if known is not None and known.path.split(".")[1] == chosen:
        return _ranged(change, known, shape)
    bounds = _default_bounds(field)
    if bounds is not None and field.metadata["whole"] != "odd":  # evenly spaced numbers are not all odd
        change = dataclasses.replace(change, low=bounds[0], high=bounds[1], whole=bool(field.metadata["whole"]))
    return change


def _scaled(value: Any, scale: float) -> Any:
    """A number, or a pair to draw from; whole numbers stay whole, so that a shift moves pixels exactly."""
    if isinstance(value, tuple):
        return tuple(_scaled(one, scale) for one in value)
    scaled = value * scale
    return int(scaled) if float(scaled).is_integer() else scaled


def _sized(cls: type[Transform], given: Mapping[str, Any], shape: Shape | None) -> Pipeline:
    """The transform, given the images' own size where it needs one, and that size again where it changes it.

    Of its other parameters, those that would be drawn do nothing: one thing is changed at a time.
    """
    arguments = dict(given)
    for field in fields_of(cls):
        if field.metadata.get("kind") == "param" and field.name not in arguments and given:
            still = _still(field)
            arguments |= {field.name: still} if still is not None else {}
    sized = "size" in required(cls) or (not given and any(f.name == "size" for f in fields_of(cls)))
    if shape is not None and sized:
        arguments.setdefault("size", shape)
    try:
        transform = cls(**arguments)
    except UnknownParameter as error:
        raise ParameterError(f"{error}, in a pipeline file, and give that file") from error
    pipeline = Pipeline([transform], seed=0)
    if group_of([transform]) > 1 or (transform.reads() and not _runs_alone(pipeline, shape or (64, 64))):
        do = "take one that needs the image alone, such as rotate:15"
        raise ParameterError(f"expected a change of an image, got {cls.__name__}, which goes by more than it; {do}")
    if shape is None or _keeps_size(pipeline, shape):
        return pipeline
    return pipeline.replace(transforms=[*pipeline.transforms, Resize(shape)])


def _still(field: dataclasses.Field[Any]) -> float | None:
    """0 or 1, whichever lies in the range that a parameter is drawn from; None where it is not drawn."""
    bounds = _default_bounds(field)
    return None if bounds is None else next((v for v in (0.0, 1.0) if bounds[0] <= v <= bounds[1]), None)


def _runs_alone(pipeline: Pipeline, shape: Shape) -> bool:
    """Whether an image is enough: some ask for boxes, label maps or weights, unless they are told to do without."""
    try:
        pipeline(np.zeros((*shape, 3), np.uint8), key=0, epoch=0)
    except InputError:
        return False
    return True


def _keeps_size(pipeline: Pipeline, shape: Shape) -> bool:
    """Whether images come out in the size they have: tried on one, as no transform says it of itself."""
    made = pipeline(np.zeros((*shape, 3), np.uint8), key=0, epoch=0)
    return bool(np.asarray(made).shape[:2] == shape)


def _without_number(cls: type[Transform], text: str, behind: str, shape: Shape | None) -> Change:
    options = [f.name for f in fields_of(cls) if f.metadata.get("kind") == "option"]
    if behind and not options:
        raise ParameterError(f"expected {text.partition(':')[0]} without an amount, got {behind!r}")
    # Now, so that a wrong word is an error before anything runs.
    pipeline = _sized(cls, {options[0]: yaml.safe_load(behind)} if behind else {}, shape)
    return by_pipeline(text, pipeline)


def _ranged(change: Change, known: _Known, shape: Shape | None) -> Change:
    low, high = known.low, known.high
    if known.side:
        if shape is None:
            return dataclasses.replace(change, whole=known.whole, log=known.log, neutral=known.neutral)
        side = shape[0] if known.path.endswith("y") else shape[1]
        low, high = (math.copysign(max(1.0, round(abs(end) * side)), end) if end else 0.0 for end in (low, high))
    return dataclasses.replace(change, low=low, high=high, whole=known.whole, log=known.log, neutral=known.neutral)


def _default_bounds(field: dataclasses.Field[Any]) -> tuple[float, float] | None:
    """The range of a parameter's own default, where it has one."""
    default = field.default
    if isinstance(default, tuple) and len(default) == 2:
        return float(default[0]), float(default[1])
    if isinstance(default, Distribution):
        low, high = default.bounds
        if math.isfinite(low) and math.isfinite(high) and low < high:
            return low, high
    return None


def _spelled(name: str) -> str:
    """``ChannelGain`` as ``channel-gain``, ``ISONoise`` as ``iso-noise``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()
