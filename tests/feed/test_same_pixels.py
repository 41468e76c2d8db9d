"""The same samples for every number of workers, prefetched batches, batch size and ranks, and after any stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.feed import LoadedBatch, Loader
from tests.architecture.repository import ROOT, SRC, environment
from tests.feed.makes import PIPELINE, coco, hashes, jpegs, masked, total


def boxed(root: Path) -> Any:
    return im.open(coco(root))


def labelled(root: Path) -> Any:
    return im.open(jpegs(root))


def mapped(root: Path) -> Any:
    masked(root)
    return im.open(im.open_source(root / "images", masks=root / "masks"))


def stored(root: Path) -> Any:
    im.prepare(jpegs(root / "in"), root / "store", size=(40, 40))
    return im.open(root / "store")


SOURCES: dict[str, Callable[[Path], Any]] = {"boxes": boxed, "labels": labelled, "masks": mapped, "store": stored}


@pytest.fixture(params=list(SOURCES))
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return SOURCES[request.param](tmp_path)


def epochs(dataset: Any, **how: Any) -> Iterator[LoadedBatch]:
    with Loader(dataset, PIPELINE, split="all", **how) as loader:
        for _ in range(2):
            yield from loader


def test_workers_prefetch_batch_size_and_ranks_change_nothing(dataset: Any) -> None:
    truth = hashes(epochs(dataset, workers=0, batch_size=16))
    assert len(truth) == 2 * len(dataset)
    assert len(set(truth.values())) == len(truth), "expected every sample of every epoch to be another one"
    for workers in (1, 2, 4):
        assert hashes(epochs(dataset, workers=workers, prefetch=8, batch_size=32)) == truth
    assert hashes(epochs(dataset, workers=2, prefetch=1, batch_size=5, shuffle=6)) == truth
    for world_size in (2, 4):
        parts = [
            hashes(epochs(dataset, workers=1, batch_size=16, rank=r, world_size=world_size)) for r in range(world_size)
        ]
        together = {key: value for part in parts for key, value in part.items()}
        assert sum(map(len, parts)) == len(together)
        assert together == truth


def test_a_batch_by_number_is_the_one_that_comes_in_turn(dataset: Any) -> None:
    loader = Loader(dataset, PIPELINE, split="all", batch_size=8, workers=2)
    in_turn = hashes(loader)
    assert hashes(loader.batch(number, epoch=0) for number in reversed(range(len(loader)))) == in_turn


def test_going_on_after_every_batch_gives_the_rest(dataset: Any) -> None:
    truth = [hashes([batch]) for batch in epochs(dataset, workers=0, batch_size=8)]
    with Loader(dataset, PIPELINE, split="all", batch_size=8, workers=2, prefetch=4) as loader:
        states = []
        for _ in range(2):
            for batch in loader:
                assert hashes([batch]) == truth[len(states)]
                states.append(json.loads(json.dumps(loader.state_dict())))
    for done, state in enumerate(states, 1):
        with Loader(dataset, PIPELINE, split="all", batch_size=8, workers=1) as other:
            other.load_state_dict(state)
            rest = []
            while other.epoch < 2:
                rest += [hashes([batch]) for batch in other]
        assert rest == truth[done:]


PROGRAM = """
import json, sys, time
from pathlib import Path
import imagemill as im
from imagemill.feed import Loader
from tests.feed.makes import PIPELINE, hashes

folder, state, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
loader = Loader(folder, PIPELINE, batch_size=8, workers=2, seed=7)
if state.exists():
    loader.load_state_dict(json.loads(state.read_text()))
while loader.epoch < 2:
    for batch in loader:
        for (epoch, key), value in hashes([batch]).items():
            print(epoch, key, value)
        print("end", flush=True)
        part = state.with_suffix(".part")
        part.write_text(json.dumps(loader.state_dict()))
        part.replace(state)
        last -= 1
        if not last:
            print("kill me", flush=True)
            time.sleep(600)
"""


def lines(text: str) -> list[list[str]]:
    """Samples by batch, of whole batches only."""
    return [part.split("\n") for part in text.replace("\r", "").split("end\n")[:-1]]


def test_a_killed_process_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, state = jpegs(tmp_path / "photos", 24), tmp_path / "state.json"
    truth = hashes(epochs(folder, workers=0, batch_size=8))
    expected = [f"{epoch} {key} {value}" for (epoch, key), value in truth.items()]
    command = [sys.executable, "-c", PROGRAM, str(folder), str(state)]
    env = environment(SRC, ROOT)
    with subprocess.Popen([*command, "2"], env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said = "".join(iter(running.stdout.readline, "kill me\n"))
        os.kill(running.pid, signal.SIGKILL)
    assert json.loads(state.read_text())["batch"] == 2
    first = [line for batch in lines(said) for line in batch if line]
    again = subprocess.run(
        [*command, "0"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True
    )
    rest = [line for batch in lines(again.stdout) for line in batch if line]
    assert first + rest == expected


def test_pixels_do_not_depend_on_what_else_is_there(tmp_path: Path) -> None:
    folder = jpegs(tmp_path, 20)
    before = hashes(epochs(folder, workers=1, batch_size=8))
    jpegs(tmp_path, 23)
    after = hashes(epochs(folder, workers=1, batch_size=8))
    assert len(after) == 46
    assert {key: after[key] for key in before} == before


def test_epochs_differ_and_come_again() -> None:
    x = np.random.default_rng(1).integers(0, 256, (40, 30, 30, 3), dtype=np.uint8)
    loader = Loader((x, np.arange(40)), PIPELINE, batch_size=16, workers=2)
    one, two = hashes(loader), hashes(loader)
    assert not set(one.values()) & set(two.values())
    loader.set_epoch(0)
    assert total(hashes(loader)) == total(one)
    loader.close()
