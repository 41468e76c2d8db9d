"""What was probably meant by numbers that are none, or that are too many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["drawn_of", "share_of", "whole_of"]

_PAIR = re.compile(r"\s*[\[(]?\s*(-?[\d.]+)\s*(?:,|\.\.|to)\s*(-?[\d.]+)\s*[\])]?\s*")


def whole_of(lengths: Sequence[Any]) -> str:
    """The end of a message about lengths: what to write for those that are whole, though their type is not.

    Examples
    --------
    >>> whole_of((224.0, 224.0)), whole_of(["224"]), whole_of((0, 4))
    ('; write (224, 224)', '; write 224', '')
    """
    try:
        meant = tuple(int(float(length)) for length in lengths)
    except (TypeError, ValueError, OverflowError):
        return ""
    return f"; write {meant if len(meant) > 1 else meant[0]}" if min(meant) >= 1 else ""


def share_of(value: object) -> str:
    """The end of a message about a probability: what to write for one in per cent.

    Examples
    --------
    >>> share_of(50), share_of(-1)
    ('; for 50 % write 0.5', '')
    """
    percent = isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 100
    return f"; for {value:g} % write {float(value) / 100:g}" if percent else ""  # type: ignore[arg-type]


def drawn_of(value: object) -> str:
    """The end of a message about a parameter: what to write for numbers as text, and for other than two of them.

    Examples
    --------
    >>> drawn_of("10"), drawn_of("-10..10"), drawn_of((0, 90, 180))
    ('; write 10, without quotes', '; write (-10, 10), without quotes', '; write Choice([0, 90, 180]) for one of ...')
    """
    if isinstance(value, str):
        found = _PAIR.fullmatch(value)
        plain = value.strip() if re.fullmatch(r"\s*-?\d+\.?\d*\s*", value) else ""
        said = f"({found[1]}, {found[2]})" if found else plain
        return f"; write {said}, without quotes" if said else ""
    if not isinstance(value, list | tuple) or not all(type(one) in (int, float) for one in value) or not value:
        return ""
    if len(value) == 1:
        return f"; write {value[0]}"
    one = f"Choice({list(value)}) for one of them (in a file {{choice: {list(value)}}})"
    return f"; write {one}, or ({min(value)}, {max(value)}) for all between"
