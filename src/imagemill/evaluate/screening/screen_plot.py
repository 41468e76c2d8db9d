"""A screen as a figure: affinity against diversity, each transform by its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagemill.core.extras import require

if TYPE_CHECKING:
    from imagemill.evaluate.screening.screened import Screened

__all__ = ["plot_screen"]


def plot_screen(ranked: Sequence[Screened], path: Path | str | None) -> Any:
    """Draw it with matplotlib, and write it where a path is given."""
    figure = require("matplotlib.figure", extra="report").Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for one in ranked:
        # Told by their shape as well: not everybody sees red.
        colour, mark = ("tab:red", "X") if one.changes_label else ("tab:blue", "o")
        at = one.diversity.mean, one.affinity.mean * 100
        half = (one.affinity.high - one.affinity.low) * 50
        axes.errorbar(*at, yerr=half, fmt=mark, color=colour)
        axes.annotate(one.name, at, xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.axhline(0, color="0.7", linewidth=1, zorder=0)
    axes.set_xlabel("diversity: loss on augmented training images, nats more")
    axes.set_ylabel("affinity: accuracy on augmented\nheld-back images, points more")
    if path is not None:
        figure.savefig(path)
    return figure
