"""Copies of training images planted in the test part: what the finding ``leak`` names of them, over seeds.

    python -m bench.audit.planted_leaks [--sets cifar10,pets] [--seeds 3] [--images 2000] [--share 0.05]

As many copies again lie beside their originals in the training part, which is no leak. Counted is what the finding
says: recall is the share of the planted copies that it names, precision the share of its contents that hold one.
Contents of the set's own images alone are told apart: they may be real.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

import imagemill as im
from bench.audit.plant_copies import KINDS
from bench.audit.real_images import Array, subset

ASKED = (
    "re-encoded",
    "flipped",
    "turned by 7",
    "turned by 90",
    "cropped to 70 %",
    "another hue",
    "channel gains",
    "gray",
)
TEST = 0.2


def write(path: Path, rgb: Array, quality: int = 85) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(rgb)).save(path, quality=quality)


def one(name: str, images: int, share: float, seed: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Copies planted and found by kind, and contents of the finding: right, wrong, the set's own."""
    draws = np.random.default_rng([seed, 7])
    held = subset(name, images // len(subset(name, 1, seed)), seed)
    every = [(label, rgb) for label, all_of in held.items() for rgb in all_of]
    in_test = draws.random(len(every)) < TEST
    planted: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for row, (label, rgb) in enumerate(every):
            write(Path(folder) / ("test" if in_test[row] else "train") / label / f"{row:05d}.png", rgb)
        sources = draws.permutation(np.flatnonzero(~in_test))[: 2 * round(share * len(every))].tolist()
        for number, row in enumerate(sources):
            label, rgb = every[row]
            kind = ASKED[int(draws.integers(len(ASKED)))]
            leaks = number % 2 == 0
            key = f"{'test' if leaks else 'train'}/{label}/{row:05d} copy.jpg"
            write(Path(folder) / key, KINDS[kind](rgb, draws))
            if leaks:
                planted[key] = kind
        found = im.audit(folder, checks=["copies"])
    named = {str(place) for finding in found.findings if finding.rule == "leak" for place in finding.places}
    contents = Counter[str]()
    parts = [record.split for record in found.survey.records]
    for cluster in found.survey.clusters:
        keys = found.survey.keys(cluster.rows)
        if len({parts[row] for row in cluster.rows}) < 2:
            continue
        assert set(keys) <= named
        numbers = {Path(key).name[:5] for key in keys}
        copied = {key for key in keys if "copy" in key}
        contents["own" if not copied else "right" if len(numbers) == 1 and copied & set(planted) else "wrong"] += 1
    return Counter(planted.values()), Counter(planted[key] for key in planted if key in named), contents


def main() -> None:
    """Print a table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sets", default="cifar10,pets")
    asked.add_argument("--seeds", type=int, default=3)
    asked.add_argument("--images", type=int, default=2000)
    asked.add_argument("--share", type=float, default=0.05)
    given = asked.parse_args()
    for name in given.sets.split(","):
        planted, found, contents = Counter[str](), Counter[str](), Counter[str]()
        for seed in range(given.seeds):
            for total, part in zip((planted, found, contents), one(name, given.images, given.share, seed), strict=True):
                total.update(part)
        print(f"{name}: " + ", ".join(f"{kind} {found[kind]} of {planted[kind]}" for kind in ASKED))
        claimed = contents["right"] + contents["wrong"]
        right = f"recall {found.total() / planted.total():.3f}, precision {contents['right'] / max(claimed, 1):.3f}"
        told = f"{contents['wrong']} wrong; {contents['own']} contents of the set's own"
        print(f"  leak: {right} ({told})", flush=True)


if __name__ == "__main__":
    main()
