"""Saving where a loader is, and refusing to go on from elsewhere."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from tests.feed.makes import hashes

X = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
Y = np.arange(40) % 4
PIPE = im.Pipeline([im.Flip("x", p=0.5)], seed=2)


def loader(x: Any = X, y: Any = Y, pipe: im.Pipeline = PIPE, **how: Any) -> Loader:
    return Loader((x, y), pipe, **{"batch_size": 8, "workers": 0, **how})


def test_only_batches_that_were_handed_over_count() -> None:
    with loader(workers=2, prefetch=4) as ours:
        running = iter(ours)
        next(running)
        next(running)
        state = ours.state_dict()
    assert (state["epoch"], state["batch"]) == (0, 2)
    assert json.loads(json.dumps(state)) == state


def test_the_end_of_an_epoch_is_the_beginning_of_the_next() -> None:
    ours, other = loader(), loader()
    for _ in ours:
        last = ours.state_dict()
    other.load_state_dict(last)
    assert other.epoch == 1
    assert hashes(other) == hashes(ours)
    fresh = loader()
    fresh.load_state_dict(ours.state_dict())
    assert (fresh.epoch, len(hashes(fresh))) == (2, 40)


def test_other_ranks_of_the_same_batch_may_go_on() -> None:
    state = loader().state_dict()
    loader(batch_size=2, world_size=4, rank=3, workers=2, prefetch=9).load_state_dict(state)


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ("seed", {"seed": 3}),
        ("dataset", {"x": X + 1}),
        ("dataset", {"y": Y + 1}),
        ("pipeline", {"pipe": im.Pipeline([im.Flip("y", p=0.5)], seed=2)}),
        ("pipeline", {"reduced": False}),
        ("order", {"shuffle": False}),
        ("order", {"shuffle": 10}),
        ("order", {"drop_last": True}),
        ("order", {"weights": np.arange(40) + 1.0}),
        ("batch_size", {"batch_size": 4}),
    ],
)
def test_the_state_of_another_loader_is_refused(words: str, how: dict[str, Any]) -> None:
    with pytest.raises(im.InputError, match=f"another .*{words}"):
        loader().load_state_dict(loader(**how).state_dict())


@pytest.mark.parametrize("change", [{"imagemill": 2}, {"epoch": -1}, {"batch": 1.5}, {"seed": "x"}, {"more": 1}])
def test_what_is_no_state_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(im.InputError, match="state"):
        loader().load_state_dict({**loader().state_dict(), **change})
