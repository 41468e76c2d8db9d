"""How the loader's cost grows: time with the size of a batch; start-up and memory with the number of rows.

Run ``python -m bench.feed.growth``. ``--rows KIND COUNT`` is what it calls in fresh interpreters to see one number of
rows. Rows are virtual: one picture that an array shows any number of times, and records that all have the same bytes,
made when they are asked for, or all of them before.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import single_thread

ROOT = Path(__file__).parents[2]
SMALL = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
PHOTO = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""No more: the batches that a loader keeps at once would take gigabytes."""

COUNTS = {
    "array": [10**k for k in range(3, 9)],
    "sequence": [10**k for k in range(3, 9)],
    "records": [10**k for k in range(3, 7)],
}
AGAIN = 1.0
"""Seconds during which start-up is measured again."""

FLAT = 1.25
"""How many times the least number of rows' cost the largest number's may be."""


# ------------------------------------------------------------------------------------------- batches


def _per_image(source: Any, pipeline: Any, sizes: Sequence[int], images: int, sweeps: int) -> list[float]:
    """Seconds for each image at each size of a batch, the shortest of some sweeps through all sizes."""
    from imagemill.feed import Loader

    best = [float("inf")] * len(sizes)
    for _ in range(sweeps):
        for i, size in enumerate(sizes):
            with Loader(source, pipeline, split="all", batch_size=size, workers=1, drop_last=True) as loader:
                taken = max(3, images // size)
                batches = _endless(loader)
                for _ in range(3):
                    next(batches)
                began = time.perf_counter()
                for _ in range(taken):
                    next(batches)
                best[i] = min(best[i], (time.perf_counter() - began) / (taken * size))
    return best


def _endless(loader: Any) -> Any:
    while True:
        yield from loader


def by_batch(store: Path, *, images: int = 2048, sweeps: int = 5) -> str:
    """Time per image against the size of a batch, arrays of 32x32 and a store of photos."""
    from bench.feed.data import generator_pipeline, our_pipeline

    x = np.random.default_rng(0).integers(0, 256, (8192, 32, 32, 3), dtype=np.uint8)
    small = _per_image((x,), generator_pipeline(), SMALL, 2 * images, sweeps)
    photo = dict(zip(PHOTO, _per_image(str(store), our_pipeline(), PHOTO, images // 4, sweeps), strict=True))
    lines = ["| batch | 32x32 arrays, µs per image | photo store to 224x224, µs per image |", "|---:|---:|---:|"]
    for size, took in zip(SMALL, small, strict=True):
        lines.append(f"| {size:,} | {1e6 * took:.2f} | {f'{1e6 * photo[size]:.0f}' if size in photo else ''} |")
    note = "One worker; the shortest of several sweeps. Waking the consumer for each batch is in it."
    return "\n".join(["## Time per image against the size of a batch", "", *lines, "", note])


# ------------------------------------------------------------------------------------------- rows


def _array(count: int) -> Any:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    return np.broadcast_to(picture, (count, 32, 32, 3)), np.broadcast_to(np.int64(3), (count,))


class Virtual:
    """So many records of one JPEG file, each made when it is asked for."""

    classes = tuple(f"class{k}" for k in range(10))

    def __init__(self, count: int) -> None:
        import simplejpeg

        import imagemill as im

        pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        data = simplejpeg.encode_jpeg(pixels)
        self._count, self._blob = count, im.Blob("virtual.jpg", ".jpg", lambda: data)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, n: int) -> Any:
        import imagemill as im

        label = self.classes[n % 10]
        return im.Record(f"{label}/{n:09}.jpg", self._blob, label=label)


def _records(count: int) -> Any:
    import imagemill as im

    rows = Virtual(count)
    return im.Source(Path("virtual"), "folder", tuple(rows[n] for n in range(count)))


KINDS: dict[str, Callable[[int], Any]] = {"array": _array, "sequence": Virtual, "records": _records}


def resident() -> float:
    """MiB that this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:  # not Linux: the most it ever held is what can be had
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _loader(source: Any) -> Any:
    from bench.feed.data import generator_pipeline
    from imagemill.feed import Loader

    return Loader(source, generator_pipeline(), split="all", batch_size=32, workers=1)


def _one(kind: str, count: int) -> dict[str, float]:
    """In a fresh interpreter: everything warm, then a loader over so many rows, its first batch and a hundred more."""
    with _loader(KINDS[kind](100)) as warm:
        for _ in warm:
            pass
    source = KINDS[kind](count)
    gc.collect()
    held, began = resident(), time.perf_counter()
    with _loader(source) as loader:
        batches = _endless(loader)
        next(batches)
        first = time.perf_counter() - began
        for _ in range(100):
            next(batches)
        found = {"first": first, "memory": resident() - held, "rows": count}
    # Again and again, as what else the machine does only ever adds.
    while time.perf_counter() - began < AGAIN:
        started = time.perf_counter()
        with _loader(source) as loader:
            next(iter(loader))
            found["first"] = min(found["first"], time.perf_counter() - started)
    return found


def by_rows(kind: str, *, tries: int = 3) -> list[dict[str, float]]:
    """Time to the first batch and memory for each number of rows, the least of some sweeps through all numbers."""
    made: list[list[dict[str, float]]] = []
    for _ in range(tries):
        made.append([])
        for count in COUNTS[kind]:
            command = [sys.executable, "-W", "ignore", "-m", "bench.feed.growth", "--rows", kind, str(count)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
            made[-1].append(json.loads(done.stdout))
    return [{key: min(one[key] for one in each) for key in each[0]} for each in zip(*made, strict=True)]


def rows_page(found: dict[str, list[dict[str, float]]]) -> str:
    """Both kinds of rows as tables."""
    titles = {
        "array": "Rows of an array",
        "sequence": "Records that a sequence makes when it is asked for them",
        "records": "Records of a source",
    }
    parts = ["## Start-up and memory against the number of rows"]
    for kind, rows in found.items():
        lines = [f"{titles[kind]}:", "", "| rows | first batch, ms | memory of the loader, MiB |", "|---:|---:|---:|"]
        lines += [f"| {int(r['rows']):,} | {1e3 * r['first']:.1f} | {r['memory']:.1f} |" for r in rows]
        parts.append("\n".join(lines))
        if kind != "records":
            parts.append(flat(rows))
    parts.append(
        "From making the loader to its first batch, shuffled, with everything imported and compiled, the shortest of "
        "many; memory is what the process holds after the first hundred batches more than before. An array is the "
        "same picture shown again and again. A source is a table of all its records, so that grows with the rows; the "
        "records themselves were there before."
    )
    return "\n\n".join(parts)


def flat(rows: Sequence[dict[str, float]]) -> str:
    """The aim: nothing grows with the rows; a MiB comes and goes by itself."""
    first, last = rows[0], rows[-1]
    grown = last["first"] / first["first"]
    more = last["memory"] - first["memory"]
    good = grown <= FLAT and more <= max(1.0, (FLAT - 1) * first["memory"])
    return (
        f"Aim: flat. From {int(first['rows']):,} to {int(last['rows']):,} rows the first batch takes {grown:.2f} times "
        f"as long, and {more:+.1f} MiB are held: {'met' if good else '**missed**'}."
    )


def section(store: Path, *, images: int = 2048, tries: int = 3) -> str:
    """Everything that grows, as a part of the page."""
    return "\n\n".join(
        [by_batch(store, images=images), rows_page({kind: by_rows(kind, tries=tries) for kind in KINDS})]
    )


def main(argv: Sequence[str]) -> None:
    single_thread()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs=2, metavar=("KIND", "COUNT"))
    asked = parser.parse_args(argv)
    if asked.rows:
        print(json.dumps(_one(asked.rows[0], int(asked.rows[1]))))
        return
    from bench.feed.data import photos, prepared

    with tempfile.TemporaryDirectory() as where:
        print(section(prepared(Path(where), photos(Path(where), 300), 256)))


if __name__ == "__main__":
    main(sys.argv[1:])
