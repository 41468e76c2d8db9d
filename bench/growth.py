"""How time and memory grow: with transforms, pixels, channels, batch size and threads. Draws ``docs/benchmarks/``.

Run ``python -m bench.growth``; ``--peak SIDE NDIM WAY`` is what it calls in fresh interpreters to see memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import Array, single_thread

FOLDER = Path(__file__).parents[1] / "docs" / "benchmarks"
Series = dict[str, tuple[Sequence[float], Sequence[float]]]
"""Curves by name: places on the horizontal axis, and heights."""

JITTER = (0.9, 1.1)
OURS = "one pass"
STEPS = "step by step"


def seconds(jobs: Sequence[Callable[[], Any]], *, each: float = 0.02, sweeps: int = 9) -> list[float]:
    """The shortest time of each call, over several sweeps through all of them.

    The shortest, because here the curve matters and not a ratio to somebody else: whatever else the machine does
    only ever adds. Sweeps, because it does so for a while, and would otherwise bend one part of the curve.
    """
    repeats = []
    for job in jobs:
        job()
        started = time.perf_counter()
        job()
        repeats.append(max(1, round(each / (time.perf_counter() - started))))
    best = [float("inf")] * len(jobs)
    for _ in range(sweeps):
        for i, job in enumerate(jobs):
            started = time.perf_counter()
            for _ in range(repeats[i]):
                job()
            best[i] = min(best[i], (time.perf_counter() - started) / repeats[i])
    return best


def _milliseconds(jobs: Sequence[Callable[[], Any]]) -> list[float]:
    return [1e3 * t for t in seconds(jobs)]


def _noise(*shape: int, dtype: Any = np.uint8) -> Array:
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return values if dtype == np.uint8 else values.astype(dtype) / 255


def _photo_chain() -> list[Any]:
    import imagemill as im

    moves = [im.Flip("x", p=0.5), im.Rotate((-10, 10)), im.Zoom(JITTER), im.Shift(fraction=(-0.05, 0.05))]
    return [*moves, im.ColorJitter(brightness=JITTER, contrast=JITTER), im.Rescale()]


def _scan_chain() -> list[Any]:
    import imagemill as im

    return [im.Rotate((-15, 15), plane="all"), im.Zoom(JITTER)]


# ------------------------------------------------------------------------------------------------ curves


def by_transforms() -> Series:
    """Number of transforms, 1 to 12, on photos of 375x500."""
    import imagemill as im
    from bench.workloads.many_ops import ours_chain

    photo, counts = _noise(375, 500, 3), list(range(1, 13))
    found: Series = {}
    for name, fuse in ((OURS, True), (STEPS, False)):
        pipes = [im.Pipeline(ours_chain(n), seed=0, fuse=fuse) for n in counts]
        found[name] = counts, [t / 4 for t in _milliseconds([partial(p.batch, [photo] * 4) for p in pipes])]
    return found


def by_pixels() -> Series:
    """Pixels of a picture, 32^2 to 2048^2, and of a volume, 32^3 to 256^3."""
    import imagemill as im

    found: Series = {}
    sides = [32, 64, 128, 256, 512, 1024, 2048]
    pipe = im.Pipeline(_photo_chain(), seed=0)
    pictures = [_noise(n, n, 3) for n in sides]
    found["picture, RGB, 8 bits"] = [n**2 for n in sides], _milliseconds([partial(pipe, x) for x in pictures])
    sides = [32, 64, 128, 256]
    pipe = im.Pipeline(_scan_chain(), seed=0)
    volumes = [_noise(n, n, n, dtype=np.float32) for n in sides]
    times = _milliseconds([partial(pipe, image=x, axes="zyx") for x in volumes])
    found["volume, float32"] = [n**3 for n in sides], times
    return found


def by_channels() -> Series:
    """Channels of a picture of 256x256, 1 to 16."""
    import imagemill as im

    counts = [1, 2, 3, 4, 6, 8, 12, 16]
    found: Series = {}
    for name, dtype in (("8 bits", np.uint8), ("float32", np.float32)):
        pipe = im.Pipeline([im.Flip("x", p=0.5), im.Rotate((-10, 10)), im.Zoom(JITTER), im.Brightness(JITTER)], seed=0)
        pictures = [_noise(256, 256, n, dtype=dtype) for n in counts]
        found[name] = counts, _milliseconds([partial(pipe, image=x, axes="yxc") for x in pictures])
    return found


def by_batch() -> Series:
    """Microseconds per picture of 32x32x3, for batches of 1 to 512."""
    import imagemill as im

    counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    pipe = im.Pipeline(_photo_chain(), seed=0)
    pictures = _noise(512, 32, 32, 3)
    times = seconds([partial(pipe.batch, pictures[:n]) for n in counts])
    return {"32x32x3": (counts, [1e6 * t / n for t, n in zip(times, counts, strict=True)])}


def by_threads() -> Series:
    """Items per second with 1 and 2 threads, relative to 1."""
    import imagemill as im

    photos, scans = [_noise(375, 500, 3)] * 32, [_noise(96, 96, 96, dtype=np.float32)] * 4
    photo = im.Pipeline([*_photo_chain(), im.Resize((224, 224))], seed=0)
    small = im.Pipeline(_photo_chain(), seed=0)
    scan = im.Pipeline(_scan_chain(), seed=0)
    tiny = _noise(256, 32, 32, 3)
    jobs: dict[str, Callable[[int], Any]] = {
        "photos": lambda k: photo.batch(photos, workers=k),
        "volumes": lambda k: scan.batch(image=scans, axes="zyx", workers=k),
        "32x32x3": lambda k: small.batch(tiny, workers=k),
    }
    found: Series = {}
    for name, job in jobs.items():
        one, two = seconds([partial(job, k) for k in (1, 2)], each=0.2)
        found[name] = [1, 2], [1.0, one / two]
    return found


# ------------------------------------------------------------------------------------------------ memory


def by_memory() -> Series:
    """High-water mark above what lay in memory before the call, in MiB, pictures and volumes."""
    found: Series = {}
    for name, ndim, sides in (("picture", 2, [256, 512, 1024, 2048, 4096]), ("volume", 3, [64, 96, 128, 192, 256])):
        for way in (OURS, STEPS):
            heights = [_peak_of(side, ndim, way) for side in sides]
            found[f"{name}, {way}"] = [_source_mib(side, ndim) for side in sides], heights
    return found


def _source_mib(side: int, ndim: int) -> float:
    return side**ndim * (3 if ndim == 2 else 4) / 2**20


def _peak_of(side: int, ndim: int, way: str) -> float:
    command = [sys.executable, "-W", "ignore", "-m", "bench.growth", "--peak", str(side), str(ndim), way]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=FOLDER.parents[1])
    return float(done.stdout)


def _print_peak(side: int, ndim: int, way: str) -> None:
    """In a fresh interpreter: warm up on something tiny, reset the mark, run once, print the growth in MiB."""
    import imagemill as im

    chain = [*_scan_chain(), im.Brightness(JITTER)] if ndim == 3 else _photo_chain()
    pipe = im.Pipeline(chain, seed=0, fuse=way == OURS)
    axes = "zyx" if ndim == 3 else "yxc"

    def make(n: int) -> Array:
        return _noise(n, n, n, dtype=np.float32) if ndim == 3 else _noise(n, n, 3)

    pipe(image=make(16), axes=axes)
    value = make(side)
    before = _reset_mark()
    kept = pipe(image=value, axes=axes)
    print(_mark() - before)
    del kept


def _status(word: str) -> float | None:
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(word)), None)


def _mark() -> float:
    """Most memory this process ever held, in MiB."""
    found = _status("VmHWM:")
    if found is None:
        import resource

        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return found


def _reset_mark() -> float:
    """Forget the mark where the system can (Linux); what is held now, in MiB."""
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        return _mark()
    return _status("VmRSS:") or _mark()


# ------------------------------------------------------------------------------------------------ drawing


def main() -> None:
    single_thread()
    if len(sys.argv) > 1 and sys.argv[1] == "--peak":
        _print_peak(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return
    from bench import growth_page

    found: dict[str, Series] = {}
    makers = (by_transforms, by_pixels, by_channels, by_batch, by_threads, by_memory)
    for make in makers:
        started = time.perf_counter()
        found[make.__name__] = make()
        print(f"{make.__name__}: {time.perf_counter() - started:.0f} s", flush=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    growth_page.write(found, FOLDER)
    print(f"wrote {os.path.relpath(FOLDER)}")


if __name__ == "__main__":
    main()
