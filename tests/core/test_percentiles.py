"""Percentiles by way of a sample, against numpy's over all values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from imagemill.core.percentiles import _between, percentiles_of

ASKED = (0, 0.5, 1, 37.3, 50, 99, 99.95, 99.9999, 100)
MANY = 300_010  # of which no percentile asked for is one of the values


def drawn(name: str) -> Any:
    rng = np.random.default_rng(3)
    return {
        "normal": rng.normal(100, 20, MANY).astype(np.float32),
        "few values": rng.integers(0, 4, MANY).astype(np.uint8),
        "mostly nothing": np.where(rng.random(MANY) < 0.9, 0, rng.random(MANY)),
        "constant": np.full(MANY, 7, np.int16),
        "ascending": np.arange(MANY, dtype=np.int32),
        "one row bright": np.where(np.arange(MANY) % 127 == 0, 1000.0, 1.0) + rng.random(MANY),
        "short": rng.normal(size=101),
    }[name]


@pytest.mark.parametrize(
    "name", ["normal", "few values", "mostly nothing", "constant", "ascending", "one row bright", "short"]
)
def test_they_are_numpys(name: str) -> None:
    values = drawn(name)
    before = values.copy()
    wanted = np.percentile(values.astype(np.float64), ASKED)
    np.testing.assert_allclose(percentiles_of(values, ASKED), wanted, rtol=1e-12)
    np.testing.assert_array_equal(values, before)


def test_a_sample_that_is_wrong_costs_time_and_nothing_else() -> None:
    # All that the sample sees is 0.
    values = 5.0 + np.arange(MANY)
    values[np.random.default_rng(0).integers(MANY, size=1 << 14)] = 0
    np.testing.assert_allclose(percentiles_of(values, ASKED), np.percentile(values, ASKED), rtol=1e-12)


def test_a_sample_of_one_value_that_stands_above_the_rank_is_not_the_answer() -> None:
    values = np.repeat([1.0, 5.0], [60_000, 40_000])
    assert _between(values, np.full(1 << 14, 5.0), 0.5) == 1.0
    assert _between(values, np.full(1 << 14, 1.0), 0.8) == 5.0
