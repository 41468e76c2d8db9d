"""What Ray adds to a shard: processor time of both sides and bytes, beside the work itself.

``python -m bench.machines.overhead SOURCE``. Shards of 50 photos are decoded and shrunk to 224 by one actor and in this
process. Times are of the processor, so that what else runs on the machine does not count.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import imagemill as im
from imagemill.jobs.runner import Runner
from imagemill.jobs.where_to_run import engine_for

SHARD, SHARDS = 50, 6


class Timed:
    """Decodes and shrinks a photo, and says how long the process has worked."""

    def __call__(self, record: Any) -> Iterator[Any]:
        """Pixels, and a time of the processor."""
        started = time.process_time()
        picture = im.read_picture(record.image, "rgb", at_least=(224, 224))
        import cv2

        made = cv2.resize(picture.array, (224, 224), interpolation=cv2.INTER_AREA)
        yield made, time.process_time() - started, time.process_time()


def main() -> None:
    """Print a line for each engine."""
    records = im.open_source(sys.argv[1]).records[: SHARD * SHARDS]
    for on in ("threads", "ray"):
        rows: list[Any] = []
        noted: list[float] = []

        def note(some: Any, rows: list[Any] = rows, noted: list[float] = noted) -> None:
            rows.extend(some)
            noted.append(time.process_time())

        runner = Runner(
            work=Timed(), note=note, record=lambda record: record, doing="timing", size=SHARD,
            engine=engine_for(on),
        )  # fmt: skip
        wall = time.perf_counter()
        runner.run(records, len(records))
        wall = time.perf_counter() - wall
        driver = (noted[-1] - noted[0]) / (len(rows) - SHARD) * 1e3
        later = [row for _, row in rows[SHARD:]]  # the first shard loads what the work needs
        work = sum(row[1] for row in later) / len(later) * 1e3
        there = (max(row[2] for row in later) - min(row[2] for row in later)) / (len(later) - 1) * 1e3
        print(f"{on:8} work {work:.2f} ms a photo, its process {there:.2f}, the driver {driver:.2f}, "
              f"wall {wall:.1f} s, {sum(r[1][0].nbytes for r in rows) / len(rows):,.0f} bytes a photo")  # fmt: skip


if __name__ == "__main__":
    main()
