from __future__ import annotations

import gc
import threading

import numpy as np
import pytest

import imagemill as im
from imagemill.engine.buffers import KEPT, LEAST, Buffers

SHAPE = (2, LEAST)


@pytest.mark.parametrize(
    "look",
    [
        lambda a: a,
        lambda a: a[1:, ::2],
        lambda a: a.reshape(-1)[:1],
        lambda a: a.T.view(np.int8),
        lambda a: memoryview(a),
        lambda a: np.asarray(memoryview(a)),
    ],
)
def test_memory_somebody_looks_at_is_not_handed_out(look) -> None:
    buffers = Buffers()
    array = buffers.empty(SHAPE, np.uint8)
    array[...] = 7
    seen = look(array)
    del array
    for _ in range(KEPT + 2):
        buffers.empty(SHAPE, np.uint8)[...] = 1
    assert (np.asarray(seen).view(np.uint8) == 7).all()


def test_memory_that_is_done_with_comes_back() -> None:
    buffers = Buffers()
    places = set()
    for _ in range(10):
        array = buffers.empty(SHAPE, np.float32)
        places.add(array.ctypes.data)
        del array
    assert len(places) == 1
    assert buffers.empty((LEAST // 8,), np.float32).ctypes.data not in places  # much too small for it


def test_only_a_few_are_kept() -> None:
    buffers = Buffers()
    held = [buffers.empty(SHAPE, np.uint8) for _ in range(3 * KEPT)]
    assert len({a.ctypes.data for a in held}) == 3 * KEPT
    assert len(buffers._owners) == KEPT


def test_no_two_threads_get_the_same() -> None:
    buffers, found, gate = Buffers(), [], threading.Barrier(8)

    def take() -> None:
        gate.wait()
        found.extend(buffers.empty(SHAPE, np.uint8) for _ in range(5))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len({a.ctypes.data for a in found}) == 40


def test_a_batch_that_is_kept_stays_as_it_was() -> None:
    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (96, 120, 3), dtype=np.uint8) for _ in range(8)]
    pipe = im.Pipeline([im.RandomResizedCrop((224, 224)), im.ToDtype("float32")], seed=1)
    first = pipe.batch(photos, keys=range(8)).image
    copy, part = first.copy(), first[3]
    del first
    gc.collect()
    for epoch in range(1, 8):
        pipe.batch(photos, keys=range(8), epoch=epoch)
    np.testing.assert_array_equal(part, copy[3])
    np.testing.assert_array_equal(pipe.batch(photos, keys=range(8)).image, copy)
