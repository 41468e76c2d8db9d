"""Reading a learning curve backwards: known curves, both directions, ends, ties, and how often the interval holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from imagemill.core.errors import ParameterError
from imagemill.evaluate.exchange.learning_curve import LearningCurve, invert


def power_law(n: float, a: float = 2.0, b: float = 0.5, c: float = 0.0) -> float:
    return 1 - (a * n**-b + c)


def test_a_power_law_is_read_exactly_between_and_at_the_sizes() -> None:
    sizes = np.array([100.0, 300.0, 1000.0])
    curve = LearningCurve(sizes, np.array([power_law(n) for n in sizes]), 1e-6)
    for n in (100, 137, 300, 512, 999, 1000):
        assert curve.nearest(power_law(n), 5) == pytest.approx(n, rel=1e-6)


@pytest.mark.parametrize(("b", "c"), [(0.5, 0.01), (0.35, 0.02), (0.7, 0.01)])
def test_a_floor_bends_the_curve_and_is_read_to_a_few_hundredths(b: float, c: float) -> None:
    sizes = np.array([300.0, 1000.0, 3000.0, 10000.0])
    curve = LearningCurve(sizes, np.array([power_law(n, 2, b, c) for n in sizes]), 1e-6)
    for n in (400, 600, 1700, 2500, 5000, 9000):
        assert curve.nearest(power_law(n, 2, b, c), 5) == pytest.approx(n, rel=0.06)


def test_outside_of_what_was_measured_nothing_is_said() -> None:
    curve = LearningCurve(np.array([100.0, 400.0]), np.array([0.8, 0.9]), 0.001)
    assert curve.sizes_of(0.9001) == (math.inf, math.inf)
    assert curve.sizes_of(0.7999) == (0.0, 0.0)
    assert curve.nearest(0.8, 250) == 100


def test_a_level_stretch_is_a_tie_and_the_number_nearest_to_what_is_asked_is_taken() -> None:
    curve = LearningCurve(np.array([100.0, 400.0, 800.0, 1600.0]), np.array([0.8, 0.9, 0.9, 0.95]), 0.001)
    assert curve.sizes_of(0.9) == (400, 800)
    assert [curve.nearest(0.9, size) for size in (100, 500, 1600)] == [400, 500, 800]
    # A curve that falls is pooled: both sizes get their mean.
    falling = LearningCurve(np.array([100.0, 400.0, 800.0]), np.array([0.8, 0.92, 0.90]), 0.001)
    assert falling.sizes_of(0.91) == (400, 800)


def test_a_network_that_is_always_right_is_no_logarithm_of_nothing() -> None:
    curve = LearningCurve(np.array([100.0, 400.0]), np.array([0.9, 1.0]), 0.0005)
    assert 100 < curve.nearest(0.95, 5) < 400
    assert curve.nearest(1.0, 5) == 400


def by_fieller(first: np.ndarray, last: np.ndarray, arm: np.ndarray) -> tuple[float, float]:
    """The interval of the share of the way, by the quadratic of Fieller's theorem."""
    p, q, count = arm - first, last - first, len(arm)
    covariance = np.cov(p, q)
    t2 = stats.t.ppf(0.975, count - 1) ** 2 / count
    terms = (
        q.mean() ** 2 - t2 * covariance[1, 1],
        -2 * (p.mean() * q.mean() - t2 * covariance[0, 1]),
        p.mean() ** 2 - t2 * covariance[0, 0],
    )
    low, high = sorted(np.roots(terms).real)
    return float(low), float(high)


def test_the_interval_is_fiellers_on_a_piece_of_the_curve() -> None:
    draws = np.random.default_rng(3)
    common = 0.004 * draws.standard_normal(6)
    first, last, arm = (mean + common + 0.003 * draws.standard_normal(6) for mean in (0.80, 0.90, 0.85))
    low, high = by_fieller(first, last, arm)
    assert 0 < low < high < 1
    found = invert([100, 400], np.stack([first, last], axis=1), arm)
    e0, e1 = 1 - first.mean(), 1 - last.mean()
    # With two sizes the logarithm of the error is a straight line over that of the number.
    expected = [100 * 4 ** (math.log((e0 + w * (e1 - e0)) / e0) / math.log(e1 / e0)) for w in (low, high)]
    assert [found.low, found.high] == pytest.approx(expected, rel=1e-6)


def constant(*means: float, deviation: float = 0.002, turned: int = 0) -> np.ndarray:
    """Accuracies of five seeds, which are apart by chance of a fixed size, and whose means are exact."""
    around = stats.norm.ppf((np.arange(5) + 0.5) / 5) * deviation
    return np.stack([np.asarray(mean + np.roll(around, place + turned)) for place, mean in enumerate(means)], axis=1)


def arm(mean: float, deviation: float = 0.002) -> np.ndarray:
    return constant(mean, deviation=deviation, turned=4)[:, 0]


def test_ends_are_open_where_the_measured_sizes_end() -> None:
    sizes, reference = [100, 300, 900], constant(0.8, 0.88, 0.93)
    inside = invert(sizes, reference, arm(0.9))
    assert 300 < inside.low < inside.high < 900
    above = invert(sizes, reference, arm(0.96))
    assert (above.low, above.high) == (900, math.inf)
    below = invert(sizes, reference, arm(0.70))
    assert (below.low, below.high) == (0.0, 100)
    at_the_end = invert(sizes, reference, arm(0.9295))
    assert 300 < at_the_end.low < 900
    assert at_the_end.high == math.inf
    at_the_start = invert(sizes, reference, arm(0.8005))
    assert at_the_start.low == 0.0
    assert 100 < at_the_start.high < 300


def test_a_curve_too_flat_to_tell_gives_an_open_interval() -> None:
    found = invert([100, 1000], constant(0.900, 0.901, deviation=0.01), arm(0.9005, 0.01))
    assert (found.low, found.high) == (0.0, math.inf)


def test_equal_seeds_are_no_surer_than_the_rounding_of_an_accuracy() -> None:
    reference = np.tile([0.80, 0.90], (4, 1))
    sure = invert([100, 400], reference, np.full(4, 0.85))
    assert sure.low == pytest.approx(sure.high)
    rounded = invert([100, 400], reference, np.full(4, 0.85), step=0.01)
    half = stats.t.ppf(0.975, 3) * 0.005 / 2
    shares = [(0.05 - half) / 0.1, (0.05 + half) / 0.1]
    expected = [100 * 4 ** (math.log((0.2 - 0.1 * w) / 0.2) / math.log(0.5)) for w in shares]
    assert [rounded.low, rounded.high] == pytest.approx(expected, rel=1e-6)


def test_new_images_make_the_interval_wider() -> None:
    draws = np.random.default_rng(5)
    hard = draws.random(400)
    tables = [(hard + 0.15 * draws.standard_normal((5, 400)) < mean).astype(float) for mean in (0.80, 0.90, 0.86)]
    reference = np.stack(tables[:2], axis=1)
    here = invert([100, 400], reference.mean(axis=2), tables[2].mean(axis=1), step=1 / 400)
    anywhere = invert([100, 400], reference, tables[2])
    assert anywhere.low < here.low < here.high < anywhere.high


def test_what_does_not_fit_is_refused() -> None:
    table = np.zeros((3, 2))
    for sizes in ([100], [100, 100], [400, 100], [0, 100]):
        with pytest.raises(ParameterError, match="expected two ascending numbers of images or more"):
            invert(sizes, table, np.zeros(3))
    with pytest.raises(ParameterError, match=r"expected a reference \[seeds, 3\]"):
        invert([1, 2, 3], table, np.zeros(3))
    with pytest.raises(ParameterError, match="expected a reference"):
        invert([1, 2], table, np.zeros(4))
    alone = invert([1, 2], table[:1], np.zeros(1))
    assert (alone.low, alone.high) == (0.0, math.inf)


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_holds_the_true_number_as_often_as_it_says(seeds: int) -> None:
    draws, sizes, held, count = np.random.default_rng(seeds), (300.0, 1000.0, 3000.0), 0, 120
    for _ in range(count):
        true = math.exp(draws.uniform(math.log(350), math.log(2600)))
        errors = np.array([2 * n**-0.5 for n in (*sizes, true)])
        # Seeds share half of their variance with all networks of the seed.
        common, own = draws.standard_normal((seeds, 1)), draws.standard_normal((seeds, 4))
        accuracy = 1 - errors - 0.06 * errors * (common + own) * math.sqrt(0.5)
        found = invert(sizes, accuracy[:, :3], accuracy[:, 3])
        held += found.low <= true <= found.high
    # Of 120 at 95 %, fewer than 107 are held once in 350 times; half of the quantile of t would hold about 84.
    assert held >= 107
