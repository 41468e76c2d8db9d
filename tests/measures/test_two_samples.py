"""Whether two populations differ: p values that hold, whatever shares of the classes they have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from imagemill.measures.differences.two_samples import (
    any_balance,
    same_balance,
    shift_of_means,
    weighted_quantiles,
)


def test_without_classes_it_is_the_test_of_kolmogorov_and_smirnov() -> None:
    none = np.zeros(80, np.int64)
    apart = []
    for seed in range(12):
        values = np.random.default_rng(seed).normal(size=160)
        mine = same_balance(values[:80], values[80:] + 0.2, none, none, seed=seed)
        theirs = stats.ks_2samp(values[:80], values[80:] + 0.2)
        assert mine.distance == pytest.approx(theirs.statistic)
        assert mine.weights.sum() == pytest.approx(1)
        apart.append((mine.p, theirs.pvalue))
    ours, scipys = np.array(apart).T
    np.testing.assert_allclose(ours, scipys, atol=0.15)  # p values near 1 end after 20 exchanges
    assert np.corrcoef(ours, scipys)[0, 1] > 0.95


def of_classes(shares: tuple[float, ...], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Values whose mean is the class: other shares of the classes give another distribution."""
    draws = np.random.default_rng(seed)
    labels = draws.choice(len(shares), count, p=shares)
    return labels * 2 + draws.normal(size=count), labels.astype(np.int64)


def rejected(test: str, *, shift: float, runs: int = 60) -> float:
    p = []
    for seed in range(runs):
        train, of_train = of_classes((0.5, 0.3, 0.2), 150, 2 * seed)
        wild, of_wild = of_classes((0.1, 0.2, 0.7), 80, 2 * seed + 1)
        if test == "labels":
            found = same_balance(train, wild + shift, of_train, of_wild, draws=199, seed=seed)
        elif test == "no labels":
            found = any_balance(train, wild + shift, of_train)
        else:
            none = np.zeros(150, np.int64)
            found = same_balance(train, wild + shift, none, none[:80], draws=199, seed=seed)
        p.append(found.p)
    return float((np.array(p) <= 0.05).mean())


@pytest.mark.parametrize("test", ["labels", "no labels"])
def test_other_shares_of_the_classes_raise_no_alarm(test: str) -> None:
    # 60 runs at 5 %: over 8 alarms would be a chance of 1 in 200.
    assert rejected(test, shift=0) <= 8 / 60


def test_a_test_that_does_not_know_of_classes_does_raise_alarms() -> None:
    assert rejected("neither", shift=0, runs=20) > 0.9


@pytest.mark.parametrize(("test", "least"), [("labels", 0.8), ("no labels", 0.8)])
def test_a_shift_of_all_classes_is_found_among_other_shares(test: str, least: float) -> None:
    assert rejected(test, shift=2.5 if test == "no labels" else 0.8, runs=20) >= least


def test_the_nearest_shares_of_the_classes_are_found() -> None:
    train, labels = np.arange(400.0), np.repeat([0, 1, 2, 3], 100)
    wild = np.concatenate([np.arange(0, 100, 2.0), np.arange(300, 400, 0.66)])
    found = any_balance(train, wild, labels)
    shares = [found.weights[labels == c].sum() for c in range(4)]
    np.testing.assert_allclose(shares, [50 / 202, 0, 0, 152 / 202], atol=0.02)
    assert found.distance < 0.02
    assert found.p > 0.9


def test_weights_bring_the_first_sample_to_the_class_shares_of_the_second() -> None:
    train, of_train = of_classes((0.5, 0.3, 0.2), 200, 0)
    wild, of_wild = of_classes((0.0, 0.5, 0.5), 100, 1)
    weights = same_balance(train, wild, of_train, of_wild).weights
    for c in range(3):
        assert weights[of_train == c].sum() == pytest.approx((of_wild == c).mean())


def test_the_interval_of_the_difference_is_welchs_and_holds_as_often_as_it_says() -> None:
    none = np.zeros(30, np.int64)
    draws = np.random.default_rng(5)
    a, b = draws.normal(size=30), draws.normal(1, 2, size=20)
    _, low, high = shift_of_means(a, b, np.full(30, 1 / 30), none, None, 0.95)
    theirs = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.05)
    held = 0
    for seed in range(200):
        train, of_train = of_classes((0.5, 0.3, 0.2), 100, 2 * seed)
        wild, of_wild = of_classes((0.1, 0.2, 0.7), 60, 2 * seed + 1)
        weights = np.zeros(100)
        for c in range(3):
            weights[of_train == c] = (of_wild == c).mean() / (of_train == c).sum()
        _, low, high = shift_of_means(train, wild + 0.3, weights, of_train, of_wild, 0.95)
        held += low <= 0.3 <= high
    assert 181 <= held <= 199  # binomial of 200 at 0.95: 1 in 500 on each side


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(0, 99))
def test_weighted_quantiles_are_those_of_values_repeated(counts: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=len(counts))
    at = np.array([0.05, 0.5, 0.95])
    found = weighted_quantiles(values, np.array(counts, float), at)
    repeated = np.repeat(values, counts)
    for quantile, share in zip(found, at, strict=True):
        # As many of the repeated values lie below it as its share says, to within the largest weight.
        assert (repeated < quantile - 1e-12).mean() <= share + max(counts) / sum(counts)
        assert (repeated <= quantile + 1e-12).mean() >= share - max(counts) / sum(counts)
