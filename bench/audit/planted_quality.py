"""Plant 20 dark, 20 blurred and 10 truncated images into real ones: precision and recall of each over seeds.

    python -m bench.audit.planted_quality [--sets cifar10,pets] [--seeds 3] [--images 300]

Dark images were underexposed by 2.5 to 4 stops (their linear light is divided); blurred ones by a Gaussian of 1.2 to
2.5 pixels at 32 pixels a side, of 2 to 5 at the scale that a network sees; truncated JPEG files end after 40 to 85 % of
their bytes. Everything found that was not planted counts against precision; clean sets say how much of that was there.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import imagemill as im
from bench.audit.real_images import Array, subset

PLANTED = {"dark": 20, "blurred": 20, "truncated": 10}
RULES = {"dark": ("dark",), "blurred": ("blurred",), "truncated": ("unreadable", "cut-off")}


def darker(rgb: Array, draws: np.random.Generator) -> Array:
    linear = (rgb / 255.0) ** 2.2 / 2 ** draws.uniform(2.5, 4)
    return np.asarray((255 * linear ** (1 / 2.2)).astype(np.uint8))


def blurred(rgb: Array, draws: np.random.Generator) -> Array:
    small = max(rgb.shape[:2]) <= 64
    sigma = draws.uniform(1.2, 2.5) if small else draws.uniform(2, 5) * max(rgb.shape[:2]) / 256
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), float(sigma)))


def one(name: str, images: int, seed: int, *, clean: bool) -> dict[str, tuple[set[str], set[str]]]:
    """For each fault the keys it was planted in, and those it was found in."""
    draws = np.random.default_rng([seed, 3])
    held = subset(name, images // len(subset(name, 1, seed)), seed)
    with tempfile.TemporaryDirectory() as folder:
        keys = [(label, row) for label, all_of in held.items() for row in range(len(all_of))]
        chosen = iter(draws.permutation(len(keys)).tolist())
        faults = {} if clean else {next(chosen): fault for fault, n in PLANTED.items() for _ in range(n)}
        planted: dict[str, set[str]] = {fault: set() for fault in PLANTED}
        for place, (label, row) in enumerate(keys):
            rgb, fault = held[label][row], faults.get(place)
            rgb = darker(rgb, draws) if fault == "dark" else blurred(rgb, draws) if fault == "blurred" else rgb
            path = Path(folder) / label / f"{row:03d}.jpg"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(rgb).save(path, quality=92)
            if fault == "truncated":
                data = path.read_bytes()
                path.write_bytes(data[: int(len(data) * draws.uniform(0.4, 0.85))])
            if fault is not None:
                planted[fault].add(f"{label}/{row:03d}.jpg")
        found = im.audit(folder, checks=["quality"])
    said = {
        fault: {str(place) for one in found.findings if one.rule in rules for place in one.places}
        for fault, rules in RULES.items()
    }
    return {fault: (planted[fault], said[fault]) for fault in PLANTED}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="cifar10,pets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=300)
    asked = parser.parse_args()
    for name in asked.sets.split(","):
        for clean in (False, True):
            counts: Counter[tuple[str, str]] = Counter()
            for seed in range(asked.seeds):
                for fault, (planted, found) in one(name, asked.images, seed, clean=clean).items():
                    counts[fault, "planted"] += len(planted)
                    counts[fault, "found"] += len(found)
                    counts[fault, "both"] += len(planted & found)
            for fault in PLANTED:
                planted, found, both = (counts[fault, what] for what in ("planted", "found", "both"))
                if clean:
                    print(f"{name:8s} clean {fault:10s} {found} found in {asked.seeds * asked.images} images")
                else:
                    print(f"{name:8s} {fault:10s} recall {both / planted:.2f} ({both}/{planted}) "
                          f"precision {both / max(found, 1):.2f} ({both}/{found})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
