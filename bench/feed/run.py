"""Images per second of loaders side by side.

Run: ``python -m bench.feed.run [--rounds 7] [--photos 3000] [--seconds 1]``; set IMAGEMILL_DATA for real photos.

A contestant gives batches for ever; one round times a slice of an epoch of every contestant, in turns, so that a
busy machine slows all alike. Starting workers and compiling is not timed. Peers run as their documentation says, with
as many workers as ours has threads.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import pin_loaded, single_thread

single_thread()

from bench.feed.data import SIDE, Files, listed, our_pipeline, photos  # noqa: E402  # after the threads are pinned

BATCH = 32
Batches = Iterator[int]


@dataclass(frozen=True)
class Contestant:
    """A name, and what makes an endless stream of the number of images in each batch."""

    name: str
    build: Callable[[], Batches]
    slower: int = 1


def endless(loader: Any, size: Callable[[Any], int]) -> Batches:
    for _ in itertools.count():
        for batch in loader:
            yield size(batch)


def ours(source: Any, threads: int, batch: int = BATCH, pipeline: Any = None, **how: Any) -> Callable[[], Batches]:
    def build() -> Batches:
        from imagemill.feed import Loader

        loader = Loader(source, pipeline or our_pipeline(), batch_size=batch, workers=threads, **how)
        return endless(loader, len)

    return build


def bare(files: list[Path], threads: int) -> Callable[[], Batches]:
    """Reading and decoding with simplejpeg, and nothing else: the ceiling."""

    def build() -> Batches:
        import simplejpeg

        def some(paths: tuple[Path, ...]) -> int:
            return sum(simplejpeg.decode_jpeg(path.read_bytes()) is not None for path in paths)

        def run() -> Batches:
            parts = itertools.cycle([tuple(files[i : i + BATCH]) for i in range(0, len(files), BATCH)])
            with ThreadPoolExecutor(threads) as pool:
                flying = [pool.submit(some, next(parts)) for _ in range(threads + 2)]
                while True:
                    yield flying.pop(0).result()
                    flying.append(pool.submit(some, next(parts)))

        return run()

    return build


def data_loader(items: list[Any], labels: list[int], library: str, workers: int, side: int = SIDE) -> Any:
    def build() -> Batches:
        import torch

        dataset = Files(items, labels, library, side)
        loader = torch.utils.data.DataLoader(
            dataset, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=True
        )
        return endless(loader, lambda batch: len(batch[1]))

    return build


def legacy_keras(folder: Path) -> Callable[[], Batches]:
    def build() -> Batches:
        from keras.src.legacy.preprocessing.image import ImageDataGenerator

        made = ImageDataGenerator(
            horizontal_flip=True, zoom_range=(0.5, 1.0), width_shift_range=0.2, height_shift_range=0.2,
            brightness_range=(0.8, 1.2), rescale=1 / 255,
        )  # fmt: skip
        flow = made.flow_from_directory(str(folder), target_size=(SIDE, SIDE), batch_size=BATCH)
        return (len(batch[0]) for batch in flow)

    return build


def keras_layers(folder: Path) -> Callable[[], Batches]:
    def build() -> Batches:
        import keras
        import tensorflow  # noqa: F401  # what image_dataset_from_directory needs; says so where it is absent

        made = keras.utils.image_dataset_from_directory(str(folder), image_size=(256, 256), batch_size=BATCH)
        layers = [
            keras.layers.RandomCrop(SIDE, SIDE), keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomBrightness(0.2), keras.layers.RandomContrast(0.2),
        ]  # fmt: skip

        def augment(image: Any, label: Any) -> Any:
            for layer in layers:
                image = layer(image, training=True)
            return image, label

        return endless(made.map(augment).prefetch(2), lambda batch: len(batch[1]))

    return build


def grain_loader(items: list[Any], labels: list[int], threads: int) -> Callable[[], Batches]:
    def build() -> Batches:
        import grain

        dataset = Files(items, labels, "albumentations")
        made = grain.MapDataset.source(range(len(items))).seed(7).shuffle().repeat().map(lambda i: dataset[i])
        made = made.to_iter_dataset(grain.ReadOptions(num_threads=threads, prefetch_buffer_size=64))
        return (len(batch[1]) for batch in made.batch(BATCH, batch_fn=lambda rows: tuple(zip(*rows, strict=True))))

    return build


def measure(title: str, contestants: list[Contestant], rounds: int, seconds: float) -> None:
    print(f"\n## {title}\n", flush=True)
    streams: dict[str, Batches] = {}
    counts: dict[str, int] = {}
    for c in contestants:
        try:
            stream = c.build()
            pin_loaded()
            for _ in range(12):
                next(stream)
            began, done = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                done += next(stream)
            counts[c.name] = max(done, BATCH)
            streams[c.name] = stream
        except Exception as error:  # one that is absent or breaks must not cost the others their turn
            line = str(error).splitlines()[0] if str(error) else ""
            print(f"- {c.name}: left out: {type(error).__name__}: {line}", flush=True)
    rates: dict[str, list[float]] = {name: [] for name in streams}
    order = list(streams)
    for r in range(rounds):
        for name in order[r % len(order) :] + order[: r % len(order)]:
            # What was made ahead while others had their turn is not of this slice.
            for _ in range(8):
                next(streams[name])
            started, done = time.perf_counter(), 0
            while done < counts[name]:
                done += next(streams[name])
            rates[name].append(done / (time.perf_counter() - started))
    champion = rates[order[0]]
    print("| loader | images/s | ours is faster by (quartiles) |\n|---|---|---|")
    for name in order:
        ratio = [a / b for a, b in zip(champion, rates[name], strict=True)]
        low, high = np.percentile(ratio, [25, 75])
        rate, middle = statistics.median(rates[name]), statistics.median(ratio)
        print(f"| {name} | {rate:,.0f} | {middle:.2f} ({low:.2f}-{high:.2f}) |")
    for stream in streams.values():
        close = getattr(stream, "close", None)
        if close is not None:
            close()


def stores(root: Path, folder: Path) -> dict[str, Any]:
    import imagemill as im

    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (50_000, 32, 32, 3), dtype=np.uint8), np.arange(50_000) % 10
    if not (root / "photos-store").is_dir():
        im.prepare(folder, root / "photos-store", size=(256, 256), workers=2)
    return {"small": (x, y), "photos": im.open(root / "photos-store")}


def small_pipeline() -> Any:
    import imagemill as im

    return im.Pipeline(
        [
            im.RandomResizedCrop((32, 32)),
            im.Flip("x", p=0.5),
            im.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2)),
            im.Normalize((0.5,) * 3, (0.25,) * 3),
            im.ToLayout("channels_first"),
        ],
        seed=7,
    )


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--photos", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--cache", type=Path)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as where:
        root = given.cache or Path(where)
        folder = photos(root, given.photos)
        files, labels = listed(folder)
        arrays = stores(root, folder)
        for n in (1, 2):
            measure(
                f"JPEG folder, {len(files):,} photos to {SIDE}x{SIDE}, {n} thread{'s' * (n > 1)}",
                [
                    Contestant("imagemill", ours(folder, n)),
                    Contestant("imagemill, decode='fast'", ours(folder, n, decode="fast")),
                    Contestant("bare decoding", bare(files, n)),
                    Contestant("DataLoader + Albumentations", data_loader(list(files), labels, "albumentations", n)),
                    Contestant("DataLoader + torchvision", data_loader(list(files), labels, "torchvision", n)),
                    Contestant("Grain + Albumentations", grain_loader(list(files), labels, n)),
                    Contestant("Keras ImageDataGenerator", legacy_keras(folder)),
                    Contestant("Keras image_dataset_from_directory", keras_layers(folder)),
                ],
                given.rounds,
                given.seconds,
            )
            photos256 = [np.array(image) for image in arrays["photos"].images]
            named = [0] * len(photos256)
            measure(
                f"Prepared store, {len(photos256):,} photos of 256x256 to {SIDE}x{SIDE}, {n} thread{'s' * (n > 1)}",
                [
                    Contestant("imagemill", ours(arrays["photos"], n)),
                    Contestant("DataLoader + Albumentations", data_loader(photos256, named, "albumentations", n)),
                    Contestant("DataLoader + torchvision", data_loader(photos256, named, "torchvision", n)),
                ],
                given.rounds,
                given.seconds,
            )
            x, y = arrays["small"]
            measure(
                f"Arrays in memory, 50,000 images of 32x32, batch {BATCH}, {n} thread{'s' * (n > 1)}",
                [
                    Contestant("imagemill", ours((x, y), n, pipeline=small_pipeline())),
                    Contestant(
                        "DataLoader + Albumentations", data_loader(list(x), y.tolist(), "albumentations", n, 32)
                    ),
                    Contestant("DataLoader + torchvision", data_loader(list(x), y.tolist(), "torchvision", n, 32)),
                ],
                given.rounds,
                given.seconds,
            )
    print(f"\n{threading.active_count()} threads at the end")


if __name__ == "__main__":
    main(sys.argv[1:])
