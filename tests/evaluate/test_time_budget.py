"""Budgets of time, under a clock that is turned by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from imagemill.core.errors import ParameterError
from imagemill.evaluate.comparisons.time_budget import OutOfTime, TimeBudget


class Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_round_begins_while_it_is_expected_to_fit() -> None:
    clock = Clock()
    budget = TimeBudget(10, clock=clock)
    assert (budget.left, budget.expected(), budget.fits()) == (600.0, None, None)
    assert budget.allows(1e9)  # nobody knows yet
    for seconds in (100.0, 140.0):
        with budget.piece():
            clock.now += seconds
    assert budget.left == 360.0
    assert (budget.expected(3), budget.fits(3)) == (360.0, 1)
    assert budget.allows(3)
    assert not budget.allows(4)
    clock.now += 1
    assert (budget.allows(3), budget.fits(3), budget.fits(2)) == (False, 0, 1)


def test_work_is_given_up_when_the_time_is_over_and_does_not_count() -> None:
    clock = Clock()
    budget = TimeBudget(0.5, clock=clock)
    with budget.piece(2):
        clock.now += 20
    budget.stop_if_over()

    def too_long() -> None:
        with budget.piece():
            clock.now += 10
            budget.stop_if_over("an epoch")

    with pytest.raises(OutOfTime):
        too_long()
    assert (budget.over, budget.left, budget.fits()) == (True, 0.0, 0)
    assert not budget.allows(0)
    assert budget.expected(2) == 20


def test_parts_of_a_piece_are_known_before_it_is_done() -> None:
    clock = Clock()
    budget = TimeBudget(10, clock=clock)
    with budget.piece(2) as part:
        clock.now += 60
        part(0.25)
        assert budget.expected(2) == 240
        clock.now += 30
        part(0.5)
        assert budget.expected(2) == 180
        clock.now += 10
    assert budget.expected(2) == 100


def test_without_a_limit_everything_fits_and_time_is_still_measured() -> None:
    clock = Clock()
    budget = TimeBudget(None, clock=clock)
    budget.learn(30, 3)
    clock.now += 1e9
    budget.stop_if_over()
    assert (budget.left, budget.over, budget.fits(), budget.expected(2)) == (math.inf, False, None, 20)
    assert budget.allows(1e9)


@pytest.mark.parametrize("minutes", [0, -1, math.inf, math.nan, True, "5"])
def test_a_budget_is_a_number_of_minutes(minutes: Any) -> None:
    with pytest.raises(ParameterError, match="expected a budget of minutes above 0, got"):
        TimeBudget(minutes)
