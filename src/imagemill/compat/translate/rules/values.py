"""Amounts, interpolations and borders as several libraries write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imagemill.compat.translate.rules.rule import NoCounterpart, Step
from imagemill.core.errors import InputError

__all__ = ["amount", "around", "border", "fill", "is_number", "joined", "order", "scaled", "shape", "span"]

Amount = float | tuple[float, float]

_ORDERS = {
    0: 0, 1: 1, 2: 3, 3: 1, 4: 3, 5: 1, 6: 0,
    "nearest": 0, "nearest_exact": 0, "nearest-exact": 0, "bilinear": 1, "linear": 1, "trilinear": 1, "bicubic": 3,
    "cubic": 3, "bspline": 3, "lanczos": 3, "antialias": 3, "box": 1, "area": 1, "hamming": 1,
}  # fmt: skip
_PILLOW = {0: 0, 1: 3, 2: 1, 3: 3, 4: 1, 5: 1}
"""Numbers that stood for Pillow's filters before they had names: nearest, Lanczos, bilinear, bicubic, box, Hamming."""

_BORDERS = {
    0: "constant", 1: "nearest", 2: "reflect", 3: "wrap", 4: "mirror",
    "constant": "constant", "zeros": "constant", "zero": "constant", "edge": "nearest", "border": "nearest",
    "nearest": "nearest", "replicate": "nearest", "symmetric": "reflect", "reflect": "mirror", "reflection": "mirror",
    "mirror": "mirror", "wrap": "wrap", "circular": "wrap",
}  # fmt: skip


def is_number(value: Any) -> bool:
    """Whether it is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def amount(step: Step, name: str, value: Any) -> Amount:
    """A number or a pair, as it is.

    Raises
    ------
    InputError
        For anything else.
    """
    if is_number(value):
        return float(value)
    if isinstance(value, list | tuple) and len(value) == 1 and is_number(value[0]):
        return float(value[0])
    if isinstance(value, list | tuple) and len(value) == 2 and all(is_number(one) for one in value):
        low, high = sorted(float(one) for one in value)
        return low if low == high else (low, high)
    raise InputError(f"{step.shown}: expected {name} as a number or a pair of them, got {value!r}")


def span(step: Step, name: str, value: Any, about: float = 0.0, low: float = float("-inf")) -> Amount:
    """A number as the range to both sides of `about`; a pair as it is.

    Examples
    --------
    >>> from imagemill.compat.translate.calls import Call
    >>> at = Step(None, Call("Rotate"), "Rotate")
    >>> span(at, "limit", 30), span(at, "limit", (0, 30)), span(at, "factor", 0.25, about=1)
    ((-30.0, 30.0), (0.0, 30.0), (0.75, 1.25))
    """
    found = amount(step, name, value)
    if is_number(value):
        value = abs(float(value))
        found = (about - value, about + value) if value else about
    if isinstance(found, tuple) and found[0] < low:
        found = (low, found[1])
    return found


def scaled(value: Amount, by: float, plus: float = 0.0) -> Amount:
    """An amount in other units.

    Examples
    --------
    >>> scaled((-0.25, 0.5), 360), scaled((-0.25, 0.5), 1, plus=1)
    ((-90.0, 180.0), (0.75, 1.5))
    """
    if isinstance(value, tuple):
        low, high = sorted(one * by + plus for one in value)
        return low, high
    return value * by + plus


def around(value: Any, middle: float = 0.0) -> bool:
    """Whether an amount is nothing but `middle`."""
    return bool(value == middle or value == (middle, middle))


def order(step: Step, interpolation: Any, *, pillow: bool = False) -> int:
    """The spline order of an interpolation: by its number (OpenCV's, or Pillow's), its word, or its value."""
    value = getattr(interpolation, "value", interpolation)
    value = value.lower() if isinstance(value, str) else value
    table: dict[Any, int] = {**_ORDERS, **_PILLOW} if pillow else _ORDERS
    if value not in table:
        raise InputError(f"{step.shown}: expected an interpolation, got {interpolation!r}")
    if value in ("lanczos", "antialias") or (value == (1 if pillow else 4) and not isinstance(value, str)):
        step.note("Lanczos is a cubic spline here")
    return table[value]


def border(step: Step, mode: Any) -> str:
    """What lies beyond the edge."""
    value = getattr(mode, "value", mode)
    value = value.lower() if isinstance(value, str) else value
    if value not in _BORDERS:
        raise InputError(f"{step.shown}: expected a border, got {mode!r}")
    return _BORDERS[value]


def fill(step: Step, value: Any) -> float | tuple[float, ...]:
    """One value for all channels, or one for each where they differ.

    Examples
    --------
    >>> from imagemill.compat.translate.calls import Call
    >>> at = Step(None, Call("Pad"), "Pad")
    >>> fill(at, (124, 116, 104)), fill(at, (0, 0, 0)), fill(at, None)
    ((124.0, 116.0, 104.0), 0.0, 0.0)
    """
    if value is None:
        return 0.0
    if is_number(value):
        return float(value)
    if isinstance(value, list | tuple) and value and all(is_number(one) for one in value):
        found = tuple(float(one) for one in value)
        return found if len(set(found)) > 1 else found[0]
    raise NoCounterpart(f"fill={value!r} is no number")


def shape(step: Step, *sizes: Any) -> tuple[int, ...]:
    """Height and width from two numbers, a pair, or one number for a square."""
    given = [one for one in sizes if one is not None]
    if len(given) == 1 and isinstance(given[0], list | tuple):
        given = list(given[0])
    if given and all(isinstance(one, int | float) and not isinstance(one, bool) for one in given):
        return tuple(round(one) for one in (given * 2 if len(given) == 1 else given))
    raise InputError(f"{step.shown}: expected height and width, got {sizes!r}")


def joined(names: Sequence[str]) -> str:
    """Names with commas and an "and".

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
