"""Folders of made-up photos: smooth random patterns, all different, with as much detail as photos have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

Array = npt.NDArray[Any]


def photo(seed: int, height: int = 48, width: int = 64) -> Array:
    """A pattern of several scales, RGB."""
    draws = np.random.default_rng(seed)
    found = np.zeros((height, width, 3))
    for cells, weight in ((3, 60), (8, 40), (24, 25)):
        coarse = draws.normal(0, weight, (cells, cells, 3)).astype(np.float32)
        found += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(found + 128, 0, 255).astype(np.uint8)


def write(path: Path, rgb: Array, quality: int | None = None) -> Path:
    """As PNG, or as a JPEG of a quality."""
    path.parent.mkdir(parents=True, exist_ok=True)
    how = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    assert cv2.imwrite(str(path), rgb[..., ::-1], how)
    return path


def folder(path: Path, count: int = 12, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """So many photos of each class."""
    for number, name in enumerate(classes):
        for row in range(count):
            write(path / name / f"{name}{row:03d}.png", photo(1000 * number + row))
    return path


def thing(seed: int, **fixed: Any) -> Array:
    """An ellipse before a wall, 48x64: of any size, place, turn, colour and light, but for what is ``fixed``.

    ``size`` (of its longer axis), ``x``, ``y`` in pixels, ``degrees``, ``colour`` RGB, ``light`` as a factor.
    """
    draws = np.random.default_rng(seed)
    drawn = {
        "size": draws.uniform(12, 24),
        "x": draws.uniform(20, 44),
        "y": draws.uniform(16, 32),
        "degrees": draws.uniform(0, 180),
        "colour": draws.choice([(200, 30, 30), (40, 70, 200), (230, 220, 40)]).tolist(),
        "light": draws.uniform(0.5, 1.15),
    }
    drawn |= fixed
    found = np.full((48, 64, 3), 128.0) + photo(seed).astype(float) / 8 - 16
    mask = np.zeros((48, 64), np.uint8)
    axes = round(drawn["size"] / 2), round(drawn["size"] / 4)
    cv2.ellipse(mask, (round(drawn["x"]), round(drawn["y"])), axes, -drawn["degrees"], 0, 360, 1, -1)
    found[mask > 0] = drawn["colour"]
    return np.clip(found * drawn["light"] + draws.normal(0, 3, found.shape), 0, 255).astype(np.uint8)


def things(path: Path, count: int = 40, names: tuple[str, ...] = ("cup", "jug"), **fixed: Any) -> Path:
    """So many things of each class, the same in all but what is ``fixed``."""
    for number, name in enumerate(names):
        for row in range(count):
            write(path / name / f"{row:03d}.png", thing(1000 * number + row, **fixed))
    return path


def shot(path: Path, rgb: Array, **tags: Any) -> Path:
    """A JPEG with EXIF data by these names; ``across`` and ``down`` are the size that EXIF says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {"camera": 0x0110, "orientation": 0x0112}
    inner = {"taken": 0x9003, "seconds": 0x829A, "aperture": 0x829D, "speed": 0x8827, "flash": 0x9209, "across": 0xA002,
             "down": 0xA003}  # fmt: skip
    exif = Image.Exif()
    for name, value in tags.items():
        held = IFDRational(value) if isinstance(value, float) else value
        (exif if name in numbers else exif.get_ifd(0x8769))[numbers.get(name) or inner[name]] = held
    Image.fromarray(rgb).save(path, quality=92, exif=exif)
    return path
