"""Intervals of shares, against published and independent ones, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from imagemill.core.errors import ParameterError
from imagemill.evaluate.statistics.shares import paired_shares, wilson


def table(both: int, only: int, other: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    mine = np.repeat([True, True, False, False], [both, only, other, neither])
    return mine, np.repeat([True, False, True, False], [both, only, other, neither])


@pytest.mark.parametrize(("count", "of"), [(0, 10), (7, 10), (10, 10), (978, 1000)])
def test_wilson_is_that_of_scipy(count: int, of: int) -> None:
    expected = stats.binomtest(count, of).proportion_ci(0.9, method="wilson")
    found = wilson(count, of, 0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_paired_difference_is_the_published_one() -> None:
    # Fagerland, Lydersen, Laake (2014), Statistics in Medicine 33: airway reactivity before and after stem cell
    # transplantation (Bentur et al. 2009), Newcombe's square-and-add interval.
    found = paired_shares(*table(1, 1, 7, 12))
    assert found.value == pytest.approx(-6 / 21)
    assert (round(found.low, 3), round(found.high, 3)) == (-0.507, -0.026)


def test_a_part_of_the_other_share_is_held_against() -> None:
    found = paired_shares(*table(180, 0, 10, 10), times=0.95)
    assert found.value == pytest.approx(0.9 - 0.95 * 0.95)
    assert found.low < found.value < found.high
    same = paired_shares(*table(190, 0, 0, 10), times=0.95)
    assert same.low > 0


@pytest.mark.parametrize(("lost", "times", "seed"), [(0.05, 0.95, 1), (0.0, 1.0, 2), (0.2, 1.0, 3), (0.05, 1.0, 4)])
def test_nineteen_of_twenty_intervals_hold_the_truth(lost: float, times: float, seed: int) -> None:
    draws = np.random.default_rng(seed)
    held, rounds, images, clean, found_again = 0, 1500, 150, 0.9, 0.02
    for _ in range(rounds):
        other = draws.random(images) < clean
        mine = np.where(other, draws.random(images) >= lost, draws.random(images) < found_again)
        truth = clean * (1 - lost) + (1 - clean) * found_again - times * clean
        found = paired_shares(mine, other, times=times)
        held += found.low <= truth <= found.high
    assert held / rounds >= 0.94


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson(3, 2),
        lambda: wilson(0, 0),
        lambda: wilson(1, 2, 1.0),
        lambda: paired_shares(np.ones(3, bool), np.ones(2, bool)),
        lambda: paired_shares(np.ones(3, bool), np.ones(3, bool), times=1.5),
    ],
)
def test_what_cannot_be_counted_is_refused(call: object) -> None:
    with pytest.raises(ParameterError, match="expected"):
        call()  # type: ignore[operator]
