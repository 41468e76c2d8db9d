"""Numbers counted by pixel: a function of stream, field and place."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats as stats

from imagemill.core.errors import InputError
from imagemill.core.image_ops import Erase, Filter, Noise
from imagemill.core.randomness import pixel_numbers as numbers
from imagemill.core.randomness.rng import Draws, Generator, hash_keys, philox4x32
from imagemill.engine.backends.cpu.altering.pixel_noise import fill_words

STREAM = np.array([0x243F6A88, 0x85A308D3], np.uint32)


def test_the_key_is_the_stream_and_the_counter_the_block_and_the_field() -> None:
    # The published known answer of Philox4x32-10 for counters and keys of 0, and the generator's own for the rest.
    zero = np.zeros(2, np.uint32)
    assert [hex(w) for w in numbers.words(zero, 0, 1)[0]] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]
    found = numbers.words(STREAM, 1, 3)
    counter = np.array([[k, 0, 1, 0] for k in range(3)], np.uint32)
    np.testing.assert_array_equal(found, philox4x32(counter, (0x243F6A88, 0x85A308D3)))


@pytest.mark.parametrize("count", [1, 4, 1023, 1024, 1025, 5000])
def test_the_compiled_words_are_the_same(count: int) -> None:
    out = np.empty(count, np.uint32)
    fill_words(*(int(w) for w in STREAM), numbers.EACH_PIXEL, out)
    wanted = numbers.words(STREAM, numbers.EACH_PIXEL, -(-count // 4)).reshape(-1)[:count]
    np.testing.assert_array_equal(out, wanted)


def test_more_numbers_change_none_of_the_first() -> None:
    for make in (numbers.uniform, numbers.normal):
        np.testing.assert_array_equal(make(STREAM, 0, 1001)[:13], make(STREAM, 0, 13))
        assert (make(STREAM, 0, 50) != make(STREAM, 1, 50)).any()


def test_normal_numbers_are_quantiles_taken_from_the_low_half_first() -> None:
    table = numbers.normal_table()
    wanted = stats.norm.ppf((np.arange(65_536) + 0.5) / 65_536)
    np.testing.assert_allclose(table, wanted, rtol=2e-4)
    assert table.mean() == pytest.approx(0, abs=1e-12)
    assert table.var() == pytest.approx(1, abs=1e-12)
    word = int(numbers.words(STREAM, 0, 1)[0, 0])
    np.testing.assert_array_equal(numbers.normal(STREAM, 0, 2), table[[word & 0xFFFF, word >> 16]])


def test_numbers_have_the_distributions_they_are_called_after() -> None:
    assert stats.kstest(numbers.uniform(STREAM, 0, 20_000), "uniform").pvalue > 0.01
    assert stats.kstest(numbers.normal(STREAM, 0, 20_000), "norm").pvalue > 0.01
    one = numbers.normal(STREAM, 0, 20_000)
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(one, numbers.normal(STREAM, 1, 20_000))[0, 1]) < 0.02


def test_a_stream_belongs_to_seed_epoch_key_and_place() -> None:
    def stream(
        seed: int = 3, epoch: int = 0, key: str = "a", place: int = 0, others: tuple[str, ...] = ()
    ) -> list[int]:
        found = Draws(Generator(seed, epoch, hash_keys((*others, key))), place).stream()
        assert found.dtype == np.uint32
        return found[-1].tolist()

    mine = stream()
    assert mine == stream(others=("b", "c")) == [*map(int, np.rint(_uniforms() * 2**32 - 0.5))]
    listed = [mine, stream(seed=4), stream(epoch=1), stream(key="b"), stream(place=1)]
    assert len(set(map(tuple, listed))) == len(listed)


def _uniforms() -> np.ndarray:
    return Draws(Generator(3, 0, hash_keys(("a",))), 0).uniforms(2)[:, 0]


REFUSED = [
    (lambda: Filter("blur", (), 3), r"a filter of \['average', .*'clahe', .*got 'blur'"),
    (lambda: Filter("convolve", (np.ones((1, 4, 3)),), 3), r"kernels of odd lengths, got \(4, 3\)"),
    (lambda: Filter("sharpen", (np.ones(1), np.ones(1), np.ones((1, 1, 2))), 3), r"odd lengths, got \(1, 2\)"),
    (lambda: Noise("pink", np.ones((1, 1)), np.ones((1, 2), np.uint32), 3), r"a noise of .*got 'pink'"),
    (lambda: Noise("poisson", np.ones((2, 1)), np.ones((1, 2), np.uint32), 3), r"streams \[n, 2\] of uint32"),
    (lambda: Noise("poisson", np.ones((1, 1)), np.ones((1, 2), np.int64), 3), r"of uint32, got \(1, 2\) of int64"),
    (lambda: Erase(np.ones((1, 1, 2, 2), int), 3, "paint"), r"a fill of .*got 'paint'"),
    (lambda: Erase(np.ones((1, 2, 2), int), 3, "mean"), r"boxes \[n, k, d, 2\], got \(1, 2, 2\)"),
    (lambda: Erase(np.ones((1, 1, 2, 2), int), 3), r"values for a fill of 'value', got none"),
    (lambda: Erase(np.ones((1, 1, 2, 2), int), 3, "noise"), r"stream for a fill of 'noise', got none"),
    (lambda: Erase(np.ones((1, 1, 2, 2), int), 3, values=np.ones((1, 2))), r"expected values \(1, 3\), got \(1, 2\)"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[m[:30] for _, m in REFUSED])
def test_ops_of_images_say_what_is_wrong_with_them(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()  # type: ignore[operator]
