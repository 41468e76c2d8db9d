"""Batches by way of Ray Data are the loader's own: order, draws, the short last one, epoch after epoch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import InputError
from imagemill.feed.adapters.ray_data import _arrays

pytest.importorskip("ray.data", reason="Ray has no wheel for this Python or system")

X = np.random.default_rng(0).integers(0, 256, (22, 12, 10, 3), np.uint8)
PIPE = im.Pipeline([im.Flip("x", p=0.5), im.RandomResizedCrop(8), im.Brightness((0.8, 1.2))], seed=3)


@pytest.fixture
def cluster() -> Iterator[None]:
    from imagemill.jobs.ray.cluster import connected

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, of what it will change
        made = connected("ray", 1)
        yield
        made.close()


def loader(**how: Any) -> im.Loader:
    return im.Loader((X, np.arange(len(X))), PIPE, batch_size=4, workers=0, seed=3, **how)


def test_batches_are_those_of_the_loader_in_each_epoch_and_rank(cluster: None) -> None:
    for how in ({}, {"rank": 1, "world_size": 2}):
        by_ray, plain = loader(**how).ray(actors=1), loader(**how)
        for _ in range(2 if not how else 1):
            for one, other in zip(by_ray, plain, strict=True):
                assert np.array_equal(one["image"], other.image)
                assert np.array_equal(one["label"], other.label)
    tensors = next(iter(loader().ray(("image",), actors=1).iter_torch_batches()))
    assert np.array_equal(tensors["image"].numpy(), loader().batch(0, epoch=0).image)


def test_columns_that_are_no_arrays_are_named() -> None:
    boxes = [np.zeros((2, 4)), np.zeros((1, 4))]
    with pytest.raises(InputError, match=r"got boxes.*columns=\('image', 'label'\)"):
        _arrays({"image": X[:2], "boxes": boxes}, None)
    assert list(_arrays({"image": X[:2], "boxes": boxes}, ("image",))) == ["image"]


@pytest.mark.parametrize("actors", [0, True, 1.5])
def test_actors_are_counted(actors: Any) -> None:
    with pytest.raises(InputError, match="actors"):
        loader().ray(actors=actors)
