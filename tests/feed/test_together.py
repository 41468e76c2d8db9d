"""Several batches made as one, where that is quicker: nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import LoadedBatch, Loader
from imagemill.feed.making import together
from imagemill.feed.making.together import BYTES, SAMPLES, Together
from imagemill.feed.workers.stream import Stream
from tests.clocks import Hand
from tests.feed.makes import PIPELINE, coco, hashes, jpegs

X = np.random.default_rng(0).integers(0, 256, (2000, 20, 24, 3), dtype=np.uint8)
Y = np.arange(2000) % 7


def never() -> bool:
    return False


def arrays(root: Path) -> Any:
    return X[:90], Y[:90]


def store(root: Path) -> Any:
    im.prepare(jpegs(root / "in"), root / "store", size=(40, 40))
    return im.open(root / "store")


def boxed_store(root: Path) -> Any:
    im.prepare(coco(root / "in"), root / "store", size=(40, 40), fit="pad")
    return im.open(root / "store")


def said(batch: LoadedBatch) -> dict[str, Any]:
    rows = range(len(batch))
    return {
        "samples": [list(hashes([batch.part(slice(i, i + 1), 0)]).values()) for i in rows],
        "keys": [str(key) for key in batch.keys],
        "place": (batch.epoch, batch.number, batch.repeated, batch.replaced),
        "recipes": [batch.recipe[i].to_dict() for i in rows],
        "applied": [batch.applied[i] for i in rows],
        "affine": batch.affine.tolist(),
        "columns": sorted(batch.columns),
    }


@pytest.mark.parametrize("source", [arrays, store, boxed_store])
@pytest.mark.parametrize("how", [{}, {"rank": 1, "world_size": 3}, {"weights": True}, {"shuffle": False}])
def test_parts_are_what_each_batch_would_have_been(
    tmp_path: Path, source: Callable[[Path], Any], how: dict[str, Any]
) -> None:
    dataset = source(tmp_path)
    count = len(dataset[0] if isinstance(dataset, tuple) else dataset)
    weights = np.arange(1.0, count + 1) if how.pop("weights", False) else None
    loader = Loader(dataset, PIPELINE, split="all", batch_size=4, workers=0, weights=weights, **how)
    # All of them, so that the last one is short.
    parts = loader._maker.make_some(1, 0, len(loader), never)
    assert [made.batch.number for made in parts] == list(range(len(loader)))
    for made in parts:
        assert said(made.batch) == said(loader.batch(made.batch.number, epoch=1))


def test_small_pictures_are_made_together_and_large_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "time", Hand())  # so nothing takes any time
    quick = Together(Loader((X,), PIPELINE, batch_size=8, workers=0)._maker, 0)
    assert quick.count == 1
    quick.make(0, 1, never)
    assert quick.count == SAMPLES // 8

    larger = im.Pipeline([im.Resize((400, 500)), im.Normalize((0.5,) * 3, (0.5,) * 3)], seed=0)
    much = Together(Loader((X,), larger, batch_size=8, workers=0)._maker, 0)
    assert much.make(0, 1, never)[0].batch.image.nbytes > BYTES // 4
    assert much.count == 1

    files = Together(Loader(jpegs(tmp_path), PIPELINE, batch_size=8, workers=0)._maker, 0)
    files.make(0, 1, never)
    assert files.count == 1


@pytest.mark.parametrize(("each", "count"), [(0.001, 1), (0.0005, 2), (0.00009, 11)])
def test_slow_functions_are_not_made_to_wait_for_each_other(
    each: float, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of 8, of which those are made together that take 8 ms."""
    hand = Hand()
    monkeypatch.setattr(together, "time", hand)

    def slow(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        hand.time += each
        return image

    slowly = Together(Loader((X,), im.Pipeline([im.Apply(slow)], seed=0), batch_size=8, workers=0)._maker, 0)
    slowly.make(0, 1, never)
    assert slowly.count == count


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_with_its_batch_and_with_the_name_of_the_sample(workers: int) -> None:
    bad = 4 * 150 + 2

    def check(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if image[0, 0, 0] == 255:
            raise ValueError("too bright")
        return image

    x = np.zeros((1200, 8, 8, 3), np.uint8)
    x[bad] = 255
    with Loader((x,), im.Pipeline([im.Apply(check)], seed=0), batch_size=4, shuffle=False, workers=workers) as loader:
        running = iter(loader)
        for number in range(150):
            assert next(running).number == number
        with pytest.raises(ValueError, match="too bright") as error:
            next(running)
    assert any(str(bad) in note for note in error.value.__notes__)


class Pairs:
    """Makes two at a time, but fails with 5."""

    count = 2

    def make(self, first: int, count: int, stopped: Callable[[], bool]) -> list[int]:
        if 5 in range(first, first + count):
            raise KeyError("five")
        return list(range(first, first + count))


def test_one_that_fails_does_not_take_its_neighbours_along() -> None:
    stream = Stream(Pairs(), 0, 9, workers=2, prefetch=1)
    assert [stream.take() for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError, match="five"):
        stream.take()
    assert [stream.take() for _ in range(3)] == [6, 7, 8]
    stream.close()
