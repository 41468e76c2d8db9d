"""What a JPEG decoder could save by decoding only what a crop shows: the floor, from the parts of a photo's time.

Run: ``IMAGEMILL_DATA=folder python -m bench.decoding``; the figures are in ``docs/benchmarks/decoding.md``. Decoding at
an eighth leaves the entropy decoding and next to nothing else: its share is an upper bound of that stage's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import simplejpeg

_ROUNDS, _CROPS = 7, 4000


def _took(photos: Sequence[bytes], decode: Callable[[bytes], object]) -> float:
    began = time.thread_time()
    for photo in photos:
        decode(photo)
    return (time.thread_time() - began) / len(photos) * 1e3


def _crop(rng: np.random.Generator, h: int, w: int) -> tuple[int, int, int, int]:
    """As `RandomResizedCrop` draws it: 8 to 100 % of the area, aspects of 3/4 to 4/3."""
    for _ in range(10):
        area, aspect = h * w * rng.uniform(0.08, 1.0), np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        y, x = round(float((area / aspect) ** 0.5)), round(float((area * aspect) ** 0.5))
        if y <= h and x <= w:
            return int(rng.integers(0, h - y + 1)), int(rng.integers(0, w - x + 1)), y, x
    side = min(h, w)
    return (h - side) // 2, (w - side) // 2, side, side


def _seen(sizes: Sequence[tuple[int, int]]) -> tuple[float, float, float]:
    """Mean shares of a photo: rows from the top to the last that is seen, rows that are seen, area that is seen."""
    rng, found = np.random.default_rng(0), []
    for number in range(_CROPS):
        h, w = sizes[number % len(sizes)]
        y, x, ch, cw = _crop(rng, h, w)
        top, left = max(0, y - 2) // 16 * 16, max(0, x - 2) // 16 * 16
        bottom, right = min(h, -(-(y + ch + 2) // 16) * 16), min(w, -(-(x + cw + 2) // 16) * 16)
        found.append((bottom / h, (bottom - top) / h, (bottom - top) * (right - left) / (h * w)))
    rows, between, area = np.mean(found, axis=0)
    return float(rows), float(between), float(area)


def _told(name: str, photos: Sequence[bytes]) -> str:
    sizes = [simplejpeg.decode_jpeg_header(photo)[:2] for photo in photos]
    whole, eighth = np.median(
        [
            (
                _took(photos, simplejpeg.decode_jpeg),
                _took(photos, lambda photo: simplejpeg.decode_jpeg(photo, min_height=1, min_width=1, min_factor=8)),
            )
            for _ in range(_ROUNDS)
        ],
        axis=0,
    )
    entropy, (rows, between, area) = float(eighth / whole), _seen(sizes)
    kilobytes = np.mean([len(photo) for photo in photos]) / 1e3
    cropping = rows * entropy + area * (1 - entropy)
    figures = (entropy, rows, cropping, rows * entropy, between, area)
    return f"| {name}, {kilobytes:.0f} kB | {whole:.2f} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |"


class _Stage:
    """A function of the loader's that counts its own seconds of the processor."""

    def __init__(self, home: Any, name: str) -> None:
        self._home, self._name, self._run = home, name, getattr(home, name)
        self.seconds = 0.0

    def __enter__(self) -> Self:
        setattr(self._home, self._name, lambda *given, **named: self._timed(*given, **named))
        return self

    def __exit__(self, *_: object) -> None:
        setattr(self._home, self._name, self._run)

    def _timed(self, *given: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return self._run(*given, **named)
        finally:
            self.seconds += time.thread_time() - began


def _stages(files: Sequence[Path]) -> list[str]:
    """What a photo costs our loader in the caller's thread, stage by stage, beside decoding it whole."""
    import imagemill as im
    from bench.feed.data import our_pipeline
    from imagemill.data.records import loading
    from imagemill.engine.backends.cpu.batches import photos
    from imagemill.feed.making import item

    named = {
        "decoding what is needed": (simplejpeg, "decode_jpeg"),
        "resampling, colour, normalising: the kernel": (photos, "run"),
        "drawing and planning": (im.Pipeline, "planned"),
        "reading the file": (loading, "_whole"),
        "the header": (item, "jpeg_header"),
    }
    loader = im.Loader(im.open(list(files)), our_pipeline(), batch_size=32, workers=0)
    every = [path.read_bytes() for path in files]
    list(loader)
    found: dict[str, list[float]] = {name: [] for name in ("whole", "all", *named)}
    for _ in range(_ROUNDS):
        found["whole"].append(1e3 * _took(every, simplejpeg.decode_jpeg))
        found["all"].append(_loop(loader, len(files)))
        for name, (home, function) in named.items():
            with _Stage(home, function) as stage:
                _loop(loader, len(files))
            found[name].append(stage.seconds / len(files) * 1e6)
    middle = {name: float(np.median(values)) for name, values in found.items()}
    rest = middle["all"] - sum(middle[name] for name in named)
    rows = [(name, middle[name]) for name in named] + [("all else in Python", rest), ("together", middle["all"])]
    return [f"| {name} | {us:.0f} | {us / middle['whole']:.2f} |" for name, us in rows]


def _loop(loader: Any, photos: int) -> float:
    """Microseconds of the processor for each photo of an epoch."""
    began = time.thread_time()
    for _ in loader:
        pass
    return (time.thread_time() - began) / photos * 1e6


def main() -> None:
    folder = Path(os.environ["IMAGEMILL_DATA"]) / "pets"
    files = sorted(folder.rglob("*.jpg"))
    files = [one for one in files if max(simplejpeg.decode_jpeg_header(one.read_bytes())[:2]) == 500][:150]
    photos = [path.read_bytes() for path in files]
    again = [simplejpeg.encode_jpeg(simplejpeg.decode_jpeg(one), quality=85, colorsubsampling="420") for one in photos]
    print(_told("as they come, 4:4:4", photos))
    print(_told("encoded again, 4:2:0 at 85", again))
    print("\n".join(_stages(files)))


if __name__ == "__main__":
    main()
