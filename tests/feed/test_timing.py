"""How fast a dataset feeds, and whether all ways to read it give the same samples."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from imagemill.feed.timing import sample_digest
from tests.feed.makes import PIPELINE, coco, jpegs

X = np.random.default_rng(0).integers(0, 256, (100, 12, 10, 3), dtype=np.uint8)
FLIP = im.Pipeline([im.Flip("x", p=0.5)], seed=3)


def test_every_number_of_workers_is_timed_and_told_of() -> None:
    told: list[im.FeedTiming] = []
    found = im.time_feed((X,), FLIP, workers=(0, 1, 2), batch_size=8, seconds=0.1, on_timing=told.append)
    assert told == found
    assert [timing.workers for timing in found] == [0, 1, 2]
    assert len({timing.digest for timing in found}) == 1
    for timing in found:
        assert timing.samples == 32
        assert timing.images_per_second > 1
        assert 0 < timing.first_batch < 60
        assert sum(timing.shares.values()) == pytest.approx(1, abs=0.2)
        assert timing.bound in ("reading", "augmenting", "consumer")


def test_rates_are_those_of_the_pipeline() -> None:
    def slow(image: Any) -> Any:
        time.sleep(0.002)
        return image

    pipe = im.Pipeline([im.Apply(slow)], seed=0)
    (found,) = im.time_feed((X[:20],), pipe, workers=(0,), batch_size=5, seconds=0.3)
    # More than 2 ms an image, over several epochs of 4 batches each; a busy machine gives fewer.
    assert 1 < found.images_per_second < 500
    assert found.bound == "augmenting"
    assert found.shares["augmenting"] > 0.5
    assert "all cores" in found.advice


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
