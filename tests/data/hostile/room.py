"""Running calls on harmful input in a process of its own, and what must hold for every one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import imagemill as im
from imagemill.data import Picture

CHILD = Path(__file__).with_name("child.py")
MEMORY = 1 << 30
SECONDS = 600  # for all calls of a test; child.py has one for each

Call = tuple[str, Path, dict[str, Any]]


def good(path: Path, seed: int = 0) -> Path:
    """A picture or volume without fault."""
    shape: tuple[int, ...] = (4, 6, 8) if ".nii" in path.name else (12, 16, 3)
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    im.write_picture(path, Picture(values, "zyx" if ".nii" in path.name else "yxc"))
    return path


def around(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file around the outputs, with its size and time: nothing of it may change."""
    kept = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith("out")]
        for name in files:
            if name.startswith("out"):
                continue
            told = os.lstat(Path(place) / name)
            kept[os.path.join(place, name)] = (told.st_size, told.st_mtime_ns)
    return kept


def run(folder: Path, calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Make the calls in a child, and hold what holds for all: no crash, no hang, little memory, nothing written."""
    job = folder / "out-job.json"
    job.write_text(json.dumps([[way, str(path), more] for way, path, more in calls]))
    before = around(folder)
    done = subprocess.run(
        [sys.executable, str(CHILD), str(job)], cwd=folder, timeout=SECONDS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    *found, last = [json.loads(line) for line in job.with_suffix(".out").read_text().splitlines()]
    assert len(found) == len(calls)
    for one in found:
        assert one["outcome"] not in ("CRASH", "LATE"), f"{one['way']} of {one['path']}: {one['message']}"
        if one["outcome"] != "read":  # an error names what it is about, and says what was expected
            assert "expected" in one["message"], one
    assert last["peak"] < MEMORY, f"{last['peak'] >> 20} MiB"
    assert around(folder) == before
    return found
