"""Many columns asked for at once are the columns asked for one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.errors import InputError
from imagemill.core.randomness.rng import Draws, Generator, hash_keys


@given(st.lists(st.integers(1, 11), min_size=1, max_size=5), st.integers(0, 5), st.integers(0, 3))
def test_many_columns_are_as_many_single_ones(counts: list[int], singles: int, ahead: int) -> None:
    keys = hash_keys(range(3))
    one_by_one = Draws(Generator(5, 2, keys), 1)
    generator = Generator(5, 2, keys, (0, ahead))
    at_once = Draws(generator, 1)
    for count in counts:
        expected = np.stack([one_by_one.uniform() for _ in range(count + singles)])
        np.testing.assert_array_equal(at_once.uniforms(count), expected[:count])
        for row in expected[count:]:
            np.testing.assert_array_equal(at_once.uniform(), row)
    total = sum(counts) + singles * len(counts)
    assert generator.used == {1: -(-total // 4)}


def test_a_place_has_room_for_so_many() -> None:
    with pytest.raises(InputError, match="at most 16,384 random numbers"):
        Draws(Generator(0, 0, hash_keys([0])), 0).uniforms(4 * 4096 + 1)
