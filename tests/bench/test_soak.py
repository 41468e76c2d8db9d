"""The soak measures and reports what it says, on a store that takes seconds, without any of the peers."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import imagemill as im
from bench.feed import data, soak
from imagemill.feed import Loader

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, which only Linux has")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("soak")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("IMAGEMILL_DATA", raising=False)
        return data.prepared(root, data.small_pictures(root, 600), 32)


def slow(image: Any) -> Any:
    time.sleep(0.001)
    return image


def slow_loader(store: Path) -> Loader:
    """One that is not done with an epoch before anybody looks."""
    return Loader(im.open(store), im.Pipeline([im.Apply(slow)], seed=7), split="all", batch_size=16, workers=2)


def one(number: int, anonymous: float) -> soak.Epoch:
    return soak.Epoch(number, 600, 0.1, 2 * anonymous, anonymous, 1000, 3, 1)


def test_the_slope_is_that_of_settled_epochs() -> None:
    settles = [one(n, 90_000 + 5000 * n if n < 10 else 200_000 + 3 * n) for n in range(1, 101)]
    first, grown = soak.slope(settles)
    assert first == 10
    assert grown == pytest.approx(3)
    assert soak.slope(settles[:1]) == (1, 0.0)
    assert soak.slope(settles[:4])[0] == 3


def test_memory_that_is_kept_is_anonymous() -> None:
    resident, anonymous = soak.memory()
    kept = b"x" * (64 << 20)
    more, own = soak.memory()
    assert len(kept) >> 10 <= own - anonymous + 1024
    assert own <= more
    assert more >= resident


def test_epochs_and_lines(store: Path) -> None:
    lines = list(soak.soaked(soak._loader(im.open(store)), 3))
    assert [line.split(" | ")[0] for line in lines[2:4]] == ["| 1", "| 3"]
    assert "from epoch 2 on" in lines[-1]
    read = list(soak.epochs(slow_loader(store), 2))
    assert [(epoch.number, epoch.images) for epoch in read] == [(1, 600), (2, 600)]
    assert read[0].busy > read[0].threads, "expected threads at work in the middle, and none at the end"


def test_closing_says_who_worked_and_who_is_left(store: Path) -> None:
    loader = slow_loader(store)
    said = soak.closed(loader)
    assert said.startswith("`close()` with imagemill-feed-0, imagemill-feed-1 at work took")
    assert said.endswith("none left: met.")
    over = threading.Event()
    threading.Thread(target=over.wait, name="imagemill-feed-9", daemon=True).start()
    try:
        assert soak.closed(loader).endswith("**missed**, left: imagemill-feed-9.")
    finally:
        over.set()


def test_an_error_names_the_sample(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = soak.failing(im.open(store))
    key = said.split("`")[1]
    assert "after 2 of 5 batches" in said
    assert said.count(key) == 2
    assert "its name is in the error: met; threads left: none." in said
    monkeypatch.setattr(im, "Apply", lambda function: im.Flip("x"))
    assert "its name is in the error: **missed**" in soak.failing(im.open(store))


def test_a_child_ends_by_the_signal(store: Path) -> None:
    heads, _, *rows = soak.interruptions(store, tries=1)
    assert "exit code" in heads
    assert [row.split(" | ")[0] for row in rows] == ["| 2", "| process:2"]
    assert all(f" | {-signal.SIGINT} | " in row for row in rows), rows
    # A busy machine may miss the time that is aimed at; nobody may be left on any.
    assert all(row.endswith((" met |", ", 0 left |")) for row in rows), rows


def test_a_child_that_outlives_the_signal_is_told(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "interrupted", lambda *_: (1.5, 0, [7]))
    assert list(soak.interruptions(store, tries=1))[-1].endswith("| 1.500 | 0 | **missed**, 1 left |")
