"""A column of a table from the values of records, which may be of any plain type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from imagemill.data.plain_kinds import in_kind, plain_kind

__all__ = ["uniform_column"]

_TYPES: dict[str, Any] = {"bool": pl.Boolean, "whole": pl.Int64, "decimal": pl.Float64, "text": pl.String}


def uniform_column(name: str, values: Sequence[Any]) -> pl.Series:
    """A column of one type: of the values' own, or text where they differ.

    Examples
    --------
    >>> uniform_column("age", [3, None, 4.5]).to_list(), uniform_column("age", [3, "old"]).to_list()
    ([3.0, None, 4.5], ['3', 'old'])
    """
    kind = plain_kind(values)
    return pl.Series(name, in_kind(values, kind), _TYPES[kind])
