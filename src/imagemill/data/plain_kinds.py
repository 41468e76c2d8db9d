"""What values of records are, where a column is to have one type: text, where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

__all__ = ["PlainKind", "in_kind", "plain_kind"]

PlainKind = Literal["bool", "whole", "decimal", "text"]


def plain_kind(values: Iterable[Any]) -> PlainKind:
    """The kind that holds all of some values.

    Examples
    --------
    >>> plain_kind([3, None]), plain_kind([3, 2**63]), plain_kind([3, "old"]), plain_kind([])
    ('whole', 'decimal', 'text', 'text')
    """
    kinds, fits = set(), True
    for value in values:
        if value is not None:
            kinds.add(type(value))
            fits = fits and (type(value) is not int or abs(value) < 2**63)
    if kinds == {bool}:
        return "bool"
    if kinds == {int} and fits:
        return "whole"
    return "decimal" if kinds and kinds <= {int, float} else "text"


def in_kind(values: Sequence[Any], kind: PlainKind) -> list[Any]:
    """Some values of a column whose kind is known from all of them.

    Examples
    --------
    >>> in_kind([3, None], "decimal"), in_kind([3, "old"], "text")
    ([3.0, None], ['3', 'old'])
    """
    plain: Any = {"decimal": float, "text": str}.get(kind)
    return list(values) if plain is None else [None if value is None else plain(value) for value in values]
