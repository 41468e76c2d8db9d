"""The order of an epoch: every row once, another order each epoch, by place and without a list."""

from __future__ import annotations

import math
import tracemalloc
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import imagemill as im
from imagemill.feed.order.order import Order, balanced, permuted, unpermuted
from tests.feed.walk_plain import network
from tests.steps import lines_run

seeds = st.integers(0, 2**64 - 1)


@given(n=st.integers(1, 3000), seed=seeds, epoch=st.integers(0, 2**32 - 1))
def test_a_permutation_meets_every_row_once(n: int, seed: int, epoch: int) -> None:
    found = permuted(np.arange(n), n, seed=seed, epoch=epoch)
    assert np.array_equal(np.sort(found), np.arange(n))


@given(n=st.integers(1, 10**9), seed=seeds, data=st.data())
def test_a_permutation_of_any_size_can_be_undone(n: int, seed: int, data: st.DataObject) -> None:
    places = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=20, unique=True)))
    rows = permuted(places, n, seed=seed)
    assert ((rows >= 0) & (rows < n)).all()
    assert len(set(rows.tolist())) == len(places)
    assert np.array_equal(unpermuted(rows, n, seed=seed), places)


@given(
    n=st.integers(1, 2**62) | st.integers(1, 40),
    seed=seeds,
    epoch=st.integers(0, 2**32 - 1),
    tweak=st.integers(0, 2**32 - 1),
    back=st.booleans(),
    data=st.data(),
)
def test_the_compiled_network_is_the_plain_one(
    n: int, seed: int, epoch: int, tweak: int, back: bool, data: st.DataObject
) -> None:
    places = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=4)))
    way = unpermuted if back else permuted
    found = way(places, n, seed=seed, epoch=epoch, tweak=tweak, purpose=1)
    plain = network(places, n, seed=seed, epoch=epoch, tweak=tweak, purpose=1, back=back)
    assert np.array_equal(found, plain)


@given(n=st.integers(1, 700), window=st.integers(1, 800), seed=seeds, epoch=st.integers(0, 5))
def test_windows_mix_only_rows_that_are_near_each_other(n: int, window: int, seed: int, epoch: int) -> None:
    rows = Order(n, seed, window).rows(np.arange(n), epoch)
    assert np.array_equal(np.sort(rows), np.arange(n))
    # Each window is read from its first row to its last before the next one begins.
    blocks = rows // window if window < n else rows * 0
    changes = int((blocks[1:] != blocks[:-1]).sum())
    assert changes == len(set(blocks.tolist())) - 1


def test_windows_are_moved_and_mixed() -> None:
    rows = Order(1000, 3, 100).rows(np.arange(1000), 0)
    starts = [int(rows[at] // 100) for at in range(0, 1000, 100)]
    assert starts != sorted(starts)
    assert all((np.diff(rows[at : at + 100]) < 0).any() for at in range(0, 1000, 100))
    inside = [tuple((rows[at : at + 100] % 100).tolist()) for at in range(0, 1000, 100)]
    assert len(set(inside)) == 10, "expected every window to be mixed in its own way"


def test_a_short_window_is_not_always_the_last() -> None:
    order = Order(25, 0, 10)
    ends = [int(order.rows([24], epoch)[0]) // 10 for epoch in range(30)]
    assert len(set(ends)) == 3


@pytest.mark.parametrize("n", [3, 4, 5])
def test_all_permutations_of_a_few_rows_are_equally_likely(n: int) -> None:
    counts = Counter(tuple(permuted(np.arange(n), n, seed=seed).tolist()) for seed in range(1500))
    possible = math.factorial(n)
    expected = 1500 / possible
    chi = sum((count - expected) ** 2 / expected for count in counts.values()) + (possible - len(counts)) * expected
    # Mean and deviation of the chi-square distribution.
    assert chi < possible - 1 + 5 * math.sqrt(2 * (possible - 1))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = [Order(50, seed).rows(np.arange(50), epoch).tolist() for seed in (0, 1, 2**40) for epoch in range(3)]
    assert all(a != b for a, b in pairwise(orders))
    assert len({tuple(o) for o in orders}) == 9
    assert orders[0] == Order(50, 0).rows(np.arange(50), 0).tolist()


def test_without_shuffling_rows_come_as_they_are() -> None:
    assert Order(9, 4, False).rows(np.arange(9), 5).tolist() == list(range(9))


def test_neighbours_are_torn_apart() -> None:
    n = 20_000
    rows = permuted(np.arange(n), n, seed=5)
    steps = np.abs(np.diff(rows)) / n
    # The mean distance of two uniform places is a third.
    assert abs(steps.mean() - 1 / 3) < 0.01
    assert abs(np.corrcoef(np.arange(n), rows)[0, 1]) < 0.03


def test_a_hundred_million_rows_take_no_more_than_a_thousand() -> None:
    Order(10**8, 1).rows(np.arange(256), 0)  # whatever is compiled once is compiled now
    tracemalloc.start()
    Order(10**8, 1).rows(np.arange(256), 0)
    Order(10**8, 1, 1000).rows(np.arange(256), 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20
    few, many = (lines_run(lambda n=n: Order(n, 1).rows(np.arange(256), 0)) for n in (1000, 10**8))
    assert many < few + 100


def test_weights_say_how_often_a_row_is_drawn() -> None:
    order = Order(4, 2, weights=np.array([0.0, 1.0, 3.0, 0.0]))
    rows = np.concatenate([order.rows(np.arange(4), epoch) for epoch in range(2000)])
    counts = np.bincount(rows, minlength=4)
    assert counts[0] == counts[3] == 0
    assert abs(counts[2] / len(rows) - 0.75) < 0.02
    assert order.replaces


@given(seed=seeds, tail=st.integers(1, 5))
def test_rows_without_weight_are_never_drawn(seed: int, tail: int) -> None:
    weights = np.array([0.1] * 10 + [0.0] * tail)
    assert Order(10 + tail, seed, weights=weights).rows(np.arange(10 + tail), 0).max() < 10


def test_balancing_gives_each_class_the_same_share() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    order = Order(100, 3, weights=balanced(labels))
    drawn = np.concatenate([labels[order.rows(np.arange(100), epoch)] for epoch in range(50)])
    assert abs(drawn.mean() - 0.5) < 0.03


@pytest.mark.parametrize(
    "weights", [[1.0, 2.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0], [1.0, float("nan"), 1.0], [float("inf"), 1.0, 1.0]]
)
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(im.InputError, match="weights"):
        Order(3, 0, weights=weights)  # type: ignore[arg-type]


@pytest.mark.parametrize("shuffle", [0, -3, "yes", 2.5, None])
def test_impossible_windows_are_refused(shuffle: object) -> None:
    with pytest.raises(im.InputError, match="shuffle"):
        Order(3, 0, shuffle)  # type: ignore[arg-type]
