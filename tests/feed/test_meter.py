"""Where the time went, by a clock that is set by hand."""

from __future__ import annotations

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader, replaying
from imagemill.feed import iterating as loops
from imagemill.feed.making.augmenting import Clock
from imagemill.feed.meter import Meter, worth
from tests.clocks import Hand, set_by_hand

X = np.zeros((40, 16, 16, 3), np.uint8)


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    return set_by_hand(monkeypatch, loops)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_slow_pipeline_is_what_bounds(hand: Hand, workers: int) -> None:
    def slow(image: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        hand.time += 0.25
        return image

    loader = Loader((X,), im.Pipeline([im.Apply(slow)], seed=0), workers=workers, batch_size=10)
    assert "nothing measured" in loader.explain()
    for _ in loader:
        pass
    meter = loader.meter
    assert (meter.batches, meter.images, meter.augmenting, meter.reading) == (4, 40, 10.0, 0.0)
    if not workers:  # whether a thread is ahead of its consumer is nobody's to say
        assert (meter.waiting, meter.consuming) == (10.0, 0.0)
        assert meter.bound() == "augmenting"
        assert "bound by augmenting" in loader.explain()


def test_a_slow_consumer_is_what_bounds(hand: Hand) -> None:
    with Loader((X,), im.Pipeline([im.Flip("x")], seed=0), workers=1, batch_size=4, prefetch=4) as loader:
        for _ in loader:
            hand.time += 2.0
    meter = loader.meter
    assert (meter.waiting, meter.consuming) == (0.0, 20.0)
    assert meter.bound() == "consumer"
    assert "bound by the consumer" in loader.explain()


@pytest.mark.parametrize(("stored", "words"), [(True, "store is larger"), (False, "prepare")])
def test_reading_is_told_from_augmenting(stored: bool, words: str) -> None:
    meter = Meter(2, 5, stored)
    meter.add(Clock(1.5, 0.2), 100, 1.0)
    assert meter.bound() == "reading"
    assert meter.shares() == pytest.approx(
        {"reading": 0.75, "augmenting": 0.1, "compiling": 0.0, "idle": 0.15, "waiting": 1.0}
    )
    assert words in meter.describe(cores=2)
    assert "workers=8 (now 2)" in meter.describe(cores=8)


def test_replayed_batches_say_how_fast_the_consumer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = set_by_hand(monkeypatch, loops, replaying)

    def slow(image: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        hand.time += 0.25
        return image

    with Loader((X,), im.Pipeline([im.Apply(slow)], seed=0), workers=0, batch_size=10) as loader:
        for _ in loader:
            hand.time += 0.5
        assert "replayed" not in loader.explain()
        seen = []
        for batch in loader.replayed(3):
            seen.append(tuple(batch.keys))
            hand.time += 0.5
    assert len(seen) == 4
    assert seen[3] == seen[0] != seen[1]
    # Ten images take 2.5 seconds to be made, and 0.5 to be used.
    assert "at most           20  images/s, 6.00 times as many with batches replayed" in loader.explain()


def test_where_replaying_gains_nothing_the_step_is_named() -> None:
    assert worth(10, 20) == "2.00 times as many with batches replayed: no loader gives more"
    for most in (8, 10, 10.4):
        assert worth(10, most).endswith("no loader gives more, as the step itself takes the time")


def test_a_step_is_told_how_fast_it_is_without_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = set_by_hand(monkeypatch, loops, replaying)
    seen = []

    def step(batch: im.LoadedBatch) -> None:
        seen.append(id(batch))
        hand.time += 0.5 if len(seen) > 1 else 60.0  # what is compiled with the first call is not counted

    with Loader((X,), im.Pipeline([im.Flip("x")], seed=0), workers=0, batch_size=4) as loader:
        assert "at most            8  images/s" in loader.explain(step, seconds=9.0)
        assert len(seen) == 1 + 18
        assert seen[1:9] == seen[9:17]
        assert len(set(seen)) == 8
        assert loader.epoch == 0
        with pytest.raises(im.InputError, match="seconds above 0"):
            loader.explain(step, seconds=0)
        shapes = set()

        def of_tuples(images: tuple[np.ndarray]) -> None:  # type: ignore[type-arg]
            shapes.add(images[0].shape)
            hand.time += 0.5

        loader.numpy(("image",)).explain(of_tuples, seconds=1.0)
        assert shapes == {(4, 16, 16, 3)}
        assert [one[0].shape for one in loader.numpy(("image",)).replayed(2)] == [(4, 16, 16, 3)] * 10


def test_replaying_changes_nothing_of_what_comes_next() -> None:
    pipe = im.Pipeline([im.Flip("x", p=0.5)], seed=0)
    values = np.random.default_rng(0).integers(0, 256, X.shape, np.uint8)
    one, other = (Loader((values,), pipe, workers=0, batch_size=8) for _ in range(2))
    for loader in (one, other):
        next(iter(loader))
    assert len(list(other.replayed(2))) == 5
    assert one.state_dict() == other.state_dict()
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    with pytest.raises(im.InputError, match="batches"):
        one.replayed(0)
