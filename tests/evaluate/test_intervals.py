"""Intervals and verdicts against other sources: scipy's paired t test, published tables, simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from imagemill.core.errors import ParameterError
from imagemill.evaluate.statistics.intervals import adjusted, detectable, paired, paired_items, seeds_for


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    draws = np.random.default_rng(1)
    ours, bare = draws.normal(0.9, 0.02, 7), draws.normal(0.88, 0.02, 7)
    test = stats.ttest_rel(ours, bare)
    interval = test.confidence_interval(0.9)
    found = paired(ours - bare, level=0.9)
    np.testing.assert_allclose([found.low, found.high, found.p], [interval.low, interval.high, test.pvalue], rtol=1e-12)
    assert found.freedom == test.df


def test_two_seeds_never_carry_a_verdict() -> None:
    assert paired([0.2, 0.2001]).low > 0
    assert paired([0.2, 0.2001]).verdict == "too few seeds"
    one = paired([0.2])
    assert (one.low, one.high, one.verdict) == (-math.inf, math.inf, "too few seeds")


def test_differences_that_happen_to_be_equal_are_no_surer_than_their_rounding() -> None:
    assert paired([0.01] * 3).verdict == "helps"
    assert paired([0.01] * 3, step=0.01).verdict == "no difference seen"
    assert paired([0.02] * 3, step=0.01).verdict == "helps"


@pytest.mark.parametrize(("pairs", "published"), [(5, 1.682), (8, 1.155), (10, 0.996), (20, 0.660), (34, 0.495)])
def test_what_can_be_detected_agrees_with_published_tables(pairs: int, published: float) -> None:
    # Effect sizes of the two-sided paired t test at 5 % and power 0.8, as power calculators print them.
    assert detectable(1.0, pairs) == pytest.approx(published, abs=0.002)
    assert detectable(0.03, pairs) == pytest.approx(0.03 * published, abs=1e-4)


def test_the_number_of_seeds_is_the_smallest_that_detects() -> None:
    for difference in (0.2, 0.5, 1.0, 2.0, 8.0):
        count = seeds_for(difference, 1.0)
        assert detectable(1.0, count) <= difference
        assert count == 3 or detectable(1.0, count - 1) > difference
    with pytest.raises(ParameterError, match="above 0"):
        seeds_for(0.0, 1.0)


def test_adjusted_values_are_those_of_scipy_and_of_holms_paper() -> None:
    values = [0.001, 0.04, 0.03, 0.2, 0.012]
    np.testing.assert_allclose(
        adjusted(values, "benjamini-hochberg"), stats.false_discovery_control(values), rtol=1e-12
    )
    # By hand: sorted .001 .012 .03 .04 .2 times 5 4 3 2 1, each no smaller than the one before.
    np.testing.assert_allclose(adjusted(values), [0.005, 0.09, 0.09, 0.2, 0.048])
    with pytest.raises(ParameterError, match="from 0 to 1"):
        adjusted([1.5])


def test_null_arms_are_called_different_as_often_as_promised() -> None:
    draws = np.random.default_rng(3)
    for seeds in (3, 5):
        said = [paired(draws.normal(size=seeds)).verdict != "no difference seen" for _ in range(2000)]
        assert 0.035 < np.mean(said) < 0.065


def simulated(draws: np.random.Generator, seeds: int, items: int, effect: float) -> np.ndarray:
    """Differences of a world in which seeds, images and both together vary."""
    of_seed, of_item = draws.normal(0, 0.01, (seeds, 1)), draws.normal(0, 0.1, (1, items))
    return effect + of_seed + of_item + draws.normal(0, 0.3, (seeds, items))


def test_intervals_for_new_images_hold_the_truth_as_often_as_promised_and_the_others_do_not() -> None:
    draws = np.random.default_rng(4)
    tables = [simulated(draws, 5, 200, 0.05) for _ in range(1000)]
    wide = [paired_items(table) for table in tables]
    narrow = [paired(table.mean(axis=1)) for table in tables]
    covered = np.mean([one.low <= 0.05 <= one.high for one in wide])
    too_rarely = np.mean([one.low <= 0.05 <= one.high for one in narrow])
    assert 0.93 < covered < 0.985
    assert too_rarely < covered - 0.01
    assert all(a.low <= b.low + 1e-12 and a.high >= b.high - 1e-12 for a, b in zip(wide, narrow, strict=True)) or (
        np.mean([a.high - a.low for a in wide]) > np.mean([b.high - b.low for b in narrow])
    )


@pytest.mark.parametrize("wrong", [[], [[1.0, 2.0]], [math.nan, 1.0]])
def test_what_is_no_list_of_differences_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ParameterError, match="expected finite differences, one a seed"):
        paired(wrong)
    with pytest.raises(ParameterError, match="two images or more"):
        paired_items([[1.0], [2.0]])
    with pytest.raises(ParameterError, match="a level between 0 and 1"):
        paired([1.0, 2.0], level=95)


def test_new_images_never_make_an_interval_narrower() -> None:
    # Two hundred tables without any difference between images, where Satterthwaite's degrees of freedom are more.
    draws = np.random.default_rng(2)
    for _ in range(200):
        table = draws.integers(-1, 2, (4, 50)).astype(float)
        wide, narrow = paired_items(table), paired(table.mean(axis=1), step=1 / 50)
        assert wide.low <= narrow.low + 1e-9
        assert wide.high >= narrow.high - 1e-9


def test_the_interval_is_that_of_scipys_t() -> None:
    values = [0.03, 0.01, 0.025, 0.012]
    for level in (0.5, 0.95, 0.999):
        found = paired(values, level=level)
        expected = stats.ttest_1samp(values, 0)
        assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(level)), rel=1e-9)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-9)


def test_an_interval_for_new_images_has_a_length_that_the_differences_can_have() -> None:
    # Seeds that agree, and images that differ about as much as chance makes them: the degrees of freedom went to 0.
    draws = np.random.default_rng(1)
    for _ in range(300):
        table = draws.choice([-1.0, 0.0, 1.0], (5, 30), p=[0.05, 0.9, 0.05])
        table[:, 0] -= table.sum(axis=1) - table.sum() / 5  # every seed has the same mean
        found = paired_items(table)
        assert -1 <= found.low <= found.high <= 1
