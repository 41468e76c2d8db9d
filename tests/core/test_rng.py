"""Draws are a function of (seed, epoch, sample key, place, request), and nothing else."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from imagemill.core.errors import InputError
from imagemill.core.randomness.rng import MAX_PLACES, Draws, Generator, hash_key, hash_keys, philox4x32
from imagemill.core.ranges import Choice, Range

# Known answers of philox4x32-10, as published with Random123 (Salmon et al. 2011): counter, key, output.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
WORD = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_the_published_answers(counter, key, answer):
    assert tuple(int(w) for w in philox4x32(np.array(counter, np.uint32), key)) == answer


def philox_of_integers(counter, key):
    """The paper's round written with Python's own integers."""
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ k0, q % 2**32, (p >> 32) ^ d ^ k1, p % 2**32
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return a, b, c, d


@given(st.lists(st.tuples(WORD, WORD, WORD, WORD), min_size=1, max_size=5), st.tuples(WORD, WORD))
def test_philox_over_many_counters_is_philox_over_each(counters, key):
    words = philox4x32(np.array(counters, np.uint32), key)
    assert words.dtype == np.uint32
    assert [tuple(int(w) for w in row) for row in words] == [philox_of_integers(c, key) for c in counters]


def test_the_counter_holds_key_epoch_place_and_block_as_documented():
    seed, epoch, key, place, request = 0x1111111122222222, 7, 0x3333333344444444, 5, 9
    column = Generator(seed, epoch, np.array([key], np.uint64)).uniform(place, request)
    words = philox_of_integers((0x44444444, 0x33333333, epoch, place << 12 | request // 4), (0x22222222, 0x11111111))
    assert column[0] == (words[request % 4] + 0.5) / 2**32


KEYS = hash_keys([f"photo {i}.jpg" for i in range(60)])


def table(keys, *, seed=3, epoch=1, places=3, requests=6, blocks=()):
    generator = Generator(seed, epoch, keys, blocks)
    return np.array([[generator.uniform(p, r) for r in range(requests)] for p in range(places)])


def test_same_numbers_in_any_batch_and_order():
    whole = table(KEYS)
    for size in (1, 7, 59):
        np.testing.assert_array_equal(table(KEYS[:size]), whole[..., :size])
    order = np.random.default_rng(0).permutation(len(KEYS))
    np.testing.assert_array_equal(table(KEYS[order]), whole[..., order])


@pytest.mark.parametrize("blocks", [(1,), (2, 2, 2), (0, 3, 1), (5, 5, 5, 5)])
def test_the_hint_of_blocks_changes_nothing(blocks):
    np.testing.assert_array_equal(table(KEYS, blocks=blocks), table(KEYS))


def test_requests_may_come_in_any_order():
    generator = Generator(3, 1, KEYS)
    whole = table(KEYS)
    for place, request in [(2, 5), (0, 0), (2, 1), (1, 4), (2, 5)]:
        np.testing.assert_array_equal(generator.uniform(place, request), whole[place, request])
    assert generator.used == {0: 1, 1: 2, 2: 2}


def test_seed_epoch_key_place_and_request_all_matter():
    numbers = np.concatenate(
        [
            table(KEYS).ravel(),
            table(KEYS, seed=4).ravel(),
            table(KEYS, epoch=2).ravel(),
            table(KEYS, seed=3 + 2**32).ravel(),
        ]
    )
    # 4,320 numbers of 32 bits: a single repeat by chance has a probability of 0.2 %.
    assert len(np.unique(numbers)) == len(numbers)


def test_numbers_are_uniform_inside_the_open_interval():
    numbers = table(np.arange(4000, dtype=np.uint64), places=2, requests=5)
    assert numbers.min() > 0
    assert numbers.max() < 1
    for column in numbers.reshape(10, -1):
        assert stats.kstest(column, "uniform").pvalue > 1e-3
    counts = np.histogram(numbers, bins=64, range=(0, 1))[0]
    assert stats.chisquare(counts).pvalue > 0.01
    # 45 pairs of columns of 4,000 numbers: a correlation has a deviation of 0.016.
    assert np.abs(np.corrcoef(numbers.reshape(10, -1)) - np.eye(10)).max() < 0.065


def test_the_ends_of_the_interval_are_kept_out():
    # The two extreme words, as if Philox had given them.
    generator = Generator(0, 0, KEYS[:2], philox=lambda counter, key: np.array([[[0] * 4, [2**32 - 1] * 4]], np.uint32))
    assert list(generator.uniform(0, 0)) == [2.0**-33, 1 - 2.0**-33]


def test_keys_of_text_are_blake2b_and_whole_numbers_are_themselves():
    digest = hashlib.blake2b(b"cat/1.jpg", digest_size=8).digest()
    assert hash_key("cat/1.jpg") == int.from_bytes(digest, "little")
    assert hash_key(2**64 - 1) == 2**64 - 1
    assert hash_key("bad \udcff name") != hash_key("bad name")
    np.testing.assert_array_equal(hash_keys([3, "cat/1.jpg"]), np.array([3, hash_key("cat/1.jpg")], np.uint64))
    assert hash_keys([]).shape == (0,)


@pytest.mark.parametrize("key", [-1, 2**64])
def test_keys_out_of_range_are_refused(key):
    with pytest.raises(InputError, match=r"a sample key of text or an integer from 0 to 2\*\*64 - 1"):
        hash_key(key)


@pytest.mark.parametrize(
    ("seed", "epoch", "message"),
    [
        (-1, 0, "expected a seed from 0 to"),
        (2**64, 0, "expected a seed from 0 to"),
        (0, -1, "expected an epoch from 0 to"),
        (0, 2**32, "expected an epoch from 0 to"),
    ],
)
def test_seed_and_epoch_out_of_range_are_refused(seed, epoch, message):
    with pytest.raises(InputError, match=message):
        Generator(seed, epoch, KEYS)


def test_extreme_seed_epoch_and_place_are_allowed():
    assert Generator(2**64 - 1, 2**32 - 1, KEYS).uniform(MAX_PLACES - 1, 3).shape == (60,)
    with pytest.raises(InputError, match="expected fewer than 1048576 transforms"):
        Generator(0, 0, KEYS).uniform(MAX_PLACES, 0)


def test_draws_number_their_requests_and_remember_their_values():
    first, coin = Range(0, 10), Choice([1, 2])
    draws = Draws(Generator(3, 1, KEYS), 2, {id(first): "degrees"})
    whole = table(KEYS)[2]
    np.testing.assert_array_equal(draws(first), 10 * whole[0])
    np.testing.assert_array_equal(draws.uniform(), whole[1])
    np.testing.assert_array_equal(draws(coin, "side"), np.where(whole[2] < 0.5, 1, 2))
    draws(Range(1, 1))
    draws.note("pixels", [1] * 60)
    assert list(draws.values) == ["degrees", "side", "draw 4", "pixels"]
    draws.forget("side", "never drawn")
    assert list(draws.values) == ["degrees", "draw 4", "pixels"]
    assert draws.n == 60


def test_nothing_global_is_read_or_written():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - that it stays as it was is what is tested
    table(KEYS)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
