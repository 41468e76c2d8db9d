"""Profiles as pictures: a page that needs nothing else, and a figure of matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagemill.core.errors import InputError
from imagemill.core.extras import require
from imagemill.data.atomic import atomic_path
from imagemill.evaluate.statistics.scores import ACCURACY
from imagemill.pages import Curve, CurvePlot, Panels, Section, Table, page

if TYPE_CHECKING:
    from imagemill.evaluate.stressing.profiles import Profile, Profiles

__all__ = ["curve_of", "page_of", "plotted"]

_ACROSS, _WIDE, _TALL = 3, 4.0, 3.0
_LINES = 5
"""Classes that a panel has a line of, beside that of their mean."""


def curve_of(one: Profile) -> CurvePlot | None:
    """The score over magnitude with its interval, what should hold, and the range where it does.

    Of label maps the Dice of each class as well.

    None for a change without a magnitude.
    """
    if one.points[0].magnitude is None:
        return None
    x = [float(point.magnitude or 0.0) for point in one.points]
    shares = [point.score for point in one.points]
    score = Curve(
        one.measure.name,
        x,
        [share.value for share in shares],
        [share.low for share in shares],
        [share.high for share in shares],
    )
    return CurvePlot(
        one.name,
        [score, *_of_classes(one, x)],
        one.unit or "factor" if one.log else one.unit or "magnitude",
        one.measure.name,
        (0.0, 1.0),
        [(one.hold * one.clean.value, f"{one.hold * 100:g} % of clean")],
        one.log and x[0] > 0,
        [] if one.range is None or one.still else [one.range],
    )


def _of_classes(one: Profile, x: list[float]) -> list[Curve]:
    """A line a class, where there are several in every image, and few enough to be told apart."""
    if one.measure is ACCURACY or not 1 < len(one.classes) <= _LINES:
        return []
    found = []
    for place, name in enumerate(one.classes):
        shares = [point.by_class[place] for point in one.points]
        y = [None if share is None else share.value for share in shares]
        found.append(Curve(name, x, y, look=place + 1))
    return found


def page_of(found: Profiles) -> str:
    """A self-contained HTML page: what holds, the curves, the classes that lose most, the worst case."""
    curves = [plot for plot in map(curve_of, found.profiles) if plot is not None]
    sections = [Section("What holds", _ranges(found)), Section("Curves", [Panels(curves)] if curves else [])]
    losing = [one for one in found.profiles if one.breaks]
    if losing:
        words = _CLASSES if found.measure is ACCURACY else _CLASSES_OF_LABEL_MAPS
        sections.append(Section("Classes", [words, _losses(losing)]))
    if found.worst is not None:
        sections.append(Section("Worst of turns and shifts", [found.worst.sentence]))
    intervals = f"Intervals are at {found.level * 100:g} %, each by itself."
    return page(f"How far images may change: {found.model}", [found.headline, *found.notes], sections, intervals)


_CLASSES = (
    "At the first magnitude of each side at which overall accuracy no longer holds: what share of a class's images "
    "that are right as they are turns wrong, beside the same share of all others. p is of Fisher's exact test, "
    "adjusted by Holm over the classes and both sides of a change."
)
_CLASSES_OF_LABEL_MAPS = (
    "At the first magnitude of each side at which the mean Dice no longer holds: the Dice that a class loses on "
    "average, beside what the other classes lose. p is of Student's t over images, adjusted by Holm over the classes "
    "and both sides of a change."
)


def _ranges(found: Profiles) -> list[Any]:
    rows = [[one.name, *one.cells()] for one in found.profiles]
    columns = ["change", "unit", "from", "to", f"lowest {found.measure.name}", "at"]
    return [Table(f"Magnitudes that hold {found.hold * 100:g} % of clean {found.measure.name}", columns, rows)]


def _losses(profiles: Sequence[Profile]) -> Table:
    columns = ["change", "at", "class", "lost", "others", "most called", "adjusted p"]
    rows = []
    for one in profiles:
        for lost in one.breaks[:6]:
            at = "" if lost.magnitude is None else f"{lost.magnitude:.3g}"
            p, share, others = f"{lost.adjusted_p:.2g}", f"{lost.lost:.2f}", f"{lost.others:.2f}"
            rows.append([one.name, at, lost.name, share, others, lost.called, p])
    if profiles[0].measure is not ACCURACY:  # of pixels nothing is called instead
        columns, *rows = [[*row[:5], row[6]] for row in (columns, *rows)]
    return Table("The six classes of each change that lose most", columns, rows, heads=3)


def plotted(found: Profiles, path: str | Path | None = None) -> Any:
    """One panel a change that has magnitudes.

    Parameters
    ----------
    found : Profiles
    path : str or Path, optional

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot, so that no window opens and nothing has to be closed.

    Raises
    ------
    InputError
        When no change has a magnitude, or the suffix of the path is no format.
    """
    curves = [plot for plot in map(curve_of, found.profiles) if plot is not None]
    if not curves:
        raise InputError("expected a change with magnitudes to draw a curve of, got none")
    figures = require("matplotlib.figure", extra="report")
    across = min(_ACROSS, len(curves))
    down = math.ceil(len(curves) / across)
    figure = figures.Figure(figsize=(_WIDE * across, _TALL * down + 0.4), layout="constrained")
    require("matplotlib.backends.backend_agg", extra="report").FigureCanvasAgg(figure)
    kind = "" if path is None else Path(path).suffix.lstrip(".")
    if path is not None and kind not in figure.canvas.get_supported_filetypes():
        raise InputError(f"expected a picture as .png, .svg or .pdf, got {Path(path).name!r}")
    figure.suptitle(found.headline, fontsize=11)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for plot, panel in zip(curves, panels, strict=False):
        plot.draw(panel)
        if len(plot.curves) == 1:
            panel.get_legend().remove()  # one curve a panel, named by the axis
    for panel in panels[len(curves) :]:
        panel.set_visible(False)
    if path is not None:
        with atomic_path(Path(path)) as part:
            figure.savefig(part, format=kind, dpi=110)
    return figure
