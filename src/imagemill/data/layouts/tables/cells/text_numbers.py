"""Recognising the numbers in columns of text, without ever changing what a cell says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from imagemill.data.records.instances import Scalar

__all__ = ["number_text", "typed_column"]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


def _is_float(text: str) -> bool:
    if not text[:2].lstrip("-")[:1].isdecimal():
        return False
    try:
        return repr(float(text)) == text
    except ValueError:
        return False


def typed_column(cells: Iterable[str]) -> Callable[[str], Scalar]:
    """Find what the cells of a column are: all whole numbers, all numbers, all truth values, else text.

    Only texts that a number would be written as again count, so ``"007"`` and ``"1.50"`` stay text. Empty cells
    say nothing.

    Parameters
    ----------
    cells : iterable of str

    Returns
    -------
    callable
        Turns one cell into its value.

    Examples
    --------
    >>> typed_column(["7", "12"])("7"), typed_column(["007", "12"])("12"), typed_column(["0.5", "1"])("1")
    (7, '12', 1.0)
    """
    kinds = {_kind(cell) for cell in cells if cell != ""}
    if kinds == {"int"}:
        return int
    if kinds and kinds <= {"int", "float"}:
        return float
    if kinds == {"bool"}:
        return lambda cell: cell == "true"
    return str


def _kind(cell: str) -> str:
    if _INTEGER.fullmatch(cell) and cell != "-0":
        return "int"
    if cell in ("true", "false"):
        return "bool"
    return "float" if _is_float(cell) else "text"


def number_text(value: Scalar) -> str:
    """Write a value so that `typed_column` finds it again.

    Examples
    --------
    >>> number_text(True), number_text(0.5), number_text("x")
    ('true', '0.5', 'x')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
