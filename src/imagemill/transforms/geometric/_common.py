"""What geometric transforms share: per-axis draws, sizes that speak of some axes, places in free space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import numpy as np

from imagemill.core.errors import InputError, ParameterError
from imagemill.core.geometry import Floats, Frame, Ints
from imagemill.core.randomness.rng import Draws
from imagemill.transforms.base import one_of

Place = Literal["centre", "random", "top_left", "top_right", "bottom_left", "bottom_right"]
PLACES: tuple[str, ...] = get_args(Place)
SIZED = "their number depends on the size of the image"
"""Why a random place names no number of variants."""

switch = one_of(False, True)
"""A check that accepts only True and False."""


def whole_number(*, low: int | None = None) -> Callable[[str, Any], Any]:
    """A check for one whole number, at least ``low``."""

    def check(name: str, value: Any) -> int:
        fits = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if not fits or (low is not None and value < low):
            bound = "" if low is None else f" of at least {low}"
            raise ParameterError(f"expected {name} to be a whole number{bound}, got {value!r}")
        return int(value)

    return check


def wholes(*counts: int, low: int) -> Callable[[str, Any], Any]:
    """A check for whole numbers, as many as one of ``counts``, stored as a tuple; one may be bare."""
    single = whole_number(low=low)

    def check(name: str, value: Any) -> tuple[int, ...]:
        listed = tuple(value) if isinstance(value, list | tuple) else (value,)
        if len(listed) not in counts:
            amounts = ", ".join(map(str, counts))
            raise ParameterError(f"expected {name} to hold {amounts} whole numbers, got {value!r}")
        return tuple(single(name, v) for v in listed)

    return check


def axis_names(name: str, value: Any) -> str:
    """A check for a word of distinct axis names, such as ``"yx"``."""
    if not isinstance(value, str) or not value or len(set(value)) < len(value) or not set(value) <= set("zyx"):
        raise ParameterError(f"expected {name} to name axes out of z, y, x, such as 'yx', got {value!r}")
    return value


def exactly_one(owner: str, example: str, **given: Any) -> None:
    """Refuse none and more than one of some settings that exclude each other."""
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        got = " and ".join(named) or "none of them"
        raise ParameterError(f"expected exactly one of {', '.join(given)} for {owner}, got {got}; write {example}")


def per_axis(
    draws: Draws, value: Any, field: str, frame: Frame, axes: str, rest: float, *, together: bool = False
) -> Floats:
    """Draw a parameter that may be given per axis, as columns ``[n, d]``.

    Parameters
    ----------
    value : Distribution or mapping of them
        A mapping is drawn in the order of the frame's axes, however it is written.
    field : str
        Name of the parameter, for the recipe.
    axes : str
        The axes one distribution stands for.
    rest : float
        What the other axes get.
    together : bool
        One number for all ``axes`` instead of one for each.
    """
    if isinstance(value, Mapping):
        at = {name: frame.axis(name) for name in value}
        drawn = {at[name]: draws(value[name]) for name in frame.axes if name in value}
    elif together:
        drawn = dict.fromkeys((frame.axis(name) for name in axes), draws(value))
    else:
        drawn = {frame.axis(name): draws(value, f"{field}.{name}") for name in axes}
    return columns(frame, drawn, rest)


def columns(frame: Frame, values: dict[int, Floats], rest: float) -> Floats:
    """Per-axis columns ``[n, d]`` from some axes' values, the other axes getting ``rest``."""
    out = np.full((frame.n, frame.ndim), rest, dtype=np.float64)
    for axis, column in values.items():
        out[:, axis] = column
    return out


def named_axes(lengths: tuple[Any, ...], frame: Frame, shown: str) -> tuple[int, ...]:
    """The axes some lengths speak of: the plane's two for one or two lengths, all for three.

    Raises
    ------
    InputError
        When there are more lengths than axes.
    """
    if len(lengths) <= 2:
        return frame.in_plane
    if len(lengths) == frame.ndim:
        return tuple(range(frame.ndim))
    raise InputError(
        f"expected {shown} to hold 2 lengths (y, x) for pictures, got {lengths}; three lengths are for volumes"
    )


def target_shape(size: tuple[int, ...], frame: Frame, shown: str) -> Ints:
    """The frame's shapes ``[n, d]`` with the axes that ``size`` speaks of replaced."""
    shape = frame.shape.copy()
    shape[:, list(named_axes(size, frame, shown))] = size
    return shape


def offsets(free: Ints, at: str, draws: Draws, frame: Frame, axes: tuple[int, ...]) -> Ints:
    """Where to begin in free space ``[n, d]``; a random place is uniform over all whole positions.

    Parameters
    ----------
    free : array of int, ``[n, d]``
        At least 0; the largest offset along each axis.
    at : str
        One of :data:`PLACES`. Corners speak of the plane; slices are centred.
    axes : tuple of int
        The axes drawn for a random place, one number each.
    """
    start = free // 2
    if at == "random":
        for axis in axes:
            start[:, axis] = np.floor(draws.uniform() * (free[:, axis] + 1))
            draws.note(f"start.{frame.axes[axis]}", start[:, axis])
    elif at != "centre":
        down, right = frame.in_plane
        start[:, down] = 0 if at.startswith("top") else free[:, down]
        start[:, right] = 0 if at.endswith("left") else free[:, right]
    return start
