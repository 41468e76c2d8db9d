"""Threads end when nobody wants their batches any more."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import imagemill as im
from imagemill.feed import Loader
from tests.architecture.repository import SRC, environment

X = np.zeros((20_000, 16, 16, 3), np.uint8)
PIPE = im.Pipeline([im.Flip("x", p=0.5)], seed=2)


def ours() -> int:
    return sum(thread.name.startswith("imagemill-feed") for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def _threads_before_and_after() -> Any:
    assert ours() == 0
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    gc.collect()
    assert ours() == 0
    assert cv2.getNumThreads() == 3, "expected the setting as it was"
    cv2.setNumThreads(before)


def test_an_epoch_that_is_read_to_its_end_leaves_nothing() -> None:
    loader = Loader((X,), PIPE, workers=3)
    for _ in loader:
        assert ours() <= 3
        assert cv2.getNumThreads() == 1
    assert ours() == 0


def test_leaving_early_stops_the_workers() -> None:
    loader = Loader((X,), PIPE, workers=3)
    for _ in loader:
        break
    assert ours() == 0


def test_closing_stops_them_while_the_iterator_is_held() -> None:
    loader = Loader((X,), PIPE, workers=3, batch_size=4)
    running = iter(loader)
    next(running)
    assert ours() == 3
    loader.close()
    assert ours() == 0
    with pytest.raises(im.InputError, match="closed in the middle"):
        next(running)
    loader.close()


def test_a_with_block_stops_them() -> None:
    with Loader((X,), PIPE, workers=2, batch_size=4) as loader:
        running = iter(loader)
        next(running)
        assert ours() == 2
    assert ours() == 0
    del running


def test_so_does_the_garbage_collector() -> None:
    running = iter(Loader((X,), PIPE, workers=2, batch_size=4))
    next(running)
    assert ours() == 2
    del running
    gc.collect()
    assert ours() == 0


def test_an_error_of_the_consumer_stops_them() -> None:
    loader = Loader((X,), PIPE, workers=2, batch_size=4)

    def train() -> None:
        for _ in loader:
            raise RuntimeError("the network broke")

    with pytest.raises(RuntimeError, match="broke"):
        train()
    loader.close()


def test_batches_that_are_kept_stay_as_they_are() -> None:
    x = np.random.default_rng(0).integers(0, 256, (64, 96, 96, 3), dtype=np.uint8)
    pipe = im.Pipeline([im.Normalize((0.5,) * 3, (0.5,) * 3)], seed=0)
    with Loader((x,), pipe, workers=2, batch_size=16, shuffle=False) as loader:
        kept = [batch.image for _ in range(5) for batch in loader]
    copies = pipe.batch(x).image
    for number, image in enumerate(kept):
        at = number % 4 * 16
        assert np.array_equal(image, copies[at : at + 16])


PROGRAM = """
import sys, threading, time
import numpy as np, imagemill as im
from imagemill.feed import Loader

x = np.zeros((2000, 64, 64, 3), np.uint8)
def slow(image):
    time.sleep(0.02)
    return image
loader = Loader((x,), im.Pipeline([im.Apply(slow)], seed=0), workers=2, batch_size=32)
print("ready", flush=True)
try:
    for batch in loader:
        print("batch", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_returns(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, env=environment(SRC), cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        while "batch" not in running.stdout.readline():
            pass
        os.kill(running.pid, signal.SIGINT)
        rest = running.stdout.read()
        code = running.wait(600)
    assert "interrupted" in rest
    assert code == 0
