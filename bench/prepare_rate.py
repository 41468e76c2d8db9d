"""How quickly folders of photos are made into stores and files, against the least that it can take: decoding them.

Run: ``IMAGEMILL_DATA=folder python -m bench.prepare_rate [PHOTOS]``; the figures are in ``docs/benchmarks/prepare.md``.

Copies of the photos of ``pets``, each a file of its own content, lie in a temporary folder. A round times each of
these once, in an order that moves on: decoding all files with the decoder that imagemill uses, reading included;
`prepare` to 224x224 with one and with two workers; encoding what `augment` writes; `augment` to JPEG files with one and
with two workers. A ratio is formed within each round, and its median is told; the first round, in which modules and
kernels are loaded, is left out and told by itself. Ratios of the processor's time hold on a busy machine too; those of
the clock need two free cores. ``TMPDIR=/dev/shm`` puts the folder into memory: disks may take as long for a new file as
the decoder for a photo, and `augment` makes one for each.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.harness import single_thread

single_thread()

import numpy as np  # noqa: E402  # threads are set before numpy is imported
import simplejpeg  # noqa: E402

import imagemill as im  # noqa: E402
from imagemill.data.codecs.photos.jpeg import encode_jpeg  # noqa: E402

_ROUNDS, _SIZE = 7, 224
_Times = dict[str, tuple[float, float]]
Work = Callable[[], object]


@contextmanager
def _photos(count: int) -> Iterator[Path]:
    """A folder of so many files, of which no two are the same: a comment stands behind the end of each."""
    found = sorted((Path(os.environ["IMAGEMILL_DATA"]) / "pets").rglob("*.jpg"))
    with tempfile.TemporaryDirectory(prefix="imagemill-rate-") as folder:
        for number in range(count):
            path = found[number % len(found)]
            there = Path(folder, "in", path.parent.name, f"{number:05d}.jpg")
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes() + number.to_bytes(4, "big"))
        yield Path(folder)


def _works(folder: Path) -> dict[str, Work]:
    files = sorted((folder / "in").rglob("*.jpg"))
    pipeline = im.preset("photo", _SIZE, seed=1)
    pictures = [im.read_picture(path) for path in files[:100]]
    made = [
        im.data.Picture(np.ascontiguousarray(pipeline(one.array, key=n)), one.axes) for n, one in enumerate(pictures)
    ]

    def decoding() -> None:
        for path in files:
            simplejpeg.decode_jpeg(path.read_bytes())

    def encoding() -> None:
        for number in range(len(files)):
            encode_jpeg(made[number % len(made)])

    def preparing(workers: int) -> Work:
        return lambda: im.prepare(folder / "in", folder / "store", size=_SIZE, workers=workers)

    def augmenting(workers: int) -> Work:
        return lambda: im.augment(folder / "in", folder / "copies", pipeline, workers=workers)

    return {
        "decoding": decoding,
        "prepare, 1": preparing(1),
        "prepare, 2": preparing(2),
        "encoding": encoding,
        "augment, 1": augmenting(1),
        "augment, 2": augmenting(2),
    }


def _timed(work: Work, folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor; what was made before is away first."""
    for name in ("store", "copies"):
        shutil.rmtree(folder / name, ignore_errors=True)
    clock, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - used


def _round(works: dict[str, Work], folder: Path, number: int) -> _Times:
    names = list(works)
    at = number % len(names)
    return {name: _timed(works[name], folder) for name in (*names[at:], *names[:at])}


def _told(rounds: list[_Times], count: int) -> Iterator[str]:
    yield "| | processor, ms a photo | of bare decoding | by the clock, photos a second | of bare decoding |"
    yield "|---|---:|---:|---:|---:|"
    for name in ("decoding", "prepare, 1", "prepare, 2", "encoding", "augment, 1", "augment, 2"):
        used = np.median([one[name][1] for one in rounds]) / count * 1e3
        speed = count / np.median([one[name][0] for one in rounds])
        ratios = [np.median([_ratio(one, name, which) for one in rounds]) for which in (1, 0)]
        yield f"| {name} | {used:.2f} | {ratios[0]:.2f} | {speed:.0f} | {ratios[1]:.2f} |"


def _ratio(times: _Times, name: str, which: int) -> float:
    """Decoding's time by what the work took; of copies that are written as files, encoding is none of it."""
    own = times[name][which]
    if name.startswith("augment"):
        # Side by side by the clock, the workers share the encoding.
        own -= times["encoding"][which] / (int(name[-1]) if which == 0 else 1)
    return times["decoding"][which] / own


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    with _photos(count) as folder:
        works = _works(folder)
        first = _round(works, folder, 0)
        rounds = [_round(works, folder, number) for number in range(_ROUNDS)]
    print("\n".join(_told(rounds, count)))
    print()
    for name in ("prepare, 1", "augment, 1"):
        later = np.median([one[name][1] for one in rounds])
        print(f"first {name}: {first[name][1]:.1f} s of the processor, {later:.1f} later")


if __name__ == "__main__":
    main()
