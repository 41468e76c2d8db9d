"""A comparison is a process that may be killed at any time: what it left is gone on from, to the same bytes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import imagemill as im
from imagemill.evaluate.comparisons.kept_runs import KeptRuns
from tests.app.terminal import imagemill
from tests.evaluate.made_up import sides

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork and no SIGKILL")

Asked = list[str]


def command(asked: Asked, before: Callable[[], None]) -> None:
    """The command in a process of its own."""
    torch.set_num_threads(1)
    before()
    said = imagemill(*asked)
    os._exit(said.code)


def nothing() -> None:
    """What a process that is not killed does before."""


def started(asked: Asked, before: Callable[[], None] = nothing) -> Any:
    # Forks of a server that has loaded everything and started no thread: pools of threads do not survive a fork.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["imagemill.evaluate", "tests.evaluate.test_killed"])
    process = context.Process(target=command, args=(asked, before))
    process.start()
    return process


def finished(asked: Asked) -> None:
    """The same command in this process, which has everything loaded after the first."""
    said = imagemill(*asked)
    assert said.code == 0, said.err


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """A comparison of two arms and two seeds, but for its folder."""
    folder, data = tmp_path_factory.mktemp("killed"), sides(40)
    im.prepare(im.from_arrays(*data.train, classes=data.classes), folder / "set", split=(0.6, 0.0, 0.4))
    im.Pipeline([im.Flip("x", p=0.5)], seed=0).to_yaml(folder / "flip.yaml")
    how = ["--model", "dense", "--epochs", "1", "--batch", "16", "--workers", "0", "--seeds", "2"]
    return ["compare", str(folder / "set"), "-p", str(folder / "flip.yaml"), *how]


@pytest.fixture(scope="module")
def unbroken(asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("unbroken") / "out"
    finished([*asked, "-o", str(out)])
    return (out / "results.json").read_bytes()


class Killing:
    """Ends the process by SIGKILL where it is for the given time at a point."""

    def __init__(self, where: str, count: int) -> None:
        self.where, self.left = where, count

    def __call__(self) -> None:
        saved, put, write = np.savez, KeptRuns.put, Path.write_text

        def at(where: str) -> None:
            self.left -= where == self.where
            if where == self.where and not self.left:
                os.kill(os.getpid(), signal.SIGKILL)

        def savez(file: Any, **arrays: Any) -> None:
            file.write(b"PK, and no more")
            file.flush()
            at("within")
            file.seek(0)
            saved(file, **arrays)

        def kept(self: KeptRuns, run: Any) -> None:
            put(self, run)
            at("after")

        def write_text(self: Path, text: str, *more: Any) -> int:
            if "results.json" in self.name:
                write(self, text[: len(text) // 2], *more)
                at("results")
            return write(self, text, *more)

        # In this process alone, which does not come back.
        np.savez, KeptRuns.put, Path.write_text = savez, kept, write_text  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(("where", "count", "whole"), [("within", 2, 1), ("after", 3, 3), ("results", 1, 4)])
def test_killed_at_a_point_and_run_again_it_ends_in_the_same_bytes(
    where: str, count: int, whole: int, asked: Asked, unbroken: bytes, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    process = started([*asked, "-o", str(out)], Killing(where, count))
    process.join(1200)
    assert process.exitcode == -signal.SIGKILL
    assert not (out / "results.json").exists()
    assert len(list((out / "runs").glob("*.npz"))) == whole
    assert bool(list((out / "runs").glob(".*.part"))) == (where == "within")
    finished([*asked, "-o", str(out)])
    assert (out / "results.json").read_bytes() == unbroken
    assert sorted(path.name for path in (out / "runs").iterdir()) == [
        f"{arm}-{seed}.npz" for arm in ("flip", "none") for seed in (0, 1)
    ]


def test_killed_from_outside_while_it_trains(asked: Asked, unbroken: bytes, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = started([*asked, "-o", str(out), "--seeds", "50"])
    while process.is_alive() and not list(out.glob("runs/*-1.npz")):
        time.sleep(0.002)
    process.kill()
    process.join(1200)
    assert process.exitcode == -signal.SIGKILL
    assert not (out / "results.json").exists()
    finished([*asked, "-o", str(out)])
    assert (out / "results.json").read_bytes() == unbroken
