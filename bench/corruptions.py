"""Corruptions beside the published package and its fork: ``python -m bench.corruptions PHOTOS NAME=PYTHON ...``.

Each peer runs in the Python it is named with (one that has ``imagecorruptions``). What draws nothing is compared
value by value; motion blur too, at one angle; what draws is compared by what it does to an image on average. Speed is
CPU time of one thread, peers and ours in turns, medians over rounds.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

import imagemill as im

Array = np.ndarray[Any, Any]
SIDE, PHOTOS, ROUNDS, DRAWS = 224, 4, 7, 8
SAME = ("defocus_blur", "motion_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression",
        "gaussian_blur", "saturate")  # fmt: skip
"""What draws nothing, or one angle."""
ANGLE = 30.0


class Peer:
    """A package in a process of its own."""

    def __init__(self, python: str) -> None:
        script = str(Path(__file__).with_name("corruptions_peer.py"))
        self._process = subprocess.Popen([python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(
        self, name: str, severity: int, image: Array, seed: int = 0, angle: float | None = None
    ) -> tuple[Any, float]:
        """Its image, or its error in words, and seconds of CPU."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((name, severity, image, seed, angle), self._process.stdin)
        self._process.stdin.flush()
        found: tuple[Any, float] = pickle.load(self._process.stdout)  # of a process that we started
        return found


def ours(name: str, severity: int, image: Array, seed: int = 0, angle: float | None = None) -> tuple[Array, float]:
    """Ours, and seconds of CPU."""
    begun = time.process_time()
    if angle is None:
        made = im.corrupt(image, name, severity, seed=seed)
    else:
        (blur,) = im.Corruption(name, severity).children()
        # The package's angles run clockwise, and it reads where the trail comes from.
        made = im.Pipeline([replace(blur, degrees=180 - angle)], seed=seed)(image, key=0)
    return made, time.process_time() - begun


def photos(folder: Path) -> list[Array]:
    """The first few, squeezed to a square."""
    files = sorted(folder.rglob("*.jpg"))[:: max(1, len(list(folder.rglob("*.jpg"))) // PHOTOS)][:PHOTOS]
    return [np.asarray(Image.open(f).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for f in files]


def compared(peer: Peer, images: Sequence[Array]) -> Iterator[str]:
    """Rows of the table of likeness."""
    for name in im.corruptions():
        for severity in range(1, 6):
            if name in SAME:
                angle = ANGLE if name == "motion_blur" else None
                pairs = [
                    (ours(name, severity, i, 0, angle)[0], peer.ask(name, severity, i, 0, angle)[0]) for i in images
                ]
                off = np.array([np.abs(a.astype(float) - b).mean() for a, b in pairs]).mean()
                square = np.array([((a.astype(float) - b) ** 2).mean() for a, b in pairs]).mean()
                psnr = f"{10 * np.log10(255**2 / square):.1f}" if square else "equal"
                yield f"| {name} | {severity} | {off:.2f} | {psnr} | | | | |"
                continue
            spread = []
            for make in (ours, peer.ask):
                changes = [make(name, severity, i, seed)[0].astype(float) - i for i in images for seed in range(DRAWS)]
                spread.append((np.mean(changes), np.std(changes), np.abs(changes).mean()))
            (m, s, a), (pm, ps, pa) = spread
            means = f"{m:+.1f} / {pm:+.1f} | {s:.1f} / {ps:.1f} | {a:.1f} / {pa:.1f} | {a / pa:.2f}"
            yield f"| {name} | {severity} | | | {means} |"


def timed(peers: Mapping[str, Peer], image: Array) -> dict[str, Array]:
    """Milliseconds ``[corruption, severity]`` of each, medians."""
    asked = {"imagemill": ours, **{name: peer.ask for name, peer in peers.items()}}
    found = {name: np.zeros((ROUNDS, len(im.corruptions()), 5)) for name in asked}
    for c, name in enumerate(im.corruptions()):
        for s in range(5):
            for make in asked.values():
                make(name, s + 1, image)
            for r in range(ROUNDS):
                for who, make in asked.items():
                    found[who][r, c, s] = 1000 * make(name, s + 1, image, r)[1]
    return {who: np.median(times, axis=0) for who, times in found.items()}


def failures(peers: Mapping[str, Peer]) -> Iterator[str]:
    """How many of the 95 fail on a gray digit of 28 x 28, and with what."""
    digit = np.zeros((28, 28), np.uint8)
    digit[6:22, 12:16] = 255
    for who, make in {"imagemill": ours, **{name: peer.ask for name, peer in peers.items()}}.items():
        wrong: list[str] = []
        for name in im.corruptions():
            for severity in range(1, 6):
                made = make(name, severity, digit)[0]
                if isinstance(made, str) or made.shape != digit.shape:
                    wrong.append(made if isinstance(made, str) else f"shape {made.shape}")
        words = "; ".join(f"{text} ({wrong.count(text)} times)" for text in dict.fromkeys(wrong))
        yield f"| {who} | {len(wrong)} | {words} |"


def main(folder: str, *named: str) -> None:
    """Print the page, or one part of it that is named behind the peers."""
    cv2.setNumThreads(1)
    peers = {name: Peer(python) for name, _, python in (one.partition("=") for one in named) if python}
    images = photos(Path(folder))
    parts = {"likeness": _likeness, "speed": _speed, "failures": _failures}
    wanted = [one for one in named if one in parts] or parts
    for part in wanted:
        parts[part](peers, images)


def _likeness(peers: Mapping[str, Peer], images: Sequence[Array]) -> None:
    first = next(iter(peers))
    print(f"## Likeness, against {first}\n")
    columns = (
        "corruption", "severity", "mean absolute difference", "PSNR, dB", "mean change, ours / theirs",
        "deviation of the change", "mean absolute change", "ratio",
    )  # fmt: skip
    print(f"| {' | '.join(columns)} |\n|---|" + "---:|" * 7)
    for row in compared(peers[first], images):
        print(row, flush=True)


def _speed(peers: Mapping[str, Peer], images: Sequence[Array]) -> None:
    print("\n## Speed\n\n| corruption | imagemill, ms |" + "".join(f" {p}, ms | times |" for p in peers))
    print("|---|---:|" + "---:|---:|" * len(peers))
    times = timed(peers, images[0])
    mine = times.pop("imagemill")
    for c, name in enumerate([*im.corruptions(), "sum"]):
        one = (mine[c] if name != "sum" else mine).sum()
        rest = [(t[c] if name != "sum" else t).sum() for t in times.values()]
        print(f"| {name} | {one:.1f} |" + "".join(f" {other:.1f} | {other / one:.1f} |" for other in rest))


def _failures(peers: Mapping[str, Peer], images: Sequence[Array]) -> None:
    print("\n## Gray digits of 28 x 28\n\n| | failures of 95 | |\n|---|---:|---|")
    for row in failures(peers):
        print(row)


if __name__ == "__main__":
    main(*sys.argv[1:])
