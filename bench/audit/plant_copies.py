"""Copies planted among the photos of a folder: how many of each kind are found, and how many pairs are false.

    python -m bench.audit.plant_copies FOLDER [--share 0.05] [--seed 0] [--seeds 1]

Pairs that are found among the folder's own images are counted by themselves: they may be real. So are pairs of a copy
and an image that was found to be a copy of its source without it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from imagemill.audits.likeness import alike

Array = npt.NDArray[Any]


def turned(rgb: Array, degrees: float) -> Array:
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    return cv2.warpAffine(rgb, matrix, (width, height))


def cropped(rgb: Array, draws: np.random.Generator) -> Array:
    height, width = (round(0.7 * n) for n in rgb.shape[:2])
    top, left = draws.integers(0, rgb.shape[0] - height + 1), draws.integers(0, rgb.shape[1] - width + 1)
    return rgb[top : top + height, left : left + width]


def other_hue(rgb: Array, draws: np.random.Generator) -> Array:
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(int) + int(draws.integers(20, 160))) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def bordered(rgb: Array, draws: np.random.Generator) -> Array:
    high, wide = (
        round(float(draws.uniform(0.08, 0.2)) * rgb.shape[0]),
        round(float(draws.uniform(0, 0.2)) * rgb.shape[1]),
    )
    return np.pad(rgb, ((high, high), (wide, wide), (0, 0)), constant_values=int(draws.choice([0, 255])))


KINDS = {
    "re-encoded": lambda rgb, _: rgb,
    "flipped": lambda rgb, _: rgb[:, ::-1],
    "turned by 90": lambda rgb, _: np.rot90(rgb),
    "turned by 7": lambda rgb, _: turned(rgb, 7),
    "turned by 25": lambda rgb, _: turned(rgb, 25),
    "cropped to 70 %": cropped,
    "another hue": other_hue,
    "channel gains": lambda rgb, draws: np.clip(rgb * draws.uniform(0.6, 1.4, 3), 0, 255).astype(np.uint8),
    "gray": lambda rgb, _: cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "squashed": lambda rgb, _: cv2.resize(rgb, (rgb.shape[1] * 3 // 4, rgb.shape[0]), interpolation=cv2.INTER_AREA),
    "bordered": bordered,
}


def saved(rgb: Array, quality: int = 85) -> Array:
    data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def small(rgb: Array) -> Array:
    fewer = cv2.INTER_AREA if min(rgb.shape[:2]) >= 32 else cv2.INTER_LINEAR
    return cv2.resize(rgb, (32, 32), interpolation=fewer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    paths = sorted(p for p in given.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    photos = [cv2.imread(str(path))[..., ::-1] for path in paths]
    found, planted = Counter[str](), Counter[str]()
    false, twins, own, seconds = 0, 0, 0, 0.0
    alike(np.zeros((2, 32, 32, 3), np.uint8), 3.0)  # what compiles compiles here
    for seed in range(given.seed, given.seed + given.seeds):
        draws = np.random.default_rng(seed)
        sources = draws.choice(len(photos), max(1, round(given.share * len(photos))), replace=False).tolist()
        kinds = draws.choice(list(KINDS), len(sources)).tolist()
        copies = [saved(KINDS[kind](photos[row], draws)) for row, kind in zip(sources, kinds, strict=True)]
        every = [*photos, *copies]
        pictures = np.stack([small(rgb) for rgb in every])
        began = time.process_time()
        pairs = alike(pictures, 3.0, shapes=[rgb.shape[:2] for rgb in every])
        seconds += time.process_time() - began
        got = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        wanted = {
            (row, len(photos) + number): kind for number, (row, kind) in enumerate(zip(sources, kinds, strict=True))
        }
        planted.update(wanted.values())
        found.update(kind for pair, kind in wanted.items() if pair in got)
        beside = [pair for pair in got - set(wanted) if pair[1] >= len(photos)]
        whole = [tuple(row if row < len(photos) else sources[row - len(photos)] for row in pair) for pair in beside]
        twins += sum(tuple(sorted(pair)) in got or len(set(pair)) == 1 for pair in whole)
        false += sum(tuple(sorted(pair)) not in got and len(set(pair)) == 2 for pair in whole)
        own += sum(pair[1] < len(photos) for pair in got)
    for kind in KINDS:
        print(f"{kind:16s} {found[kind]:4d} of {planted[kind]:4d}")
    precision = found.total() / max(found.total() + false, 1)
    print(f"all {found.total()} of {planted.total()}, recall {found.total() / planted.total():.3f}")
    print(f"{false} false pairs with a copy, precision {precision:.4f}; {twins} with a copy of the source's own copies")
    print(f"{own} pairs of the folder's own")
    print(f"{1e3 * seconds / (given.seeds * len(photos)):.2f} ms of one core an image, decoding not counted")


if __name__ == "__main__":
    main()
