"""Pages for people: one HTML file that holds everything, and the plots, tables and pictures in it.

Here: markup, blocks, plots as values that draw themselves as SVG or with matplotlib. Not here: what any page is about.
"""

from __future__ import annotations

from imagemill.pages.blocks import Block, Cell, Code, Fact, Facts, Figure, Folded, Link, Part, Pictures, Table, Word
from imagemill.pages.cards import Beside, Card, Cards, Verdict
from imagemill.pages.curve_plot import Curve, CurvePlot, Panels
from imagemill.pages.heat_map import HeatMap
from imagemill.pages.interval_plot import Interval, IntervalPlot
from imagemill.pages.page import Section, fragment, page
from imagemill.pages.page_style import style
from imagemill.pages.showing import Showable

__all__ = [
    "Beside",
    "Block",
    "Card",
    "Cards",
    "Cell",
    "Code",
    "Curve",
    "CurvePlot",
    "Fact",
    "Facts",
    "Figure",
    "Folded",
    "HeatMap",
    "Interval",
    "IntervalPlot",
    "Link",
    "Panels",
    "Part",
    "Pictures",
    "Section",
    "Showable",
    "Table",
    "Verdict",
    "Word",
    "fragment",
    "page",
    "style",
]
