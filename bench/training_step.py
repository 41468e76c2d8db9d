"""The loader inside a training step: steps a second, beside DataLoader's processes and batches that cost nothing.

Run: ``python -m bench.training_step``; with fewer ``--rounds`` and ``--seconds`` for a first look, ``--only small`` (or
``photos``) prints one part without writing. It writes ``docs/benchmarks/training-step.md``. Set IMAGEMILL_DATA to the
folder with the data sets for real pictures.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.feed import page, peers
from bench.feed.contest import Contestant, Result, Table, measure
from bench.feed.data import decoded, our_pipeline, photos, prepared, small_pictures
from bench.harness import single_thread, spread

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "training-step.md"
OURS, THEIRS, CEILING = "imagemill", "DataLoader + Albumentations", "batches replayed"
WORKERS, THREADS = (0, 1, 2), (1, 2)
REPLAYED = 8

Pairs = Iterator[tuple[Any, Any]]


@dataclass(frozen=True)
class Work:
    """A network and its pictures."""

    name: str
    title: str
    batch: int
    side: int
    network: str
    given: dict[str, str]


# ------------------------------------------------------------------------------------------- the step


def network(side: int, classes: int) -> Any:
    """Convolutions and one dense layer: two with pooling for small pictures, four with strides for photos."""
    from torch import nn

    def block(before: int, after: int, stride: int) -> list[Any]:
        convolved = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        shrunk = [nn.MaxPool2d(2)] if stride == 1 else []
        return [convolved, nn.BatchNorm2d(after), nn.ReLU(), *shrunk]

    if side <= 32:
        return nn.Sequential(
            *block(3, 16, 1), *block(16, 32, 1), nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, classes)
        )
    widths = itertools.pairwise((3, 16, 32, 64, 128))
    blocks = [layer for before, after in widths for layer in block(before, after, 2)]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))


def trained(pairs: Pairs, side: int, classes: int, threads: int) -> Iterator[Any]:
    """Each batch of images, once a step was made on it: forward, backward, SGD."""
    import torch

    model = network(side, classes)
    loss_of, optimiser = torch.nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for images, labels in pairs:
        if torch.get_num_threads() != threads:  # whoever runs contestants pins all of them to one
            torch.set_num_threads(threads)
        optimiser.zero_grad(set_to_none=True)
        loss_of(model(images), labels).backward()
        optimiser.step()
        yield images


# ------------------------------------------------------------------------------------------- who feeds it


def _loader(side: int, batch: int, workers: int, folder: str | None = None, arrays: str | None = None) -> Any:
    """Of the files of a folder, or of arrays."""
    import imagemill as im

    if folder is not None:
        given: Any = im.open(folder)
    else:
        images, labels = peers.items(None, arrays)
        given = images, np.asarray(labels)
    return im.Loader(given, our_pipeline(side), split="all", batch_size=batch, workers=workers, drop_last=True)


def ours(side: int, classes: int, threads: int, **given: Any) -> Iterator[Any]:
    """Our loader's threads; none work in the caller's."""
    made = _loader(side=side, **given).torch(("image", "label"))
    return trained((pair for _ in itertools.count() for pair in made), side, classes, threads)


def replayed(side: int, classes: int, threads: int, **given: Any) -> Iterator[Any]:
    """Batches that were made beforehand: a loader that costs nothing."""
    made = _loader(side=side, workers=0, **given).torch(("image", "label"))
    return trained((pair for _ in itertools.count() for pair in made.replayed(REPLAYED)), side, classes, threads)


def theirs(side: int, classes: int, threads: int, **given: Any) -> Iterator[Any]:
    """DataLoader's processes; none work in the caller's."""
    made = peers.torch_loader("albumentations", side=side, drop_last=True, **given)
    return trained((pair for _ in itertools.count() for pair in made), side, classes, threads)


# ------------------------------------------------------------------------------------------- measuring


def _contestants(work: Work, threads: int) -> list[Contestant]:
    common = {**work.given, "batch": work.batch, "side": work.side, "classes": _classes(work), "threads": threads}

    def one(name: str, maker: str, **more: Any) -> Contestant:
        return Contestant(name, f"bench.training_step:{maker}", {**common, **more})

    return [
        one(_named(CEILING, threads), "replayed"),
        *(one(_named(OURS, threads, n), "ours", workers=n) for n in WORKERS),
        *(one(_named(THEIRS, threads, n), "theirs", workers=n) for n in WORKERS),
    ]


def _named(who: str, threads: int, workers: int | None = None) -> str:
    return f"{who}, torch {threads}" + ("" if workers is None else f", workers {workers}")


def _classes(work: Work) -> int:
    folder = work.given.get("folder")
    return 10 if folder is None else sum(one.is_dir() for one in Path(folder).iterdir())


def works(root: Path, count: int, small: int) -> list[Work]:
    """Both sizes."""
    pictures, folder = small_pictures(root, small), photos(root, count)
    arrays = decoded(root, prepared(root, pictures, 32))
    conv = "two convolutions of 16 and 32 filters with batch norm and pooling, a dense layer"
    deep = "four convolutions of 16 to 128 filters with stride 2 and batch norm, a mean, a dense layer"
    return [
        Work("small", f"{small:,} pictures of 32x32 in memory (CIFAR-10)", 128, 32, conv, {"arrays": str(arrays)}),
        Work("photos", f"JPEG folder, {count:,} photos to 224x224", 32, 224, deep, {"folder": str(folder)}),
    ]


# ------------------------------------------------------------------------------------------- the page


def _share(result: Result, name: str, ceiling: str) -> tuple[float, float, float]:
    """Of the steps that were possible, round by round: the median and the quartiles."""
    each = [own / most for own, most in zip(result.rates[name], result.rates[ceiling], strict=True)]
    return statistics.median(each), *spread(each)


def _cell(result: Result, work: Work, name: str, ceiling: str) -> str:
    if name not in result.rates or ceiling not in result.rates:
        return f"absent: {result.absent.get(name, result.absent.get(ceiling, ''))} |"
    steps = statistics.median(result.rates[name]) / work.batch
    if name == ceiling:
        return f"{steps:.1f} |"
    middle, low, high = _share(result, name, ceiling)
    return f"{steps:.1f} | {middle:.2f} [{low:.2f}, {high:.2f}]"


def _rows(result: Result, work: Work) -> list[str]:
    every: list[tuple[str, int | None]] = [(CEILING, None), *((who, n) for who in (OURS, THEIRS) for n in WORKERS)]
    lines = []
    for who, n in every:
        cells = [_cell(result, work, _named(who, t, n), _named(CEILING, t)) for t in THREADS]
        kind = "" if n is None else _who(who, n)
        lines.append(f"| {who}{kind} | {' | '.join(cells)} |")
    return lines


def _who(who: str, workers: int) -> str:
    kind, many = ("thread", "threads") if who == OURS else ("process", "processes")
    return f", {workers} {kind if workers == 1 else many}" if workers else ", in the caller"


def _best(result: Result, work: Work) -> str:
    """The most that each gives with any setting, formed round by round where both are there."""
    best = {}
    for who in (OURS, THEIRS):
        rates = {name: values for name, values in result.rates.items() if name.startswith(f"{who},")}
        best[who] = max(rates.items(), key=lambda item: statistics.median(item[1]), default=None)
    mine, other = best[OURS], best[THEIRS]
    if mine is None or other is None:
        return "One of the two is absent."
    each = [a / b for a, b in zip(mine[1], other[1], strict=True)]
    low, high = spread(each)
    return (
        f"The quickest setting of ours (*{mine[0]}*) makes {statistics.median(each):.2f} [{low:.2f}, {high:.2f}] times "
        f"as many steps as the quickest of theirs (*{other[0]}*)."
    )


def _part(result: Result, work: Work) -> str:
    columns = " | ".join(f"torch {t} thread{'s' * (t > 1)}, steps/s | of the ceiling" for t in THREADS)
    return "\n".join(
        [
            f"## {work.title}, batch {work.batch}",
            "",
            f"The network: {work.network}.",
            "",
            f"| batches from | {columns} |",
            "|---|" + "---:|---:|" * len(THREADS),
            *_rows(result, work),
            "",
            _best(result, work),
        ]
    )


def _quiet(load: float, cores: int) -> str:
    """Whether figures are to be trusted: all settings together keep the machine's cores busy, and no more."""
    if load <= 1.5 * cores:
        return ""
    return (
        " **Others were at work on it: steps took several times as long as on a quiet machine, slices held few of "
        "them, and the figures are rough.**"
    )


def _head(rounds: int, seconds: float) -> str:
    load = ", ".join(f"{of:.1f}" for of in os.getloadavg())
    rough = _quiet(os.getloadavg()[2], os.cpu_count() or 1)
    return "\n".join(
        [
            "# The loader inside a training step",
            "",
            "Written by `make bench-step`; run it again for figures of your own machine, with",
            "`IMAGEMILL_DATA=folder` for real pictures.",
            "",
            "Images a second say how fast a loader is alone. A training step has the same cores: whoever feeds it",
            f"takes time from it. Here are **steps a second** on {os.cpu_count()} cores: forward, backward and SGD of",
            "a small network in PyTorch, with 1 or 2 threads of its own, fed by our loader's threads or by the",
            "processes of a DataLoader with Albumentations, both with 0, 1 or 2 workers, and by batches that were made",
            "beforehand (`loader.replayed()`): the **ceiling**, as no loader can give more.",
            "",
            f"Each setting runs in a process of its own; all take turns over {rounds} rounds, in a new order each",
            f"time, for as many steps as they made in {seconds:g} s, and stand still while another has its turn. A",
            "share of the ceiling is formed within each round, with as many threads of PyTorch: the median, and the",
            "quartiles in brackets.",
            "",
            "The work of the loaders: RandomResizedCrop, flip, brightness, contrast, normalise.",
            "",
            f"Load of the machine over 1, 5 and 15 minutes at the end: {load}.{rough}",
            "",
            f"Versions: {page.versions()}.",
        ]
    )


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a slice")
    parser.add_argument("--photos", type=int, default=1500, help="photos of the folder")
    parser.add_argument("--small", type=int, default=20_000, help="pictures of 32x32")
    parser.add_argument("--cache", type=Path, help="where inputs are kept for the next run")
    parser.add_argument("--only", choices=("small", "photos"), help="this part only, printed, not written")
    parser.add_argument("--page", type=Path, default=PAGE, help="what is written")
    given = parser.parse_args(argv)
    single_thread()
    began, parts = time.perf_counter(), []
    with tempfile.TemporaryDirectory() as where:
        root = given.cache or Path(where)
        root.mkdir(parents=True, exist_ok=True)
        for work in works(root, given.photos, given.small):
            if given.only not in (None, work.name):
                continue
            print(work.title, flush=True)
            every = tuple(one for threads in THREADS for one in _contestants(work, threads))
            result = measure(Table(work.name, work.title, every, work.side), rounds=given.rounds, seconds=given.seconds)
            parts.append(_part(result, work))
    text = "\n\n".join([_head(given.rounds, given.seconds), *parts]) + "\n"
    print(f"\n{text}")
    if given.only is None:
        given.page.write_text(text, encoding="utf-8")
        print(f"wrote {given.page.name}")
    print(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
