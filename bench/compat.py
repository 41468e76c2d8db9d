"""``ImageDataGenerator`` beside Keras's own on 32x32 pictures, over its settings: ``python -m bench.compat``.

Each cell of the grid is a type of pictures, a way to fill the edge, a set of changes and a batch size. Before a
cell is timed, its first batch is held against what Keras makes of the very numbers that were drawn for it.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import Array, Expect, Ratio, Run, Timing, pin_loaded, single_thread, time_once

SIDE, PICTURES = 32, 1024
AIM = 25.0
"""How many times faster than Keras's class ours is meant to be."""

_MOVES: dict[str, Any] = {
    "rotation_range": 15,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "zoom_range": 0.1,
    "horizontal_flip": True,
}
_EXTRAS: dict[str, dict[str, Any]] = {
    "rotation, shift, zoom, flip": {},
    "+ shear": {"shear_range": 10.0},
    "+ brightness": {"brightness_range": (0.7, 1.3)},
    "+ channel shift": {"channel_shift_range": 20.0},
    "+ both": {"brightness_range": (0.7, 1.3), "channel_shift_range": 20.0},
    "+ rescale": {"rescale": 1 / 255},
    "+ featurewise": {"featurewise_center": True, "featurewise_std_normalization": True},
    "+ samplewise": {"samplewise_center": True, "samplewise_std_normalization": True},
    "+ all": {
        "shear_range": 10.0,
        "brightness_range": (0.7, 1.3),
        "channel_shift_range": 20.0,
        "rescale": 1 / 255,
        "samplewise_center": True,
        "samplewise_std_normalization": True,
    },
}
DTYPES, FILLS, BATCHES = ("uint8", "float32"), ("nearest", "constant", "reflect", "wrap"), (32, 128)

_COLD = """
import time, warnings
warnings.simplefilter("ignore")
import numpy as np
from imagemill.compat.keras import ImageDataGenerator
x = np.random.default_rng(0).integers(0, 256, (64, 32, 32, 3), np.uint8)
flow = ImageDataGenerator(rotation_range=15, zoom_range=0.1, horizontal_flip=True, rescale=1 / 255, seed=0).flow(x)
started = time.perf_counter()
next(flow)
print(time.perf_counter() - started)
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One set of settings."""

    dtype: str
    fill: str
    extra: str
    batch: int

    @property
    def settings(self) -> dict[str, Any]:
        """The constructor's arguments, the same for both."""
        return {**_MOVES, **_EXTRAS[self.extra], "fill_mode": self.fill}


def pictures(dtype: str) -> Array:
    """Pictures of smooth shapes and grain, with every grey level in them."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 255, (PICTURES, 5, 5, 3)).repeat(7, axis=1).repeat(7, axis=2)[:, :SIDE, :SIDE]
    return np.clip(coarse + rng.normal(0, 12, coarse.shape), 0, 255).astype(dtype)


def contestants(cell: Cell, pixels: Array) -> tuple[Run, Run]:
    """Ours and theirs: one call makes one batch, an array of float32."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator as Theirs

    from imagemill.compat.keras import ImageDataGenerator as Ours

    runs = []
    fitted: Any = None
    for kind, more in ((Ours, {"seed": 0}), (Theirs, {})):
        generator = kind(**cell.settings, **more)
        if generator.featurewise_center:
            # Both divide by the same numbers, so that their batches can be compared.
            if fitted is None:
                generator.fit(pixels)
                fitted = generator
            generator.mean, generator.std = fitted.mean, fitted.std
        flow = generator.flow(pixels, np.arange(len(pixels)), batch_size=cell.batch, shuffle=True, seed=0)
        if kind is Ours:
            agree(cell, generator, Theirs(**cell.settings), pixels)
        runs.append(lambda flow=flow: next(flow)[0])
    return runs[0], runs[1]


def agree(cell: Cell, ours: Any, theirs: Any, pixels: Array) -> None:
    """Hold one batch of ours against what theirs makes of the numbers drawn for it."""
    theirs.mean, theirs.std = ours.mean, ours.std
    made = next(ours.flow(pixels, batch_size=cell.batch, shuffle=False, seed=1))
    drawn = ours._ranges.draw(1, 0, range(cell.batch), (SIDE, SIDE), exact=False)
    expected = np.stack(
        [
            theirs.standardize(theirs.apply_transform(x.astype(np.float32), drawn.row(i)))
            for i, x in enumerate(pixels[: cell.batch])
        ]
    )
    Expect(expected.shape, "float32").check("imagemill", made)
    wrong = np.abs(made - expected) > 1e-4
    if wrong.any():
        raise AssertionError(f"{cell}: {wrong.mean():.2%} of the values are not those of Keras; not the same work")


def measure(cell: Cell, pixels: Array, *, rounds: int, seconds: float) -> tuple[Timing, Timing]:
    """Seconds per picture of ours and theirs, timed in turns."""
    runs = contestants(cell, pixels)
    pin_loaded()
    repeats = []
    for run in runs:
        run()
        started = time.perf_counter()
        run()
        repeats.append(max(1, round(seconds / (time.perf_counter() - started))))
    timings = Timing(), Timing()
    gc.collect()
    for r in range(rounds):
        for k in (0, 1) if r % 2 else (1, 0):
            time_once(runs[k], cell.batch, repeats[k], timings[k])
    return timings


def cells(asked: argparse.Namespace) -> Iterator[Cell]:
    """The grid, or what was asked for of it."""
    extras = [e for e in _EXTRAS if any(word in e for word in asked.changes)] if asked.changes else list(_EXTRAS)
    for extra, dtype, fill, batch in itertools.product(extras, asked.dtype, asked.fill, asked.batch):
        yield Cell(dtype, fill, extra, batch)


def first_batch() -> tuple[float, float]:
    """Seconds for the first batch in a fresh interpreter, without and with compiled kernels on disk."""
    import os

    with tempfile.TemporaryDirectory() as folder:
        took = [
            float(
                subprocess.run(
                    [sys.executable, "-W", "ignore", "-c", _COLD],
                    capture_output=True,
                    text=True,
                    check=True,
                    env={**os.environ, "NUMBA_CACHE_DIR": folder},
                ).stdout
            )
            for _ in range(4)
        ]
    return took[0], statistics.median(took[1:])


def report(asked: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Time the grid and print it as it grows."""
    say("| changes | pictures | fill | batch | ours, us | Keras, us | ratio | quartiles | by processor |")
    say("|---|---|---|---:|---:|---:|---:|---:|---:|")
    made = {name: pictures(name) for name in asked.dtype}
    found: list[tuple[Cell, Ratio]] = []
    for cell in cells(asked):
        ours, theirs = measure(cell, made[cell.dtype], rounds=asked.rounds, seconds=asked.seconds)
        ratio = Ratio.of(theirs, ours)
        found.append((cell, ratio))
        mark = "" if ratio.median >= AIM else " (!)"
        say(
            f"| {cell.extra} | {cell.dtype} | {cell.fill} | {cell.batch} | {1e6 * ours.median:.2f} "
            f"| {1e6 * theirs.median:.1f} | {ratio.median:.1f}x{mark} | {ratio.low:.1f} – {ratio.high:.1f} "
            f"| {ratio.cpu:.1f}x |"
        )
    say("")
    say(f"{len(found)} cells of {SIDE}x{SIDE}x3, microseconds per picture, one thread each.")
    for name, ratios in (("clock", [r.median for _, r in found]), ("processor", [r.cpu for _, r in found])):
        below = sum(ratio < AIM for ratio in ratios)
        say(
            f"Ratios by the {name}: {min(ratios):.1f}x to {max(ratios):.1f}x, median {statistics.median(ratios):.1f}x; "
            f"{below} below {AIM:.0f}x."
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="rounds per cell")
    parser.add_argument("--seconds", type=float, default=0.02, help="least time of one round of one contestant")
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=DTYPES)
    parser.add_argument("--fill", nargs="+", choices=FILLS, default=FILLS)
    parser.add_argument("--batch", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--changes", nargs="+", metavar="WORD", help="only sets of changes with one of these words")
    parser.add_argument("--cold", action="store_true", help="only time the first batch of a fresh interpreter")
    parser.add_argument("--output", type=Path, help="write the table here as well")
    asked = parser.parse_args()
    single_thread()
    warnings.simplefilter("ignore")  # Keras calls ndimage by an old name
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    if not asked.cold:
        report(asked, say)
    if asked.cold or not asked.changes:
        cold, warm = first_batch()
        say(f"First batch of a fresh interpreter: {cold:.2f} s without kernels on disk, {warm:.3f} s with them.")
    if asked.output:
        asked.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
