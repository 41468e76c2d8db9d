"""What a comparison shows while it runs, in a terminal and elsewhere."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

import numpy as np
import pytest
from rich.console import Console

from imagemill.app.cli.braille_curve import braille
from imagemill.app.cli.live_comparison import LiveComparison, following
from imagemill.evaluate import Epoch, Step

SEEN = {"none": [0.90, 0.92, 0.91], "a long name of an arm that goes on and on": [0.95, 0.96, 0.94]}


def step(arm: str, seed: int, epoch: int, right: Mapping[str, float] | None = None, *, epochs: int = 4) -> Step:
    said = Epoch(2.0 / epoch, 0.5, 2.2 / epoch, 0.2 * epoch)
    number = seed * 2 + list(SEEN).index(arm) + 1
    return Step(arm, seed, number, 6, epoch, epochs, said, 90.0, "", right)


def shown(live: LiveComparison, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=True)
    console.print(live)
    return console.export_text()


def test_means_and_differences_so_far_and_no_word_of_a_verdict() -> None:
    live = LiveComparison()
    for seed in range(3):
        for arm, values in SEEN.items():
            for epoch in (1, 2, 3):
                live.step(step(arm, seed, epoch))
            live.step(step(arm, seed, 4, {"clean": values[seed], "invert": values[seed] - 0.5}))
            text = shown(live)
            assert not any(word in text for word in ("helps", "harms", "difference", "verdict", "significant"))
    rows = [line.split() for line in text.splitlines()]
    none = next(row for row in rows if row[:1] == ["none"])
    assert none == ["none", "3", "0.910", "0.410"]
    [arm] = [line for line in text.splitlines() if line.startswith("a long name")]
    assert "0.950 +4.0" in arm
    assert "0.450 +4.0" in arm
    assert "run 6 of 6" in text
    assert "90 minutes left" not in text
    assert "2 minutes left" in text


def test_differences_are_of_seeds_that_both_have() -> None:
    live = LiveComparison()
    arm = list(SEEN)[1]
    live.step(step("none", 0, 4, {"clean": 0.5}))
    live.step(step(arm, 0, 4, {"clean": 0.6}))
    live.step(step("none", 1, 4, {"clean": 0.9}))
    live.step(step(arm, 1, 2))
    text = shown(live)
    assert "0.600 +10.0" in text
    assert "seed 1, epoch 2 of 4" in text


def test_a_run_that_diverged_is_named_and_in_no_mean() -> None:
    live = LiveComparison()
    live.step(step("none", 0, 4, {"clean": 0.5}))
    live.step(step("none", 1, 2, {}))
    [row] = [line for line in shown(live).splitlines() if line.startswith("none")]
    assert row.split() == ["none", "1", "0.500", "diverged", "1x"]


def test_the_curves_are_of_the_run_that_is_going_on() -> None:
    live = LiveComparison()
    for epoch in (1, 2, 3):
        live.step(step("none", 0, epoch))
    text = shown(live)
    assert "validation loss 0.7333" in text
    assert "validation accuracy 0.600" in text
    assert any("\u2800" < letter <= "\u28ff" for letter in text)
    live.step(step(list(SEEN)[1], 0, 1))
    assert len(live.curve) == 1
    assert "loss" not in shown(live)
    plain = LiveComparison(letters=False)
    for epoch in (1, 2, 3):
        plain.step(step("none", 0, epoch))
    assert shown(plain).isascii() or not any("\u2800" <= letter <= "\u28ff" for letter in shown(plain))


@pytest.mark.parametrize("width", [40, 60, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    live = LiveComparison()
    for arm, values in SEEN.items():
        for epoch in (1, 2, 3):
            live.step(step(arm, 0, epoch))
        live.step(step(arm, 0, 4, {"clean": values[0], "invert": 0.1, "shift:4px": 0.2}))
    assert max(map(len, shown(live, width).splitlines())) <= width


def test_elsewhere_a_line_a_run() -> None:
    stream = io.StringIO()
    with following(Console(file=stream, width=40)) as told:
        for epoch in (1, 2, 3):
            told(step("none", 0, epoch))
        told(step("none", 0, 4, {"clean": 0.9}))
        told(Step("none", 1, 2, 2, 4, 4, None, 1.0, "", {"clean": 0.9}))  # there already
        told(Step("a", 0, 2, 2, 1, 4, Epoch(math.nan, 0.1, math.nan, math.nan), None, "about 3 seeds", {}))
    assert stream.getvalue().splitlines() == [
        "none, seed 0: loss 0.5000, 0.800 of the validation images right; 2 minutes left",
        "about 3 seeds.",
        "a, seed 0: diverged",
    ]


def test_quiet_is_silent_in_a_terminal_and_elsewhere() -> None:
    for terminal in (True, False):
        stream = io.StringIO()
        with following(Console(file=stream, force_terminal=terminal), quiet=True) as told:
            told(step("none", 0, 4, {"clean": 0.9}))
        assert stream.getvalue() == ""


def test_a_terminal_is_left_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    with following(console) as told:
        told(step("none", 0, 1))
        told(step("none", 0, 4, {"clean": 0.9}))
    assert "run 1 of 6" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K")  # the last line is wiped
    assert "\x1b[?25h" in stream.getvalue()  # and the cursor is back


# Dots of braille letters, read back from their bits by the table of the Unicode standard: 1 2 3 7 left, 4 5 6 8 right.
PLACES = {0: (0, 0), 1: (1, 0), 2: (2, 0), 6: (3, 0), 3: (0, 1), 4: (1, 1), 5: (2, 1), 7: (3, 1)}


def dots(text: str) -> np.ndarray:
    lines = text.split("\n")
    grid = np.zeros((4 * len(lines), 2 * len(lines[0])), bool)
    for y, line in enumerate(lines):
        for x, letter in enumerate(line):
            for bit, (row, column) in PLACES.items():
                grid[4 * y + row, 2 * x + column] = bool(ord(letter) - 0x2800 >> bit & 1)
    return grid


def test_a_curve_of_dots_is_where_its_values_are() -> None:
    grid = dots(braille([0.0, 1.0], 10, 3))
    assert grid.shape == (12, 20)
    assert grid[11, 0]
    assert grid[0, 19]
    assert grid.any(axis=0).all()
    middles = [np.flatnonzero(column).mean() for column in grid.T]
    assert (np.diff(middles) <= 0).all()
    np.testing.assert_array_equal(dots(braille([3, 3, 3], 4, 1)).sum(axis=1), [0, 0, 8, 0])


def test_a_steep_curve_has_no_holes() -> None:
    grid = dots(braille([0.0, 0.0, 9.0, 9.0], 2, 3))
    assert np.diff(np.flatnonzero(grid.any(axis=1))).max() == 1
    back = dots(braille([9.0, 9.0, 0.0, 0.0], 2, 3))
    assert np.diff(np.flatnonzero(back.any(axis=1))).max() == 1


def test_gaps_and_nothing_are_empty() -> None:
    assert not dots(braille([], 3)).any()
    assert not dots(braille([math.nan, math.inf], 3)).any()
    grid = dots(braille([1.0, 1.0, math.nan, 1.0, 1.0], 10, 1))
    assert grid[:, 0].any()
    assert grid[:, -1].any()
    assert not grid[:, 9:11].any()


def test_fixed_ends_hold() -> None:
    low = np.flatnonzero(dots(braille([0.5, 0.5], 2, 1, ends=(0.0, 1.0))).any(axis=1))
    assert low.tolist() == [2]
    assert np.flatnonzero(dots(braille([9, 9], 2, 1, ends=(0.0, 1.0))).any(axis=1)).tolist() == [0]
