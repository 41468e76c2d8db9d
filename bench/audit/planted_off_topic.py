"""Images of something else in sets of a few dozen: how many are named, and how many of clean sets are named wrongly.

    python -m bench.audit.planted_off_topic [--sets cifar10,mnist,pets] [--images 50] [--seeds 5]

Two images at a time are planted: of the other sets, white noise, a page of text, or one plain colour with a bright
rectangle. Named is what the finding ``off-topic`` names; where it is not asked, the reason is printed.
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
from bench.audit.real_images import SETS, Array, by_class, subset

PLANTED = 2
OTHERS = ("noise", "text", "graphic")


def strange(kind: str, side: int, draws: np.random.Generator) -> Array:
    """An image of something else, of about this size."""
    if kind in SETS:
        held = by_class(kind)
        of_class = held[str(draws.choice(sorted(held)))]
        rgb = of_class[int(draws.integers(len(of_class)))]
        return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA))
    if kind == "noise":
        return draws.integers(0, 256, (side, side, 3), np.uint8)
    if kind == "text":
        page = np.full((512, 512, 3), 250, np.uint8)
        for line in range(12):
            words = "".join(map(chr, draws.integers(97, 123, 40)))
            cv2.putText(page, words, (10, 40 * line + 30), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 2)
        return np.asarray(cv2.resize(page, (side, side), interpolation=cv2.INTER_AREA))
    image = np.full((side, side, 3), draws.integers(0, 256, 3), np.uint8)
    top, left = draws.integers(0, side // 2, 2)
    image[top : top + side // 3, left : left + side // 2] = draws.integers(0, 256, 3)
    return image


def one(name: str, images: int, kind: str | None, seed: int) -> tuple[set[str], set[str], str]:
    """Keys that were planted, those that were named, and why it was not asked."""
    draws = np.random.default_rng([seed, 11])
    held = subset(name, max(1, images // len(by_class(name))), seed)
    planted = set()
    with tempfile.TemporaryDirectory() as folder:
        for label, every in held.items():
            (Path(folder) / label).mkdir()
            for row, rgb in enumerate(every):
                Image.fromarray(rgb).save(Path(folder) / label / f"{row:03d}.png")
        for number in range(PLANTED if kind else 0):
            label = str(draws.choice(sorted(held)))
            rgb = strange(str(kind), int(np.mean(held[label][0].shape[:2])), draws)
            Image.fromarray(rgb).save(Path(folder) / label / f"x{number}.png")
            planted.add(f"{label}/x{number}.png")
        found = im.audit(folder, checks=["outliers"])
    named = {str(place) for finding in found.findings if finding.rule == "off-topic" for place in finding.places}
    return planted, named, "; ".join(skipped.because for skipped in found.not_asked)


def main() -> None:
    """Print a line for each set and kind."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", default=",".join(SETS))
    asked.add_argument("--images", type=int, default=50)
    asked.add_argument("--seeds", type=int, default=5)
    given = asked.parse_args()
    for name in given.sets.split(","):
        for kind in (None, *(other for other in SETS if other != name), *OTHERS):
            counts, said = Counter[str](), Counter[str]()
            for seed in range(given.seeds):
                planted, named, because = one(name, given.images, kind, seed)
                counts.update(planted=len(planted), found=len(planted & named), false=len(named - planted))
                said[because] += bool(because)
            told = f"{counts['found']} of {counts['planted']} named, " if kind else ""
            print(f"{name} + {kind or 'nothing'}: {told}{counts['false']} others", dict(said) or "", flush=True)


if __name__ == "__main__":
    main()
