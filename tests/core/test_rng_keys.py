"""Keys read at once are the keys read one by one, and are refused alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import InputError
from imagemill.core.randomness.rng import hash_key, hash_keys

whole = st.integers(0, 2**64 - 1)


def one_by_one(keys: Any) -> Any:
    return np.array([hash_key(k) for k in keys], np.uint64)


@given(st.lists(whole))
def test_lists(keys: list[int]) -> None:
    for given_keys in (keys, tuple(keys), np.array(keys, np.uint64), [str(k) for k in keys], [*keys, "x"]):
        found = hash_keys(given_keys)
        assert found.dtype == np.uint64
        np.testing.assert_array_equal(found, one_by_one(given_keys))


@pytest.mark.parametrize(
    "keys",
    [range(0), range(5), range(9, 0, -3), range(2**40, 2**40 + 3), range(2**64 - 3, 2**64), range(3, 2**64, 2**62)],
)
def test_ranges(keys: range) -> None:
    np.testing.assert_array_equal(hash_keys(keys), one_by_one(keys))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_arrays(dtype: Any) -> None:
    np.testing.assert_array_equal(hash_keys(np.arange(100).astype(dtype)), np.arange(100, dtype=np.uint64))
    np.testing.assert_array_equal(hash_keys([np.int64(3), True, 4.0]), [3, 1, 4])


@pytest.mark.parametrize(
    "keys",
    [[3, -1], [2**64], range(-1, 3), range(2, -2, -1), range(2**64 - 1, 2**64 + 1), np.array([1, -2]), np.array([0.5])],
)
def test_keys_out_of_range_are_refused(keys: Any) -> None:
    with pytest.raises(InputError, match=r"expected a sample key of text or an integer from 0 to 2\*\*64 - 1, got"):
        hash_keys(keys)


def test_the_keys_are_a_copy() -> None:
    keys = np.arange(3, dtype=np.uint64)
    hash_keys(keys)[0] = 9
    assert keys[0] == 0
