"""The measured numbers as a page: every aim beside its figure, then the tables."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from bench.feed.contest import Contestant, Result

PACKAGES = (
    "imagemill",
    "numpy",
    "opencv-python-headless",
    "simplejpeg",
    "numba",
    "albumentations",
    "torch",
    "torchvision",
    "grain",
    "tensorflow",
    "keras",
    "pillow",
)


def versions() -> str:
    """What was installed."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return f"Python {platform.python_version()}; " + ", ".join(found)


def head(*, rounds: int, seconds: float, inputs: str) -> str:
    """How it was measured and how to do it again."""
    return "\n".join(
        [
            "# Feeding a training loop, side by side",
            "",
            "Written by `make bench-feed`; run it again for figures of your own machine, with `IMAGEMILL_DATA=folder`",
            "for real pictures.",
            "",
            f"Each loader runs in a process of its own; all take turns over {rounds} rounds, in a new order each time,",
            f"for as many images as they gave in {seconds:g} s, and are stopped with all their workers while another",
            "has its turn. Threads are ours, DataLoader's and Grain's workers, TensorFlow's thread pools. A ratio is",
            "our images per second over theirs, formed within each round: the median, and the quartiles in brackets.",
            "**Above 1 we are faster.** Batches are checked for shape, type, contiguity and finite values first.",
            "",
            "The work: a random part of the photo resized (RandomResizedCrop), flipped half of the time, brightness",
            "and contrast changed by up to a fifth, normalised, float32. Where a library differs, a note says how.",
            "",
            f"Inputs: {inputs}.",
            "",
            f"Versions: {versions()}.",
        ]
    )


def verdict(ratio: float, aim: float) -> str:
    """Whether an aim was met."""
    return "met" if ratio >= aim else "**missed**"


def aims(results: Sequence[Result]) -> str:
    """Every figure that was aimed at, met or missed."""
    lines = ["| work | ours | against | aim | figure | |", "|---|---|---|---:|---:|---|"]
    found: list[bool] = []
    for result in results:
        for c in result.table.contestants:
            for ours, aim in c.aims.items():
                row = f"| {result.table.title} | {ours} | {c.name} | at least {aim:g} |"
                if c.name in result.absent or ours in result.absent:
                    lines.append(f"{row} absent | |")
                    continue
                ratio = result.ratio(c.name, ours)[0]
                found.append(ratio >= aim)
                lines.append(f"{row} {ratio:.2f} | {verdict(ratio, aim)} |")
    said = f"{sum(found)} of {len(found)} met."
    return "\n".join(["## What was aimed at", "", said, "", *lines])


def table(result: Result) -> str:
    """One comparison."""
    t = result.table
    ours = [c.name for c in t.contestants if c.ours and c.name in result.rates]
    columns = ["loader", "images/s", *[f"{name} is faster by" for name in ours], "aim", ""]
    lines = [f"## {t.title}", "", f"| {' | '.join(columns)} |", "|---|" + "---:|" * (len(columns) - 2) + "---|"]
    lines += [_row(result, c, ours) for c in t.contestants]
    return "\n".join([*lines, *(["", t.note] if t.note else [])])


def notes(results: Sequence[Result]) -> str:
    """Where the work differs, once for each contestant."""
    said = {f"* {c.name}: {c.note}." for result in results for c in result.table.contestants if c.note}
    return "\n".join(["## Where the work differs", "", *sorted(said, key=str.lower)])


def _row(result: Result, c: Contestant, ours: Sequence[str]) -> str:
    if c.name in result.absent:
        return f"| {c.name} | absent: {result.absent[c.name]} |" + " |" * (len(ours) + 2)
    cells = [c.name, f"{statistics.median(result.rates[c.name]):,.0f}"]
    for name in ours:
        middle, low, high = result.ratio(c.name, name)
        cells.append("" if name == c.name else f"{middle:.2f} [{low:.2f}, {high:.2f}]")
    said = {name: verdict(result.ratio(c.name, name)[0], aim) for name, aim in c.aims.items() if name in ours}
    cells.append(", ".join(dict.fromkeys(f"at least {c.aims[name]:g}" for name in said)))
    cells.append(", ".join(f"{name}: {word}" if len(said) > 1 else word for name, word in said.items()))
    return f"| {' | '.join(cells)} |"
