"""How fast a dataset feeds, and whether all ways to read it give the same samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader, timing
from imagemill.feed import iterating as loops
from imagemill.feed.timing import sample_digest
from tests.clocks import set_by_hand
from tests.feed.makes import PIPELINE, coco, jpegs

X = np.random.default_rng(0).integers(0, 256, (100, 12, 10, 3), dtype=np.uint8)
FLIP = im.Pipeline([im.Flip("x", p=0.5)], seed=3)


def test_every_number_of_workers_is_timed_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    set_by_hand(monkeypatch, loops, timing, each=0.01)
    told: list[im.FeedTiming] = []
    found = im.time_feed((X,), FLIP, workers=(0, 1, 2), batch_size=8, seconds=0.1, on_timing=told.append)
    assert told == found
    assert [one.workers for one in found] == [0, 1, 2]
    assert len({one.digest for one in found}) == 1
    for one in found:
        assert one.samples == 32
        assert one.images_per_second > 0
        assert one.first_batch > 0
        assert set(one.shares) == {"reading", "augmenting", "compiling", "idle"}
        assert one.bound in ("reading", "augmenting", "consumer")


def test_rates_are_those_of_the_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = set_by_hand(monkeypatch, loops, timing)

    def slow(image: Any) -> Any:
        hand.time += 0.25
        return image

    pipe = im.Pipeline([im.Apply(slow)], seed=0)
    # Five epochs of four batches each, and a batch.
    (found,) = im.time_feed((X[:20],), pipe, workers=(0,), batch_size=5, seconds=26.0)
    assert found.images_per_second == 4.0
    assert found.first_batch == 1.25
    assert found.bound == "augmenting"
    assert found.shares == {"reading": 0.0, "augmenting": 1.0, "compiling": 0.0, "idle": 0.0}
    assert "all cores" in found.advice


def test_a_consumer_gets_every_batch_and_in_the_end_the_same_ones_again() -> None:
    seen: list[tuple[str, int]] = []

    def step(batch: Any) -> None:
        seen.append((str(batch.keys[0]), id(batch)))

    loading, replayed = im.time_feed(
        (np.zeros((24, 4, 4, 3), np.uint8),), workers=(0,), batch_size=2, seconds=0.05, seed=1, consumer=step
    )
    assert (loading.workers, replayed.workers) == (0, "replayed")
    assert loading.digest == replayed.digest
    assert replayed.bound == "consumer"
    last = [one for _, one in seen[-16:]]
    assert last[:8] == last[8:]  # the very same objects: nothing is made between them
    assert len(set(last)) == 8


def test_draws_of_a_function_of_its_own_are_found_out() -> None:
    numbers = np.random.default_rng(0)
    pipe = im.Pipeline([im.Apply(lambda image: image ^ np.uint8(numbers.integers(256)))], seed=0)
    one, two = im.time_feed((X,), pipe, workers=(0, 1), batch_size=8, seconds=0.02)
    assert one.digest != two.digest


def test_a_seed_is_made_once_where_nobody_gives_one() -> None:
    one, two = im.time_feed((X,), None, workers=(0, 1), batch_size=8, seconds=0.02)
    assert one.digest == two.digest


@pytest.mark.parametrize("make", [coco, jpegs])
def test_every_target_of_a_sample_is_in_its_digest(tmp_path: Any, make: Any) -> None:
    dataset = im.open(make(tmp_path))
    first = list(Loader(dataset, PIPELINE, batch_size=5, workers=0))
    truth = sample_digest(first)
    assert sample_digest(list(Loader(dataset, PIPELINE, batch_size=8, workers=1))) == truth
    for name in first[0].columns:
        column = first[0].columns[name]
        if isinstance(column, np.ndarray):
            before = column.flat[0]
            column.flat[0] += 1
            assert sample_digest(first) != truth, name
            column.flat[0] = before
        else:
            boxes = next(boxes for batch in first for boxes in batch.columns[name] if len(boxes))
            boxes.labels[0], before = "another", boxes.labels[0]
            assert sample_digest(first) != truth, name
            boxes.labels[0] = before
    assert sample_digest(first) == truth


@pytest.mark.parametrize(("how", "said"), [({"seconds": 0}, "seconds above 0"), ({"workers": ()}, "at least one")])
def test_what_makes_no_sense_is_refused(how: dict[str, Any], said: str) -> None:
    with pytest.raises(im.InputError, match=said):
        im.time_feed((X,), FLIP, **how)
