"""Real images by class, from the data sets that ``IMAGEMILL_DATA`` holds, for faults to be planted in."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SETS = ("cifar10", "mnist", "pets")
Array = npt.NDArray[Any]


def root() -> Path:
    return Path(os.environ["IMAGEMILL_DATA"])


@cache
def by_class(name: str) -> dict[str, list[Array]]:
    """All images of a set (of MNIST the test part, of CIFAR-10 the lossless training images), RGB, by class."""
    return {"cifar10": _cifar10, "mnist": _mnist, "pets": _pets}[name]()


def subset(name: str, each: int, seed: int, classes: int | None = None) -> dict[str, list[Array]]:
    """So many images of each class, drawn; of so many classes, drawn too."""
    draws = np.random.default_rng(seed)
    held = by_class(name)
    names = sorted(held)
    if classes is not None:
        names = sorted(draws.choice(names, classes, replace=False).tolist())
    return {
        label: [held[label][row] for row in draws.choice(len(held[label]), min(each, len(held[label])), replace=False)]
        for label in names
    }


def _cifar10() -> dict[str, list[Array]]:
    found: dict[str, list[Array]] = defaultdict(list)
    with tarfile.open(root() / "cifar10/cifar10-png-train-10000.tar") as archive:
        for member in archive:
            if member.name.endswith(".png"):
                data = archive.extractfile(member)
                assert data is not None
                found[member.name.split("/")[-2]].append(np.asarray(Image.open(io.BytesIO(data.read())).convert("RGB")))
    return dict(found)


def _mnist() -> dict[str, list[Array]]:
    folder = root() / "mnist"
    pixels = np.frombuffer(gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    images = np.repeat(pixels.reshape(-1, 28, 28, 1), 3, axis=3)
    return {str(digit): list(images[labels == digit]) for digit in range(10)}


def _pets() -> dict[str, list[Array]]:
    found: dict[str, list[Array]] = defaultdict(list)
    for path in sorted((root() / "pets").glob("*/*.jpg")):
        with Image.open(path) as image:
            shown = image.convert("RGB")
            shown.thumbnail((256, 256))
            found[path.parent.name].append(np.asarray(shown))
    return dict(found)
