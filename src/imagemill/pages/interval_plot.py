"""Intervals around zero, a row each: what an effect is, how sure that is, and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.pages.blocks import Folded, Table, Word
from imagemill.pages.markup import Element
from imagemill.pages.scales import Scale, finite, fitted_letters, ticks_between
from imagemill.pages.showing import Showable
from imagemill.pages.svg import drawing, drawn_wide_and_narrow, line, marker, text

__all__ = ["Interval", "IntervalPlot"]

_KINDS = {"helps": "good", "harms": "bad"}
_FARTHEST = 5.0
"""How far the axis follows outer intervals, in the largest of all else; beyond, they run to its edge without an end."""
_WIDE, _NARROW = 880.0, 340.0


@dataclass(frozen=True, slots=True)
class Interval:
    """One row of an interval plot.

    Parameters
    ----------
    name : str
    middle : float or None
        None where there is nothing to show, such as for what diverged.
    low, high : float
        Ends; infinite where they are not known.
    word : str
        Verdict, or another word about the row.
    outer : pair of float or None
        Ends of a second, wider interval.
    """

    name: str
    middle: float | None
    low: float = -math.inf
    high: float = math.inf
    word: str = ""
    outer: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class IntervalPlot(Showable):
    """Intervals around zero, a row each.

    Parameters
    ----------
    title : str
        What is shown, such as ``"Change of accuracy on clean test images"``.
    rows : sequence of Interval
    unit : str
        Of the values, such as ``"points"``.
    digits : int
        Behind the decimal point.
    inner_name, outer_name : str
        What the thick interval is of, and the thin one.

    Examples
    --------
    >>> shown = IntervalPlot("Change", [Interval("shift", 1.2, 0.8, 1.6, "helps")], unit="points")
    >>> shown.said(shown.rows[0])
    '+1.2 [+0.8, +1.6]'
    """

    title: str
    rows: Sequence[Interval]
    unit: str = ""
    digits: int = 1
    inner_name: str = "interval"
    outer_name: str = "wider interval"

    def said(self, row: Interval) -> str:
        """A row's numbers as text."""
        if row.middle is None:
            return "–"
        middle = self._number(row.middle)
        return f"{middle} [{self._number(row.low)}, {self._number(row.high)}]" if finite([row.low]) else middle

    def element(self) -> Element:
        """Make the figure: for wide and narrow screens, with its numbers as a table."""
        return drawn_wide_and_narrow(
            self.title,
            self._drawn(_WIDE, narrow=False),
            self._drawn(_NARROW, narrow=True),
            self.table(),
            self._legend(),
        )

    def _repr_html_(self) -> str:
        from imagemill.pages.page import fragment

        return fragment([self])

    def table(self) -> Folded:
        """The same as a table."""
        outer = any(row.outer for row in self.rows)
        columns = ["", f"{self.unit} [{self.inner_name}]", *([self.outer_name] if outer else ()), "in words"]
        rows = [[r.name, self.said(r), *([self._outer(r)] if outer else ()), Word(r.word or "–")] for r in self.rows]
        return Folded("The numbers of this figure", [Table(self.title, columns, rows)], on_paper=False)

    def draw(self, ax: Any = None) -> Any:
        """Draw with matplotlib, on given axes or on a figure of its own, and return the figure.

        Raises
        ------
        MissingExtra
            Without matplotlib.
        """
        from imagemill.pages import matplotlib_drawing

        return matplotlib_drawing.draw_intervals(self, ax)

    def _number(self, value: float) -> str:
        # A minus sign of its own would be read as a dash; what rounds to zero has no sign.
        text = f"{value:+.{self.digits}f}"
        return text.lstrip("+-") if not float(text) else text

    def _outer(self, row: Interval) -> str:
        ends = finite(row.outer or ())
        return f"[{self._number(ends[0])}, {self._number(ends[1])}]" if len(ends) == 2 else "–"

    def _legend(self) -> list[tuple[str, Element]]:
        found = [(self.inner_name, line(0, 6, 26, 6, "bar"))] if any(finite([r.low]) for r in self.rows) else []
        if any(row.outer and finite(row.outer) for row in self.rows):
            found.append((self.outer_name, line(0, 6, 26, 6, "outer")))
        return found

    def _drawn(self, width: float, *, narrow: bool) -> Element:
        left, right = (4.0, width - 4) if narrow else (230.0, width - 290)
        step, top = (58.0, 6.0) if narrow else (30.0, 6.0)
        ends = self._ends()
        ticks = ticks_between(min([0.0, *ends]), max([0.0, *ends]), 4 if narrow else 6)
        scale = Scale(ticks[0], ticks[-1], left + 8, right - 8)
        bottom = top + step * len(self.rows)
        parts: list[Element] = []
        for tick in ticks:
            x = scale(tick)
            parts.append(line(x, top, x, bottom, "axis" if tick == 0 else "rule"))
            parts.append(text(x, bottom + 17, f"{tick:+g}" if tick else "0", "quiet", anchor="middle"))
        parts.append(text((left + right) / 2, bottom + 35, self.unit, "quiet", anchor="middle"))
        for number, row in enumerate(self.rows):
            parts += self._row(row, scale, top + step * number, narrow=narrow, right=right)
        return drawing(width, bottom + 42, self.title, self._words(), parts)

    def _row(self, row: Interval, scale: Scale, top: float, *, narrow: bool, right: float) -> list[Element]:
        middle = top + (46 if narrow else 15)
        said = f"{self.said(row)} {row.word}"
        kind = _KINDS.get(row.word, "bad" if row.word == "diverged" else "")
        if narrow:
            parts = [
                text(4, top + 15, fitted_letters(row.name, scale.end - 4), "strong"),
                text(4, top + 31, fitted_letters(said, scale.end - 4), kind),
            ]
        else:
            parts = [
                text(4, middle + 4, fitted_letters(row.name, 216), "strong"),
                text(right + 12, middle + 4, fitted_letters(said, 285), kind),
            ]
        if row.middle is None:
            return parts
        outer = finite(row.outer or ())
        if len(outer) == 2:
            parts.append(line(scale(outer[0]), middle, scale(outer[1]), middle, "outer"))
            within = [scale(end) for end in outer if scale.holds(end)]
            parts += [line(x, middle - 4, x, middle + 4, "outer") for x in within]
        if finite([row.low, row.high]):
            parts.append(line(scale(row.low), middle, scale(row.high), middle, "bar"))
        return [*parts, marker(scale(row.middle), middle, row.word)]

    def _ends(self) -> list[float]:
        """What the axis has to hold: all of it, but for outer intervals that would make everything else a dot."""
        shown = [row for row in self.rows if row.middle is not None]
        inner = finite(v for r in shown for v in (r.middle, r.low, r.high))
        most = _FARTHEST * max(map(abs, inner), default=0.0)
        return inner + [end for r in shown for end in finite(r.outer or ()) if abs(end) <= most]

    def _words(self) -> str:
        """What a screen reader says of the figure."""
        return "; ".join(f"{row.name}: {self.said(row)} {self.unit} {row.word}".strip() for row in self.rows)
