"""Distributions: what comes out, in which shape, and what is said when they are asked for wrongly."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from imagemill.core.errors import ParameterError
from imagemill.core.randomness.rng import Generator
from imagemill.core.ranges import (
    Choice,
    Distribution,
    LogUniform,
    Normal,
    Range,
    as_distribution,
    normal_quantile,
    to_plain,
)

ALL = [
    Range(-10, 10),
    Range(3, 3),
    Choice([0, 90, 180]),
    Choice([1.5, 2.5], weights=[1, 3]),
    Normal(1, 0.1),
    Normal(0, 2, limit=0.5),
    LogUniform(0.5, 2),
    LogUniform(3, 3),
]
# The first and last numbers the generator can give.
ENDS = np.array([0.5, 2**32 - 0.5]) * 2.0**-32


def philox_numbers(count=20_000):
    return Generator(11, 0, np.arange(count, dtype=np.uint64)).uniform(0, 0)


@pytest.mark.parametrize("distribution", ALL, ids=str)
def test_values_keep_the_bounds(distribution):
    low, high = distribution.bounds
    values = distribution.sample(np.concatenate([ENDS, philox_numbers(2000)]))
    assert values.dtype == np.float64
    slack = 1e-12 * max(abs(low), abs(high))
    assert values.min() >= low - slack
    assert values.max() <= high + slack
    # The ends of the uniform numbers reach the ends of the values.
    np.testing.assert_allclose(values[:2], [low, high], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("distribution", ALL, ids=str)
def test_sampling_is_monotonous_in_the_uniform_number(distribution):
    values = distribution.sample(np.linspace(1e-6, 1 - 1e-6, 501))
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize("distribution", ALL, ids=str)
def test_is_a_distribution_and_gives_it_back(distribution):
    assert isinstance(distribution, Distribution)
    assert as_distribution(distribution) is distribution


@pytest.mark.parametrize(
    ("distribution", "shape"),
    [
        (Range(-2, 5), stats.uniform(-2, 7)),
        (Normal(3, 2), stats.truncnorm(-3, 3, loc=3, scale=2)),
        (Normal(3, 2, limit=1), stats.truncnorm(-1, 1, loc=3, scale=2)),
        (LogUniform(0.1, 10), stats.loguniform(0.1, 10)),
    ],
    ids=["uniform", "normal", "normal-cut-at-1", "log-uniform"],
)
def test_shape_is_scipys(distribution, shape):
    assert stats.kstest(distribution.sample(philox_numbers()), shape.cdf).pvalue > 0.01
    u = np.linspace(0.001, 0.999, 999)
    np.testing.assert_allclose(distribution.sample(u), shape.ppf(u), rtol=1e-9, atol=1e-9)


def test_choice_keeps_its_weights():
    values = Choice([5, 7, 9], weights=[1, 2, 5]).sample(philox_numbers())
    counts = [np.count_nonzero(values == v) for v in (5, 7, 9)]
    assert stats.chisquare(counts, np.array([1, 2, 5]) / 8 * len(values)).pvalue > 0.01


def test_quantile_of_the_normal_distribution_in_all_three_regions():
    p = np.concatenate(
        [np.geomspace(1e-300, 0.4, 500), np.linspace(0.05, 0.95, 500), 1 - np.geomspace(1e-15, 0.4, 500)]
    )
    np.testing.assert_allclose(normal_quantile(p), stats.norm.ppf(p), rtol=2e-14, atol=2e-15)


@pytest.mark.parametrize(
    ("distribution", "count"),
    [
        (Range(1, 2), math.inf),
        (Range(2, 2), 1),
        (Choice([1, 2, 2]), 2),
        (Normal(0, 1), math.inf),
        (LogUniform(1, 2), math.inf),
        (LogUniform(2, 2), 1),
    ],
    ids=str,
)
def test_how_many_values_can_come_out(distribution, count):
    assert distribution.count == count


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (3, Range(3, 3)),
        (np.float32(0.5), Range(0.5, 0.5)),
        ((1, 3), Range(1, 3)),
        ([1.5, 3], Range(1.5, 3)),
        (np.array([1, 3]).tolist(), Range(1, 3)),
        ({"uniform": [1, 3]}, Range(1, 3)),
        ({"choice": [1, 2, 3]}, Choice((1, 2, 3))),
        ({"choice": {"values": [1, 2], "weights": [1, 3]}}, Choice((1, 2), (1, 3))),
        ({"normal": [0, 1]}, Normal(0, 1)),
        ({"normal": {"mean": 0, "std": 1, "limit": 2}}, Normal(0, 1, 2)),
        ({"log_uniform": [0.5, 2]}, LogUniform(0.5, 2)),
    ],
    ids=repr,
)
def test_plain_forms_are_read(given_, expected):
    assert as_distribution(given_) == expected


@pytest.mark.parametrize("distribution", ALL, ids=str)
def test_plain_form_comes_back_equal(distribution):
    plain = json.loads(json.dumps(to_plain(distribution)))
    again = as_distribution(plain)
    assert again == distribution
    assert json.dumps(to_plain(again)) == json.dumps(plain)


@given(st.floats(-1e6, 1e6) | st.integers(-1000, 1000), st.floats(0, 1e6) | st.integers(0, 1000))
def test_any_pair_comes_back_equal(low, width):
    pair = Range(low, low + width)
    again = as_distribution(json.loads(json.dumps(to_plain(pair))))
    assert again == pair
    assert (type(again.low), type(again.high)) == (type(pair.low), type(pair.high))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Range(2, 1), r"the lower bound first, got \(2, 1\); swap the two numbers"),
        (lambda: Range(0, math.nan), r"Range\.high to be a finite number, got nan"),
        (lambda: Range("a", 1), r"Range\.low to be a finite number, got 'a'"),
        (lambda: Range(True, 1), r"Range\.low to be a finite number, got True"),
        (lambda: Choice([]), r"Choice to get at least one number, got \[\]"),
        (lambda: Choice("ab"), r"Choice to get at least one number, got 'ab'"),
        (lambda: Choice([1, math.inf]), r"Choice\.value to be a finite number, got inf"),
        (lambda: Choice([1, 2], weights=[1]), r"expected 2 weights, one per value, got 1"),
        (
            lambda: Choice([1, 2], weights=[1, 0]),
            r"expected positive weights, got 0; leave the value out instead",
        ),
        (lambda: Normal(0, 0), r"std and limit above 0, got std=0, limit=3\.0; write a plain number"),
        (lambda: Normal(0, 1, limit=0), r"std and limit above 0, got std=1, limit=0"),
        (lambda: Normal(math.inf, 1), r"Normal\.mean to be a finite number"),
        (lambda: LogUniform(0, 1), r"expected 0 < low <= high, got \(0, 1\)"),
        (lambda: LogUniform(2, 1), r"expected 0 < low <= high, got \(2, 1\)"),
        (lambda: as_distribution(True, name="zoom"), r"expected zoom to be a number or a pair, got True"),
        (
            lambda: as_distribution("big", name="zoom"),
            r"expected zoom to be a number \(fixed\), a pair .*got 'big'",
        ),
        (lambda: as_distribution((1, 2, 3), name="zoom"), r"expected zoom to be a number .*got \(1, 2, 3\)"),
        (
            lambda: as_distribution({"normale": [0, 1]}, name="zoom"),
            r"expected zoom .*got 'normale'; did you mean 'normal'\?",
        ),
        (
            lambda: as_distribution({"normal": 0, "choice": 1}, name="zoom"),
            r"expected zoom to have one key of",
        ),
        (
            lambda: as_distribution({"normal": {"sd": 1}}, name="zoom"),
            r"expected the keys .* in zoom\.normal, got \['sd'\]",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_a_stranger_with_the_three_members_is_accepted_but_not_written():
    class Fixed:
        bounds = (2.0, 2.0)
        count = 1

        def sample(self, u):
            return np.full(len(u), 2.0)

    stranger = Fixed()
    assert as_distribution(stranger) is stranger
    with pytest.raises(ParameterError, match="own distributions to write to a file, got Fixed"):
        to_plain(stranger)


@pytest.mark.parametrize(
    "written",
    [
        {"normal": [1]},
        {"uniform": 5},
        {"log_uniform": [1, 2, 3]},
        {"choice": 5},
        {"normal": {"mean": 1}},
        {"uniform": "ab"},
    ],
)
def test_a_half_written_distribution_is_refused_by_name(written: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=r"^expected zoom\."):
        as_distribution(written, name="zoom")
