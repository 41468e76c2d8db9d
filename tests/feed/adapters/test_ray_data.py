"""Batches by way of Ray Data are the loader's own: order, draws, the short last one, epoch after epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.feed.adapters.ray_data import _arrays, _Make
from tests.ray_here import a_cluster

pytest.importorskip("ray.data", reason="Ray has no wheel for this Python or system")

X = np.random.default_rng(0).integers(0, 256, (22, 12, 10, 3), np.uint8)
PIPE = im.Pipeline([im.Flip("x", p=0.5), im.RandomResizedCrop(8), im.Brightness((0.8, 1.2))], seed=3)


@pytest.fixture
def cluster() -> Iterator[None]:
    with a_cluster(1):
        yield


def loader(**how: Any) -> im.Loader:
    return im.Loader((X, np.arange(len(X))), PIPE, batch_size=4, workers=0, seed=3, **how)


def test_batches_are_those_of_the_loader_in_its_order(cluster: None) -> None:
    by_ray = loader().ray(("image", "label"), actors=1)
    for one, other in zip(by_ray.iter_torch_batches(), loader(), strict=True):
        assert np.array_equal(one["image"].numpy(), other.image)
        assert np.array_equal(one["label"].numpy(), other.label)
    assert by_ray.loader.epoch == 1


def test_an_actor_makes_any_batch_of_any_epoch_and_rank() -> None:
    for how in ({}, {"rank": 1, "world_size": 2}):
        made = _Make(loader(**how), None, 3)({"id": np.array([2])})
        assert np.array_equal(made["image"], loader(**how).batch(2, epoch=3).image)
        assert made["label"].tolist() == loader(**how).batch(2, epoch=3).label.tolist()


def test_columns_that_are_no_arrays_are_named() -> None:
    boxes = [np.zeros((2, 4)), np.zeros((1, 4))]
    with pytest.raises(InputError, match=r"got boxes.*columns=\('image', 'label'\)"):
        _arrays({"image": X[:2], "boxes": boxes}, None)
    assert list(_arrays({"image": X[:2], "boxes": boxes}, ("image",))) == ["image"]


@pytest.mark.parametrize("actors", [0, True, 1.5])
def test_actors_are_counted(actors: Any) -> None:
    with pytest.raises(InputError, match="actors"):
        loader().ray(actors=actors)
