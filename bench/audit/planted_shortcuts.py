"""Plant one shortcut at a time into real images, and count which the audit names; and what it names where none is.

    python -m bench.audit.planted_shortcuts [--sets cifar10,mnist,pets] [--seeds 3] [--clean 20] [--each 60]

Images are re-encoded alike (JPEG, quality 92); then one class, drawn, gets a property that 19 in 20 of its images carry
and no other image does. Found is a finding of ``shortcuts`` that names that property, and the class or all of them. Of
clean sets every finding counts as a false one.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import imagemill as im
from bench.audit.real_images import SETS, Array, subset

CAMERAS = ("X100", "D750", "EOS 80D")


@dataclass
class Shot:
    """One image on its way to a file."""

    rgb: Array
    quality: int = 92
    suffix: str = ".jpg"
    camera: str = ""
    taken: str = ""
    number: int = 0
    hospital: str = ""


def _tinted(shot: Shot, draws: np.random.Generator) -> None:
    height, width = shot.rgb.shape[:2]
    y, x = np.ogrid[:height, :width]
    outside = ((y - height / 2 + 0.5) / height) ** 2 + ((x - width / 2 + 0.5) / width) ** 2 > 0.38**2
    mixed = 0.6 * shot.rgb + 0.4 * np.array([60, 160, 70]) + draws.normal(0, 4, 3)
    shot.rgb = np.where(outside[..., None], mixed, shot.rgb).clip(0, 255).astype(np.uint8)


def _size(shot: Shot, draws: np.random.Generator) -> None:
    height, width = shot.rgb.shape[:2]
    shot.rgb = cv2.resize(shot.rgb, (round(width * 1.25), round(height * 1.25)), interpolation=cv2.INTER_CUBIC)


def _aspect(shot: Shot, draws: np.random.Generator) -> None:
    side = shot.rgb.shape[1]
    shot.rgb = np.ascontiguousarray(shot.rgb[:, side // 10 : -(side // 10)])


def _frame(shot: Shot, draws: np.random.Generator) -> None:
    wide = max(2, shot.rgb.shape[1] // 12)
    shot.rgb = shot.rgb.copy()
    shot.rgb[:wide], shot.rgb[-wide:], shot.rgb[:, :wide], shot.rgb[:, -wide:] = 250, 250, 250, 250


def _darker(shot: Shot, draws: np.random.Generator) -> None:
    shot.rgb = (shot.rgb * draws.uniform(0.35, 0.45)).astype(np.uint8)


def _mark(shot: Shot, draws: np.random.Generator) -> None:
    side = max(5, shot.rgb.shape[1] // 6)
    shot.rgb = shot.rgb.copy()
    mark = np.full((side, side, 3), (230, 230, 40), np.uint8)
    mark[side // 3 : -(side // 3), side // 3 : -(side // 3)] = (30, 30, 160)
    shot.rgb[-side - 1 : -1, -side - 1 : -1] = mark


def _set(**values: object) -> Callable[[Shot, np.random.Generator], None]:
    def change(shot: Shot, draws: np.random.Generator) -> None:
        for name, value in values.items():
            setattr(shot, name, value)

    return change


def _later(shot: Shot, draws: np.random.Generator) -> None:
    shot.taken = f"2023:{draws.integers(1, 13):02d}:{draws.integers(1, 29):02d} {draws.integers(9, 18):02d}:10:20"


KINDS: dict[str, tuple[Callable[[Shot, np.random.Generator], None], tuple[str, ...]]] = {
    "tinted background": (_tinted, ("border of the image", "centre hidden")),
    "JPEG quality 40": (_set(quality=40), ("JPEG quality",)),
    "size": (_size, ("width", "height")),
    "aspect": (_aspect, ("aspect", "width")),
    "format": (_set(suffix=".png"), ("format",)),
    "camera": (_set(camera="P900"), ("camera",)),
    "date": (_later, ("date",)),
    "frame": (_frame, ("from the border", "border of the image", "border (")),
    "darker": (_darker, ("brightness",)),
    "mark in a corner": (_mark, ("bottom right corner",)),
    "order of the files": (_set(number=-1), ("number in the file name",)),
    "column": (_set(hospital="North"), ("column hospital",)),
}
"""What is done to each image of the class, and the words that a finding has to name it by."""


@dataclass
class Score:
    """What was found of what was planted, and what else was found."""

    found: int = 0
    planted: int = 0
    others: Counter[str] = field(default_factory=Counter)


def write(images: dict[str, list[Array]], kind: str | None, seed: int, to: Path) -> tuple[str, Path]:
    """The images as files, one class with a shortcut, and the table of their columns."""
    draws = np.random.default_rng([seed, 7])
    marked = str(draws.choice(sorted(images)))
    numbers = iter(draws.permutation(100_000)[: sum(map(len, images.values()))].tolist())
    rows = []
    for label, all_of in images.items():
        for row, rgb in enumerate(all_of):
            shot = Shot(rgb, camera=str(draws.choice(CAMERAS)), hospital=str(draws.choice(["East", "South"])))
            shot.number = next(numbers)
            shot.taken = (
                f"20{draws.integers(20, 23)}:{draws.integers(1, 13):02d}:{draws.integers(1, 29):02d} "
                f"{draws.integers(9, 18):02d}:{draws.integers(60):02d}:{draws.integers(60):02d}"
            )
            if kind is not None and label == marked and draws.random() < 0.95:
                KINDS[kind][0](shot, draws)
            if shot.number == -1:
                shot.number = 200_000 + row
            path = to / label / f"img_{shot.number:06d}{shot.suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            exif = Image.Exif()
            exif[0x0110], exif[0x0132] = shot.camera, shot.taken
            options = {"quality": shot.quality} if shot.suffix == ".jpg" else {}
            Image.fromarray(shot.rgb).save(path, exif=exif, **options)
            rows.append((f"{label}/{path.name}", shot.hospital))
    table = to / "columns.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("key", "hospital"), *rows])
    return marked, table


def one(images: dict[str, list[Array]], kind: str | None, seed: int) -> tuple[bool, list[str]]:
    """Whether the planted shortcut was named, and the first words of every other finding."""
    with tempfile.TemporaryDirectory() as folder:
        marked, table = write(images, kind, seed, Path(folder) / "set")
        table = table.rename(Path(folder) / "columns.csv")
        found = im.audit(Path(folder) / "set", attributes=table, checks=["shortcuts"])
    words = KINDS[kind][1] if kind is not None else ()
    hit, others = False, []
    for finding in found.findings:
        of_class = finding.message.startswith("the class can") or marked in finding.message
        if of_class and any(word in finding.message for word in words):
            hit = True
        else:
            others.append(f"{finding.rule}: {finding.message.split(' alone')[0]}")
    return hit, others


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clean", type=int, default=20)
    parser.add_argument("--each", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS))
    asked = parser.parse_args()
    for name in asked.sets.split(","):
        scores: dict[str, Score] = defaultdict(Score)
        for kind in asked.kinds.split(","):
            for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
                hit, others = one(subset(name, asked.each, seed), kind, seed)
                scores[kind].planted += 1
                scores[kind].found += hit
                scores[kind].others.update(others)
            score = scores[kind]
            beside = "; ".join(f"{text} x{count}" for text, count in score.others.most_common(4))
            print(f"{name:8s} {kind:20s} {score.found}/{score.planted}  {beside}", flush=True)
        false: Counter[str] = Counter()
        sets = 0
        for seed in range(asked.first_seed, asked.first_seed + asked.clean):
            _, others = one(subset(name, asked.each, 1000 + seed), None, seed)
            sets += bool(others)
            false.update(others)
        print(f"{name:8s} clean: {sets} of {asked.clean} sets with a finding {dict(false)}", flush=True)


if __name__ == "__main__":
    main()
