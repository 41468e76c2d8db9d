"""Curves over a number: losses over epochs, accuracy over magnitude, with intervals as bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imagemill.pages.blocks import Folded, Table
from imagemill.pages.markup import Element, tag
from imagemill.pages.page_style import LINES
from imagemill.pages.scales import FEW_TICKS, Scale, factors_between, finite, fitted_letters, ticks_between
from imagemill.pages.showing import Showable
from imagemill.pages.svg import drawing, figure, legend_of, line, path, text

__all__ = ["Curve", "CurvePlot", "Panels"]

_WIDTH, _HEIGHT = 340.0, 220.0


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points.

    Parameters
    ----------
    name : str
        Empty for a line that is not in the legend.
    x : sequence of float
    y : sequence of float or None
        None, and what is no number, leaves a gap.
    low, high : sequences of float
        An interval around it, drawn as a band.
    look : int
        Colour and dashes, 0 to 5; lines of one meaning have one look.
    thin : bool
        For a line in the background, such as one seed of several.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    look: int = 0
    thin: bool = False

    @property
    def pieces(self) -> list[list[tuple[float, float]]]:
        """Points that belong together, between gaps."""
        found: list[list[tuple[float, float]]] = [[]]
        for x, y in zip(self.x, self.y, strict=True):
            if y is None or not math.isfinite(y):
                found.append([])
            else:
                found[-1].append((float(x), float(y)))
        return [piece for piece in found if piece]


@dataclass(frozen=True, slots=True)
class CurvePlot(Showable):
    """Curves over a number.

    Parameters
    ----------
    title : str
    curves : sequence of Curve
    x_name, y_name : str
        What the axes are, with units.
    y_range : pair of float, optional
        Else that of the curves.
    guides : sequence of (float, str)
        Level lines with a word each, such as 95 % of the clean accuracy.
    logarithmic : bool
        Whether x, above 0, is shown by its logarithm; then each x that a curve has is a tick, or
        powers of 2 where there are many.
    spans : sequence of pairs of float
        Ranges of x that are shaded.

    Examples
    --------
    >>> shown = CurvePlot("Loss", [Curve("training", [1, 2], [0.9, 0.4])], "epoch", "nats an image")
    >>> [row for row in shown.rows()]
    [['1', '0.9'], ['2', '0.4']]
    """

    title: str
    curves: Sequence[Curve]
    x_name: str = ""
    y_name: str = ""
    y_range: tuple[float, float] | None = None
    guides: Sequence[tuple[float, str]] = ()
    logarithmic: bool = False
    spans: Sequence[tuple[float, float]] = ()

    def element(self) -> Element:
        """Make the figure, with its numbers as a table."""
        below = [self.table()] if self.rows() else []
        return figure(self.title, [self.drawn(), *self._legend()], below)

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

        return matplotlib_drawing.draw_curves(self, ax)

    def rows(self) -> list[list[str]]:
        """The named curves' numbers: x, then a value a curve."""
        named = [curve for curve in self.curves if curve.name]
        known = [dict(zip(curve.x, curve.y, strict=True)) for curve in named]
        places = sorted({x for curve in named for x in curve.x})
        return [[f"{x:g}", *(_said(values.get(x)) for values in known)] for x in places]

    def table(self) -> Folded:
        """The same as a table."""
        names = [curve.name for curve in self.curves if curve.name]
        return Folded(
            "The numbers of this figure", [Table(self.title, [self.x_name or "x", *names], self.rows())], on_paper=False
        )

    def drawn(self) -> Element:
        """Make the drawing alone."""
        left, right, top, bottom = 46.0, _WIDTH - 8, 10.0, _HEIGHT - 40
        across = finite(x for curve in self.curves for x in curve.x)
        if not across:
            return drawing(_WIDTH, 40, self.title, "nothing to show", [text(4, 24, "nothing to show", "quiet")])
        values = finite(v for c in self.curves for v in (*c.y, *c.low, *c.high)) + [v for v, _ in self.guides]
        low, high = self.y_range or (min(values, default=0.0), max(values, default=1.0))
        ticks = ticks_between(low, high, 5)
        if self.y_range:
            ticks = [tick for tick in ticks if low <= tick <= high]
        y = Scale(min(low, ticks[0]), max(high, ticks[-1]), bottom, top)
        first, last = min(across), max(across)
        x = Scale(first, last if last > first else first + 1, left, right, self.logarithmic)
        parts = [_span(x(start), x(end), top, bottom) for start, end in self.spans]
        parts += [*self._axes(x, y, ticks, (left, right, bottom)), *self._guides(y, left, right)]
        for curve in sorted(self.curves, key=lambda one: not one.thin):
            parts += _curve(curve, x, y)
        return drawing(_WIDTH, _HEIGHT, self.title, self._words(), parts)

    def _axes(self, x: Scale, y: Scale, ticks: list[float], frame: tuple[float, float, float]) -> list[Element]:
        left, right, bottom = frame
        parts = []
        for tick in ticks:
            parts.append(line(left, y(tick), right, y(tick), "rule"))
            parts.append(text(left - 6, y(tick) + 4, f"{tick:g}", "quiet", anchor="end"))
        parts.append(line(left, bottom, right, bottom, "axis"))
        across = [float(v) for c in self.curves for v in c.x]
        whole = all(value.is_integer() for value in across)
        places = sorted(set(across)) if self.logarithmic else ticks_between(x.low, x.high, 5)
        if self.logarithmic and len(places) > FEW_TICKS:
            places = factors_between(x.low, x.high)
        for tick in places:
            if x.holds(tick) and (not whole or tick.is_integer()):
                parts.append(text(x(tick), bottom + 17, f"{tick:g}", "quiet", anchor="middle"))
        return [
            *parts,
            text((left + right) / 2, bottom + 34, fitted_letters(self._under(), right - left), "quiet", "middle"),
        ]

    def _under(self) -> str:
        return f"{self.y_name} over {self.x_name}" if self.y_name and self.x_name else self.y_name or self.x_name

    def _guides(self, y: Scale, left: float, right: float) -> list[Element]:
        parts = []
        for value, word in self.guides:
            parts.append(line(left, y(value), right, y(value), "guide"))
            parts.append(text(left + 4, y(value) - 4, fitted_letters(word, right - left - 8), "quiet"))
        return parts

    def _legend(self) -> list[Element]:
        seen: dict[str, Element] = {}
        for curve in self.curves:
            if curve.name:
                seen.setdefault(curve.name, line(0, 6, 26, 6, f"{_look(curve)} {'thin' if curve.thin else 'curve'}"))
        return [legend_of(list(seen.items()))] if len(seen) > 1 else []

    def _words(self) -> str:
        said = []
        for curve in self.curves:
            points = [point for piece in curve.pieces for point in piece]
            if curve.name and points:
                said.append(f"{curve.name}: from {_said(points[0][1])} to {_said(points[-1][1])}")
        return "; ".join(said)


@dataclass(frozen=True, slots=True)
class Panels:
    """Plots side by side where there is room, one below the other where there is not."""

    plots: Sequence[Any]

    def element(self) -> Element:
        """Make the grid."""
        return tag("div", (plot.element() for plot in self.plots), class_="panels")


def _curve(curve: Curve, x: Scale, y: Scale) -> list[Element]:
    parts = []
    if len(curve.low):
        upper = [(x(a), y(b)) for a, b in zip(curve.x, curve.high, strict=True)]
        lower = [(x(a), y(b)) for a, b in zip(curve.x, curve.low, strict=True)]
        around = [*upper, *reversed(lower)]
        parts.append(path(around, f"band f{curve.look % len(LINES)}"))
    for piece in curve.pieces:
        placed = [(x(a), y(b)) for a, b in piece]
        if len(placed) == 1:
            (a, b), radius = placed[0], 1.6 if curve.thin else 3.2
            parts.append(tag("circle", cx=a, cy=b, r=radius, class_=f"f{curve.look % len(LINES)}"))
        else:
            parts.append(path(placed, f"{_look(curve)} {'thin' if curve.thin else 'curve'}"))
    return parts


def _span(start: float, end: float, top: float, bottom: float) -> Element:
    corners = [(start, top), (end, top), (end, bottom), (start, bottom)]
    return path(corners, "band f0")


def _look(curve: Curve) -> str:
    return f"s{curve.look % len(LINES)}"


def _said(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.4g}"
