"""What is left after many epochs: memory, threads, and how a loader that is closed, fails or is interrupted ends.

Run: ``python -m bench.feed.soak``; with fewer ``--epochs`` and ``--pictures`` for a first look. Set IMAGEMILL_DATA to
the folder with the data sets for CIFAR-10. It prints a page of Markdown. ``--child`` is what it calls to interrupt it.
Linux only: nowhere else does a process learn how much of its memory is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.feed.data import generator_pipeline, prepared, small_pictures
from bench.harness import single_thread

ROOT = Path(__file__).parents[2]
BATCH = 128
WORKERS = 2
SHOWN = (1, 50, 100, 150, 200)
WARM = 9
"""Epochs until memory has settled: the slope begins with the tenth."""

OURS = "imagemill-"
"""How the names of our threads begin."""

TRIES = 3
LIMIT = 1.0
"""Seconds that an interrupted program may take to end."""


# ------------------------------------------------------------------------------------------- what a process holds


def memory() -> tuple[float, float]:
    """KiB resident, and of these what is no page of a mapped file."""
    lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()[1:]
    found = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
    return found["Rss"], found["Anonymous"]


def our_threads() -> list[str]:
    """Names of our threads that are alive."""
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith(OURS))


def all_threads() -> int:
    """Threads of this process, those of compiled libraries as well."""
    return len(os.listdir("/proc/self/task"))


def alive(group: int) -> list[int]:
    """Processes of a group; those that only wait for somebody to ask for their exit code are none."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            state, _, its = path.read_text("utf-8", "replace").rsplit(")", 1)[1].split()[:3]
            if int(its) == group and state not in "ZX":
                found.append(int(path.parent.name))
    return found


# ------------------------------------------------------------------------------------------- many epochs


@dataclass(frozen=True)
class Epoch:
    """What one epoch took and left."""

    number: int
    images: int
    seconds: float
    resident: float
    anonymous: float
    blocks: int
    busy: int
    threads: int


def epochs(loader: Any, count: int) -> Iterator[Epoch]:
    """So many epochs, read as fast as they come."""
    for number in range(1, count + 1):
        images, busy, began = 0, 0, time.perf_counter()
        for batch in loader:
            images += len(batch.keys)
            if batch.number == len(loader) // 2:
                busy = all_threads()
        del batch  # or its memory would be counted, and not be used again
        took = time.perf_counter() - began
        yield Epoch(number, images, took, *memory(), sys.getallocatedblocks(), busy, all_threads())


def slope(found: Sequence[Epoch]) -> tuple[int, float]:
    """From which epoch on, and by how many KiB an epoch the anonymous memory grows, by least squares."""
    settled = found[min(WARM, len(found) // 2) :]
    if len(settled) < 2:
        return settled[0].number, 0.0
    grown = np.polyfit([one.number for one in settled], [one.anonymous for one in settled], 1)[0]
    return settled[0].number, float(grown)


def soaked(loader: Any, count: int) -> Iterator[str]:
    """Lines of the page about the epochs, each as soon as it is known."""
    columns = (
        "images/s since the line above | RSS, MiB | anonymous, MiB | Python's blocks | threads half-way | at the end"
    )
    yield f"| epoch | {columns} |"
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    found: list[Epoch] = []
    said = 0
    for one in epochs(loader, count):
        found.append(one)
        if one.number in SHOWN or one.number == count:
            rate = sum(e.images for e in found[said:]) / sum(e.seconds for e in found[said:])
            said = len(found)
            held = f"{one.resident / 1024:.1f} | {one.anonymous / 1024:.1f}"
            yield f"| {one.number} | {rate:,.0f} | {held} | {one.blocks:,} | {one.busy} | {one.threads} |"
    first, grown = slope(found)
    least, most = (pick(one.anonymous for one in found[first - 1 :]) / 1024 for pick in (min, max))
    yield ""
    yield (
        f"Anonymous memory from epoch {first} on: {grown:+.2f} KiB an epoch by least squares, "
        f"{least:.1f} to {most:.1f} MiB. Measured when an epoch has ended and its last batch was let go; what the C "
        "library keeps of freed memory comes and goes by some MiB, which Python's blocks (objects in use) do not."
    )


# ------------------------------------------------------------------------------------------- how it ends


def closed(loader: Any) -> str:
    """Close in the middle of an epoch."""
    running = iter(loader)
    for _ in range(min(3, len(loader) - 1)):
        next(running)
    before, began = our_threads(), time.perf_counter()
    loader.close()
    took, left = time.perf_counter() - began, our_threads()
    verdict = "none left: met" if not left else f"**missed**, left: {', '.join(left)}"
    return f"`close()` with {', '.join(before) or 'no thread'} at work took {1e3 * took:.1f} ms; {verdict}."


def failing(dataset: Any) -> str:
    """A user's function that raises at one picture in the middle of an epoch."""
    import imagemill as im
    from imagemill.feed import Loader

    pipeline = generator_pipeline()
    with Loader(dataset, split="all", seed=pipeline.seed, batch_size=BATCH, workers=0) as plain:
        middle = plain.batch(len(plain) // 2, epoch=0)
    row = len(middle.keys) // 2
    key, bad = middle.keys[row], np.array(middle.image[row])

    def check(image: Any) -> Any:
        if np.array_equal(image, bad):
            raise ValueError("this picture is not as it should be")
        return image

    checked = im.Pipeline([im.Apply(check), *pipeline.transforms], seed=pipeline.seed)
    came, error = 0, None
    with Loader(dataset, checked, split="all", batch_size=BATCH, workers=WORKERS) as loader:
        try:
            for _ in loader:
                came += 1
        except ValueError as raised:
            error = raised
        count = len(loader)
    said = "nothing was raised" if error is None else f"{type(error).__name__}: {error}"
    notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
    verdict = "met" if str(key) in said + notes else "**missed**"
    return (
        f"A function of the user raises at `{key}`; after {came} of {count} batches came, for which its name is in the "
        f"error: {verdict}; threads left: {', '.join(our_threads()) or 'none'}.\n\n```text\n{said}{notes}\n```"
    )


def interrupted(store: Path, workers: str) -> tuple[float, int | None, list[int]]:
    """Interrupt a child half-way through an epoch: seconds until it and its processes ended, exit code, who is left."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.feed.soak", "--child", str(store), workers]
    # In a group of its own, which gets the signal as that of a terminal does.
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as child:
        try:
            assert child.stdout is not None
            if child.stdout.readline().strip() != b"half-way":
                raise RuntimeError(f"expected a child that reads, got {child.wait()}")
            began = time.perf_counter()
            os.killpg(child.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                child.wait(60 * LIMIT)
            # Who ends late has missed the aim; only who does not end at all is left.
            while (left := alive(child.pid)) and time.perf_counter() - began < 60 * LIMIT:
                time.sleep(0.005)
            return time.perf_counter() - began, child.returncode, left
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def _child(store: Path, workers: str) -> None:
    """Read for ever, and say once that it is in the middle."""
    with _loader(store, int(workers) if workers.isdecimal() else workers) as loader:
        for batch in loader:
            if batch.number == len(loader) // 2:
                print("half-way", flush=True)
        while True:
            for _ in loader:
                pass


def interruptions(store: Path, tries: int = TRIES) -> Iterator[str]:
    """Lines of the page about SIGINT in the middle of an epoch."""
    aim = f"aim: below {LIMIT:g} s, by the signal, nobody left"
    yield f"| workers | seconds until it has ended, {tries} tries | exit code | {aim} |"
    yield "|---|---|---|---|"
    for workers in (f"{WORKERS}", f"process:{WORKERS}"):
        found = [interrupted(store, workers) for _ in range(tries)]
        times, codes, left = zip(*found, strict=True)
        good = max(times) < LIMIT and set(codes) == {-signal.SIGINT} and not any(left)
        verdict = "met" if good else f"**missed**, {sum(map(len, left))} left"
        told = ", ".join(sorted({str(code) for code in codes}))
        yield f"| {workers} | {', '.join(f'{took:.3f}' for took in times)} | {told} | {verdict} |"


# ------------------------------------------------------------------------------------------- the page


def prepared_aside(root: Path, count: int) -> Path:
    """A store of so many pictures, made in another process: what that takes is not what is measured."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_prepared, root, count).result()


def _prepared(root: Path, count: int) -> Path:
    return prepared(root, small_pictures(root, count), 32)


def _loader(dataset: Any, workers: int | str = WORKERS) -> Any:
    from imagemill.feed import Loader

    return Loader(dataset, generator_pipeline(), split="all", batch_size=BATCH, workers=workers)


def page(store: Path, count: int, tries: int = TRIES) -> Iterator[str]:
    """All lines, each as soon as it is known."""
    import imagemill as im

    dataset = im.open(store)
    loader = _loader(dataset)
    yield f"# {count} epochs of a loader"
    yield ""
    yield f"{loader.rows:,} pictures of 32x32 in a store, batches of {BATCH}, {WORKERS} workers."
    yield ""
    yield from soaked(loader, count)
    for title, said in (("Closing", closed(loader)), ("An error in the middle", failing(dataset))):
        yield f"\n## {title}\n\n{said}"
    yield "\n## SIGINT in the middle of an epoch\n"
    yield from interruptions(store, tries)


def main(argv: Sequence[str]) -> None:
    single_thread()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--store", type=Path, help="a prepared store to read, else one is prepared")
    parser.add_argument("--cache", type=Path, help="where inputs are kept for the next run")
    parser.add_argument("--child", nargs=2, metavar=("STORE", "WORKERS"))
    asked = parser.parse_args(argv)
    if asked.child:
        _child(Path(asked.child[0]), asked.child[1])
        return
    with tempfile.TemporaryDirectory() as where:
        root = asked.cache or Path(where)
        root.mkdir(parents=True, exist_ok=True)
        store = asked.store or prepared_aside(root, asked.pictures)
        for line in page(store, asked.epochs):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
