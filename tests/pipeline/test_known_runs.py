"""Batches whose keys come in a known run share draws; what each gives is what its keys give alone."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.late_list import LateList
from imagemill.core.randomness.known_runs import Run

LISTED = [im.RandomResizedCrop((6, 7)), im.Rotate((-20, 20)), im.Flip("x", p=0.5), im.ColorJitter(contrast=(0.5, 1.5))]
IMAGES = np.random.default_rng(1).integers(0, 256, (96, 8, 9, 3), dtype=np.uint8)
KEYS = np.random.default_rng(2).integers(0, 1 << 60, 96).astype(np.uint64)


def run(first: int, last: int, said: object = "one", keys: Any = KEYS) -> Run:
    return Run(keys[first:last], said, first, lambda number, count: keys[number : number + count])


def check(pipe: im.Pipeline, first: int, last: int, epoch: int = 3, **more: Any) -> None:
    made = pipe.batch(IMAGES[first:last], keys=run(first, last, **more), epoch=epoch)
    keys = more.get("keys", KEYS)
    same = im.Pipeline(LISTED, seed=4).batch(IMAGES[first:last], keys=keys[first:last], epoch=epoch)
    np.testing.assert_array_equal(made.image, same.image)
    assert made.recipe == same.recipe
    assert [made.applied[i] for i in range(last - first)] == [same.applied[i] for i in range(last - first)]
    np.testing.assert_array_equal(made.affine, same.affine)


def test_eight_batches_of_a_run_are_drawn_at_once_and_the_rest_that_is_left(drawn: list[int]) -> None:
    pipe = im.Pipeline(LISTED, seed=4)
    for first in (0, 40, 80, 40):  # also out of turn
        check(pipe, first, min(first + 40, 96))
    # Those of the other pipeline, which draws for each batch alone, are in between.
    assert drawn == [96, 40, 40, 16, 40]


def test_other_runs_epochs_and_kinds_draw_for_themselves(drawn: list[int]) -> None:
    pipe = im.Pipeline(LISTED, seed=4)
    check(pipe, 0, 12)
    check(pipe, 12, 24, epoch=4)
    check(pipe, 24, 36, said="another", keys=KEYS[::-1].copy())
    assert [n for n in drawn if n != 12] == [96, 84, 72]
    wide = pipe.batch(IMAGES[36:48, :, :8], keys=run(36, 48), epoch=3)
    same = im.Pipeline(LISTED, seed=4).batch(IMAGES[36:48, :, :8], keys=KEYS[36:48], epoch=3)
    np.testing.assert_array_equal(wide.image, same.image)
    with pytest.raises(im.InputError, match="expected 2 keys, one per sample, got 12"):
        pipe.batch(IMAGES[:2], keys=run(0, 12), epoch=3)


def test_threads_at_the_same_time_draw_once(drawn: list[int]) -> None:
    pipe = im.Pipeline(LISTED, seed=4)
    ready = threading.Barrier(4)

    def work(part: int) -> None:
        ready.wait(60)
        pipe.batch(IMAGES[24 * part : 24 * part + 24], keys=run(24 * part, 24 * part + 24), epoch=3)

    pipe.batch(IMAGES[:24], keys=run(0, 24), epoch=2)
    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # Whoever comes first draws for those behind; one that stands in front of it draws once more.
    assert len(drawn) <= 1 + 4
    assert sum(drawn) <= 96 + 96 + 72 + 48 + 24
    check(pipe, 72, 96)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_draws_for_many_of_its_batches_at_once(drawn: list[int], workers: int) -> None:
    x = np.random.default_rng(0).integers(0, 256, (1000, 8, 9, 3), dtype=np.uint8)
    with im.Loader((x,), im.Pipeline(LISTED, seed=4), batch_size=16, workers=workers) as loader:
        made = list(loader)
        # A batch alone is drawn alone.
        alone = loader.batch(61, epoch=0)
    assert len(made) == 63
    assert sum(drawn) < 3 * 1000
    assert len(drawn) <= 1 + 1000 // 128 + 2 * (workers > 0) + 1
    np.testing.assert_array_equal(alone.image, made[61].image)
    for batch in (made[0], made[33], made[62]):
        same = im.Pipeline(LISTED, seed=4).batch(x[batch.keys], keys=batch.keys, epoch=0)
        np.testing.assert_array_equal(batch.image, same.image)
        assert [batch.recipe[i].key for i in range(len(batch))] == list(batch.keys)


def test_late_lists_are_lists() -> None:
    made: list[int] = []

    def make() -> list[str]:
        made.append(1)
        return ["a", "b", "c"]

    late = LateList(3, make)
    part = late[1:][:1]
    assert (len(late), len(part), made) == (3, 1, [])
    assert part == ["b"] == list(part)
    assert late != ["a"]
    assert (late + ["d"], ["z"] + late) == (["a", "b", "c", "d"], ["z", "a", "b", "c"])  # noqa: RUF005  # as users may
    assert (late[-1], "b" in late, repr(late), made) == ("c", True, "['a', 'b', 'c']", [1])
