"""The order people give to names with numbers in them: 2 before 10."""

from __future__ import annotations

import re

__all__ = ["natural"]


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key in which 2 comes before 10.

    Examples
    --------
    >>> sorted(["class10", "class2", "Class1"], key=natural)
    ['Class1', 'class2', 'class10']
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], name
