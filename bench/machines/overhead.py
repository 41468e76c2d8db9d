"""What Ray adds to a shard: processor time of both sides and bytes, beside the work itself.

``python -m bench.machines.overhead SOURCE [SHARD] [SHARDS] [SIDE]``. Shards of so many photos (50, 6 of them; those of
the source again and again) are decoded and shrunk to a side (224) by one actor and in this process. Times are of the
processor, so that what else runs on the machine does not count; the first shard, which loads what the work needs, is
left out. Photos a CPU second count both processes, memory is the peak of each.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import imagemill as im
from imagemill.jobs.runner import Runner
from imagemill.jobs.where_to_run import engine_for


@dataclass(frozen=True)
class Timed:
    """Decodes and shrinks a photo, and says how long the process has worked."""

    side: int

    def __call__(self, record: Any) -> Iterator[Any]:
        """Pixels, and a time of the processor."""
        started = time.process_time()
        picture = im.read_picture(record.image, "rgb", at_least=(self.side, self.side))
        import cv2

        made = cv2.resize(picture.array, (self.side, self.side), interpolation=cv2.INTER_AREA)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield made, time.process_time() - started, time.process_time(), peak


def main() -> None:
    """Print a line for each engine."""
    shard, shards, side = (int(n) for n in (*sys.argv[2:], *("50", "6", "224")[len(sys.argv) - 2 :]))
    records = tuple(islice(cycle(im.open_source(sys.argv[1]).records), shard * shards))
    for on in ("threads", "ray"):
        rows: list[Any] = []
        noted: list[float] = []

        def note(some: Any, rows: list[Any] = rows, noted: list[float] = noted) -> None:
            rows.extend(some)
            noted.append(time.process_time())

        runner = Runner(
            work=Timed(side), note=note, record=lambda record: record, doing="timing", size=shard,
            engine=engine_for(on),
        )  # fmt: skip
        wall = time.perf_counter()
        runner.run(records, len(records))
        wall = time.perf_counter() - wall
        driver = (noted[-1] - noted[0]) / (len(rows) - shard) * 1e3
        later = [row for _, row in rows[shard:]]  # the first shard loads what the work needs
        work = sum(row[1] for row in later) / len(later) * 1e3
        there = (max(row[2] for row in later) - min(row[2] for row in later)) / (len(later) - 1) * 1e3
        each = max(there, driver) if on == "threads" else there + driver
        memory = max(row[3] for row in later), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{on:8} {1e3 / each:6.0f} photos a CPU second; peak of the worker's process {memory[0]:.0f} MiB, "
              f"of the program {memory[1]:.0f}", flush=True)  # fmt: skip
        print(f"{'':8} work {work:.2f} ms a photo, its process {there:.2f}, the driver {driver:.2f}, "
              f"wall {wall:.1f} s, {sum(r[1][0].nbytes for r in rows) / len(rows):,.0f} bytes a photo")  # fmt: skip


if __name__ == "__main__":
    main()
