"""Pictures and scans to work on, decoded before anything is timed.

With ``IMAGEMILL_DATA`` set to a folder of data sets, these are photos of pets, CIFAR-10 and a scan of a head with a
label map; without it, pictures and scans that packages ship. Neither decoding nor cutting uses the package measured.
"""

from __future__ import annotations

import io
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

PHOTO_SHAPE = (375, 500)
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def data_root() -> Path | None:
    """The folder of data sets, if one was named."""
    named = os.environ.get("IMAGEMILL_DATA")
    return Path(named) if named and Path(named).is_dir() else None


def described() -> str:
    """What the inputs were, for the report."""
    if data_root() is None:
        return "pictures that scikit-image ships, tiles of them, and a made-up scan (IMAGEMILL_DATA was not set)"
    return "photos of pets of mixed sizes, CIFAR-10, and a FLAIR scan with lesion labels (from IMAGEMILL_DATA)"


@lru_cache
def photos(n: int = 64) -> list[Array]:
    """``n`` RGB photos of mixed sizes, uint8."""
    from PIL import Image

    root = data_root()
    if root is None:
        import skimage.data

        shipped = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea(), skimage.data.rocket()]
        cut = [np.ascontiguousarray(p[(i % 5) :, (i % 7) :][:400, :500]) for i, p in enumerate(shipped * n)]
        return cut[:n]
    paths = sorted((root / "pets").glob("*/*.jpg"))
    step = max(1, len(paths) // n)
    return [np.asarray(Image.open(p).convert("RGB")) for p in paths[::step][:n]]


@lru_cache
def photos_of_one_size(n: int = 64) -> Array:
    """The same photos, ``(n, 375, 500, 3)``, for libraries that only take batches of equal sizes."""
    import cv2

    size = PHOTO_SHAPE[::-1]
    return np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in photos(n)])


@lru_cache
def small_pictures(n: int = 512) -> Array:
    """``(n, 32, 32, 3)`` uint8."""
    root = data_root()
    if root is None:
        tiles = [p[y : y + 32, x : x + 32] for p in photos(8) for y in range(0, 256, 32) for x in range(0, 256, 32)]
        return np.stack(tiles[:n])
    import tarfile

    from PIL import Image

    found: list[Array] = []
    with tarfile.open(root / "cifar10" / "cifar10-png-test-2000.tar") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name.endswith(".png") else None
            if file is not None:
                found.append(np.asarray(Image.open(io.BytesIO(file.read())).convert("RGB")))
            if len(found) == n:
                break
    return np.stack(found)


@lru_cache
def scan(side: int = 128) -> tuple[Array, Array]:
    """A volume ``(z, y, x)`` float32 with values 0..1 and its label map, uint8."""
    from scipy import ndimage

    root = data_root()
    if root is None:
        rng = np.random.default_rng(0)
        values = ndimage.gaussian_filter(rng.normal(size=(side,) * 3), side / 32)
        values = (values - values.min()) / np.ptp(values)
        return values.astype(np.float32), np.digitize(values, [0.5, 0.6, 0.7]).astype(np.uint8)
    import nibabel

    folder = root / "volumes" / "flair"
    image = np.asarray(nibabel.load(folder / "FLAIR.nii.gz").dataobj).T.astype(np.float32)  # type: ignore[attr-defined]
    labels = np.asarray(nibabel.load(folder / "lesion.nii.gz").dataobj).T  # type: ignore[attr-defined]
    factors = [side / s for s in image.shape]
    image = ndimage.zoom(image, factors, order=1, grid_mode=True, mode="nearest")
    labels = ndimage.zoom(labels.astype(np.uint8), factors, order=0, grid_mode=True, mode="nearest")
    return np.ascontiguousarray(image / max(float(image.max()), 1.0), np.float32), np.ascontiguousarray(labels)


def boxes_and_points(shape: tuple[int, ...], n: int, seed: int) -> tuple[Array, Array]:
    """``n`` boxes (left, top, right, bottom) and ``n`` points ``(x, y)`` inside a picture."""
    rng = np.random.default_rng(seed)
    height, width = shape[:2]
    corner = rng.uniform(0.05, 0.65, (n, 2)) * (width, height)
    side = rng.uniform(0.1, 0.3, (n, 2)) * (width, height)
    return np.concatenate([corner, corner + side], axis=1), rng.uniform(0.1, 0.9, (n, 2)) * (width - 1, height - 1)
