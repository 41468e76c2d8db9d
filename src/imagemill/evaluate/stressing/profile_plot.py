"""Curves of profiles as a figure of matplotlib."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.data.atomic import atomic_path

if TYPE_CHECKING:
    from imagemill.evaluate.stressing.profiles import Profile, Profiles

__all__ = ["plotted"]

_ACROSS, _WIDE, _TALL = 3, 3.6, 2.7
_LINE, _HELD, _QUIET = "#1f5fa8", "#1f5fa8", "#6b7280"


def plotted(found: Profiles, path: str | Path | None = None) -> Any:
    """One panel a change: accuracy with its interval, the accuracy that should hold, and the range where it does.

    Parameters
    ----------
    found : Profiles
    path : str or Path, optional

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot, so that no window opens and nothing has to be closed.
    """
    figures = require("matplotlib.figure", extra="report")
    swept = [one for one in found.profiles if one.points[0].magnitude is not None]
    fixed = [one for one in found.profiles if one.points[0].magnitude is None]
    panels = len(swept) + bool(fixed)
    across = min(_ACROSS, max(panels, 1))
    down = math.ceil(max(panels, 1) / across)
    figure = figures.Figure(figsize=(_WIDE * across, _TALL * down + 0.5), layout="constrained")
    figure.suptitle(found.headline, fontsize=10)
    axes = np.atleast_1d(figure.subplots(down, across, squeeze=False)).ravel()
    for one, panel in zip(swept, axes, strict=False):
        _curve(panel, one)
    if fixed:
        _bars(axes[len(swept)], fixed)
    for place, panel in enumerate(axes):
        panel.set_visible(place < panels)
        if place % across == 0:
            panel.set_ylabel("accuracy", fontsize=8)
    if path is not None:
        with atomic_path(Path(path)) as part:
            kind = Path(path).suffix.lstrip(".") or "png"
            if kind not in figure.canvas.get_supported_filetypes():
                raise InputError(f"expected a picture as .png, .svg or .pdf, got {Path(path).name!r}")
            # No date and no version in the file: the same curves are the same bytes.
            figure.savefig(part, format=kind, dpi=120, metadata={"Software": None} if kind == "png" else None)
    return figure


def _curve(panel: Any, one: Profile) -> None:
    points = one.points
    places = [point.magnitude for point in points]
    if one.log and min(places) > 0:  # type: ignore[type-var,operator]
        panel.set_xscale("log")
        formatter = require("matplotlib.ticker", extra="report")
        panel.xaxis.set_major_formatter(formatter.FuncFormatter(lambda value, _: f"{value:g}"))
        panel.xaxis.set_minor_formatter(formatter.NullFormatter())
    low, high = [point.accuracy.low for point in points], [point.accuracy.high for point in points]
    panel.fill_between(places, low, high, color=_LINE, alpha=0.18, linewidth=0)
    panel.plot(places, [point.accuracy.value for point in points], color=_LINE, marker="o", markersize=3, linewidth=1.4)
    panel.axhline(one.hold * one.clean.value, color=_QUIET, linewidth=0.8, linestyle="--")
    if one.range is not None and not one.still:
        panel.axvspan(*one.range, color=_HELD, alpha=0.08, linewidth=0)
    _dress(panel, f"{one.name}" + (f" ({one.unit})" if one.unit else ""))


def _bars(panel: Any, fixed: list[Profile]) -> None:
    shares = [one.points[0].accuracy for one in fixed]
    values = np.array([share.value for share in shares])
    errors = np.array([[share.value - share.low for share in shares], [share.high - share.value for share in shares]])
    panel.bar(range(len(fixed)), values, color=_LINE, alpha=0.6, yerr=errors, error_kw={"linewidth": 0.8})
    panel.set_xticks(range(len(fixed)), [one.name for one in fixed], fontsize=8)
    panel.axhline(fixed[0].hold * fixed[0].clean.value, color=_QUIET, linewidth=0.8, linestyle="--")
    _dress(panel, "without a magnitude")


def _dress(panel: Any, title: str) -> None:
    panel.set_title(title, fontsize=9, loc="left")
    panel.set_ylim(0, 1.02)
    panel.tick_params(labelsize=8)
    panel.grid(visible=True, color="#e5e7eb", linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
