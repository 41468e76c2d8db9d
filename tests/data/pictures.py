"""Small sources for the tests of what runs on them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

import imagemill as im
from imagemill.data import Picture

PIPELINE = im.Pipeline(
    [im.Flip("x", p=0.5), im.Rotate((-10, 10)), im.Brightness((0.8, 1.2)), im.Resize((24, 20))], seed=11
)


def photo(path: Path, seed: int = 0, shape: tuple[int, ...] = (30, 40, 3)) -> Path:
    values = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    im.write_picture(path, Picture(values, "yxc"[: len(shape)]))
    return path


def photos(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        photo(root / name, number)
    return root


def label_map(path: Path, seed: int = 0, shape: tuple[int, ...] = (30, 40)) -> Path:
    values = np.kron(np.random.default_rng(seed).integers(0, 4, (6, 8)), np.ones((5, 5), int)).astype(np.uint8)
    im.write_picture(path, Picture(values[: shape[0], : shape[1]], "yx"))
    return path


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder by its bytes."""
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def outputs(folder: Path) -> dict[str, str]:
    """The pictures among them."""
    kept = (".png", ".jpg", ".tif", ".nii.gz", ".npy")
    return {name: digest for name, digest in digests(folder).items() if name.endswith(kept)}


def cut(path: Path, to: Path) -> Path:
    """The first half of a file."""
    data = path.read_bytes()
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(data[: len(data) // 2])
    return to
