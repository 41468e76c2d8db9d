"""Plots say by shape and by words what they say by place, and draw what is missing as missing."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from imagemill.pages import Curve, CurvePlot, HeatMap, Interval, IntervalPlot, Panels, Section, page
from imagemill.pages.scales import Scale, ticks_between
from tests.pages.reading import flaws, read

ROWS = (
    Interval("shift", 1.2, 0.8, 1.6, "helps", (0.2, 2.2)),
    Interval("flip", -7.0, -8.0, -6.0, "harms", (-9.0, -5.0)),
    Interval("turn", 0.1, -0.5, 0.7, "no difference seen"),
    Interval("wild", None, word="diverged"),
    Interval("once", 0.5, word="too few seeds"),
)
INTERVALS = IntervalPlot("Change", ROWS, unit="points")
CURVES = CurvePlot(
    "Loss",
    [Curve("training", [1, 2, 3, 4], [2.0, 1.0, math.nan, 0.5], look=2), Curve("", [1, 2], [2.2, 1.1], thin=True)],
    "epoch",
    "nats",
)
SHADES = HeatMap("Confusion", [[0.9, 0.1], [math.nan, 0.8]], ["cat", "dog"], ["cat", "dog"], "true", "called")


def test_plots_on_a_page_can_be_read_by_everybody() -> None:
    text = page("t", [], [Section("s", [INTERVALS, Panels([CURVES, SHADES])])])
    assert flaws(text) == []
    reader = read(text)
    said = reader.all("desc")[0][1]
    assert "shift: +1.2 [+0.8, +1.6] points helps" in said
    assert "wild: – points diverged" in said
    tables = [text for _, text in reader.all("table")]
    assert len(tables) == 3
    assert "+1.2 [+0.8, +1.6]" in tables[0]


def test_a_row_is_drawn_where_its_numbers_are() -> None:
    [wide, narrow] = [node for node in INTERVALS.element().iter("svg") if node.get("role") == "img"]
    for drawing in (wide, narrow):
        zero = next(float(n.get("x1", "")) for n in drawing.iter("line") if n.get("class") == "axis")
        bars = [
            (float(n.get("x1", "")), float(n.get("x2", ""))) for n in drawing.iter("line") if n.get("class") == "bar"
        ]
        assert len(bars) == 3  # neither what diverged nor a single seed has an interval
        assert zero < bars[0][0] < bars[0][1]
        assert bars[1][0] < bars[1][1] < zero
        assert bars[2][0] < zero < bars[2][1]
        # As far from zero as its numbers say: one scale for all.
        point = (bars[0][1] - zero) / 1.6
        assert bars[1][0] - zero == pytest.approx(-8 * point, abs=0.1)
        whiskers = [n for n in drawing.iter("line") if n.get("class") == "outer"]
        assert len(whiskers) == 2 * 3
        width = float(drawing.get("viewBox", "").split()[2])
        assert all(0 <= float(n.get(k, "")) <= width for n in drawing.iter("line") for k in ("x1", "x2"))


def test_an_outer_interval_that_is_far_wider_runs_to_the_edge_and_has_no_end_there() -> None:
    plot = IntervalPlot("a", [Interval("x", 4.0, 3.0, 5.0, "helps", (-1400.0, 1400.0)), Interval("y", 1.0, -1.0, 2.0)])
    drawing = next(node for node in plot.element().iter("svg") if node.get("role") == "img")
    [bar, _] = [
        float(n.get("x2", "")) - float(n.get("x1", "")) for n in drawing.iter("line") if n.get("class") == "bar"
    ]
    assert bar > 50
    assert len([n for n in drawing.iter("line") if n.get("class") == "outer"]) == 1
    assert "[-1400.0, +1400.0]" in "".join(plot.table().element().itertext())


def test_shapes_tell_verdicts_apart() -> None:
    [wide, _] = [node for node in INTERVALS.element().iter("svg") if node.get("role") == "img"]
    up, down = (n.get("d", "") for n in wide.iter("path") if n.get("class") == "dot")
    tips = [float(re.split("[ z]", d.split("L")[1])[1]) - float(re.split("[ h]", d)[1]) for d in (up, down)]
    assert tips[0] < 0 < tips[1]  # SVG counts downwards
    assert [n.get("class") for n in wide.iter("circle")] == ["hollow", "dot"]


def test_a_logarithmic_axis_has_equal_factors_equally_far_apart_and_its_points_as_ticks() -> None:
    plot = CurvePlot("Curve", [Curve("a", [10, 100, 1000], [0.1, 0.2, 0.3])], "images", logarithmic=True)
    reader = read(page("t", [], [Section("s", [plot])]))
    ticks = {text: float(tag["x"]) for tag, text in reader.all("text") if text in ("10", "100", "1000")}
    assert ticks["100"] - ticks["10"] == pytest.approx(ticks["1000"] - ticks["100"], abs=0.02)
    axes = plot.draw().axes[0]
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "100", "1000"]


def test_a_curve_of_one_point_is_seen() -> None:
    plot = CurvePlot("Curve", [Curve("a", [10], [0.2], [0.1], [0.3])], "images")
    axes = plot.draw().axes[0]
    assert axes.lines[0].get_marker() == "o"
    assert len(axes.collections) == 1


def test_gaps_stay_gaps() -> None:
    assert CURVES.curves[0].pieces == [[(1.0, 2.0), (2.0, 1.0)], [(4.0, 0.5)]]
    drawn = CURVES.drawn()
    assert len([n for n in drawn.iter("path") if n.get("class") == "s2 curve"]) == 1
    assert len(list(drawn.iter("circle"))) == 1
    assert CURVES.rows()[2] == ["3", "–"]


def test_curves_without_a_number_say_so() -> None:
    assert "nothing to show" in "".join(CurvePlot("a", []).drawn().itertext())
    lost = CurvePlot("a", [Curve("x", [1], [math.nan])])
    assert flaws(page("t", [], [Section("s", [lost, CurvePlot("b", [])])])) == []


def test_bands_and_guides_are_drawn() -> None:
    plot = CurvePlot(
        "a",
        [Curve("x", np.arange(3), np.ones(3), low=np.zeros(3), high=np.full(3, 2.0), look=1)],
        guides=[(1.5, "95 %")],
    )
    drawn = plot.drawn()
    assert [n.get("class") for n in drawn.iter("path")] == ["band f1", "s1 curve"]
    assert "95 %" in "".join(drawn.itertext())


def test_shades_rise_with_values_and_numbers_are_written_where_they_fit() -> None:
    assert [SHADES.level(v) for v in (0.1, 0.5, 0.9)] == [0, 3, 6]
    drawn = SHADES.drawn()
    assert [n.get("class") for n in drawn.iter("path")] == ["h0", "h6"]
    assert {n.text for n in drawn.iter("text")} >= {"0.9", "0.1", "0.8", "cat", "dog"}
    steps = HeatMap("a", [[0.004, 0.2]], ["r"], ["x", "y"], edges=(0.01, 0.02, 0.05, 0.1, 0.3, 0.7))
    assert [steps.level(v) for v in (0.004, 0.01, 0.2, 1.0)] == [0, 1, 4, 6]


def test_a_hundred_classes_stay_a_small_drawing() -> None:
    names = [f"class {n}" for n in range(100)]
    values = np.where(np.eye(100) > 0, 0.9, np.random.default_rng(0).random((100, 100)) * 0.1)
    text = page("t", [], [Section("s", [HeatMap("Confusion", values, names, names, "true", "called")])])
    assert flaws(text) == []
    assert len(text) < 400_000
    assert "<table" not in text


@pytest.mark.parametrize(("low", "high"), [(-1.3, 2.2), (0, 1e-9), (5, 5), (-80, 0.4), (1e6, 2e6), (0, 0)])
def test_ticks_are_round_and_reach_over_the_range(low: float, high: float) -> None:
    ticks = ticks_between(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 12
    assert len(set(ticks)) == len(ticks)
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0])


def test_a_scale_keeps_what_is_beyond_its_ends_on_the_picture() -> None:
    scale = Scale(0, 10, 100, 200)
    assert [scale(v) for v in (0, 5, 10, 99)] == [100, 150, 200, 200]


@pytest.mark.parametrize("plot", [INTERVALS, CURVES, SHADES], ids=lambda plot: plot.title)
def test_plots_are_matplotlib_figures_too(plot: IntervalPlot | CurvePlot | HeatMap) -> None:
    figure = plot.draw()
    [axes] = figure.axes
    assert axes.get_title("left") == plot.title
    figure.canvas.draw()
    again = plot.draw(ax=axes)
    assert again is figure


def test_matplotlib_draws_the_same_numbers() -> None:
    [axes] = INTERVALS.draw().axes
    lines = [tuple(map(float, line.get_xdata())) for line in axes.lines]
    assert (0.8, 1.6) in lines
    assert (-9.0, -5.0) in lines
    [axes] = CURVES.draw().axes
    assert list(axes.lines[0].get_ydata())[:2] == [2.0, 1.0]
    assert SHADES.draw().axes[0].images[0].get_array().filled(np.nan).tolist()[0] == [6.0, 0.0]


def test_a_notebook_shows_a_plot_with_its_style() -> None:
    for plot in (INTERVALS, CURVES, SHADES):
        text = plot._repr_html_()
        assert text.startswith('<div class="im"><style>')
        assert "<svg" in text
