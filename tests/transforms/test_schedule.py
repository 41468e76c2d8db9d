"""A probability that changes with the epochs: by its formula, the same in loaders, replays and files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import imagemill as im

N = 4000
WHITE = np.zeros((N, 1, 1), np.uint8)
PIPE = im.Pipeline([im.Schedule([im.Invert()], {10: 1.0, 2: 0.2, 6: 0.4}, p=0.9), im.Brightness((0.2, 0.9))], seed=1)


def inverted(epoch: int) -> Any:
    return PIPE.batch(WHITE, keys=range(N), epoch=epoch).image[:, 0, 0] > 0


def test_shares_follow_the_line_between_the_epochs_that_are_said() -> None:
    # 0.2 until epoch 2, then 0.05 more in each until epoch 6, then 0.15 more until epoch 10; of 90 percent.
    for epoch, chance in ((0, 0.2), (2, 0.2), (3, 0.25), (6, 0.4), (7, 0.55), (10, 1.0), (30, 1.0)):
        share = inverted(epoch).mean()
        assert abs(share - 0.9 * chance) < 4 * np.sqrt(0.25 / N), (epoch, share)


def test_what_others_draw_does_not_go_by_the_chance() -> None:
    always = im.Pipeline([im.Schedule([im.Invert()], {0: 1}), im.Brightness((0.2, 0.9))], seed=1)
    for epoch in (0, 6, 10):
        ran = inverted(epoch)
        made, whole = (p.batch(WHITE, keys=range(N), epoch=epoch).image for p in (PIPE, always))
        np.testing.assert_array_equal(made[ran], whole[ran])


def test_loaders_count_the_epochs_and_recipes_hold_them() -> None:
    images = np.zeros((64, 2, 2), np.uint8)
    pipe = im.Pipeline([im.Schedule([im.Invert()], {0: 0, 2: 1})], seed=3)
    with im.Loader((images, np.zeros(64, int)), pipe, batch_size=16) as loader:
        shares = []
        for _ in range(4):
            batches = list(loader)
            shares.append(np.concatenate([b.image for b in batches]).mean() / 255)
            key, recipe = int(batches[0].keys[0]), batches[0].recipe[0]
            np.testing.assert_array_equal(pipe.replay(recipe, images[key]).image, batches[0].image[0])
    assert (shares[0], shares[2:]) == (0, [1, 1])
    assert 0.2 < shares[1] < 0.8
    for epoch in (0, 2, 0):  # drawn ahead for calls without a key
        pipe.set_epoch(epoch)
        assert [int(pipe(images[0])[0, 0]) for _ in range(5)] == [255 * (epoch // 2)] * 5


def test_files_and_words_say_it() -> None:
    assert im.Pipeline.from_yaml(PIPE.to_yaml()) == PIPE == im.Pipeline.from_json(PIPE.to_json())
    assert im.Pipeline.from_json(PIPE.to_json()).digest == PIPE.digest
    assert "Schedule([Invert()], p=0.9, chance={2: 0.2, 6: 0.4, 10: 1.0})" in repr(PIPE)
    said = "all of these run, for 18% in epoch 2, 36% in epoch 6, 90% in epoch 10, in equal steps between"
    assert said in PIPE.explain()
    assert "operations that run on each image: 1 to 2" in PIPE.explain()
    assert im.Schedule([im.Flip("x")], {0: 1}).variants() == 1
    assert im.Schedule([im.Flip("x")], {0: 0.5}).variants() == 2


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        ({}, "for one epoch at least"),
        (0.5, "for one epoch at least"),
        ({-1: 0.5}, "from 0 on, in whole numbers, got -1"),
        ({0.5: 0.5}, "whole numbers, got 0.5"),
        ({0: 1.5}, r"for epoch 0 to be a number from 0 to 1, got 1.5"),
        ({0: 0, "0": 1}, "each epoch once, got 0 twice"),
    ],
)
def test_what_is_no_schedule_is_refused(chance: Any, said: str) -> None:
    with pytest.raises(im.ParameterError, match=said):
        im.Schedule([im.Invert()], chance)
