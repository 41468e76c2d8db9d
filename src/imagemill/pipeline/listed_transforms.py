"""The transforms a pipeline is made of, or what to write where something else was given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from imagemill.core.annotated.box_rules import BoxRules
from imagemill.core.errors import ParameterError
from imagemill.transforms.base import Transform
from imagemill.transforms.presets import PRESETS

__all__ = ["read_transforms"]


def read_transforms(
    given: Any, others: tuple[Any, ...], boxes: BoxRules, swap: Any
) -> tuple[tuple[Transform, ...], BoxRules, Any]:
    """The transforms that were given as a list, or inside another pipeline, and what is asked of boxes and points.

    Of another pipeline its own `boxes` and `swap` stay where nothing else is said.

    Parameters
    ----------
    given : sequence of Transform, or Pipeline
    others : tuple
        What else stood in the call: transforms one after the other are a list that lacks its brackets.
    boxes, swap
        As for a pipeline.

    Raises
    ------
    ParameterError
        For anything else, with what to write.
    """
    if others or isinstance(given, Transform):
        names = ", ".join(f"{type(one).__name__}(...)" for one in (given, *others))
        raise ParameterError(
            f"expected one list of transforms, got {names} without brackets; write Pipeline([{names}])"
        )
    if isinstance(given, str | Path):
        raise ParameterError(f"expected a list of transforms, got {str(given)!r}; {_of_text(str(given))}")
    if not isinstance(given, Iterable):
        raise ParameterError(f"expected a list of transforms, got {type(given).__name__}; write Pipeline([Flip('x')])")
    listed = tuple(given)
    for place, one in enumerate(listed, 1):
        if not isinstance(one, Transform):
            raise ParameterError(f"expected a list of transforms, got {_no_transform(one, place)}")
    rules = getattr(given, "boxes", boxes), getattr(given, "swap", swap)
    return listed, rules[0] if boxes == BoxRules() else boxes, rules[1] if swap == "auto" else swap


def _of_text(text: str) -> str:
    if text in PRESETS:
        return f"that preset is the pipeline imagemill.preset({text!r})"
    if Path(text).suffix:
        return f"read a file with Pipeline.load({text!r})"
    return "write Pipeline([Flip('x')])"


def _no_transform(one: Any, place: int) -> str:
    """What stands at a place of the list, counted from 1, and what should."""
    if isinstance(one, type) and issubclass(one, Transform):
        return f"the class {one.__name__} as number {place}; call it: {one.__name__}(...)"
    if isinstance(one, str):
        return f"the text {one!r} as number {place}; write the transform itself, such as imagemill.Flip('x')"
    if hasattr(one, "transforms"):
        return f"a {type(one).__name__} as number {place}; put its transforms in: [*pipeline, ...]"
    kind = f"{type(one).__module__.partition('.')[0]}.{type(one).__name__}"
    return f"a {kind} as number {place}; write Pipeline([Flip('x')]), or Apply(function) for a function of your own"
