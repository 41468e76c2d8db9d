"""A column of a table from the values of records, which may be of any plain type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

__all__ = ["column_of_type", "uniform_column", "uniform_type"]


def uniform_column(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of one type: of the values' own, or text where they differ.

    Examples
    --------
    >>> uniform_column("age", [3, None, 4.5]).to_list(), uniform_column("age", [3, "old"]).to_list()
    ([3.0, None, 4.5], ['3', 'old'])
    """
    return column_of_type(name, values, uniform_type(values))


def uniform_type(values: Iterable[Any]) -> Any:
    """The type of the column that `uniform_column` makes of some values.

    Examples
    --------
    >>> uniform_type([3, None]), uniform_type([3, 2**63]), uniform_type([])
    (Int64, Float64, String)
    """
    kinds, fits = set(), True
    for value in values:
        if value is not None:
            kinds.add(type(value))
            fits = fits and (type(value) is not int or abs(value) < 2**63)
    if kinds == {bool}:
        return pl.Boolean
    if kinds == {int} and fits:
        return pl.Int64
    return pl.Float64 if kinds and kinds <= {int, float} else pl.String


def column_of_type(name: str, values: Sequence[Any], kind: Any) -> pl.Series:
    """Some values of a column whose type is known from all of them."""
    if kind in (pl.Boolean, pl.Int64):
        return pl.Series(name, values, kind)
    plain = float if kind == pl.Float64 else str
    return pl.Series(name, [None if value is None else plain(value) for value in values], kind)
