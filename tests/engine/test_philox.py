"""The compiled generator is the one of the core, bit for bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imagemill.core.randomness import rng
from imagemill.engine.philox import philox4x32

words = st.integers(0, 2**32 - 1)


@given(st.lists(st.tuples(words, words, words, words), min_size=1, max_size=8), words, words)
def test_equal_bit_for_bit(counters: list[tuple[int, int, int, int]], low: int, high: int) -> None:
    counter = np.array(counters, np.uint32)
    for shaped in (counter, counter[0], np.stack([counter, counter[::-1]]), np.asfortranarray(counter)):
        found = philox4x32(shaped, (low, high))
        assert (found.shape, found.dtype) == (shaped.shape, np.uint32)
        np.testing.assert_array_equal(found, rng.philox4x32(shaped, (low, high)))


def test_published_answers() -> None:
    # Known answers of Random123, Salmon et al. 2011: all ones, and digits of pi.
    ones, pi = np.full(4, 0xFFFFFFFF, np.uint32), np.array([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], np.uint32)
    assert [hex(w) for w in philox4x32(ones, (0xFFFFFFFF, 0xFFFFFFFF))] == [
        "0x408f276d", "0x41c83b0e", "0xa20bc7c6", "0x6d5451fd",
    ]  # fmt: skip
    assert [hex(w) for w in philox4x32(pi, (0xA4093822, 0x299F31D0))] == [
        "0xd16cfe09", "0x94fdcceb", "0x5001e420", "0x24126ea1",
    ]  # fmt: skip


def test_a_generator_draws_the_same_numbers_with_it() -> None:
    keys = rng.hash_keys(range(9))
    for blocks in ((), (2, 1)):
        plain = rng.Generator(2**63 + 5, 7, keys, blocks)
        quick = rng.Generator(2**63 + 5, 7, keys, blocks, philox4x32)
        np.testing.assert_array_equal(quick.uniform(1, 6), plain.uniform(1, 6))
        np.testing.assert_array_equal(quick.uniforms(0, 3, 9), plain.uniforms(0, 3, 9))
