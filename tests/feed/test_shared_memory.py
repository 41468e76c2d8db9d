"""Batches of other processes may be held by the hundred: they need memory, and no open files."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import imagemill as im
from imagemill.core.errors import WorkerError
from imagemill.feed import Loader
from imagemill.feed.workers.shared_memory import Block
from imagemill.feed.workers.worker import Job, _answer, _Desk
from tests.architecture.repository import ROOT, SRC, environment

PROGRAM = """
import os, resource
import numpy as np
import imagemill as im
from imagemill.feed import Loader

LIMIT = 48

def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    x = np.random.default_rng(0).integers(0, 256, (600, 150, 150, 3), dtype=np.uint8)
    same = im.Pipeline([im.Flip("y")], seed=0)
    with Loader((x,), same, batch_size=1, workers="process:2", shuffle=False) as loader:
        held = list(loader)
    assert [np.array_equal(batch.image[0], image[::-1]) for batch, image in zip(held, x)] == [True] * 600
    print("held", len(held))

if __name__ == "__main__":
    main()
"""


def test_six_hundred_held_batches_need_no_open_files(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "program.py"]
    run = subprocess.run(command, env=environment(SRC, ROOT), cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stdout.strip()) == (0, "held 600"), run.stderr


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
def test_a_block_keeps_its_memory_without_its_file() -> None:
    before = len(os.listdir("/proc/self/fd"))
    block = Block.new(5000)
    here, there = multiprocessing.Pipe()
    with here, there:
        block.send(here)
        same = Block.receive(there)
        block.close_file()
        assert len(os.listdir("/proc/self/fd")) == before + 2, "expected the two ends of the pipe"
    block.bytes[7] = 5
    rows = same.bytes[:100]
    del same, block
    assert int(rows[7]) == 5, "expected what is mapped to stay as long as a view of it"
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_closed_block_cannot_be_sent() -> None:
    block = Block.new(10)
    block.close_file()
    block.close_file()
    here, there = multiprocessing.Pipe()
    with here, there, pytest.raises(ValueError, match="was closed"):
        block.send(here)


def _full(*_: Any) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.fixture
def no_more_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("memfd_create", "dup"):
        monkeypatch.setattr(os, name, _full, raising=False)
    monkeypatch.delattr(os, "memfd_create")


@pytest.mark.usefixtures("no_more_files")
def test_when_files_run_out_the_error_says_so_and_not_memory() -> None:
    with pytest.raises(WorkerError, match=r"limit of open files; close some, raise it \(ulimit -n 4096\)"):
        Block.new(100)


@pytest.mark.usefixtures("no_more_files")
def test_a_worker_without_files_says_so_instead_of_dying() -> None:
    x = np.zeros((4, 8, 8, 3), np.uint8)
    maker = Loader((x,), im.Pipeline([im.Flip("x")], seed=0), batch_size=2, workers=0)._maker
    control = np.ones(1, np.int64)
    # One that lays the block ready before it makes the batch, and one that does not know its size yet.
    for size in (1 << 20, 0):
        reply = _answer(Job(1, 0, 0, 0, 0, size, ()), maker, _Desk(), control)
        assert reply.failure is not None
        error = reply.failure.raised()
        assert isinstance(error, WorkerError)
        assert "limit of open files" in str(error)
