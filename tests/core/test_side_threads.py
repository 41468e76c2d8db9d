"""Work that is shared with threads which are kept."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.side_threads import side_by_side


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    assert side_by_side(lambda x: x * x, range(40), workers) == [x * x for x in range(40)]
    assert side_by_side(str, [], workers) == []


def test_so_many_work_at_once_and_the_caller_is_one_of_them() -> None:
    meet, names = threading.Barrier(3, timeout=20), []

    def work(_: int) -> None:
        names.append(threading.current_thread().name)
        meet.wait()

    side_by_side(work, range(6), workers=3)  # would not end with fewer, nor let four in at once
    assert len({*names}) == 3
    assert threading.current_thread().name in names


def test_threads_are_kept_for_the_next_call() -> None:
    def name(_: int) -> str:
        meet.wait()
        return threading.current_thread().name

    seen = []
    for _ in range(5):
        meet = threading.Barrier(2, timeout=20)
        seen.append({*side_by_side(name, range(2), workers=2)})
    kept = {*threading.enumerate()}
    assert all(any(thread.name == one for thread in kept) for names in seen for one in names)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_error_of_the_first_item_that_has_one_is_raised(workers: int) -> None:
    begun, both = [], threading.Barrier(2, timeout=20)

    def work(i: int) -> int:
        begun.append(i)
        if workers > 1 and i in (1, 2):
            both.wait()  # the later one fails while the earlier one is at work
        if i in (1, 2):
            raise ValueError(i)
        return i

    with pytest.raises(ValueError, match="1"):
        side_by_side(work, range(1000), workers)
    assert len(begun) < 1000


def test_an_interrupt_ends_it_and_nothing_goes_on_behind() -> None:
    done: list[int] = []
    caller = threading.current_thread()

    def work(i: int) -> None:
        if threading.current_thread() is caller and i > 3:
            raise KeyboardInterrupt
        done.append(i)

    def until_it_is_the_caller_who_takes_a_later_item() -> None:
        while True:
            side_by_side(work, range(100), workers=2)

    with pytest.raises(KeyboardInterrupt):
        until_it_is_the_caller_who_takes_a_later_item()
    count = len(done)
    assert side_by_side(lambda i: i, range(8), workers=2) == [*range(8)]
    assert len(done) == count


def test_work_may_share_its_own_work() -> None:
    def inner(i: int) -> int:
        return sum(side_by_side(lambda k: k + i, range(5), workers=4))

    assert side_by_side(inner, range(60), workers=8) == [10 + 5 * i for i in range(60)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_that_was_forked_off_begins_threads_of_its_own() -> None:
    side_by_side(str, range(8), workers=4)
    child = os.fork()
    if child == 0:
        os._exit(0 if side_by_side(abs, range(-8, 0), workers=4) == [*range(8, 0, -1)] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("workers", [2, 5])
def test_batches_of_volumes_and_photos_are_the_same_by_any_number_of_threads(workers: int) -> None:
    rng = np.random.default_rng(0)
    volumes: list[Any] = [rng.random((12, 14, 16), np.float32) for _ in range(5)]
    photos: list[Any] = [rng.integers(0, 256, (70 + k, 80, 3), np.uint8) for k in range(5)]
    turned = im.Pipeline([im.Rotate((-20, 20), plane="all")], seed=1)
    seen = im.Pipeline([im.RandomResizedCrop((64, 64)), im.GaussianBlur((0.5, 1.5))], seed=1)
    for pipe, images, axes in ((turned, volumes, "zyx"), (seen, photos, None)):
        alone = pipe.batch(images, axes=axes, keys=range(5), workers=1).image
        np.testing.assert_array_equal(pipe.batch(images, axes=axes, keys=range(5), workers=workers).image, alone)
