"""Small datasets for the tests of the feed, and what tells samples from each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg

import imagemill as im
from imagemill.feed import LoadedBatch

PIPELINE = im.Pipeline(
    [
        im.RandomResizedCrop((24, 24)),
        im.Flip("x", p=0.5),
        im.Rotate((-10, 10)),
        im.ColorJitter(brightness=(0.8, 1.2), hue=(-0.05, 0.05)),
        im.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        im.ToLayout("channels_first"),
    ],
    seed=7,
)
"""Ends in one size, with draws in every step."""


def smooth(seed: int, shape: tuple[int, int]) -> np.ndarray[Any, Any]:
    """A picture without fine detail, which JPEG keeps nearly as it is."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def jpegs(root: Path, count: int = 37, classes: tuple[str, ...] = ("cat", "dog", "owl")) -> Path:
    """Class folders of JPEG photos of several sizes, large enough to be decoded smaller at times."""
    for n in range(count):
        folder = root / classes[n % len(classes)]
        folder.mkdir(parents=True, exist_ok=True)
        height, width = 60 + 7 * (n % 5), 80 + 5 * (n % 7)
        (folder / f"{n:03}.jpg").write_bytes(simplejpeg.encode_jpeg(smooth(n, (height, width)), quality=92))
    return root


def coco(root: Path, count: int = 21) -> Path:
    """Photos with boxes, in the COCO layout."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    images, things = [], []
    for n in range(count):
        height, width = 70 + n, 90 - n
        name = f"{n:03}.jpg"
        (root / "images" / name).write_bytes(simplejpeg.encode_jpeg(smooth(n, (height, width))))
        images.append({"id": n, "file_name": name, "height": height, "width": width})
        for k in range(n % 3):
            box = [5 + k, 7 + k, 20 + n, 12]
            thing = {"id": len(things) + 1, "image_id": n, "category_id": 1 + k, "bbox": box, "area": 1, "iscrowd": 0}
            things.append(thing)
    kinds = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    said = {"images": images, "annotations": things, "categories": kinds}
    (root / "instances.json").write_text(json.dumps(said), encoding="utf-8")
    return root


def masked(root: Path, count: int = 21) -> Path:
    """Photos and label maps in folders side by side."""
    for n in range(count):
        shape = (64 + n, 80)
        im.write_picture(root / "images" / f"{n:03}.png", im.Picture(smooth(n, shape), "yxc"))
        labels = (smooth(100 + n, shape)[..., 0] // 64).astype(np.uint8)
        im.write_picture(root / "masks" / f"{n:03}.png", im.Picture(labels, "yx"))
    return root


def hashes(batches: Iterable[LoadedBatch]) -> dict[tuple[int, str], str]:
    """What is in every sample, by epoch and key."""
    found: dict[tuple[int, str], str] = {}
    for batch in batches:
        if batch.repeated:
            continue
        for row, key in enumerate(batch.keys):
            h = hashlib.sha256()
            for name in sorted(batch.columns):
                value = batch[name][row]
                array = np.ascontiguousarray(getattr(value, "array", value))
                h.update(f"{name}{array.dtype}{array.shape}".encode() + array.tobytes())
                h.update(str(getattr(value, "labels", "")).encode())
            assert (batch.epoch, str(key)) not in found, "expected every row once an epoch"
            found[batch.epoch, str(key)] = h.hexdigest()
    return found


def total(found: dict[tuple[int, str], str]) -> str:
    """One value for all samples."""
    return hashlib.sha256("".join(f"{k}{v}" for k, v in sorted(found.items())).encode()).hexdigest()[:16]
