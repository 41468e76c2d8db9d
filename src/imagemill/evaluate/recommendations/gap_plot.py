"""The figure of a recommendation: both populations, measure by measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imagemill.core.extras import require
from imagemill.measures.differences.gaps import Gap

__all__ = ["plot_gaps"]

_TRAIN, _WILD = "#3b6ea5", "#c8553d"


def plot_gaps(gaps: Sequence[Gap], after: Mapping[str, float]) -> Any:
    """Quantiles of training and wild images, a panel a measure.

    Parameters
    ----------
    gaps : sequence of Gap
    after : mapping of str to float
        Share of wild images outside what training images span, once the proposal is used.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    MissingExtra
        Without matplotlib (extra ``report``).
    """
    figure_of = require("matplotlib.figure", extra="report").Figure
    shown = [gap for gap in gaps if gap.verdict != "not measured"]
    figure = figure_of(figsize=(8, 0.55 + 0.8 * len(shown)), layout="constrained")
    rows = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, gap in zip(rows, shown, strict=True):
        for place, (name, values, colour) in enumerate((("wild", gap.wild, _WILD), ("training", gap.train, _TRAIN))):
            low, quarter, middle, three, high = values
            axes.plot([low, high], [place, place], color=colour, linewidth=1)
            axes.plot([quarter, three], [place, place], color=colour, linewidth=6, solid_capstyle="butt")
            axes.plot([middle], [place], "o", color="white", markeredgecolor=colour, markersize=5)
            axes.text(-0.01, (place + 0.5) / 2, name, transform=axes.transAxes, ha="right", va="center", fontsize=8)
        covered = f", outside {gap.outside:.0%}" + (
            f", {after[gap.measure.name]:.0%} once proposed" if gap.measure.name in after else ""
        )
        unit = "share with a dark object" if gap.measure.scale == "sign" else gap.measure.unit
        title = f"{gap.measure.name}{f' ({unit})' if unit else ''}: {gap.verdict}{covered}"
        axes.set_title(title, loc="left", fontsize=9, fontweight="bold" if gap.verdict == "gap" else "normal")
        axes.set_ylim(-0.6, 1.6)
        axes.set_yticks([])
        axes.tick_params(labelsize=7)
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
    return figure
