"""A column of a table from the values of records, which may be of any plain type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

__all__ = ["uniform_column"]


def uniform_column(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of one type: of the values' own, or text where they differ.

    Examples
    --------
    >>> uniform_column("age", [3, None, 4.5]).to_list(), uniform_column("age", [3, "old"]).to_list()
    ([3.0, None, 4.5], ['3', 'old'])
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pl.Series(name, values, pl.Boolean)
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pl.Series(name, values, pl.Int64)
    if kinds and kinds <= {int, float}:
        return pl.Series(name, [None if value is None else float(value) for value in values], pl.Float64)
    return pl.Series(name, [None if value is None else str(value) for value in values], pl.String)
