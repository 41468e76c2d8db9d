"""A table of numbers as shades: a confusion matrix, accuracy over two magnitudes."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.pages.blocks import Block, Folded, Table
from imagemill.pages.markup import Element, tag
from imagemill.pages.page_style import LEVELS
from imagemill.pages.scales import fitted_letters
from imagemill.pages.showing import Showable
from imagemill.pages.svg import drawing, figure, text

__all__ = ["HeatMap"]

_WIDTH = 340.0
_NAMED = 26
"""Rows up to which each row has its name."""


@dataclass(frozen=True, slots=True)
class HeatMap(Showable):
    """A table of numbers as shades.

    Parameters
    ----------
    title : str
    values : sequence of sequences of float
        By row; what is no number stays empty.
    rows, columns : sequence of str
        Their names.
    row_name, column_name : str
        What rows and columns are.
    edges : sequence of float
        Where a next shade begins: six, in order. Evenly over the values where none are given.
    form : str
        How numbers are written.

    Examples
    --------
    >>> shown = HeatMap("Right", [[0.9, 0.1], [0.2, 0.8]], ["cat", "dog"], ["cat", "dog"])
    >>> [shown.level(value) for value in (0.1, 0.5, 0.9)]
    [0, 3, 6]
    """

    title: str
    values: Sequence[Sequence[float]]
    rows: Sequence[str]
    columns: Sequence[str]
    row_name: str = ""
    column_name: str = ""
    edges: Sequence[float] = ()
    form: str = "{:.2g}"

    def level(self, value: float) -> int:
        """The shade of a value, 0 to 6."""
        return bisect.bisect_right(self._edges(), value)

    def element(self) -> Element:
        """Make the figure, with its numbers as a table where that can be read."""
        below: list[Block] = []
        if len(self.rows) <= _NAMED:
            cells = [[name, *map(self._said, row)] for name, row in zip(self.rows, self.values, strict=True)]
            corner = f"{self.row_name} \\ {self.column_name}" if self.row_name else ""
            below.append(
                Folded(
                    "The numbers of this figure", [Table(self.title, [corner, *self.columns], cells)], on_paper=False
                )
            )
        return figure(self.title, [self.drawn()], below)

    def _repr_html_(self) -> str:
        from imagemill.pages.page import fragment

        return fragment([self])

    def draw(self, ax: Any = None) -> Any:
        """Draw with matplotlib, on given axes or on a figure of its own, and return the figure.

        Raises
        ------
        MissingExtra
            Without matplotlib.
        """
        from imagemill.pages import matplotlib_drawing

        return matplotlib_drawing.draw_heat_map(self, ax)

    def drawn(self) -> Element:
        """Make the drawing alone."""
        named = max(len(self.rows), len(self.columns)) <= _NAMED
        left, top = (92.0, 26.0) if named else (22.0, 24.0)
        side = min((_WIDTH - left - 4) / max(len(self.columns), 1), 62.0)
        parts = [
            text(left, 12, fitted_letters(self.column_name, _WIDTH - left), "quiet"),
            text(0, top - 6, fitted_letters(self.row_name, left), "quiet") if named else _upright(top, self.row_name),
        ]
        if named:
            for place, name in enumerate(self.rows):
                y = top + side * (place + 0.5) + 4
                parts.append(text(left - 6, y, fitted_letters(name, left - 10), "quiet", "end"))
        parts += self._shades(left, top, side)
        if named and self._widest() * 7 <= side:
            parts += self._numbers(left, top, side)
        bottom = top + side * len(self.rows)
        if named:
            parts += _feet(self.columns, left, bottom, side)
        return drawing(_WIDTH, bottom + (24 if named else 6), self.title, self._words(), parts)

    def _edges(self) -> Sequence[float]:
        if len(self.edges):
            return self.edges
        known = [v for row in self.values for v in row if math.isfinite(v)]
        low, high = min(known, default=0.0), max(known, default=1.0)
        return [low + (high - low) * step / LEVELS for step in range(1, LEVELS)]

    def _shades(self, left: float, top: float, side: float) -> list[Element]:
        """One path a shade: a matrix of a hundred classes stays a small file."""
        paths: dict[int, list[str]] = {}
        edges = self._edges()  # once: they may be those of all values
        for y, row in enumerate(self.values):
            for x, value in enumerate(row):
                if math.isfinite(value):
                    place = f"M{left + side * x:.1f} {top + side * y:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z"
                    paths.setdefault(bisect.bisect_right(edges, value), []).append(place)
        if len(self.rows) > _NAMED:  # the lowest shade is one ground under all cells
            across, down = side * len(self.columns), side * len(self.rows)
            paths[0] = [f"M{left} {top}h{across:.1f}v{down:.1f}h-{across:.1f}z"]
        return [tag("path", d="".join(places), class_=f"h{step}") for step, places in sorted(paths.items())]

    def _numbers(self, left: float, top: float, side: float) -> list[Element]:
        return [
            text(left + side * (x + 0.5), top + side * (y + 0.5) + 4, self._said(v), f"t{self.level(v)}", "middle")
            for y, row in enumerate(self.values)
            for x, v in enumerate(row)
            if math.isfinite(v) and v
        ]

    def _widest(self) -> int:
        return max((len(self._said(value)) for row in self.values for value in row), default=0)

    def _said(self, value: float) -> str:
        return self.form.format(value) if math.isfinite(value) else "–"

    def _words(self) -> str:
        rows, columns = f"{len(self.rows)} rows", f"{len(self.columns)} columns"
        return (
            f"{rows} ({self.row_name}) by {columns} ({self.column_name})" if self.row_name else f"{rows} by {columns}"
        )


def _upright(top: float, words: str) -> Element:
    made = text(0, 0, words, "quiet", "end")
    made.set("transform", f"translate(12 {top}) rotate(-90)")
    return made


def _feet(columns: Sequence[str], left: float, bottom: float, side: float) -> list[Element]:
    """Names of columns that are short enough, or their first letters."""
    parts = []
    for place, name in enumerate(columns):
        short = name if len(name) * 6.5 <= side else name[: max(1, int(side / 6.5) - 1)] + ("…" if side > 30 else "")
        parts.append(text(left + side * (place + 0.5), bottom + 15, short, "quiet", "middle"))
    return parts
