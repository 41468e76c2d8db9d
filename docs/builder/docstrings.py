"""Docstrings of the package as Sphinx reads them."""

from __future__ import annotations

import re
from typing import Any

import imagemill

_TICKED = re.compile(r"(?<![`:\w])`(?P<said>[^`<>]+)`(?![`_])")


def tidied(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Make links of public names in single ticks and code of all else; a table has no text of its own."""
    if what == "data" and isinstance(thing, dict | list | tuple | str):
        lines.clear()  # else those of the built-in type
    lines[:] = [_TICKED.sub(_meant, line) for line in lines]


def _meant(found: re.Match[str]) -> str:
    said = found["said"]
    return f":py:obj:`~imagemill.{said}`" if said in imagemill.__all__ else f"``{said}``"
