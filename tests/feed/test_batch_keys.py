"""Keys of a loader's batch: a list, whatever the dataset keeps them in."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.late_list import LateList
from imagemill.feed.batch import LoadedBatch

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), np.uint8)
LABELS = np.arange(12) % 2


@pytest.fixture(params=["arrays", "store"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "arrays":
        return PICTURES, LABELS
    im.prepare((PICTURES, LABELS), tmp_path / "store", size=16)
    return tmp_path / "store"


@pytest.mark.parametrize("workers", [0, 2])
def test_keys_of_a_loader_are_a_list(source: Any, workers: int) -> None:
    seen = []
    with im.Loader(
        source, im.Pipeline([im.Flip("x", p=0.5)], seed=0), split="all", batch_size=4, workers=workers
    ) as loader:
        for batch in loader:
            sent = pickle.loads(pickle.dumps(batch))
            for one in (sent, copy.copy(batch), batch):
                assert type(one.keys) is list
                assert one.keys == json.loads(json.dumps(batch.keys))
            assert batch.part(slice(1, 3), 0).keys == batch.keys[1:3]
            seen += batch.keys
    assert len({*seen}) == 12


def test_text_of_keys_is_made_when_it_is_asked_for() -> None:
    made = []

    def make() -> list[str]:
        made.append(1)
        return ["a", "b", "c"]

    batch = LoadedBatch({"image": PICTURES[:3]}, (), (), np.zeros((3, 3, 3)), LateList(3, make))  # type: ignore[arg-type]
    assert made == []
    assert batch.keys is batch.keys
    assert (batch.keys, made) == (["a", "b", "c"], [1])
    with pytest.raises(AttributeError, match="expected one of this batch's columns"):
        batch.nothing  # noqa: B018  # asked for
