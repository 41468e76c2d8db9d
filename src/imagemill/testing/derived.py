"""Transforms of any type, from what its parameters declare: bounds, defaults and the words they accept."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from imagemill.core.errors import ImagemillError, ParameterError
from imagemill.core.extras import require
from imagemill.core.geometry import Frame
from imagemill.core.ranges import Distribution, Range, as_distribution
from imagemill.pipeline.pipeline import Pipeline
from imagemill.transforms.base import OneOfThese, Transform, fields_of, required, sizes

__all__ = ["accepts", "derived", "example", "needed", "span"]

Strategy = Any
"""A hypothesis strategy; ``Any``, since hypothesis is optional."""

SIDE = 4
"""A length where a size is asked for: small enough for any image of a test."""


def span(f: dataclasses.Field[Any]) -> tuple[float, float]:
    """Bounds that a random parameter is tried within: its default and a margin about it, as far as is allowed.

    The margin is the default's own width, at least half of its size, and a tenth where it is 0.

    Examples
    --------
    >>> import imagemill as im
    >>> (field,) = [f for f in fields_of(im.Hue) if f.name == "degrees"]
    >>> span(field)
    (-54.0, 54.0)
    """
    meta = f.metadata
    least = meta["low"] if meta["above"] is None else max(meta["low"], meta["above"])
    if f.default is dataclasses.MISSING or f.default is None:
        low = least if math.isfinite(least) else min(0.0, meta["high"] - 1)
        high = meta["high"] if math.isfinite(meta["high"]) else low + 1
    else:
        low, high = as_distribution(f.default, name=f.name).bounds
    margin = max(high - low, max(abs(low), abs(high)) / 2) or 0.1
    bottom = max(low - margin, meta["low"])
    if meta["above"] is not None and bottom <= meta["above"]:
        bottom = meta["above"] + (low - meta["above"] or high - meta["above"]) / 2
    return float(bottom), float(min(high + margin, meta["high"]))


def _one(cls: type[Transform], f: dataclasses.Field[Any]) -> Any:
    """A value for a parameter without a default."""
    check = f.metadata.get("check")
    if f.metadata.get("kind") == "param":
        return span(f)[1]
    if isinstance(check, OneOfThese):
        return check.words[0]
    if check is sizes:
        return SIDE
    raise ParameterError(
        f"expected {cls.__name__}({f.name}=...) to be a param(), a size or one_of(...), whose values can be told from "
        "its declaration; say in imagemill/testing/each.py what it needs"
    )


def needed(cls: type[Transform]) -> dict[str, Any]:
    """What a constructor cannot do without, with values.

    Raises
    ------
    ParameterError
        For a parameter without a default whose check does not say what it accepts.

    Examples
    --------
    >>> import imagemill as im
    >>> needed(im.ToLayout), needed(im.Gamma)
    ({'layout': 'channels_first'}, {})
    """
    missing = required(cls)
    return {f.name: _one(cls, f) for f in fields_of(cls) if f.name in missing}


def example(cls: type[Transform]) -> Transform:
    """One transform of a type that does something: random parameters at the upper end of their :func:`span`.

    Examples
    --------
    >>> import imagemill as im
    >>> f"{example(im.Saturation).factor.high:.3f}"
    '1.800'
    """
    far = {f.name: _far(f) for f in fields_of(cls) if _is_random(f)}
    return cls(**{**needed(cls), **far})


def _far(f: dataclasses.Field[Any]) -> float:
    far = (_choice(f) or Range(*span(f))).bounds[1]
    return math.floor(far) if f.metadata["whole"] else far


def accepts(transform: Transform, shape: tuple[int, ...], channels: int) -> bool:
    """Whether a transform takes images of a shape and so many channels: it does not refuse them when it draws.

    Examples
    --------
    >>> import imagemill as im
    >>> accepts(im.Perspective(), (8, 9), 3), accepts(im.Perspective(), (8, 9, 9), 1)
    (True, False)
    """
    try:
        Pipeline([transform], seed=0).draw(Frame.of(*shape, channels=channels), [0])
    except ImagemillError:
        return False
    return True


def derived(cls: type[Transform], *, ndim: int, channels: int, given: Mapping[str, Strategy]) -> Strategy | None:
    """Transforms of a type, each parameter within what it declares; None where it is not for such images.

    Parameters
    ----------
    cls : type
    ndim, channels : int
        Of the images.
    given : mapping from str to strategy
        Parameters that the setting decides, such as the spline order; those it does not have are passed over.
    """
    st = require("hypothesis.strategies", extra="testing")
    base = needed(cls)

    def fits(name: str, value: Any) -> bool:
        try:
            made = cls(**{**base, name: value})
        except ParameterError:
            return False
        return accepts(made, (2 * SIDE,) * ndim, channels)

    parts: dict[str, Strategy] = {}
    for f in fields_of(cls):
        check = f.metadata.get("check")
        if f.name == "p":
            parts[f.name] = st.sampled_from([p for p in (1.0, 1.0, 0.5) if fits("p", p)] or [1.0])
        elif f.name in given:
            parts[f.name] = given[f.name]
        elif isinstance(check, OneOfThese):
            # An axis that the images do not have is refused.
            words = [word for word in check.words if fits(f.name, word)]
            if not words:
                return None
            parts[f.name] = st.sampled_from(words)
        elif _is_random(f):
            parts[f.name] = _amount(st, f)
        elif f.name in base:
            parts[f.name] = st.just(base[f.name])
    return st.builds(cls, **parts) if fits("p", 1.0) else None


def _is_random(f: dataclasses.Field[Any]) -> bool:
    return f.metadata.get("kind") == "param" and not f.metadata["optional"]


def _choice(f: dataclasses.Field[Any]) -> Distribution | None:
    """What a parameter's default chooses from, as turns by right angles; None where it is a number or a range."""
    if f.default is dataclasses.MISSING:
        return None
    usual = as_distribution(f.default, name=f.name)
    return usual if 1 < usual.count < math.inf else None


def _amount(st: Any, f: dataclasses.Field[Any]) -> Strategy:
    """Ranges for a random parameter, or its own choice."""
    choice = _choice(f)
    if choice is not None:
        return st.just(choice)
    low, high = span(f)
    number = st.integers(math.ceil(low), math.floor(high)) if f.metadata["whole"] else st.floats(low, high)
    return st.tuples(number, number).map(lambda two: Range(min(two), max(two)))
