"""The same plots drawn with matplotlib, for notebooks and papers: figures to change and save as any other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from imagemill.core.extras import require
from imagemill.pages.page_style import LIGHT, LINES
from imagemill.pages.scales import FEW_TICKS, factors_between, finite

if TYPE_CHECKING:
    from imagemill.pages.curve_plot import CurvePlot
    from imagemill.pages.heat_map import HeatMap
    from imagemill.pages.interval_plot import IntervalPlot

__all__ = ["draw_curves", "draw_heat_map", "draw_intervals"]

_DASHES: tuple[Any, ...] = ("-", "-", (0, (7, 3)), (0, (2, 3)), (0, (9, 3, 2, 3)), (0, (5, 2)))
_MARKS = {"helps": "^", "harms": "v"}


def _axes(ax: Any, height: float) -> Any:
    """Given axes, or those of a new figure that no window and no global state knows of."""
    if ax is not None:
        return ax
    figure = require("matplotlib.figure", extra="report").Figure(figsize=(7.2, height), layout="constrained")
    require("matplotlib.backends.backend_agg", extra="report").FigureCanvasAgg(figure)
    return figure.add_subplot()


def draw_intervals(plot: IntervalPlot, ax: Any = None) -> Any:
    """Draw intervals around zero on axes, and return the figure."""
    axes = _axes(ax, 1.4 + 0.44 * len(plot.rows))
    for place, row in enumerate(plot.rows):
        if row.middle is None:
            axes.text(0, place, row.word, va="center", color=LIGHT["bad"])
            continue
        if row.outer and len(finite(row.outer)) == 2:
            axes.plot(row.outer, [place] * 2, color=LIGHT["axis"], lw=1)
        if len(finite([row.low, row.high])) == 2:
            axes.plot([row.low, row.high], [place] * 2, color=LIGHT["ink"], lw=2.5)
        hollow = row.word == "no difference seen"
        axes.plot(
            [row.middle], [place], _MARKS.get(row.word, "o"), color=LIGHT["ink"], ms=7,
            mfc=LIGHT["paper"] if hollow else LIGHT["ink"],
        )  # fmt: skip
    axes.axvline(0, color=LIGHT["axis"], lw=1, zorder=0)
    labels = [f"{row.name}\n{row.word}" if row.word else row.name for row in plot.rows]
    axes.set_yticks(range(len(plot.rows)), labels)
    axes.set_ylim(len(plot.rows) - 0.5, -0.5)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if any(row.outer and len(finite(row.outer)) == 2 for row in plot.rows):
        for name, colour, width in ((plot.inner_name, LIGHT["ink"], 2.5), (plot.outer_name, LIGHT["axis"], 1)):
            axes.plot([], [], color=colour, lw=width, label=name)
        axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.28), ncols=2)
    axes.set_xlabel(plot.unit)
    axes.set_title(plot.title, loc="left", fontsize=11)
    return axes.figure


def draw_curves(plot: CurvePlot, ax: Any = None) -> Any:
    """Draw curves with their bands and guides on axes, and return the figure."""
    axes = _axes(ax, 4.0)
    for curve in plot.curves:
        look = curve.look % len(LINES)
        colour = LIGHT[LINES[look]]
        if len(curve.low) == 1:
            axes.vlines(list(curve.x), list(curve.low), list(curve.high), color=colour, alpha=0.4)
        elif len(curve.low):
            axes.fill_between(list(curve.x), list(curve.low), list(curve.high), color=colour, alpha=0.16, lw=0)
        y = [math.nan if value is None else value for value in curve.y]
        axes.plot(
            list(curve.x), y, color=colour, ls=_DASHES[look], lw=0.8 if curve.thin else 2,
            alpha=0.55 if curve.thin else 1, label=curve.name or None, marker="o" if len(y) == 1 else None,
        )  # fmt: skip
    for start, end in plot.spans:
        axes.axvspan(start, end, color=LIGHT[LINES[0]], alpha=0.08, lw=0)
    for value, word in plot.guides:
        axes.axhline(value, color=LIGHT["axis"], ls="--", lw=1)
        axes.annotate(word, (0.01, value), xycoords=("axes fraction", "data"), va="bottom", fontsize=9)
    if plot.logarithmic:
        axes.set_xscale("log")
        places = sorted({float(x) for curve in plot.curves for x in curve.x})
        places = factors_between(places[0], places[-1]) if len(places) > FEW_TICKS else places
        axes.set_xticks(places, [f"{x:g}" for x in places])
        axes.minorticks_off()
    if plot.y_range:
        axes.set_ylim(*plot.y_range)
    if any(curve.name for curve in plot.curves):
        axes.legend(frameon=False)
    axes.set_xlabel(plot.x_name)
    axes.set_ylabel(plot.y_name)
    axes.set_title(plot.title, loc="left", fontsize=11)
    return axes.figure


def draw_heat_map(plot: HeatMap, ax: Any = None) -> Any:
    """Draw a heat map with the shades of the page on axes, and return the figure."""
    from imagemill.pages.page_style import levels

    axes = _axes(ax, 5.0)
    colours = require("matplotlib.colors", extra="report")
    shades = colours.ListedColormap([ground for ground, _ in levels(LIGHT)])
    steps = [[plot.level(value) if math.isfinite(value) else math.nan for value in row] for row in plot.values]
    axes.imshow(steps, cmap=shades, vmin=-0.5, vmax=len(shades.colors) - 0.5, aspect="equal")
    if len(plot.rows) <= 26:
        axes.set_xticks(range(len(plot.columns)), plot.columns, rotation=90 if len(plot.columns) > 10 else 0)
        axes.set_yticks(range(len(plot.rows)), plot.rows)
    axes.set_xlabel(plot.column_name)
    axes.set_ylabel(plot.row_name)
    axes.set_title(plot.title, loc="left", fontsize=11)
    return axes.figure
