"""What grows with the records while a store is prepared: processor seconds and MiB, for 1e4, 1e5 and 1e6 tiny ones.

``python -m bench.machines.growing [COUNT ...] [--on ray] [--file-rows N]``. Pictures of 8x8 are made from their number;
each count runs in a process of its own. Memory is the peak of that process above what it had after imports; the source
itself, which is there before anything is prepared, is told apart. Processor time is that of the process.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

SIDE = 8


def picture(number: int) -> np.ndarray:
    """Pixels that no other number has."""
    made = np.full((SIDE, SIDE, 3), number % 251, np.uint8)
    made[0, 0], made[0, 1] = [number >> 16 & 255, number >> 8 & 255, number & 255], number % 7
    return made


def peak() -> float:
    """MiB of this process, at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count: int, on: str | None, file_rows: int | None) -> None:
    """Print a row."""
    import imagemill as im
    from imagemill.data import Record, Stored
    from imagemill.data.layouts.base import Source

    with tempfile.TemporaryDirectory() as root:

        def made(some: int) -> Source:
            records = (Record(f"{n:08d}", Stored("made up", partial(picture, n), "yxc"), label=str(n % 10))
                       for n in range(some))  # fmt: skip
            return Source(Path(root, "source"), "made up", tuple(records))

        im.prepare(made(40), Path(root, "warm"), size=SIDE)
        before = peak()
        source = made(count)
        held, at, wall = peak(), time.process_time(), time.perf_counter()
        im.prepare(source, Path(root, "store"), size=SIDE, split=(0.8, 0.1, 0.1), on=on, file_rows=file_rows)
        seconds, wall = time.process_time() - at, time.perf_counter() - wall
        found = peak() - held
        print(f"{on or 'threads':8} {count:9,} {seconds:8.1f} s {seconds / count * 1e3:6.3f} ms each, "
              f"wall {wall:6.1f} s; source {held - before:6.0f} MiB, above it {found:6.0f} MiB, "
              f"{found * 2**20 / count:6.0f} bytes each", flush=True)  # fmt: skip


def main() -> None:
    """Print a row for each count."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("counts", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    asked.add_argument("--on")
    asked.add_argument("--file-rows", type=int)
    asked.add_argument("--alone", action="store_true")
    got = asked.parse_args()
    if got.alone:
        measure(got.counts[0], got.on, got.file_rows)
        return
    for count in got.counts:
        more = [*(["--on", got.on] if got.on else []), *(["--file-rows", str(got.file_rows)] if got.file_rows else [])]
        subprocess.run([sys.executable, "-m", "bench.machines.growing", str(count), "--alone", *more], check=True)


if __name__ == "__main__":
    main()
