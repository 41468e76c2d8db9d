"""Results show themselves: below the cell of a notebook, else as a page in the browser, and nothing is silent."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imagemill.evaluate.comparisons.comparison import Comparison
from imagemill.evaluate.exchange.exchange_rate import ExchangeRates
from imagemill.evaluate.recommendations.recommendation import Recommendation
from imagemill.evaluate.screening.ablation import Ablation
from imagemill.evaluate.screening.screened import Screening
from imagemill.evaluate.stressing.profiles import Profiles
from imagemill.pages import Curve, CurvePlot, HeatMap, Interval, IntervalPlot, Showable, showing

PLOT = IntervalPlot("Change of accuracy", [Interval("shift", 1.2, 0.8, 1.6, "helps")], "points")
CURVES = CurvePlot("Scores", [Curve("clean", [1, 2], [0.5, 0.7])])
HEAT = HeatMap("Confusion", [[1.0]], ["cat"], ["cat"])
RESULTS = (Comparison, Screening, Ablation, ExchangeRates, Recommendation, Profiles)


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
def test_verdicts_can_be_shown_and_have_markup_of_their_own(kind: type[Any]) -> None:
    assert issubclass(kind, Showable)
    assert kind._repr_html_ is not Showable._repr_html_
    assert callable(kind.plot)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "notebook_display", lambda: None)


@pytest.mark.parametrize("plot", [PLOT, CURVES, HEAT], ids=lambda plot: type(plot).__name__)
def test_without_a_browser_the_page_is_named(
    plot: Showable, outside: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(showing, "has_screen", lambda: False)
    monkeypatch.setattr("webbrowser.open", lambda uri: pytest.fail(f"opened {uri} where there is no screen"))
    plot.show()
    said = capsys.readouterr().err
    found = re.fullmatch(r"no browser was found; the page is (.*)\n", said)
    assert found, said
    page = Path(found[1]).read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert 'name="viewport"' in page


def test_with_a_browser_it_is_opened(
    outside: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(showing, "has_screen", lambda: True)
    monkeypatch.setattr("webbrowser.open", lambda uri: not opened.append(uri))
    PLOT.show()
    assert re.fullmatch(r"file:///.*/page\.html", opened[0])
    assert capsys.readouterr().err == ""


def test_in_a_notebook_it_is_displayed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    shell = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=shown.append))
    PLOT.show()
    assert shown == [PLOT]
