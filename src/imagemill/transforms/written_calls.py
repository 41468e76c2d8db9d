"""Transforms as one would write them, which is their repr, and plain forms of them for digests."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from imagemill.core.errors import ParameterError
from imagemill.core.short_repr import short
from imagemill.transforms.base import Transform, fields_of
from imagemill.transforms.reading import nested_of

__all__ = ["call", "stable", "written"]


def stable(transform: Transform) -> Any:
    """A plain form for a digest; a transform that cannot be written to a file stands by all its values."""
    try:
        return transform.to_dict()
    except ParameterError:
        # Without the addresses of functions, which differ from run to run, and what is not set and once was not there.
        return re.sub(r" at 0x[0-9a-fA-F]+|images=None, ", "", _all_values(transform))


def _all_values(value: Any) -> str:
    if isinstance(value, Transform):
        said = (f"{f.name}={_all_values(getattr(value, f.name))}" for f in fields_of(type(value)) if f.repr)
        return f"{type(value).__qualname__}({', '.join(said)})"
    if isinstance(value, list | tuple) and any(isinstance(one, Transform) for one in value):
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        opening, closing = "()" if isinstance(value, tuple) else "[]"
        return f"{opening}{', '.join(map(_all_values, value))}{comma}{closing}"
    return repr(value)


def call(transform: Transform) -> str:
    """A transform as one would write it; what is as it always is is left out.

    Examples
    --------
    >>> import imagemill as im
    >>> call(im.OneOf([im.Rotate((-10, 10), p=0.5), im.Zoom(im.LogUniform(0.5, 2))]))
    "OneOf([Rotate(p=0.5, degrees=(-10, 10)), Zoom(factor={'log_uniform': [0.5, 2]})])"
    """
    name = type(transform).__name__
    try:
        form = transform.to_dict()[name]
    except ParameterError:  # there is something that no file can hold, such as a function
        form = _told(transform)
    # Of one whose children follow from its parameters those say it all.
    nested = [word for word in nested_of(type(transform)) if hasattr(transform, word)]
    given = [f"{word}={written(value)}" for word, value in form.items() if word not in nested]
    inner = [_nested(transform, word) for word in nested if word in form]
    return f"{name}({', '.join([*inner, *given])})"


def _told(transform: Transform) -> dict[str, Any]:
    """The parameters that are not as they always are, as they stand."""
    found = {}
    for f in fields_of(type(transform)):
        value = getattr(transform, f.name)
        if f.repr and (f.default is dataclasses.MISSING or not (value is f.default or repr(value) == repr(f.default))):
            found[f.name] = value
    return found


def _nested(transform: Transform, word: str) -> str:
    """The transforms inside another, as one would write them."""

    def inside(value: Any) -> str:
        if isinstance(value, Transform):
            return call(value)
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{key!r}: {inside(one)}" for key, one in value.items()) + "}"
        return f"[{', '.join(map(inside, value))}]" if isinstance(value, list | tuple) else repr(value)

    return ("" if word == "transforms" else f"{word}=") + inside(getattr(transform, word))


def written(value: Any) -> str:
    """As Python writes it, with pairs as such; of text that nobody reads, as summaries of images, how it begins."""
    if isinstance(value, list):
        return f"({', '.join(map(written, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, str):
        return f"{value[:20]!r}..." if len(value) > 100 else repr(value)
    return repr(value) if isinstance(value, int | float | bool | dict | None) else short(value)
