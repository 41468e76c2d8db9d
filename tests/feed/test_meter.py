"""Where the time went."""

from __future__ import annotations

import time

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from imagemill.feed.augmenting import Clock
from imagemill.feed.meter import Meter

X = np.zeros((40, 16, 16, 3), np.uint8)


def slow(image: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    time.sleep(0.002)
    return image


def test_a_slow_pipeline_is_what_bounds() -> None:
    loader = Loader((X,), im.Pipeline([im.Apply(slow)], seed=0), workers=1, batch_size=10)
    assert "nothing measured" in loader.explain()
    for _ in range(2):  # what is compiled or imported once is so in the first
        for _ in loader:
            pass
    meter = loader.meter
    assert meter.bound() == "augmenting"
    assert meter.augmenting > 0.07
    assert (meter.batches, meter.images) == (4, 40)
    assert "bound by augmenting" in loader.explain()


def test_a_slow_consumer_is_what_bounds() -> None:
    with Loader((X,), im.Pipeline([im.Flip("x")], seed=0), workers=1, batch_size=4, prefetch=4) as loader:
        # What is compiled or imported once is so in the first epoch, and a busy machine may hold any of them up.
        for _ in range(20):
            for _ in loader:
                time.sleep(0.02)
            if loader.epoch > 1 and loader.meter.bound() == "consumer":
                break
    assert loader.meter.bound() == "consumer"
    assert loader.meter.consuming > 0.15
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
